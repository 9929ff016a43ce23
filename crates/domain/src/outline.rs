//! The outline of a trace: its spans without what they say, in the order of the waterfall's rows. It is all that pictures of
//! a trace need, and small enough to travel whole: ten thousand spans take less than sixty bytes each as text, whatever
//! their attributes. What a span says is asked for one span at a time.
//!
//! As text an outline is a set of columns, because numbers of one kind below each other compress well. Depth, number of
//! children and self time follow from them and are worked out by whoever reads them.

use serde::{Deserialize, Serialize};

use crate::id::SpanId;
use crate::span::{Kind, Span, Status};
use crate::time::Timestamp;
use crate::trace::{SpanExtent, critical_path, rows};

mod columns;

use columns::{Columns, fill};

/// Events of one span that an outline keeps the instants of; a bar has no room for more marks.
const MOST_EVENTS: usize = 24;

/// The spans of one trace as rows, top to bottom: children below their parents, siblings by start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Outline {
    /// Names of the services, sorted.
    pub services: Vec<String>,
    /// Names of the operations, sorted.
    pub operations: Vec<String>,
    /// Every span once. Their index is called their row.
    pub spans: Vec<OutlineSpan>,
}

/// One span of an outline.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlineSpan {
    /// Its id.
    pub span_id: SpanId,
    /// Row of its parent, further up; `None` at a root.
    pub parent: Option<u32>,
    /// Index into the outline's services.
    pub service: u32,
    /// Index into the outline's operations.
    pub operation: u32,
    /// Its role.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
    /// When it began.
    pub start: Timestamp,
    /// Length in nanoseconds, 0 or more.
    pub nanos: i64,
    /// Its share of the critical path, in nanoseconds: 0 where its children fill it, `None` off the path.
    pub critical_nanos: Option<i64>,
    /// When its events happened, as many as a bar has room for.
    pub events: Vec<Timestamp>,
    /// Spans above it.
    pub depth: u32,
    /// Direct children.
    pub children: u32,
    /// Rows below that belong to it.
    pub descendants: u32,
    /// Its self time in nanoseconds: how long it ran while none of its children did.
    pub self_nanos: i64,
}

impl OutlineSpan {
    /// When it ended.
    pub const fn end(&self) -> Timestamp {
        self.start.plus_nanos(self.nanos)
    }

    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.status == Status::Error
    }
}

impl Outline {
    /// The outline of a trace. Missing parents and circles are resolved as in [`rows`].
    pub fn of(spans: &[Span]) -> Self {
        let extents: Vec<SpanExtent> = spans.iter().map(SpanExtent::from).collect();
        let path = critical_path(&extents);
        let mut critical = vec![None; spans.len()];
        for (span, own_nanos) in &path.own_nanos {
            critical[*span as usize] = Some(*own_nanos);
        }
        let services = names(spans.iter().map(|span| span.source.service.as_str()));
        let operations = names(spans.iter().map(|span| span.operation.as_str()));
        let index_in = |names: &[String], name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or_default() as u32;
        let mut above: Vec<u32> = Vec::new();
        let outlined = rows(&extents).into_iter().enumerate().map(|(at, row)| {
            let span = &spans[row.span as usize];
            above.truncate(row.depth as usize);
            let parent = above.last().copied();
            above.push(at as u32);
            OutlineSpan {
                span_id: span.span_id,
                parent,
                service: index_in(&services, &span.source.service),
                operation: index_in(&operations, &span.operation),
                kind: span.kind,
                status: span.status,
                start: span.start,
                nanos: span.duration_nanos().max(0),
                critical_nanos: critical[row.span as usize],
                events: span.events.iter().take(MOST_EVENTS).map(|event| event.time).collect(),
                depth: 0,
                children: 0,
                descendants: 0,
                self_nanos: 0,
            }
        });
        let mut spans: Vec<OutlineSpan> = outlined.collect();
        fill(&mut spans);
        Self { services, operations, spans }
    }

    /// Name of a span's service.
    pub fn service(&self, span: &OutlineSpan) -> &str {
        self.services.get(span.service as usize).map_or("", String::as_str)
    }

    /// Name of a span's operation.
    pub fn operation(&self, span: &OutlineSpan) -> &str {
        self.operations.get(span.operation as usize).map_or("", String::as_str)
    }

    /// Earliest start; the epoch without spans.
    pub fn start(&self) -> Timestamp {
        self.spans.iter().map(|span| span.start).min().unwrap_or_default()
    }

    /// Latest end; the epoch without spans.
    pub fn end(&self) -> Timestamp {
        self.spans.iter().map(OutlineSpan::end).max().unwrap_or_default()
    }

    /// Row of a span by its id.
    pub fn row_of(&self, id: SpanId) -> Option<u32> {
        self.spans.iter().position(|span| span.span_id == id).map(|row| row as u32)
    }

    /// Row of the span in which the trace failed first: the error that ended earliest, which is the one others passed on;
    /// the later to begin, and so the deeper, among equals. `None` when nothing failed.
    pub fn first_error(&self) -> Option<u32> {
        let failed = self.spans.iter().enumerate().filter(|(_, span)| span.failed());
        failed.min_by_key(|(_, span)| (span.end(), std::cmp::Reverse(span.start))).map(|(row, _)| row as u32)
    }

    /// Row of the span a reader wants to see first: the one asked for, else the first failure, else the first row. `None`
    /// without spans.
    pub fn selected(&self, wanted: Option<SpanId>) -> Option<u32> {
        let first = (!self.spans.is_empty()).then_some(0);
        wanted.and_then(|id| self.row_of(id)).or_else(|| self.first_error()).or(first)
    }
}

/// Sorted, each once.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = all.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
pub(crate) mod tests;
