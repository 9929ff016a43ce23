//! What the correlation page shows of spans: a few of their columns.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::span::Status;
use slowburn_domain::time::Timestamp;

use super::decode::of_traces;
use super::in_place::BATCH;
use super::shared::corrupt;
use crate::Result;

/// The columns that are read.
const COLUMNS: [&str; 8] = ["trace_id", "span_id", "parent_span_id", "start", "duration", "service", "operation", "status"];

/// A span without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneSpan {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that caused it; `None` at the root.
    pub parent_span_id: Option<SpanId>,
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
    /// Outcome.
    pub status: Status,
    /// When it began.
    pub start: Timestamp,
    /// Length, nanoseconds.
    pub duration_nanos: i64,
}

/// Reads them of the wanted traces. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment.
pub fn lane_spans(body: Bytes, id: i64, is_wanted: impl FnMut(&[u8]) -> bool + Send + 'static) -> Result<Vec<LaneSpan>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let mut spans = Vec::new();
    for batch in of_traces(builder, is_wanted).with_projection(mask).with_batch_size(BATCH).build()? {
        read(&batch?, id, &mut spans)?;
    }
    Ok(spans)
}

fn read(batch: &RecordBatch, id: i64, spans: &mut Vec<LaneSpan>) -> Result<()> {
    let column = |name: &'static str| batch.column_by_name(name).ok_or_else(|| corrupt(name, id, "column missing"));
    let trace_ids = column("trace_id")?.as_fixed_size_binary();
    let span_ids = column("span_id")?.as_fixed_size_binary();
    let parents = column("parent_span_id")?.as_fixed_size_binary();
    let starts = column("start")?.as_primitive::<Int64Type>();
    let durations = column("duration")?.as_primitive::<Int64Type>();
    let services = column("service")?.as_string::<i32>();
    let operations = column("operation")?.as_string::<i32>();
    let statuses = column("status")?.as_primitive::<Int8Type>();
    for row in 0..batch.num_rows() {
        spans.push(LaneSpan {
            trace_id: TraceId::from_bytes(trace_ids.value(row)).map_err(|fault| corrupt("trace_id", id, fault))?,
            span_id: SpanId::from_bytes(span_ids.value(row)).map_err(|fault| corrupt("span_id", id, fault))?,
            parent_span_id: (!parents.is_null(row)).then(|| SpanId::from_bytes(parents.value(row)).ok()).flatten(),
            service: services.value(row).to_owned(),
            operation: operations.value(row).to_owned(),
            status: Status::from_number(statuses.value(row).into()),
            start: Timestamp::from_nanos(starts.value(row)),
            duration_nanos: durations.value(row),
        });
    }
    Ok(())
}
