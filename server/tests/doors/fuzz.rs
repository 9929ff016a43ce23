//! Whatever arrives, the server does not fail: arbitrary bytes at the OTLP doors, nearly right requests with hostile
//! contents, arbitrary query strings and paths. An answer of 5xx would blame us for what a client sent.
//!
//! A case that fails is printed; there is no shrinking, because the cases run on the test's own runtime.

use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use prost::Message as _;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::encode;
use slowburn_test_support::{SpanBuilder, request};
use sqlx::PgPool;

use crate::app::{App, JSON, PROTOBUF, Port, ago};
use crate::otlp_http::gzip;

const CASES: usize = 200;

/// The same cases in every run.
fn cases<T: Debug>(strategy: &BoxedStrategy<T>) -> impl Iterator<Item = T> {
    let mut runner = TestRunner::deterministic();
    (0..CASES).map(move |_| strategy.new_tree(&mut runner).expect("nothing is filtered out").current())
}

/// Texts as senders should not write them.
fn hostile_text() -> BoxedStrategy<String> {
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
    ]
    .boxed()
}

fn incompressible(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letter = |_| {
        // Xorshift, as Marsaglia gives it.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    (0..length).map(letter).collect()
}

fn attribute() -> BoxedStrategy<KeyValue> {
    let value = prop_oneof![
        hostile_text().prop_map(any_value::Value::StringValue),
        any::<i64>().prop_map(any_value::Value::IntValue),
        any::<f64>().prop_map(any_value::Value::DoubleValue),
        any::<Vec<u8>>().prop_map(any_value::Value::BytesValue),
    ];
    let key = prop_oneof![3 => Just("correlation_id".to_owned()), 1 => Just("project_id".to_owned()), 2 => hostile_text()];
    (key, value).prop_map(|(key, value)| KeyValue { key, value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }).boxed()
}

/// Requests that are OTLP, with times, texts and numbers from anywhere.
fn hostile_request(now: Timestamp) -> BoxedStrategy<ExportTraceServiceRequest> {
    let nanos = prop_oneof![3 => Just(now.nanos().cast_unsigned()), 1 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)];
    let texts = (hostile_text(), hostile_text(), hostile_text());
    (texts, nanos.clone(), nanos, any::<(u128, u64, i32, i32)>(), prop::collection::vec(attribute(), 0..6))
        .prop_map(move |((service, name, state), start, end, (trace, span, kind, status), attributes)| {
            let mut built = SpanBuilder::new(trace, span, now).named(&name).failed().build();
            (built.start_time_unix_nano, built.end_time_unix_nano, built.kind, built.trace_state) = (start, end, kind, state);
            built.status.as_mut().expect("failed").code = status;
            built.attributes = attributes;
            request(&service, vec![built, SpanBuilder::new(1, span | 1, now).build()])
        })
        .boxed()
}

/// A message with some of its bytes overwritten and its end cut off.
fn damaged(now: Timestamp) -> BoxedStrategy<Vec<u8>> {
    (hostile_request(now), prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4), any::<prop::sample::Index>(), any::<bool>())
        .prop_map(|(message, blows, end, is_cut)| {
            let mut bytes = message.encode_to_vec();
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

/// JSON with the right names in wrong places.
fn hostile_json() -> BoxedStrategy<serde_json::Value> {
    let leaf = prop_oneof![
        hostile_text().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
        Just(serde_json::Value::from("5b8efff798038103d269b633813fc60c")),
        Just(serde_json::Value::from(ago(1).nanos().to_string())),
    ];
    let names = prop::sample::select(vec![
        "resourceSpans",
        "scopeSpans",
        "spans",
        "resource",
        "scope",
        "attributes",
        "key",
        "value",
        "stringValue",
        "intValue",
        "doubleValue",
        "bytesValue",
        "arrayValue",
        "kvlistValue",
        "values",
        "traceId",
        "spanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "status",
        "code",
        "events",
    ]);
    leaf.prop_recursive(9, 60, 5, move |inner| {
        let pairs = prop::collection::vec((names.clone(), inner.clone()), 0..5);
        let object = pairs.prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        let wrapped = inner.clone().prop_map(|spans| serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}));
        prop_oneof![2 => prop::collection::vec(inner, 0..4).prop_map(serde_json::Value::Array), 3 => object.prop_map(serde_json::Value::Object), 2 => wrapped]
    })
    .boxed()
}

#[sqlx::test(migrations = "../migrations")]
async fn no_bytes_at_the_otlp_doors_are_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    for bytes in cases(&prop::collection::vec(any::<u8>(), 0..300).boxed()) {
        for (content_type, encoding) in [(PROTOBUF, ""), (JSON, ""), (PROTOBUF, "gzip"), (JSON, "zstd")] {
            let reply = app.export(Port::OtlpHttp, content_type, encoding, bytes.clone()).await;
            assert!(reply.status < 500, "{} for {content_type} {encoding}: {bytes:?}", reply.status);
        }
    }
    for bytes in cases(&damaged(ago(1))) {
        let reply = app.export(Port::OtlpHttp, PROTOBUF, "gzip", gzip(&bytes)).await;
        assert!(reply.status < 500, "{}: {bytes:?}", reply.status);
    }
    for value in cases(&hostile_json()) {
        let reply = app.export(Port::OtlpHttp, JSON, "", value.to_string()).await;
        assert!(reply.status < 500, "{}: {value}", reply.status);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn whatever_senders_write_into_spans_is_stored_folded_and_shown(pool: PgPool) {
    let app = App::new(pool).await;
    for message in cases(&hostile_request(ago(1))) {
        let reply = app.export(Port::OtlpHttp, PROTOBUF, "", message.encode_to_vec()).await;
        assert_eq!(reply.status, 200, "{message:?}");
    }
    app.backend.fold_all().await.expect("what was stored can be folded");
    for path in [
        "/",
        "/traces?limit=1000",
        "/api/v1/traces?limit=1000",
        "/api/v1/services?limit=1000",
        "/api/v1/traces/00000000000000000000000000000001",
        "/metrics",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn names_too_long_for_an_index_entry_stop_nobody(pool: PgPool) {
    let app = App::new(pool).await;
    // Too long for an entry of a B-tree, even compressed.
    let long = incompressible(6_000);
    let span = |trace: u128| SpanBuilder::new(trace, 1, ago(1));
    app.store(&long, vec![span(1).build()]).await;
    app.store("checkout", vec![span(2).named(&long).build()]).await;
    app.store("checkout", vec![span(3).with(slowburn_test_support::text("correlation_id", &long)).build()]).await;
    app.backend.fold_all().await.expect("what was stored can be folded");
    assert_eq!(app.find(&format!("correlation_id={}", encode(&long))).await, [3]);
    assert_eq!(app.get("/api/v1/services").await.json()["items"].as_array().map(Vec::len), Some(2));
}

#[sqlx::test(migrations = "../migrations")]
async fn bounds_further_back_than_time_are_no_fault_of_ours(pool: PgPool) {
    let app = App::new(pool).await;
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(1)).build()]).await;
    for seconds in [i64::MAX.cast_unsigned(), 1 << 63, u64::MAX] {
        assert_eq!(app.find(&format!("from=-{seconds}s")).await, [1], "{seconds}");
        assert_eq!(app.find(&format!("to=-{seconds}s")).await, [] as [u128; 0], "{seconds}");
    }
}

/// Query strings: right names, hostile values, as they are or percent-encoded.
fn query_string() -> BoxedStrategy<String> {
    let names = vec![
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
    // What a URI cannot hold is left out of the raw form.
    let raw =
        hostile_text().prop_map(|text| text.chars().filter(|c| c.is_ascii_graphic() && !"#\"<>`{}|\\^".contains(*c)).collect::<String>());
    let cursor = any::<(i64, u128, i64)>().prop_map(|(start, id, as_of)| format!("{start}.{id:032x}.{as_of}"));
    let filter = prop::sample::select(vec![
        "service",
        "duration_ms",
        "attributes['a']",
        "'a\\u0000'",
        "==",
        "&&",
        "!",
        "(",
        ")",
        "matches",
        "1",
        "-9223372036854775808",
    ]);
    let filter = prop::collection::vec(filter, 0..7).prop_map(|parts| encode(&parts.join(" ")));
    let value = prop_oneof![3 => raw, 3 => hostile_text().prop_map(|text| encode(&text)), 1 => cursor, 2 => filter];
    let pairs = prop::collection::vec((prop::sample::select(names), value), 0..5);
    pairs.prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")).boxed()
}

#[sqlx::test(migrations = "../migrations")]
async fn no_query_string_is_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(5)).failed().build()]).await;
    let paths = [
        "/api/v1/traces",
        "/api/v1/services",
        "/api/v1/slos",
        "/api/v1/slos/checkout/series",
        "/readyz",
        "/search",
        "/traces",
        "/slos/checkout",
        "/",
    ];
    for (number, query) in cases(&query_string()).enumerate() {
        // Pages cost more than answers of the API: each query meets the API, and one of the pages.
        for path in paths[..6].iter().chain([&paths[6 + number % 3]]) {
            let uri = format!("{path}?{query}");
            let reply = app.get(&uri).await;
            assert!(reply.status < 500, "{}: {uri}", reply.status);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn no_path_is_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    for text in cases(&hostile_text()) {
        let segment = encode(&text);
        for path in ["/slos/", "/traces/", "/c/", "/api/v1/slos/", "/api/v1/traces/", "/pkg/", "/"] {
            let uri = format!("{path}{segment}");
            let reply = app.get(&uri).await;
            assert!(reply.status < 500, "{}: {uri}", reply.status);
        }
    }
}
