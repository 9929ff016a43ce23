//! What goes on in the background, and how often: the rounds of [`crate::upkeep`], and following changes of SLOs.
//!
//! A failed round is logged, counted and tried again.

use std::future::Future;
use std::time::Duration;

use metrics::counter;
use tokio_util::task::TaskTracker;

use crate::{Backend, Result};

const AGENTS_EVERY: Duration = Duration::from_secs(1);
const FOLD_EVERY: Duration = Duration::from_secs(1);
const SLOTS_EVERY: Duration = Duration::from_mins(1);
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
const MERGE_EVERY: Duration = Duration::from_secs(5);
const BACKFILL_EVERY: Duration = Duration::from_secs(1);
const METRIC_SLIS_EVERY: Duration = Duration::from_secs(5);
const PROMETHEUS_EVERY: Duration = Duration::from_secs(5);
const EDGES_EVERY: Duration = Duration::from_secs(10);
const EVALUATE_EVERY: Duration = Duration::from_secs(10);

/// Starts the jobs; they end when the backend is stopped. Wait on the tracker before closing.
pub fn start(backend: &Backend) -> TaskTracker {
    let tasks = TaskTracker::new();
    spawn(&tasks, backend, "fold", FOLD_EVERY, |backend| async move { backend.fold_all().await.map(drop) });
    spawn(&tasks, backend, "slots", SLOTS_EVERY, |backend| async move { backend.keep_slots().await });
    spawn(&tasks, backend, "follow", FOLLOW_EVERY, |backend| async move { backend.follow_slos().await });
    spawn(&tasks, backend, "merge", MERGE_EVERY, |backend| async move { backend.merge_all().await.map(drop) });
    spawn(&tasks, backend, "backfill", BACKFILL_EVERY, |backend| async move { backend.backfill_all().await.map(drop) });
    spawn(&tasks, backend, "prometheus", PROMETHEUS_EVERY, |backend| async move { backend.count_prometheus().await.map(drop) });
    spawn(&tasks, backend, "metric-slis", METRIC_SLIS_EVERY, |backend| async move { backend.count_metric_slis().await.map(drop) });
    spawn(&tasks, backend, "edges", EDGES_EVERY, |backend| async move { backend.count_edges().await.map(drop) });
    spawn(&tasks, backend, "evaluate", EVALUATE_EVERY, |backend| async move { backend.judge_all().await.map(drop) });
    spawn(&tasks, backend, "agents", AGENTS_EVERY, |backend| async move {
        backend.find_overdue_agents().await?;
        backend.count_missed_heartbeats().await.map(drop)
    });
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
    /// Takes over SLOs that another instance changed.
    ///
    /// # Errors
    /// The database.
    pub async fn follow_slos(&self) -> Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        let version = slowburn_storage::slo::version(&mut connection).await?;
        if version != self.0.book.read().version() {
            drop(connection);
            self.reload_book().await?;
        }
        Ok(())
    }
}
