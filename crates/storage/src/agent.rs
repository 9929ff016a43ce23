//! Agents, and when the next word of each is due.

use slowburn_domain::agent::Agent;
use slowburn_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::Result;
use crate::copy::storable;

/// Registers an agent, or changes how often it promises to be heard of. Gives the agent, and whether it is new.
///
/// # Errors
/// The database.
pub async fn register(connection: &mut PgConnection, name: &str, interval_seconds: u32, now: Timestamp) -> Result<(Agent, bool)> {
    let row = sqlx::query(
        "INSERT INTO agents AS a (name, interval_seconds, registered_ns, due_ns) VALUES ($1, $2, $3, $3 + $2 * 1000000000::bigint)
         ON CONFLICT (name) DO UPDATE SET interval_seconds = $2, due_ns = coalesce(a.heartbeat_ns, $3) + $2 * 1000000000::bigint,
             is_overdue = a.is_overdue AND coalesce(a.heartbeat_ns, $3) + $2 * 1000000000::bigint < $3,
             missed_ns = CASE WHEN coalesce(a.heartbeat_ns, $3) + $2 * 1000000000::bigint < $3 THEN a.missed_ns END
         RETURNING *, xmax = 0 AS is_new",
    )
    .bind(storable(name))
    .bind(interval_seconds.cast_signed())
    .bind(now.nanos())
    .fetch_one(connection)
    .await?;
    Ok((agent_of(&row)?, row.try_get("is_new")?))
}

/// Notes that an agent was heard of. Gives whether it was overdue; `None` when there is no such agent.
///
/// The clock is read when the row is held: words counted as missed while this one waited for the row were due before it.
///
/// # Errors
/// The database.
pub async fn heard(connection: &mut PgConnection, name: &str, clock: impl FnOnce() -> Timestamp) -> Result<Option<(Agent, bool)>> {
    let name = storable(name);
    // Of two words at once one ends the silence.
    let was_overdue: Option<bool> =
        sqlx::query_scalar("SELECT is_overdue FROM agents WHERE name = $1 FOR UPDATE").bind(&name).fetch_optional(&mut *connection).await?;
    let Some(was_overdue) = was_overdue else { return Ok(None) };
    let row = sqlx::query(
        "UPDATE agents SET heartbeat_ns = greatest(heartbeat_ns, $2), due_ns = greatest(heartbeat_ns, $2) + interval_seconds * 1000000000::bigint,
             is_overdue = false, missed_ns = NULL
         WHERE name = $1 RETURNING *",
    )
    .bind(&name)
    .bind(clock().nanos())
    .fetch_one(connection)
    .await?;
    Ok(Some((agent_of(&row)?, was_overdue)))
}

/// Finds agents that are overdue at `now` and not known to be; each is given to one caller.
///
/// # Errors
/// The database.
pub async fn find_overdue(connection: &mut PgConnection, now: Timestamp, most: i64) -> Result<Vec<Agent>> {
    let rows = sqlx::query(
        "UPDATE agents SET is_overdue = true WHERE name IN (
             SELECT name FROM agents WHERE NOT is_overdue AND due_ns < $1 ORDER BY due_ns LIMIT $2 FOR UPDATE SKIP LOCKED
         ) RETURNING *",
    )
    .bind(now.nanos())
    .bind(most)
    .fetch_all(connection)
    .await?;
    rows.iter().map(agent_of).collect()
}

/// Words that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Whose.
    pub agent: String,
    /// When the first of them was due.
    pub first: Timestamp,
    /// How many.
    pub words: u32,
    /// So long after each other they were due, seconds.
    pub interval_seconds: u32,
}

/// Words of overdue agents that were due up to `now` and have not been given to anybody, at most `most_words` of each agent. Call it in
/// the transaction that counts them.
///
/// # Errors
/// The database.
pub async fn take_missed(connection: &mut PgConnection, now: Timestamp, most_words: u32, most: i64) -> Result<Vec<Missed>> {
    let rows = sqlx::query(
        "WITH chosen AS (
             SELECT name, coalesce(missed_ns + interval_seconds * 1000000000::bigint, due_ns) AS first FROM agents
             WHERE is_overdue AND coalesce(missed_ns + interval_seconds * 1000000000::bigint, due_ns) <= $1
             ORDER BY name LIMIT $3 FOR UPDATE SKIP LOCKED
         ), counted AS (
             SELECT c.name, c.first, least(($1 - c.first) / (a.interval_seconds * 1000000000::bigint) + 1, $2::bigint) AS words
             FROM chosen c JOIN agents a USING (name)
         )
         UPDATE agents a SET missed_ns = first + (words - 1) * a.interval_seconds * 1000000000::bigint
         FROM counted c WHERE a.name = c.name RETURNING a.name, c.first, c.words, a.interval_seconds",
    )
    .bind(now.nanos())
    .bind(i64::from(most_words))
    .bind(most)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Missed {
                agent: row.try_get(0)?,
                first: Timestamp::from_nanos(row.try_get(1)?),
                words: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(u32::MAX),
                interval_seconds: row.try_get::<i32, _>(3)?.cast_unsigned(),
            })
        })
        .collect()
}

/// Every agent, those that are overdue first, then by name.
///
/// # Errors
/// The database.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<Agent>> {
    let rows = sqlx::query("SELECT * FROM agents ORDER BY is_overdue DESC, name").fetch_all(connection).await?;
    rows.iter().map(agent_of).collect()
}

/// Forgets an agent. Gives whether it was there.
///
/// # Errors
/// The database.
pub async fn remove(connection: &mut PgConnection, name: &str) -> Result<bool> {
    Ok(sqlx::query("DELETE FROM agents WHERE name = $1").bind(storable(name)).execute(connection).await?.rows_affected() > 0)
}

fn agent_of(row: &PgRow) -> Result<Agent> {
    Ok(Agent {
        name: row.try_get("name")?,
        interval_seconds: row.try_get::<i32, _>("interval_seconds")?.cast_unsigned(),
        registered_at: Timestamp::from_nanos(row.try_get("registered_ns")?),
        heartbeat_at: row.try_get::<Option<i64>, _>("heartbeat_ns")?.map(Timestamp::from_nanos),
        due_at: Timestamp::from_nanos(row.try_get("due_ns")?),
        is_overdue: row.try_get("is_overdue")?,
    })
}
