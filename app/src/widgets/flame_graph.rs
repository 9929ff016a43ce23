//! The flame graph of a trace, its root on top. Every frame is a link that zooms to it; what a zoomed frame stands on lies
//! above it over the whole width and leads out again, and so does the trail of names. All of it is SVG from the server.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::flame::{Flame, FlamePicture, Frame, FrameId, PlacedFrame};
use slowburn_domain::number::{duration_nanos, percent};
use slowburn_domain::outline::Outline;
use slowburn_domain::story::plural;
use slowburn_domain::timeline::svg_percent;

use crate::widgets::markup::Markup;
use crate::widgets::service::service_class;

/// Height of a frame, pixels.
const FRAME_HEIGHT: u32 = 26;
/// A frame at least this wide, as a share, bears its name.
const NAMED_FROM: f64 = 0.025;
/// A frame at least this wide, as a share, is met by the tab key.
const FOCUSED_FROM: f64 = 0.01;

/// A trace's frames and the names in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// Its spans.
    pub outline: Arc<Outline>,
    /// Its frames.
    pub flame: Flame,
    /// Colours of the outline's services.
    pub colours: Vec<u8>,
}

impl Frames {
    /// Service and operation of a frame.
    pub fn name(&self, frame: &Frame) -> String {
        let text = |names: &[String], index: u32| names.get(index as usize).cloned().unwrap_or_default();
        format!("{} {}", text(&self.outline.services, frame.service), text(&self.outline.operations, frame.operation))
    }

    fn colour(&self, frame: &Frame) -> u8 {
        self.colours.get(frame.service as usize).copied().unwrap_or_default()
    }

    /// What a frame says of itself, in words.
    fn told(&self, frame: &Frame) -> String {
        let share = frame.time_nanos as f64 / self.flame.time_nanos().max(1) as f64;
        let failed = if frame.errors == 0 { String::new() } else { format!(", {} of {} failed", frame.errors, frame.spans) };
        // Begins with what is written on the frame, so that it can be called by that.
        format!(
            "{}{} {} ({}), self time {}, {}{failed}",
            failures(frame),
            self.name(frame),
            duration_nanos(frame.time_nanos),
            percent(share),
            duration_nanos(frame.self_nanos),
            plural(u64::from(frame.spans), "span")
        )
    }
}

/// How many spans of a frame failed, as its name begins; empty when none did.
fn failures(frame: &Frame) -> String {
    if frame.errors == 0 { String::new() } else { format!("✕ {}/{} ", frame.errors, frame.spans) }
}

/// The flame graph.
#[component]
pub fn FlameGraph(
    frames: Arc<Frames>,
    /// The frame zoomed to.
    zoom: Memo<Option<FrameId>>,
    /// The link that zooms to a frame, or out of all.
    href: Callback<Option<FrameId>, String>,
) -> impl IntoView {
    let picture = {
        let frames = Arc::clone(&frames);
        Memo::new(move |_| frames.flame.picture(zoom.get()))
    };
    let link = move |frame: Option<FrameId>| href.run(frame);
    let drawn = {
        let frames = Arc::clone(&frames);
        move || picture.with(|picture| drawing(&frames, picture, &link))
    };
    let trail = move || picture.with(|picture| trail(&frames, picture, &link));
    let left_out = move || {
        let count = picture.with(|picture| picture.left_out);
        let noun = if count == 1 { "frame is" } else { "frames are" };
        (count > 0).then(|| format!("{count} {noun} too narrow or too deep to be drawn here; zoom to a frame to see what is on it."))
    };
    view! {
        <div class="flame" data-keep-scroll="">
            <nav class="trail" aria-label="Zoomed to" inner_html=trail></nav>
            <div inner_html=drawn></div>
            <p class="muted">{left_out}</p>
        </div>
    }
}

/// The way from the whole to the zoomed frame, by name.
fn trail(frames: &Frames, picture: &FlamePicture, href: &dyn Fn(Option<FrameId>) -> String) -> String {
    let mut markup = Markup::default();
    let here = picture.below.len();
    markup.link(&href(None), here == 0, "All frames");
    for (at, index) in picture.below.iter().enumerate() {
        let frame = &frames.flame.frames[*index as usize];
        markup.text(" / ").link(&href(Some(frame.id)), at + 1 == here, &frames.name(frame));
    }
    markup.finish()
}

fn drawing(frames: &Frames, picture: &FlamePicture, href: &dyn Fn(Option<FrameId>) -> String) -> String {
    let mut markup = Markup::default();
    let under = picture.below.len() as u32;
    let height = (under + picture.levels).max(1) * FRAME_HEIGHT;
    let label = "Flame graph: frames by service and operation, as wide as their time";
    markup.open(
        "svg",
        &[("class", Some("flame-graph")), ("height", Some(&height.to_string())), ("role", Some("group")), ("aria-label", Some(label))],
    );
    hatching(&mut markup);
    for (index, level) in picture.below.iter().zip(0..) {
        let frame = &frames.flame.frames[*index as usize];
        // What is zoomed to leads to the frame that it stands on: out again.
        let out = if level + 1 == under { frame.parent.map(|parent| frames.flame.frames[parent as usize].id) } else { Some(frame.id) };
        draw_frame(&mut markup, frames, PlacedFrame { frame: *index, x: 0.0, width: 1.0, level }, &href(out), true);
    }
    for placed in &picture.placed {
        let id = frames.flame.frames[placed.frame as usize].id;
        draw_frame(&mut markup, frames, PlacedFrame { level: placed.level + under, ..*placed }, &href(Some(id)), false);
    }
    markup.close("svg");
    markup.finish()
}

/// What the share of a frame that failed is filled with.
fn hatching(markup: &mut Markup) {
    let pattern = [
        ("id", Some("flame-failed")),
        ("width", Some("6")),
        ("height", Some("6")),
        ("patternUnits", Some("userSpaceOnUse")),
        ("patternTransform", Some("rotate(45)")),
    ];
    markup.open("defs", &[]).open("pattern", &pattern);
    for (class, width) in [("flame-failed-ground", "6"), ("flame-failed-line", "3")] {
        markup.open("rect", &[("class", Some(class)), ("width", Some(width)), ("height", Some("6"))]).close("rect");
    }
    markup.close("pattern").close("defs");
}

/// One frame: its area, the share of it that failed as a hatched foot, its name.
fn draw_frame(markup: &mut Markup, frames: &Frames, placed: PlacedFrame, href: &str, is_below: bool) {
    let frame = &frames.flame.frames[placed.frame as usize];
    let told = frames.told(frame);
    let y = placed.level * FRAME_HEIGHT;
    let (x, width) = (svg_percent(placed.x), svg_percent(placed.width));
    let class = format!("flame-frame {}{}", service_class(frames.colour(frame)), if is_below { " below" } else { "" });
    let tab_index = (placed.width < FOCUSED_FROM).then_some("-1");
    let rect = |markup: &mut Markup, name: &'static str, class: &str, width: &str, y: u32, height: u32, fill: Option<&str>| {
        let (y, height) = (y.to_string(), height.to_string());
        let place = [
            ("class", Some(class)),
            ("x", Some(&*x)),
            ("width", Some(width)),
            ("y", Some(&*y)),
            ("height", Some(&*height)),
            ("fill", fill),
        ];
        markup.open(name, &place);
    };
    markup.open("a", &[("class", Some(&class)), ("href", Some(href)), ("tabindex", tab_index), ("aria-label", Some(&told))]);
    markup.element("title", "", &told);
    rect(markup, "rect", "flame-area", &width, y, FRAME_HEIGHT - 1, None);
    markup.close("rect");
    if frame.errors > 0 {
        let share = svg_percent(placed.width * f64::from(frame.errors) / f64::from(frame.spans.max(1)));
        rect(markup, "rect", "flame-errors", &share, y + FRAME_HEIGHT - 5, 4, Some("url(#flame-failed)"));
        markup.close("rect");
    }
    if placed.width >= NAMED_FROM {
        // An inner drawing cuts its text at its edges.
        rect(markup, "svg", "flame-label", &width, y, FRAME_HEIGHT - 1, None);
        markup.open("text", &[("x", Some("6")), ("y", Some("16")), ("aria-hidden", Some("true"))]);
        markup.text(&failures(frame)).text(&frames.name(frame)).text(" ");
        markup.open("tspan", &[("class", Some("flame-time")), ("dx", Some("4"))]).text(&duration_nanos(frame.time_nanos)).close("tspan");
        markup.close("text").close("svg");
    }
    markup.close("a");
}
