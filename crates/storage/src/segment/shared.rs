//! The columns that segments of every signal have: service, IDs, source, attributes. Written here and read here.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, DictionaryArray, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use slowburn_domain::log::LogRecord;
use slowburn_domain::span::{Source, Span, Value, pairs};

use super::attributes::{ColumnType, frequent};
use crate::{Error, Result};

/// What records of every signal have.
pub(super) trait Stored {
    /// Own attributes.
    fn attributes(&self) -> &[(String, Value)];
    /// Who sent it.
    fn source(&self) -> &Arc<Source>;
    /// Correlation, project and execution ID.
    fn ids(&self) -> [Option<&str>; 3];
}

macro_rules! stored {
    ($record:ty) => {
        impl Stored for $record {
            fn attributes(&self) -> &[(String, Value)] {
                &self.attributes
            }

            fn source(&self) -> &Arc<Source> {
                &self.source
            }

            fn ids(&self) -> [Option<&str>; 3] {
                [&self.correlation_id, &self.project_id, &self.execution_id].map(|id| id.as_deref())
            }
        }
    };
}
stored!(Span);
stored!(LogRecord);

/// Names of the ID columns: correlation, project and execution ID.
pub const IDS: [&str; 3] = ["correlation_id", "project_id", "execution_id"];

/// A column on its way into a segment.
pub(super) type Column = (String, ArrayRef);

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

#[derive(Deserialize)]
pub(super) struct SourceRead {
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

/// Who sent something, as JSON.
pub fn source_json(source: &Source) -> String {
    let Source { service, resource, scope_name, scope_version } = source;
    json(&SourceJson { service, resource, scope_name, scope_version })
}

/// Reads what [`source_json`] wrote.
///
/// # Errors
/// It is no JSON of ours.
pub fn source_from_json(text: &str) -> serde_json::Result<Source> {
    let SourceRead { service, resource, scope_name, scope_version } = serde_json::from_str(text)?;
    Ok(Source { service, resource, scope_name, scope_version })
}

/// The shared columns of some records.
pub(super) fn columns<R: Stored>(records: &[&R]) -> Vec<Column> {
    let mut source = StringDictionaryBuilder::<Int32Type>::new();
    let mut known: HashMap<*const Source, String> = HashMap::new();
    for record in records {
        let text = known.entry(Arc::as_ptr(record.source())).or_insert_with(|| source_json(record.source()));
        source.append_value(text);
    }
    let mut columns: Vec<Column> = vec![("service".to_owned(), texts(records, |record| Some(record.source().service.as_str())))];
    for (index, name) in IDS.into_iter().enumerate() {
        columns.push((name.to_owned(), texts(records, |record| record.ids()[index])));
    }
    columns.push(("source".to_owned(), Arc::new(source.finish())));
    columns.extend(attribute_columns(records));
    columns
}

fn attribute_columns<R: Stored>(records: &[&R]) -> Vec<Column> {
    let columns = frequent(records);
    let position: HashMap<(ColumnType, &str), usize> = columns.iter().enumerate().map(|(index, pair)| (*pair, index)).collect();
    // For each attribute column its value in every record; what has no column, or no place left, goes to the rest.
    let mut values: Vec<Vec<Option<&Value>>> = vec![vec![None; records.len()]; columns.len()];
    let mut rest = StringBuilder::new();
    for (row, record) in records.iter().enumerate() {
        let mut others: Vec<&(String, Value)> = Vec::new();
        for pair in record.attributes() {
            let column = ColumnType::of(&pair.1).and_then(|t| position.get(&(t, pair.0.as_str())));
            match column {
                Some(column) => values[*column][row] = Some(&pair.1),
                None => others.push(pair),
            }
        }
        rest.append_option((!others.is_empty()).then(|| rest_json(&others)));
    }
    let own = columns
        .iter()
        .zip(&values)
        .map(|((column_type, key), values)| (format!("{}.{key}", column_type.letter()), attribute_column(*column_type, values)));
    own.chain([("rest".to_owned(), Arc::new(rest.finish()) as ArrayRef)]).collect()
}

/// One text of each record.
pub(super) fn texts<'a, R>(records: &[&'a R], of: impl Fn(&'a R) -> Option<&'a str>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    records.iter().for_each(|record| builder.append_option(of(record)));
    Arc::new(builder.finish())
}

/// A text that is there when it is not empty.
pub(super) fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
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

/// A value as JSON, as segments hold it.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
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

/// Rows of a page of the longest column there is, the bodies of log records: a story names a few rows of a segment, and the pages of the
/// others are passed over as they are, compressed.
const PAGE_ROWS: usize = 256;

/// The file of some columns of `rows` rows, one row group. `plain` names columns without repetition worth a dictionary, `delta`
/// those of them that hold numbers near each other.
///
/// # Errors
/// The Parquet writer's.
pub(super) fn to_parquet(columns: Vec<Column>, rows: usize, plain: &[&str], delta: &[&str]) -> Result<Vec<u8>> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| {
        let nullable = array.null_count() > 0;
        (name, array, nullable)
    }))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_write_batch_size(PAGE_ROWS)
        .set_column_data_page_row_count_limit(ColumnPath::from("body"), PAGE_ROWS)
        .set_max_row_group_row_count(Some(rows.max(1)));
    for name in plain {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*name), false);
    }
    for name in delta {
        properties = properties.set_column_encoding(ColumnPath::from(*name), Encoding::DELTA_BINARY_PACKED);
    }
    let mut bytes = Vec::with_capacity(rows * 64);
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

pub(super) fn corrupt(what: &'static str, id: i64, reason: impl ToString) -> Error {
    Error::Corrupt { what, table: "segments", id: id.to_string(), reason: reason.to_string() }
}

/// The shared columns of a batch that is being read.
pub(super) struct Shared<'a> {
    batch: &'a RecordBatch,
    id: i64,
    source: &'a DictionaryArray<Int32Type>,
    sources: HashMap<i32, Arc<Source>>,
    ids: [&'a StringArray; 3],
    attributes: Vec<(String, char, &'a ArrayRef)>,
    rest: &'a StringArray,
}

impl<'a> Shared<'a> {
    /// Of a batch of the segment `id`.
    ///
    /// # Errors
    /// A column is missing.
    pub(super) fn of(batch: &'a RecordBatch, id: i64) -> Result<Self> {
        let schema = batch.schema();
        let attributes = schema.fields().iter().zip(batch.columns()).filter_map(|(field, array)| {
            let (letter, key) = field.name().split_once('.').filter(|(letter, _)| letter.len() == 1)?;
            Some((key.to_owned(), letter.chars().next()?, array))
        });
        let attributes = attributes.collect();
        let [correlations, projects, executions] = IDS.map(|name| column(batch, name, id).map(ArrayRef::as_string::<i32>));
        Ok(Self {
            batch,
            id,
            source: column(batch, "source", id)?.as_dictionary::<Int32Type>(),
            sources: HashMap::new(),
            ids: [correlations?, projects?, executions?],
            attributes,
            rest: column(batch, "rest", id)?.as_string::<i32>(),
        })
    }

    /// A column by name.
    ///
    /// # Errors
    /// It is missing.
    pub(super) fn column(&self, name: &'static str) -> Result<&'a ArrayRef> {
        column(self.batch, name, self.id)
    }

    /// A column of texts, some of them absent.
    ///
    /// # Errors
    /// It is missing.
    pub(super) fn texts(&self, name: &'static str) -> Result<Texts<'a>> {
        Ok(Texts(self.column(name)?.as_string::<i32>()))
    }

    /// Who sent a row.
    ///
    /// # Errors
    /// It is no JSON of ours.
    pub(super) fn source(&mut self, row: usize) -> Result<Arc<Source>> {
        let key = self.source.keys().value(row);
        if let Some(source) = self.sources.get(&key) {
            return Ok(Arc::clone(source));
        }
        let text = self.source.values().as_string::<i32>().value(key as usize);
        let source = Arc::new(source_from_json(text).map_err(|fault| corrupt("source", self.id, fault))?);
        self.sources.insert(key, Arc::clone(&source));
        Ok(source)
    }

    /// Correlation, project and execution ID of a row.
    pub(super) fn ids(&self, row: usize) -> [Option<String>; 3] {
        self.ids.map(|array| Texts(array).get(row))
    }

    /// Attributes of a row.
    ///
    /// # Errors
    /// The rest of them is no JSON.
    pub(super) fn attributes(&self, row: usize) -> Result<Vec<(String, Value)>> {
        let own = self.attributes.iter().filter(|(_, _, array)| !array.is_null(row)).filter_map(|(key, letter, array)| {
            let value = match letter {
                's' => Value::String(array.as_string::<i32>().value(row).to_owned()),
                'i' => Value::Int(array.as_primitive::<Int64Type>().value(row)),
                'd' => Value::Double(array.as_primitive::<Float64Type>().value(row)),
                'b' => Value::Bool(array.as_boolean().value(row)),
                _ => return None,
            };
            Some((key.clone(), value))
        });
        let mut attributes: Vec<(String, Value)> = own.collect();
        if !self.rest.is_null(row) {
            let rest = serde_json::from_str::<Rest>(self.rest.value(row)).map_err(|fault| corrupt("rest", self.id, fault))?;
            attributes.extend(rest.0);
        }
        Ok(attributes)
    }
}

/// A column of texts.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a>(&'a StringArray);

impl Texts<'_> {
    /// The text of a row.
    pub(super) fn get(self, row: usize) -> Option<String> {
        (!self.0.is_null(row)).then(|| self.0.value(row).to_owned())
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str, id: i64) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| corrupt(name, id, "column missing"))
}
