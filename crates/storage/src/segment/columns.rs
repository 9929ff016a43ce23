//! Which traces of a segment of spans a search wants. What is looked at is read in place, column after column, and of each only the rows
//! that are still wanted; the ids of traces come last.

use std::collections::HashSet;
use std::ops::Deref;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter};
use parquet::schema::types::SchemaDescriptor;
use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Kind, Status};

use super::in_place::{self, BATCH, InPlace, Wanted};
use super::shared::corrupt;
use crate::Result;

/// Which spans are wanted: those that have all of this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Service.
    pub service: Option<String>,
    /// Operation.
    pub operation: Option<String>,
    /// Outcome.
    pub status: Option<Status>,
    /// Columns that a further condition looks at, if there is one.
    pub filter: Option<Wanted>,
}

impl Sought {
    fn texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let texts = [("service", self.service.clone()), ("operation", self.operation.clone())];
        texts.into_iter().filter_map(|(column, text)| Some((column, text?)))
    }
}

/// The traces of the spans that are sought and that `matches` finds, each once. `matches` sees the columns of [`Sought::filter`]; without
/// that it is not asked. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment.
pub fn trace_ids_where(
    body: Bytes,
    id: i64,
    sought: &Sought,
    mut matches: impl FnMut(&Columns, usize) -> bool + Send + 'static,
) -> Result<Vec<TraceId>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body)?;
    let schema = builder.parquet_schema();
    let mut conditions: Vec<Box<dyn ArrowPredicate>> = Vec::new();
    if let Some(wanted) = sought.status {
        let is_wanted = move |number: Option<i8>| Some(Status::from_number(number.unwrap_or_default().into()) == wanted);
        let meets = move |array: &ArrayRef| array.as_primitive::<Int8Type>().iter().map(is_wanted).collect();
        conditions.push(condition(schema, "status", meets));
    }
    for (column, wanted) in sought.texts() {
        let is_wanted = move |text: Option<&str>| Some(text == Some(wanted.as_str()));
        let meets = move |array: &ArrayRef| array.as_string::<i32>().iter().map(&is_wanted).collect();
        conditions.push(condition(schema, column, meets));
    }
    if let Some(wanted) = &sought.filter {
        let mask = in_place::mask(schema, |name| in_place::is_wanted(name, wanted));
        let meets = move |batch: RecordBatch| {
            let columns = Columns::of(&batch, id).map_err(|fault| ArrowError::ExternalError(Box::new(fault)))?;
            Ok((0..batch.num_rows()).map(|row| Some(matches(&columns, row))).collect())
        };
        conditions.push(Box::new(ArrowPredicateFn::new(mask, meets)));
    }
    let ids = ProjectionMask::columns(schema, ["trace_id"]);
    let mut traces = HashSet::new();
    for batch in builder.with_projection(ids).with_row_filter(RowFilter::new(conditions)).with_batch_size(BATCH).build()? {
        let batch = batch?;
        let ids = batch.column_by_name("trace_id").ok_or_else(|| corrupt("trace_id", id, "column missing"))?;
        traces.extend(ids.as_fixed_size_binary().iter().flatten().filter_map(|bytes| TraceId::from_bytes(bytes).ok()));
    }
    Ok(traces.into_iter().collect())
}

fn condition(
    schema: &SchemaDescriptor,
    column: &'static str,
    mut meets: impl FnMut(&ArrayRef) -> BooleanArray + Send + 'static,
) -> Box<dyn ArrowPredicate> {
    let missing = move || ArrowError::SchemaError(format!("column {column} is missing"));
    let meets = move |batch: RecordBatch| Ok(meets(batch.column_by_name(column).ok_or_else(missing)?));
    Box::new(ArrowPredicateFn::new(ProjectionMask::columns(schema, [column]), meets))
}

/// Rows of a segment of spans, as far as they are looked at.
pub struct Columns {
    shared: InPlace,
    trace_id: Option<FixedSizeBinaryArray>,
    operation: Option<StringArray>,
    kind: Option<PrimitiveArray<Int8Type>>,
    status: Option<PrimitiveArray<Int8Type>>,
    duration: Option<PrimitiveArray<Int64Type>>,
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
        let small = |name: &str| found(name).map(|array| array.as_primitive::<Int8Type>().clone());
        Ok(Self {
            shared: InPlace::of(batch, id)?,
            trace_id: found("trace_id").map(|array| array.as_fixed_size_binary().clone()),
            operation: found("operation").map(|array| array.as_string::<i32>().clone()),
            kind: small("kind"),
            status: small("status"),
            duration: found("duration").map(|array| array.as_primitive::<Int64Type>().clone()),
        })
    }

    /// The trace that a row belongs to.
    pub fn trace_id(&self, row: usize) -> Option<TraceId> {
        TraceId::from_bytes(self.trace_id.as_ref()?.value(row)).ok()
    }

    /// Operation of a row.
    pub fn operation(&self, row: usize) -> Option<&str> {
        self.operation.as_ref().map(|array| array.value(row))
    }

    /// Role of a row.
    pub fn kind(&self, row: usize) -> Option<Kind> {
        self.kind.as_ref().map(|array| Kind::from_number(array.value(row).into()))
    }

    /// Outcome of a row.
    pub fn status(&self, row: usize) -> Option<Status> {
        self.status.as_ref().map(|array| Status::from_number(array.value(row).into()))
    }

    /// Length of a row's span in nanoseconds.
    pub fn duration_nanos(&self, row: usize) -> Option<i64> {
        self.duration.as_ref().map(|array| array.value(row))
    }
}
