//! Budget exclusions. Rows are added and taken back, never deleted.

use slowburn_domain::slo::{Exclusion, ExclusionEffect, ExclusionScope};
use slowburn_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::Result;

const COLUMNS: &str = "id, scope, name, from_ns, to_ns, rrule, time_zone, reason, author, created_ns, removed_ns, removed_by, effects";

/// Every exclusion in force, in the order they were made.
///
/// # Errors
/// The database.
pub async fn in_force(connection: &mut PgConnection) -> Result<Vec<Exclusion>> {
    let sql = format!("SELECT {COLUMNS} FROM budget_exclusions WHERE removed_ns IS NULL ORDER BY created_ns, id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.iter().map(exclusion_of).collect()
}

/// The newest exclusions, those taken back too: of one SLO with those of its service, or of all.
///
/// # Errors
/// The database.
pub async fn newest(connection: &mut PgConnection, slo: Option<(&[String], &str)>, limit: i64) -> Result<Vec<Exclusion>> {
    let (names, service) = slo.unzip();
    let sql = format!(
        "SELECT {COLUMNS} FROM budget_exclusions
         WHERE $1::text[] IS NULL OR (scope = 'slo' AND name = ANY ($1)) OR (scope = 'service' AND name = $2)
         ORDER BY created_ns DESC, id DESC LIMIT $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(names).bind(service).bind(limit).fetch_all(connection).await?;
    rows.iter().map(exclusion_of).collect()
}

/// Adds an exclusion.
///
/// # Errors
/// The database.
pub async fn insert(connection: &mut PgConnection, id: Uuid, exclusion: &Exclusion) -> Result<()> {
    let (scope, name) = match &exclusion.scope {
        ExclusionScope::Slo(name) => ("slo", name),
        ExclusionScope::Service(name) => ("service", name),
    };
    sqlx::query(
        "INSERT INTO budget_exclusions (id, scope, name, from_ns, to_ns, rrule, time_zone, reason, author, created_ns, effects)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id)
    .bind(scope)
    .bind(name)
    .bind(exclusion.from.nanos())
    .bind(exclusion.to.nanos())
    .bind(&exclusion.rrule)
    .bind(&exclusion.time_zone)
    .bind(&exclusion.reason)
    .bind(&exclusion.author)
    .bind(exclusion.created_at.nanos())
    .bind(Json(&exclusion.effects))
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes an exclusion back. `None` when there is none of that id in force.
///
/// # Errors
/// The database.
pub async fn remove(connection: &mut PgConnection, id: Uuid, at: Timestamp, author: &str) -> Result<Option<Exclusion>> {
    let sql =
        format!("UPDATE budget_exclusions SET removed_ns = $2, removed_by = $3 WHERE id = $1 AND removed_ns IS NULL RETURNING {COLUMNS}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(at.nanos()).bind(author).fetch_optional(connection).await?;
    row.as_ref().map(exclusion_of).transpose()
}

fn exclusion_of(row: &PgRow) -> Result<Exclusion> {
    let name: String = row.try_get("name")?;
    let scope: String = row.try_get("scope")?;
    let time = |column: &str| row.try_get(column).map(Timestamp::from_nanos);
    let removed_at: Option<i64> = row.try_get("removed_ns")?;
    let removed_by: Option<String> = row.try_get("removed_by")?;
    let Json(effects): Json<Vec<ExclusionEffect>> = row.try_get("effects")?;
    Ok(Exclusion {
        id: row.try_get::<Uuid, _>("id")?.to_string(),
        scope: if scope == "slo" { ExclusionScope::Slo(name) } else { ExclusionScope::Service(name) },
        from: time("from_ns")?,
        to: time("to_ns")?,
        rrule: row.try_get("rrule")?,
        time_zone: row.try_get("time_zone")?,
        reason: row.try_get("reason")?,
        author: row.try_get("author")?,
        created_at: time("created_ns")?,
        removed: removed_at.map(Timestamp::from_nanos).zip(removed_by),
        effects,
    })
}
