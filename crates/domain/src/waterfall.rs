//! Geometry of one trace's waterfall: where each span's bar stands, which rows are visible, and how the critical path runs
//! through them. Positions are shares of the width (see [`timeline`](crate::timeline)), heights are counted in rows.

use std::collections::{BTreeSet, HashMap};

use crate::id::SpanId;
use crate::span::Status;
use crate::timeline::{Axis, end_of, service_colours};
use crate::view::{TracePage, WaterfallRow};

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
    /// The common time axis; stretches in which no span ran are folded.
    pub axis: Axis,
    /// Bars by index of span.
    pub bars: Vec<Bar>,
    /// Colours of services, by name.
    colours: HashMap<String, u8>,
}

impl Waterfall {
    /// Lays out a trace.
    pub fn of(page: &TracePage) -> Self {
        let axis = Axis::folded(page.spans.iter().map(|span| (span.start, end_of(span.start, span.duration_ms))));
        let services: Vec<String> = page.spans.iter().map(|s| s.service.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let colours: HashMap<String, u8> = services.iter().cloned().zip(service_colours(&services)).collect();
        let bars = page
            .spans
            .iter()
            .map(|span| {
                let (x, width) = axis.extent(span.start, span.duration_ms);
                let colour = colours.get(&span.service).copied().unwrap_or_default();
                Bar { x, width, colour, failed: span.status == Status::Error }
            })
            .collect();
        Self { axis, bars, colours }
    }

    /// Colour of a service of this trace.
    pub fn colour(&self, service: &str) -> u8 {
        self.colours.get(service).copied().unwrap_or_default()
    }

    /// The rows in at most `limit` strips from top to bottom, for an overview of the whole: each holds the extent of its
    /// rows, the colour of the longest and whether one failed.
    pub fn strips(&self, rows: &[WaterfallRow], limit: usize) -> Vec<Bar> {
        let per_strip = rows.len().div_ceil(limit.max(1)).max(1);
        rows.chunks(per_strip)
            .filter_map(|chunk| {
                let bars = || chunk.iter().filter_map(|row| self.bars.get(row.span as usize));
                let longest = bars().max_by(|a, b| a.width.total_cmp(&b.width))?;
                let left = bars().map(|b| b.x).fold(f64::INFINITY, f64::min);
                let right = bars().map(|b| b.x + b.width).fold(0.0, f64::max);
                Some(Bar { x: left, width: right - left, colour: longest.colour, failed: bars().any(|b| b.failed) })
            })
            .collect()
    }
}

/// Indices of the rows that show when the rows in `collapsed` hide what is below them.
pub fn visible(rows: &[WaterfallRow], collapsed: &BTreeSet<u32>) -> Vec<u32> {
    let mut shown = Vec::with_capacity(rows.len());
    let mut at = 0;
    while let Some(row) = rows.get(at) {
        shown.push(at as u32);
        at += 1 + if collapsed.contains(&(at as u32)) { row.descendants as usize } else { 0 };
    }
    shown
}

/// The vertical pieces of the critical path between `visible` rows (indices into `rows`).
pub fn connectors(rows: &[WaterfallRow], visible: &[u32], bars: &[Bar]) -> Vec<Connector> {
    let mut ancestors: Vec<(u16, bool, u32)> = Vec::new();
    let mut pieces = Vec::new();
    for (position, index) in visible.iter().enumerate() {
        let Some(row) = rows.get(*index as usize) else { continue };
        while ancestors.last().is_some_and(|(depth, ..)| *depth >= row.depth) {
            ancestors.pop();
        }
        // A span that only hands over at once has no time of its own on the path; the path runs past it.
        let waiting = ancestors.iter().rev().find(|(_, critical, _)| *critical);
        if let (true, Some((.., from)), Some(bar)) = (row.on_critical_path, waiting, bars.get(row.span as usize)) {
            pieces.push(Connector { x: bar.x, from: *from, to: position as u32 });
        }
        ancestors.push((row.depth, row.on_critical_path, position as u32));
    }
    pieces
}

/// The rows above `row` that it belongs to, nearest first.
pub fn ancestors(rows: &[WaterfallRow], row: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let Some(mut depth) = rows.get(row as usize).map(|r| r.depth) else { return found };
    for index in (0..row).rev() {
        let above = rows[index as usize].depth;
        if above < depth {
            found.push(index);
            depth = above;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Row of the span a reader wants to see first: the one asked for, else the first failure, else the first row. `None`
/// without rows.
pub fn selected_row(page: &TracePage, wanted: Option<SpanId>) -> Option<u32> {
    let row_of = |span: usize| page.rows.iter().position(|row| row.span as usize == span);
    let asked = wanted.and_then(|id| page.spans.iter().position(|s| s.span_id == id)).and_then(row_of);
    let failed = || crate::story::first_error(page).and_then(row_of);
    asked.or_else(failed).or((!page.rows.is_empty()).then_some(0)).map(|row| row as u32)
}

#[cfg(test)]
mod tests;
