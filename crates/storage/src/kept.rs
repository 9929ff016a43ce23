//! What outlives its slot: spans of traces with a bad event, and of a sample of the others, in the kept part of a week.
//!
//! A slot that is past retention is gone through segment by segment: what is to be kept is written and the segment
//! removed in one transaction, so that nothing is kept twice after a crash. The empty slot is then dropped.

use bytes::Bytes;
use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::Result;
use crate::partition::Part;
use crate::trace::{SegmentRef, signal_of, trace_id_of};

/// Traces with a bad event in a slot, in any bucket.
///
/// # Errors
/// The database.
pub async fn bad_traces(connection: &mut PgConnection, buckets: &[i16], slot: i32) -> Result<Vec<TraceId>> {
    let rows: Vec<Uuid> = sqlx::query_scalar("SELECT DISTINCT trace_id FROM bad_index WHERE bucket = ANY ($1) AND slot = $2 AND part < $3")
        .bind(buckets)
        .bind(slot)
        .bind(Part::Kept as i16)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(trace_id_of).collect()
}

/// A segment whose slot is past retention.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Where it lies.
    pub segment: SegmentRef,
    /// What its records are.
    pub signal: Telemetry,
    /// SLIs since this version or before have counted it.
    pub sli_version: i32,
    /// The Parquet file.
    pub body: Bytes,
}

/// Some segments of a slot, oldest first.
///
/// # Errors
/// The database.
pub async fn next(connection: &mut PgConnection, bucket: i16, slot: i32, limit: i64) -> Result<Vec<Leaving>> {
    let rows = sqlx::query(
        "SELECT part, id, sli_version, body, signal FROM segments WHERE bucket = $1 AND slot = $2 AND part < $3
         ORDER BY id LIMIT $4 FOR UPDATE",
    )
    .bind(bucket)
    .bind(slot)
    .bind(Part::Kept as i16)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let segment = SegmentRef { bucket, slot, part: row.try_get(0)?, id: row.try_get(1)? };
            let body = Bytes::from(row.try_get::<Vec<u8>, _>(3)?);
            Ok(Leaving { segment, signal: signal_of(row, 4)?, sli_version: row.try_get(2)?, body })
        })
        .collect()
}

/// Removes segments that were gone through. Their index rows go with the slot.
///
/// # Errors
/// The database.
pub async fn remove(connection: &mut PgConnection, segments: &[SegmentRef]) -> Result<()> {
    for segment in segments {
        sqlx::query("DELETE FROM segments WHERE bucket = $1 AND slot = $2 AND part = $3 AND id = $4")
            .bind(segment.bucket)
            .bind(segment.slot)
            .bind(segment.part)
            .bind(segment.id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Copies the rows that say which SLI a kept trace of the slot was bad for to the kept part of a week.
///
/// # Errors
/// The database.
pub async fn copy_bad(connection: &mut PgConnection, bucket: i16, slot: i32, week: i32) -> Result<()> {
    // What was not kept, because no SLO is left or its segment could not be read, needs no row and has no part to go to.
    sqlx::query(
        "INSERT INTO bad_index (bucket, slot, part, sli_id, trace_id, start_ns)
         SELECT $1, $3, $4, sli_id, trace_id, min(start_ns) FROM bad_index b WHERE bucket = $1 AND slot = $2 AND part < $4
             AND EXISTS (SELECT FROM trace_index t WHERE t.slot = $3 AND t.part = $4 AND t.trace_id = b.trace_id)
         GROUP BY sli_id, trace_id",
    )
    .bind(bucket)
    .bind(slot)
    .bind(week)
    .bind(Part::Kept as i16)
    .execute(connection)
    .await?;
    Ok(())
}
