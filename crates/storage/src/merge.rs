//! Merging the small segments of a slot's open part into large ones of its sealed part.
//!
//! Order within one REPEATABLE READ transaction: the small segments are read, the merged one and its index rows are
//! written, the rows that it replaces are deleted. A reader sees the one or the other, never both. Two mergers that meet
//! end in a serialization failure of one of them; a crash leaves everything as it was.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::trace::Fragment;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::copy::storable;
use crate::ingest::{indexed_ids, indexed_part};
use crate::log::{self, trace_key};
use crate::partition::Part;
use crate::trace::{IdKind, signal_of};
use crate::{Error, Result};

/// What waits to be merged in one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Segments.
    pub segments: i64,
    /// Records in them.
    pub records: i64,
}

/// A small segment.
#[derive(Clone, Debug)]
pub struct Small {
    /// Its id.
    pub id: i64,
    /// What its records are.
    pub signal: Telemetry,
    /// Number of records.
    pub records: usize,
    /// Version of the SLI set that its records were matched against.
    pub sli_version: i32,
    /// The Parquet file.
    pub body: Bytes,
}

/// Counts the small segments of a slot up to an id.
///
/// # Errors
/// The database.
pub async fn waiting(connection: &mut PgConnection, bucket: i16, slot: i32, up_to: i64) -> Result<Waiting> {
    let row = sqlx::query(
        "SELECT count(*), coalesce(sum(records), 0)::bigint FROM segments WHERE bucket = $1 AND slot = $2 AND part = 0 AND id <= $3",
    )
    .bind(bucket)
    .bind(slot)
    .bind(up_to)
    .fetch_one(connection)
    .await?;
    Ok(Waiting { segments: row.try_get(0)?, records: row.try_get(1)? })
}

/// The oldest small segments of a slot up to an id, all of one signal and matched against one version of the SLI set, with `most_records`
/// records at most (one segment at least) and `most_segments` segments at most; without `except`.
///
/// # Errors
/// The database.
pub async fn oldest(
    connection: &mut PgConnection,
    bucket: i16,
    slot: i32,
    up_to: i64,
    most_records: i64,
    most_segments: i64,
    except: &[i64],
) -> Result<Vec<Small>> {
    let rows = sqlx::query(
        "WITH oldest AS (
             SELECT id, records, sli_version, signal FROM segments WHERE bucket = $1 AND slot = $2 AND part = 0 AND id <= $3
                 AND NOT id = ANY ($6) ORDER BY id LIMIT $5
         ), chosen AS (
             SELECT id, sum(records) OVER (ORDER BY id) - records AS before FROM oldest
             WHERE (sli_version, signal) = (SELECT sli_version, signal FROM oldest ORDER BY id LIMIT 1)
         )
         SELECT s.id, s.records, s.sli_version, s.body, s.signal FROM chosen JOIN segments s
             ON s.bucket = $1 AND s.slot = $2 AND s.part = 0 AND s.id = chosen.id
         WHERE chosen.before + s.records <= $4 OR chosen.before = 0 ORDER BY s.id",
    )
    .bind(bucket)
    .bind(slot)
    .bind(up_to)
    .bind(most_records)
    .bind(most_segments)
    .bind(except)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Small {
                id: row.try_get(0)?,
                records: usize::try_from(row.try_get::<i32, _>(1)?).unwrap_or(0),
                sli_version: row.try_get(2)?,
                body: Bytes::from(row.try_get::<Vec<u8>, _>(3)?),
                signal: signal_of(row, 4)?,
            })
        })
        .collect()
}

/// What is filed about the records of merged segments, so that they are found.
#[derive(Clone, Copy, Debug)]
pub enum Filed<'a> {
    /// Spans: the fragments of all their traces.
    Spans(&'a [Fragment]),
    /// Log records: the traces that they were said in.
    Logs(&'a [TraceId]),
    /// Points, which are found by their segments alone.
    Points,
}

/// Removes merged segments from the open part with their index rows, and moves the IDs and bad events of their traces to
/// the sealed part, each once.
///
/// # Errors
/// The database; a segment that is no longer there, as a serialization failure would tell it.
pub async fn replace(connection: &mut PgConnection, bucket: i16, slot: i32, segments: &[i64], filed: Filed<'_>) -> Result<()> {
    // The statements that follow look rows up key by key (LATERAL and OFFSET 0 leave the planner no other way) and remove them
    // by where they lie. Left to itself it reads all that waits, because it takes every page for one that must be fetched, and
    // has not counted a part that is minutes old.
    sqlx::raw_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(&mut *connection)
        .await?;
    let spans: Vec<(i64, i64)> =
        sqlx::query_as("DELETE FROM segments WHERE bucket = $1 AND slot = $2 AND part = 0 AND id = ANY ($3) RETURNING from_ns, to_ns")
            .bind(bucket)
            .bind(slot)
            .bind(segments)
            .fetch_all(&mut *connection)
            .await?;
    if spans.len() != segments.len() {
        return Err(Error::ChangedMeanwhile);
    }
    let times = spans.iter().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, 0));
    match filed {
        Filed::Spans(fragments) => {
            let traces: Vec<Uuid> = fragments.iter().map(|fragment| trace_key(fragment.trace_id)).collect();
            sqlx::query(
                "DELETE FROM trace_index WHERE slot = $2 AND part = 0 AND ctid = ANY (ARRAY(
                     SELECT found.ctid FROM unnest($4::uuid[]) AS known (trace_id) CROSS JOIN LATERAL (
                         SELECT ctid FROM trace_index i WHERE bucket = $1 AND slot = $2 AND part = 0 AND i.trace_id = known.trace_id
                             AND segment_id = ANY ($3) OFFSET 0
                     ) AS found))",
            )
            .bind(bucket)
            .bind(slot)
            .bind(segments)
            .bind(&traces)
            .execute(&mut *connection)
            .await?;
            move_ids(connection, bucket, slot, fragments, &traces, times).await?;
            move_bad(connection, bucket, slot, &traces, times).await
        }
        Filed::Logs(traces) => {
            log::remove(connection, bucket, slot, segments).await?;
            let traces: Vec<Uuid> = traces.iter().copied().map(trace_key).collect();
            move_bad(connection, bucket, slot, &traces, times).await
        }
        Filed::Points => Ok(()),
    }
}

/// Moves the rows that say which IDs some traces carry. They are filed under the start of a fragment, which lies in `times`:
/// an ID that every trace of the slot carries leads to those of these segments alone.
async fn move_ids(
    connection: &mut PgConnection,
    bucket: i16,
    slot: i32,
    fragments: &[Fragment],
    traces: &[Uuid],
    times: (i64, i64),
) -> Result<()> {
    let mut values: BTreeMap<IdKind, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
    for (kind, value) in fragments.iter().flat_map(indexed_ids) {
        values.entry(kind).or_default().insert(storable(indexed_part(value)));
    }
    for (kind, values) in values {
        let values: Vec<&str> = values.iter().map(|value| &**value).collect();
        sqlx::query(
            "WITH moved AS (
                 DELETE FROM correlation_index WHERE slot = $2 AND part = 0 AND ctid = ANY (ARRAY(
                     SELECT found.ctid FROM unnest($6::text[]) AS known (value) CROSS JOIN LATERAL (
                         SELECT ctid FROM correlation_index i WHERE bucket = $1 AND slot = $2 AND part = 0 AND i.value = known.value
                             AND kind = $5 AND start_ns BETWEEN $7 AND $8 AND trace_id = ANY ($3) OFFSET 0
                     ) AS found))
                 RETURNING value, trace_id, start_ns
             )
             INSERT INTO correlation_index (bucket, slot, part, kind, value, trace_id, start_ns)
             SELECT $1, $2, $4, $5, value, trace_id, min(start_ns) FROM moved GROUP BY value, trace_id",
        )
        .bind(bucket)
        .bind(slot)
        .bind(traces)
        .bind(Part::Sealed as i16)
        .bind(kind as i16)
        .bind(&values)
        .bind(times.0)
        .bind(times.1)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Moves the rows that say which objectives some traces were bad for. They are filed under the time of a bad event, which lies
/// in `times`.
async fn move_bad(connection: &mut PgConnection, bucket: i16, slot: i32, traces: &[Uuid], times: (i64, i64)) -> Result<()> {
    // From one SLI to the next in the index, not by reading the rows of each.
    let slis: Vec<i32> = sqlx::query_scalar(
        "WITH RECURSIVE filed (sli_id) AS (
             (SELECT sli_id FROM bad_index WHERE bucket = $1 AND slot = $2 AND part = 0 ORDER BY sli_id LIMIT 1)
             UNION ALL
             SELECT (SELECT b.sli_id FROM bad_index b WHERE b.bucket = $1 AND b.slot = $2 AND b.part = 0 AND b.sli_id > filed.sli_id
                 ORDER BY b.sli_id LIMIT 1)
             FROM filed WHERE filed.sli_id IS NOT NULL
         )
         SELECT sli_id FROM filed WHERE sli_id IS NOT NULL",
    )
    .bind(bucket)
    .bind(slot)
    .fetch_all(&mut *connection)
    .await?;
    if slis.is_empty() || traces.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH moved AS (
             DELETE FROM bad_index WHERE slot = $2 AND part = 0 AND ctid = ANY (ARRAY(
                 SELECT found.ctid FROM unnest($5::integer[]) AS known (sli_id) CROSS JOIN LATERAL (
                     SELECT ctid FROM bad_index i WHERE bucket = $1 AND slot = $2 AND part = 0 AND i.sli_id = known.sli_id
                         AND start_ns BETWEEN $6 AND $7 AND trace_id = ANY ($3) OFFSET 0
                 ) AS found))
             RETURNING sli_id, trace_id, start_ns
         )
         INSERT INTO bad_index (bucket, slot, part, sli_id, trace_id, start_ns)
         SELECT $1, $2, $4, sli_id, trace_id, min(start_ns) FROM moved GROUP BY sli_id, trace_id",
    )
    .bind(bucket)
    .bind(slot)
    .bind(traces)
    .bind(Part::Sealed as i16)
    .bind(slis)
    .bind(times.0)
    .bind(times.1)
    .execute(connection)
    .await?;
    Ok(())
}
