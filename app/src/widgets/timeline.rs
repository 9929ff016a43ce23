//! The lanes of the correlation page: services below each other on one time axis, long gaps folded but visible, attempts of
//! one operation linked. The picture is SVG; every bar is a link to its trace.

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
use crate::erase::Erase;
use crate::widgets::markup::Markup;
use crate::widgets::service::service_class;

/// Height of a row of bars in a lane, pixels.
const ROW_HEIGHT: u16 = 22;
/// Height of a bar, pixels.
const BAR_HEIGHT: u16 = ROW_HEIGHT - 6;
/// Height of the marks of what was logged, pixels.
const MARK_HEIGHT: u16 = 12;
/// A bar at least this wide, as a share, bears the name of its operation.
const NAMED_FROM: f64 = 0.05;
/// Share of the width between the labels of two folds, so that they can be told apart; others are marked without label.
const FOLD_LABEL_ROOM: f64 = 0.05;
/// Characters of a log line that are told at its mark; the list says all.
const LONGEST_TITLE: usize = 120;

/// The lanes of everything with one ID.
pub fn timeline(lanes: &Lanes, bars: &[LaneBar], logs: &[LogLine]) -> AnyView {
    let start = lanes.axis.start();
    let watch = use_watch();
    let begins = move || sentence::instant(start, watch.offset(start));
    let mut rows = Markup::default();
    for lane in &lanes.lanes {
        lane_row(&mut rows, lane, bars, logs, &lanes.axis);
    }
    view! {
        <figure class="timeline">
            <figcaption class="tl-row tl-head">
                <span class="muted">{begins}</span>
                <svg class="tl-axis" aria-hidden="true" inner_html=axis_labels(&lanes.axis)></svg>
            </figcaption>
            <ol inner_html=rows.finish()></ol>
        </figure>
    }
    .erase()
}

/// Times after the beginning, and the lengths of what was folded.
fn axis_labels(axis: &Axis) -> String {
    let mut markup = Markup::default();
    let mut label = |class, x: f64, y, anchor, text: &str| {
        let place = [("class", Some(class)), ("x", Some(&*svg_percent(x))), ("y", Some(y)), ("text-anchor", Some(anchor))];
        markup.open("text", &place).text(text).close("text");
    };
    let start = axis.start();
    for (index, tick) in axis.ticks(start, 6).into_iter().enumerate() {
        let anchor = if tick.x > 0.93 {
            "end"
        } else if tick.x < 0.02 {
            "start"
        } else {
            "middle"
        };
        label(if index % 2 == 0 { "tick" } else { "tick minor" }, tick.x, "13", anchor, &offset(tick.at, start));
    }
    let mut last = f64::NEG_INFINITY;
    for fold in axis.folds() {
        if fold.x - last >= FOLD_LABEL_ROOM {
            last = fold.x;
            label("tick fold-label", fold.x + fold.width / 2.0, "30", "middle", &duration_nanos(fold.nanos()));
        }
    }
    markup.finish()
}

/// One service.
fn lane_row(markup: &mut Markup, lane: &Lane, bars: &[LaneBar], logs: &[LogLine], axis: &Axis) {
    // Marks stand below the bars.
    let bars_height = if lane.bars.is_empty() { 0 } else { lane.rows * ROW_HEIGHT };
    let height = bars_height + 6 + if lane.logs.is_empty() { 0 } else { MARK_HEIGHT };
    markup.open("li", &[("class", Some("tl-row"))]).open("div", &[("class", Some("tl-name"))]).service(&lane.service, lane.colour);
    if lane.errors > 0 {
        markup.open("span", &[("class", Some("error-count"))]).open("span", &[("aria-hidden", Some("true"))]).text("✕ ").close("span");
        markup.text(&lane.errors.to_string()).element("span", "visually-hidden", " failed").close("span");
    }
    markup.close("div");
    let track = [
        ("class", Some(&*format!("tl-track {}", service_class(lane.colour)))),
        ("height", Some(&*height.to_string())),
        ("role", Some("group")),
        ("aria-label", Some(&*format!("Spans of {}", lane.service))),
    ];
    markup.open("svg", &track);
    background(markup, axis);
    for retry in &lane.retries {
        let (from, to) = (lane.bars[retry.from], lane.bars[retry.to]);
        let y = |bar: PlacedBar| (bar.row * ROW_HEIGHT + 3 + BAR_HEIGHT / 2).to_string();
        line(markup, "tl-retry", (&svg_percent(from.x + from.width), &y(from)), (&svg_percent(to.x), &y(to)));
    }
    for placed in &lane.bars {
        if let Some(bar) = bars.get(placed.bar as usize) {
            write_bar(markup, *placed, bar);
        }
    }
    markup.open("g", &[("class", Some("tl-logs"))]);
    marks(markup, lane, logs, bars_height + 3 + MARK_HEIGHT / 2);
    markup.close("g").close("svg").close("li");
}

fn line(markup: &mut Markup, class: &str, from: (&str, &str), to: (&str, &str)) {
    let place = [("class", Some(class)), ("x1", Some(from.0)), ("x2", Some(to.0)), ("y1", Some(from.1)), ("y2", Some(to.1))];
    markup.open("line", &place).close("line");
}

/// What was logged, as small marks: those that tell of errors stand out and come last, over the others.
fn marks(markup: &mut Markup, lane: &Lane, logs: &[LogLine], y: u16) {
    let y = y.to_string();
    for errors in [false, true] {
        for mark in &lane.logs {
            let Some(log) = logs.get(mark.log as usize).filter(|log| log.is_error() == errors) else { continue };
            let x = svg_percent(mark.x);
            let class = if errors { "tl-log is-error" } else { "tl-log" };
            let place = [("class", Some(class)), ("cx", Some(x.as_str())), ("cy", Some(&y)), ("r", Some(if errors { "4" } else { "3" }))];
            let said = log.said.char_indices().nth(LONGEST_TITLE).map_or(log.said.as_str(), |(end, _)| &log.said[..end]);
            markup.open("circle", &place).open("title", &[]).text(&log.severity).text(" ").text(said);
            markup.text(if said.len() < log.said.len() { "…" } else { "" }).close("title").close("circle");
        }
    }
}

/// Lines at the ticks, and the folded gaps with a torn edge on either side.
fn background(markup: &mut Markup, axis: &Axis) {
    for tick in axis.ticks(axis.start(), 6) {
        let x = svg_percent(tick.x);
        line(markup, "tl-grid", (&x, "0"), (&x, "100%"));
    }
    for fold in axis.folds() {
        let (left, right) = (svg_percent(fold.x), svg_percent(fold.x + fold.width));
        let width = svg_percent(fold.width);
        let place = [("class", Some("fold")), ("x", Some(&*left)), ("width", Some(&*width)), ("y", Some("0")), ("height", Some("100%"))];
        markup.open("rect", &place).open("title", &[]);
        markup.text(&format!("{} in which nothing happened", duration_nanos(fold.nanos()))).close("title").close("rect");
        line(markup, "fold-edge", (&left, "0"), (&left, "100%"));
        line(markup, "fold-edge", (&right, "0"), (&right, "100%"));
    }
}

/// One span, as a link to its trace.
fn write_bar(markup: &mut Markup, placed: PlacedBar, bar: &LaneBar) {
    let failed = bar.status == Status::Error;
    let top = placed.row * ROW_HEIGHT + 3;
    let (y, bottom, middle) = (top.to_string(), (top + BAR_HEIGHT).to_string(), (top + BAR_HEIGHT / 2).to_string());
    let height = BAR_HEIGHT.to_string();
    let (x, width, end) = (svg_percent(placed.x), svg_percent(placed.width), svg_percent(placed.x + placed.width));
    let attempt = if placed.attempt > 1 { format!(", attempt {}", placed.attempt) } else { String::new() };
    let told = format!(
        "{} {}, {}{}{attempt}",
        bar.service,
        bar.operation,
        duration_nanos((bar.duration_ms * 1e6).round() as i64),
        if failed { ", failed" } else { "" }
    );
    let place = |class| [("class", Some(class)), ("x", Some(&*x)), ("width", Some(&*width)), ("y", Some(&*y)), ("height", Some(&*height))];
    let href = trace_path(bar.trace_id);
    let link = [("class", Some(if failed { "tl-bar failed" } else { "tl-bar" })), ("href", Some(&*href)), ("tabindex", Some("-1"))];
    markup.open("g", &[]).open("a", &link).open("title", &[]).text(&told).close("title");
    markup.open("rect", &place("wf-bar")).close("rect");
    line(markup, "wf-edge", (&x, &y), (&x, &bottom));
    if placed.width >= NAMED_FROM {
        markup.open("svg", &place("tl-label")).open("text", &[("x", Some("6")), ("y", Some("12"))]).text(&bar.operation);
        markup.close("text").close("svg");
    }
    if failed {
        markup.open("svg", &[("class", Some("wf-failure")), ("x", Some(&end)), ("y", Some(&middle))]);
        markup.open("path", &[("d", Some("M-4-4 4 4M4-4-4 4"))]).close("path").close("svg");
    }
    markup.close("a").close("g");
}
