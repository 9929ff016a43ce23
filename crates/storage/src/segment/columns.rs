//! Some columns of a segment of spans, read in place: what a search looks at, and no more.

use std::ops::Deref;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{Array as _, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Kind, Status};

use super::body::Body;
use super::in_place::{self, InPlace, Wanted};
use super::shared::corrupt;
use crate::Result;

/// Rows of a segment of spans, as far as they were wanted.
pub struct Columns {
    shared: InPlace,
    trace_id: FixedSizeBinaryArray,
    operation: StringArray,
    kind: PrimitiveArray<Int8Type>,
    status: PrimitiveArray<Int8Type>,
    duration: Option<PrimitiveArray<Int64Type>>,
}

/// Whether [`columns`] reads a column.
pub fn is_read(name: &str, wanted: &Wanted) -> bool {
    is_own(name, wanted) || in_place::is_wanted(name, wanted)
}

fn is_own(name: &str, wanted: &Wanted) -> bool {
    matches!(name, "trace_id" | "operation" | "kind" | "status") || name == "duration" && wanted.content
}

/// Reads columns of a segment. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment.
pub fn columns(body: Body, id: i64, wanted: &Wanted) -> Result<Vec<Columns>> {
    in_place::read(body, wanted, |name| is_own(name, wanted), |batch| Columns::of(batch, id))
}

impl Deref for Columns {
    type Target = InPlace;

    fn deref(&self) -> &InPlace {
        &self.shared
    }
}

impl Columns {
    fn of(batch: &RecordBatch, id: i64) -> Result<Self> {
        let found = |name: &str| batch.column_by_name(name);
        let column = |name: &'static str| found(name).ok_or_else(|| corrupt(name, id, "column missing"));
        Ok(Self {
            shared: InPlace::of(batch, id)?,
            trace_id: column("trace_id")?.as_fixed_size_binary().clone(),
            operation: column("operation")?.as_string::<i32>().clone(),
            kind: column("kind")?.as_primitive::<Int8Type>().clone(),
            status: column("status")?.as_primitive::<Int8Type>().clone(),
            duration: found("duration").map(|array| array.as_primitive::<Int64Type>().clone()),
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

    /// The trace that a row belongs to; `None` if its id is none.
    pub fn trace_id(&self, row: usize) -> Option<TraceId> {
        TraceId::from_bytes(self.trace_id.value(row)).ok()
    }

    /// Operation of a row.
    pub fn operation(&self, row: usize) -> &str {
        self.operation.value(row)
    }

    /// Role of a row.
    pub fn kind(&self, row: usize) -> Kind {
        Kind::from_number(self.kind.value(row).into())
    }

    /// Outcome of a row.
    pub fn status(&self, row: usize) -> Status {
        Status::from_number(self.status.value(row).into())
    }

    /// Length of a row's span in nanoseconds.
    pub fn duration_nanos(&self, row: usize) -> Option<i64> {
        self.duration.as_ref().map(|array| array.value(row))
    }
}
