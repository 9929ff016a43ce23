//! Correlation IDs that resemble one that nothing has: those beside it in the order of the index, and those that came last.

use sqlx::PgConnection;

use crate::Result;
use crate::copy::storable;
use crate::ingest::indexed_part;
use crate::trace::IdKind;

/// The IDs before and after `id` in the index of every bucket, at most `most` rows on either side.
///
/// # Errors
/// The database.
pub async fn beside(connection: &mut PgConnection, buckets: &[i16], id: &str, most: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT n.value FROM unnest($1::smallint[]) AS b (bucket) CROSS JOIN LATERAL (
             (SELECT value FROM correlation_index WHERE bucket = b.bucket AND value >= $2 AND kind = $4 ORDER BY value LIMIT $3)
             UNION ALL
             (SELECT value FROM correlation_index WHERE bucket = b.bucket AND value < $2 AND kind = $4 ORDER BY value DESC LIMIT $3)
             UNION ALL
             (SELECT correlation_id FROM events WHERE bucket = b.bucket AND correlation_id >= $2 ORDER BY correlation_id LIMIT $3)
             UNION ALL
             (SELECT correlation_id FROM events WHERE bucket = b.bucket AND correlation_id < $2 ORDER BY correlation_id DESC LIMIT $3)
         ) AS n",
    )
    .bind(buckets)
    .bind(storable(indexed_part(id)))
    .bind(most)
    .bind(IdKind::Correlation as i16)
    .fetch_all(connection)
    .await?)
}

/// IDs that came in during a slot, from at most `most` rows. Gives them with the number of rows read.
///
/// # Errors
/// The database.
pub async fn of_slot(connection: &mut PgConnection, slot: i32, most: i64) -> Result<(Vec<String>, i64)> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT value, count(*) FROM (SELECT value FROM correlation_index WHERE slot = $1 AND kind = $3 LIMIT $2) AS r GROUP BY value",
    )
    .bind(slot)
    .bind(most)
    .bind(IdKind::Correlation as i16)
    .fetch_all(connection)
    .await?;
    let read = rows.iter().map(|(_, count)| count).sum();
    Ok((rows.into_iter().map(|(value, _)| value).collect(), read))
}
