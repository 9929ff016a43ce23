//! Above the rows: the whole trace in a strip, with what is in view marked on it, and the axis of the time shown. A click on
//! the strip scrolls there; a drag over the axis zooms, a double click zooms out.

use leptos::ev::PointerEvent;
use leptos::html::Div;
use leptos::prelude::*;
use slowburn_domain::story;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::waterfall::Zoom;

use super::Shared;
use crate::widgets::markup::Markup;
use crate::widgets::service::service_class;

/// Strips of the overview.
const STRIPS: usize = 120;
/// Height of the overview in pixels, as in the style sheet.
const MAP_HEIGHT: f64 = 56.0;
/// A drag over less than this share of the width is a click.
const LEAST_DRAG: f64 = 0.005;

/// The whole trace in a strip.
#[component]
pub fn Map(shared: Shared) -> impl IntoView {
    let strips = shared.whole.with_value(|whole| whole.geometry.strips(STRIPS));
    let view_box = format!("0 0 1000 {}", strips.len());
    let mut rects = Markup::default();
    for (index, strip) in strips.into_iter().enumerate() {
        let class = format!("{} wf-bar{}", service_class(strip.colour), if strip.failed { " failed" } else { "" });
        let (x, width) = ((strip.x * 1e3).round().to_string(), (strip.width * 1e3).round().max(2.0).to_string());
        rects.rect(&class, &x, &width, &index.to_string(), "1");
    }
    let jump = move |event: leptos::ev::MouseEvent| {
        if let Some(frame) = shared.frame.get_untracked() {
            let share = f64::from(event.offset_y()) / MAP_HEIGHT;
            frame.set_scroll_top((share * f64::from(frame.scroll_height())) as i32 - frame.client_height() / 2);
        }
    };
    view! {
        <div class="wf-map" aria-hidden="true" on:click=jump>
            <svg viewBox=view_box preserveAspectRatio="none" inner_html=rects.finish()></svg>
            <svg class="wf-map-view" inner_html=move || view_of(shared)></svg>
        </div>
    }
}

/// The rows and the time that are in view, as a rectangle; nothing while all is.
fn view_of(shared: Shared) -> String {
    let count = shared.shown.with(Vec::len).max(1) as f64;
    let rows = shared.in_view.get();
    let zoom = shared.laid.with(|laid| laid.geometry.zoom);
    let mut markup = Markup::default();
    if rows.is_some() || zoom.is_some() {
        let (left, right) = shared.whole.with_value(|whole| {
            let (axis, start) = (&whole.geometry.axis, whole.outline.start());
            zoom.map_or((0.0, 1.0), |(from, until)| (axis.x(start.plus_nanos(from)), axis.x(start.plus_nanos(until))))
        });
        let (top, bottom) = rows.map_or((0.0, 1.0), |(first, last)| (first as f64 / count, last as f64 / count));
        let (width, height) = (svg_percent((right - left).max(0.004)), svg_percent((bottom - top).max(0.04)));
        markup.rect("", &svg_percent(left), &width, &svg_percent(top), &height);
    }
    markup.finish()
}

/// The axis above the bars.
#[component]
pub fn Head(shared: Shared) -> impl IntoView {
    let area = NodeRef::<Div>::new();
    let (pressed, pointed) = (RwSignal::new(None::<f64>), RwSignal::new(None::<f64>));
    let dragged = move || {
        let (from, to) = (pressed.get()?, pointed.get()?);
        Some((from.min(to), from.max(to)))
    };
    let press = move |event: PointerEvent| {
        let at = share_at(area, &event);
        pressed.set(at);
        pointed.set(at);
    };
    let release = move |_: PointerEvent| {
        if let Some((from, to)) = untrack(dragged).filter(|(from, to)| to - from >= LEAST_DRAG) {
            shared.zoom_to.run(Some(zoom_between(shared, from, to)));
        }
        pressed.set(None);
    };
    let drawn = move || {
        let mut markup = labels(shared);
        if let Some((from, to)) = dragged() {
            markup.rect("brush pressed", &svg_percent(from), &svg_percent(to - from), "0", "100%");
        }
        markup.finish()
    };
    view! {
        <div class="wf-head" aria-hidden="true">
            <span class="muted">"Service and operation"</span>
            <div
                class="wf-axis" node_ref=area title="Drag to zoom, double click to zoom out"
                on:pointerdown=press
                on:pointermove=move |event| if pressed.get_untracked().is_some() { pointed.set(share_at(area, &event)) }
                on:pointerup=release
                on:pointerleave=move |_| pressed.set(None)
                on:dblclick=move |_| shared.zoom_to.run(None)
            >
                <svg inner_html=drawn></svg>
            </div>
        </div>
    }
}

fn labels(shared: Shared) -> Markup {
    let laid = shared.laid.get();
    let axis = &laid.geometry.axis;
    let origin = laid.outline.start();
    let mut markup = Markup::default();
    for (index, tick) in axis.ticks(origin, 5).into_iter().enumerate() {
        let anchor = if tick.x > 0.92 {
            "end"
        } else if tick.x < 0.02 {
            "start"
        } else {
            "middle"
        };
        let class = if index % 2 == 0 { "tick" } else { "tick minor" };
        markup.open("text", &[("class", Some(class)), ("x", Some(&svg_percent(tick.x))), ("y", Some("14")), ("text-anchor", Some(anchor))]);
        markup.text(&story::offset(tick.at, origin)).close("text");
    }
    markup
}

/// The time between two shares of the axis shown.
fn zoom_between(shared: Shared, from: f64, to: f64) -> Zoom {
    shared.laid.with_untracked(|laid| {
        let start = laid.outline.start();
        let at = |share: f64| laid.geometry.axis.at(share).since(start);
        (at(from), at(to))
    })
}

/// The share of the axis under the pointer.
#[cfg(feature = "hydrate")]
fn share_at(area: NodeRef<Div>, event: &PointerEvent) -> Option<f64> {
    let area = area.get_untracked()?.get_bounding_client_rect();
    (area.width() > 0.0).then(|| ((f64::from(event.client_x()) - area.left()) / area.width()).clamp(0.0, 1.0))
}

#[cfg(not(feature = "hydrate"))]
const fn share_at(_area: NodeRef<Div>, _event: &PointerEvent) -> Option<f64> {
    None
}
