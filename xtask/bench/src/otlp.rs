//! Spans as OTLP requests: protobuf bodies, made before anything is measured.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status};
use prost::Message as _;

use crate::spans::{Layout, SERVICES, Span, Value, Workload};

/// Spans in a request; the last one of a workload may hold fewer.
pub(crate) const REQUEST_SPANS: usize = 512;

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    /// Spans or log records in it.
    pub(crate) records: usize,
}

/// The requests of a workload, in the order of sending.
pub(crate) fn requests(workload: &Workload) -> Vec<Request> {
    requests_of(workload, REQUEST_SPANS)
}

/// The same with another number of spans in a request.
pub(crate) fn requests_of(workload: &Workload, size: usize) -> Vec<Request> {
    let mut requests = Vec::with_capacity(workload.spans() / size + SERVICES.len());
    let queues = if workload.layout == Layout::Together { 1 } else { SERVICES.len() };
    let mut waiting: Vec<Vec<Span>> = vec![Vec::with_capacity(size); queues];
    for span in workload.traces().flatten() {
        let queue = &mut waiting[if queues == 1 { 0 } else { span.service }];
        queue.push(span);
        if queue.len() == size {
            requests.push(request(std::mem::take(queue)));
        }
    }
    requests.extend(waiting.into_iter().filter(|queue| !queue.is_empty()).map(request));
    requests
}

/// One request with these spans.
pub(crate) fn request(spans: Vec<Span>) -> Request {
    let count = spans.len();
    let mut by_service: Vec<Vec<OtlpSpan>> = vec![Vec::new(); SERVICES.len()];
    for span in spans {
        by_service[span.service].push(otlp_span(span));
    }
    let resource_spans = by_service
        .into_iter()
        .enumerate()
        .filter(|(_, spans)| !spans.is_empty())
        .map(|(service, spans)| ResourceSpans {
            resource: Some(resource(SERVICES[service])),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "shop.instrumentation".to_owned(),
                    version: "2.4.0".to_owned(),
                    ..Default::default()
                }),
                spans,
                ..Default::default()
            }],
            ..Default::default()
        })
        .collect();
    Request { body: Bytes::from(ExportTraceServiceRequest { resource_spans }.encode_to_vec()), records: count }
}

/// Who sends.
pub(crate) fn resource(service: &str) -> Resource {
    let attributes = [
        ("service.name", service.to_owned()),
        ("service.version", "3.18.2".to_owned()),
        ("service.instance.id", format!("{service}-0")),
        ("deployment.environment.name", "production".to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
    ];
    let attributes = attributes.into_iter().map(|(key, value)| attribute(key, OtlpValue::StringValue(value))).collect();
    Resource { attributes, ..Default::default() }
}

fn otlp_span(span: Span) -> OtlpSpan {
    let attributes = span.attributes.into_iter().map(|(key, value)| attribute(key, otlp_value(value)));
    OtlpSpan {
        trace_id: span.trace_id.to_be_bytes().to_vec(),
        span_id: span.id.to_be_bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.to_be_bytes().to_vec()).unwrap_or_default(),
        name: span.operation,
        kind: span.kind,
        start_time_unix_nano: span.start_ns,
        end_time_unix_nano: span.start_ns + span.duration_ns,
        attributes: attributes.collect(),
        status: span.failed.then(|| Status { code: StatusCode::Error as i32, message: "upstream answered 500".to_owned() }),
        ..Default::default()
    }
}

/// A value as OTLP has it.
pub(crate) fn otlp_value(value: Value) -> OtlpValue {
    match value {
        Value::Text(text) => OtlpValue::StringValue(text.into_owned()),
        Value::Integer(number) => OtlpValue::IntValue(number),
    }
}

/// A pair as OTLP has it.
pub(crate) fn attribute(key: &str, value: OtlpValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn workload(layout: Layout) -> Workload {
        Workload { seed: 3, traces: 100, from_ns: 0, until_ns: 1_000_000_000, layout }
    }

    fn requests_by_trace(layout: Layout) -> HashMap<Vec<u8>, usize> {
        let mut by_trace = HashMap::new();
        for request in requests(&workload(layout)) {
            let message = ExportTraceServiceRequest::decode(request.body).expect("a message");
            let spans = message.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
            let mut ids: Vec<Vec<u8>> = spans.map(|span| span.trace_id.clone()).collect();
            assert_eq!(ids.len(), request.records);
            ids.sort();
            ids.dedup();
            for id in ids {
                *by_trace.entry(id).or_insert(0) += 1;
            }
        }
        by_trace
    }

    #[test]
    fn a_trace_comes_in_one_request_or_in_six() {
        for (layout, expected) in [(Layout::Together, 1), (Layout::Spread, 6)] {
            let by_trace = requests_by_trace(layout);
            assert_eq!(by_trace.len(), 100);
            assert!(by_trace.values().all(|requests| *requests == expected), "{layout:?}");
        }
    }

    #[test]
    fn every_span_is_in_a_request_once() {
        for layout in [Layout::Together, Layout::Spread] {
            assert_eq!(requests(&workload(layout)).iter().map(|request| request.records).sum::<usize>(), 800);
        }
    }
}
