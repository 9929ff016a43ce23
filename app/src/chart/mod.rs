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
use crate::widgets::markup::Markup;
use pointer::{Plot, use_pointer};

/// Most ticks of the time axis; the narrow layout hides every other one.
const TIME_TICKS: usize = 7;

/// A chart with its axes. Needs [`provide_pointer`] above it: charts of a page share one pointer.
#[component]
pub fn ChartView(
    chart: Chart,
    #[prop(into)] title: String,
    /// What lies over the plot and leads somewhere, as markup of a drawing. Who has no pointer finds it elsewhere.
    #[prop(optional)]
    links: String,
) -> impl IntoView {
    let last = chart.readings.last().map_or_else(|| "no data".to_owned(), |reading| reading.text.clone());
    let label = format!("{title}; last value: {last}");
    let y_ticks = texts(&chart.y_ticks, |markup, tick| {
        let height = share(1.0 - tick.position);
        let place = [("x", Some("100%")), ("y", Some(&*height)), ("dy", Some("0.35em")), ("text-anchor", Some("end"))];
        markup.open("text", &place).text(&tick.label).close("text");
    });
    // The canvas reads the colours of the roles from elements that bear their classes.
    let roles = texts(&Role::ALL, |markup, role| {
        markup.open("g", &[("class", Some(&format!("k{}", role.index())))]).close("g");
    });
    let levels = roles + &texts(&chart.levels, level);
    let geometry = geometry(&chart);
    let links = (!links.is_empty()).then(|| view! { <svg class="chart-links" aria-hidden="true" inner_html=links></svg> });
    let (time, key) = (chart.time, chart.key);
    let chart = StoredValue::new(chart);
    let canvas = NodeRef::<Canvas>::new();
    let is_drawn = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    canvas::keep_drawn(canvas, chart, is_drawn);
    let watch = use_watch();
    let x_ticks = move || texts(&time_ticks(time, watch.offset(time.to), TIME_TICKS), x_tick);
    let plot = Plot::new(use_pointer(), chart);
    view! {
        <figure class="chart" class:is-drawn=is_drawn>
            <figcaption>
                <span class="chart-title">{title}</span>
                <span class="chart-key">{key}</span>
                {move || {
                    plot.reading().map(|said| view! { <span class="chart-reading" class:is-right=plot.is_right() role="tooltip" inner_html=said></span> })
                }}
            </figcaption>
            <svg class="chart-y" aria-hidden="true" inner_html=y_ticks></svg>
            <div
                class="chart-stage"
                on:pointermove=move |event| plot.moved(&event)
                on:pointerdown=move |event| plot.pressed(&event)
                on:pointerup=move |_| plot.released()
                on:pointerleave=move |_| plot.left()
                on:dblclick=move |_| plot.back()
            >
                <div
                    class="chart-plot"
                    role="img"
                    aria-label=label
                    tabindex="0"
                    on:keydown=move |event| plot.key(&event)
                    on:blur=move |_| plot.left()
                >
                    <div class="chart-geometry" inner_html=geometry></div>
                    <canvas node_ref=canvas aria-hidden="true"></canvas>
                    <svg class="chart-overlay" aria-hidden="true">
                        <g inner_html=levels></g>
                        {move || plot.brushed().map(|(left, width)| view! { <rect class="chart-brush" x=left y="0" width=width height="100%"></rect> })}
                        {move || plot.cross_hair().map(|x| view! { <line class="chart-hair" x1=x.clone() x2=x y1="0" y2="100%"></line> })}
                        {move || plot.dots().map(|dots| view! { <g inner_html=dots></g> })}
                    </svg>
                </div>
                {links}
            </div>
            <svg class="chart-x" aria-hidden="true" inner_html=x_ticks></svg>
        </figure>
    }
    .erase()
}

/// A share of a length as an SVG attribute, measured from the left or the top.
pub fn share(position: f64) -> String {
    format!("{:.2}%", position * 100.0)
}

/// Parts of a drawing one after the other, as text.
fn texts<T>(parts: &[T], write: impl Fn(&mut Markup, &T)) -> String {
    let mut markup = Markup::default();
    parts.iter().for_each(|part| write(&mut markup, part));
    markup.finish()
}

fn x_tick(markup: &mut Markup, tick: &Tick) {
    let anchor = match tick.position {
        p if p < 0.02 => "start",
        p if p > 0.98 => "end",
        _ => "middle",
    };
    let place = [("x", Some(&*share(tick.position))), ("y", Some("14")), ("text-anchor", Some(anchor))];
    markup.open("text", &place).text(&tick.label).close("text");
}

fn level(markup: &mut Markup, level: &Level) {
    let (class, height) = (format!("chart-level k{}", level.role.index()), share(1.0 - level.position));
    let place = [
        ("class", Some(&*class)),
        ("x", Some("100%")),
        ("y", Some(&*height)),
        ("dx", Some("-4")),
        ("dy", Some("-4")),
        ("text-anchor", Some("end")),
    ];
    markup.open("text", &place).text(&level.label).close("text");
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
