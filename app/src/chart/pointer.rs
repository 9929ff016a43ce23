//! The pointer over charts. All charts of a page share it, so the values of one moment are read in all of them at once. Dragging
//! zooms by writing `from` and `to` into the URL; a double click goes back to where the drag began.

use leptos::prelude::*;
use leptos::web_sys::{KeyboardEvent, PointerEvent};
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::chart::{Chart, Reading};
use slowburn_domain::sentence;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::{decode_query, encode_query};

use super::share;
use crate::browser;
use crate::clock::{Watch, use_watch};
use crate::url::{RawUrl, raw_url};
use crate::widgets::markup::Markup;

/// Shorter drags are clicks, as a share of the width.
const LEAST_DRAG: f64 = 0.01;
/// How far an arrow key moves, as a share of the width.
const KEY_STEP: f64 = 0.01;

/// The moment looked at, and the views that zooming has left.
#[derive(Clone, Copy)]
pub struct Pointer {
    at: RwSignal<Option<Timestamp>>,
    left: StoredValue<Vec<String>>,
}

/// Gives the charts below a common pointer.
pub fn provide_pointer() {
    provide_context(Pointer { at: RwSignal::new(None), left: StoredValue::new(Vec::new()) });
}

pub(super) fn use_pointer() -> Pointer {
    expect_context()
}

/// One chart under the pointer.
#[derive(Clone, Copy)]
pub(super) struct Plot {
    pointer: Pointer,
    chart: StoredValue<Chart>,
    drag: RwSignal<Option<(f64, f64)>>,
    url: RawUrl,
    watch: Watch,
    navigate: Callback<String>,
}

impl Plot {
    pub(super) fn new(pointer: Pointer, chart: StoredValue<Chart>) -> Self {
        let navigate = use_navigate();
        let navigate = Callback::new(move |target: String| {
            navigate(&target, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        });
        Self { pointer, chart, drag: RwSignal::new(None), url: raw_url(), watch: use_watch(), navigate }
    }

    /// What is to be read at the pointer, as markup: the time and the value, or the values of several lines below each other.
    pub(super) fn reading(self) -> Option<String> {
        let reading = self.nearest(self.pointer.at.get()?)?;
        let time = sentence::instant(reading.at, self.watch.offset(reading.at));
        let mut markup = Markup::default();
        if reading.lines.is_empty() {
            markup.text(&format!("{time} · {}", reading.text));
        } else {
            markup.text(&time);
        }
        for line in &reading.lines {
            markup.open("span", &[("class", Some("chart-said"))]).swatch(line.role).text(&line.text).close("span");
        }
        Some(markup.finish())
    }

    /// Whether the pointer is in the right half, where what is read would hide it.
    pub(super) fn is_right(self) -> bool {
        self.pointer.at.get().and_then(|at| self.position(at)).is_some_and(|x| x > 0.5)
    }

    /// The vertical line at the moment looked at.
    pub(super) fn cross_hair(self) -> Option<String> {
        let at = self.pointer.at.get()?;
        self.position(at).map(share)
    }

    /// The values on the lines, as markup.
    pub(super) fn dots(self) -> Option<String> {
        let reading = self.nearest(self.pointer.at.get()?)?;
        let x = share(self.position(reading.at)?);
        let mut markup = Markup::default();
        if let Some(height) = reading.height {
            markup.circle("chart-dot", &x, &share(1.0 - height));
        }
        for line in &reading.lines {
            markup.circle(&format!("chart-dot k{}", line.role.index()), &x, &share(1.0 - line.height));
        }
        Some(markup.finish())
    }

    /// The range being dragged over: left edge and width.
    pub(super) fn brushed(self) -> Option<(String, String)> {
        let (a, b) = self.drag.get()?;
        Some((share(a.min(b)), share((a - b).abs())))
    }

    pub(super) fn moved(self, event: &PointerEvent) {
        let Some(x) = browser::place(event) else { return };
        self.pointer.at.set(Some(self.chart.with_value(|chart| chart.time.at(x))));
        if let Some((start, _)) = self.drag.get_untracked() {
            self.drag.set(Some((start, x)));
        }
    }

    pub(super) fn pressed(self, event: &PointerEvent) {
        if let Some(x) = browser::place(event).filter(|_| event.button() == 0) {
            self.drag.set(Some((x, x)));
        }
    }

    pub(super) fn released(self) {
        let Some((a, b)) = self.drag.get_untracked() else { return };
        self.drag.set(None);
        if (a - b).abs() < LEAST_DRAG {
            return;
        }
        let whole_second = |x: f64| self.chart.with_value(|chart| Timestamp::from_seconds(chart.time.at(x).seconds()).to_string());
        let (from, to) = (whole_second(a.min(b)), whole_second(a.max(b)));
        self.pointer.left.update_value(|left| left.push(untrack(|| self.url.href())));
        self.navigate.run(self.over(&[("from", &from), ("to", &to)]));
    }

    pub(super) fn left(self) {
        self.drag.set(None);
        self.pointer.at.set(None);
    }

    /// Back to the view before the last zoom; without one, to the whole window.
    pub(super) fn back(self) {
        let before = self.pointer.left.try_update_value(Vec::pop).flatten();
        self.navigate.run(before.unwrap_or_else(|| self.over(&[])));
    }

    /// The link to this view over another range, with steps that fit it.
    fn over(self, range: &[(&str, &str)]) -> String {
        let pairs = decode_query(&self.url.search.get_untracked());
        let kept = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| !["from", "to", "step"].contains(name));
        let query = encode_query(kept.chain(range.iter().copied()));
        let path = self.url.path.get_untracked();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    pub(super) fn key(self, event: &KeyboardEvent) {
        let by = match event.key().as_str() {
            "ArrowLeft" => -KEY_STEP,
            "ArrowRight" => KEY_STEP,
            "Escape" => return self.left(),
            _ => return,
        };
        event.prevent_default();
        let x = self.pointer.at.get_untracked().and_then(|at| self.position(at)).unwrap_or(1.0);
        self.pointer.at.set(Some(self.chart.with_value(|chart| chart.time.at((x + by).clamp(0.0, 1.0)))));
    }

    fn nearest(self, at: Timestamp) -> Option<Reading> {
        self.chart.with_value(|chart| chart.reading(at).cloned())
    }

    /// Where an instant lies, if it lies in this chart.
    fn position(self, at: Timestamp) -> Option<f64> {
        let x = self.chart.with_value(|chart| chart.time.position(at));
        (0.0..=1.0).contains(&x).then_some(x)
    }
}
