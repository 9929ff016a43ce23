//! Parquet to spans.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use serde::Deserialize;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::span::{Kind, Source, Span, Status, Value, pairs};
use slowburn_domain::time::Timestamp;

use crate::{Error, Result};

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
pub fn decode_traces(body: Bytes, id: i64, mut is_wanted: impl FnMut(&[u8]) -> bool + Send + 'static) -> Result<Vec<Span>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let column = ProjectionMask::columns(builder.parquet_schema(), ["trace_id"]);
    let predicate = ArrowPredicateFn::new(column, move |batch: RecordBatch| {
        Ok(batch.column(0).as_fixed_size_binary().iter().map(|value| Some(value.is_some_and(&mut is_wanted))).collect())
    });
    read(builder.with_row_filter(RowFilter::new(vec![Box::new(predicate)])), id)
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

#[derive(Deserialize)]
pub(super) struct SourceJson {
    service: String,
    #[serde(with = "pairs")]
    pub(super) resource: Vec<(String, Value)>,
    #[serde(default)]
    scope_name: String,
    #[serde(default)]
    scope_version: String,
}

#[derive(Deserialize)]
pub(super) struct Rest(#[serde(with = "pairs")] pub(super) Vec<(String, Value)>);

pub(super) fn corrupt(what: &'static str, id: i64, reason: impl ToString) -> Error {
    Error::Corrupt { what, table: "segments", id: id.to_string(), reason: reason.to_string() }
}

fn spans_of(batch: &RecordBatch, id: i64, spans: &mut Vec<Span>) -> Result<()> {
    let column =
        |name: &'static str| -> Result<&ArrayRef> { batch.column_by_name(name).ok_or_else(|| corrupt(name, id, "column missing")) };
    let trace_ids = column("trace_id")?.as_fixed_size_binary();
    let span_ids = column("span_id")?.as_fixed_size_binary();
    let parents = column("parent_span_id")?.as_fixed_size_binary();
    let starts = column("start")?.as_primitive::<Int64Type>();
    let durations = column("duration")?.as_primitive::<Int64Type>();
    let kinds = column("kind")?.as_primitive::<Int8Type>();
    let statuses = column("status")?.as_primitive::<Int8Type>();
    let operations = column("operation")?.as_string::<i32>();
    let text = |name| -> Result<Box<dyn Fn(usize) -> Option<String> + '_>> {
        let array = column(name)?.as_string::<i32>();
        Ok(Box::new(move |row| (!array.is_null(row)).then(|| array.value(row).to_owned())))
    };
    let (messages, states) = (text("status_message")?, text("trace_state")?);
    let (correlations, projects, executions) = (text("correlation_id")?, text("project_id")?, text("execution_id")?);
    let (events, links, rest) = (text("events")?, text("links")?, text("rest")?);
    let source_column = column("source")?.as_dictionary::<Int32Type>();
    let source_texts = source_column.values().as_string::<i32>();
    let mut sources: HashMap<i32, Arc<Source>> = HashMap::new();
    let attribute_columns: Vec<(String, char, &ArrayRef)> = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .filter_map(|(field, array)| {
            let (letter, key) = field.name().split_once('.').filter(|(letter, _)| letter.len() == 1)?;
            Some((key.to_owned(), letter.chars().next()?, array))
        })
        .collect();
    for row in 0..batch.num_rows() {
        let key = source_column.keys().value(row);
        let source = match sources.get(&key) {
            Some(source) => Arc::clone(source),
            None => {
                let read: SourceJson =
                    serde_json::from_str(source_texts.value(key as usize)).map_err(|fault| corrupt("source", id, fault))?;
                let SourceJson { service, resource, scope_name, scope_version } = read;
                let source = Arc::new(Source { service, resource, scope_name, scope_version });
                sources.insert(key, Arc::clone(&source));
                source
            }
        };
        let mut attributes: Vec<(String, Value)> = attribute_columns
            .iter()
            .filter(|(_, _, array)| !array.is_null(row))
            .filter_map(|(key, letter, array)| {
                let value = match letter {
                    's' => Value::String(array.as_string::<i32>().value(row).to_owned()),
                    'i' => Value::Int(array.as_primitive::<Int64Type>().value(row)),
                    'd' => Value::Double(array.as_primitive::<Float64Type>().value(row)),
                    'b' => Value::Bool(array.as_boolean().value(row)),
                    _ => return None,
                };
                Some((key.clone(), value))
            })
            .collect();
        if let Some(text) = rest(row) {
            attributes.extend(serde_json::from_str::<Rest>(&text).map_err(|fault| corrupt("rest", id, fault))?.0);
        }
        let start = Timestamp::from_nanos(starts.value(row));
        spans.push(Span {
            trace_id: TraceId::from_bytes(trace_ids.value(row)).map_err(|fault| corrupt("trace_id", id, fault))?,
            span_id: SpanId::from_bytes(span_ids.value(row)).map_err(|fault| corrupt("span_id", id, fault))?,
            parent_span_id: (!parents.is_null(row)).then(|| SpanId::from_bytes(parents.value(row)).ok()).flatten(),
            trace_state: states(row).unwrap_or_default(),
            operation: operations.value(row).to_owned(),
            kind: Kind::from_number(kinds.value(row).into()),
            status: Status::from_number(statuses.value(row).into()),
            status_message: messages(row).unwrap_or_default(),
            start,
            end: start.plus_nanos(durations.value(row)),
            attributes,
            events: parse(events(row), "events", id)?,
            links: parse(links(row), "links", id)?,
            source,
            correlation_id: correlations(row),
            project_id: projects(row),
            execution_id: executions(row),
        });
    }
    Ok(())
}

fn parse<T: for<'de> Deserialize<'de>>(text: Option<String>, what: &'static str, id: i64) -> Result<Vec<T>> {
    text.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(|fault| corrupt(what, id, fault)))
}
