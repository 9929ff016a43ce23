//! Finding the segments that hold log records of a trace or with an ID.

use std::collections::BTreeMap;

use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogRecord;
use slowburn_domain::time::Timestamp;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::Result;
use crate::copy::Rows;
use crate::database::fetch_by_kept_plan;
use crate::ingest::NewSegment;
use crate::trace::{Extent, IdKind, SegmentRef};

/// What the records of a segment have in common that somebody may look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Earliest of them, nanoseconds.
    pub from_ns: i64,
    /// Latest of them, nanoseconds.
    pub to_ns: i64,
    /// How many.
    pub records: u32,
    /// How many of them tell of an error.
    pub errors: u32,
}

/// The key under which a trace's records are filed.
pub fn trace_key(trace_id: TraceId) -> Uuid {
    Uuid::from_bytes(*trace_id.as_bytes())
}

/// The key under which records with an ID are filed: a hash, so ids that differ may meet; records are compared anyway.
pub fn id_key(kind: IdKind, id: &str) -> Uuid {
    let mut hasher = Xxh3::new();
    hasher.update(&[kind as u8, 0]);
    hasher.update(id.as_bytes());
    Uuid::from_u128(hasher.digest128())
}

/// What some records mention, by key.
pub fn mentions<'a>(records: impl IntoIterator<Item = &'a LogRecord>) -> BTreeMap<Uuid, Mention> {
    let mut mentions: BTreeMap<Uuid, Mention> = BTreeMap::new();
    for record in records {
        let ids = [
            (IdKind::Correlation, &record.correlation_id),
            (IdKind::Project, &record.project_id),
            (IdKind::Execution, &record.execution_id),
        ];
        let ids = ids.into_iter().filter_map(|(kind, id)| Some(id_key(kind, id.as_deref()?)));
        let at = record.time.nanos();
        for key in record.trace_id.map(trace_key).into_iter().chain(ids) {
            let known = mentions.entry(key).or_insert(Mention { from_ns: at, to_ns: at, records: 0, errors: 0 });
            known.from_ns = known.from_ns.min(at);
            known.to_ns = known.to_ns.max(at);
            known.records += 1;
            known.errors += u32::from(record.severity.is_error());
        }
    }
    mentions
}

/// Writes the index rows of a segment.
///
/// # Errors
/// The database.
pub async fn insert(connection: &mut PgConnection, segment: &NewSegment, mentions: &BTreeMap<Uuid, Mention>) -> Result<()> {
    let mut rows = Rows::default();
    for (key, mention) in mentions {
        rows.row(9)
            .int2(segment.bucket)
            .int4(segment.slot)
            .int2(segment.part as i16)
            .bytes(key.as_bytes())
            .int8(segment.id)
            .int8(mention.from_ns)
            .int8(mention.to_ns)
            .int4(mention.records.cast_signed())
            .int4(mention.errors.cast_signed());
    }
    let statement = "COPY log_index (bucket, slot, part, key, segment_id, from_ns, to_ns, records, errors) FROM STDIN (FORMAT binary)";
    rows.send(connection, statement).await?;
    Ok(())
}

/// Removes the index rows of segments of a slot's open part.
pub(crate) async fn remove(connection: &mut PgConnection, bucket: i16, slot: i32, segments: &[i64]) -> Result<()> {
    sqlx::query("DELETE FROM log_index WHERE bucket = $1 AND slot = $2 AND part = 0 AND segment_id = ANY ($3)")
        .bind(bucket)
        .bind(slot)
        .bind(segments)
        .execute(connection)
        .await?;
    Ok(())
}

/// The segments that mention one of `keys`, those whose mentions end last first, with how many records of each mention it.
///
/// # Errors
/// The database.
pub async fn mentioning(connection: &mut PgConnection, buckets: &[i16], keys: &[Uuid], up_to_segment: i64) -> Result<Vec<Extent>> {
    let query = sqlx::query(
        "SELECT bucket, slot, part, segment_id, max(to_ns) AS to_ns, sum(records)::integer FROM log_index
         WHERE bucket = ANY ($1) AND key = ANY ($2) AND segment_id <= $3
         GROUP BY 1, 2, 3, 4 ORDER BY to_ns DESC, segment_id DESC",
    );
    let rows = fetch_by_kept_plan(connection, query.bind(buckets).bind(keys).bind(up_to_segment)).await?;
    rows.iter()
        .map(|row| {
            Ok(Extent {
                segment: SegmentRef { bucket: row.try_get(0)?, slot: row.try_get(1)?, part: row.try_get(2)?, id: row.try_get(3)? },
                end: Timestamp::from_nanos(row.try_get(4)?),
                records: row.try_get::<i32, _>(5)?.cast_unsigned(),
            })
        })
        .collect()
}
