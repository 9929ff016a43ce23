//! What outlives its slot: the traces with a bad event for an SLI, and one in a hundred of the others, with what was logged in
//! them, for five weeks. So
//! the links from an SLO to its bad traces hold, and what burned the budget can still be asked, after raw records are gone.
//!
//! A trace is kept as far as it arrived in the slot. Runs on a slot that is past retention, before it is dropped.

use std::collections::HashSet;
use std::sync::Arc;

use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogRecord;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::time::Timestamp;
use slowburn_storage::kept::Leaving;
use slowburn_storage::log;
use slowburn_storage::partition::{self, Part};
use slowburn_storage::segment::{decode_logs, decode_traces};
use slowburn_storage::{ingest, kept};
use xxhash_rust::xxh3::xxh3_64;

use crate::ingest::prepare::{LogSegment, Place, SpanSegment, rewritten, rewritten_logs};
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
        if segments.is_empty() {
            return Ok(false);
        }
        let places: Vec<_> = segments.iter().map(|leaving| leaving.segment).collect();
        let bad = Arc::clone(bad);
        let kept = tokio::task::spawn_blocking(move || kept_of(segments, week, &bad));
        let (spans, logs) = kept.await.map_err(|fault| Error::Internal(Box::new(fault)))??;
        if spans.is_some() || logs.is_some() {
            partition::create(&mut tx, week, Part::Kept).await?;
        }
        if let Some((segment, fragments)) = spans {
            ingest::insert_segment(&mut tx, &segment).await?;
            ingest::insert_fragments(&mut tx, &segment, &fragments).await?;
        }
        if let Some((segment, mentions)) = logs {
            ingest::insert_segment(&mut tx, &segment).await?;
            log::insert(&mut tx, &segment, &mentions).await?;
        }
        kept::remove(&mut tx, &places).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What stays of some segments of one bucket, each signal in a segment that bears the id of the first.
fn kept_of(
    segments: Vec<Leaving>,
    week: i32,
    bad: &Arc<HashSet<TraceId>>,
) -> std::result::Result<(Option<SpanSegment>, Option<LogSegment>), slowburn_storage::Error> {
    let mut places: [Option<Place>; Telemetry::ALL.len()] = [None; Telemetry::ALL.len()];
    let (mut spans, mut logs) = (Vec::new(), Vec::new());
    for Leaving { segment, signal, sli_version, body } in segments {
        let place = Place { bucket: segment.bucket, slot: week, part: Part::Kept, id: segment.id, sli_version };
        places[signal as usize].get_or_insert(place);
        let read = match signal {
            Telemetry::Spans => {
                let bad = Arc::clone(bad);
                decode_traces(body, segment.id, move |id| is_kept(id, &bad)).map(|own| spans.extend(own))
            }
            Telemetry::Logs => decode_logs(body, segment.id).map(|own| {
                let is_wanted = |record: &LogRecord| record.trace_id.is_some_and(|id| is_kept(id.as_bytes(), bad));
                logs.extend(own.into_iter().filter(is_wanted));
            }),
            // No SLI counts points as events, and no trace holds them: none outlives its slot.
            Telemetry::Metrics => Ok(()),
        };
        if let Err(fault) = read {
            tracing::error!(segment = segment.id, error = %crate::ingest::chain(&fault), "segment cannot be read; nothing of it is kept");
        }
    }
    let [span_place, log_place, _] = places;
    let spans = span_place.map(|place| rewritten(&spans, place)).transpose()?.flatten();
    let logs = log_place.map(|place| rewritten_logs(&logs, place)).transpose()?.flatten();
    Ok((spans, logs))
}

fn is_kept(trace_id: &[u8], bad: &HashSet<TraceId>) -> bool {
    let Ok(id) = TraceId::from_bytes(trace_id) else { return false };
    bad.contains(&id) || xxh3_64(trace_id).is_multiple_of(GOOD_ONE_IN)
}
