//! Rate, errors and duration of every operation: appended by flushes, folded here because sketches merge in Rust.

use std::collections::BTreeMap;

use slowburn_domain::sketch::Sketch;
use slowburn_domain::span::{Kind, Status};
use slowburn_domain::time::Minute;
use sqlx::{PgConnection, Row as _};

use crate::copy::{Rows, storable};
use crate::{Error, Result};

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedKey {
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
    /// Role of the span.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
    /// Minute of the span's end.
    pub minute: Minute,
}

/// Durations by operation and minute; a sketch's count is the number of spans.
pub type RedDeltas = BTreeMap<RedKey, Sketch>;

/// Appends what one flush saw.
///
/// # Errors
/// The database.
pub async fn append(connection: &mut PgConnection, bucket: i16, deltas: &RedDeltas) -> Result<()> {
    let mut rows = Rows::default();
    for (key, sketch) in deltas {
        rows.row(8)
            .int2(bucket)
            .text(&key.service)
            .text(&key.operation)
            .int2(key.kind as i16)
            .int2(key.status as i16)
            .int4(key.minute.0)
            .int8(sketch.count() as i64)
            .bytes(&sketch.to_bytes());
    }
    rows.send(connection, "COPY red_delta (bucket, service, operation, kind, status, minute, count, sketch) FROM STDIN (FORMAT binary)")
        .await?;
    Ok(())
}

fn read(row: &sqlx::postgres::PgRow) -> Result<(RedKey, Sketch)> {
    let key = RedKey {
        service: row.try_get("service")?,
        operation: row.try_get("operation")?,
        kind: Kind::from_number(row.try_get::<i16, _>("kind")?.into()),
        status: Status::from_number(row.try_get::<i16, _>("status")?.into()),
        minute: Minute(row.try_get("minute")?),
    };
    let sketch = Sketch::from_bytes(row.try_get("sketch")?).map_err(|fault| Error::Corrupt {
        what: "sketch",
        table: "red_minute",
        id: format!("{}/{} {}", key.service, key.operation, key.minute.0),
        reason: fault.to_string(),
    })?;
    Ok((key, sketch))
}

/// Moves up to `limit` deltas of a bucket into its minute rows. Gives how many were moved. Run it in a transaction, by
/// the holder of the bucket's fold lease: two at once could both read a minute row before either writes it, so the rows
/// are locked first.
///
/// # Errors
/// The database, or a stored sketch that cannot be read.
pub async fn fold(connection: &mut PgConnection, bucket: i16, limit: i64) -> Result<usize> {
    sqlx::query("SELECT pg_advisory_xact_lock(7305, $1)").bind(i32::from(bucket)).execute(&mut *connection).await?;
    let moved = sqlx::query(
        "DELETE FROM red_delta WHERE bucket = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM red_delta WHERE bucket = $1 LIMIT $2))
         RETURNING service, operation, kind, status, minute, sketch",
    )
    .bind(bucket)
    .bind(limit)
    .fetch_all(&mut *connection)
    .await?;
    if moved.is_empty() {
        return Ok(0);
    }
    let mut merged = RedDeltas::new();
    for row in &moved {
        let (key, sketch) = read(row)?;
        merged.entry(key).or_default().merge(&sketch);
    }
    let minutes: Vec<i32> = merged.keys().map(|k| k.minute.0).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let known =
        sqlx::query("SELECT service, operation, kind, status, minute, sketch FROM red_minute WHERE bucket = $1 AND minute = ANY ($2)")
            .bind(bucket)
            .bind(minutes)
            .fetch_all(&mut *connection)
            .await?;
    for row in &known {
        let (key, sketch) = read(row)?;
        if let Some(entry) = merged.get_mut(&key) {
            entry.merge(&sketch);
        }
    }
    let (mut services, mut operations, mut kinds, mut statuses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut minutes, mut counts, mut sketches) = (Vec::new(), Vec::new(), Vec::new());
    for (key, sketch) in merged {
        kinds.push(key.kind as i16);
        statuses.push(key.status as i16);
        minutes.push(key.minute.0);
        services.push(key.service);
        operations.push(key.operation);
        counts.push(sketch.count() as i64);
        sketches.push(sketch.to_bytes());
    }
    sqlx::query(
        "INSERT INTO red_minute (bucket, service, operation, kind, status, minute, count, sketch)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::int[], $7::bigint[], $8::bytea[])
         ON CONFLICT (bucket, minute, service, operation, kind, status) DO UPDATE SET count = excluded.count, sketch = excluded.sketch",
    )
    .bind(bucket)
    .bind(services)
    .bind(operations)
    .bind(kinds)
    .bind(statuses)
    .bind(minutes)
    .bind(counts)
    .bind(sketches)
    .execute(connection)
    .await?;
    Ok(moved.len())
}

/// All rows of the minutes from `from` to `to`, both included, of one service if given. Deltas are included.
///
/// # Errors
/// The database, or a stored sketch that cannot be read.
pub async fn between(connection: &mut PgConnection, buckets: &[i16], service: Option<&str>, from: Minute, to: Minute) -> Result<RedDeltas> {
    let rows = sqlx::query(
        "SELECT service, operation, kind, status, minute, sketch FROM red_minute
         WHERE bucket = ANY ($1) AND minute BETWEEN $2 AND $3 AND ($4::text IS NULL OR service = $4)
         UNION ALL
         SELECT service, operation, kind, status, minute, sketch FROM red_delta
         WHERE bucket = ANY ($1) AND minute BETWEEN $2 AND $3 AND ($4::text IS NULL OR service = $4)",
    )
    .bind(buckets)
    .bind(from.0)
    .bind(to.0)
    .bind(service.map(storable))
    .fetch_all(connection)
    .await?;
    let mut merged = RedDeltas::new();
    for row in &rows {
        let (key, sketch) = read(row)?;
        merged.entry(key).or_default().merge(&sketch);
    }
    Ok(merged)
}
