//! A request in OTLP's JSON form, as SDKs write it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

/// The same request in JSON.
pub fn to_json(request: &ExportTraceServiceRequest) -> Value {
    let resource_spans = request.resource_spans.iter().map(|resource_spans| {
        let scope_spans = resource_spans.scope_spans.iter().map(|scope_spans| {
            let mut out = json!({"spans": scope_spans.spans.iter().map(span).collect::<Vec<_>>()});
            if let Some(scope) = &scope_spans.scope {
                out["scope"] = json!({"name": scope.name, "version": scope.version});
            }
            out
        });
        let mut out = json!({"scopeSpans": scope_spans.collect::<Vec<_>>()});
        if let Some(resource) = &resource_spans.resource {
            out["resource"] = json!({"attributes": attributes(&resource.attributes)});
        }
        out
    });
    json!({"resourceSpans": resource_spans.collect::<Vec<_>>()})
}

fn span(span: &Span) -> Value {
    let events = span.events.iter().map(|event| {
        let attributes = attributes(&event.attributes);
        json!({"timeUnixNano": event.time_unix_nano.to_string(), "name": event.name, "attributes": attributes})
    });
    let links = span.links.iter().map(|link| {
        let attributes = attributes(&link.attributes);
        json!({"traceId": hex(&link.trace_id), "spanId": hex(&link.span_id), "attributes": attributes})
    });
    let mut out = json!({
        "traceId": hex(&span.trace_id),
        "spanId": hex(&span.span_id),
        "parentSpanId": hex(&span.parent_span_id),
        "traceState": span.trace_state,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": attributes(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
    });
    if let Some(status) = &span.status {
        out["status"] = json!({"code": status.code, "message": status.message});
    }
    out
}

pub(crate) fn attributes(pairs: &[KeyValue]) -> Vec<Value> {
    pairs.iter().map(|pair| json!({"key": pair.key, "value": pair.value.as_ref().map(value)})).collect()
}

pub(crate) fn value(value: &AnyValue) -> Value {
    match &value.value {
        Some(any_value::Value::StringValue(text)) => json!({"stringValue": text}),
        Some(any_value::Value::BoolValue(truth)) => json!({"boolValue": truth}),
        Some(any_value::Value::IntValue(number)) => json!({"intValue": number.to_string()}),
        Some(any_value::Value::DoubleValue(number)) if number.is_finite() => json!({"doubleValue": number}),
        Some(any_value::Value::DoubleValue(number)) if number.is_nan() => json!({"doubleValue": "NaN"}),
        Some(any_value::Value::DoubleValue(number)) => json!({"doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" }}),
        Some(any_value::Value::BytesValue(bytes)) => json!({"bytesValue": BASE64.encode(bytes)}),
        Some(any_value::Value::ArrayValue(list)) => {
            json!({"arrayValue": {"values": list.values.iter().map(self::value).collect::<Vec<_>>()}})
        }
        Some(any_value::Value::KvlistValue(map)) => json!({"kvlistValue": {"values": attributes(&map.values)}}),
        _ => json!({}),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).expect("four bits");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
