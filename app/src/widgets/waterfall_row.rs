//! One row of the waterfall: the span's name as a link that selects it, and its bar with marks and duration.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::outline::OutlineSpan;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::waterfall::Bar;

use crate::erase::Erase;
use crate::widgets::markup::Markup;
use crate::widgets::service::{ServiceName, service_class};
use crate::widgets::waterfall::{Laid, zoom_suffix};

/// Deeper rows are indented no further, so that their names stay readable.
const DEEPEST: u32 = 14;
/// Pixels of indentation per level.
const INDENT: u32 = 10;

/// The row at `index`.
#[component]
pub fn Row(
    laid: Arc<Laid>,
    index: u32,
    is_selected: Signal<bool>,
    is_collapsed: Signal<bool>,
    /// Folds or unfolds what is below.
    toggle: Callback<()>,
    /// Selects this row.
    select: Callback<()>,
) -> impl IntoView {
    // The link's own way would scroll to the top of the page.
    let open = move |event: leptos::ev::MouseEvent| {
        if event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key() {
            event.prevent_default();
            select.run(());
        }
    };
    let outline = &laid.outline;
    let span = &outline.spans[index as usize];
    let bar = laid.geometry.bars[index as usize];
    let on_critical_path = span.critical_nanos.is_some();
    let duration = duration_nanos(span.nanos);
    let told =
        format!(", {duration}{}{}", if bar.failed { ", failed" } else { "" }, if on_critical_path { ", on the critical path" } else { "" });
    let (service, operation) = (outline.service(span).to_owned(), outline.operation(span).to_owned());
    let title = format!("{service} {operation}");
    let href = format!("?span={}{}", span.span_id, zoom_suffix(laid.geometry.zoom));
    let below = span.descendants;
    let track = if bar.is_shown { marks(bar, on_critical_path, &events(&laid, span), &duration) } else { String::new() };
    view! {
        <li class="wf-row" class:selected=is_selected class:failed=bar.failed>
            <div class="wf-name">
                <svg class="wf-indent" width=span.depth.min(DEEPEST) * INDENT height="1" aria-hidden="true"></svg>
                {if below > 0 {
                    view! {
                        <button
                            type="button" class="wf-toggle" on:click=move |_| toggle.run(())
                            aria-expanded=move || if is_collapsed.get() { "false" } else { "true" }
                            aria-label=format!("{below} rows below")
                        >
                            {move || if is_collapsed.get() { "▸" } else { "▾" }}
                        </button>
                    }
                        .erase()
                } else {
                    view! { <span class="wf-toggle" aria-hidden="true"></span> }.erase()
                }}
                <a
                    class="wf-link" href=href on:click=open
                    aria-current=move || is_selected.get().then_some("true")
                    title=title
                >
                    {bar.failed.then(|| view! { <span class="error-mark" aria-hidden="true">"✕"</span> })}
                    <ServiceName name=service colour=bar.colour />
                    " "
                    <span class="wf-operation">{operation}</span>
                    <span class="visually-hidden">{told}</span>
                </a>
            </div>
            <svg class=format!("wf-track {}", service_class(bar.colour)) aria-hidden="true" inner_html=track></svg>
        </li>
    }
}

/// Bar, critical stretch, events, failure and duration.
fn marks(bar: Bar, on_critical_path: bool, events: &[String], duration: &str) -> String {
    let (x, width, end) = (svg_percent(bar.x), svg_percent(bar.width), svg_percent(bar.x + bar.width));
    // The duration stands where there is room: behind the bar, before it, or at its end inside.
    let (text_class, text_x, anchor, shift) = match bar {
        Bar { x, width, .. } if x + width < 0.84 => ("wf-duration", &end, "start", "10"),
        Bar { x: left, .. } if left > 0.2 => ("wf-duration", &x, "end", "-8"),
        _ => ("wf-duration inside", &end, "end", "-12"),
    };
    let mut markup = Markup::default();
    markup.rect("wf-bar", &x, &width, "7", "12").upright("wf-edge", &x, "7", "19");
    if on_critical_path {
        markup.rect("wf-critical", &x, &width, "22", "2");
    }
    for at in events {
        markup.open("circle", &[("class", Some("wf-event")), ("cx", Some(at)), ("cy", Some("13")), ("r", Some("2.5"))]).close("circle");
    }
    if bar.failed {
        markup.open("svg", &[("class", Some("wf-failure")), ("x", Some(&end)), ("y", Some("13"))]);
        markup.open("path", &[("d", Some("M-4-4 4 4M4-4-4 4"))]).close("path").close("svg");
    }
    let place =
        [("class", Some(text_class)), ("x", Some(&**text_x)), ("y", Some("17")), ("dx", Some(shift)), ("text-anchor", Some(anchor))];
    markup.open("text", &place).text(duration).close("text");
    markup.finish()
}

/// Where the events stand that happened in the time shown.
fn events(laid: &Laid, span: &OutlineSpan) -> Vec<String> {
    let axis = &laid.geometry.axis;
    let shown = span.events.iter().filter(|at| (axis.start()..=axis.end()).contains(*at));
    shown.map(|at| svg_percent(axis.x(*at))).collect()
}
