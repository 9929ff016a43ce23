//! The past of a new SLI, counted from what is stored.
//!
//! A segment carries the version of the SLI set that its records are counted by. Counting it for younger SLIs raises that
//! version in the same transaction, so every segment is counted once for every SLI, whatever merges it meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::time::Minute;
use sqlx::{PgConnection, Row as _};

use crate::partition::Part;
use crate::trace::{SegmentRef, signal_of};
use crate::{Error, Result};

/// A segment that some SLI has not counted.
#[derive(Clone, Debug)]
pub struct Uncounted {
    /// Where it lies.
    pub segment: SegmentRef,
    /// What its records are.
    pub signal: Telemetry,
    /// Number of records.
    pub records: usize,
    /// SLIs since this version or before have counted it.
    pub sli_version: i32,
    /// The Parquet file.
    pub body: Bytes,
}

/// Locks some segments counted by a version before `version`, newest first, `most_segments` at most; those that somebody
/// else works on are passed over. What is kept beyond its slot was counted when it was whole.
///
/// # Errors
/// The database.
pub async fn lock_uncounted(connection: &mut PgConnection, bucket: i16, version: i32, most_segments: i64) -> Result<Vec<Uncounted>> {
    let rows = sqlx::query(
        "SELECT slot, part, id, records, sli_version, body, signal FROM segments
         WHERE bucket = $1 AND sli_version < $2 AND part < $3 ORDER BY slot DESC, id DESC LIMIT $4 FOR UPDATE SKIP LOCKED",
    )
    .bind(bucket)
    .bind(version)
    .bind(Part::Kept as i16)
    .bind(most_segments)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Uncounted {
                segment: SegmentRef { bucket, slot: row.try_get(0)?, part: row.try_get(1)?, id: row.try_get(2)? },
                records: usize::try_from(row.try_get::<i32, _>(3)?).unwrap_or(0),
                sli_version: row.try_get(4)?,
                body: Bytes::from(row.try_get::<Vec<u8>, _>(5)?),
                signal: signal_of(row, 6)?,
            })
        })
        .collect()
}

/// Says that a locked segment is counted by all SLIs up to `version`.
///
/// # Errors
/// The database.
pub async fn mark_counted(connection: &mut PgConnection, segment: SegmentRef, version: i32) -> Result<()> {
    let updated = sqlx::query("UPDATE segments SET sli_version = $5 WHERE bucket = $1 AND slot = $2 AND part = $3 AND id = $4")
        .bind(segment.bucket)
        .bind(segment.slot)
        .bind(segment.part)
        .bind(segment.id)
        .bind(version)
        .execute(connection)
        .await?
        .rows_affected();
    if updated == 1 { Ok(()) } else { Err(Error::ChangedMeanwhile) }
}

/// Says that counts of SLIs up to a minute, that included, were made from a sample.
///
/// # Errors
/// The database.
pub async fn mark_estimates(connection: &mut PgConnection, latest: &BTreeMap<i32, Minute>) -> Result<()> {
    // In the order of their ids, so that two who mark do not wait for each other.
    sqlx::query(
        "INSERT INTO sli_estimates (sli_id, minute) SELECT * FROM unnest($1::integer[], $2::integer[]) AS e (sli_id, minute) ORDER BY sli_id
         ON CONFLICT (sli_id) DO UPDATE SET minute = greatest(sli_estimates.minute, excluded.minute)",
    )
    .bind(latest.keys().copied().collect::<Vec<_>>())
    .bind(latest.values().map(|minute| minute.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The latest minute of which some of the SLIs have counts made from a sample; `None` without any.
///
/// # Errors
/// The database.
pub async fn latest_estimate(connection: &mut PgConnection, sli_ids: &[i32]) -> Result<Option<Minute>> {
    let minute: Option<i32> =
        sqlx::query_scalar("SELECT max(minute) FROM sli_estimates WHERE sli_id = ANY ($1)").bind(sli_ids).fetch_one(connection).await?;
    Ok(minute.map(Minute))
}

/// Records in segments counted by a version before `version`, and in all segments.
///
/// # Errors
/// The database.
pub async fn remaining(connection: &mut PgConnection, buckets: &[i16], version: i32) -> Result<(u64, u64)> {
    let row = sqlx::query(
        "SELECT coalesce(sum(records) FILTER (WHERE sli_version < $2), 0)::bigint, coalesce(sum(records), 0)::bigint
         FROM segments WHERE bucket = ANY ($1) AND part < $3",
    )
    .bind(buckets)
    .bind(version)
    .bind(Part::Kept as i16)
    .fetch_one(connection)
    .await?;
    Ok((row.try_get::<i64, _>(0)?.cast_unsigned(), row.try_get::<i64, _>(1)?.cast_unsigned()))
}

/// Whether any segment was counted by a version before `version`. An index tells.
///
/// # Errors
/// The database.
pub async fn any_uncounted(connection: &mut PgConnection, buckets: &[i16], version: i32) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM segments WHERE bucket = ANY ($1) AND sli_version < $2 AND part < $3)")
        .bind(buckets)
        .bind(version)
        .bind(Part::Kept as i16)
        .fetch_one(connection)
        .await?)
}

/// Whether a slot holds a segment counted by a version before `version`.
///
/// # Errors
/// The database.
pub async fn slot_waits(connection: &mut PgConnection, buckets: &[i16], slot: i32, version: i32) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM segments WHERE bucket = ANY ($1) AND sli_version < $2 AND slot = $3 AND part < $4)")
        .bind(buckets)
        .bind(version)
        .bind(slot)
        .bind(Part::Kept as i16)
        .fetch_one(connection)
        .await?)
}

/// An SLI whose past is counted from the RED rollup of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedBackfill {
    /// The SLI.
    pub sli_id: i32,
    /// Flushes that matched against this version or a later one counted it themselves.
    pub since_version: i32,
    /// Whether what was folded when it began is counted; deltas of older versions are counted when they are folded.
    pub is_done: bool,
}

/// Asks for the past of an SLI from the RED rollup. Call it in the transaction that raises the SLI set to `since_version`.
///
/// # Errors
/// The database.
pub async fn request_from_red(connection: &mut PgConnection, buckets: &[i16], sli_id: i32, since_version: i32) -> Result<()> {
    sqlx::query(
        "INSERT INTO red_backfills (bucket, sli_id, since_version) SELECT bucket, $2, $3 FROM unnest($1::smallint[]) AS bucket
         ON CONFLICT (bucket, sli_id) DO NOTHING",
    )
    .bind(buckets)
    .bind(sli_id)
    .bind(since_version)
    .execute(connection)
    .await?;
    Ok(())
}

/// The SLIs of one bucket whose past comes from the RED rollup.
///
/// # Errors
/// The database.
pub async fn from_red(connection: &mut PgConnection, bucket: i16) -> Result<Vec<RedBackfill>> {
    let rows = sqlx::query("SELECT sli_id, since_version, is_done FROM red_backfills WHERE bucket = $1 ORDER BY since_version, sli_id")
        .bind(bucket)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(RedBackfill { sli_id: row.try_get(0)?, since_version: row.try_get(1)?, is_done: row.try_get(2)? })).collect()
}

/// Says that what the RED rollup held of an SLI is counted.
///
/// # Errors
/// The database.
pub async fn red_is_done(connection: &mut PgConnection, bucket: i16, sli_id: i32) -> Result<()> {
    sqlx::query("UPDATE red_backfills SET is_done = true WHERE bucket = $1 AND sli_id = $2")
        .bind(bucket)
        .bind(sli_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// SLIs among `sli_ids` whose past still waits in the RED rollup of some bucket.
///
/// # Errors
/// The database.
pub async fn red_waiting(connection: &mut PgConnection, buckets: &[i16], sli_ids: &[i32]) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar("SELECT DISTINCT sli_id FROM red_backfills WHERE bucket = ANY ($1) AND sli_id = ANY ($2) AND NOT is_done")
        .bind(buckets)
        .bind(sli_ids)
        .fetch_all(connection)
        .await?)
}
