//! One row of the waterfall: the span's name as a link that selects it, and its bar with marks and duration.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::view::SpanView;
use slowburn_domain::waterfall::Bar;

use crate::erase::Erase;
use crate::widgets::service::{ServiceName, service_class};
use crate::widgets::waterfall::Laid;

/// Deeper rows are indented no further, so that their names stay readable.
const DEEPEST: u16 = 14;
/// Pixels of indentation per level.
const INDENT: u16 = 10;
/// Marks drawn on one bar; more would hide it, and the details list them all.
const MOST_MARKS: usize = 24;

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
    let row = laid.page.rows[index as usize];
    let span = &laid.page.spans[row.span as usize];
    let bar = laid.geometry.bars[row.span as usize];
    let duration = duration_nanos((span.duration_ms * 1e6).round() as i64);
    let told = format!(
        ", {duration}{}{}",
        if bar.failed { ", failed" } else { "" },
        if row.on_critical_path { ", on the critical path" } else { "" }
    );
    let below = row.descendants;
    view! {
        <li class="wf-row" class:selected=is_selected class:failed=bar.failed>
            <div class="wf-name">
                <svg class="wf-indent" width=row.depth.min(DEEPEST) * INDENT height="1" aria-hidden="true"></svg>
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
                    class="wf-link" href=format!("?span={}", span.span_id) on:click=open
                    aria-current=move || is_selected.get().then_some("true")
                    title=format!("{} {}", span.service, span.operation)
                >
                    {bar.failed.then(|| view! { <span class="error-mark" aria-hidden="true">"✕"</span> })}
                    <ServiceName name=span.service.clone() colour=bar.colour />
                    " "
                    <span class="wf-operation">{span.operation.clone()}</span>
                    <span class="visually-hidden">{told}</span>
                </a>
            </div>
            <svg class=format!("wf-track {}", service_class(bar.colour)) aria-hidden="true">
                <Marks bar=bar on_critical_path=row.on_critical_path events=events(&laid, span) duration=duration />
            </svg>
        </li>
    }
}

/// Bar, critical stretch, events, failure and duration.
#[component]
fn Marks(bar: Bar, on_critical_path: bool, events: Vec<(String, String)>, duration: String) -> impl IntoView {
    let (x, width, end) = (svg_percent(bar.x), svg_percent(bar.width), svg_percent(bar.x + bar.width));
    // The duration stands where there is room: behind the bar, before it, or at its end inside.
    let (text_class, text_x, anchor, shift) = match bar {
        Bar { x, width, .. } if x + width < 0.84 => ("wf-duration", end.clone(), "start", 10),
        Bar { x, .. } if x > 0.2 => ("wf-duration", svg_percent(x), "end", -8),
        _ => ("wf-duration inside", end.clone(), "end", -12),
    };
    view! {
        <rect class="wf-bar" x=x.clone() width=width.clone() y="7" height="12" rx="2"></rect>
        <line class="wf-edge" x1=x.clone() x2=x.clone() y1="7" y2="19"></line>
        {on_critical_path.then(|| view! { <rect class="wf-critical" x=x width=width y="22" height="2"></rect> })}
        {events
            .into_iter()
            .map(|(x, name)| view! { <circle class="wf-event" cx=x cy="13" r="2.5"><title>{name}</title></circle> })
            .collect_view()}
        {bar.failed
            .then(|| view! { <svg class="wf-failure" x=end y="13"><path d="M-4-4 4 4M4-4-4 4"></path></svg> })}
        <text class=text_class x=text_x y="17" dx=shift text-anchor=anchor>{duration}</text>
    }
}

fn events(laid: &Laid, span: &SpanView) -> Vec<(String, String)> {
    span.events.iter().take(MOST_MARKS).map(|event| (svg_percent(laid.geometry.axis.x(event.time)), event.name.clone())).collect()
}
