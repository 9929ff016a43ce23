//! What outlives its slot: the traces with a bad event for an SLI, and one in a hundred of the others, for five weeks. So
//! the links from an SLO to its bad traces hold, and what burned the budget can still be asked, after raw records are gone.
//!
//! A trace is kept as far as it arrived in the slot. Runs on a slot that is past retention, before it is dropped.

use std::collections::HashSet;
use std::sync::Arc;

use slowburn_domain::id::TraceId;
use slowburn_domain::span::Span;
use slowburn_domain::time::Timestamp;
use slowburn_storage::partition::{self, Part};
use slowburn_storage::segment::decode_traces;
use slowburn_storage::{ingest, kept};
use xxhash_rust::xxh3::xxh3_64;

use crate::ingest::prepare::{Place, rewritten};
use crate::{Backend, Error, Result};

/// One trace without a bad event in this many is kept.
const GOOD_ONE_IN: u64 = 100;
/// Width of a kept slot, minutes.
pub(super) const WEEK_MINUTES: i32 = 7 * 1_440;
/// How long what is kept stays, minutes after the end of its week.
pub(super) const KEPT_MINUTES: i32 = 35 * 1_440;
/// Segments gone through in one transaction.
const SEGMENTS: i64 = 16;

/// The kept slot of an instant.
pub(super) const fn week_of(now: Timestamp) -> i32 {
    let minute = now.minute().0;
    minute.div_euclid(WEEK_MINUTES) * WEEK_MINUTES
}

impl Backend {
    /// Moves what is to be kept of a slot to the present week, and removes the slot's segments.
    pub(super) async fn keep(&self, slot: i32, now: Timestamp) -> Result<()> {
        let buckets = self.0.settings.bucket_numbers();
        let week = week_of(now);
        let bad: Arc<HashSet<TraceId>> = {
            let mut connection = self.0.pool.acquire().await?;
            Arc::new(kept::bad_traces(&mut connection, &buckets, slot).await?.into_iter().collect())
        };
        for bucket in buckets {
            while !self.stopping().is_cancelled() && self.keep_some(bucket, slot, week, &bad).await? {}
        }
        Ok(())
    }

    async fn keep_some(&self, bucket: i16, slot: i32, week: i32, bad: &Arc<HashSet<TraceId>>) -> Result<bool> {
        let mut tx = self.0.pool.begin().await?;
        let segments = kept::next(&mut tx, bucket, slot, SEGMENTS).await?;
        let Some((first, sli_version, _)) = segments.first() else { return Ok(false) };
        let place = Place { bucket, slot: week, part: Part::Kept, id: first.id, sli_version: *sli_version };
        let places: Vec<_> = segments.iter().map(|(segment, ..)| *segment).collect();
        let bad = Arc::clone(bad);
        let rewritten = tokio::task::spawn_blocking(move || {
            let mut spans: Vec<Span> = Vec::new();
            for (segment, _, body) in segments {
                let bad = Arc::clone(&bad);
                match decode_traces(body, segment.id, move |id| is_kept(id, &bad)) {
                    Ok(own) => spans.extend(own),
                    Err(fault) => tracing::error!(segment = segment.id, error = %crate::ingest::chain(&fault), "segment cannot be read; nothing of it is kept"),
                }
            }
            rewritten(&spans, place)
        })
        .await
        .map_err(|fault| Error::Internal(Box::new(fault)))??;
        if let Some((segment, fragments)) = rewritten {
            partition::create(&mut tx, week, Part::Kept).await?;
            ingest::insert_segment(&mut tx, &segment).await?;
            ingest::insert_fragments(&mut tx, &segment, &fragments).await?;
        }
        kept::remove(&mut tx, &places).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn is_kept(trace_id: &[u8], bad: &HashSet<TraceId>) -> bool {
    let Ok(id) = TraceId::from_bytes(trace_id) else { return false };
    bad.contains(&id) || xxh3_64(trace_id).is_multiple_of(GOOD_ONE_IN)
}
