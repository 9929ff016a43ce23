//! Live traffic: a tracer provider for every process, with the SDK's default batch processor.
//!
//! The shop decides what happens and when; the SDK makes the spans, with the ids the shop has drawn, so that links and
//! parents fit together across processes and with the history.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_sdk::trace::{IdGenerator, Sampler, SdkTracer, SdkTracerProvider};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fleet::Process;
use super::measured::Figures;
use super::said::Lines;
use super::shop::Shop;
use super::sink::Finished;
use super::transport::Transport;
use super::world::World;

/// How often the shop is asked what has ended.
const TICK: Duration = Duration::from_millis(200);

/// After a longer sleep of the machine the shop begins anew: the queues could not hold what it missed.
const LONGEST_GAP: Duration = Duration::from_mins(3);

/// Time for the last spans to leave after the end.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(800);

/// Goes on at the pace of the clock until `shutdown`, then flushes.
pub(super) async fn run(
    mut shop: Shop,
    world: World,
    transport: &Transport,
    lines: &Lines,
    mut figures: Figures,
    now: fn() -> SystemTime,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let voices = Process::all().map(|process| Voice::new(process, transport)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let now = now();
        if shop.position() + LONGEST_GAP < now {
            tracing::warn!("the demo shop was asleep and begins anew");
            shop = Shop::observed_from(world, now);
            figures.restart(now);
        }
        let ended = shop.advance(now);
        if let Err(error) = lines.say(&ended).await {
            tracing::warn!(%error, "lines of the demo shop were not taken");
        }
        if let Err(error) = figures.measure(&ended, now).await {
            tracing::warn!(%error, "figures of the demo shop were not taken");
        }
        for finished in ended {
            voices[finished.process.index()].say(finished);
        }
    }
    flush(voices).await;
    Ok(())
}

/// Lets all providers send what they have, side by side.
async fn flush(voices: Vec<Voice>) {
    let mut flushing = JoinSet::new();
    for voice in voices {
        // Shutting down blocks its thread until the last export has ended or the time is up.
        flushing.spawn_blocking(move || voice.provider.shutdown_with_timeout(FLUSH_TIMEOUT));
    }
    while let Some(flushed) = flushing.join_next().await {
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the demo shop's last spans were not sent");
        }
    }
}

/// One process's tracer.
struct Voice {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    ids: PreparedIds,
}

impl Voice {
    fn new(process: Process, transport: &Transport) -> anyhow::Result<Self> {
        let ids = PreparedIds::default();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(transport.exporter(process)?)
            .with_id_generator(ids.clone())
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(process.resource())
            .build();
        let tracer = provider.tracer_with_scope(process.scope());
        Ok(Self { provider, tracer, ids })
    }

    /// Makes the span with the SDK and ends it.
    fn say(&self, finished: Finished) {
        let data = finished.span;
        let trace_id = data.span_context.trace_id();
        self.ids.prepare(trace_id, data.span_context.span_id());
        let parent = if data.parent_span_id == SpanId::INVALID {
            Context::new()
        } else {
            let parent = SpanContext::new(trace_id, data.parent_span_id, TraceFlags::SAMPLED, data.parent_span_is_remote, TraceState::NONE);
            Context::new().with_remote_span_context(parent)
        };
        let mut span = SpanBuilder::from_name(data.name)
            .with_kind(data.span_kind)
            .with_start_time(data.start_time)
            .with_attributes(data.attributes)
            .with_events(data.events.events)
            .with_links(data.links.links)
            .start_with_context(&self.tracer, &parent);
        span.set_status(data.status);
        span.end_with_timestamp(data.end_time);
    }
}

/// Gives the SDK the ids of the span that is made next.
#[derive(Clone, Debug)]
struct PreparedIds(Arc<Mutex<(TraceId, SpanId)>>);

impl Default for PreparedIds {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((TraceId::INVALID, SpanId::INVALID))))
    }
}

impl PreparedIds {
    fn prepare(&self, trace_id: TraceId, span_id: SpanId) {
        *self.0.lock().expect("nobody panics while holding two numbers") = (trace_id, span_id);
    }

    fn prepared(&self) -> (TraceId, SpanId) {
        *self.0.lock().expect("nobody panics while holding two numbers")
    }
}

impl IdGenerator for PreparedIds {
    fn new_trace_id(&self) -> TraceId {
        self.prepared().0
    }

    fn new_span_id(&self) -> SpanId {
        self.prepared().1
    }
}
