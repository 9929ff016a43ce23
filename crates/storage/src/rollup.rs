//! Counts of SLIs by minute, hour and day: appended as deltas by flushes, folded by one folder per bucket, read as the
//! sum of both.

use std::collections::BTreeMap;

use slowburn_domain::slo::{Counts, Hour};
use slowburn_domain::time::Minute;
use sqlx::{PgConnection, Row as _};

use crate::Result;
use crate::copy::Rows;

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

/// Moves up to `limit` deltas of a bucket into its minute, hour and day rows, in one statement. Gives how many were moved.
///
/// Two folders at once cost work only: a delta is deleted by one of them.
///
/// # Errors
/// The database.
pub async fn fold(connection: &mut PgConnection, bucket: i16, limit: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(include_str!("rollup_fold.sql")).bind(bucket).bind(limit).fetch_one(connection).await?)
}

/// What is known of some SLIs: rows of one hour or minute come several times when several buckets, or unfolded deltas, hold
/// some of it.
#[derive(Debug, Default)]
pub struct History {
    /// Hours by SLI.
    pub hours: Vec<(i32, Hour)>,
    /// Minutes by SLI, of the hours asked for.
    pub minutes: Vec<(i32, Minute, Counts)>,
    /// SLIs with records before the first hour asked for.
    pub seen_before: Vec<i32>,
}

/// Reads hours from `from_hour` on, and the minutes of `minute_hours`, of each SLI. Deltas are included. All within the
/// caller's transaction; make it REPEATABLE READ, so that a fold between two statements changes nothing.
///
/// # Errors
/// The database.
pub async fn history(
    connection: &mut PgConnection,
    buckets: &[i16],
    sli_ids: &[i32],
    from_hour: i32,
    minute_hours: &[i32],
) -> Result<History> {
    let hours = sqlx::query(
        "SELECT sli_id, hour, good, total, seen FROM rollup_hour WHERE bucket = ANY ($1) AND sli_id = ANY ($2) AND hour >= $3
         UNION ALL
         SELECT sli_id, minute / 60, sum(good)::bigint, sum(total)::bigint, bit_or(1::bigint << (minute % 60))
         FROM rollup_delta WHERE bucket = ANY ($1) AND sli_id = ANY ($2) AND minute >= $3 * 60 GROUP BY 1, 2",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(from_hour)
    .fetch_all(&mut *connection)
    .await?;
    let (from_minutes, to_minutes): (Vec<i32>, Vec<i32>) = spans_of(minute_hours).into_iter().unzip();
    let minutes = sqlx::query(
        "SELECT r.sli_id, r.minute, r.good, r.total FROM unnest($3::int[], $4::int[]) AS range (first, last)
         JOIN rollup_minute r ON r.bucket = ANY ($1) AND r.sli_id = ANY ($2) AND r.minute BETWEEN range.first AND range.last
         UNION ALL
         SELECT d.sli_id, d.minute, d.good, d.total FROM unnest($3::int[], $4::int[]) AS range (first, last)
         JOIN rollup_delta d ON d.bucket = ANY ($1) AND d.sli_id = ANY ($2) AND d.minute BETWEEN range.first AND range.last",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(from_minutes)
    .bind(to_minutes)
    .fetch_all(&mut *connection)
    .await?;
    let seen_before = sqlx::query_scalar(
        "SELECT id FROM unnest($2::int[]) AS id
         WHERE EXISTS (SELECT FROM rollup_day WHERE bucket = ANY ($1) AND sli_id = id AND day < $3 / 24)
            OR EXISTS (SELECT FROM rollup_hour WHERE bucket = ANY ($1) AND sli_id = id AND hour < $3 AND hour >= $3 - 24)",
    )
    .bind(buckets)
    .bind(sli_ids)
    .bind(from_hour)
    .fetch_all(connection)
    .await?;
    let counts = |row: &sqlx::postgres::PgRow| -> Result<Counts> {
        Ok(Counts { good: row.try_get::<i64, _>(2)? as u64, total: row.try_get::<i64, _>(3)? as u64 })
    };
    Ok(History {
        hours: hours
            .iter()
            .map(|row| Ok((row.try_get(0)?, Hour { hour: row.try_get(1)?, counts: counts(row)?, seen: row.try_get::<i64, _>(4)? as u64 })))
            .collect::<Result<_>>()?,
        minutes: minutes.iter().map(|row| Ok((row.try_get(0)?, Minute(row.try_get(1)?), counts(row)?))).collect::<Result<_>>()?,
        seen_before,
    })
}

/// Neighbouring hours joined to ranges of minutes, both ends included.
fn spans_of(hours: &[i32]) -> Vec<(i32, i32)> {
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    for hour in hours {
        match ranges.last_mut() {
            Some((_, last)) if *last == hour * 60 - 1 => *last = hour * 60 + 59,
            _ => ranges.push((hour * 60, hour * 60 + 59)),
        }
    }
    ranges
}

/// All-time counts of each SLI, deltas included: the counters of the metrics page.
///
/// # Errors
/// The database.
pub async fn totals(connection: &mut PgConnection, buckets: &[i16], sli_ids: &[i32]) -> Result<BTreeMap<i32, Counts>> {
    let rows = sqlx::query(
        "SELECT sli_id, 0, sum(good)::bigint, sum(total)::bigint FROM (
             SELECT sli_id, good, total FROM rollup_day WHERE bucket = ANY ($1) AND sli_id = ANY ($2)
             UNION ALL
             SELECT sli_id, good, total FROM rollup_delta WHERE bucket = ANY ($1) AND sli_id = ANY ($2)
         ) AS both_parts GROUP BY sli_id",
    )
    .bind(buckets)
    .bind(sli_ids)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, Counts { good: row.try_get::<i64, _>(2)? as u64, total: row.try_get::<i64, _>(3)? as u64 })))
        .collect()
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
    ] {
        sqlx::query(statement).bind(bound).execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_hours_become_one_range() {
        assert_eq!(spans_of(&[1, 2, 3, 7, 9, 10]), [(60, 239), (420, 479), (540, 659)]);
        assert_eq!(spans_of(&[]), []);
    }
}
