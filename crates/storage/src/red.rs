//! Rate, errors and duration of every operation: appended by flushes, folded here because sketches merge in Rust.
//!
//! The past of an SLI that asks for service, operation, kind and status alone is counted from here ([`crate::backfill`]).

use std::collections::BTreeMap;

use slowburn_domain::sketch::Sketch;
use slowburn_domain::slo::Counts;
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

/// Appends what one flush saw that matched against `sli_version` of the SLI set.
///
/// # Errors
/// The database.
pub async fn append(connection: &mut PgConnection, bucket: i16, sli_version: i32, deltas: &RedDeltas) -> Result<()> {
    let mut rows = Rows::default();
    for (key, sketch) in deltas {
        rows.row(9)
            .int2(bucket)
            .text(&key.service)
            .text(&key.operation)
            .int2(key.kind as i16)
            .int2(key.status as i16)
            .int4(key.minute.0)
            .int8(sketch.count() as i64)
            .bytes(&sketch.to_bytes())
            .int4(sli_version);
    }
    let statement =
        "COPY red_delta (bucket, service, operation, kind, status, minute, count, sketch, sli_version) FROM STDIN (FORMAT binary)";
    rows.send(connection, statement).await?;
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

/// What a fold moved, without durations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What was counted.
    pub key: RedKey,
    /// The SLI set that its flush matched against.
    pub sli_version: i32,
    /// Number of spans.
    pub count: u64,
}

/// Keeps other folders of a bucket away until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock_fold(connection: &mut PgConnection, bucket: i16) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(7305, $1)").bind(i32::from(bucket)).execute(connection).await?;
    Ok(())
}

/// Moves up to `limit` deltas of a bucket into its minute rows; with `before_version` only those of older SLI sets. Gives
/// what was moved. Call it under [`lock_fold`]: two at once could both read a minute row before either writes it.
///
/// # Errors
/// The database, or a stored sketch that cannot be read.
pub async fn fold(connection: &mut PgConnection, bucket: i16, before_version: Option<i32>, limit: i64) -> Result<Vec<Moved>> {
    let rows = sqlx::query(
        "DELETE FROM red_delta WHERE bucket = $1 AND ctid = ANY (ARRAY(
             SELECT ctid FROM red_delta WHERE bucket = $1 AND ($3::integer IS NULL OR sli_version < $3) LIMIT $2))
         RETURNING service, operation, kind, status, minute, sketch, sli_version",
    )
    .bind(bucket)
    .bind(limit)
    .bind(before_version)
    .fetch_all(&mut *connection)
    .await?;
    let mut moved = Vec::with_capacity(rows.len());
    let mut merged = RedDeltas::new();
    for row in &rows {
        let (key, sketch) = read(row)?;
        moved.push(Moved { key: key.clone(), sli_version: row.try_get("sli_version")?, count: sketch.count() });
        merged.entry(key).or_default().merge(&sketch);
    }
    if moved.is_empty() {
        return Ok(moved);
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
    Ok(moved)
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

/// An operation with an outcome, as far as the rollup tells operations apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Service.
    pub service: String,
    /// Operation.
    pub operation: String,
    /// Role of the span.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
}

/// Every operation that one bucket's minute rows know.
///
/// # Errors
/// The database.
pub async fn operations(connection: &mut PgConnection, bucket: i16) -> Result<Vec<Operation>> {
    let rows = sqlx::query("SELECT DISTINCT service, operation, kind, status FROM red_minute WHERE bucket = $1")
        .bind(bucket)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Operation {
                service: row.try_get(0)?,
                operation: row.try_get(1)?,
                kind: Kind::from_number(row.try_get::<i16, _>(2)?.into()),
                status: Status::from_number(row.try_get::<i16, _>(3)?.into()),
            })
        })
        .collect()
}

/// Good and total by minute, from one bucket's minute rows: the sum over the given operations, each good or not.
///
/// # Errors
/// The database.
pub async fn counts(connection: &mut PgConnection, bucket: i16, operations: &[(Operation, bool)]) -> Result<BTreeMap<Minute, Counts>> {
    let rows = sqlx::query(
        "SELECT r.minute, coalesce(sum(r.count) FILTER (WHERE o.is_good), 0)::bigint, sum(r.count)::bigint
         FROM unnest($2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::boolean[]) AS o (service, operation, kind, status, is_good)
         JOIN red_minute r ON r.bucket = $1 AND r.service = o.service AND r.operation = o.operation AND r.kind = o.kind AND r.status = o.status
         GROUP BY r.minute",
    )
    .bind(bucket)
    .bind(operations.iter().map(|(o, _)| o.service.as_str()).collect::<Vec<_>>())
    .bind(operations.iter().map(|(o, _)| o.operation.as_str()).collect::<Vec<_>>())
    .bind(operations.iter().map(|(o, _)| o.kind as i16).collect::<Vec<_>>())
    .bind(operations.iter().map(|(o, _)| o.status as i16).collect::<Vec<_>>())
    .bind(operations.iter().map(|(_, is_good)| *is_good).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let counts = Counts { good: row.try_get::<i64, _>(1)?.cast_unsigned(), total: row.try_get::<i64, _>(2)?.cast_unsigned() };
            Ok((Minute(row.try_get(0)?), counts))
        })
        .collect()
}
