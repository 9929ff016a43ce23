//! A1, A9: OTLP/HTTP to the letter of its specification.

use std::io::Write as _;

use axum::body::Body;
use http::Request;
use http::header::CONTENT_LENGTH;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use serde_json::{Value, json};
use slowburn_backend::settings::Settings;
use slowburn_domain::time::Timestamp;
use slowburn_server::doors::otlp_http::RpcStatus;
use slowburn_test_support::{SpanBuilder, body, text};
use sqlx::PgPool;

use crate::app::{App, JSON, PROTOBUF, Port, Reply, ago};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory")
}

fn one_span(trace: u128) -> Vec<u8> {
    body("checkout", vec![SpanBuilder::new(trace, 1, ago(2)).build()])
}

fn json_span(trace_id: &str, start: Timestamp) -> Value {
    json!({"traceId": trace_id, "spanId": "00000000000000Ab", "name": "GET /", "kind": 2,
        "startTimeUnixNano": start.nanos().to_string(), "endTimeUnixNano": start.nanos() + 1_000_000})
}

fn json_body(spans: &[Value]) -> Vec<u8> {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).to_string().into_bytes()
}

/// The `google.rpc.Status` of a refusal, read in the type that the answer has.
fn status_of(reply: &Reply) -> (i32, String) {
    match reply.header("content-type") {
        Some(PROTOBUF) => {
            let RpcStatus { code, message } = RpcStatus::decode(reply.body.clone()).expect("a Status");
            (code, message)
        }
        Some(JSON) => {
            let status = reply.json();
            (status["code"].as_i64().expect("a code") as i32, status["message"].as_str().expect("a message").to_owned())
        }
        other => panic!("a Status as {other:?}"),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_full_success_is_an_empty_answer_in_the_requests_type(pool: PgPool) {
    let app = App::new(pool).await;
    let start = ago(2);
    let mut extended: Value = serde_json::from_slice(&json_body(&[json_span("0000000000000000000000000000000a", start)])).expect("JSON");
    extended["futureField"] = json!({"deep": [1, 2]});
    extended["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["flags"] = json!(257);
    let cases: Vec<(&str, &str, &str, Vec<u8>)> = vec![
        ("protobuf", PROTOBUF, "", one_span(1)),
        ("protobuf, gzip", PROTOBUF, "gzip", gzip(&one_span(2))),
        ("protobuf, gzip in two members", PROTOBUF, "gzip", {
            let message = one_span(3);
            [gzip(&message[..9]), gzip(&message[9..])].concat()
        }),
        ("protobuf, zstd", PROTOBUF, "zstd", zstd(&one_span(4))),
        ("protobuf, encoding said to be identity", PROTOBUF, "identity", one_span(5)),
        ("json", JSON, "", json_body(&[json_span("00000000000000000000000000000006", start)])),
        ("json with a charset", "application/json; charset=utf-8", "", json_body(&[json_span("00000000000000000000000000000007", start)])),
        ("json, gzip", JSON, "gzip", gzip(&json_body(&[json_span("00000000000000000000000000000008", start)]))),
        ("json, zstd", JSON, "zstd", zstd(&json_body(&[json_span("00000000000000000000000000000009", start)]))),
        ("json with fields of a later version", JSON, "", extended.to_string().into_bytes()),
        ("json, ids in capitals", JSON, "", json_body(&[json_span("0000000000000000000000000000ABCD", start)])),
        ("an empty protobuf message", PROTOBUF, "", Vec::new()),
        ("an empty json message", JSON, "", b"{}".to_vec()),
        ("a json message without spans", JSON, "", br#"{"resourceSpans":[]}"#.to_vec()),
        ("a json message with nulls", JSON, "", br#"{"resourceSpans":null}"#.to_vec()),
    ];
    for (name, content_type, encoding, message) in cases {
        // The second port sees a retry of the first one's request.
        for port in [Port::Main, Port::OtlpHttp] {
            let reply = app.export(port, content_type, encoding, message.clone()).await;
            assert_eq!(reply.status, 200, "{name}: {reply:?}");
            let (kind, expected): (&str, &[u8]) = if content_type == PROTOBUF { (PROTOBUF, b"") } else { (JSON, b"{}") };
            assert_eq!((reply.header("content-type"), reply.body.as_ref()), (Some(kind), expected), "{name}");
        }
    }
    let mut found = app.find("").await;
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xabcd]);
    for id in ["0000000000000000000000000000abcd", "0000000000000000000000000000ABCD"] {
        let trace = app.get(&format!("/api/v1/traces/{id}")).await.json();
        assert_eq!((&trace["spans"][0]["span_id"], trace["spans"].as_array().map(Vec::len)), (&json!("00000000000000ab"), Some(1)), "{id}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_partial_success_counts_and_names_what_was_refused_and_keeps_the_rest(pool: PgPool) {
    let app = App::new(pool).await;
    let mut no_trace = SpanBuilder::new(1, 1, ago(2)).build();
    no_trace.trace_id.clear();
    let spans = vec![no_trace, SpanBuilder::new(2, 1, ago(2)).build(), SpanBuilder::new(3, 1, ago(36 * 86_400)).build()];
    let reply = app.export(Port::OtlpHttp, PROTOBUF, "", body("checkout", spans)).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(PROTOBUF)));
    let partial = ExportTraceServiceResponse::decode(reply.body).expect("an answer").partial_success.expect("set");
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.starts_with("resource_spans[0].scope_spans[0].spans[0].trace_id: "), "{}", partial.error_message);
    assert!(partial.error_message.contains("spans[2].end_time_unix_nano: "), "{}", partial.error_message);

    let good = json_span("00000000000000000000000000000004", ago(2));
    let reply = app.export(Port::OtlpHttp, JSON, "", json_body(&[json_span("xyz", ago(2)), good])).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(JSON)));
    // ProtoJSON writes 64-bit integers as texts.
    let expected = json!({"rejectedSpans": "1", "errorMessage": "resourceSpans[0].scopeSpans[0].spans[0].traceId: expected hex digits"});
    assert_eq!(reply.json(), json!({"partialSuccess": expected}));
    let mut found = app.find("").await;
    found.sort_unstable();
    assert_eq!(found, [2, 4]);
}

/// What is sent, its content type, its content encoding, the body; HTTP status, google.rpc.Code and words of the answer.
type Refused = (&'static str, &'static str, &'static str, Vec<u8>, u16, i32, &'static str);

#[sqlx::test(migrations = "../migrations")]
async fn a_refusal_is_a_status_in_the_requests_type_and_not_to_be_repeated(pool: PgPool) {
    let limit = 4_096;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    let large = body("checkout", vec![SpanBuilder::new(1, 1, ago(2)).with(text("note", &"x".repeat(limit))).build()]);
    let large_json = format!(r#"{{"note":"{}"}}"#, "x".repeat(limit)).into_bytes();
    let bomb = vec![0; 64 << 20];
    let cases: Vec<Refused> = vec![
        ("bytes that are no protobuf", PROTOBUF, "", b"\xff\xff\xff".to_vec(), 400, 3, "not an OTLP trace request"),
        ("a message cut off", PROTOBUF, "", one_span(1)[..20].to_vec(), 400, 3, "not an OTLP trace request"),
        ("no json", JSON, "", b"{".to_vec(), 400, 3, "not JSON"),
        ("nothing at all as json", JSON, "", Vec::new(), 400, 3, "not JSON"),
        ("a list", JSON, "", b"[]".to_vec(), 400, 3, "expected an object"),
        ("an object where a list belongs", JSON, "", br#"{"resourceSpans":{}}"#.to_vec(), 400, 3, "resourceSpans: expected a list"),
        ("json nested beyond reason", JSON, "", "[".repeat(2_000).into_bytes(), 400, 3, "not JSON"),
        ("something else than gzip", PROTOBUF, "gzip", one_span(1), 400, 3, "not valid Gzip"),
        ("something else than zstd", JSON, "zstd", b"{}".to_vec(), 400, 3, "not valid Zstd"),
        ("an unknown encoding", PROTOBUF, "br", one_span(1), 415, 3, "content-encoding"),
        ("an unknown encoding of json", JSON, "snappy", b"{}".to_vec(), 415, 3, "content-encoding"),
        ("a large message", PROTOBUF, "", large.clone(), 413, 8, "4096 bytes"),
        ("a large json message", JSON, "", large_json, 413, 8, "4096 bytes"),
        ("a message large after decompression", PROTOBUF, "gzip", gzip(&large), 413, 8, "4096 bytes"),
        ("a gzip bomb", PROTOBUF, "gzip", gzip(&bomb), 413, 8, "4096 bytes"),
        ("a zstd bomb", JSON, "zstd", zstd(&bomb), 413, 8, "4096 bytes"),
    ];
    for (name, content_type, encoding, message, http_status, code, words) in cases {
        let reply = app.export(Port::OtlpHttp, content_type, encoding, message).await;
        assert_eq!((reply.status, reply.header("content-type")), (http_status, Some(content_type)), "{name}: {reply:?}");
        let (told, message) = status_of(&reply);
        assert_eq!(told, code, "{name}");
        assert!(message.contains(words), "{name}: {message}");
        assert_eq!(reply.header("retry-after"), None, "{name}");
    }
    for content_type in ["text/plain", "application/protobuf", "application/jsonl", ""] {
        let reply = app.export(Port::OtlpHttp, content_type, "", one_span(1)).await;
        assert_eq!(reply.status, 415, "{content_type}");
    }
    let announced = Request::post("/v1/traces").header("content-type", PROTOBUF).header(CONTENT_LENGTH, limit + 1).body(Body::empty());
    assert_eq!(app.send(Port::OtlpHttp, announced.expect("a request")).await.status, 413);
    let reply = app.send(Port::OtlpHttp, Request::get("/v1/traces").body(Body::empty()).expect("a request")).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    assert_eq!(app.find("").await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_server_that_cannot_store_asks_to_be_tried_again_soon(pool: PgPool) {
    // Room for one small request: a larger one finds it full.
    let busy = App::with(pool.clone(), Settings { in_flight_bytes: 1_024, ..Settings::default() }).await;
    let large = body("checkout", vec![SpanBuilder::new(1, 1, ago(2)).with(text("note", &"x".repeat(2_000))).build()]);
    let away = App::new(pool.clone()).await;
    sqlx::query("ALTER TABLE request_keys RENAME TO gone").execute(&pool).await.expect("renamed");
    let as_json = json_body(&[json_span("00000000000000000000000000000002", ago(2))]);
    let padded = [as_json.clone(), vec![b' '; 2_000]].concat();
    for (name, app, content_type, message) in [
        ("busy", &busy, PROTOBUF, large.clone()),
        ("busy", &busy, JSON, padded),
        ("away", &away, PROTOBUF, large.clone()),
        ("away", &away, JSON, as_json.clone()),
    ] {
        let reply = app.export(Port::OtlpHttp, content_type, "", message).await;
        assert_eq!(
            (reply.status, reply.header("content-type"), reply.header("retry-after")),
            (503, Some(content_type), Some("1")),
            "{name}"
        );
        assert_eq!(status_of(&reply).0, 14, "{name}");
    }
    sqlx::query("ALTER TABLE gone RENAME TO request_keys").execute(&pool).await.expect("renamed");
    for (content_type, message) in [(PROTOBUF, large), (JSON, as_json)] {
        assert_eq!(away.export(Port::OtlpHttp, content_type, "", message).await.status, 200);
    }
    assert_eq!(away.find("").await.len(), 2);
}
