//! Parquet to spans.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use serde::Deserialize;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::span::{Kind, Span, Status};
use slowburn_domain::time::Timestamp;

use super::shared::{Shared, corrupt};
use crate::Result;

/// Reads every span of a segment. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment.
pub fn decode(body: Bytes, id: i64) -> Result<Vec<Span>> {
    read(ParquetRecordBatchReaderBuilder::try_new(body)?, id)
}

/// Reads the spans of the wanted traces: the column of trace ids is read first, and of the others only the rows that it
/// names.
///
/// # Errors
/// Bytes that are no segment.
pub fn decode_traces(body: Bytes, id: i64, is_wanted: impl FnMut(&[u8]) -> bool + Send + 'static) -> Result<Vec<Span>> {
    read(of_traces(ParquetRecordBatchReaderBuilder::try_new(body)?, is_wanted), id)
}

/// Leaves out the rows of other traces before any other column is read.
pub(super) fn of_traces(
    builder: ParquetRecordBatchReaderBuilder<Bytes>,
    mut is_wanted: impl FnMut(&[u8]) -> bool + Send + 'static,
) -> ParquetRecordBatchReaderBuilder<Bytes> {
    let column = ProjectionMask::columns(builder.parquet_schema(), ["trace_id"]);
    let predicate = ArrowPredicateFn::new(column, move |batch: RecordBatch| {
        Ok(batch.column(0).as_fixed_size_binary().iter().map(|value| Some(value.is_some_and(&mut is_wanted))).collect())
    });
    builder.with_row_filter(RowFilter::new(vec![Box::new(predicate)]))
}

/// Reads the spans of one trace. See [`decode_traces`].
///
/// # Errors
/// Bytes that are no segment.
pub fn decode_trace(body: Bytes, id: i64, trace_id: TraceId) -> Result<Vec<Span>> {
    let wanted = *trace_id.as_bytes();
    decode_traces(body, id, move |trace_id| trace_id == wanted)
}

fn read(builder: ParquetRecordBatchReaderBuilder<Bytes>, id: i64) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for batch in builder.with_batch_size(8_192).build()? {
        spans_of(&batch?, id, &mut spans)?;
    }
    Ok(spans)
}

fn spans_of(batch: &RecordBatch, id: i64, spans: &mut Vec<Span>) -> Result<()> {
    let mut shared = Shared::of(batch, id)?;
    let trace_ids = shared.column("trace_id")?.as_fixed_size_binary();
    let span_ids = shared.column("span_id")?.as_fixed_size_binary();
    let parents = shared.column("parent_span_id")?.as_fixed_size_binary();
    let starts = shared.column("start")?.as_primitive::<Int64Type>();
    let durations = shared.column("duration")?.as_primitive::<Int64Type>();
    let kinds = shared.column("kind")?.as_primitive::<Int8Type>();
    let statuses = shared.column("status")?.as_primitive::<Int8Type>();
    let operations = shared.column("operation")?.as_string::<i32>();
    let (messages, states) = (shared.texts("status_message")?, shared.texts("trace_state")?);
    let (events, links) = (shared.texts("events")?, shared.texts("links")?);
    let weights = batch.column_by_name("weight").map(AsArray::as_primitive::<Int64Type>);
    for row in 0..batch.num_rows() {
        let [correlation_id, project_id, execution_id] = shared.ids(row);
        let start = Timestamp::from_nanos(starts.value(row));
        spans.push(Span {
            trace_id: TraceId::from_bytes(trace_ids.value(row)).map_err(|fault| corrupt("trace_id", id, fault))?,
            span_id: SpanId::from_bytes(span_ids.value(row)).map_err(|fault| corrupt("span_id", id, fault))?,
            parent_span_id: (!parents.is_null(row)).then(|| SpanId::from_bytes(parents.value(row)).ok()).flatten(),
            trace_state: states.get(row).unwrap_or_default(),
            operation: operations.value(row).to_owned(),
            kind: Kind::from_number(kinds.value(row).into()),
            status: Status::from_number(statuses.value(row).into()),
            status_message: messages.get(row).unwrap_or_default(),
            start,
            end: start.plus_nanos(durations.value(row)),
            attributes: shared.attributes(row)?,
            events: parse(events.get(row), "events", id)?,
            links: parse(links.get(row), "links", id)?,
            source: shared.source(row)?,
            correlation_id,
            project_id,
            execution_id,
            weight: weights.map_or(1, |weights| u32::try_from(weights.value(row)).unwrap_or(1)),
        });
    }
    Ok(())
}

fn parse<T: for<'de> Deserialize<'de>>(text: Option<String>, what: &'static str, id: i64) -> Result<Vec<T>> {
    text.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(|fault| corrupt(what, id, fault)))
}
