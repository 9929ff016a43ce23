//! What holds for OTLP over HTTP alone: types, encodings, methods, paths, and when to try again.

use ::http::Request;
use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::body::Body;
use prost::Message as _;
use slowburn_backend::settings::Settings;
use slowburn_server::doors::rpc_status::RpcStatus;
use slowburn_test_support::{SpanBuilder, request, text};
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Outcome, Wire, found, gzip, one_span, outcome_of_http, zstd};
use crate::app::{App, JSON, PROTOBUF, Port, Reply, ago};

#[sqlx::test(migrations = "../migrations")]
async fn the_requests_type_is_the_answers_on_both_ports(pool: PgPool) {
    let app = App::new(pool).await;
    let rows = [
        (Wire::Protobuf, "application/x-protobuf", PROTOBUF, ""),
        (Wire::Protobuf, "APPLICATION/X-Protobuf", PROTOBUF, "identity"),
        (Wire::Protobuf, "application/x-protobuf; charset=utf-8", PROTOBUF, "none"),
        (Wire::Protobuf, " application/x-protobuf ", PROTOBUF, "gzip"),
        (Wire::Protobuf, PROTOBUF, PROTOBUF, "GZIP"),
        (Wire::Protobuf, PROTOBUF, PROTOBUF, "x-gzip"),
        (Wire::Protobuf, PROTOBUF, PROTOBUF, "zstd"),
        (Wire::Json, "application/json", JSON, ""),
        (Wire::Json, "application/json; charset=utf-8", JSON, "gzip"),
        (Wire::Json, "Application/JSON;charset=UTF-8", JSON, "zstd"),
    ];
    for (number, (wire, sent, expected, encoding)) in (1..).zip(rows) {
        let message = wire.message(&one_span(number));
        let packed = match encoding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip(&message),
            "zstd" => zstd(&message),
            _ => message,
        };
        // The second port sees a retry of the first one's request.
        for port in [Port::Main, Port::OtlpHttp] {
            let reply = app.export(port, sent, encoding, packed.clone()).await;
            assert_eq!(outcome_of_http(&reply, expected), Outcome::Stored, "{sent} {encoding}: {reply:?}");
        }
    }
    assert_eq!(found(&app).await, (1..=10).collect::<Vec<u128>>());
}

/// The `google.rpc.Status` that every refusal has, of a request that named no type of OTLP.
fn status(reply: &Reply) -> RpcStatus {
    assert_eq!(reply.header("content-type"), Some(PROTOBUF), "{reply:?}");
    RpcStatus::decode(reply.body.clone()).expect("a Status")
}

#[sqlx::test(migrations = "../migrations")]
async fn types_encodings_methods_and_paths_that_are_none_are_refused_with_a_status(pool: PgPool) {
    let app = App::new(pool).await;
    for port in [Port::Main, Port::OtlpHttp] {
        for content_type in ["text/plain", "application/protobuf", "application/jsonl", "application/grpc", "json", ""] {
            let reply = app.export(port, content_type, "", one_span(1).encode_to_vec()).await;
            assert_eq!(reply.status, 415, "{content_type}");
            assert!(status(&reply).message.contains("application/x-protobuf or application/json"), "{reply:?}");
        }
        let none = Request::post("/v1/traces").body(Body::from(one_span(1).encode_to_vec())).expect("a request");
        assert_eq!(app.send(port, none).await.status, 415);
        for encoding in ["br", "deflate", "snappy", "gzip, gzip", "gzip\u{e9}"] {
            for content_type in [PROTOBUF, JSON] {
                let reply = app.export(port, content_type, encoding, gzip(&one_span(1).encode_to_vec())).await;
                assert_eq!((reply.status, reply.header("accept-encoding")), (415, Some("gzip, zstd")), "{encoding}");
                let Outcome::Unsupported(reason) = outcome_of_http(&reply, content_type) else { panic!("{reply:?}") };
                assert!(reason.starts_with("content-encoding: "), "{reason}");
            }
        }
        for method in ["GET", "PUT", "DELETE"] {
            let asked = Request::builder().method(method).uri("/v1/traces").body(Body::empty()).expect("a request");
            let reply = app.send(port, asked).await;
            assert_eq!((reply.status, reply.header("allow"), status(&reply).code), (405, Some("POST"), 12), "{method}");
        }
        for path in ["/v1/metric", "/v1/log", "/v1/traces/", "/v1/development/profiles"] {
            let sent = Request::post(path).header(CONTENT_TYPE, PROTOBUF).body(Body::from("x")).expect("a request");
            let reply = app.send(port, sent).await;
            assert_eq!((reply.status, status(&reply).code), (404, 5), "{path}");
            assert!(status(&reply).message.contains(path), "{path}");
        }
    }
    assert_eq!(found(&app).await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_server_that_cannot_store_asks_to_be_tried_again_soon(pool: PgPool) {
    // Room for one small request: a larger one finds it full.
    let busy = App::with(pool.clone(), Settings { in_flight_bytes: 1_024, ..Settings::default() }).await;
    let away = App::new(pool.clone()).await;
    let large = request("checkout", vec![SpanBuilder::new(1, 1, ago(2)).with(text("note", &"x".repeat(2_000))).build()]);
    sqlx::query("ALTER TABLE request_keys RENAME TO gone").execute(&pool).await.expect("renamed");
    for wire in super::WIRES {
        for (app, words) in [(&busy, "too much is waiting"), (&away, "database")] {
            let outcome = super::export(app, wire, "", wire.message(&large)).await;
            let Outcome::Later(reason) = &outcome else { panic!("{wire:?}: {outcome:?}") };
            assert!(reason.contains(words), "{wire:?}: {reason}");
        }
    }
    sqlx::query("ALTER TABLE gone RENAME TO request_keys").execute(&pool).await.expect("renamed");
    for wire in super::WIRES {
        assert_eq!(super::export(&away, wire, "", wire.message(&large)).await, Outcome::Stored, "{wire:?}");
    }
    assert_eq!(found(&away).await, [1]);
}

#[sqlx::test(migrations = "../migrations")]
async fn whoever_writes_a_refused_body_to_its_end_can_read_why(pool: PgPool) {
    let limit = 4_096;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    // More than the buffers of both ends of a connection hold: answered early, the sender would still be writing.
    let body = vec![0; 32 << 20];
    for port in [Port::Main, Port::OtlpHttp] {
        let addr = app.listen(port).await;
        for (name, head, expected) in [
            ("announced too large", format!("content-type: {PROTOBUF}\r\ncontent-length: {}", body.len()), "413"),
            ("no type of OTLP", format!("content-type: text/plain\r\ncontent-length: {}", body.len()), "415"),
            ("no known encoding", format!("content-type: {JSON}\r\ncontent-encoding: br\r\ncontent-length: {}", body.len()), "415"),
        ] {
            let mut stream = tokio::net::TcpStream::connect(addr).await.expect("connected");
            let head = format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{head}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("written");
            stream.write_all(&body).await.unwrap_or_else(|fault| panic!("{name}: cut off while writing: {fault}"));
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            assert!(answer.starts_with(format!("HTTP/1.1 {expected} ").as_bytes()), "{name}: {}", String::from_utf8_lossy(&answer));
        }
        // Who asks first is told before it sends anything.
        let mut stream = tokio::net::TcpStream::connect(addr).await.expect("connected");
        let head = format!("content-type: {PROTOBUF}\r\ncontent-length: {}\r\nexpect: 100-continue", body.len());
        let head = format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    }
    let announced = Request::post("/v1/traces").header(CONTENT_TYPE, PROTOBUF).header(CONTENT_LENGTH, limit + 1).body(Body::empty());
    assert_eq!(app.send(Port::OtlpHttp, announced.expect("a request")).await.status, 413);
}
