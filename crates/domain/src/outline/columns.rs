//! An outline as text, and what follows from its columns.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Outline, OutlineSpan};
use crate::id::SpanId;
use crate::span::{Kind, Status};
use crate::time::Timestamp;

/// Hex digits of a span's id.
const ID_DIGITS: usize = 16;

/// One entry for each row in each column, but for those that few rows have.
#[derive(Serialize, Deserialize)]
pub(super) struct Columns {
    start: Timestamp,
    services: Vec<String>,
    operations: Vec<String>,
    /// All ids in one text.
    ids: String,
    /// How many rows further up the parent is; 0 at a root.
    up: Vec<u32>,
    service: Vec<u32>,
    operation: Vec<u32>,
    /// OTLP's number of the status times eight, and that of the kind.
    status_and_kind: Vec<u8>,
    /// Nanoseconds from the parent's start, at a root from `start`.
    after: Vec<i64>,
    nanos: Vec<i64>,
    /// (row, own nanoseconds) on the critical path.
    critical: Vec<(u32, i64)>,
    /// (row, nanoseconds from its start).
    events: Vec<(u32, i64)>,
}

impl From<Outline> for Columns {
    fn from(outline: Outline) -> Self {
        let start = outline.start();
        let spans = &outline.spans;
        let mut ids = String::with_capacity(spans.len() * ID_DIGITS);
        for span in spans {
            let _ = write!(ids, "{}", span.span_id);
        }
        let origin = |span: &OutlineSpan| span.parent.and_then(|parent| spans.get(parent as usize)).map_or(start, |parent| parent.start);
        let rows = || (0_u32..).zip(spans);
        Self {
            start,
            ids,
            up: rows().map(|(row, span)| span.parent.map_or(0, |parent| row - parent)).collect(),
            service: spans.iter().map(|span| span.service).collect(),
            operation: spans.iter().map(|span| span.operation).collect(),
            status_and_kind: spans.iter().map(|span| span.status as u8 * 8 + span.kind as u8).collect(),
            after: spans.iter().map(|span| span.start.since(origin(span))).collect(),
            nanos: spans.iter().map(|span| span.nanos).collect(),
            critical: rows().filter_map(|(row, span)| Some((row, span.critical_nanos?))).collect(),
            events: rows().flat_map(|(row, span)| span.events.iter().map(move |at| (row, at.since(span.start)))).collect(),
            services: outline.services,
            operations: outline.operations,
        }
    }
}

impl TryFrom<Columns> for Outline {
    type Error = &'static str;

    fn try_from(columns: Columns) -> Result<Self, Self::Error> {
        let Columns { start, services, operations, ids, up, service, operation, status_and_kind, after, nanos, critical, events } = columns;
        let count = up.len();
        if [service.len(), operation.len(), status_and_kind.len(), after.len(), nanos.len()] != [count; 5] || ids.len() != count * ID_DIGITS
        {
            return Err("the columns of an outline have as many rows each");
        }
        let mut spans: Vec<OutlineSpan> = Vec::with_capacity(count);
        for row in 0..count {
            let id = ids.get(row * ID_DIGITS..(row + 1) * ID_DIGITS).and_then(|digits| digits.parse::<SpanId>().ok());
            let parent = if up[row] == 0 { None } else { row.checked_sub(up[row] as usize) };
            let origin = parent.map_or(start, |parent| spans[parent].start);
            spans.push(OutlineSpan {
                span_id: id.ok_or("an outline's ids are hex digits")?,
                parent: parent.map(|parent| parent as u32),
                service: service[row],
                operation: operation[row],
                kind: Kind::from_number(i32::from(status_and_kind[row] % 8)),
                status: Status::from_number(i32::from(status_and_kind[row] / 8)),
                start: origin.plus_nanos(after[row]),
                nanos: nanos[row].max(0),
                critical_nanos: None,
                events: Vec::new(),
                depth: 0,
                children: 0,
                descendants: 0,
                self_nanos: 0,
            });
        }
        for (row, own_nanos) in critical {
            if let Some(span) = spans.get_mut(row as usize) {
                span.critical_nanos = Some(own_nanos);
            }
        }
        for (row, after) in events {
            if let Some(span) = spans.get_mut(row as usize) {
                span.events.push(span.start.plus_nanos(after));
            }
        }
        fill(&mut spans);
        Ok(Self { services, operations, spans })
    }
}

/// Works out what follows from parents, starts and lengths: depth, children, descendants and self time. Parents stand
/// above their children, siblings in the order of their start.
pub(super) fn fill(spans: &mut [OutlineSpan]) {
    // Until when each span is known to be covered by its children.
    let mut covered: Vec<Timestamp> = spans.iter().map(|span| span.start).collect();
    for row in 0..spans.len() {
        spans[row].self_nanos = spans[row].nanos;
        let Some(parent) = spans[row].parent.map(|parent| parent as usize) else { continue };
        spans[row].depth = spans[parent].depth + 1;
        spans[parent].children += 1;
        let from = spans[row].start.max(covered[parent]);
        let until = spans[row].end().min(spans[parent].end());
        if from < until {
            spans[parent].self_nanos -= until.since(from);
            covered[parent] = until;
        }
    }
    // From the bottom up, every span is complete before it is added to its parent's.
    for row in (0..spans.len()).rev() {
        if let Some(parent) = spans[row].parent {
            spans[parent as usize].descendants += spans[row].descendants + 1;
        }
    }
}
