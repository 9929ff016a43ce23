//! Finding traces and reading their segments.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::Status;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{Fragment, Root, SpanClass};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::copy::storable;
use crate::database::fetch_by_kept_plan;
use crate::ingest::indexed_part;
use crate::{Error, Result};

/// Which kind of ID to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdKind {
    /// Correlation ID.
    Correlation = 0,
    /// Project ID.
    Project = 1,
    /// Execution ID.
    Execution = 2,
}

/// Conditions on index rows, each proved to hold for at least one fragment of every trace wanted.
#[derive(Clone, Debug, Default)]
pub struct CandidateQuery<'a> {
    /// An ID the trace must carry.
    pub id: Option<(IdKind, &'a str)>,
    /// Starts at or after this.
    pub from: Option<Timestamp>,
    /// Starts before this.
    pub to: Option<Timestamp>,
    /// Starts before (start, trace id), in the order of the list.
    pub before: Option<(Timestamp, TraceId)>,
    /// Segments up to this id.
    pub up_to_segment: i64,
}

/// An index row that may begin a wanted trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The trace.
    pub trace_id: TraceId,
    /// Start of one of its fragments.
    pub start: Timestamp,
    /// End of that fragment.
    pub end: Timestamp,
}

/// Index rows in the order of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// By (start, trace id) descending; no row between them is left out.
    pub rows: Vec<Candidate>,
    /// Where to go on ([`CandidateQuery::before`]); `None` when there are no more rows. Further rows may have this very place.
    pub next: Option<(Timestamp, TraceId)>,
}

fn uuid_of(trace_id: TraceId) -> Uuid {
    Uuid::from_bytes(*trace_id.as_bytes())
}

/// The signal of a segment, in column `index`.
pub(crate) fn signal_of(row: &sqlx::postgres::PgRow, index: usize) -> Result<Telemetry> {
    let number: i16 = row.try_get(index)?;
    Telemetry::from_number(number).ok_or_else(|| Error::Corrupt {
        what: "signal",
        table: "segments",
        id: number.to_string(),
        reason: "a signal of a later version".to_owned(),
    })
}

pub(crate) fn trace_id_of(uuid: Uuid) -> Result<TraceId> {
    TraceId::from_bytes(uuid.as_bytes()).map_err(|fault| Error::Corrupt {
        what: "trace_id",
        table: "trace_index",
        id: uuid.to_string(),
        reason: fault.to_string(),
    })
}

/// Newest candidates first, by (start, trace id) descending, at most `limit`. A trace whose fragments start together may come
/// more than once, one row after the other; fewer rows than `limit` means that there are no more.
///
/// With an ID the rows come from the correlation index and the other conditions are left to the caller's fold: one ID
/// has few traces.
///
/// # Errors
/// The database.
pub async fn candidates(connection: &mut PgConnection, buckets: &[i16], query: &CandidateQuery<'_>, limit: i64) -> Result<Vec<Candidate>> {
    let mut sql = QueryBuilder::<Postgres>::new("");
    if let Some((kind, value)) = query.id {
        // A trace's fragment that carries the ID need not be its first: the bounds hold for the first one, so they are
        // looked up for all fragments of the traces that carry it.
        sql.push("SELECT DISTINCT t.trace_id, t.start_ns, t.end_ns FROM trace_index t WHERE t.bucket = ANY (").push_bind(buckets);
        sql.push(") AND t.trace_id = ANY (ARRAY(SELECT DISTINCT trace_id FROM correlation_index WHERE bucket = ANY (").push_bind(buckets);
        sql.push(") AND value = ").push_bind(storable(indexed_part(value))).push(" AND kind = ").push_bind(kind as i16).push("))");
    } else {
        // Bucket by bucket, so that the index gives the newest and the rest is not read.
        by_bucket(&mut sql, "c.trace_id, c.start_ns, c.end_ns", buckets);
    }
    newest(&mut sql, query, limit);
    if query.id.is_none() {
        sql.push(") c ORDER BY c.start_ns DESC, c.trace_id DESC LIMIT ").push_bind(limit);
    }
    let rows = fetch_by_kept_plan(connection, sql.build()).await?;
    rows.iter().map(candidate_of).collect()
}

/// Newest index rows first, `most` of each bucket. Conditions other than those on time and segment are not looked at.
///
/// # Errors
/// The database.
pub async fn walk(connection: &mut PgConnection, buckets: &[i16], query: &CandidateQuery<'_>, most: i64) -> Result<Walked> {
    let mut sql = QueryBuilder::<Postgres>::new("");
    by_bucket(&mut sql, "c.trace_id, c.start_ns, c.end_ns, b.bucket", buckets);
    newest(&mut sql, query, most);
    sql.push(") c");
    let rows = fetch_by_kept_plan(connection, sql.build()).await?;
    let mut walked = Walked::default();
    // Of each bucket the number of rows and the last place.
    let mut last: BTreeMap<i16, (i64, (Timestamp, TraceId))> = BTreeMap::new();
    for row in &rows {
        let candidate = candidate_of(row)?;
        let place = (candidate.start, candidate.trace_id);
        let (count, lowest) = last.entry(row.try_get(3)?).or_insert((0, place));
        (*count, *lowest) = (*count + 1, place.min(*lowest));
        walked.rows.push(candidate);
    }
    // Below the end of a bucket that has more, rows of others are met before their turn.
    walked.next = last.into_values().filter(|(count, _)| *count == most).map(|(_, lowest)| lowest).max();
    walked.rows.retain(|row| walked.next.is_none_or(|next| (row.start, row.trace_id) >= next));
    walked.rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.start, row.trace_id)));
    Ok(walked)
}

fn by_bucket(sql: &mut QueryBuilder<Postgres>, columns: &str, buckets: &[i16]) {
    sql.push("SELECT ").push(columns).push(" FROM unnest(").push_bind(buckets).push(
        "::smallint[]) AS b (bucket) CROSS JOIN LATERAL (SELECT t.trace_id, t.start_ns, t.end_ns FROM trace_index t WHERE t.bucket = b.bucket",
    );
}

/// The conditions of a query on `t`, all but that on an ID, and the order.
fn newest(sql: &mut QueryBuilder<Postgres>, query: &CandidateQuery<'_>, limit: i64) {
    sql.push(" AND t.segment_id <= ").push_bind(query.up_to_segment);
    if let Some(from) = query.from {
        sql.push(" AND t.start_ns >= ").push_bind(from.nanos());
    }
    if let Some(to) = query.to {
        sql.push(" AND t.start_ns < ").push_bind(to.nanos());
    }
    if let Some((start, trace_id)) = query.before {
        sql.push(" AND t.start_ns <= ").push_bind(start.nanos());
        sql.push(" AND (t.start_ns, t.trace_id) < (").push_bind(start.nanos()).push(", ").push_bind(uuid_of(trace_id)).push(")");
    }
    sql.push(" ORDER BY t.start_ns DESC, t.trace_id DESC LIMIT ").push_bind(limit);
}

fn candidate_of(row: &sqlx::postgres::PgRow) -> Result<Candidate> {
    let at = |column: usize| -> Result<Timestamp> { Ok(Timestamp::from_nanos(row.try_get(column)?)) };
    Ok(Candidate { trace_id: trace_id_of(row.try_get(0)?)?, start: at(1)?, end: at(2)? })
}

/// Newest traces with a bad event of an SLI that start in [`from`, `to`), newest first, at most `limit`.
///
/// # Errors
/// The database.
pub async fn bad(
    connection: &mut PgConnection,
    buckets: &[i16],
    sli_id: i32,
    from: Timestamp,
    to: Timestamp,
    limit: i64,
) -> Result<Vec<TraceId>> {
    let rows: Vec<Uuid> = sqlx::query_scalar(
        "SELECT trace_id FROM (
             SELECT trace_id, max(start_ns) AS start_ns FROM (
                 SELECT trace_id, start_ns FROM bad_index
                 WHERE bucket = ANY ($1) AND sli_id = $2 AND start_ns >= $3 AND start_ns < $4 ORDER BY start_ns DESC LIMIT $5 * 4
             ) AS newest GROUP BY trace_id
         ) AS traces ORDER BY start_ns DESC LIMIT $5",
    )
    .bind(buckets)
    .bind(sli_id)
    .bind(from.nanos())
    .bind(to.nanos())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(trace_id_of).collect()
}

/// Whether a service has sent spans.
///
/// # Errors
/// The database.
pub async fn is_service(connection: &mut PgConnection, buckets: &[i16], name: &str) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM span_classes WHERE bucket = ANY ($1) AND service = $2)")
        .bind(buckets)
        .bind(storable(name))
        .fetch_one(connection)
        .await?)
}

/// Every service that has sent spans, by name.
///
/// # Errors
/// The database.
pub async fn services(connection: &mut PgConnection, buckets: &[i16]) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT DISTINCT service FROM span_classes WHERE bucket = ANY ($1) ORDER BY service")
        .bind(buckets)
        .fetch_all(connection)
        .await?)
}

/// Where a fragment's spans lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentRef {
    /// Bucket.
    pub bucket: i16,
    /// Arrival slot.
    pub slot: i32,
    /// Part of the slot.
    pub part: i16,
    /// Segment.
    pub id: i64,
}

/// All fragments of the given traces in segments up to `up_to_segment`, with the segments that hold them.
///
/// # Errors
/// The database, or index rows that name unknown classes.
pub async fn fragments(
    connection: &mut PgConnection,
    buckets: &[i16],
    trace_ids: &[TraceId],
    up_to_segment: i64,
) -> Result<HashMap<TraceId, Vec<(Fragment, SegmentRef)>>> {
    let ids: Vec<Uuid> = trace_ids.iter().map(|id| uuid_of(*id)).collect();
    let query = sqlx::query(
        "SELECT trace_id, bucket, slot, part, segment_id, start_ns, end_ns, root_start_ns, root_class, spans, errors, root_is_known, classes, ids
         FROM trace_index WHERE bucket = ANY ($1) AND trace_id = ANY ($2) AND segment_id <= $3 ORDER BY segment_id",
    );
    let rows = fetch_by_kept_plan(connection, query.bind(buckets).bind(ids).bind(up_to_segment)).await?;
    let mut wanted: Vec<i64> =
        rows.iter().map(|row| row.try_get::<Vec<i64>, _>("classes")).collect::<std::result::Result<Vec<_>, _>>()?.concat();
    wanted.sort_unstable();
    wanted.dedup();
    let classes = classes(connection, buckets, &wanted).await?;
    let mut traces: HashMap<TraceId, Vec<(Fragment, SegmentRef)>> = HashMap::new();
    for row in &rows {
        let (fragment, segment) = fragment_of(row, &classes)?;
        traces.entry(fragment.trace_id).or_default().push((fragment, segment));
    }
    Ok(traces)
}

async fn classes(connection: &mut PgConnection, buckets: &[i16], numbers: &[i64]) -> Result<BTreeMap<i64, SpanClass>> {
    let rows = sqlx::query("SELECT class, service, operation, status FROM span_classes WHERE bucket = ANY ($1) AND class = ANY ($2)")
        .bind(buckets)
        .bind(numbers)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let status = Status::from_number(row.try_get::<i16, _>(3)?.into());
            Ok((row.try_get(0)?, SpanClass { service: row.try_get(1)?, operation: row.try_get(2)?, status }))
        })
        .collect()
}

fn fragment_of(row: &sqlx::postgres::PgRow, classes: &BTreeMap<i64, SpanClass>) -> Result<(Fragment, SegmentRef)> {
    let trace_id = trace_id_of(row.try_get("trace_id")?)?;
    let class = |number: &i64| {
        classes.get(number).ok_or_else(|| Error::Corrupt {
            what: "classes",
            table: "trace_index",
            id: trace_id.to_string(),
            reason: format!("class {number} is not in the dictionary"),
        })
    };
    let root = class(&row.try_get("root_class")?)?;
    let mut own: Vec<SpanClass> = row.try_get::<Vec<i64>, _>("classes")?.iter().map(|n| class(n).cloned()).collect::<Result<_>>()?;
    own.sort_unstable();
    let tagged: Vec<String> = row.try_get::<Option<Vec<String>>, _>("ids")?.unwrap_or_default();
    let ids = |letter: char| tagged.iter().filter_map(|id| id.strip_prefix(letter)).map(str::to_owned).collect::<Vec<_>>();
    let at = |name: &str| -> Result<Timestamp> { Ok(Timestamp::from_nanos(row.try_get(name)?)) };
    let fragment = Fragment {
        trace_id,
        start: at("start_ns")?,
        end: at("end_ns")?,
        spans: row.try_get::<i32, _>("spans")?.cast_unsigned(),
        errors: row.try_get::<i32, _>("errors")?.cast_unsigned(),
        root: Root { service: root.service.clone(), operation: root.operation.clone() },
        root_start: at("root_start_ns")?,
        root_is_known: row.try_get("root_is_known")?,
        classes: own,
        correlation_ids: ids('c'),
        project_ids: ids('p'),
        execution_ids: ids('e'),
    };
    let segment = SegmentRef {
        bucket: row.try_get("bucket")?,
        slot: row.try_get("slot")?,
        part: row.try_get("part")?,
        id: row.try_get("segment_id")?,
    };
    Ok((fragment, segment))
}

/// The Parquet file of a segment; `None` when its slot is gone.
///
/// # Errors
/// The database.
pub async fn segment_body(connection: &mut PgConnection, segment: SegmentRef) -> Result<Option<Bytes>> {
    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM segments WHERE bucket = $1 AND id = $2 AND slot = $3 AND part = $4")
        .bind(segment.bucket)
        .bind(segment.id)
        .bind(segment.slot)
        .bind(segment.part)
        .fetch_optional(connection)
        .await?;
    Ok(body.map(Bytes::from))
}

/// Which segments may hold a wanted span.
#[derive(Clone, Debug)]
pub struct SegmentQuery<'a> {
    /// What its records are.
    pub signal: Telemetry,
    /// A service that it must hold.
    pub service: Option<&'a str>,
    /// Only segments with errors.
    pub errors_only: bool,
    /// Their last record ends at or after this.
    pub from: Option<Timestamp>,
    /// Their first record starts before this.
    pub to: Option<Timestamp>,
    /// Segments up to this id.
    pub up_to_segment: i64,
}

/// A segment and the time that its records cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where it lies.
    pub segment: SegmentRef,
    /// Latest end of a record: no record starts later.
    pub end: Timestamp,
    /// Number of records.
    pub records: u32,
}

/// Segments, those that end last first.
///
/// # Errors
/// The database.
pub async fn segments(connection: &mut PgConnection, buckets: &[i16], query: &SegmentQuery<'_>) -> Result<Vec<Extent>> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT bucket, slot, part, id, to_ns, records FROM segments WHERE bucket = ANY (");
    sql.push_bind(buckets).push(") AND signal = ").push_bind(query.signal as i16).push(" AND id <= ").push_bind(query.up_to_segment);
    if let Some(service) = query.service {
        sql.push(" AND ").push_bind(storable(service)).push(" = ANY (services)");
    }
    if query.errors_only {
        sql.push(" AND errors > 0");
    }
    if let Some(from) = query.from {
        sql.push(" AND to_ns >= ").push_bind(from.nanos());
    }
    if let Some(to) = query.to {
        sql.push(" AND from_ns < ").push_bind(to.nanos());
    }
    sql.push(" ORDER BY to_ns DESC, id DESC");
    let rows = fetch_by_kept_plan(connection, sql.build()).await?;
    rows.iter()
        .map(|row| {
            Ok(Extent {
                segment: SegmentRef { bucket: row.try_get(0)?, slot: row.try_get(1)?, part: row.try_get(2)?, id: row.try_get(3)? },
                end: Timestamp::from_nanos(row.try_get(4)?),
                records: row.try_get::<i32, _>(5)?.cast_unsigned(),
            })
        })
        .collect()
}

/// Filters over the attributes of segments.
///
/// # Errors
/// The database.
pub async fn blooms(connection: &mut PgConnection, segments: &[SegmentRef]) -> Result<HashMap<SegmentRef, Vec<u8>>> {
    let column = |of: fn(&SegmentRef) -> i64| segments.iter().map(of).collect::<Vec<_>>();
    let query = sqlx::query(
        "SELECT s.bucket, s.slot, s.part, s.id, s.bloom FROM unnest($1::smallint[], $2::bigint[], $3::integer[], $4::smallint[])
             AS r (bucket, id, slot, part)
         JOIN segments s ON s.bucket = r.bucket AND s.id = r.id AND s.slot = r.slot AND s.part = r.part",
    )
    .bind(segments.iter().map(|segment| segment.bucket).collect::<Vec<_>>())
    .bind(column(|segment| segment.id))
    .bind(segments.iter().map(|segment| segment.slot).collect::<Vec<_>>())
    .bind(segments.iter().map(|segment| segment.part).collect::<Vec<_>>());
    let rows = fetch_by_kept_plan(connection, query).await?;
    rows.iter()
        .map(|row| {
            let segment = SegmentRef { bucket: row.try_get(0)?, slot: row.try_get(1)?, part: row.try_get(2)?, id: row.try_get(3)? };
            Ok((segment, row.try_get(4)?))
        })
        .collect()
}

/// Whether any segment is stored.
///
/// # Errors
/// The database.
pub async fn any_stored(connection: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM segments)").fetch_one(connection).await?)
}

/// Bits of a segment id below its arrival time in milliseconds.
pub const SEGMENT_ID_CLOCK_SHIFT: u32 = 22;

/// The largest id that a segment which arrived up to `instant` can have.
pub const fn last_segment_id(instant: Timestamp) -> i64 {
    ((instant.millis() + 1) << SEGMENT_ID_CLOCK_SHIFT) - 1
}

/// Records and errors of segments that arrived since `from`.
///
/// # Errors
/// The database.
pub async fn arrived(connection: &mut PgConnection, buckets: &[i16], from: Timestamp, from_slot: i32) -> Result<[(u64, u64); 2]> {
    let row = sqlx::query(
        "SELECT coalesce(sum(records) FILTER (WHERE signal = 0), 0)::bigint, coalesce(sum(errors) FILTER (WHERE signal = 0), 0)::bigint,
             coalesce(sum(records) FILTER (WHERE signal = 1), 0)::bigint, coalesce(sum(errors) FILTER (WHERE signal = 1), 0)::bigint
         FROM segments WHERE bucket = ANY ($1) AND id >= $2 AND slot >= $3",
    )
    .bind(buckets)
    .bind(from.millis() << SEGMENT_ID_CLOCK_SHIFT)
    .bind(from_slot)
    .fetch_one(connection)
    .await?;
    let number = |column: usize| -> Result<u64> { Ok(row.try_get::<i64, _>(column)?.cast_unsigned()) };
    Ok([(number(0)?, number(1)?), (number(2)?, number(3)?)])
}
