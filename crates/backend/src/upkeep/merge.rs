//! Merging small segments, so that thin traffic costs little more room than dense traffic, and searches open few segments.
//!
//! In the running slot small segments are merged when enough of them wait and nobody waits for the lanes; once the slot has
//! closed, all of them are. The
//! merged segment takes the oldest id among those it replaces, so that pages of a search begun before find it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use metrics::{counter, histogram};
use slowburn_domain::id::TraceId;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::Fragment;
use slowburn_storage::database::make_repeatable;
use slowburn_storage::log::{self, Mention};
use slowburn_storage::merge::{self, Filed, Small, Waiting};
use slowburn_storage::partition::{self, Part};
use slowburn_storage::segment::{decode, decode_logs, decode_points};
use slowburn_storage::trace::last_segment_id;
use slowburn_storage::{Error as StorageError, ingest};
use uuid::Uuid;

use crate::ingest::prepare::{Place, rewritten, rewritten_logs, rewritten_points};
use crate::{Backend, Error, Result};

/// Most records of a merged segment. Larger ones would hardly be denser, and reading one trace takes longer the larger its
/// segments are: its spans lie all over them.
const MOST_RECORDS: i64 = 8_192;
/// Most segments merged at once.
const MOST_SEGMENTS: i64 = 4_096;
/// In the running slot segments are merged when so many records wait, …
const DUE_RECORDS: i64 = 16_384;
/// … or so many segments.
const DUE_SEGMENTS: i64 = 256;
/// Younger segments are left alone: a reader may just be looking for the newest.
const SETTLED: Duration = Duration::from_secs(15);
/// How long after its end a slot counts as closed: flushes that began in it have committed.
pub(super) const CLOSED_AFTER_SECONDS: i64 = 60;

impl Backend {
    /// Merges what is due. Gives how many segments were replaced.
    ///
    /// # Errors
    /// The database.
    pub async fn merge_all(&self) -> Result<u64> {
        let slots = {
            let mut connection = self.0.pool.acquire().await?;
            partition::slots(&mut connection).await?
        };
        let mut replaced = 0;
        for bucket in self.0.settings.bucket_numbers() {
            for slot in slots.iter().filter(|(_, parts)| parts.contains(&Part::Open)).map(|(slot, _)| *slot) {
                loop {
                    if self.stopping().is_cancelled() || !self.holds(&format!("merge/{bucket}")).await? {
                        return Ok(replaced);
                    }
                    match self.merge_some(bucket, slot, self.0.clock.now()).await {
                        Ok(0) => break,
                        Ok(some) => replaced += some,
                        Err(fault) if fault.is_conflict() => {
                            tracing::debug!(bucket, slot, "what was being merged changed meanwhile");
                            break;
                        }
                        Err(fault) => return Err(fault),
                    }
                }
            }
        }
        Ok(replaced)
    }

    /// Whether no flush can begin in a slot any more.
    pub(super) fn is_closed(&self, slot: i32, now: Timestamp) -> bool {
        let end = i64::from(slot.saturating_add(self.0.settings.slot_minutes())) * 60;
        end + CLOSED_AFTER_SECONDS <= now.seconds()
    }

    async fn merge_some(&self, bucket: i16, slot: i32, now: Timestamp) -> Result<u64> {
        let is_closed = self.is_closed(slot, now);
        let up_to = if is_closed { i64::MAX } else { last_segment_id(now.plus_seconds(-(SETTLED.as_secs().cast_signed()))) };
        let mut tx = self.0.pool.begin().await?;
        make_repeatable(&mut tx).await?;
        let Waiting { segments, records } = merge::waiting(&mut tx, bucket, slot, up_to).await?;
        let unreadable = self.unreadable();
        if segments <= unreadable.len().cast_signed() as i64
            || !is_closed && (self.0.ingest.waiting_records() > 0 || records < DUE_RECORDS && segments < DUE_SEGMENTS)
        {
            return Ok(0);
        }
        let began = std::time::Instant::now();
        let small = merge::oldest(&mut tx, bucket, slot, up_to, MOST_RECORDS, MOST_SEGMENTS, &unreadable).await?;
        let Some(first) = small.first() else { return Ok(0) };
        let place = Place { bucket, slot, part: Part::Sealed, id: first.id, sli_version: first.sli_version };
        let prepared = tokio::task::spawn_blocking(move || prepare(small, place)).await;
        let prepared = prepared.map_err(|fault| Error::Internal(Box::new(fault)))?;
        let Prepared { merged, replaced } = match prepared {
            Ok(prepared) => prepared,
            Err((id, fault)) => {
                tracing::error!(segment = id, bucket, slot, error = %crate::ingest::chain(&fault), "segment cannot be read; it is not merged");
                counter!("slowburn_unreadable_segments_total").increment(1);
                self.0.memory.unreadable.lock().insert(id);
                return Ok(0);
            }
        };
        let filed = match &merged {
            Merged::Nothing => return Ok(0),
            Merged::Spans(segment, fragments) => {
                ingest::insert_segment(&mut tx, segment).await?;
                ingest::insert_trace_rows(&mut tx, segment, fragments).await?;
                Filed::Spans(fragments)
            }
            Merged::Logs(segment, mentions, trace_ids) => {
                ingest::insert_segment(&mut tx, segment).await?;
                log::insert(&mut tx, segment, mentions).await?;
                Filed::Logs(trace_ids)
            }
            Merged::Points(segment) => {
                ingest::insert_segment(&mut tx, segment).await?;
                Filed::Points
            }
        };
        merge::replace(&mut tx, bucket, slot, &replaced, filed).await?;
        tx.commit().await?;
        counter!("slowburn_segments_merged_total").increment(replaced.len() as u64);
        histogram!("slowburn_merge_duration_seconds").record(began.elapsed().as_secs_f64());
        Ok(replaced.len() as u64)
    }

    fn unreadable(&self) -> Vec<i64> {
        self.0.memory.unreadable.lock().iter().copied().collect()
    }
}

struct Prepared {
    merged: Merged,
    replaced: Vec<i64>,
}

/// A merged segment and its index rows.
enum Merged {
    Nothing,
    Spans(ingest::NewSegment, Vec<Fragment>),
    /// With the traces that its records were said in.
    Logs(ingest::NewSegment, BTreeMap<Uuid, Mention>, Vec<TraceId>),
    Points(ingest::NewSegment),
}

fn prepare(small: Vec<Small>, place: Place) -> std::result::Result<Prepared, (i64, StorageError)> {
    let replaced = small.iter().map(|segment| segment.id).collect();
    let failed = |fault| (place.id, fault);
    let merged = match small.first().map_or(Telemetry::Spans, |segment| segment.signal) {
        Telemetry::Spans => match rewritten(&read(small, decode)?, place).map_err(failed)? {
            Some((segment, fragments)) => Merged::Spans(segment, fragments),
            None => Merged::Nothing,
        },
        Telemetry::Logs => {
            let records = read(small, decode_logs)?;
            match rewritten_logs(&records, place).map_err(failed)? {
                Some((segment, mentions)) => {
                    let traces: BTreeSet<TraceId> = records.iter().filter_map(|record| record.trace_id).collect();
                    Merged::Logs(segment, mentions, traces.into_iter().collect())
                }
                None => Merged::Nothing,
            }
        }
        Telemetry::Metrics => {
            rewritten_points(&read(small, decode_points)?, place).map_err(failed)?.map_or(Merged::Nothing, Merged::Points)
        }
    };
    Ok(Prepared { merged, replaced })
}

/// The records of some segments, or which of them cannot be read.
fn read<T>(
    small: Vec<Small>,
    decode: fn(Bytes, i64) -> std::result::Result<Vec<T>, StorageError>,
) -> std::result::Result<Vec<T>, (i64, StorageError)> {
    let mut records = Vec::with_capacity(small.iter().map(|segment| segment.records).sum());
    for segment in small {
        records.extend(decode(segment.body, segment.id).map_err(|fault| (segment.id, fault))?);
    }
    Ok(records)
}
