//! Merging the small segments of a slot's open part into large ones of its sealed part.
//!
//! Order within one REPEATABLE READ transaction: the small segments are read, the merged one and its index rows are
//! written, the rows that it replaces are deleted. A reader sees the one or the other, never both. Two mergers that meet
//! end in a serialization failure of one of them; a crash leaves everything as it was.

use bytes::Bytes;
use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::log;
use crate::partition::Part;
use crate::trace::signal_of;
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

/// Makes a transaction see one state of the database and fail if what it changes was changed by others meanwhile.
///
/// # Errors
/// The database.
pub async fn isolate(transaction: &mut PgConnection) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(transaction).await?;
    Ok(())
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

/// Removes merged segments from the open part with their index rows, and moves the IDs and bad events of their traces to
/// the sealed part, each once. `trace_ids` are all traces of the segments.
///
/// # Errors
/// The database; a segment that is no longer there, as a serialization failure would tell it.
pub async fn replace(connection: &mut PgConnection, bucket: i16, slot: i32, segments: &[i64], trace_ids: &[TraceId]) -> Result<()> {
    let removed = sqlx::query("DELETE FROM segments WHERE bucket = $1 AND slot = $2 AND part = 0 AND id = ANY ($3)")
        .bind(bucket)
        .bind(slot)
        .bind(segments)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if removed != segments.len() as u64 {
        return Err(Error::ChangedMeanwhile);
    }
    sqlx::query("DELETE FROM trace_index WHERE bucket = $1 AND slot = $2 AND part = 0 AND segment_id = ANY ($3)")
        .bind(bucket)
        .bind(slot)
        .bind(segments)
        .execute(&mut *connection)
        .await?;
    log::remove(connection, bucket, slot, segments).await?;
    let traces: Vec<Uuid> = trace_ids.iter().map(|id| Uuid::from_bytes(*id.as_bytes())).collect();
    // These rows say that a trace has an ID or a bad event, whichever segment it came with: a trace's rows move together.
    for statement in [
        "WITH moved AS (
             DELETE FROM correlation_index WHERE bucket = $1 AND slot = $2 AND part = 0 AND trace_id = ANY ($3)
             RETURNING kind, value, trace_id, start_ns
         )
         INSERT INTO correlation_index (bucket, slot, part, kind, value, trace_id, start_ns)
         SELECT $1, $2, $4, kind, value, trace_id, min(start_ns) FROM moved GROUP BY kind, value, trace_id",
        "WITH moved AS (
             DELETE FROM bad_index WHERE bucket = $1 AND slot = $2 AND part = 0 AND trace_id = ANY ($3)
             RETURNING sli_id, trace_id, start_ns
         )
         INSERT INTO bad_index (bucket, slot, part, sli_id, trace_id, start_ns)
         SELECT $1, $2, $4, sli_id, trace_id, min(start_ns) FROM moved GROUP BY sli_id, trace_id",
    ] {
        sqlx::query(statement).bind(bucket).bind(slot).bind(&traces).bind(Part::Sealed as i16).execute(&mut *connection).await?;
    }
    Ok(())
}
