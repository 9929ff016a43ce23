//! The columns that segments of every signal have, read in place: records are not built.

use std::cell::OnceCell;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array as _, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::schema::types::SchemaDescriptor;
use slowburn_domain::span::Value;

use super::shared::{IDS, Rest, SourceRead, corrupt};
use crate::Result;

/// Which columns are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those that are no attributes, by name.
    pub own: Vec<&'static str>,
    /// Attributes by key; `None` for all of them.
    pub attributes: Option<Vec<String>>,
    /// Attributes of the resource.
    pub resource: bool,
}

/// Rows read together.
pub(super) const BATCH: usize = 16_384;

/// A value in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Text.
    Str(&'a str),
    /// Whole number.
    Int(i64),
    /// Number.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// Any other value.
    Value(&'a Value),
}

/// Rows as far as they were wanted; the others are as if they were not there.
pub struct InPlace {
    service: Option<StringArray>,
    ids: [Option<StringArray>; 3],
    attributes: Vec<(String, AttributeColumn)>,
    rest: Option<StringArray>,
    rest_values: Vec<OnceCell<Vec<(String, Value)>>>,
    source_keys: Option<PrimitiveArray<Int32Type>>,
    resources: Vec<Vec<(String, Value)>>,
}

enum AttributeColumn {
    Strings(StringArray),
    Ints(PrimitiveArray<Int64Type>),
    Doubles(PrimitiveArray<Float64Type>),
    Bools(BooleanArray),
}

/// Reads the columns of a segment that `is_read` names, batch by batch.
///
/// # Errors
/// Bytes that are no segment.
pub(super) fn read<T>(body: Bytes, is_read: impl Fn(&str) -> bool, of: impl Fn(&RecordBatch) -> Result<T>) -> Result<Vec<T>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let mask = mask(builder.parquet_schema(), is_read);
    builder.with_projection(mask).with_batch_size(BATCH).build()?.map(|batch| of(&batch?)).collect()
}

/// The columns that `is_read` names.
pub(super) fn mask(schema: &SchemaDescriptor, is_read: impl Fn(&str) -> bool) -> ProjectionMask {
    let fields = schema.root_schema().get_fields().iter().enumerate();
    ProjectionMask::roots(schema, fields.filter(|(_, field)| is_read(field.name())).map(|(index, _)| index))
}

/// Whether a column is looked at.
pub(super) fn is_wanted(name: &str, wanted: &Wanted) -> bool {
    match name {
        "source" => wanted.resource,
        "rest" => wanted.attributes.as_ref().is_none_or(|keys| !keys.is_empty()),
        _ => match name.split_once('.').filter(|(letter, _)| letter.len() == 1) {
            Some((_, key)) => wanted.attributes.as_ref().is_none_or(|keys| keys.iter().any(|wanted| wanted == key)),
            None => wanted.own.contains(&name),
        },
    }
}

impl InPlace {
    pub(super) fn of(batch: &RecordBatch, id: i64) -> Result<Self> {
        let found = |name: &str| batch.column_by_name(name);
        let strings = |name: &str| found(name).map(|array| array.as_string::<i32>().clone());
        let mut attributes = Vec::new();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let Some((letter, key)) = field.name().split_once('.').filter(|(letter, _)| letter.len() == 1) else { continue };
            let column = match letter {
                "s" => AttributeColumn::Strings(array.as_string::<i32>().clone()),
                "i" => AttributeColumn::Ints(array.as_primitive::<Int64Type>().clone()),
                "d" => AttributeColumn::Doubles(array.as_primitive::<Float64Type>().clone()),
                "b" => AttributeColumn::Bools(array.as_boolean().clone()),
                _ => continue,
            };
            attributes.push((key.to_owned(), column));
        }
        // Most segments leave nothing to the rest.
        let rest = strings("rest").filter(|array| array.null_count() < array.len());
        let (mut source_keys, mut resources) = (None, Vec::new());
        if let Some(source) = found("source") {
            let source = source.as_dictionary::<Int32Type>();
            for text in source.values().as_string::<i32>().iter().flatten() {
                let read: SourceRead = serde_json::from_str(text).map_err(|fault| corrupt("source", id, fault))?;
                resources.push(read.resource);
            }
            source_keys = Some(source.keys().clone());
        }
        Ok(Self {
            service: strings("service"),
            ids: IDS.map(strings),
            attributes,
            rest_values: rest.iter().flat_map(|array| array.iter()).map(|_| OnceCell::new()).collect(),
            rest,
            source_keys,
            resources,
        })
    }

    /// Service of a row.
    pub fn service(&self, row: usize) -> Option<&str> {
        self.service.as_ref().map(|array| array.value(row))
    }

    /// Correlation ID (0), project ID (1) or execution ID (2) of a row.
    pub fn id(&self, kind: usize, row: usize) -> Option<&str> {
        self.ids[kind].as_ref().filter(|array| !array.is_null(row)).map(|array| array.value(row))
    }

    /// An attribute of a row.
    pub fn attribute(&self, row: usize, key: &str) -> Option<Cell<'_>> {
        let own = self.attributes.iter().filter(|(name, _)| name == key).find_map(|(_, column)| match column {
            AttributeColumn::Strings(array) => (!array.is_null(row)).then(|| Cell::Str(array.value(row))),
            AttributeColumn::Ints(array) => (!array.is_null(row)).then(|| Cell::Int(array.value(row))),
            AttributeColumn::Doubles(array) => (!array.is_null(row)).then(|| Cell::Double(array.value(row))),
            AttributeColumn::Bools(array) => (!array.is_null(row)).then(|| Cell::Bool(array.value(row))),
        });
        own.or_else(|| self.rest(row).iter().find(|(name, _)| name == key).map(|(_, value)| Cell::Value(value)))
    }

    /// An attribute of the resource that sent a row.
    pub fn resource(&self, row: usize, key: &str) -> Option<&Value> {
        let index = usize::try_from(self.source_keys.as_ref()?.value(row)).ok()?;
        self.resources.get(index)?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn rest(&self, row: usize) -> &[(String, Value)] {
        let Some(rest) = self.rest.as_ref().filter(|array| !array.is_null(row)) else { return &[] };
        self.rest_values[row].get_or_init(|| serde_json::from_str::<Rest>(rest.value(row)).map(|Rest(pairs)| pairs).unwrap_or_default())
    }
}
