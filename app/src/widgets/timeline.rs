//! The lanes of the correlation page: services below each other on one time axis, long gaps folded but visible, attempts of
//! one operation linked. The picture is SVG from the server; every bar is a link to its trace.

use leptos::prelude::*;
use slowburn_domain::lanes::{Lane, Lanes, PlacedBar};
use slowburn_domain::log::LogLine;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::sentence;
use slowburn_domain::span::Status;
use slowburn_domain::story::offset;
use slowburn_domain::timeline::{Axis, svg_percent};
use slowburn_domain::url::trace_path;
use slowburn_domain::view::LaneBar;

use crate::clock::use_watch;
use crate::widgets::markup::Markup;
use crate::widgets::service::{ServiceName, service_class};

/// Height of a row of bars in a lane, pixels.
const ROW_HEIGHT: u16 = 22;
/// Height of the marks of what was logged, pixels.
const MARK_HEIGHT: u16 = 12;
/// A bar at least this wide, as a share, bears the name of its operation.
const NAMED_FROM: f64 = 0.05;
/// Share of the width between the labels of two folds, so that they can be told apart; others are marked without label.
const FOLD_LABEL_ROOM: f64 = 0.05;

/// The lanes of everything with one ID.
#[component]
pub fn Timeline(lanes: Lanes, bars: Vec<LaneBar>, logs: Vec<LogLine>) -> impl IntoView {
    let start = lanes.axis.start();
    let watch = use_watch();
    let begins = move || sentence::instant(start, watch.offset(start));
    let rows =
        lanes.lanes.iter().map(|lane| view! { <LaneRow lane=lane.clone() bars=bars.clone() logs=logs.clone() axis=lanes.axis.clone() /> });
    view! {
        <figure class="timeline">
            <figcaption class="tl-row tl-head">
                <span class="muted">{begins}</span>
                <AxisLabels axis=lanes.axis.clone() />
            </figcaption>
            <ol>{rows.collect_view()}</ol>
        </figure>
    }
}

/// Times after the beginning, and the lengths of what was folded.
#[component]
fn AxisLabels(axis: Axis) -> impl IntoView {
    let start = axis.start();
    let ticks = axis.ticks(start, 6).into_iter().enumerate().map(|(index, tick)| {
        let anchor = if tick.x > 0.93 {
            "end"
        } else if tick.x < 0.02 {
            "start"
        } else {
            "middle"
        };
        let class = if index % 2 == 0 { "tick" } else { "tick minor" };
        view! { <text class=class x=svg_percent(tick.x) y="13" text-anchor=anchor>{offset(tick.at, start)}</text> }
    });
    let mut last = f64::NEG_INFINITY;
    let roomy = axis.folds().filter(|fold| {
        let has_room = fold.x - last >= FOLD_LABEL_ROOM;
        last = if has_room { fold.x } else { last };
        has_room
    });
    let folds = roomy.map(|fold| {
        let x = svg_percent(fold.x + fold.width / 2.0);
        view! { <text class="tick fold-label" x=x y="30" text-anchor="middle">{duration_nanos(fold.nanos())}</text> }
    });
    view! { <svg class="tl-axis" aria-hidden="true">{ticks.collect_view()}{folds.collect_view()}</svg> }
}

/// One service.
#[component]
fn LaneRow(lane: Lane, bars: Vec<LaneBar>, logs: Vec<LogLine>, axis: Axis) -> impl IntoView {
    // Marks stand below the bars.
    let bars_height = if lane.bars.is_empty() { 0 } else { lane.rows * ROW_HEIGHT };
    let height = bars_height + 6 + if lane.logs.is_empty() { 0 } else { MARK_HEIGHT };
    let marks = marks(&lane, &logs, bars_height + 3 + MARK_HEIGHT / 2);
    let errors = lane.errors;
    let track = format!("tl-track {}", service_class(lane.colour));
    let links = lane.retries.iter().map(|retry| Link { from: lane.bars[retry.from], to: lane.bars[retry.to] }.view()).collect_view();
    let drawn = lane
        .bars
        .iter()
        .filter_map(|placed| Some(view! { <Bar placed=*placed bar=bars.get(placed.bar as usize)?.clone() /> }))
        .collect_view();
    view! {
        <li class="tl-row">
            <div class="tl-name">
                <ServiceName name=lane.service.clone() colour=lane.colour />
                {(errors > 0)
                    .then(|| {
                        view! {
                            <span class="error-count">
                                <span aria-hidden="true">"✕ "</span>
                                {errors}
                                <span class="visually-hidden">" failed"</span>
                            </span>
                        }
                    })}
            </div>
            <svg class=track height=height role="group" aria-label=format!("Spans of {}", lane.service)>
                {background(&axis)}
                {links}
                {drawn}
                <g class="tl-logs" inner_html=marks></g>
            </svg>
        </li>
    }
}

/// What was logged, as small marks: those that tell of errors stand out and come last, over the others.
fn marks(lane: &Lane, logs: &[LogLine], y: u16) -> String {
    let mut markup = Markup::default();
    let y = y.to_string();
    for errors in [false, true] {
        for mark in &lane.logs {
            let Some(log) = logs.get(mark.log as usize).filter(|log| log.is_error() == errors) else { continue };
            let x = svg_percent(mark.x);
            let class = if errors { "tl-log is-error" } else { "tl-log" };
            let place = [("class", Some(class)), ("cx", Some(x.as_str())), ("cy", Some(&y)), ("r", Some(if errors { "4" } else { "3" }))];
            markup.open("circle", &place).open("title", &[]).text(&log.severity).text(" ").text(&log.said);
            markup.close("title").close("circle");
        }
    }
    markup.finish()
}

/// Lines at the ticks, and the folded gaps with a torn edge on either side.
fn background(axis: &Axis) -> impl IntoView + use<> {
    let lines = axis.ticks(axis.start(), 6).into_iter().map(|tick| {
        let x = svg_percent(tick.x);
        view! { <line class="tl-grid" x1=x.clone() x2=x y1="0" y2="100%"></line> }
    });
    let folds = axis.folds().map(|fold| {
        let (left, right) = (svg_percent(fold.x), svg_percent(fold.x + fold.width));
        view! {
            <rect class="fold" x=left.clone() width=svg_percent(fold.width) y="0" height="100%">
                <title>{format!("{} in which nothing happened", duration_nanos(fold.nanos()))}</title>
            </rect>
            <line class="fold-edge" x1=left.clone() x2=left y1="0" y2="100%"></line>
            <line class="fold-edge" x1=right.clone() x2=right y1="0" y2="100%"></line>
        }
    });
    (lines.collect_view(), folds.collect_view())
}

/// The line from a failed attempt to the next one.
struct Link {
    from: PlacedBar,
    to: PlacedBar,
}

impl Link {
    fn view(self) -> impl IntoView + use<> {
        let y = |bar: PlacedBar| bar.row * ROW_HEIGHT + 3 + (ROW_HEIGHT - 6) / 2;
        view! {
            <line
                class="tl-retry" x1=svg_percent(self.from.x + self.from.width) y1=y(self.from) x2=svg_percent(self.to.x) y2=y(self.to)
            ></line>
        }
    }
}

/// One span, as a link to its trace.
#[component]
fn Bar(placed: PlacedBar, bar: LaneBar) -> impl IntoView {
    let failed = bar.status == Status::Error;
    let y = placed.row * ROW_HEIGHT + 3;
    let (x, width, end) = (svg_percent(placed.x), svg_percent(placed.width), svg_percent(placed.x + placed.width));
    let named = placed.width >= NAMED_FROM;
    let attempt = if placed.attempt > 1 { format!(", attempt {}", placed.attempt) } else { String::new() };
    let told = format!(
        "{} {}, {}{}{attempt}",
        bar.service,
        bar.operation,
        duration_nanos((bar.duration_ms * 1e6).round() as i64),
        if failed { ", failed" } else { "" }
    );
    view! {
        // Inside `<g>`, so that the link is SVG's own.
        <g>
            <a class="tl-bar" class:failed=failed href=trace_path(bar.trace_id) tabindex="-1">
                <title>{told}</title>
                <rect class="wf-bar" x=x.clone() width=width.clone() y=y height=ROW_HEIGHT - 6 rx="2"></rect>
                <line class="wf-edge" x1=x.clone() x2=x.clone() y1=y y2=y + ROW_HEIGHT - 6></line>
                {named
                    .then(|| {
                        view! {
                            <svg class="tl-label" aria-hidden="true" x=x width=width y=y height=ROW_HEIGHT - 6>
                                <text x="6" y="12">{bar.operation}</text>
                            </svg>
                        }
                    })}
                {failed
                    .then(|| view! { <svg class="wf-failure" x=end y=y + (ROW_HEIGHT - 6) / 2><path d="M-4-4 4 4M4-4-4 4"></path></svg> })}
            </a>
        </g>
    }
}
