//! Where journeys write their spans, and the traces they write them with.
//!
//! A journey opens a span, opens others below it, and closes it; a closed span goes to a [`Sink`] at once, so children
//! come before their parents, as they do from real services. Neither knows whether the span will be sent as history or
//! through a tracer.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use rand::Rng;
use rand::rngs::SmallRng;

use super::fleet::Process;
use super::world::{Incident, World, lognormal};

/// Takes finished spans.
pub(super) trait Sink {
    /// Takes one.
    fn record(&mut self, span: Finished);
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// Whose it is.
    pub(super) process: Process,
    /// When the first span of its trace began.
    pub(super) trace_start: SystemTime,
    /// The span as the SDK has it.
    pub(super) span: SpanData,
}

/// A trace being written.
pub(super) struct Trace<'a> {
    /// What happens around it.
    pub(super) world: &'a World,
    /// Chance.
    pub(super) rng: &'a mut SmallRng,
    sink: &'a mut dyn Sink,
    id: TraceId,
    start: SystemTime,
}

/// A span that has not ended.
pub(super) struct Open {
    process: Process,
    span: SpanData,
}

impl<'a> Trace<'a> {
    /// A new trace that begins at `start`.
    pub(super) fn new(world: &'a World, rng: &'a mut SmallRng, sink: &'a mut dyn Sink, start: SystemTime) -> Self {
        let id = TraceId::from(rng.random_range(1..=u128::MAX));
        Self { world, rng, sink, id, start }
    }

    /// Opens the first span.
    pub(super) fn root(&mut self, process: Process, kind: SpanKind, name: impl Into<Cow<'static, str>>) -> Open {
        let start = self.start;
        self.span(process, SpanId::INVALID, false, kind, name.into(), start)
    }

    /// Opens a span of the same process below `parent`.
    pub(super) fn child(&mut self, parent: &Open, kind: SpanKind, name: impl Into<Cow<'static, str>>, at: SystemTime) -> Open {
        self.span(parent.process, parent.span.span_context.span_id(), false, kind, name.into(), at)
    }

    /// Opens a span of another process that `caller`'s message or request reached.
    pub(super) fn remote(
        &mut self,
        caller: &Open,
        process: Process,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
        at: SystemTime,
    ) -> Open {
        self.span(process, caller.span.span_context.span_id(), true, kind, name.into(), at)
    }

    fn span(
        &mut self,
        process: Process,
        parent_span_id: SpanId,
        parent_span_is_remote: bool,
        span_kind: SpanKind,
        name: Cow<'static, str>,
        at: SystemTime,
    ) -> Open {
        let span_id = SpanId::from(self.rng.random_range(1..=u64::MAX));
        let span = SpanData {
            span_context: SpanContext::new(self.id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id,
            parent_span_is_remote,
            span_kind,
            name,
            start_time: at,
            end_time: at,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: process.scope(),
        };
        Open { process, span }
    }

    /// Ends a span and hands it over.
    pub(super) fn close(&mut self, open: Open, at: SystemTime) {
        let Open { process, mut span } = open;
        span.end_time = at.max(span.start_time);
        self.sink.record(Finished { process, trace_start: self.start, span });
    }

    /// A lognormal duration; see [`lognormal`].
    pub(super) fn about(&mut self, median_ms: f64, sigma: f64) -> Duration {
        lognormal(self.rng, median_ms, sigma)
    }

    /// True with the given probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// Whether `incident` is going on.
    pub(super) fn suffers(&self, incident: Incident, at: SystemTime) -> bool {
        self.world.suffers(incident, at)
    }
}

impl Open {
    /// Whose span it is.
    pub(super) const fn process(&self) -> Process {
        self.process
    }

    /// When it began.
    pub(super) const fn start(&self) -> SystemTime {
        self.span.start_time
    }

    /// What others need to refer to it.
    pub(super) fn context(&self) -> SpanContext {
        self.span.span_context.clone()
    }

    /// Adds an attribute; each key is set once.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        debug_assert!(self.span.attributes.iter().all(|attribute| attribute.key.as_str() != key), "{key} is set twice");
        self.span.attributes.push(KeyValue::new(key, value));
    }

    /// Adds an attribute that semantic conventions make a list of texts, as they do for HTTP headers.
    pub(super) fn set_list(&mut self, key: &'static str, value: String) {
        self.set(key, Value::Array(Array::String(vec![StringValue::from(value)])));
    }

    /// Refers to a span of another trace.
    pub(super) fn link(&mut self, context: SpanContext) {
        self.span.links.links.push(Link::with_context(context));
    }

    /// Marks it as failed.
    pub(super) fn fail(&mut self, error_type: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) {
        self.set("error.type", error_type.into());
        self.span.status = Status::error(message);
    }

    /// Adds the event that an exception leaves; it has no stack trace when `stacktrace` is empty.
    pub(super) fn exception(&mut self, at: SystemTime, kind: &'static str, message: &'static str, stacktrace: &'static str) {
        let mut attributes = vec![KeyValue::new("exception.type", kind), KeyValue::new("exception.message", message)];
        if !stacktrace.is_empty() {
            attributes.push(KeyValue::new("exception.stacktrace", stacktrace));
        }
        self.event(at, "exception", attributes);
    }

    /// Adds any other event.
    pub(super) fn event(&mut self, at: SystemTime, name: &'static str, attributes: Vec<KeyValue>) {
        self.span.events.events.push(Event::new(name, at, attributes, 0));
    }
}
