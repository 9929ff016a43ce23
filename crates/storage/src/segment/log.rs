//! Log records to Parquet and back.

use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, Int8Builder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection, RowSelector};
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::log::{LogRecord, Severity};
use slowburn_domain::span::Value;
use slowburn_domain::time::Timestamp;

use super::in_place::{self, Cell, InPlace, Wanted};
use super::shared::{self, Shared, corrupt, filled, json, texts};
use crate::Result;

/// Columns without repetition worth a dictionary.
const PLAIN: [&str; 3] = ["time", "span_id", "body"];

/// Encodes log records in the order given. The result is one row group.
///
/// # Errors
/// The Parquet writer's.
pub fn encode_logs(records: &[&LogRecord]) -> Result<Vec<u8>> {
    let rows = records.len();
    let mut time = Int64Builder::with_capacity(rows);
    let mut severity = Int8Builder::with_capacity(rows);
    let mut trace_id = FixedSizeBinaryBuilder::with_capacity(rows, 16);
    let mut span_id = FixedSizeBinaryBuilder::with_capacity(rows, 8);
    let mut other_body = StringBuilder::new();
    for record in records {
        time.append_value(record.time.nanos());
        severity.append_value(record.severity.number().cast_signed());
        match record.trace_id {
            Some(id) => trace_id.append_value(id.as_bytes())?,
            None => trace_id.append_null(),
        }
        match record.span_id {
            Some(id) => span_id.append_value(id.as_bytes())?,
            None => span_id.append_null(),
        }
        other_body.append_option(record.body.as_str().is_none().then(|| json(&record.body)));
    }
    let own: [(&str, ArrayRef); 8] = [
        ("time", Arc::new(time.finish())),
        ("severity", Arc::new(severity.finish())),
        ("trace_id", Arc::new(trace_id.finish())),
        ("span_id", Arc::new(span_id.finish())),
        ("severity_text", texts(records, |record| filled(&record.severity_text))),
        ("event_name", texts(records, |record| filled(&record.event_name))),
        ("body", texts(records, |record| record.body.as_str())),
        ("other_body", Arc::new(other_body.finish())),
    ];
    let mut columns: Vec<shared::Column> = own.into_iter().map(|(name, array)| (name.to_owned(), array)).collect();
    columns.extend(shared::columns(records));
    shared::to_parquet(columns, rows, &PLAIN, &["time"])
}

/// Reads every record of a segment. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment of log records.
pub fn decode_logs(body: Bytes, id: i64) -> Result<Vec<LogRecord>> {
    read(ParquetRecordBatchReaderBuilder::try_new(body)?, id)
}

/// Reads some records of a segment: those of `rows`, which are in order.
///
/// # Errors
/// As for [`decode_logs`].
pub fn decode_log_rows(body: Bytes, id: i64, rows: &[usize]) -> Result<Vec<LogRecord>> {
    let mut selectors = Vec::with_capacity(rows.len() * 2);
    let mut after = 0;
    for row in rows {
        if *row > after {
            selectors.push(RowSelector::skip(row - after));
        }
        selectors.push(RowSelector::select(1));
        after = row + 1;
    }
    let selection = RowSelection::from(selectors);
    read(ParquetRecordBatchReaderBuilder::try_new(body)?.with_row_selection(selection), id)
}

/// Reads the records of a segment of which trace id and correlation ID are wanted: these columns are read first, and of the others
/// only the rows that they name.
///
/// # Errors
/// As for [`decode_logs`].
pub fn decode_logs_where(
    body: Bytes,
    id: i64,
    mut is_wanted: impl FnMut(Option<&[u8]>, Option<&str>) -> bool + Send + 'static,
) -> Result<Vec<LogRecord>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let columns = ProjectionMask::columns(builder.parquet_schema(), ["trace_id", "correlation_id"]);
    let predicate = ArrowPredicateFn::new(columns, move |batch: RecordBatch| {
        let missing = |name: &str| ArrowError::SchemaError(format!("column {name} is missing"));
        let traces = batch.column_by_name("trace_id").ok_or_else(|| missing("trace_id"))?.as_fixed_size_binary();
        let ids = batch.column_by_name("correlation_id").ok_or_else(|| missing("correlation_id"))?.as_string::<i32>();
        Ok(traces.iter().zip(ids).map(|(trace, id)| Some(is_wanted(trace, id))).collect())
    });
    read(builder.with_row_filter(RowFilter::new(vec![Box::new(predicate)])), id)
}

fn read(builder: ParquetRecordBatchReaderBuilder<Bytes>, id: i64) -> Result<Vec<LogRecord>> {
    let mut records = Vec::new();
    for batch in builder.with_batch_size(8_192).build()? {
        records_of(&batch?, id, &mut records)?;
    }
    Ok(records)
}

fn records_of(batch: &RecordBatch, id: i64, records: &mut Vec<LogRecord>) -> Result<()> {
    let mut shared = Shared::of(batch, id)?;
    let times = shared.column("time")?.as_primitive::<Int64Type>();
    let severities = shared.column("severity")?.as_primitive::<Int8Type>();
    let trace_ids = shared.column("trace_id")?.as_fixed_size_binary();
    let span_ids = shared.column("span_id")?.as_fixed_size_binary();
    let (words, names) = (shared.texts("severity_text")?, shared.texts("event_name")?);
    let (bodies, other_bodies) = (shared.texts("body")?, shared.texts("other_body")?);
    for row in 0..batch.num_rows() {
        let [correlation_id, project_id, execution_id] = shared.ids(row);
        let body = match bodies.get(row) {
            Some(text) => Value::String(text),
            None => match other_bodies.get(row) {
                Some(text) => serde_json::from_str(&text).map_err(|fault| corrupt("other_body", id, fault))?,
                None => Value::Null,
            },
        };
        records.push(LogRecord {
            time: Timestamp::from_nanos(times.value(row)),
            severity: Severity::from_number(severities.value(row).into()),
            severity_text: words.get(row).unwrap_or_default(),
            body,
            event_name: names.get(row).unwrap_or_default(),
            trace_id: id_at(trace_ids, row).and_then(|bytes| TraceId::from_bytes(bytes).ok()),
            span_id: id_at(span_ids, row).and_then(|bytes| SpanId::from_bytes(bytes).ok()),
            attributes: shared.attributes(row)?,
            source: shared.source(row)?,
            correlation_id,
            project_id,
            execution_id,
        });
    }
    Ok(())
}

fn id_at(array: &FixedSizeBinaryArray, row: usize) -> Option<&[u8]> {
    (!array.is_null(row)).then(|| array.value(row))
}

/// Rows of a segment of log records, as far as they were wanted.
pub struct LogColumns {
    shared: InPlace,
    time: PrimitiveArray<Int64Type>,
    severity: PrimitiveArray<Int8Type>,
    trace_id: FixedSizeBinaryArray,
    body: Option<StringArray>,
    other_body: Option<StringArray>,
    other_values: Vec<OnceCell<Value>>,
}

/// Reads columns of a segment. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment of log records.
pub fn log_columns(body: Bytes, id: i64, wanted: &Wanted) -> Result<Vec<LogColumns>> {
    let is_read = |name: &str| matches!(name, "time" | "severity" | "trace_id" | "service") || in_place::is_wanted(name, wanted);
    in_place::read(body, is_read, |batch| LogColumns::of(batch, id))
}

impl Deref for LogColumns {
    type Target = InPlace;

    fn deref(&self) -> &InPlace {
        &self.shared
    }
}

impl LogColumns {
    fn of(batch: &RecordBatch, id: i64) -> Result<Self> {
        let found = |name: &str| batch.column_by_name(name);
        let column = |name: &'static str| found(name).ok_or_else(|| corrupt(name, id, "column missing"));
        column("service")?;
        Ok(Self {
            shared: InPlace::of(batch, id)?,
            time: column("time")?.as_primitive::<Int64Type>().clone(),
            severity: column("severity")?.as_primitive::<Int8Type>().clone(),
            trace_id: column("trace_id")?.as_fixed_size_binary().clone(),
            body: found("body").map(|array| array.as_string::<i32>().clone()),
            other_body: found("other_body").map(|array| array.as_string::<i32>().clone()),
            other_values: (0..batch.num_rows()).map(|_| OnceCell::new()).collect(),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When a row happened.
    pub fn time(&self, row: usize) -> Timestamp {
        Timestamp::from_nanos(self.time.value(row))
    }

    /// How bad a row is.
    pub fn severity(&self, row: usize) -> Severity {
        Severity::from_number(self.severity.value(row).into())
    }

    /// The trace a row was said in.
    pub fn trace_id(&self, row: usize) -> Option<TraceId> {
        id_at(&self.trace_id, row).and_then(|bytes| TraceId::from_bytes(bytes).ok())
    }

    /// What a row says: its text, or other values as JSON.
    pub fn body(&self, row: usize) -> Option<&str> {
        [&self.body, &self.other_body].into_iter().flatten().find(|array| !array.is_null(row)).map(|array| array.value(row))
    }

    /// What a row says, as a value.
    pub fn body_cell(&self, row: usize) -> Option<Cell<'_>> {
        if let Some(text) = self.body.as_ref().filter(|array| !array.is_null(row)) {
            return Some(Cell::Str(text.value(row)));
        }
        let other = self.other_body.as_ref().filter(|array| !array.is_null(row))?;
        Some(Cell::Value(self.other_values[row].get_or_init(|| serde_json::from_str(other.value(row)).unwrap_or(Value::Null))))
    }
}
