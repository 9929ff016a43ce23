//! When the traces of a page of results ran: one bar per interval, failed ones at its foot. The bars are SVG from the
//! server; after hydration the pointer reads an interval, a drag narrows the search to what it covers, and a double click
//! widens it again.

use leptos::ev::PointerEvent;
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::query::{Bound, TraceQuery};
use slowburn_domain::sentence;
use slowburn_domain::story::plural;
use slowburn_domain::time::Timestamp;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::view::{HistogramBar, TracesPage};

use crate::clock::use_watch;

/// The histogram of a page of results; nothing without bars.
#[component]
pub fn TraceHistogram(page: TracesPage) -> impl IntoView {
    (!page.histogram.is_empty()).then(|| view! { <Bars bars=page.histogram step_seconds=page.histogram_step_seconds query=page.query/> })
}

#[component]
fn Bars(bars: Vec<HistogramBar>, step_seconds: f64, query: TraceQuery) -> impl IntoView {
    let count = bars.len();
    let highest = bars.iter().map(|b| b.ok + b.failed).max().unwrap_or(1).max(1);
    let (from, to) = (bars[0].start, end_of(&bars[count - 1], step_seconds));
    let rects = bars.iter().enumerate().map(|(index, bar)| {
        let total = bar.ok + bar.failed;
        view! {
            <rect class="bar-ok" x=index as f64 + 0.08 width="0.84" y=highest - total height=bar.ok></rect>
            <rect class="bar-failed" x=index as f64 + 0.08 width="0.84" y=highest - bar.failed height=bar.failed></rect>
        }
    });
    let rects = rects.collect_view();
    let view_box = format!("0 0 {count} {highest}");
    let bars = StoredValue::new(bars);

    let plot = NodeRef::<Div>::new();
    let (pressed, pointed) = (RwSignal::new(None::<usize>), RwSignal::new(None::<usize>));
    let interval_at = move |event: &PointerEvent| interval(plot, event, count);
    let range = move || pointed.get().map(|at| (at.min(pressed.get().unwrap_or(at)), at.max(pressed.get().unwrap_or(at))));
    let navigate = use_navigate();
    let go = move |query: TraceQuery| navigate(&query.href(), NavigateOptions { scroll: false, ..Default::default() });
    let narrowed = query.clone();
    let narrow = {
        let go = go.clone();
        move |_: PointerEvent| {
            let dragged = untrack(range).filter(|(first, last)| pressed.get_untracked().is_some() && first != last);
            if let Some((first, last)) = dragged {
                let (from, to) = bars.with_value(|bars| (bars[first].start, end_of(&bars[last], step_seconds)));
                // Whole milliseconds around it, for a URL that people can read.
                let (from, to) = (Timestamp::from_millis(from.millis()), Timestamp::from_millis(to.millis() + 1));
                go(TraceQuery { from: Some(Bound::At(from)), to: Some(Bound::At(to)), cursor: None, ..narrowed.clone() });
            }
            pressed.set(None);
        }
    };
    let widen = move |_| go(TraceQuery { from: None, to: None, cursor: None, ..query.clone() });
    let selection = move || {
        range().map(|(first, last)| {
            let share = |intervals: usize| svg_percent(intervals as f64 / count as f64);
            let class = if pressed.get().is_some() { "brush pressed" } else { "brush" };
            view! { <rect class=class x=share(first) width=share(last + 1 - first) y="0" height="100%"></rect> }
        })
    };
    let watch = use_watch();
    let readout = move || {
        range().map(|(first, last)| {
            let text = bars.with_value(|bars| describe(&bars[first..=last], step_seconds, |at| watch.offset(at)));
            view! { <span role="tooltip">{text}</span> }
        })
    };
    let time = move |at| move || sentence::instant(at, watch.offset(at));
    view! {
        <figure class="histogram" aria-label="Traces of this page over time">
            <div class="histogram-readout">{readout}</div>
            <div
                class="histogram-plot" node_ref=plot
                on:pointerdown=move |event| pressed.set(interval_at(&event))
                on:pointermove=move |event| pointed.set(interval_at(&event))
                on:pointerleave=move |_| { pointed.set(None); pressed.set(None); }
                on:pointerup=narrow
                on:dblclick=widen
            >
                <svg viewBox=view_box preserveAspectRatio="none" aria-hidden="true">{rects}</svg>
                <svg class="over" aria-hidden="true">{selection}</svg>
            </div>
            <figcaption>
                <span>{time(from)}</span>
                <span class="muted">"Drag to narrow, double click to widen"</span>
                <span>{time(to)}</span>
            </figcaption>
        </figure>
    }
}

fn end_of(bar: &HistogramBar, step_seconds: f64) -> Timestamp {
    bar.start.plus_nanos((step_seconds * 1e9).ceil() as i64)
}

fn describe(bars: &[HistogramBar], step_seconds: f64, offset: impl Fn(Timestamp) -> i32) -> String {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return String::new() };
    let end = end_of(last, step_seconds);
    let (ok, failed) = bars.iter().fold((0, 0), |(ok, failed), bar| (ok + bar.ok, failed + bar.failed));
    let time = |at| sentence::time_of_day(at, offset(at));
    format!("{}–{} · {}, {failed} failed", time(first.start), time(end), plural(ok + failed, "trace"))
}

/// The interval under the pointer.
#[cfg(feature = "hydrate")]
fn interval(plot: NodeRef<Div>, event: &PointerEvent, count: usize) -> Option<usize> {
    let area = plot.get_untracked()?.get_bounding_client_rect();
    let share = (f64::from(event.client_x()) - area.left()) / area.width();
    (area.width() > 0.0 && (0.0..=1.0).contains(&share)).then(|| ((share * count as f64) as usize).min(count - 1))
}

#[cfg(not(feature = "hydrate"))]
const fn interval(_plot: NodeRef<Div>, _event: &PointerEvent, _count: usize) -> Option<usize> {
    None
}
