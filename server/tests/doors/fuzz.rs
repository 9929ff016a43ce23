//! Whatever arrives, the server does not fail: arbitrary bytes at the OTLP doors, nearly right requests with hostile
//! contents, arbitrary query strings and paths. An answer of 5xx would blame us for what a client sent.
//!
//! A case that fails is printed; there is no shrinking, because the cases run on the test's own runtime.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};
use prost::Message as _;
use slowburn_domain::url::encode;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use slowburn_test_support::{SpanBuilder, hostile};
use sqlx::PgPool;

use crate::app::{App, JSON, PROTOBUF, Port, ago};
use crate::otlp::{call, frame, grpc_code, gzip};

/// The same cases in every run: as many as `PROPTEST_CASES` asks for, 256 unless it does.
fn cases<T: Debug>(strategy: &BoxedStrategy<T>) -> impl Iterator<Item = T> {
    let mut runner = TestRunner::deterministic();
    (0..Config::default().cases).map(move |_| strategy.new_tree(&mut runner).expect("nothing is filtered out").current())
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

#[sqlx::test(migrations = "../migrations")]
async fn no_bytes_at_the_otlp_doors_are_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    for bytes in cases(&prop::collection::vec(any::<u8>(), 0..300).boxed()) {
        for (content_type, encoding) in [(PROTOBUF, ""), (JSON, ""), (PROTOBUF, "gzip"), (JSON, "zstd")] {
            let reply = app.export(Port::OtlpHttp, content_type, encoding, bytes.clone()).await;
            assert!(reply.status < 500, "{} for {content_type} {encoding}: {bytes:?}", reply.status);
        }
    }
    for bytes in cases(&hostile::damaged_protobuf(ago(1))) {
        let reply = app.export(Port::OtlpHttp, PROTOBUF, "gzip", gzip(&bytes)).await;
        assert!(reply.status < 500, "{}: {bytes:?}", reply.status);
    }
    for bytes in cases(&hostile::damaged_json(ago(1))) {
        let reply = app.export(Port::OtlpHttp, JSON, "", bytes.clone()).await;
        assert!(reply.status < 500, "{}: {}", reply.status, String::from_utf8_lossy(&bytes));
    }
    for bytes in cases(&prop_oneof![prop::collection::vec(any::<u8>(), 0..40), hostile::damaged_protobuf(ago(1))].boxed()) {
        for (flag, encoding) in [(0, ""), (1, "gzip"), (2, "")] {
            for body in [bytes.clone(), frame(flag, &bytes)] {
                let reply = call(&app, EXPORT_TRACES, encoding, body).await;
                assert_ne!(grpc_code(&reply), 14, "{bytes:?}");
            }
        }
    }
    for value in cases(&hostile::json(ago(1))) {
        let reply = app.export(Port::OtlpHttp, JSON, "", value.to_string()).await;
        assert!(reply.status < 500, "{}: {value}", reply.status);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn whatever_senders_write_into_spans_is_stored_folded_and_shown(pool: PgPool) {
    let app = App::new(pool).await;
    for message in cases(&hostile::otlp_request(ago(1))) {
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

#[sqlx::test(migrations = "../migrations")]
async fn no_query_string_is_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(5)).failed().build()]).await;
    let paths = [
        "/api/v1/traces",
        "/api/v1/services",
        "/api/v1/service-map",
        "/api/v1/slos",
        "/api/v1/slos/checkout/series",
        "/readyz",
        "/search",
        "/search/suggestions",
        "/traces",
        "/slos/checkout",
        "/",
    ];
    for (number, query) in cases(&hostile::query_string()).enumerate() {
        // Pages cost more than answers of the API: each query meets the API, and one of the pages.
        for path in paths[..8].iter().chain([&paths[8 + number % 3]]) {
            let uri = format!("{path}?{query}");
            let reply = app.get(&uri).await;
            assert!(reply.status < 500, "{}: {uri}", reply.status);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn no_path_is_answered_5xx(pool: PgPool) {
    let app = App::new(pool).await;
    for text in cases(&hostile::text()) {
        let segment = encode(&text);
        for path in ["/slos/", "/traces/", "/c/", "/api/v1/slos/", "/api/v1/traces/", "/pkg/", "/"] {
            let uri = format!("{path}{segment}");
            let reply = app.get(&uri).await;
            assert!(reply.status < 500, "{}: {uri}", reply.status);
        }
    }
}
