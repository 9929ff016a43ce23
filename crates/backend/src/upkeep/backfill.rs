//! Counting the past of SLIs that look at more than the RED rollup knows, from stored segments.
//!
//! A segment is counted by every SLI that is as old as its version or older. One that is younger counts it here, and the
//! segment's version is raised in the same transaction; what is being merged or counted by somebody else is passed over
//! and met in the next round. A crash undoes the transaction. Newest segments come first: they matter most.
//!
//! Where sampling left records out, those that are stored are counted as often as they weigh. Up to which minute an SLI has such
//! counts is written down with them, and its page says that they are estimates.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use metrics::counter;
use slowburn_domain::log::LogRecord;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::Span;
use slowburn_domain::storage::Backfill;
use slowburn_domain::time::Timestamp;
use slowburn_storage::backfill::{self, Uncounted};
use slowburn_storage::ingest::{self, BadTrace};
use slowburn_storage::rollup::{self, Deltas};
use slowburn_storage::segment::{decode, decode_logs};

use crate::ingest::prepare::{BadTraces, count_log, count_span};
use crate::ingest::{Counted, SliSet, Unknown};
use crate::slo::{KnownSlo, Past, SloBook};
use crate::{Backend, Error, Result};

/// Segments counted in one transaction.
const SEGMENTS: i64 = 16;
/// How often values get groups for the segments of one transaction; the next round goes on.
const ADMISSIONS: usize = 5;

impl Backend {
    /// Counts what younger SLIs have not counted. Gives how many segments were counted.
    ///
    /// # Errors
    /// The database.
    pub async fn backfill_all(&self) -> Result<u64> {
        let version = self.book().segments_counted_to();
        let mut counted = 0;
        for bucket in self.0.settings.bucket_numbers() {
            loop {
                let any = {
                    let mut connection = self.0.pool.acquire().await?;
                    backfill::any_uncounted(&mut connection, &[bucket], version).await?
                };
                if !any || self.stopping().is_cancelled() || !self.holds(&format!("backfill/{bucket}")).await? {
                    break;
                }
                match self.backfill_some(bucket, version).await {
                    // The rest is locked by others.
                    Ok(0) => break,
                    Ok(some) => counted += some,
                    Err(fault) if fault.is_conflict() => break,
                    Err(fault) => return Err(fault),
                }
            }
        }
        Ok(counted)
    }

    async fn backfill_some(&self, bucket: i16, version: i32) -> Result<u64> {
        for _ in 0..ADMISSIONS {
            match self.try_to_backfill(bucket, version).await? {
                Ok(counted) => return Ok(counted),
                // Not in the transaction: giving groups waits for flushes, which may wait for its connection.
                Err(unknown) => self.admit(unknown).await?,
            }
        }
        Ok(0)
    }

    /// Gives the values that must get a group first; nothing was written then.
    async fn try_to_backfill(&self, bucket: i16, version: i32) -> Result<std::result::Result<u64, Unknown>> {
        let mut tx = self.0.pool.begin().await?;
        let uncounted = backfill::lock_uncounted(&mut tx, bucket, version, SEGMENTS).await?;
        let places: Vec<_> = uncounted.iter().map(|segment| segment.segment).collect();
        let book = self.book();
        let counted =
            tokio::task::spawn_blocking(move || count(uncounted, &book)).await.map_err(|fault| Error::Internal(Box::new(fault)))?;
        let mut unknown = Unknown::new();
        for (slo, values) in counted.iter().flat_map(|segment| &segment.unknown) {
            unknown.entry(Arc::clone(slo)).or_default().extend(values.iter().cloned());
        }
        if !unknown.is_empty() {
            tx.rollback().await?;
            return Ok(Err(unknown));
        }
        let (mut deltas, mut estimates) = (Deltas::new(), BTreeMap::new());
        for (place, segment) in places.iter().zip(counted) {
            for (sli_id, minute) in segment.estimates.keys() {
                let latest = estimates.entry(*sli_id).or_insert(*minute);
                *latest = (*latest).max(*minute);
            }
            add(&mut deltas, segment.deltas);
            add(&mut deltas, segment.estimates);
            ingest::insert_bad(&mut tx, *place, &segment.bad).await?;
            backfill::mark_counted(&mut tx, *place, version).await?;
        }
        rollup::append(&mut tx, bucket, &deltas).await?;
        if !estimates.is_empty() {
            backfill::mark_estimates(&mut tx, &estimates).await?;
        }
        tx.commit().await?;
        counter!("slowburn_segments_backfilled_total").increment(places.len() as u64);
        Ok(Ok(places.len() as u64))
    }

    /// How far the counting of an SLO's past has come; `None` when all of it is counted.
    ///
    /// # Errors
    /// The database.
    pub async fn backfill_progress(&self, slo: &KnownSlo) -> Result<Option<Backfill>> {
        let buckets = self.0.settings.bucket_numbers();
        let mut connection = self.0.pool.acquire().await?;
        let is_counting = match slo.past() {
            Past::None => false,
            Past::Red => !backfill::red_waiting(&mut connection, &buckets, &[slo.sli_id]).await?.is_empty(),
            Past::Segments => backfill::any_uncounted(&mut connection, &buckets, slo.since_version).await?,
        };
        if !is_counting {
            return Ok(None);
        }
        let (remaining, stored) = backfill::remaining(&mut connection, &buckets, slo.since_version).await?;
        Ok(Some(Backfill { remaining, stored }))
    }

    /// Until when counts of an SLO are estimates made from a sample; `None` if all that its present window holds are exact.
    ///
    /// # Errors
    /// The database.
    pub async fn estimated_to(&self, slo: &KnownSlo, now: Timestamp) -> Result<Option<Timestamp>> {
        let leaves: Vec<i32> = slo.leaves().iter().map(|leaf| leaf.sli_id).collect();
        let latest = {
            let mut connection = self.0.pool.acquire().await?;
            backfill::latest_estimate(&mut connection, &leaves).await?
        };
        let first = slo.period(now.minute()).first;
        Ok(latest.filter(|latest| *latest >= first).map(|latest| latest.plus(1).start()))
    }
}

/// Adds counts to others.
fn add(to: &mut Deltas, deltas: Deltas) {
    for (key, counts) in deltas {
        let sum = to.entry(key).or_default();
        sum.good += counts.good;
        sum.total += counts.total;
    }
}

#[derive(Default)]
struct OfSegment {
    deltas: Deltas,
    /// The same of records that stand for others.
    estimates: Deltas,
    unknown: Unknown,
    bad: Vec<BadTrace>,
}

/// Counts segments by the SLIs that have not counted them. One that cannot be read counts nothing: it must not keep the
/// others, and its slot, from going on.
fn count(segments: Vec<Uncounted>, book: &SloBook) -> Vec<OfSegment> {
    let mut sets: HashMap<i32, SliSet> = HashMap::new();
    segments
        .into_iter()
        .map(|Uncounted { segment, signal, sli_version, body, .. }| {
            let set = sets.entry(sli_version).or_insert_with(|| book.younger_than(sli_version));
            let (mut counted, mut estimated, mut bad) = (Counted::default(), Counted::default(), BadTraces::default());
            let read = match signal {
                Telemetry::Spans => {
                    let count = |span: &Span| {
                        let counted = if span.weight > 1 { &mut estimated } else { &mut counted };
                        count_span(set, span, counted, &mut bad);
                    };
                    decode(body, segment.id).map(|spans| spans.iter().for_each(count))
                }
                Telemetry::Logs => {
                    let count = |records: Vec<LogRecord>| records.iter().for_each(|record| count_log(set, record, &mut counted, &mut bad));
                    decode_logs(body, segment.id).map(count)
                }
                Telemetry::Metrics => Ok(()),
            };
            if let Err(fault) = read {
                tracing::error!(segment = segment.id, error = %crate::ingest::chain(&fault), "segment cannot be read; it is not counted");
                counter!("slowburn_unreadable_segments_total").increment(1);
                return OfSegment::default();
            }
            for (slo, values) in estimated.unknown {
                counted.unknown.entry(slo).or_default().extend(values);
            }
            OfSegment { deltas: counted.deltas, estimates: estimated.deltas, unknown: counted.unknown, bad: bad.into_rows() }
        })
        .collect()
}
