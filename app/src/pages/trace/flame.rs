//! The trace as a flame graph, and what is known of the frame zoomed to.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::flame::{Flame as Merged, FrameId};
use slowburn_domain::number::{duration_nanos, grouped, percent};
use slowburn_domain::trace_view::{TraceView, View};

use super::Shown;
use crate::widgets::flame_graph::{FlameGraph, Frames};
use crate::widgets::markup::Markup;

/// The picture above, the frame's figures below.
#[component]
pub fn Flame(shown: Shown) -> impl IntoView {
    let outline = shown.outline();
    let flame = Merged::of(&outline);
    let frames = Arc::new(Frames { outline, flame, colours: shown.colours.get_value() });
    let zoom = Memo::new(move |_| shown.view.with(|view| view.frame));
    let href = Callback::new(move |frame: Option<FrameId>| {
        TraceView { frame, ..shown.view.get_untracked().switched_to(View::Flame) }.href(shown.trace)
    });
    let told = {
        let frames = Arc::clone(&frames);
        move || figures(shown, &frames, zoom.get())
    };
    view! {
        <section aria-label="Flame graph">
            <p class="muted">
                "Spans merged by path of service and operation. The width is time: self time of a frame and of all that is on it."
            </p>
            <FlameGraph frames=frames zoom=zoom href=href />
        </section>
        <section class="frame-figures" aria-label="Frame" aria-live="polite" inner_html=told></section>
    }
}

fn figures(shown: Shown, frames: &Frames, zoom: Option<FrameId>) -> String {
    let index = zoom.and_then(|id| frames.flame.find(id)).unwrap_or(0);
    let Some(frame) = frames.flame.frames.get(index as usize) else { return String::new() };
    let whole = frames.flame.time_nanos().max(1) as f64;
    let share = |nanos: i64| format!("{} ({})", duration_nanos(nanos), percent(nanos as f64 / whole));
    let mut markup = Markup::default();
    markup.element("h2", "", &frames.name(frame)).open("dl", &[("class", Some("meta"))]);
    markup.figure("Time", &share(frame.time_nanos)).figure("Self time", &share(frame.self_nanos));
    markup.figure("Durations together", &duration_nanos(frame.total_nanos));
    markup.figure("On critical path", &duration_nanos(frame.critical_nanos));
    markup.figure("Spans", &grouped(u64::from(frame.spans))).figure("Errors", &grouped(u64::from(frame.errors)));
    if let Some(span) = frames.outline.spans.get(frame.longest as usize) {
        let href = TraceView { span: Some(span.span_id), ..TraceView::default() }.href(shown.trace);
        markup.open("div", &[]).element("dt", "", "Longest span").open("dd", &[]);
        markup.link(&href, false, &duration_nanos(span.nanos)).close("dd").close("div");
    }
    markup.close("dl");
    markup.finish()
}
