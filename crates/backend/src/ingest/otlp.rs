//! OTLP's messages to our spans. A bad span is refused by name, its neighbours are kept.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::span::{Event, Kind, Link, Source, Span, Status, Value};
use slowburn_domain::time::Timestamp;

use super::Refusal;

/// Records older than this are refused, seconds.
const OLDEST_SECONDS: i64 = 35 * 86_400;
/// Records further ahead of our clock than this are refused, seconds.
const FURTHEST_AHEAD_SECONDS: i64 = 600;
/// Longest name of a service, bytes. Service and operation are keys of tables, and a B-tree entry holds no more than about
/// 2,700 bytes; longer names are cut, their resource attribute is kept whole.
const LONGEST_SERVICE: usize = 256;
/// Longest name of an operation, bytes.
const LONGEST_OPERATION: usize = 1_024;
/// How many faults are told apart in a reason; the rest is only counted.
const TOLD_FAULTS: usize = 5;

/// Faults of single records.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    count: u64,
    told: Vec<String>,
}

impl Faults {
    pub(super) fn add(&mut self, path: &str, reason: impl std::fmt::Display) {
        self.count += 1;
        if self.told.len() < TOLD_FAULTS {
            self.told.push(format!("{path}: {reason}"));
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn into_reason(self) -> String {
        let more = self.count.saturating_sub(self.told.len() as u64);
        let told = self.told.join("; ");
        if more > 0 { format!("{told}; and {more} more") } else { told }
    }
}

/// A decoded request and what was wrong with single spans of it.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) message: ExportTraceServiceRequest,
    pub(super) faults: Faults,
}

pub(super) fn from_protobuf(message: &[u8]) -> Result<Request, Refusal> {
    let message =
        ExportTraceServiceRequest::decode(message).map_err(|fault| Refusal::Malformed(format!("not an OTLP trace request: {fault}")))?;
    Ok(Request { message, faults: Faults::default() })
}

/// Maps every good span; files the others in `faults`. `clean` is given the attributes of every resource, once.
pub(super) fn spans(
    message: ExportTraceServiceRequest,
    now: Timestamp,
    faults: &mut Faults,
    mut clean: impl FnMut(&mut [(String, Value)]),
) -> Vec<Span> {
    let count = message.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
    let mut spans = Vec::with_capacity(count);
    for (r, resource_spans) in message.resource_spans.into_iter().enumerate() {
        let mut resource = attributes(resource_spans.resource.map(|resource| resource.attributes).unwrap_or_default());
        clean(&mut resource);
        let service = resource
            .iter()
            .find(|(key, _)| key == "service.name")
            .map(|(_, value)| value.to_string())
            .filter(|name| !name.is_empty())
            .map_or_else(|| "unknown_service".to_owned(), |name| indexed_name(name, LONGEST_SERVICE));
        for (s, scope_spans) in resource_spans.scope_spans.into_iter().enumerate() {
            let scope = scope_spans.scope.unwrap_or_default();
            let source = Arc::new(Source {
                service: service.clone(),
                resource: resource.clone(),
                scope_name: scope.name,
                scope_version: scope.version,
            });
            for (i, span) in scope_spans.spans.into_iter().enumerate() {
                match self::span(span, &source, now) {
                    Ok(span) => spans.push(span),
                    Err((field, reason)) => faults.add(&format!("resource_spans[{r}].scope_spans[{s}].spans[{i}].{field}"), reason),
                }
            }
        }
    }
    spans
}

type Fault = (&'static str, String);

fn span(span: proto::Span, source: &Arc<Source>, now: Timestamp) -> Result<Span, Fault> {
    let start = timestamp(span.start_time_unix_nano).ok_or(("start_time_unix_nano", "missing or out of range".to_owned()))?;
    let end = timestamp(span.end_time_unix_nano).ok_or(("end_time_unix_nano", "missing or out of range".to_owned()))?;
    // A clock set back during a span makes it end before it began; its work was still done.
    let end = end.max(start);
    if end.since(now) > FURTHEST_AHEAD_SECONDS * 1_000_000_000 {
        return Err(("end_time_unix_nano", format!("{end} is more than 10 minutes ahead of this server's clock")));
    }
    if now.since(end) > OLDEST_SECONDS * 1_000_000_000 {
        return Err(("end_time_unix_nano", format!("{end} is more than 35 days ago")));
    }
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
    })
}

/// A name that PostgreSQL can hold and index: cut to `longest` bytes, without U+0000.
fn indexed_name(mut name: String, longest: usize) -> String {
    name.truncate(name.floor_char_boundary(longest));
    if name.contains('\0') { name.replace('\0', "") } else { name }
}

fn timestamp(nanos: u64) -> Option<Timestamp> {
    i64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(Timestamp::from_nanos)
}

/// Attributes in the order they came; of a key that comes twice the last value counts, as in a map.
fn attributes(pairs: Vec<KeyValue>) -> Vec<(String, Value)> {
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

fn value(value: Option<AnyValue>) -> Value {
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
