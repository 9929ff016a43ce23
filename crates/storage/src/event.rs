//! The event log: what others are told of, as CloudEvents, ordered within a bucket.

use std::collections::HashSet;

use serde_json::Value;
use slowburn_domain::event::{EventCursor, EventLine};
use slowburn_domain::id::TraceId;
use slowburn_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::copy::storable;
use crate::{Error, Result};

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

/// An event that somebody sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// Its key: the same for the same source and id.
    pub key: Uuid,
    /// As others see it.
    pub event: EventLine,
}

/// The bucket row of a log, held until the transaction ends: who appends to the same bucket waits.
async fn hold(connection: &mut PgConnection, bucket: i16) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO event_positions AS p (bucket, position) VALUES ($1, 0)
         ON CONFLICT (bucket) DO UPDATE SET position = p.position RETURNING position",
    )
    .bind(bucket)
    .fetch_one(connection)
    .await?)
}

/// Appends received events to a bucket in their order; those that are there already are left out. Gives the places in
/// `events` of those that were new. Call it in a transaction.
///
/// # Errors
/// The database.
pub async fn append_received(connection: &mut PgConnection, bucket: i16, events: &[ReceivedEvent], now: Timestamp) -> Result<Vec<usize>> {
    let position = hold(connection, bucket).await?;
    let keys: Vec<Uuid> = events.iter().map(|event| event.key).collect();
    let known: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM events WHERE bucket = $1 AND id = ANY ($2)")
        .bind(bucket)
        .bind(keys)
        .fetch_all(&mut *connection)
        .await?;
    let mut seen: HashSet<Uuid> = known.into_iter().collect();
    let places: Vec<usize> = events.iter().enumerate().filter(|(_, event)| seen.insert(event.key)).map(|(place, _)| place).collect();
    let new: Vec<&ReceivedEvent> = places.iter().map(|place| &events[*place]).collect();
    let texts = |of: fn(&EventLine) -> &str| new.iter().map(|event| storable(of(&event.event)).into_owned()).collect::<Vec<_>>();
    let json = |of: fn(&EventLine) -> Value| new.iter().map(|event| without_nul(of(&event.event))).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO events (bucket, position, id, event_id, type, source, subject, time_ns, received_ns, correlation_id, trace_id, extensions, data)
         SELECT $1, $2 + n, id, event_id, type, source, subject, time_ns, $9, correlation_id, trace_id, extensions, data
         FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $10::text[], $11::uuid[], $12::jsonb[], $13::jsonb[])
             WITH ORDINALITY AS e (id, event_id, type, source, subject, time_ns, correlation_id, trace_id, extensions, data, n)",
    )
    .bind(bucket)
    .bind(position)
    .bind(new.iter().map(|event| event.key).collect::<Vec<_>>())
    .bind(texts(|event| &event.id))
    .bind(texts(|event| &event.kind))
    .bind(texts(|event| &event.source))
    .bind(texts(|event| &event.subject))
    .bind(new.iter().map(|event| event.event.time.nanos()).collect::<Vec<_>>())
    .bind(now.nanos())
    .bind(new.iter().map(|event| event.event.correlation_id.as_deref().map(|id| storable(id).into_owned())).collect::<Vec<_>>())
    .bind(new.iter().map(|event| event.event.trace_id.map(|id| Uuid::from_bytes(*id.as_bytes()))).collect::<Vec<_>>())
    .bind(json(|event| Value::Object(event.extensions.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())))
    .bind(json(|event| json_of(&event.data)))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE event_positions SET position = position + $2 WHERE bucket = $1")
        .bind(bucket)
        .bind(new.len() as i64)
        .execute(connection)
        .await?;
    Ok(places)
}

fn json_of(value: &slowburn_domain::span::Value) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// PostgreSQL's `jsonb` takes every text but U+0000.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (storable(&name).into_owned(), without_nul(value))).collect())
        }
        other => other,
    }
}

/// What of the log is wanted.
#[derive(Clone, Debug, Default)]
pub struct EventConditions<'a> {
    /// Of this type.
    pub kind: Option<&'a str>,
    /// Of a type that begins so.
    pub kind_prefix: Option<&'a str>,
    /// Of this source.
    pub source: Option<&'a str>,
    /// About this subject.
    pub subject: Option<&'a str>,
    /// With this correlation ID.
    pub correlation_id: Option<&'a str>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Before (time, key) in the order of the list.
    pub before: Option<EventCursor>,
}

/// Events that meet the conditions, newest first, each with its place in that order.
///
/// # Errors
/// The database.
pub async fn list(
    connection: &mut PgConnection,
    buckets: &[i16],
    conditions: &EventConditions<'_>,
    limit: i64,
) -> Result<Vec<(EventCursor, EventLine)>> {
    let before = conditions.before.map(|cursor| (cursor.time.nanos(), Uuid::from_u128(cursor.key)));
    let rows = sqlx::query(
        "SELECT e.* FROM unnest($1::smallint[]) AS own (bucket) CROSS JOIN LATERAL (
             SELECT id, event_id, type, source, subject, time_ns, correlation_id, trace_id, extensions, data FROM events
             WHERE bucket = own.bucket AND ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR starts_with(type, $3))
                 AND ($4::text IS NULL OR source = $4) AND ($5::text IS NULL OR subject = $5)
                 AND ($6::text IS NULL OR correlation_id = $6) AND ($7::bigint IS NULL OR time_ns >= $7)
                 AND ($8::bigint IS NULL OR time_ns < $8) AND ($9::bigint IS NULL OR (time_ns, id) < ($9, $10::uuid))
             ORDER BY time_ns DESC, id DESC LIMIT $11
         ) AS e ORDER BY e.time_ns DESC, e.id DESC LIMIT $11",
    )
    .bind(buckets)
    .bind(conditions.kind.map(storable))
    .bind(conditions.kind_prefix.map(storable))
    .bind(conditions.source.map(storable))
    .bind(conditions.subject.map(storable))
    .bind(conditions.correlation_id.map(storable))
    .bind(conditions.from.map(Timestamp::nanos))
    .bind(conditions.to.map(Timestamp::nanos))
    .bind(before.map(|(time, _)| time))
    .bind(before.map(|(_, key)| key))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(event_of).collect()
}

fn event_of(row: &PgRow) -> Result<(EventCursor, EventLine)> {
    let key: Uuid = row.try_get("id")?;
    let time = Timestamp::from_nanos(row.try_get("time_ns")?);
    let corrupt = |what: &'static str, reason: String| Error::Corrupt { what, table: "events", id: key.to_string(), reason };
    let value = |json: Value, what| serde_json::from_value(json).map_err(|fault| corrupt(what, fault.to_string()));
    let extensions = match row.try_get::<Option<Value>, _>("extensions")? {
        Some(Value::Object(fields)) => {
            fields.into_iter().map(|(name, field)| Ok((name, value(field, "extensions")?))).collect::<Result<Vec<_>>>()?
        }
        _ => Vec::new(),
    };
    let event = EventLine {
        id: row.try_get::<Option<String>, _>("event_id")?.unwrap_or_else(|| key.to_string()),
        source: row.try_get("source")?,
        kind: row.try_get("type")?,
        subject: row.try_get("subject")?,
        time,
        correlation_id: row.try_get("correlation_id")?,
        trace_id: row.try_get::<Option<Uuid>, _>("trace_id")?.and_then(|id| TraceId::from_bytes(id.as_bytes()).ok()),
        extensions,
        data: value(row.try_get("data")?, "data")?,
    };
    Ok((EventCursor { time, key: key.as_u128() }, event))
}
