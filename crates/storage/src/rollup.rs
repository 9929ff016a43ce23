//! Counts of SLIs by minute, hour and day: appended as deltas by flushes, folded by one folder per bucket, read as the
//! sum of both. Readers may keep what they read and ask for what is new ([`changes`]).

use std::collections::BTreeMap;

use slowburn_domain::slo::{Counts, Hour};
use slowburn_domain::time::Minute;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::Result;
use crate::copy::Rows;

/// The deltas of the buckets `$1` that are not folded yet. A mark of the future is another cluster's, from which this one
/// was restored; it says nothing.
macro_rules! unfolded {
    () => {
        "unnest($1::smallint[]) AS own (bucket) LEFT JOIN rollup_folds f ON f.bucket = own.bucket
         JOIN rollup_delta d ON d.bucket = own.bucket
             AND d.xact >= CASE WHEN f.since <= pg_snapshot_xmax(pg_current_snapshot()) THEN f.since ELSE '0'::xid8 END"
    };
}

/// What one flush counted: good and total by SLI and minute.
pub type Deltas = BTreeMap<(i32, Minute), Counts>;

/// Appends counts.
///
/// # Errors
/// The database.
pub async fn append(connection: &mut PgConnection, bucket: i16, deltas: &Deltas) -> Result<()> {
    let mut rows = Rows::default();
    for ((sli_id, minute), counts) in deltas {
        rows.row(5).int2(bucket).int4(*sli_id).int4(minute.0).int8(counts.good as i64).int8(counts.total as i64);
    }
    rows.send(connection, "COPY rollup_delta (bucket, sli_id, minute, good, total) FROM STDIN (FORMAT binary)").await?;
    Ok(())
}

/// How many folds of a bucket [`changes`] can tell of. Who has read nothing for longer reads all anew.
pub const LOGGED_FOLDS: i64 = 60;

/// Moves up to `limit` deltas of a bucket into its minute, hour and day rows, in one statement, and logs what it moved.
/// Gives how many were moved.
///
/// Two folders at once cost work only: a delta is deleted by one of them.
///
/// # Errors
/// The database.
pub async fn fold(connection: &mut PgConnection, bucket: i16, limit: i64) -> Result<i64> {
    let statement = sqlx::query_scalar(include_str!("rollup_fold.sql"));
    Ok(statement.bind(bucket).bind(limit).bind(LOGGED_FOLDS).fetch_one(connection).await?)
}

/// Which folds of each bucket are known.
pub type Position = BTreeMap<i16, i64>;

/// Counts of SLIs and minutes.
pub type Sums = Vec<(i32, Minute, Counts)>;

/// What happened since a position, all of one moment.
#[derive(Debug, Default)]
pub struct Changes {
    /// Folds up to now.
    pub position: Position,
    /// What the folds since moved into the rollup tables.
    pub folded: Sums,
    /// What is not folded yet.
    pub unfolded: Sums,
}

/// Reads what was counted since `known`, in one statement. The position has every bucket, also one that was never folded. Folds before the last [`LOGGED_FOLDS`] are missing: compare
/// positions.
///
/// # Errors
/// The database.
pub async fn changes(connection: &mut PgConnection, buckets: &[i16], known: &Position) -> Result<Changes> {
    let (known_buckets, known_folds): (Vec<i16>, Vec<i64>) = known.iter().unzip();
    let rows = sqlx::query(concat!(
        "SELECT 0, own.bucket::int, 0, coalesce(fold, 0), 0::bigint
         FROM unnest($1::smallint[]) AS own (bucket) LEFT JOIN rollup_folds USING (bucket)
         UNION ALL
         SELECT 1, f.sli_id, f.minute, sum(f.good)::bigint, sum(f.total)::bigint FROM unnest($2::smallint[], $3::bigint[]) AS known (bucket, fold)
         JOIN rollup_folded f ON f.bucket = known.bucket AND f.fold > known.fold GROUP BY 2, 3
         UNION ALL
         SELECT 2, d.sli_id, d.minute, sum(d.good)::bigint, sum(d.total)::bigint FROM ",
        unfolded!(),
        " GROUP BY 2, 3"
    ))
    .bind(buckets)
    .bind(known_buckets)
    .bind(known_folds)
    .fetch_all(connection)
    .await?;
    let mut changes = Changes::default();
    for row in &rows {
        match row.try_get::<i32, _>(0)? {
            0 => {
                let bucket = row.try_get::<i32, _>(1)?;
                changes.position.insert(i16::try_from(bucket).unwrap_or_default(), row.try_get(3)?);
            }
            1 => changes.folded.push((row.try_get(1)?, Minute(row.try_get(2)?), counts(row)?)),
            _ => changes.unfolded.push((row.try_get(1)?, Minute(row.try_get(2)?), counts(row)?)),
        }
    }
    Ok(changes)
}

/// The folded hours of some SLIs from `from_hour` on; an hour comes once for each bucket that holds some of it.
///
/// # Errors
/// The database.
pub async fn hours(connection: &mut PgConnection, buckets: &[i16], sli_ids: &[i32], from_hour: i32) -> Result<Vec<(i32, Hour)>> {
    let rows = sqlx::query(
        "SELECT sli_id, hour, bit_or(seen), sum(good)::bigint, sum(total)::bigint FROM rollup_hour
         WHERE bucket = ANY ($1) AND sli_id = ANY ($2) AND hour >= $3 GROUP BY 1, 2",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(from_hour)
    .fetch_all(connection)
    .await?;
    let hour = |row: &PgRow| -> Result<_> {
        Ok((row.try_get(0)?, Hour { hour: row.try_get(1)?, counts: counts(row)?, seen: row.try_get::<i64, _>(2)?.cast_unsigned() }))
    };
    rows.iter().map(hour).collect()
}

/// The folded minutes of whole hours of one SLI.
///
/// # Errors
/// The database.
pub async fn minutes(connection: &mut PgConnection, buckets: &[i16], wanted: &[(i32, i32)]) -> Result<Sums> {
    let (sli_ids, hours): (Vec<i32>, Vec<i32>) = wanted.iter().copied().unzip();
    let rows = sqlx::query(
        "SELECT r.sli_id, r.minute, 0, r.good, r.total
         FROM unnest($2::int[], $3::int[]) AS wanted (sli_id, hour) CROSS JOIN unnest($1::smallint[]) AS own (bucket)
         JOIN rollup_minute r ON r.bucket = own.bucket AND r.sli_id = wanted.sli_id
             AND r.minute BETWEEN wanted.hour * 60 AND wanted.hour * 60 + 59",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(hours)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, Minute(row.try_get(1)?), counts(row)?))).collect()
}

/// The SLIs that have folded records before an hour.
///
/// # Errors
/// The database.
pub async fn seen_before(connection: &mut PgConnection, buckets: &[i16], sli_ids: &[i32], hour: i32) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM unnest($2::int[]) AS id
         WHERE EXISTS (SELECT FROM rollup_day WHERE bucket = ANY ($1) AND sli_id = id AND day < $3 / 24)
            OR EXISTS (SELECT FROM rollup_hour WHERE bucket = ANY ($1) AND sli_id = id AND hour < $3 AND hour >= $3 - 24)",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(hour)
    .fetch_all(connection)
    .await?)
}

/// Good and total, columns 3 and 4.
fn counts(row: &PgRow) -> Result<Counts> {
    Ok(Counts { good: row.try_get::<i64, _>(3)?.cast_unsigned(), total: row.try_get::<i64, _>(4)?.cast_unsigned() })
}

/// All-time counts of each SLI, deltas included: the counters of the metrics page.
///
/// # Errors
/// The database.
pub async fn totals(connection: &mut PgConnection, buckets: &[i16], sli_ids: &[i32]) -> Result<BTreeMap<i32, Counts>> {
    let rows = sqlx::query(concat!(
        "SELECT sli_id, 0, 0, sum(good)::bigint, sum(total)::bigint FROM (
             SELECT sli_id, good, total FROM rollup_day WHERE bucket = ANY ($1) AND sli_id = ANY ($2)
             UNION ALL
             SELECT d.sli_id, d.good, d.total FROM ",
        unfolded!(),
        " WHERE d.sli_id = ANY ($2)
         ) AS both_parts GROUP BY sli_id"
    ))
    .bind(buckets)
    .bind(sli_ids)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, counts(row)?))).collect()
}

/// Drops rows past their time: minutes before `minute`, hours before `hour`, days before `day`.
///
/// # Errors
/// The database.
pub async fn expire(connection: &mut PgConnection, minute: i32, hour: i32, day: i32) -> Result<()> {
    for (statement, bound) in [
        ("DELETE FROM rollup_minute WHERE minute < $1", minute),
        ("DELETE FROM rollup_hour WHERE hour < $1", hour),
        ("DELETE FROM rollup_day WHERE day < $1", day),
        ("DELETE FROM red_minute WHERE minute < $1", minute),
        ("DELETE FROM edge_mark WHERE minute < $1", minute),
        ("DELETE FROM edge_minute WHERE minute < $1", minute),
        ("DELETE FROM edge_counted WHERE minute < $1", minute),
        ("DELETE FROM sli_estimates WHERE minute / 1440 < $1", day),
    ] {
        sqlx::query(statement).bind(bound).execute(&mut *connection).await?;
    }
    Ok(())
}
