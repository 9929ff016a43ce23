//! Searches that people keep under a name.

use slowburn_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::Result;
use crate::copy::storable;

/// Every search kept for a page, as (name, raw query string), by name.
///
/// # Errors
/// The database.
pub async fn list(connection: &mut PgConnection, page: &str) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as("SELECT name, query FROM saved_views WHERE page = $1 ORDER BY lower(name), name")
        .bind(page)
        .fetch_all(connection)
        .await?)
}

/// Keeps a search, in place of another of that name. Gives false, and does nothing, when it would be one more than `most`.
///
/// # Errors
/// The database.
pub async fn save(connection: &mut PgConnection, page: &str, name: &str, query: &str, now: Timestamp, most: i64) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO saved_views (page, name, query, saved_ns) SELECT $1, $2, $3, $4
         WHERE EXISTS (SELECT FROM saved_views WHERE page = $1 AND name = $2)
             OR (SELECT count(*) FROM saved_views WHERE page = $1) < $5
         ON CONFLICT (page, name) DO UPDATE SET query = $3, saved_ns = $4",
    )
    .bind(page)
    .bind(storable(name))
    .bind(storable(query))
    .bind(now.nanos())
    .bind(most)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets a search. Gives whether there was one.
///
/// # Errors
/// The database.
pub async fn remove(connection: &mut PgConnection, page: &str, name: &str) -> Result<bool> {
    let done =
        sqlx::query("DELETE FROM saved_views WHERE page = $1 AND name = $2").bind(page).bind(storable(name)).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}
