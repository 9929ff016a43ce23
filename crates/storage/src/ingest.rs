//! The statements of one flush. All run in one transaction, touch one bucket, and only append.
//!
//! Order: request keys first (a retry waits here for its first try and is then left out), then the segment, its index
//! rows and the counts. After the commit every request of the flush is stored; before it, none is.

use std::collections::BTreeSet;

use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{Fragment, SpanClass};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::Result;
use crate::copy::{Rows, storable};
use crate::partition::Part;
use crate::trace::{IdKind, SegmentRef};

/// Longest part of a correlation, project or execution ID that is indexed, in bytes: a B-tree entry holds no more than
/// about 2,700. Longer IDs are found by this beginning and then compared as a whole.
pub const INDEXED_ID_BYTES: usize = 1_024;

/// The key of a request: a 128-bit hash of signal and decompressed message.
pub type RequestKey = Uuid;

/// A segment about to be written.
#[derive(Debug)]
pub struct NewSegment {
    /// What its records are.
    pub signal: Telemetry,
    /// Bucket it belongs to.
    pub bucket: i16,
    /// Arrival slot, UTC minute of its beginning.
    pub slot: i32,
    /// Part of the slot.
    pub part: Part,
    /// Its id: arrival time and instance in one number, growing.
    pub id: i64,
    /// Earliest start of a record, nanoseconds.
    pub from_ns: i64,
    /// Latest end of a record, nanoseconds.
    pub to_ns: i64,
    /// Number of records.
    pub records: usize,
    /// Number of records that hold an error.
    pub errors: usize,
    /// Version of the SLI set that the records were matched against.
    pub sli_version: i32,
    /// Services in it.
    pub services: Vec<String>,
    /// Filter over its attributes.
    pub bloom: Vec<u8>,
    /// The Parquet file.
    pub body: Vec<u8>,
}

impl NewSegment {
    /// Where it is to lie.
    pub const fn place(&self) -> SegmentRef {
        SegmentRef { bucket: self.bucket, slot: self.slot, part: self.part as i16, id: self.id }
    }
}

/// Files the keys and gives those that were new. Keys known already belong to requests stored before.
///
/// # Errors
/// The database.
pub async fn insert_request_keys(
    connection: &mut PgConnection,
    bucket: i16,
    slot: i32,
    keys: &[RequestKey],
) -> Result<BTreeSet<RequestKey>> {
    // Sorted, so that two flushes that share keys wait for each other in one order and never in a circle.
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    let rows = sqlx::query(
        "INSERT INTO request_keys (bucket, key, slot) SELECT $1, key, $2 FROM unnest($3::uuid[]) AS key
         ON CONFLICT (bucket, key) DO NOTHING RETURNING key",
    )
    .bind(bucket)
    .bind(slot)
    .bind(sorted)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The number under which a (service, operation, status) is kept in index rows: a hash, so that all instances agree.
pub fn class_number(class: &SpanClass) -> i64 {
    let mut hasher = Xxh3::new();
    hasher.update(class.service.as_bytes());
    hasher.update(&[0]);
    hasher.update(class.operation.as_bytes());
    hasher.update(&[0, class.status as u8]);
    hasher.digest().cast_signed()
}

/// Enters classes in the bucket's dictionary, where missing.
///
/// # Errors
/// The database.
pub async fn insert_classes(connection: &mut PgConnection, bucket: i16, classes: &[&SpanClass]) -> Result<()> {
    if classes.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<(i64, &SpanClass)> = classes.iter().map(|class| (class_number(class), *class)).collect();
    rows.sort_unstable_by_key(|(number, _)| *number);
    sqlx::query(
        "INSERT INTO span_classes (bucket, class, service, operation, status)
         SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::smallint[]) ON CONFLICT (bucket, class) DO NOTHING",
    )
    .bind(bucket)
    .bind(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, class)| storable(&class.service)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, class)| storable(&class.operation)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, class)| class.status as i16).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a segment.
///
/// # Errors
/// The database; a missing partition is one of them.
pub async fn insert_segment(connection: &mut PgConnection, segment: &NewSegment) -> Result<()> {
    sqlx::query(
        "INSERT INTO segments (bucket, slot, part, id, signal, from_ns, to_ns, records, errors, sli_version, services, bloom, body)
         VALUES ($1, $2, $3, $4, $13, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(segment.bucket)
    .bind(segment.slot)
    .bind(segment.part as i16)
    .bind(segment.id)
    .bind(segment.from_ns)
    .bind(segment.to_ns)
    .bind(i32::try_from(segment.records).unwrap_or(i32::MAX))
    .bind(i32::try_from(segment.errors).unwrap_or(i32::MAX))
    .bind(segment.sli_version)
    .bind(&segment.services)
    .bind(&segment.bloom)
    .bind(&segment.body)
    .bind(segment.signal as i16)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the index rows of a segment's traces, and of the IDs that they carry.
///
/// # Errors
/// The database.
pub async fn insert_fragments(connection: &mut PgConnection, segment: &NewSegment, fragments: &[Fragment]) -> Result<()> {
    insert_trace_rows(connection, segment, fragments).await?;
    let mut correlations = Rows::default();
    for fragment in fragments {
        for (kind, value) in indexed_ids(fragment) {
            correlations
                .row(7)
                .int2(segment.bucket)
                .int4(segment.slot)
                .int2(segment.part as i16)
                .int2(kind as i16)
                .text(indexed_part(value))
                .bytes(fragment.trace_id.as_bytes())
                .int8(fragment.start.nanos());
        }
    }
    correlations
        .send(connection, "COPY correlation_index (bucket, slot, part, kind, value, trace_id, start_ns) FROM STDIN (FORMAT binary)")
        .await?;
    Ok(())
}

/// Writes the index rows of a segment's traces alone.
///
/// # Errors
/// The database.
pub async fn insert_trace_rows(connection: &mut PgConnection, segment: &NewSegment, fragments: &[Fragment]) -> Result<()> {
    let mut traces = Rows::default();
    for fragment in fragments {
        let numbers: Vec<i64> = fragment.classes.iter().map(class_number).collect();
        let is_root = |class: &&SpanClass| class.service == fragment.root.service && class.operation == fragment.root.operation;
        let root_class = fragment.classes.iter().find(is_root).map_or(0, class_number);
        let ids = tagged_ids(fragment);
        traces
            .row(14)
            .int2(segment.bucket)
            .int4(segment.slot)
            .int2(segment.part as i16)
            .bytes(fragment.trace_id.as_bytes())
            .int8(segment.id)
            .int8(fragment.start.nanos())
            .int8(fragment.end.nanos())
            .int8(fragment.root_start.nanos())
            .int8(root_class)
            .int4(fragment.spans.cast_signed())
            .int4(fragment.errors.cast_signed())
            .bool(fragment.root_is_known)
            .int8_array(&numbers);
        if ids.is_empty() {
            traces.null();
        } else {
            traces.text_array(&ids);
        }
    }
    traces
        .send(
            connection,
            "COPY trace_index (bucket, slot, part, trace_id, segment_id, start_ns, end_ns, root_start_ns, root_class, spans, errors, root_is_known, classes, ids) FROM STDIN (FORMAT binary)",
        )
        .await?;
    Ok(())
}

/// A trace with a bad event: key of the SLI, trace, start of the trace here.
pub type BadTrace = (i32, TraceId, Timestamp);

/// Files traces with bad events of a segment.
///
/// # Errors
/// The database.
pub async fn insert_bad(connection: &mut PgConnection, segment: SegmentRef, bad: &[BadTrace]) -> Result<()> {
    let mut rows = Rows::default();
    for (sli_id, trace_id, start) in bad {
        rows.row(6).int2(segment.bucket).int4(segment.slot).int2(segment.part).int4(*sli_id).bytes(trace_id.as_bytes()).int8(start.nanos());
    }
    rows.send(connection, "COPY bad_index (bucket, slot, part, sli_id, trace_id, start_ns) FROM STDIN (FORMAT binary)").await?;
    Ok(())
}

/// The beginning of an ID under which it is indexed.
pub fn indexed_part(id: &str) -> &str {
    &id[..id.floor_char_boundary(INDEXED_ID_BYTES)]
}

/// The IDs under which a fragment is filed, whole.
pub(crate) fn indexed_ids(fragment: &Fragment) -> impl Iterator<Item = (IdKind, &str)> {
    let Fragment { correlation_ids, project_ids, execution_ids, .. } = fragment;
    [(IdKind::Correlation, correlation_ids), (IdKind::Project, project_ids), (IdKind::Execution, execution_ids)]
        .into_iter()
        .flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, id.as_str())))
}

/// IDs of a fragment with a letter for their kind, as `trace_index.ids` keeps them.
fn tagged_ids(fragment: &Fragment) -> Vec<String> {
    let tag = |letter: char, ids: &[String]| ids.iter().map(|id| format!("{letter}{}", storable(id))).collect::<Vec<_>>();
    [tag('c', &fragment.correlation_ids), tag('p', &fragment.project_ids), tag('e', &fragment.execution_ids)].concat()
}
