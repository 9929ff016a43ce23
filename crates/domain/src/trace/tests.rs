//! Traces for the tests: spans drawn as (id, parent, start, end) in milliseconds.

mod critical_path;
mod fragment;
mod tree;

use super::SpanExtent;
use crate::id::SpanId;
use crate::time::Timestamp;

fn id(number: u64) -> SpanId {
    SpanId::from_bytes(&number.to_be_bytes()).expect("not zero")
}

/// Spans by (id, parent id or 0, start, end).
fn drawn(spans: &[(u64, u64, i64, i64)]) -> Vec<SpanExtent> {
    let at = Timestamp::from_millis;
    spans
        .iter()
        .map(|(span, parent, start, end)| SpanExtent {
            span_id: id(*span),
            parent_span_id: (*parent != 0).then(|| id(*parent)),
            start: at(*start),
            end: at(*end),
        })
        .collect()
}
