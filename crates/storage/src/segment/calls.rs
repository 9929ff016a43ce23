//! What a segment of spans tells of calls, read in place.

use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Deref;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array as _, FixedSizeBinaryArray, PrimitiveArray, RecordBatch};
use bytes::Bytes;
use slowburn_domain::span::{Kind, Status};
use slowburn_domain::time::Timestamp;

use super::in_place::{self, InPlace};
use super::shared::corrupt;
use crate::Result;

/// Rows of a segment of spans, with what tells parents from children.
pub struct CallColumns {
    shared: InPlace,
    trace_id: FixedSizeBinaryArray,
    span_id: FixedSizeBinaryArray,
    parent: FixedSizeBinaryArray,
    start: PrimitiveArray<Int64Type>,
    duration: PrimitiveArray<Int64Type>,
    kind: PrimitiveArray<Int8Type>,
    status: PrimitiveArray<Int8Type>,
    weight: Option<PrimitiveArray<Int64Type>>,
}

/// The columns that are read besides attributes.
const OWN: [&str; 9] = ["trace_id", "span_id", "parent_span_id", "start", "duration", "service", "kind", "status", "weight"];

fn is_read(name: &str, attributes: &[&str]) -> bool {
    let is_attribute = |(letter, key): (&str, &str)| letter.len() == 1 && attributes.contains(&key);
    OWN.contains(&name) || name == "rest" && !attributes.is_empty() || name.split_once('.').is_some_and(is_attribute)
}

/// Reads them, with the attributes of the given keys. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment.
pub fn call_columns(body: Bytes, id: i64, attributes: &[&str]) -> Result<Vec<CallColumns>> {
    in_place::read(body, |name| is_read(name, attributes), |batch| CallColumns::of(batch, id))
}

impl Deref for CallColumns {
    type Target = InPlace;

    fn deref(&self) -> &InPlace {
        &self.shared
    }
}

impl CallColumns {
    fn of(batch: &RecordBatch, id: i64) -> Result<Self> {
        let column = |name: &'static str| batch.column_by_name(name).ok_or_else(|| corrupt(name, id, "column missing"));
        column("service")?;
        Ok(Self {
            shared: InPlace::of(batch, id)?,
            trace_id: column("trace_id")?.as_fixed_size_binary().clone(),
            span_id: column("span_id")?.as_fixed_size_binary().clone(),
            parent: column("parent_span_id")?.as_fixed_size_binary().clone(),
            start: column("start")?.as_primitive::<Int64Type>().clone(),
            duration: column("duration")?.as_primitive::<Int64Type>().clone(),
            kind: column("kind")?.as_primitive::<Int8Type>().clone(),
            status: column("status")?.as_primitive::<Int8Type>().clone(),
            weight: batch.column_by_name("weight").map(|column| column.as_primitive::<Int64Type>().clone()),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.trace_id.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What stands for trace id and span id of a row: two spans share it once in 2⁶⁴.
    pub fn key(&self, row: usize) -> u64 {
        joined(self.trace_id.value(row), self.span_id.value(row))
    }

    /// The same of its parent; `None` at the root.
    pub fn parent_key(&self, row: usize) -> Option<u64> {
        (!self.parent.is_null(row)).then(|| joined(self.trace_id.value(row), self.parent.value(row)))
    }

    /// End of a row's span.
    pub fn end(&self, row: usize) -> Timestamp {
        Timestamp::from_nanos(self.start.value(row)).plus_nanos(self.duration.value(row))
    }

    /// Length of a row's span in nanoseconds.
    pub fn duration_nanos(&self, row: usize) -> i64 {
        self.duration.value(row)
    }

    /// How many spans a row stands for, itself included.
    pub fn weight(&self, row: usize) -> u64 {
        self.weight.as_ref().map_or(1, |weight| u64::try_from(weight.value(row)).unwrap_or(1))
    }

    /// Role of a row.
    pub fn kind(&self, row: usize) -> Kind {
        Kind::from_number(self.kind.value(row).into())
    }

    /// Whether a row failed.
    pub fn is_error(&self, row: usize) -> bool {
        Status::from_number(self.status.value(row).into()) == Status::Error
    }
}

fn joined(trace_id: &[u8], span_id: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(trace_id);
    hasher.write(span_id);
    hasher.finish()
}
