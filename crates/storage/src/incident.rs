//! Incidents, what happened to them, and the last state of every SLO's alert.

use std::collections::BTreeMap;

use slowburn_domain::incident::{Change, Incident};
use slowburn_domain::slo::Tier;
use slowburn_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::{Error, Result};

/// Which incidents a list holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct IncidentQuery<'a> {
    /// Those of one SLO.
    pub slo: Option<&'a str>,
    /// Those that are open, or that are closed.
    pub is_open: Option<bool>,
    /// Those that come after this one: it opened later, or has the greater id.
    pub after: Option<(Timestamp, Uuid)>,
    /// How many at most.
    pub limit: i64,
}

/// Incidents, those that opened last first, without their changes.
///
/// # Errors
/// The database.
pub async fn list(connection: &mut PgConnection, query: &IncidentQuery<'_>) -> Result<Vec<Incident>> {
    let (at, id) = query.after.unzip();
    let rows = sqlx::query(
        "SELECT id, slo, title, service, opened_ns, closed_ns, tier, worst_tier, is_measured, acknowledged_by FROM incidents
         WHERE ($1::text IS NULL OR slo = $1) AND ($2::boolean IS NULL OR (closed_ns IS NULL) = $2)
             AND ($3::bigint IS NULL OR (opened_ns, id) < ($3, $4))
         ORDER BY opened_ns DESC, id DESC LIMIT $5",
    )
    .bind(query.slo)
    .bind(query.is_open)
    .bind(at.map(Timestamp::nanos))
    .bind(id)
    .bind(query.limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(incident_of).collect()
}

/// One incident with its changes.
///
/// # Errors
/// The database.
pub async fn get(connection: &mut PgConnection, id: Uuid) -> Result<Option<Incident>> {
    let row = sqlx::query(
        "SELECT id, slo, title, service, opened_ns, closed_ns, tier, worst_tier, is_measured, acknowledged_by FROM incidents WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let changes = sqlx::query("SELECT at_ns, step, tier, reason, author FROM incident_changes WHERE incident_id = $1 ORDER BY number")
        .bind(id)
        .fetch_all(connection)
        .await?;
    let changes = changes.iter().map(|row| change_of(row, id)).collect::<Result<_>>()?;
    Ok(Some(Incident { changes, ..incident_of(&row)? }))
}

/// Begins an incident. Its changes are appended apart. `false` when the SLO has an open one.
///
/// # Errors
/// The database.
pub async fn insert(connection: &mut PgConnection, id: Uuid, incident: &Incident) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO incidents (id, slo, title, service, opened_ns, tier, worst_tier, is_measured) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (slo) WHERE closed_ns IS NULL DO NOTHING",
    )
    .bind(id)
    .bind(&incident.slo)
    .bind(&incident.title)
    .bind(&incident.service)
    .bind(incident.opened_at.nanos())
    .bind(incident.tier.as_str())
    .bind(incident.worst_tier.as_str())
    .bind(incident.is_measured)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps others from changing an incident until the transaction ends. Gives whether it is there.
///
/// # Errors
/// The database.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<bool> {
    Ok(sqlx::query("SELECT FROM incidents WHERE id = $1 FOR UPDATE").bind(id).fetch_optional(connection).await?.is_some())
}

/// Writes what may change of an incident.
///
/// # Errors
/// The database.
pub async fn update(connection: &mut PgConnection, id: Uuid, incident: &Incident) -> Result<()> {
    sqlx::query("UPDATE incidents SET closed_ns = $2, tier = $3, worst_tier = $4, is_measured = $5, acknowledged_by = $6 WHERE id = $1")
        .bind(id)
        .bind(incident.closed_at.map(Timestamp::nanos))
        .bind(incident.tier.as_str())
        .bind(incident.worst_tier.as_str())
        .bind(incident.is_measured)
        .bind(&incident.acknowledged_by)
        .execute(connection)
        .await?;
    Ok(())
}

/// Appends a change. Call it under [`lock`], or in the transaction that began the incident.
///
/// # Errors
/// The database.
pub async fn append(connection: &mut PgConnection, id: Uuid, change: &Change) -> Result<()> {
    sqlx::query(
        "INSERT INTO incident_changes (incident_id, number, at_ns, step, tier, reason, author)
         SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6 FROM incident_changes WHERE incident_id = $1",
    )
    .bind(id)
    .bind(change.at.nanos())
    .bind(change.step.as_str())
    .bind(change.tier.as_str())
    .bind(&change.reason)
    .bind(&change.author)
    .execute(connection)
    .await?;
    Ok(())
}

/// The last state of every SLO's alert.
///
/// # Errors
/// The database.
pub async fn alerts(connection: &mut PgConnection) -> Result<BTreeMap<String, String>> {
    let rows = sqlx::query("SELECT slo, alert FROM alert_states").fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Remembers the state of an SLO's alert.
///
/// # Errors
/// The database.
pub async fn put_alert(connection: &mut PgConnection, slo: &str, alert: &str, since: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO alert_states (slo, alert, since_ns) VALUES ($1, $2, $3)
         ON CONFLICT (slo) DO UPDATE SET alert = excluded.alert, since_ns = excluded.since_ns",
    )
    .bind(slo)
    .bind(alert)
    .bind(since.nanos())
    .execute(connection)
    .await?;
    Ok(())
}

fn incident_of(row: &PgRow) -> Result<Incident> {
    let id: Uuid = row.try_get(0)?;
    let at = |column: usize| -> Result<Option<Timestamp>> { Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanos)) };
    Ok(Incident {
        slo: row.try_get(1)?,
        title: row.try_get(2)?,
        service: row.try_get(3)?,
        opened_at: at(4)?.unwrap_or_default(),
        closed_at: at(5)?,
        tier: tier_of(row, 6, id)?,
        worst_tier: tier_of(row, 7, id)?,
        is_measured: row.try_get(8)?,
        acknowledged_by: row.try_get(9)?,
        changes: Vec::new(),
        id: id.to_string(),
    })
}

fn change_of(row: &PgRow, id: Uuid) -> Result<Change> {
    let step: String = row.try_get(1)?;
    Ok(Change {
        at: Timestamp::from_nanos(row.try_get(0)?),
        step: step.parse().map_err(|reason| corrupt("incident_changes", "step", id, reason))?,
        tier: tier_of(row, 2, id)?,
        reason: row.try_get(3)?,
        author: row.try_get(4)?,
    })
}

fn tier_of(row: &PgRow, column: usize, id: Uuid) -> Result<Tier> {
    let tier: String = row.try_get(column)?;
    [Tier::Page, Tier::Ticket]
        .into_iter()
        .find(|known| known.as_str() == tier)
        .ok_or_else(|| corrupt("incidents", "tier", id, format!("{tier:?} is no tier")))
}

fn corrupt(table: &'static str, what: &'static str, id: Uuid, reason: String) -> Error {
    Error::Corrupt { what, table, id: id.to_string(), reason }
}
