//! What goes on in the background: folding deltas, keeping slots, following changes of SLOs, telling open pages.
//!
//! Each job is a reconciler: it rereads the tables, may run twice, and can be stopped between two rounds. Folding is done
//! by the holder of a bucket's lease; two folders at once would cost work, not a wrong count. A failed round is logged,
//! counted and tried again.

use std::future::Future;
use std::time::Duration;

use metrics::{counter, gauge};
use slowburn_storage::{lease, partition, red, rollup};
use tokio_util::task::TaskTracker;

use crate::live::News;
use crate::{Backend, Result};

const FOLD_EVERY: Duration = Duration::from_secs(1);
const SLOTS_EVERY: Duration = Duration::from_mins(1);
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
const LEASE_SECONDS: f64 = 4.0;
/// Deltas folded in one transaction.
const FOLD_BATCH: i64 = 50_000;
/// Slots made ahead.
const SLOTS_AHEAD: i32 = 2;
/// How long minutes live: the longest usual window (90 days) and a week.
const MINUTES_LIVE: i32 = 97 * 1_440;
/// How long hours live: 13 months.
const HOURS_LIVE: i32 = 396 * 24;
/// How long days live: five years.
const DAYS_LIVE: i32 = 1_827;

/// Starts the jobs; they end when the backend is stopped. Wait on the tracker before closing.
pub fn start(backend: &Backend) -> TaskTracker {
    let tasks = TaskTracker::new();
    spawn(&tasks, backend, "fold", FOLD_EVERY, |backend| async move { backend.fold_all().await.map(drop) });
    spawn(&tasks, backend, "slots", SLOTS_EVERY, |backend| async move { backend.keep_slots().await });
    spawn(&tasks, backend, "follow", FOLLOW_EVERY, |backend| async move { backend.follow_slos().await });
    tasks.close();
    tasks
}

fn spawn<F>(tasks: &TaskTracker, backend: &Backend, name: &'static str, every: Duration, job: impl Fn(Backend) -> F + Send + 'static)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let backend = backend.clone();
    tasks.spawn(async move {
        let stop = backend.stopping().clone();
        loop {
            // On a task of its own, so that a panic ends a round and not the job.
            match tokio::spawn(job(backend.clone())).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => {
                    counter!("slowburn_job_failures_total", "job" => name).increment(1);
                    tracing::error!(job = name, error = %crate::ingest::chain(&fault), "job failed");
                }
                Err(fault) => {
                    counter!("slowburn_job_failures_total", "job" => name).increment(1);
                    tracing::error!(job = name, error = %fault, "job panicked");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = stop.cancelled() => return,
            }
        }
    });
}

impl Backend {
    /// Folds the deltas of every bucket whose lease this instance holds or can take. Gives how many were folded.
    ///
    /// # Errors
    /// The database.
    pub async fn fold_all(&self) -> Result<i64> {
        let mut folded = 0;
        for bucket in self.0.settings.bucket_numbers() {
            let mut connection = self.0.pool.acquire().await?;
            let fence = lease::acquire(&mut connection, &format!("fold/{bucket}"), self.0.instance, LEASE_SECONDS).await?;
            if fence.is_none() {
                continue;
            }
            loop {
                let moved = rollup::fold(&mut connection, bucket, FOLD_BATCH).await?;
                folded += moved;
                if moved < FOLD_BATCH {
                    break;
                }
            }
            drop(connection);
            let mut tx = self.0.pool.begin().await?;
            red::fold(&mut tx, bucket, FOLD_BATCH).await?;
            tx.commit().await?;
        }
        gauge!("slowburn_waiting_records").set(self.0.ingest.waiting_records() as f64);
        self.tell_news();
        counter!("slowburn_deltas_folded_total").increment(folded.cast_unsigned());
        Ok(folded)
    }

    fn tell_news(&self) {
        let at = self.0.clock.now();
        let stored = self.0.ingest.take_stored();
        if stored > 0 {
            self.0.live.tell(News::Arrived { at, spans: stored });
        }
        // SLO pages are read anew every five seconds whether or not something came: silence changes them too.
        if at.seconds() % 5 == 0 {
            self.0.live.tell(News::Evaluated { at });
        }
    }

    /// Makes the slots that come next and drops those whose records are past retention.
    ///
    /// # Errors
    /// The database.
    pub async fn keep_slots(&self) -> Result<()> {
        let settings = &self.0.settings;
        let now = self.0.clock.now().minute();
        let mut tx = self.0.pool.begin().await?;
        for ahead in 0..=SLOTS_AHEAD {
            partition::create_slot(&mut tx, settings.slot_of(now.plus(ahead * settings.slot_minutes()))).await?;
        }
        tx.commit().await?;
        let retention = i32::try_from(settings.retention_minutes).unwrap_or(i32::MAX);
        let slots = {
            let mut connection = self.0.pool.acquire().await?;
            partition::slots(&mut connection).await?
        };
        for slot in slots.into_iter().filter(|slot| slot.saturating_add(settings.slot_minutes()) <= now.0.saturating_sub(retention)) {
            let mut tx = self.0.pool.begin().await?;
            partition::drop_slot(&mut tx, slot).await?;
            tx.commit().await?;
            counter!("slowburn_slots_dropped_total").increment(1);
            tracing::info!(slot, "slot dropped");
        }
        let mut connection = self.0.pool.acquire().await?;
        rollup::expire(&mut connection, now.0 - MINUTES_LIVE, now.hour() - HOURS_LIVE, now.hour() / 24 - DAYS_LIVE).await?;
        Ok(())
    }

    /// Takes over SLOs that another instance changed.
    ///
    /// # Errors
    /// The database.
    pub async fn follow_slos(&self) -> Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        let version = slowburn_storage::slo::version(&mut connection).await?;
        if version != self.0.book.read().version() {
            self.reload_book(&mut connection).await?;
        }
        Ok(())
    }
}
