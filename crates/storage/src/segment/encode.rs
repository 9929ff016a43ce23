//! Spans to Parquet. CPU-bound: call it on a thread of its own.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int8Builder, Int64Builder, StringBuilder, StringDictionaryBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::Serialize;
use slowburn_domain::span::{Source, Span, Value, pairs};

use super::attributes::{ColumnType, frequent};
use crate::Result;

/// Columns without repetition worth a dictionary.
const PLAIN: [&str; 5] = ["trace_id", "span_id", "parent_span_id", "start", "duration"];

#[derive(Serialize)]
struct SourceJson<'a> {
    service: &'a str,
    #[serde(with = "pairs")]
    resource: &'a [(String, Value)],
    #[serde(skip_serializing_if = "str::is_empty")]
    scope_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope_version: &'a str,
}

/// Encodes spans in the order given. The result is one row group.
///
/// # Errors
/// The Parquet writer's.
pub fn encode(spans: &[&Span]) -> Result<Vec<u8>> {
    let batch = batch(spans)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(spans.len().max(1)));
    for name in PLAIN {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    for name in ["start", "duration"] {
        properties = properties.set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    let mut bytes = Vec::with_capacity(spans.len() * 64);
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

fn batch(spans: &[&Span]) -> Result<RecordBatch> {
    let columns = frequent(spans);
    let position: HashMap<(ColumnType, &str), usize> = columns.iter().enumerate().map(|(index, pair)| (*pair, index)).collect();
    // For each attribute column its value in every span; what has no column, or no place left, goes to the rest.
    let mut values: Vec<Vec<Option<&Value>>> = vec![vec![None; spans.len()]; columns.len()];
    let mut rest = StringBuilder::new();
    for (row, span) in spans.iter().enumerate() {
        let mut others: Vec<&(String, Value)> = Vec::new();
        for pair in &span.attributes {
            let column = ColumnType::of(&pair.1).and_then(|t| position.get(&(t, pair.0.as_str())));
            match column {
                Some(column) => values[*column][row] = Some(&pair.1),
                None => others.push(pair),
            }
        }
        rest.append_option((!others.is_empty()).then(|| rest_json(&others)));
    }
    let mut fields: Vec<(String, ArrayRef)> = fixed_columns(spans)?;
    for ((column_type, key), values) in columns.iter().zip(&values) {
        fields.push((format!("{}.{key}", column_type.letter()), attribute_column(*column_type, values)));
    }
    fields.push(("rest".to_owned(), Arc::new(rest.finish())));
    Ok(RecordBatch::try_from_iter_with_nullable(fields.into_iter().map(|(name, array)| {
        let nullable = array.null_count() > 0;
        (name, array, nullable)
    }))?)
}

fn rest_json(others: &[&(String, Value)]) -> String {
    struct Others<'a>(&'a [&'a (String, Value)]);
    impl Serialize for Others<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }
    json(&Others(others))
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("attributes have text keys, and writing to memory cannot fail")
}

fn attribute_column(column_type: ColumnType, values: &[Option<&Value>]) -> ArrayRef {
    match column_type {
        ColumnType::String => {
            let mut builder = StringBuilder::new();
            values.iter().for_each(|value| builder.append_option(value.and_then(Value::as_str)));
            Arc::new(builder.finish())
        }
        ColumnType::Int => {
            let mut builder = Int64Builder::with_capacity(values.len());
            values.iter().for_each(|value| {
                builder.append_option(match value {
                    Some(Value::Int(n)) => Some(*n),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
        ColumnType::Double => {
            let mut builder = Float64Builder::with_capacity(values.len());
            values.iter().for_each(|value| {
                builder.append_option(match value {
                    Some(Value::Double(n)) => Some(*n),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
        ColumnType::Bool => {
            let mut builder = BooleanBuilder::with_capacity(values.len());
            values.iter().for_each(|value| {
                builder.append_option(match value {
                    Some(Value::Bool(b)) => Some(*b),
                    _ => None,
                });
            });
            Arc::new(builder.finish())
        }
    }
}

fn fixed_columns(spans: &[&Span]) -> Result<Vec<(String, ArrayRef)>> {
    let rows = spans.len();
    let mut trace_id = FixedSizeBinaryBuilder::with_capacity(rows, 16);
    let mut span_id = FixedSizeBinaryBuilder::with_capacity(rows, 8);
    let mut parent = FixedSizeBinaryBuilder::with_capacity(rows, 8);
    let mut start = Int64Builder::with_capacity(rows);
    let mut duration = Int64Builder::with_capacity(rows);
    let mut kind = Int8Builder::with_capacity(rows);
    let mut status = Int8Builder::with_capacity(rows);
    let mut source = StringDictionaryBuilder::<Int32Type>::new();
    let mut source_json: HashMap<*const Source, String> = HashMap::new();
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
        let text = source_json.entry(Arc::as_ptr(&span.source)).or_insert_with(|| {
            let Source { service, resource, scope_name, scope_version } = span.source.as_ref();
            json(&SourceJson { service, resource, scope_name, scope_version })
        });
        source.append_value(text);
    }
    let texts = |of: fn(&Span) -> Option<&str>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        spans.iter().for_each(|span| builder.append_option(of(span)));
        Arc::new(builder.finish())
    };
    let lists = |of: fn(&Span) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        spans.iter().for_each(|span| builder.append_option(of(span)));
        Arc::new(builder.finish())
    };
    let columns: [(&str, ArrayRef); 17] = [
        ("trace_id", Arc::new(trace_id.finish())),
        ("span_id", Arc::new(span_id.finish())),
        ("parent_span_id", Arc::new(parent.finish())),
        ("start", Arc::new(start.finish())),
        ("duration", Arc::new(duration.finish())),
        ("kind", Arc::new(kind.finish())),
        ("status", Arc::new(status.finish())),
        ("service", texts(|span| Some(&span.source.service))),
        ("operation", texts(|span| Some(&span.operation))),
        ("status_message", texts(|span| filled(&span.status_message))),
        ("trace_state", texts(|span| filled(&span.trace_state))),
        ("correlation_id", texts(|span| span.correlation_id.as_deref())),
        ("project_id", texts(|span| span.project_id.as_deref())),
        ("execution_id", texts(|span| span.execution_id.as_deref())),
        ("source", Arc::new(source.finish())),
        ("events", lists(|span| (!span.events.is_empty()).then(|| json(&span.events)))),
        ("links", lists(|span| (!span.links.is_empty()).then(|| json(&span.links)))),
    ];
    Ok(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect())
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
