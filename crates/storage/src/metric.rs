//! The dictionary of series.

use std::sync::Arc;

use slowburn_domain::metric::{Metric, MetricKind, Series, Temporality};
use slowburn_domain::span::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::copy::storable;
use crate::partition::Part;
use crate::segment::{json_text, source_from_json, source_json};
use crate::{Error, Result};

/// Enters series of a slot, where missing.
///
/// # Errors
/// The database.
pub async fn insert(connection: &mut PgConnection, bucket: i16, slot: i32, series: &[Arc<Series>]) -> Result<()> {
    if series.is_empty() {
        return Ok(());
    }
    // Sorted, so that two flushes that share series wait for each other in one order and never in a circle.
    let mut rows: Vec<&Series> = series.iter().map(AsRef::as_ref).collect();
    rows.sort_unstable_by_key(|series| series.id);
    let texts = |of: &dyn Fn(&Series) -> String| rows.iter().map(|series| storable(&of(series)).into_owned()).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO metric_series (bucket, slot, part, series, name, unit, description, kind, temporality, is_monotonic, service, attributes, source)
         SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::smallint[], $9::smallint[], $10::boolean[], $11::text[],
             $12::text[], $13::text[])
         ON CONFLICT (bucket, series, slot, part) DO NOTHING",
    )
    .bind(bucket)
    .bind(slot)
    .bind(Part::Sealed as i16)
    .bind(rows.iter().map(|series| series.id).collect::<Vec<_>>())
    .bind(texts(&|series| series.metric.name.clone()))
    .bind(texts(&|series| series.metric.unit.clone()))
    .bind(texts(&|series| series.metric.description.clone()))
    .bind(rows.iter().map(|series| series.metric.kind as i16).collect::<Vec<_>>())
    .bind(rows.iter().map(|series| series.metric.temporality as i16).collect::<Vec<_>>())
    .bind(rows.iter().map(|series| series.metric.is_monotonic).collect::<Vec<_>>())
    .bind(texts(&|series| series.source.service.clone()))
    .bind(texts(&|series| json_text(&Value::Map(series.attributes.clone()))))
    .bind(texts(&|series| source_json(&series.source)))
    .execute(connection)
    .await?;
    Ok(())
}

/// Series that were active in a slot, as (service, name of the metric, series).
///
/// # Errors
/// The database.
pub async fn active(connection: &mut PgConnection, buckets: &[i16], slot: i32) -> Result<Vec<(String, String, i64)>> {
    let rows = sqlx::query("SELECT DISTINCT service, name, series FROM metric_series WHERE bucket = ANY ($1) AND slot = $2 AND part < $3")
        .bind(buckets)
        .bind(slot)
        .bind(Part::Kept as i16)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// A metric as the services have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The metric.
    pub metric: Metric,
    /// The services that send it.
    pub services: Vec<String>,
    /// Series that were active.
    pub series: u64,
}

/// Metrics that were active in slots from `from_slot` on, by name, at most `limit`. A name that comes in several forms is there with each
/// of them. `words` must all stand somewhere in name, unit or description, in any case.
///
/// # Errors
/// The database.
pub async fn list(
    connection: &mut PgConnection,
    buckets: &[i16],
    from_slot: i32,
    words: &[String],
    service: Option<&str>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let rows = sqlx::query(
        "SELECT name, unit, kind, temporality, is_monotonic, max(description), array_agg(DISTINCT service ORDER BY service), count(DISTINCT series)
         FROM metric_series
         WHERE bucket = ANY ($1) AND slot >= $2 AND part < $3 AND ($4::text IS NULL OR service = $4)
             AND (SELECT coalesce(bool_and(strpos(lower(name || ' ' || unit || ' ' || description), word) > 0), true) FROM unnest($5::text[]) AS word)
         GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3 LIMIT $6",
    )
    .bind(buckets)
    .bind(from_slot)
    .bind(Part::Kept as i16)
    .bind(service)
    .bind(words)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                metric: metric_of(row.try_get(0)?, row.try_get(1)?, row.try_get(5)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?)?,
                services: row.try_get(6)?,
                series: row.try_get::<i64, _>(7)?.cast_unsigned(),
            })
        })
        .collect()
}

/// Series of a metric that were active in slots from `from_slot` on, at most `limit`.
///
/// # Errors
/// The database.
pub async fn series(
    connection: &mut PgConnection,
    buckets: &[i16],
    from_slot: i32,
    name: &str,
    service: Option<&str>,
    limit: i64,
) -> Result<Vec<Series>> {
    let rows = sqlx::query(
        "SELECT DISTINCT ON (series) series, name, unit, description, kind, temporality, is_monotonic, attributes, source FROM metric_series
         WHERE bucket = ANY ($1) AND slot >= $2 AND part < $3 AND name = $4 AND ($5::text IS NULL OR service = $5)
         ORDER BY series, slot DESC LIMIT $6",
    )
    .bind(buckets)
    .bind(from_slot)
    .bind(Part::Kept as i16)
    .bind(storable(name))
    .bind(service)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(series_of).collect()
}

/// Some series that were active in slots from `from_slot` on, at most `limit`, in no order and perhaps more than once.
///
/// # Errors
/// The database.
pub async fn some_series(connection: &mut PgConnection, buckets: &[i16], from_slot: i32, limit: i64) -> Result<Vec<Series>> {
    let rows = sqlx::query(
        "SELECT series, name, unit, description, kind, temporality, is_monotonic, attributes, source FROM metric_series
         WHERE bucket = ANY ($1) AND slot >= $2 AND part < $3 LIMIT $4",
    )
    .bind(buckets)
    .bind(from_slot)
    .bind(Part::Kept as i16)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(series_of).collect()
}

fn series_of(row: &PgRow) -> Result<Series> {
    let id: i64 = row.try_get(0)?;
    let metric = metric_of(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?)?;
    let attributes: Value = serde_json::from_str(row.try_get(7)?).map_err(|fault| corrupt("attributes", &id, &fault))?;
    let source = source_from_json(row.try_get(8)?).map_err(|fault| corrupt("source", &id, &fault))?;
    let Value::Map(attributes) = attributes else { return Err(corrupt("attributes", &id, &"no object")) };
    Ok(Series { id, metric: Arc::new(metric), attributes, source: Arc::new(source) })
}

fn metric_of(name: String, unit: String, description: String, kind: i16, temporality: i16, is_monotonic: bool) -> Result<Metric> {
    let kind = MetricKind::from_number(kind).ok_or_else(|| corrupt("kind", &name, &kind))?;
    Ok(Metric { kind, temporality: Temporality::from_number(temporality.into()), is_monotonic, name, unit, description })
}

fn corrupt(what: &'static str, id: &dyn ToString, reason: &dyn ToString) -> Error {
    Error::Corrupt { what, table: "metric_series", id: id.to_string(), reason: reason.to_string() }
}
