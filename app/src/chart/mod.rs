//! Charts on a page. A [`Chart`] comes from `slowburn_domain::chart` as positions; [`draw`] turns it into plotters' drawing
//! calls, which know geometry only. On the server these write SVG; the browser keeps that SVG while hydrating, then draws the
//! same calls on a canvas at the device's resolution, hides the SVG, and adds the pointer. Ticks, labels and readings are text
//! of the page, placed by shares of the width and height, so nothing moves when the canvas takes over.

mod draw;
mod pointer;

#[cfg(feature = "hydrate")]
mod canvas;
#[cfg(feature = "ssr")]
mod svg;

use leptos::html::Canvas;
use leptos::prelude::*;
use slowburn_domain::chart::{Chart, Level, Role, Tick, time_ticks};

pub use pointer::{Pointer, provide_pointer};

use crate::clock::use_watch;
use crate::erase::Erase;
use pointer::{Plot, use_pointer};

/// Most ticks of the time axis; the narrow layout hides every other one.
const TIME_TICKS: usize = 7;

/// A chart with its axes. Needs [`provide_pointer`] above it: charts of a page share one pointer.
#[component]
pub fn ChartView(chart: Chart, title: &'static str) -> impl IntoView {
    let last = chart.readings.last().map_or_else(|| "no data".to_owned(), |reading| reading.text.clone());
    let label = format!("{title}; last value: {last}");
    let y_ticks = chart.y_ticks.iter().map(y_tick).collect_view();
    let levels = chart.levels.iter().map(level).collect_view();
    let geometry = geometry(&chart);
    let (time, key) = (chart.time, chart.key);
    let chart = StoredValue::new(chart);
    let canvas = NodeRef::<Canvas>::new();
    let is_drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    canvas::keep_drawn(canvas, chart, is_drawn);
    let watch = use_watch();
    let x_ticks = move || time_ticks(time, watch.offset(time.to), TIME_TICKS).iter().map(x_tick).collect_view();
    let plot = Plot::new(use_pointer(), chart);
    view! {
        <figure class="chart" class:is-drawn=is_drawn>
            <figcaption>
                <span class="chart-title">{title}</span>
                <span class="chart-key">{key}</span>
                {move || plot.reading().map(|text| view! { <span class="chart-reading" role="tooltip">{text}</span> })}
            </figcaption>
            <svg class="chart-y" aria-hidden="true">{y_ticks}</svg>
            <div
                class="chart-plot"
                role="img"
                aria-label=label
                tabindex="0"
                on:pointermove=move |event| plot.moved(&event)
                on:pointerdown=move |event| plot.pressed(&event)
                on:pointerup=move |_| plot.released()
                on:pointerleave=move |_| plot.left()
                on:dblclick=move |_| plot.back()
                on:keydown=move |event| plot.key(&event)
                on:blur=move |_| plot.left()
            >
                <div class="chart-geometry" inner_html=geometry></div>
                <canvas node_ref=canvas aria-hidden="true"></canvas>
                <svg class="chart-overlay" aria-hidden="true">
                    {Role::ALL.map(|role| view! { <g class=format!("k{}", role.index())></g> }).collect_view()}
                    {levels}
                    {move || plot.brushed().map(|(left, width)| view! { <rect class="chart-brush" x=left y="0" width=width height="100%"></rect> })}
                    {move || plot.cross_hair().map(|x| view! { <line class="chart-hair" x1=x.clone() x2=x y1="0" y2="100%"></line> })}
                    {move || plot.dot().map(|(x, y)| view! { <circle class="chart-dot" cx=x cy=y r="4"></circle> })}
                </svg>
            </div>
            <svg class="chart-x" aria-hidden="true">{x_ticks}</svg>
        </figure>
    }
    .erase()
}

/// A share of a length as an SVG attribute, measured from the left or the top.
fn share(position: f64) -> String {
    format!("{:.2}%", position * 100.0)
}

fn y_tick(tick: &Tick) -> impl IntoView + use<> {
    view! { <text x="100%" y=share(1.0 - tick.position) dy="0.35em" text-anchor="end">{tick.label.clone()}</text> }
}

fn x_tick(tick: &Tick) -> impl IntoView + use<> {
    let anchor = match tick.position {
        p if p < 0.02 => "start",
        p if p > 0.98 => "end",
        _ => "middle",
    };
    view! { <text x=share(tick.position) y="14" text-anchor=anchor>{tick.label.clone()}</text> }
}

fn level(level: &Level) -> impl IntoView + use<> {
    view! {
        <text class=format!("chart-level k{}", level.role.index()) x="100%" y=share(1.0 - level.position) dx="-4" dy="-4" text-anchor="end">
            {level.label.clone()}
        </text>
    }
}

/// The server's SVG; in the browser nothing: what the server wrote stays in the document.
#[cfg(feature = "ssr")]
fn geometry(chart: &Chart) -> String {
    svg::render(chart)
}

#[cfg(not(feature = "ssr"))]
const fn geometry(_chart: &Chart) -> String {
    String::new()
}
