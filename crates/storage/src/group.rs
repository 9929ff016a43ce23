//! The groups of SLOs: which values have one, and the keys of their counts.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row as _};

use crate::Result;

/// Every group: keys of counts by value, by SLO.
///
/// # Errors
/// The database.
pub async fn all(connection: &mut PgConnection) -> Result<BTreeMap<String, BTreeMap<String, i32>>> {
    let rows = sqlx::query("SELECT slo, value, sli_id FROM slo_groups").fetch_all(connection).await?;
    let mut groups: BTreeMap<String, BTreeMap<String, i32>> = BTreeMap::new();
    for row in &rows {
        groups.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
    }
    Ok(groups)
}

/// Gives a value a group. Call it under [`crate::slo::lock_version`], with a key of [`crate::slo::next_sli_id`].
///
/// # Errors
/// The database.
pub async fn put(connection: &mut PgConnection, slo: &str, value: &str, sli_id: i32) -> Result<()> {
    sqlx::query("INSERT INTO slo_groups (slo, value, sli_id) VALUES ($1, $2, $3)")
        .bind(slo)
        .bind(value)
        .bind(sli_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes all groups of an SLO. Their counts stay until they expire.
///
/// # Errors
/// The database.
pub async fn remove_of(connection: &mut PgConnection, slo: &str) -> Result<()> {
    sqlx::query("DELETE FROM slo_groups WHERE slo = $1").bind(slo).execute(connection).await?;
    Ok(())
}
