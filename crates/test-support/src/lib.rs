//! Builders for tests: OTLP requests with known contents, requests with contents from anywhere, and a clock moved by hand.

pub mod hostile;
mod json;
mod logs;
mod metrics;
pub mod prometheus;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use slowburn_domain::time::Timestamp;

pub use json::to_json;
pub use logs::{LogBuilder, log_body, log_request, logs_to_json};
pub use metrics::{CUMULATIVE, DELTA, counter, gauge, histogram, histogram_point, int_point, metric_body, metric_request, metrics_to_json};
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

/// A clock that stands still until it is moved.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.nanos())))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }

    /// Moves it.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

/// A text attribute.
pub fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    }
}

/// A whole-number attribute.
pub fn int(key: &str, value: i64) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(any_value::Value::IntValue(value)) }), ..KeyValue::default() }
}

/// An attribute with several texts.
pub fn texts(key: &str, values: &[&str]) -> KeyValue {
    let values = values.iter().map(|value| AnyValue { value: Some(any_value::Value::StringValue((*value).to_owned())) }).collect();
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values })) }),
        ..KeyValue::default()
    }
}

/// A span under construction. Ids are numbers; its end lies `duration_ms` after its start.
#[derive(Clone, Debug)]
pub struct SpanBuilder(Span);

impl SpanBuilder {
    /// A server span named `GET /`, 20 ms long, that begins at `start`.
    pub fn new(trace: u128, span: u64, start: Timestamp) -> Self {
        let start = start.nanos().cast_unsigned();
        Self(Span {
            trace_id: trace.to_be_bytes().to_vec(),
            span_id: span.to_be_bytes().to_vec(),
            name: "GET /".to_owned(),
            kind: 2,
            start_time_unix_nano: start,
            end_time_unix_nano: start + 20_000_000,
            ..Span::default()
        })
    }

    /// The span that caused it.
    #[must_use]
    pub fn parent(mut self, span: u64) -> Self {
        self.0.parent_span_id = span.to_be_bytes().to_vec();
        self
    }

    /// What it asks somebody with, or works on: a client, producer or consumer span in the place of a server span.
    #[must_use]
    pub fn of_kind(mut self, kind: SpanKind) -> Self {
        self.0.kind = kind.into();
        self
    }

    /// Its name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.0.name);
        self
    }

    /// Its length.
    #[must_use]
    pub fn lasting_ms(mut self, duration_ms: u64) -> Self {
        self.0.end_time_unix_nano = self.0.start_time_unix_nano + duration_ms * 1_000_000;
        self
    }

    /// It failed.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.0.status = Some(Status { code: 2, message: "it failed".to_owned() });
        self
    }

    /// An attribute.
    #[must_use]
    pub fn with(mut self, attribute: KeyValue) -> Self {
        self.0.attributes.push(attribute);
        self
    }

    /// The finished span.
    pub fn build(self) -> Span {
        self.0
    }
}

/// The spans of one service, as a part of a request.
pub fn resource_spans(service: &str, spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans {
        resource: Some(Resource { attributes: vec![text("service.name", service)], ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

/// A request with the spans of one service.
pub fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans: vec![resource_spans(service, spans)] }
}

/// The same, as the bytes that a sender writes.
pub fn body(service: &str, spans: Vec<Span>) -> Vec<u8> {
    request(service, spans).encode_to_vec()
}
