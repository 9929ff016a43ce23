//! A1: OTLP/gRPC, frame by frame. The status is in the trailers, and what would only fail again never gets a code that
//! senders repeat.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::Request;
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use slowburn_backend::settings::Settings;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use slowburn_test_support::{SpanBuilder, body, text};
use sqlx::PgPool;

use crate::app::{App, Port, Reply, ago};
use crate::otlp_http::{gzip, zstd};

const GRPC: &str = "application/grpc";

/// A length-prefixed message.
fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

async fn call(app: &App, path: &str, encoding: &str, body: Vec<u8>) -> Reply {
    let mut request = Request::post(path).header("content-type", GRPC).header("te", "trailers");
    if !encoding.is_empty() {
        request = request.header("grpc-encoding", encoding);
    }
    app.send(Port::OtlpGrpc, request.body(Body::from(body)).expect("a request")).await
}

/// The code in the trailers of a well-formed answer.
fn code(reply: &Reply) -> &str {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(GRPC)), "{reply:?}");
    assert_eq!(reply.header("grpc-status"), None, "the status comes after the message");
    reply.trailers["grpc-status"].to_str().expect("a number")
}

fn one_span(trace: u128) -> Vec<u8> {
    body("checkout", vec![SpanBuilder::new(trace, 1, ago(2)).build()])
}

#[sqlx::test(migrations = "../migrations")]
async fn a_call_is_answered_by_one_message_and_ok(pool: PgPool) {
    let app = App::new(pool).await;
    for (name, encoding, body) in [
        ("as it is", "", frame(0, &one_span(1))),
        ("gzip", "gzip", frame(1, &gzip(&one_span(2)))),
        ("zstd", "zstd", frame(1, &zstd(&one_span(3)))),
        ("not compressed although an encoding is named", "gzip", frame(0, &one_span(4))),
        ("empty", "", frame(0, b"")),
    ] {
        let reply = call(&app, EXPORT_TRACES, encoding, body).await;
        assert_eq!((code(&reply), reply.body.as_ref()), ("0", &frame(0, b"")[..]), "{name}: {reply:?}");
    }
    let mut found = app.find("").await;
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4]);

    let mut bad = SpanBuilder::new(5, 1, ago(2)).build();
    bad.span_id.clear();
    let reply = call(&app, EXPORT_TRACES, "", frame(0, &body("checkout", vec![bad, SpanBuilder::new(6, 1, ago(2)).build()]))).await;
    assert_eq!(code(&reply), "0");
    let partial = ExportTraceServiceResponse::decode(&reply.body[5..]).expect("an answer").partial_success.expect("set");
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("spans[0].span_id"), "{}", partial.error_message);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_would_fail_again_gets_a_code_that_is_not_repeated(pool: PgPool) {
    let limit = 4_096;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    let good = one_span(1);
    let large = vec![0; limit + 1];
    let far_too_large = frame(0, &vec![0; 64 * limit]);
    let mut announced = frame(0, &good);
    announced[1] = 0x7f;
    let metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    for (name, path, encoding, body, expected) in [
        ("a length beyond the body", EXPORT_TRACES, "", frame(0, &good)[..20].to_vec(), "3"),
        ("a length of two gigabytes", EXPORT_TRACES, "", announced, "3"),
        ("a second message", EXPORT_TRACES, "", [frame(0, &good), frame(0, &good)].concat(), "3"),
        ("no message", EXPORT_TRACES, "", Vec::new(), "3"),
        ("half a header", EXPORT_TRACES, "", vec![0, 0, 0], "3"),
        ("bytes that are no protobuf", EXPORT_TRACES, "", frame(0, b"\xff\xff\xff"), "3"),
        ("something else than gzip", EXPORT_TRACES, "gzip", frame(1, &good), "3"),
        ("an unknown encoding", EXPORT_TRACES, "snappy", frame(1, &good), "12"),
        ("compressed, nobody says how", EXPORT_TRACES, "", frame(1, &gzip(&good)), "12"),
        ("another service", metrics, "", frame(0, b""), "12"),
        ("another method", "/opentelemetry.proto.collector.trace.v1.TraceService/Import", "", frame(0, b""), "12"),
        ("one byte too many", EXPORT_TRACES, "", frame(0, &large), "8"),
        ("far too much", EXPORT_TRACES, "", far_too_large, "8"),
        ("too much after decompression", EXPORT_TRACES, "gzip", frame(1, &gzip(&large)), "8"),
        ("a bomb", EXPORT_TRACES, "zstd", frame(1, &zstd(&vec![0; 64 << 20])), "8"),
    ] {
        let reply = call(&app, path, encoding, body).await;
        assert_eq!(code(&reply), expected, "{name}: {reply:?}");
        assert!(reply.body.is_empty() && reply.trailers.contains_key("grpc-message"), "{name}");
        assert!(!reply.trailers.contains_key("grpc-status-details-bin"), "{name}: without RetryInfo");
    }
    let request = Request::post(EXPORT_TRACES).header("content-type", "application/json").body(Body::from("{}"));
    assert_eq!(code(&app.send(Port::OtlpGrpc, request.expect("a request")).await), "3");
    assert_eq!(app.find("").await, [] as [u128; 0]);
}

#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[sqlx::test(migrations = "../migrations")]
async fn a_full_server_is_unavailable_and_says_when_to_try_again(pool: PgPool) {
    let app = App::with(pool, Settings { in_flight_bytes: 1_024, ..Settings::default() }).await;
    let large = body("checkout", vec![SpanBuilder::new(1, 1, ago(2)).with(text("note", &"x".repeat(2_000))).build()]);
    let reply = call(&app, EXPORT_TRACES, "", frame(0, &large)).await;
    assert_eq!(code(&reply), "14");
    let details = STANDARD_NO_PAD.decode(&reply.trailers["grpc-status-details-bin"]).expect("base64");
    let status = Status::decode(&details[..]).expect("a Status");
    assert_eq!(status.code, 14);
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    // RetryInfo { retry_delay: Duration { seconds: 1 } } on the wire.
    assert_eq!(status.details[0].value, [0x0a, 2, 0x08, 1]);
}

#[sqlx::test(migrations = "../migrations")]
async fn on_the_wire_the_status_comes_as_http2_trailers(pool: PgPool) {
    let app = App::new(pool).await;
    let addr = app.listen(Port::OtlpGrpc).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    for (path, body, expected) in
        [(EXPORT_TRACES, frame(0, &one_span(1)), "0"), (EXPORT_TRACES, frame(0, b"\xff"), "3"), ("/a.B/C", frame(0, b""), "12")]
    {
        let sent = client.post(format!("http://{addr}{path}")).header("content-type", GRPC).body(body).send().await.expect("an answer");
        assert_eq!(sent.status(), 200);
        let collected = http::Response::<reqwest::Body>::from(sent).into_body().collect().await.expect("whole");
        assert_eq!(collected.trailers().expect("trailers")["grpc-status"], expected, "{path}");
    }
}
