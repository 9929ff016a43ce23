//! What senders and askers should not write, for tests of whatever reads it: texts, OTLP requests in both forms, nearly
//! right and quite wrong ones, filters and query strings.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use prost::Message as _;
use serde_json::Value;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::encode;

use crate::{SpanBuilder, request, to_json};

/// Texts as senders should not write them.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => ".{0,20}",
        1 => Just(String::new()),
        1 => Just("a\0b".to_owned()),
        1 => Just("%41%00%zz+%".to_owned()),
        1 => Just("é".repeat(3_000)),
        1 => Just("'; DROP TABLE segments; --".to_owned()),
        1 => "[a-z]{1,4}",
        1 => "-?[0-9]{1,25}",
        1 => "-[0-9]{1,20}[smhdw]",
        1 => baggage(),
    ]
    .boxed()
}

/// Values of `traceparent`, `baggage` and correlation headers, right and wrong ones.
pub fn baggage() -> BoxedStrategy<String> {
    let key = prop::sample::select(vec!["correlation_id", "project_id", "executionId", "baggage.correlation_id", "x", "", " "]);
    let member = (key, "[a-zA-Z0-9%=;, \"\\\\é]{0,12}").prop_map(|(key, value)| format!("{key}={value}"));
    prop_oneof![
        prop::collection::vec(member, 0..5).prop_map(|members| members.join(",")),
        "[0-9a-f]{2}-[0-9a-fA-F]{30,34}-[0-9a-f]{14,18}-[0-9a-f]{1,3}",
        "%[0-9a-zA-Z%]{0,3}",
    ]
    .boxed()
}

fn value() -> BoxedStrategy<any_value::Value> {
    let leaf = prop_oneof![
        text().prop_map(any_value::Value::StringValue),
        any::<bool>().prop_map(any_value::Value::BoolValue),
        any::<i64>().prop_map(any_value::Value::IntValue),
        // Numbers that every reader of JSON reads alike, and those that JSON has no digits for.
        any::<i16>().prop_map(|number| any_value::Value::DoubleValue(f64::from(number) / 2.0)),
        prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(any_value::Value::DoubleValue),
        any::<Vec<u8>>().prop_map(any_value::Value::BytesValue),
    ];
    leaf.prop_recursive(6, 12, 3, |inner| {
        let some = |value| AnyValue { value: Some(value) };
        let list = prop::collection::vec(inner.clone(), 0..3)
            .prop_map(move |values| any_value::Value::ArrayValue(ArrayValue { values: values.into_iter().map(some).collect() }));
        let map = prop::collection::vec((text(), inner), 0..3).prop_map(move |pairs| {
            let pair = |(key, value)| KeyValue { key, value: Some(some(value)), ..KeyValue::default() };
            any_value::Value::KvlistValue(KeyValueList { values: pairs.into_iter().map(pair).collect() })
        });
        prop_oneof![list, map]
    })
    .boxed()
}

fn attribute() -> BoxedStrategy<KeyValue> {
    let key = prop_oneof![
        3 => Just("correlation_id".to_owned()),
        1 => Just("project_id".to_owned()),
        1 => Just("http.request.header.baggage".to_owned()),
        2 => text()
    ];
    let value = prop::option::of(value()).prop_map(|value| AnyValue { value });
    (key, prop::option::of(value)).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }).boxed()
}

fn attributes(most: usize) -> BoxedStrategy<Vec<KeyValue>> {
    prop::collection::vec(attribute(), 0..most).boxed()
}

/// Requests that are OTLP, with times, texts and numbers from anywhere; the ids are good.
pub fn otlp_request(now: Timestamp) -> BoxedStrategy<ExportTraceServiceRequest> {
    let nanos = prop_oneof![3 => Just(now.nanos().cast_unsigned()), 1 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)];
    let texts = (text(), text(), text());
    let events = prop::collection::vec((any::<u64>(), text(), attributes(2)), 0..2);
    let links = prop::collection::vec((any::<Vec<u8>>(), any::<u64>(), attributes(2)), 0..2);
    (texts, nanos.clone(), nanos, any::<(u128, u64, i32, i32)>(), attributes(6), events, links)
        .prop_map(move |((service, name, state), start, end, (trace, span, kind, status), attributes, events, links)| {
            let mut built = SpanBuilder::new(trace, span, now).named(&name).failed().build();
            (built.start_time_unix_nano, built.end_time_unix_nano, built.kind, built.trace_state) = (start, end, kind, state);
            built.status.as_mut().expect("failed").code = status;
            built.attributes = attributes;
            built.events = events
                .into_iter()
                .map(|(time_unix_nano, name, attributes)| Event { time_unix_nano, name, attributes, ..Event::default() })
                .collect();
            built.links = links
                .into_iter()
                .map(|(trace_id, span, attributes)| Link { trace_id, span_id: span.to_be_bytes().to_vec(), attributes, ..Link::default() })
                .collect();
            request(&service, vec![built, SpanBuilder::new(1, span | 1, now).build()])
        })
        .boxed()
}

/// A sound message with some of its bytes overwritten and its end cut off.
pub fn damaged(message: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    (message, prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4), any::<prop::sample::Index>(), any::<bool>())
        .prop_map(|(mut bytes, blows, end, is_cut)| {
            for (place, byte) in blows {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let length = if is_cut { end.index(bytes.len()) } else { bytes.len() };
            bytes.truncate(length);
            bytes
        })
        .boxed()
}

/// Binary requests, damaged.
pub fn damaged_protobuf(now: Timestamp) -> BoxedStrategy<Vec<u8>> {
    damaged(otlp_request(now).prop_map(|message| message.encode_to_vec()).boxed())
}

/// JSON requests, damaged.
pub fn damaged_json(now: Timestamp) -> BoxedStrategy<Vec<u8>> {
    damaged(otlp_request(now).prop_map(|message| to_json(&message).to_string().into_bytes()).boxed())
}

/// Names of OTLP's JSON form.
const NAMES: [&str; 26] = [
    "resourceSpans",
    "scopeSpans",
    "spans",
    "resource",
    "scope",
    "attributes",
    "key",
    "value",
    "stringValue",
    "boolValue",
    "intValue",
    "doubleValue",
    "bytesValue",
    "arrayValue",
    "kvlistValue",
    "values",
    "traceId",
    "spanId",
    "parentSpanId",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "kind",
    "status",
    "code",
    "events",
    "links",
];

/// JSON with the right names in wrong places.
pub fn json(now: Timestamp) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        Just(Value::from("5b8efff798038103d269b633813fc60c")),
        Just(Value::from("eee19b7ec3c1b174")),
        Just(Value::from(now.nanos().to_string())),
    ];
    leaf.prop_recursive(9, 60, 5, move |inner| {
        let pairs = prop::collection::vec((prop::sample::select(&NAMES[..]), inner.clone()), 0..5);
        let object = pairs.prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        let wrapped = inner.clone().prop_map(|spans| serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}));
        prop_oneof![2 => prop::collection::vec(inner, 0..4).prop_map(Value::Array), 3 => object.prop_map(Value::Object), 2 => wrapped]
    })
    .boxed()
}

/// Words and signs of the filter language in any order: reaches further into its parser than random characters.
pub fn filter_words() -> BoxedStrategy<String> {
    const WORDS: [&str; 56] = [
        "service",
        "status",
        "attributes",
        "resource",
        "duration_ms",
        "http",
        "has",
        "size",
        "in",
        "matches",
        "startsWith",
        "exists",
        "map",
        "true",
        "null",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ".",
        ",",
        "?",
        ":",
        "!",
        "-",
        "+",
        "==",
        "!=",
        "<",
        "&&",
        "||",
        "\"a\"",
        "'b'",
        "r\"\\d\"",
        "b'x'",
        "1",
        "0x",
        "1.5",
        "2u",
        "\"\"\"",
        "\"",
        "\\",
        "//",
        "\n",
        " ",
        "`",
        "@",
        "é",
        "=",
        "for",
        "-9223372036854775808",
        "'a\\u0000'",
        "attributes['a']",
    ];
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..24)
        .prop_map(|words| words.join(if words.len() % 2 == 0 { " " } else { "" }))
        .boxed()
}

/// Names of query parameters, of a search for traces and of others.
const PARAMETERS: [&str; 19] = [
    "correlation_id",
    "project_id",
    "execution_id",
    "service",
    "operation",
    "status",
    "min_duration_ms",
    "max_duration_ms",
    "filter",
    "from",
    "to",
    "limit",
    "cursor",
    "step",
    "span",
    "row",
    "verbose",
    "q",
    "x",
];

/// Query strings: right names, hostile values, as they are or percent-encoded.
pub fn query_string() -> BoxedStrategy<String> {
    // What a URI cannot hold is left out of the raw form.
    let raw = text().prop_map(|text| text.chars().filter(|c| c.is_ascii_graphic() && !"#\"<>`{}|\\^".contains(*c)).collect::<String>());
    let cursor = any::<(i64, u128, i64)>().prop_map(|(start, id, as_of)| format!("{start}.{id:032x}.{as_of}"));
    let filter = filter_words().prop_map(|words| encode(&words));
    let time = prop_oneof!["-[0-9]{1,20}[smhdw]", "now-[0-9]{1,3}[smh]", "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00Z"];
    let value = prop_oneof![3 => raw, 3 => text().prop_map(|text| encode(&text)), 1 => cursor, 1 => time, 2 => filter];
    let pairs = prop::collection::vec((prop::sample::select(&PARAMETERS[..]), value), 0..5);
    pairs.prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")).boxed()
}
