//! The event log: what others are told of, as CloudEvents, ordered within a bucket.

use serde_json::Value;
use slowburn_domain::time::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;

/// An event to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent<'a> {
    /// CloudEvents `type`, for example `dev.slowburn.incident.opened`.
    pub kind: &'a str,
    /// CloudEvents `source`.
    pub source: &'a str,
    /// CloudEvents `subject`: what it is about. Events about one subject keep their order.
    pub subject: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// Its content.
    pub data: Value,
}

/// Appends an event to a bucket, within the caller's transaction. Who appends to the same bucket at the same time waits for
/// that transaction.
///
/// # Errors
/// The database.
pub async fn append(connection: &mut PgConnection, bucket: i16, id: Uuid, event: &NewEvent<'_>) -> Result<()> {
    sqlx::query(
        "WITH next AS (
             INSERT INTO event_positions AS p (bucket, position) VALUES ($1, 1)
             ON CONFLICT (bucket) DO UPDATE SET position = p.position + 1 RETURNING position
         )
         INSERT INTO events (bucket, position, id, type, source, subject, time_ns, data)
         SELECT $1, position, $2, $3, $4, $5, $6, $7 FROM next",
    )
    .bind(bucket)
    .bind(id)
    .bind(event.kind)
    .bind(event.source)
    .bind(event.subject)
    .bind(event.time.nanos())
    .bind(&event.data)
    .execute(connection)
    .await?;
    Ok(())
}
