//! What passes between services, by minute: marked by flushes, counted anew from stored spans, read for the service map.

use std::collections::{BTreeMap, BTreeSet};

use slowburn_domain::service_map::EdgeKind;
use slowburn_domain::sketch::Sketch;
use slowburn_domain::time::{Minute, Timestamp};
use sqlx::{PgConnection, Row as _};

use crate::copy::{Rows, storable};
use crate::{Error, Result};

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EdgeKey {
    /// What passes.
    pub kind: EdgeKind,
    /// Who asks or sends.
    pub caller: String,
    /// Who answers or receives.
    pub callee: String,
}

/// Requests or messages of an edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeSum {
    /// How many failed.
    pub errors: u64,
    /// Their durations; the sketch's count is how many there were.
    pub sketch: Sketch,
}

/// Sums by edge.
pub type Edges = BTreeMap<EdgeKey, EdgeSum>;

/// Marks minutes that spans of a flush touch.
///
/// # Errors
/// The database.
pub async fn mark(connection: &mut PgConnection, bucket: i16, minutes: &BTreeSet<Minute>) -> Result<()> {
    let mut rows = Rows::default();
    for minute in minutes {
        rows.row(2).int2(bucket).int4(minute.0);
    }
    rows.send(connection, "COPY edge_mark (bucket, minute) FROM STDIN (FORMAT binary)").await?;
    Ok(())
}

/// Marked minutes that are due at `now`, newest first, at most `limit`: those that ended `first_age` seconds ago and were not counted
/// yet, and those that are twice as old as when they were counted last.
///
/// # Errors
/// The database.
pub async fn due(connection: &mut PgConnection, buckets: &[i16], now: Timestamp, first_age: i64, limit: i64) -> Result<Vec<Minute>> {
    let minutes: Vec<i32> = sqlx::query_scalar(
        "SELECT minute FROM (SELECT DISTINCT minute FROM edge_mark WHERE bucket = ANY ($1)) AS marked
         LEFT JOIN (SELECT minute, max(age) AS age FROM edge_counted WHERE bucket = ANY ($1) GROUP BY minute) AS counted USING (minute)
         WHERE $2 - (minute + 1)::bigint * 60 >= coalesce(age::bigint * 2, $3) ORDER BY minute DESC LIMIT $4",
    )
    .bind(buckets)
    .bind(now.seconds())
    .bind(first_age)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(minutes.into_iter().map(Minute).collect())
}

/// How many of the minutes from `from` to `to`, both included, have spans and were never counted.
///
/// # Errors
/// The database.
pub async fn waiting(connection: &mut PgConnection, buckets: &[i16], from: Minute, to: Minute) -> Result<u32> {
    let minutes: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT minute) FROM edge_mark AS m WHERE bucket = ANY ($1) AND minute BETWEEN $2 AND $3
             AND NOT EXISTS (SELECT FROM edge_counted AS c WHERE c.bucket = ANY ($1) AND c.minute = m.minute)",
    )
    .bind(buckets)
    .bind(from.0)
    .bind(to.0)
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(minutes).unwrap_or(u32::MAX))
}

/// Takes the marks of a minute away, as far as the transaction sees them. Gives how many there were. In a snapshot, who comes
/// second to the same marks gets a conflict.
///
/// # Errors
/// The database.
pub async fn unmark(connection: &mut PgConnection, buckets: &[i16], minute: Minute) -> Result<u64> {
    let done = sqlx::query("DELETE FROM edge_mark WHERE bucket = ANY ($1) AND minute = $2")
        .bind(buckets)
        .bind(minute.0)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Whether a minute was counted.
///
/// # Errors
/// The database.
pub async fn is_counted(connection: &mut PgConnection, buckets: &[i16], minute: Minute) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM edge_counted WHERE bucket = ANY ($1) AND minute = $2)")
        .bind(buckets)
        .bind(minute.0)
        .fetch_one(connection)
        .await?)
}

/// Puts what was counted `age` seconds after the end of a minute in the place of all that it had.
///
/// # Errors
/// The database.
pub async fn replace(connection: &mut PgConnection, buckets: &[i16], bucket: i16, minute: Minute, age: i64, edges: &Edges) -> Result<()> {
    for statement in [
        "DELETE FROM edge_minute WHERE bucket = ANY ($1) AND minute = $2",
        "DELETE FROM edge_counted WHERE bucket = ANY ($1) AND minute = $2",
    ] {
        sqlx::query(statement).bind(buckets).bind(minute.0).execute(&mut *connection).await?;
    }
    sqlx::query("INSERT INTO edge_counted (bucket, minute, age) VALUES ($1, $2, $3)")
        .bind(bucket)
        .bind(minute.0)
        .bind(i32::try_from(age).unwrap_or(i32::MAX))
        .execute(&mut *connection)
        .await?;
    let mut rows = Rows::default();
    for (key, sum) in edges {
        rows.row(8)
            .int2(bucket)
            .int4(minute.0)
            .int2(key.kind as i16)
            .text(&key.caller)
            .text(&key.callee)
            .int8(sum.sketch.count() as i64)
            .int8(sum.errors as i64)
            .bytes(&sum.sketch.to_bytes());
    }
    let statement = "COPY edge_minute (bucket, minute, kind, caller, callee, count, errors, sketch) FROM STDIN (FORMAT binary)";
    rows.send(connection, statement).await?;
    Ok(())
}

/// Sums over the minutes from `from` to `to`, both included; only the edges of one service if given.
///
/// # Errors
/// The database, or a stored row that cannot be read.
pub async fn between(connection: &mut PgConnection, buckets: &[i16], service: Option<&str>, from: Minute, to: Minute) -> Result<Edges> {
    let rows = sqlx::query(
        "SELECT kind, caller, callee, errors, sketch FROM edge_minute
         WHERE bucket = ANY ($1) AND minute BETWEEN $2 AND $3 AND ($4::text IS NULL OR caller = $4 OR callee = $4)",
    )
    .bind(buckets)
    .bind(from.0)
    .bind(to.0)
    .bind(service.map(storable))
    .fetch_all(connection)
    .await?;
    let mut edges = Edges::new();
    for row in &rows {
        let corrupt = |what, reason: String| Error::Corrupt { what, table: "edge_minute", id: String::new(), reason };
        let number: i16 = row.try_get(0)?;
        let kind = EdgeKind::ALL.into_iter().find(|kind| *kind as i16 == number);
        let kind = kind.ok_or_else(|| corrupt("kind", format!("{number} is of a later version")))?;
        let sketch = Sketch::from_bytes(row.try_get(4)?).map_err(|fault| corrupt("sketch", fault.to_string()))?;
        let sum: &mut EdgeSum = edges.entry(EdgeKey { kind, caller: row.try_get(1)?, callee: row.try_get(2)? }).or_default();
        sum.errors += row.try_get::<i64, _>(3)?.cast_unsigned();
        sum.sketch.merge(&sketch);
    }
    Ok(edges)
}
