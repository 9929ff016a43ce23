//! Sends the hours before the first start through the OTLP door, oldest first.
//!
//! A stretch of ten minutes is written, sent in batches of the SDK's default size, and acknowledged before the next one
//! begins. Each process has one export under way at a time, as the SDK promises its exporters; a few processes send at
//! once. What the door cannot take now is sent again until it can; when it refuses for good, the history ends with an
//! error that says how far it came.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio_util::sync::CancellationToken;

use super::fleet::Process;
use super::measured::Figures;
use super::said::Lines;
use super::shop::Shop;
use super::sink::Finished;
use super::transport::Transport;

/// Time written and acknowledged at once.
const STRETCH: Duration = Duration::from_mins(10);

/// Spans in a request: the default of the SDK's batch processor.
const BATCH_SPANS: usize = 512;

/// Processes that send at once.
const SENDERS: usize = 4;

/// So close to now, live traffic takes over.
const CAUGHT_UP: Duration = Duration::from_secs(5);

/// Pause after a failed export: doubled each time, from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Time between two words about the progress.
const REPORTS: Duration = Duration::from_secs(5);

/// Time after which a batch is given up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sends all that has ended until now; returns early when `shutdown` is called.
pub(super) async fn send(
    shop: &mut Shop,
    transport: &Transport,
    lines: &Lines,
    figures: &mut Figures,
    now: fn() -> SystemTime,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let exporters = Process::all().map(|process| Ok(Arc::new(transport.exporter(process)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let started = Instant::now();
    let mut reported = started;
    let mut spans = 0;
    while shop.position() + CAUGHT_UP < now() {
        let to = now().min(shop.position() + STRETCH);
        let mut by_process = vec![Vec::new(); exporters.len()];
        let ended = shop.advance(to);
        say(lines, &ended).await;
        if let Err(error) = figures.measure(&ended, to).await {
            tracing::warn!(%error, "figures of the demo shop's history were not taken");
        }
        for finished in ended {
            by_process[finished.process.index()].push(finished.span);
        }
        let sending = stream::iter(exporters.clone().into_iter().zip(by_process))
            .map(|(exporter, spans)| send_in_batches(exporter, spans))
            .buffer_unordered(SENDERS)
            .try_fold(0, |sum, sent| async move { Ok(sum + sent) });
        let sent = tokio::select! {
            sent = sending => sent,
            () = shutdown.cancelled() => return Ok(()),
        };
        spans += sent.with_context(|| format!("the demo shop's history ends after {spans} spans"))?;
        if reported.elapsed() >= REPORTS {
            reported = Instant::now();
            tracing::info!(spans, elapsed_ms = elapsed_ms(started), "sending the demo shop's history");
        }
    }
    tracing::info!(spans, elapsed_ms = elapsed_ms(started), "sent the demo shop's history");
    Ok(())
}

/// Sends what is said; the spans, which come next, are what the history is about, so lines that are not taken are left out. So
/// are figures.
async fn say(lines: &Lines, ended: &[Finished]) {
    for part in ended.chunks(BATCH_SPANS * 8) {
        if let Err(error) = lines.say(part).await {
            tracing::warn!(%error, "lines of the demo shop's history were not taken");
        }
    }
}

/// Sends one process's spans, batch after batch; returns how many were acknowledged.
async fn send_in_batches(exporter: Arc<SpanExporter>, spans: Vec<SpanData>) -> anyhow::Result<usize> {
    for batch in spans.chunks(BATCH_SPANS) {
        send_batch(&exporter, batch).await?;
    }
    Ok(spans.len())
}

async fn send_batch(exporter: &SpanExporter, batch: &[SpanData]) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut pause = PAUSES.0;
    while let Err(error) = exporter.export(batch.to_vec()).await {
        if started.elapsed() > PATIENCE {
            return Err(error).context("the OTLP door takes no spans");
        }
        tracing::warn!(%error, spans = batch.len(), "cannot send the demo shop's history now, trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
    Ok(())
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
