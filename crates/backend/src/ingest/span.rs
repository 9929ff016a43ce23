//! OTLP's spans to ours, one by one. What is wrong with one is said by field.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::span::{Event, Kind, Link, Source, Span, Status, Value};
use slowburn_domain::time::Timestamp;

/// Records older than this are refused, seconds.
const OLDEST_SECONDS: i64 = 35 * 86_400;
/// Records further ahead of our clock than this are refused, seconds.
const FURTHEST_AHEAD_SECONDS: i64 = 600;
/// Longest name of a service, bytes. Service and operation are keys of tables, and a B-tree entry holds no more than about
/// 2,700 bytes; longer names are cut, their resource attribute is kept whole.
const LONGEST_SERVICE: usize = 256;
/// Longest name of an operation, bytes.
const LONGEST_OPERATION: usize = 1_024;
/// Name of the first field that is wrong, as protobuf writes it, and what is wrong with it.
pub(super) type Fault = (&'static str, String);

/// What all spans of a resource and scope share.
pub(super) fn source(resource: Vec<(String, Value)>, scope_name: String, scope_version: String) -> Arc<Source> {
    let service = resource
        .iter()
        .find(|(key, _)| key == "service.name")
        .map(|(_, value)| value.to_string())
        .filter(|name| !name.is_empty())
        .map_or_else(|| "unknown_service".to_owned(), |name| indexed_name(name, LONGEST_SERVICE));
    Arc::new(Source { service, resource, scope_name, scope_version })
}

/// A good span, as of `now`.
pub(super) fn span(span: proto::Span, source: &Arc<Source>, now: Timestamp) -> Result<Span, Fault> {
    let start = timestamp(span.start_time_unix_nano).ok_or(("start_time_unix_nano", "missing or out of range".to_owned()))?;
    let end = timestamp(span.end_time_unix_nano).ok_or(("end_time_unix_nano", "missing or out of range".to_owned()))?;
    // A clock set back during a span makes it end before it began; its work was still done.
    let end = end.max(start);
    check_time("end_time_unix_nano", end, now)?;
    let status = span.status.unwrap_or_default();
    Ok(Span {
        trace_id: TraceId::from_bytes(&span.trace_id).map_err(|fault| ("trace_id", fault.to_string()))?,
        span_id: SpanId::from_bytes(&span.span_id).map_err(|fault| ("span_id", fault.to_string()))?,
        parent_span_id: match span.parent_span_id.as_slice() {
            [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
            bytes => Some(SpanId::from_bytes(bytes).map_err(|fault| ("parent_span_id", fault.to_string()))?),
        },
        trace_state: span.trace_state,
        operation: indexed_name(span.name, LONGEST_OPERATION),
        kind: Kind::from_number(span.kind),
        status: Status::from_number(status.code),
        status_message: status.message,
        start,
        end,
        attributes: attributes(span.attributes),
        events: span
            .events
            .into_iter()
            .map(|event| Event {
                time: timestamp(event.time_unix_nano).unwrap_or(start),
                name: event.name,
                attributes: attributes(event.attributes),
            })
            .collect(),
        links: span
            .links
            .into_iter()
            .filter_map(|link| {
                Some(Link {
                    trace_id: TraceId::from_bytes(&link.trace_id).ok()?,
                    span_id: SpanId::from_bytes(&link.span_id).ok()?,
                    attributes: attributes(link.attributes),
                })
            })
            .collect(),
        source: Arc::clone(source),
        correlation_id: None,
        project_id: None,
        execution_id: None,
        weight: 1,
    })
}

/// Refuses what is too far from now to be true.
pub(super) fn check_time(field: &'static str, at: Timestamp, now: Timestamp) -> Result<(), Fault> {
    if at.since(now) > FURTHEST_AHEAD_SECONDS * 1_000_000_000 {
        return Err((field, format!("{at} is more than 10 minutes ahead of this server's clock")));
    }
    if now.since(at) > OLDEST_SECONDS * 1_000_000_000 {
        return Err((field, format!("{at} is more than 35 days ago")));
    }
    Ok(())
}

/// A name that PostgreSQL can hold and index: cut to `longest` bytes, without U+0000.
fn indexed_name(mut name: String, longest: usize) -> String {
    name.truncate(name.floor_char_boundary(longest));
    if name.contains('\0') { name.replace('\0', "") } else { name }
}

pub(super) fn timestamp(nanos: u64) -> Option<Timestamp> {
    i64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(Timestamp::from_nanos)
}

/// Attributes in the order they came; of a key that comes twice the last value counts, as in a map.
pub(super) fn attributes(pairs: Vec<KeyValue>) -> Vec<(String, Value)> {
    let mut out: Vec<(String, Value)> = Vec::with_capacity(pairs.len());
    let crowded = pairs.len() > 64;
    let mut positions = std::collections::HashMap::new();
    for pair in pairs {
        let value = value(pair.value);
        let known = if crowded { positions.get(&pair.key).copied() } else { out.iter().position(|(key, _)| *key == pair.key) };
        match known {
            Some(at) => out[at].1 = value,
            None => {
                if crowded {
                    positions.insert(pair.key.clone(), out.len());
                }
                out.push((pair.key, value));
            }
        }
    }
    out
}

pub(super) fn value(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => Value::String(text),
        Some(any_value::Value::BoolValue(truth)) => Value::Bool(truth),
        Some(any_value::Value::IntValue(number)) => Value::Int(number),
        Some(any_value::Value::DoubleValue(number)) if number.is_finite() => Value::Double(number),
        // JSON has no word for these.
        Some(any_value::Value::DoubleValue(number)) => Value::String(number.to_string()),
        Some(any_value::Value::ArrayValue(array)) => Value::Array(array.values.into_iter().map(|item| self::value(Some(item))).collect()),
        Some(any_value::Value::KvlistValue(list)) => Value::Map(attributes(list.values)),
        Some(any_value::Value::BytesValue(bytes)) => Value::String(BASE64.encode(bytes)),
        // Absent, or a reference into a table of strings that requests do not have.
        _ => Value::Null,
    }
}
