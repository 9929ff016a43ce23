//! Geometry of one trace's waterfall: where each span's bar stands, which rows are visible, and how the critical path runs
//! through them. Positions are shares of the width (see [`timeline`](crate::timeline)), heights are counted in rows.
//!
//! A reader may zoom to a part of the time. What lies outside of it has no bar; the rows stay.

use std::collections::{BTreeSet, HashMap};

use crate::outline::Outline;
use crate::time::Timestamp;
use crate::timeline::{Axis, service_colours};

/// The shortest part of the time that can be zoomed to, nanoseconds.
pub const LEAST_ZOOM_NANOS: i64 = 1_000;

/// Share of the width between two pieces of the critical path that leave one row.
const LEAST_APART: f64 = 0.008;

/// A part of a trace's time: from and until when, nanoseconds after its start.
pub type Zoom = (i64, i64);

/// One span's bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Left edge, share of the width.
    pub x: f64,
    /// Share of the width; 0 for what took no time.
    pub width: f64,
    /// Colour of its service, 0 to 11.
    pub colour: u8,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it ran, or part of it, in the time shown.
    pub is_shown: bool,
}

/// A vertical piece of the critical path: from a span down to the one it waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connector {
    /// Share of the width.
    pub x: f64,
    /// Visible row of the waiting span.
    pub from: u32,
    /// Visible row of the span it waited for, further down.
    pub to: u32,
}

/// One trace, laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Waterfall {
    /// The time axis of what is shown; stretches in which no span ran are folded.
    pub axis: Axis,
    /// The part of the time that is shown; `None`: all of it.
    pub zoom: Option<Zoom>,
    /// Bars by row.
    pub bars: Vec<Bar>,
    /// Colours of the outline's services, 0 to 11.
    pub colours: Vec<u8>,
}

impl Waterfall {
    /// Lays out a trace, or the part of its time that is zoomed to. A zoom that shows nothing of the trace counts for none.
    pub fn of(outline: &Outline, zoom: Option<Zoom>) -> Self {
        let (begin, finish) = (outline.start(), outline.end());
        let length = finish.since(begin);
        let zoom = zoom
            .map(|(from, until)| (from.clamp(0, length), until.clamp(0, length)))
            .filter(|(from, until)| until - from >= LEAST_ZOOM_NANOS.min(length.max(1)) && until - from < length)
            .filter(|(from, until)| {
                let (from, until) = (begin.plus_nanos(*from), begin.plus_nanos(*until));
                outline.spans.iter().any(|span| span.start <= until && span.end() >= from)
            });
        let (from, until) = zoom.map_or((begin, finish), |(from, until)| (begin.plus_nanos(from), begin.plus_nanos(until)));
        let is_shown = |start: Timestamp, end: Timestamp| start <= until && end >= from;
        let shown = outline.spans.iter().map(|span| (span.start, span.end())).filter(|(start, end)| is_shown(*start, *end));
        let axis = Axis::folded(shown.map(|(start, end)| (start.max(from), end.min(until))));
        let colours = service_colours(&outline.services);
        let bars = outline
            .spans
            .iter()
            .map(|span| {
                let (left, right) = (axis.x(span.start), axis.x(span.end()));
                let colour = colours.get(span.service as usize).copied().unwrap_or_default();
                let is_shown = is_shown(span.start, span.end());
                Bar { x: left, width: (right - left).max(0.0), colour, failed: span.failed(), is_shown }
            })
            .collect();
        Self { axis, zoom, bars, colours }
    }

    /// The rows in at most `limit` strips from top to bottom, for an overview of the whole: each holds the extent of its
    /// rows, the colour of the longest and whether one failed.
    pub fn strips(&self, limit: usize) -> Vec<Bar> {
        let per_strip = self.bars.len().div_ceil(limit.max(1)).max(1);
        self.bars
            .chunks(per_strip)
            .filter_map(|bars| {
                let longest = bars.iter().max_by(|a, b| a.width.total_cmp(&b.width))?;
                let left = bars.iter().map(|b| b.x).fold(f64::INFINITY, f64::min);
                let right = bars.iter().map(|b| b.x + b.width).fold(0.0, f64::max);
                let is_shown = bars.iter().any(|b| b.is_shown);
                Some(Bar { x: left, width: right - left, colour: longest.colour, failed: bars.iter().any(|b| b.failed), is_shown })
            })
            .collect()
    }
}

/// The part of the time to zoom to for seeing one span well: the span with a tenth of its length on either side.
pub fn zoom_to(outline: &Outline, row: u32) -> Option<Zoom> {
    let span = outline.spans.get(row as usize)?;
    let (begin, length) = (outline.start(), outline.end().since(outline.start()));
    let room = (span.nanos / 10).max(LEAST_ZOOM_NANOS);
    let after = span.start.since(begin);
    Some(((after - room).max(0), (after + span.nanos + room).min(length)))
}

/// Rows that show when those in `collapsed` hide what is below them.
pub fn visible(outline: &Outline, collapsed: &BTreeSet<u32>) -> Vec<u32> {
    let mut shown = Vec::with_capacity(outline.spans.len());
    let mut at = 0;
    while let Some(span) = outline.spans.get(at) {
        shown.push(at as u32);
        at += 1 + if collapsed.contains(&(at as u32)) { span.descendants as usize } else { 0 };
    }
    shown
}

/// The vertical pieces of the critical path between `visible` rows. Pieces outside the time shown are left out; of those that
/// leave one row so close that they would run together, one stands for all.
pub fn connectors(outline: &Outline, visible: &[u32], laid: &Waterfall) -> Vec<Connector> {
    let mut above: Vec<(u32, bool, u32)> = Vec::new();
    let mut pieces: Vec<Connector> = Vec::new();
    // The piece that left a row last.
    let mut last_of: HashMap<u32, usize> = HashMap::new();
    for (position, row) in visible.iter().enumerate() {
        let Some(span) = outline.spans.get(*row as usize) else { continue };
        while above.last().is_some_and(|(depth, ..)| *depth >= span.depth) {
            above.pop();
        }
        // A span that only hands over at once has no time of its own on the path; the path runs past it.
        let waiting = above.iter().rev().find(|(_, critical, _)| *critical);
        let critical = span.critical_nanos.is_some();
        if let (true, Some((.., from)), Some(bar)) = (critical, waiting, laid.bars.get(*row as usize))
            && (laid.zoom.is_none() || (laid.axis.start()..=laid.axis.end()).contains(&span.start))
        {
            let to = position as u32;
            match last_of.get(from).and_then(|last: &usize| pieces.get_mut(*last)) {
                Some(Connector { x, to: end, .. }) if bar.x - *x < LEAST_APART => *end = to,
                _ => {
                    last_of.insert(*from, pieces.len());
                    pieces.push(Connector { x: bar.x, from: *from, to });
                }
            }
        }
        above.push((span.depth, critical, position as u32));
    }
    pieces
}

/// The rows above `row` that it belongs to, nearest first.
pub fn ancestors(outline: &Outline, row: u32) -> Vec<u32> {
    let parent = |row: &u32| outline.spans.get(*row as usize).and_then(|span| span.parent);
    std::iter::successors(parent(&row), parent).collect()
}

#[cfg(test)]
mod tests;
