//! Spans to Parquet. CPU-bound: call it on a thread of its own.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, Int8Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array};
use slowburn_domain::span::Span;

use super::shared::{self, Column, filled, json, texts};
use crate::Result;

/// Columns without repetition worth a dictionary.
const PLAIN: [&str; 5] = ["trace_id", "span_id", "parent_span_id", "start", "duration"];

/// Encodes spans in the order given. The result is one row group.
///
/// # Errors
/// The Parquet writer's.
pub fn encode(spans: &[&Span]) -> Result<Vec<u8>> {
    let mut columns = own_columns(spans)?;
    columns.extend(shared::columns(spans));
    shared::to_parquet(columns, spans.len(), &PLAIN, &["start", "duration"])
}

fn own_columns(spans: &[&Span]) -> Result<Vec<Column>> {
    let rows = spans.len();
    let mut trace_id = FixedSizeBinaryBuilder::with_capacity(rows, 16);
    let mut span_id = FixedSizeBinaryBuilder::with_capacity(rows, 8);
    let mut parent = FixedSizeBinaryBuilder::with_capacity(rows, 8);
    let mut start = Int64Builder::with_capacity(rows);
    let mut duration = Int64Builder::with_capacity(rows);
    let mut kind = Int8Builder::with_capacity(rows);
    let mut status = Int8Builder::with_capacity(rows);
    for span in spans {
        trace_id.append_value(span.trace_id.as_bytes())?;
        span_id.append_value(span.span_id.as_bytes())?;
        match span.parent_span_id {
            Some(id) => parent.append_value(id.as_bytes())?,
            None => parent.append_null(),
        }
        start.append_value(span.start.nanos());
        duration.append_value(span.duration_nanos());
        kind.append_value(span.kind as i8);
        status.append_value(span.status as i8);
    }
    let lists = |of: fn(&Span) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        spans.iter().for_each(|span| builder.append_option(of(span)));
        Arc::new(builder.finish())
    };
    let columns: [(&str, ArrayRef); 12] = [
        ("trace_id", Arc::new(trace_id.finish())),
        ("span_id", Arc::new(span_id.finish())),
        ("parent_span_id", Arc::new(parent.finish())),
        ("start", Arc::new(start.finish())),
        ("duration", Arc::new(duration.finish())),
        ("kind", Arc::new(kind.finish())),
        ("status", Arc::new(status.finish())),
        ("operation", texts(spans, |span| Some(span.operation.as_str()))),
        ("status_message", texts(spans, |span| filled(&span.status_message))),
        ("trace_state", texts(spans, |span| filled(&span.trace_state))),
        ("events", lists(|span| (!span.events.is_empty()).then(|| json(&span.events)))),
        ("links", lists(|span| (!span.links.is_empty()).then(|| json(&span.links)))),
    ];
    let mut columns: Vec<Column> = columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
    // Where nothing was left out there is nothing to say.
    if spans.iter().any(|span| span.weight != 1) {
        let weights = Int64Array::from_iter_values(spans.iter().map(|span| i64::from(span.weight)));
        columns.push(("weight".to_owned(), Arc::new(weights)));
    }
    Ok(columns)
}
