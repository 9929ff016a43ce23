//! Loopback is reachable from any page that a browser shows: what a foreign page sends is refused on every port, and
//! answers tell browsers to be careful.

use axum::body::Body;
use http::Request;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::app::{App, PROBLEM, PROTOBUF, Port, ago};

/// What a client says about itself, and whether it may read and write.
/// What the caller does, its headers, and whether GET and POST pass.
type Caller = (&'static str, &'static [(&'static str, &'static str)], bool, bool);
const CALLERS: [Caller; 15] = [
    ("a program on this machine", &[("host", "127.0.0.1:4318")], true, true),
    ("a program that says localhost", &[("host", "LOCALHOST:4318")], true, true),
    ("a program over IPv6", &[("host", "[::1]:4318")], true, true),
    ("a configured host", &[("host", "slo.example.org")], true, true),
    ("a page of ours", &[("host", "localhost"), ("origin", "http://localhost:3000"), ("sec-fetch-site", "same-origin")], true, true),
    ("a person who types the address", &[("host", "localhost"), ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], true, true),
    ("a followed link", &[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], true, false),
    ("no host", &[], false, false),
    ("a name that was bound anew to loopback", &[("host", "evil.example:4318")], false, false),
    ("a name that begins like ours", &[("host", "localhost.evil.example")], false, false),
    ("a name that ends like ours", &[("host", "evil.example@localhost:80")], false, false),
    ("a form on a foreign page", &[("host", "localhost"), ("origin", "https://evil.example")], false, false),
    ("a sandboxed page", &[("host", "localhost"), ("origin", "null")], false, false),
    ("a script of a foreign page", &[("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], false, false),
    (
        "a page of a neighbour's subdomain",
        &[("host", "localhost"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
        false,
        false,
    ),
];

fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    request
}

#[sqlx::test(migrations = "../migrations")]
async fn foreign_pages_are_refused_on_every_port(pool: PgPool) {
    let app = App::new(pool).await;
    for (name, headers, may_read, may_write) in CALLERS {
        for path in ["/", "/health", "/api/v1/slos", "/metrics", "/pkg/nothing.js", "/nowhere"] {
            let reply = app.send_raw(Port::Main, with(Request::get(path).body(Body::empty()).expect("a request"), headers)).await;
            assert_eq!(reply.status != 403, may_read, "{name}: {path}");
            if !may_read {
                assert_eq!(reply.header("content-type"), Some(PROBLEM), "{name}: {path}");
            }
        }
        let document = Request::put("/api/v1/openslo?dry_run=true").body(Body::from("{}")).expect("a request");
        assert_eq!(app.send_raw(Port::Main, with(document, headers)).await.status != 403, may_write, "{name}: PUT");
        for port in [Port::Main, Port::OtlpHttp] {
            let export = Request::post("/v1/traces").header("content-type", PROTOBUF).body(Body::empty()).expect("a request");
            assert_eq!(app.send_raw(port, with(export, headers)).await.status != 403, may_write, "{name}: {port:?}");
        }
        let call = Request::post(EXPORT_TRACES).header("content-type", "application/grpc").body(Body::from(vec![0; 5])).expect("a request");
        assert_eq!(app.send_raw(Port::OtlpGrpc, with(call, headers)).await.status != 403, may_write, "{name}: gRPC");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_refused_is_not_stored(pool: PgPool) {
    let app = App::new(pool).await;
    let spans = body("checkout", vec![SpanBuilder::new(1, 1, ago(5)).build()]);
    let export =
        Request::post("/v1/traces").header("content-type", PROTOBUF).header("origin", "https://evil.example").body(Body::from(spans));
    assert_eq!(app.send(Port::OtlpHttp, export.expect("a request")).await.status, 403);
    assert_eq!(app.find("").await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_carries_headers_that_keep_browsers_careful(pool: PgPool) {
    let app = App::new(pool).await;
    for path in ["/", "/slos/nope", "/api/v1/slos", "/api/v1/nope", "/health", "/metrics", "/pkg/nothing.js", "/v1/traces", "/search?q="] {
        let reply = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_sound_correlation_id_comes_back_and_otherwise_one_is_made(pool: PgPool) {
    let app = App::new(pool).await;
    let long = "x".repeat(129);
    for (name, sent, kept) in [
        ("x-correlation-id", "order-7", true),
        ("x-request-id", "req_42/é".trim_end_matches('é'), true),
        ("x-correlation-id", "", false),
        ("x-correlation-id", "two words", false),
        ("x-correlation-id", long.as_str(), false),
        ("x-something-else", "order-7", false),
    ] {
        for (port, path) in [(Port::Main, "/health"), (Port::Main, "/nope"), (Port::OtlpHttp, "/v1/traces"), (Port::OtlpGrpc, "/a.B/C")] {
            let request = Request::get(path).header(name, sent).body(Body::empty()).expect("a request");
            let reply = app.send(port, request).await;
            let answered = reply.header("x-correlation-id").expect("always there").to_owned();
            assert_eq!(answered == sent, kept, "{name}: {sent:?} became {answered:?}");
            // A version-7 UUID.
            assert!(kept || answered.len() == 36 && answered.as_bytes()[14] == b'7', "{answered}");
        }
    }
}
