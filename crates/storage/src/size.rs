//! How much room what is stored takes.

use sqlx::{PgConnection, Row as _};

use crate::Result;
use crate::partition::Part;

/// Room and contents of one part of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSize {
    /// UTC minute in which the slot begins.
    pub slot: i32,
    /// Its part.
    pub part: Part,
    /// Bytes of the segments' partition, indexes included.
    pub segment_bytes: i64,
    /// Bytes of the partitions that find segments, indexes included.
    pub index_bytes: i64,
}

/// Bytes of every part of every slot, oldest first.
///
/// # Errors
/// The database.
pub async fn parts(connection: &mut PgConnection) -> Result<Vec<PartSize>> {
    let rows = sqlx::query(
        "SELECT split_part(reverse(c.relname::text), '_', 2), split_part(reverse(c.relname::text), '_', 1),
             coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE i.inhparent = 'segments'::regclass), 0)::bigint,
             coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE i.inhparent <> 'segments'::regclass), 0)::bigint
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent IN ('segments'::regclass, 'trace_index'::regclass, 'correlation_index'::regclass, 'bad_index'::regclass,
             'log_index'::regclass)
             AND c.relkind = 'r'
         GROUP BY 1, 2",
    )
    .fetch_all(connection)
    .await?;
    let mut parts: Vec<PartSize> = rows
        .iter()
        .filter_map(|row| {
            let backwards = |index| row.try_get::<String, _>(index).ok().map(|text: String| text.chars().rev().collect::<String>());
            let (slot, part) = (backwards(0)?.parse().ok()?, Part::from_suffix(&backwards(1)?)?);
            Some(PartSize { slot, part, segment_bytes: row.try_get(2).ok()?, index_bytes: row.try_get(3).ok()? })
        })
        .collect();
    parts.sort_unstable_by_key(|size| (size.slot, size.part));
    Ok(parts)
}

/// Bytes of counts: minutes, hours and days of SLIs, and the RED rollup, with what is still to be folded.
///
/// # Errors
/// The database.
pub async fn counts(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(name::regclass))::bigint
         FROM unnest(ARRAY['rollup_delta', 'rollup_minute', 'rollup_hour', 'rollup_day', 'red_delta', 'red_minute',
             'edge_mark', 'edge_counted', 'edge_minute']) AS name",
    )
    .fetch_one(connection)
    .await?)
}

/// Bytes of the whole database.
///
/// # Errors
/// The database.
pub async fn database(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(connection).await?)
}

/// Segments and records that are stored, those kept beyond their slot included.
///
/// # Errors
/// The database.
pub async fn contents(connection: &mut PgConnection) -> Result<(i64, i64)> {
    let row = sqlx::query("SELECT count(*), coalesce(sum(records), 0)::bigint FROM segments").fetch_one(connection).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
