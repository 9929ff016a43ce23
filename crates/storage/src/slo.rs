//! SLOs as applied: their documents, the key of their counts, and the version of the SLI set.

use slowburn_domain::time::Timestamp;
use slowburn_domain::view::DocumentVersion;
use sqlx::{PgConnection, Row as _};

use crate::Result;

/// An SLO as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SloRow {
    /// Its name.
    pub name: String,
    /// Name of the document that defines it.
    pub document_name: String,
    /// Key of its counts.
    pub sli_id: i32,
    /// What is counted, in a form that changes when and only when the counting does.
    pub indicator: String,
    /// Version of the SLI set from which on it is counted at the door.
    pub since_version: i32,
    /// What it is grouped by and since which version; a form that changes when and only when the groups do.
    pub grouping: Option<(String, i32)>,
}

/// Keeps others from changing the SLI set until the transaction ends, and gives its version.
///
/// # Errors
/// The database.
pub async fn lock_version(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT version FROM sli_set FOR UPDATE").fetch_one(connection).await?)
}

/// The version of the SLI set.
///
/// # Errors
/// The database.
pub async fn version(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT version FROM sli_set").fetch_one(connection).await?)
}

/// Sets the version of the SLI set.
///
/// # Errors
/// The database.
pub async fn set_version(connection: &mut PgConnection, version: i32) -> Result<()> {
    sqlx::query("UPDATE sli_set SET version = $1").bind(version).execute(connection).await?;
    Ok(())
}

/// Every SLO by name.
///
/// # Errors
/// The database.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<SloRow>> {
    let rows = sqlx::query(
        "SELECT name, document_name, sli_id, indicator, since_version, grouping, grouping_since_version FROM slos ORDER BY name",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(SloRow {
                name: row.try_get(0)?,
                document_name: row.try_get(1)?,
                sli_id: row.try_get(2)?,
                indicator: row.try_get(3)?,
                since_version: row.try_get(4)?,
                grouping: row.try_get::<Option<String>, _>(5)?.zip(row.try_get(6)?),
            })
        })
        .collect()
}

/// The next free key for counts. Call it under [`lock_version`].
///
/// # Errors
/// The database.
pub async fn next_sli_id(connection: &mut PgConnection) -> Result<i32> {
    // Keys of SLOs removed since must not come back: their counts are still there.
    Ok(sqlx::query_scalar("SELECT greatest((SELECT max(sli_id) FROM slos), (SELECT max(sli_id) FROM slo_groups), (SELECT max(sli_id) FROM rollup_day), (SELECT max(sli_id) FROM rollup_delta), (SELECT max(sli_id) FROM red_backfills), (SELECT max(sli_id) FROM sli_progress), 0) + 1")
        .fetch_one(connection)
        .await?)
}

/// Writes an SLO.
///
/// # Errors
/// The database.
pub async fn put(connection: &mut PgConnection, slo: &SloRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO slos (name, document_name, sli_id, indicator, since_version, grouping, grouping_since_version, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, now())
         ON CONFLICT (name) DO UPDATE SET document_name = excluded.document_name, sli_id = excluded.sli_id,
             indicator = excluded.indicator, since_version = excluded.since_version, grouping = excluded.grouping,
             grouping_since_version = excluded.grouping_since_version, updated_at = excluded.updated_at",
    )
    .bind(&slo.name)
    .bind(&slo.document_name)
    .bind(slo.sli_id)
    .bind(&slo.indicator)
    .bind(slo.since_version)
    .bind(slo.grouping.as_ref().map(|(text, _)| text))
    .bind(slo.grouping.as_ref().map(|(_, since)| since))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes SLOs of a document other than `keep`, objectives that its new version no longer has, and their groups.
///
/// # Errors
/// The database.
pub async fn remove_others(connection: &mut PgConnection, document_name: &str, keep: &[String]) -> Result<u64> {
    sqlx::query("DELETE FROM slo_groups WHERE slo IN (SELECT name FROM slos WHERE document_name = $1 AND NOT name = ANY ($2))")
        .bind(document_name)
        .bind(keep)
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query("DELETE FROM slos WHERE document_name = $1 AND NOT name = ANY ($2)")
        .bind(document_name)
        .bind(keep)
        .execute(connection)
        .await?
        .rows_affected())
}

/// Every document as (kind, name, text), by kind and name.
///
/// # Errors
/// The database.
pub async fn documents(connection: &mut PgConnection) -> Result<Vec<(String, String, String)>> {
    Ok(sqlx::query_as("SELECT kind, name, body FROM documents ORDER BY kind, name").fetch_all(connection).await?)
}

/// Writes a document.
///
/// # Errors
/// The database.
pub async fn put_document(connection: &mut PgConnection, kind: &str, name: &str, body: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO documents (kind, name, body, updated_at) VALUES ($1, $2, $3, now())
         ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
    )
    .bind(kind)
    .bind(name)
    .bind(body)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a document and the SLOs that it defines. Their counts stay until they expire.
///
/// # Errors
/// The database.
pub async fn remove_document(connection: &mut PgConnection, kind: &str, name: &str) -> Result<()> {
    sqlx::query("DELETE FROM documents WHERE kind = $1 AND name = $2").bind(kind).bind(name).execute(&mut *connection).await?;
    if kind == "SLO" {
        remove_others(connection, name, &[]).await?;
    }
    Ok(())
}

/// A change of a document.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its text from now on, or its last.
    pub body: &'a str,
    /// `created`, `changed` or `deleted`.
    pub change: &'a str,
    /// What differs, in words.
    pub differences: &'a [String],
    /// Who did it.
    pub author: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// Writes a version, numbered after the last one of the document. Call it under [`lock_version`].
///
/// # Errors
/// The database.
pub async fn put_document_version(connection: &mut PgConnection, version: &NewVersion<'_>) -> Result<()> {
    sqlx::query(
        "INSERT INTO document_versions (kind, name, number, body, change, differences, author, reason, applied_at)
         SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, to_timestamp($8::bigint / 1000000000.0)
         FROM document_versions WHERE kind = $1 AND name = $2",
    )
    .bind(version.kind)
    .bind(version.name)
    .bind(version.body)
    .bind(version.change)
    .bind(version.differences)
    .bind(version.author)
    .bind(version.reason)
    .bind(version.at.nanos())
    .execute(connection)
    .await?;
    Ok(())
}

/// The versions of a document, newest first.
///
/// # Errors
/// The database.
pub async fn document_versions(connection: &mut PgConnection, kind: &str, name: &str) -> Result<Vec<DocumentVersion>> {
    let rows = sqlx::query(
        "SELECT number, (extract(epoch FROM applied_at) * 1000)::bigint, author, reason, change, differences, body
         FROM document_versions WHERE kind = $1 AND name = $2 ORDER BY number DESC",
    )
    .bind(kind)
    .bind(name)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DocumentVersion {
                number: row.try_get(0)?,
                at: Timestamp::from_millis(row.try_get(1)?),
                author: row.try_get(2)?,
                reason: row.try_get(3)?,
                change: row.try_get(4)?,
                differences: row.try_get(5)?,
                body: row.try_get(6)?,
            })
        })
        .collect()
}
