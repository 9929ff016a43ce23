//! Writes batches: a segment of each signal, their index rows, their counts and the keys of their requests in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use metrics::{counter, histogram};
use parking_lot::Mutex;
use slowburn_domain::metric::Series;
use slowburn_domain::signal::Telemetry;
use slowburn_storage::trace::SEGMENT_ID_CLOCK_SHIFT;
use slowburn_storage::{Error as StorageError, edge, ingest, log, metric, partition, red, rollup};
use sqlx::PgPool;
use tokio::sync::RwLock;
use uuid::Uuid;

use super::Refusal;
use super::lane::Waiting;
use super::prepare::{Flush, Outcome, Prepared, PreparedLogs, PreparedMetrics, PreparedSpans, prepare};
use super::records::Records;
use super::sli_set::{SliSet, Unknown};
use crate::clock::Clock;
use crate::settings::Settings;

/// Most classes a bucket remembers as being in the dictionary; forgetting costs an insert that does nothing.
const KNOWN_CLASSES: usize = 100_000;

/// How often values get groups for one flush: once for those that it holds, once for what fits in no other, once because somebody
/// else was faster.
pub(crate) const ADMISSIONS: usize = 5;

/// Gives values their groups; when it returns, the SLIs in use know them.
pub(crate) type Admit = Box<dyn Fn(Unknown) -> BoxFuture<'static, crate::Result<()>> + Send + Sync>;

/// Writes for all lanes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer(Arc<Inner>);

struct Inner {
    pool: PgPool,
    settings: Arc<Settings>,
    clock: Clock,
    slis: Arc<RwLock<Arc<SliSet>>>,
    admit: OnceLock<Admit>,
    /// Slots whose partitions are known to exist.
    slots: Mutex<HashSet<i32>>,
    /// Classes known to be in the dictionary, by bucket.
    classes: Mutex<HashMap<i16, HashSet<i64>>>,
    /// Series known to be in the dictionary of a slot, by bucket.
    series: Mutex<HashMap<i16, (i32, HashSet<i64>)>>,
    /// Tells instances and flushes of one millisecond apart in segment ids.
    sequence: AtomicU32,
    /// Records stored since somebody last asked.
    stored: AtomicU64,
}

type Requests = Arc<Vec<Records>>;

impl Writer {
    pub(super) fn new(pool: PgPool, settings: Arc<Settings>, clock: Clock, slis: Arc<RwLock<Arc<SliSet>>>) -> Self {
        let seed = Uuid::now_v7().as_u128() as u32;
        Self(Arc::new(Inner {
            pool,
            settings,
            clock,
            slis,
            admit: OnceLock::new(),
            slots: Mutex::default(),
            classes: Mutex::default(),
            series: Mutex::default(),
            sequence: AtomicU32::new(seed),
            stored: AtomicU64::new(0),
        }))
    }

    /// Says who gives values their groups. Before that, requests with values that have none are to be sent again.
    pub(super) fn use_admission(&self, admit: Admit) {
        let _ = self.0.admit.set(admit);
    }

    /// Counts records that were stored elsewhere.
    pub(super) fn add_stored(&self, records: u64) {
        self.0.stored.fetch_add(records, Ordering::Relaxed);
    }

    /// Records stored since this was last asked.
    pub(super) fn take_stored(&self) -> u64 {
        self.0.stored.swap(0, Ordering::Relaxed)
    }

    /// Writes a batch and answers its requests.
    pub(super) async fn write(&self, bucket: i16, mut batch: Vec<Waiting>) {
        // Two tries of one request may meet in one batch: the second is answered with the first.
        let mut keys = Vec::with_capacity(batch.len());
        let mut requests = Vec::with_capacity(batch.len());
        let mut seen = HashSet::with_capacity(batch.len());
        for waiting in &mut batch {
            let records = std::mem::replace(&mut waiting.records, Records::none(Telemetry::Spans));
            if seen.insert(waiting.key) {
                keys.push(waiting.key);
                requests.push(records);
            }
        }
        let requests = Arc::new(requests);
        let mut outcome = self.store(bucket, &keys, Arc::clone(&requests)).await;
        if outcome.as_ref().is_err_and(StorageError::is_missing_partition) {
            // The clock was set back to a slot whose open part is gone, or somebody dropped it by hand: make it anew.
            self.0.slots.lock().clear();
            self.0.series.lock().clear();
            outcome = self.store(bucket, &keys, requests).await;
        }
        if let Err(fault) = &outcome {
            tracing::error!(error = %chain(fault), bucket, "flush failed");
            counter!("slowburn_flush_failures_total").increment(1);
        }
        let answer = outcome.map_err(|_| Refusal::Unavailable);
        for waiting in batch {
            // A sender that has gone away will try again, and its key is known then.
            let _ = waiting.answer.send(answer.clone());
        }
    }

    async fn store(&self, bucket: i16, keys: &[Uuid], requests: Requests) -> Result<(), StorageError> {
        for _ in 0..ADMISSIONS {
            let Some(unknown) = self.try_to_store(bucket, keys, Arc::clone(&requests)).await? else { return Ok(()) };
            self.admit(unknown).await?;
        }
        Err(StorageError::ChangedMeanwhile)
    }

    /// Has values given their groups. Not while the SLIs are held: taking over new ones waits for those who hold them.
    pub(super) async fn admit(&self, unknown: Unknown) -> Result<(), StorageError> {
        let admitted = match self.0.admit.get() {
            Some(admit) => admit(unknown).await,
            None => Ok(()),
        };
        admitted.map_err(|fault| {
            tracing::error!(error = %chain(&fault), "no groups for new values");
            StorageError::ChangedMeanwhile
        })
    }

    /// Gives the values that must get a group first; nothing was written then.
    async fn try_to_store(&self, bucket: i16, keys: &[Uuid], requests: Requests) -> Result<Option<Unknown>, StorageError> {
        let began = std::time::Instant::now();
        // Held to the end of the commit: who changes the SLIs waits for flushes that use the old ones.
        let slis = self.0.slis.read().await;
        let slot = self.0.settings.slot_of(self.0.clock.now().minute());
        self.ensure_slot(slot).await?;
        let prepared = match self.prepare(bucket, slot, Arc::clone(&requests), Arc::clone(&slis), None).await? {
            Outcome::Prepared(prepared) => prepared,
            Outcome::Unknown(unknown) => return Ok(Some(unknown)),
        };
        let mut tx = self.0.pool.begin().await?;
        let new = ingest::insert_request_keys(&mut tx, bucket, slot, keys).await?;
        let prepared = if new.len() == keys.len() {
            prepared
        } else {
            counter!("slowburn_requests_repeated_total").increment((keys.len() - new.len()) as u64);
            if new.is_empty() {
                tx.rollback().await?;
                return Ok(None);
            }
            let kept: BTreeSet<usize> = keys.iter().enumerate().filter(|(_, key)| new.contains(key)).map(|(index, _)| index).collect();
            match self.prepare(bucket, slot, requests, Arc::clone(&slis), Some(kept)).await? {
                Outcome::Prepared(prepared) => prepared,
                Outcome::Unknown(unknown) => return Ok(Some(unknown)),
            }
        };
        let Prepared { spans, logs, metrics, counts } = *prepared;
        let mut unknown = Vec::new();
        let mut fresh = Vec::new();
        let mut records = 0;
        if let Some(PreparedSpans { stored, red, touched, bad, left_out }) = &spans {
            if let Some((segment, fragments)) = stored {
                unknown = self.unknown_classes(bucket, fragments);
                ingest::insert_classes(&mut tx, bucket, &unknown.iter().collect::<Vec<_>>()).await?;
                ingest::insert_segment(&mut tx, segment).await?;
                ingest::insert_fragments(&mut tx, segment, fragments).await?;
                ingest::insert_bad(&mut tx, segment.place(), bad).await?;
                edge::mark(&mut tx, bucket, touched).await?;
                records += segment.records;
            }
            red::append(&mut tx, bucket, slis.version, red).await?;
            records += left_out;
        }
        if let Some(PreparedLogs { segment, mentions, bad }) = &logs {
            ingest::insert_segment(&mut tx, segment).await?;
            log::insert(&mut tx, segment, mentions).await?;
            ingest::insert_bad(&mut tx, segment.place(), bad).await?;
            records += segment.records;
        }
        if let Some(PreparedMetrics { segment, series }) = &metrics {
            fresh = self.unknown_series(bucket, slot, series);
            metric::insert(&mut tx, bucket, slot, &fresh).await?;
            ingest::insert_segment(&mut tx, segment).await?;
            records += segment.records;
        }
        rollup::append(&mut tx, bucket, &counts).await?;
        tx.commit().await?;
        self.remember_classes(bucket, &unknown);
        self.remember_series(bucket, slot, &fresh);
        self.0.stored.fetch_add(records as u64, Ordering::Relaxed);
        counter!("slowburn_flushes_total").increment(1);
        if let Some(PreparedSpans { stored, left_out, .. }) = &spans {
            counter!("slowburn_spans_sampled_out_total").increment(*left_out as u64);
            if let Some((segment, _)) = stored {
                counter!("slowburn_segment_bytes_total").increment(segment.body.len() as u64);
                counter!("slowburn_spans_stored_total").increment(segment.records as u64);
                counter!("slowburn_error_spans_stored_total").increment(segment.errors as u64);
            }
        }
        if let Some(PreparedLogs { segment, .. }) = &logs {
            counter!("slowburn_segment_bytes_total").increment(segment.body.len() as u64);
            counter!("slowburn_log_records_stored_total").increment(segment.records as u64);
            counter!("slowburn_error_log_records_stored_total").increment(segment.errors as u64);
        }
        if let Some(PreparedMetrics { segment, .. }) = &metrics {
            counter!("slowburn_segment_bytes_total").increment(segment.body.len() as u64);
            counter!("slowburn_metric_points_stored_total").increment(segment.records as u64);
        }
        histogram!("slowburn_flush_duration_seconds").record(began.elapsed().as_secs_f64());
        histogram!("slowburn_flush_records").record(records as f64);
        Ok(None)
    }

    async fn prepare(
        &self,
        bucket: i16,
        slot: i32,
        requests: Requests,
        slis: Arc<SliSet>,
        only: Option<BTreeSet<usize>>,
    ) -> Result<Outcome, StorageError> {
        let flush = Flush { bucket, slot, ids: std::array::from_fn(|_| self.next_segment_id()) };
        let settings = Arc::clone(&self.0.settings);
        tokio::task::spawn_blocking(move || {
            let chosen: Vec<&Records> = requests
                .iter()
                .enumerate()
                .filter(|(index, _)| only.as_ref().is_none_or(|only| only.contains(index)))
                .map(|(_, records)| records)
                .collect();
            prepare(&chosen, &slis, &settings.sampling, flush)
        })
        .await
        .map_err(|_| StorageError::Database(sqlx::Error::WorkerCrashed))?
    }

    /// Milliseconds of the clock, then 22 bits that no two flushes of that millisecond share.
    fn next_segment_id(&self) -> i64 {
        let low = i64::from(self.0.sequence.fetch_add(1, Ordering::Relaxed)) & ((1 << SEGMENT_ID_CLOCK_SHIFT) - 1);
        self.0.clock.now().millis() << SEGMENT_ID_CLOCK_SHIFT | low
    }

    async fn ensure_slot(&self, slot: i32) -> Result<(), StorageError> {
        if self.0.slots.lock().contains(&slot) {
            return Ok(());
        }
        let mut tx = self.0.pool.begin().await?;
        partition::create_slot(&mut tx, slot).await?;
        tx.commit().await?;
        self.0.slots.lock().insert(slot);
        Ok(())
    }

    fn unknown_classes(&self, bucket: i16, fragments: &[slowburn_domain::trace::Fragment]) -> Vec<slowburn_domain::trace::SpanClass> {
        let mut known = self.0.classes.lock();
        let known = known.entry(bucket).or_default();
        let mut fresh = HashSet::new();
        fragments
            .iter()
            .flat_map(|fragment| &fragment.classes)
            .filter(|class| {
                let number = ingest::class_number(class);
                !known.contains(&number) && fresh.insert(number)
            })
            .cloned()
            .collect()
    }

    fn unknown_series(&self, bucket: i16, slot: i32, series: &[Arc<Series>]) -> Vec<Arc<Series>> {
        let known = self.0.series.lock();
        let known = known.get(&bucket).filter(|(of, _)| *of == slot).map(|(_, known)| known);
        series.iter().filter(|series| known.is_none_or(|known| !known.contains(&series.id))).cloned().collect()
    }

    fn remember_series(&self, bucket: i16, slot: i32, series: &[Arc<Series>]) {
        let mut known = self.0.series.lock();
        let (of, known) = known.entry(bucket).or_default();
        if *of != slot {
            known.clear();
            *of = slot;
        }
        known.extend(series.iter().map(|series| series.id));
    }

    fn remember_classes(&self, bucket: i16, classes: &[slowburn_domain::trace::SpanClass]) {
        let mut known = self.0.classes.lock();
        let known = known.entry(bucket).or_default();
        if known.len() + classes.len() > KNOWN_CLASSES {
            known.clear();
        }
        known.extend(classes.iter().map(ingest::class_number));
    }
}

/// An error and its causes in one line, for the log.
pub(crate) fn chain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
