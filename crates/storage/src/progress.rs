//! How far SLIs are counted that are not counted at the door, and what stands in the way.

use slowburn_domain::counter::Rest;
use slowburn_domain::time::{Minute, Timestamp};
use sqlx::{PgConnection, Row as _};

use crate::Result;

/// How far an SLI is counted, and what it takes to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Key of its counts.
    pub sli_id: i32,
    /// The first minute that is not counted yet.
    pub next_minute: Minute,
    /// The last value of each series, as its owner writes it; empty in the beginning.
    pub series: Vec<u8>,
    /// What is no whole event yet.
    pub rest: Rest,
    /// The last minute in which the part was more than the total.
    pub exceeded: Option<Minute>,
}

/// How far an SLI is counted, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Key of its counts.
    pub sli_id: i32,
    /// The first minute that is not counted yet.
    pub next_minute: Minute,
    /// The last minute in which the part was more than the total.
    pub exceeded: Option<Minute>,
    /// Since when it cannot be counted, and why.
    pub failure: Option<(Timestamp, String)>,
}

/// Begins SLIs that are not known yet, each at a minute; those that were removed meanwhile do not begin again.
///
/// # Errors
/// The database.
pub async fn begin(connection: &mut PgConnection, begins: &[(i32, Minute)]) -> Result<()> {
    let (ids, minutes): (Vec<i32>, Vec<i32>) = begins.iter().map(|(id, minute)| (*id, minute.0)).unzip();
    sqlx::query(
        "INSERT INTO sli_progress (sli_id, next_minute, series, good_rest, bad_rest)
         SELECT id, minute, '', 0, 0 FROM unnest($1::int[], $2::int[]) AS new (id, minute)
         WHERE EXISTS (SELECT FROM slos WHERE sli_id = id)
         ON CONFLICT (sli_id) DO NOTHING",
    )
    .bind(ids)
    .bind(minutes)
    .execute(connection)
    .await?;
    Ok(())
}

/// How far an SLI is counted; `None` when it has not begun.
///
/// # Errors
/// The database.
pub async fn progress(connection: &mut PgConnection, sli_id: i32) -> Result<Option<Progress>> {
    let row = sqlx::query("SELECT next_minute, series, good_rest, bad_rest, exceeded FROM sli_progress WHERE sli_id = $1")
        .bind(sli_id)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Progress {
            sli_id,
            next_minute: Minute(row.try_get(0)?),
            series: row.try_get(1)?,
            rest: Rest { good: row.try_get(2)?, bad: row.try_get(3)? },
            exceeded: row.try_get::<Option<i32>, _>(4)?.map(Minute),
        })
    })
    .transpose()
}

/// Moves an SLI on from the minute `from`; it fails no longer. `false` when it is not there any more: somebody else was faster.
///
/// # Errors
/// The database.
pub async fn advance(connection: &mut PgConnection, from: Minute, progress: &Progress) -> Result<bool> {
    let moved = sqlx::query(
        "UPDATE sli_progress
         SET next_minute = $3, series = $4, good_rest = $5, bad_rest = $6, exceeded = $7, failing_since = NULL, failure = NULL
         WHERE sli_id = $1 AND next_minute = $2",
    )
    .bind(progress.sli_id)
    .bind(from.0)
    .bind(progress.next_minute.0)
    .bind(&progress.series)
    .bind(progress.rest.good)
    .bind(progress.rest.bad)
    .bind(progress.exceeded.map(|minute| minute.0))
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Writes that SLIs cannot be counted. The time of the first failure stays.
///
/// # Errors
/// The database.
pub async fn fail(connection: &mut PgConnection, sli_ids: &[i32], at: Timestamp, reason: &str) -> Result<()> {
    sqlx::query("UPDATE sli_progress SET failing_since = coalesce(failing_since, $2), failure = $3 WHERE sli_id = ANY ($1)")
        .bind(sli_ids)
        .bind(at.nanos())
        .bind(reason)
        .execute(connection)
        .await?;
    Ok(())
}

/// How far some SLIs are counted.
///
/// # Errors
/// The database.
pub async fn standings(connection: &mut PgConnection, sli_ids: &[i32]) -> Result<Vec<Standing>> {
    let rows = sqlx::query(
        "SELECT sli_id, next_minute, exceeded, failing_since, failure FROM sli_progress WHERE sli_id = ANY ($1) ORDER BY sli_id",
    )
    .bind(sli_ids)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let since = row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_nanos);
            Ok(Standing {
                sli_id: row.try_get(0)?,
                next_minute: Minute(row.try_get(1)?),
                exceeded: row.try_get::<Option<i32>, _>(2)?.map(Minute),
                failure: since.zip(row.try_get(4)?),
            })
        })
        .collect()
}

/// Forgets SLIs that no SLO has any more.
///
/// # Errors
/// The database.
pub async fn forget_removed(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("DELETE FROM sli_progress AS p WHERE NOT EXISTS (SELECT FROM slos WHERE sli_id = p.sli_id)").execute(connection).await?;
    Ok(())
}
