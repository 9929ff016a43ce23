//! Leases: who may do what only one instance should do. A holder renews before expiry; whoever finds it expired takes
//! over with a higher fence.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;

/// Takes or renews the lease `name` for `holder` for `seconds`. Gives the fence when held, `None` when somebody else has
/// it. The database's clock decides, so that instances need not agree on theirs.
///
/// # Errors
/// The database.
pub async fn acquire(connection: &mut PgConnection, name: &str, holder: Uuid, seconds: f64) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "INSERT INTO leases AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, now() + make_interval(secs => $3))
         ON CONFLICT (name) DO UPDATE
             SET holder = excluded.holder, expires_at = excluded.expires_at,
                 fence = l.fence + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END
             WHERE l.holder = excluded.holder OR l.expires_at < now()
         RETURNING fence",
    )
    .bind(name)
    .bind(holder)
    .bind(seconds)
    .fetch_optional(connection)
    .await?)
}

/// Gives up every lease of `holder`, so that another instance need not wait for the expiry.
///
/// # Errors
/// The database.
pub async fn release_all(connection: &mut PgConnection, holder: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM leases WHERE holder = $1").bind(holder).execute(connection).await?;
    Ok(())
}
