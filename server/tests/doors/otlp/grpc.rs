//! What holds for OTLP over gRPC alone: frames, flags, encodings, types, trailers.

use ::http::Request;
use axum::body::Body;
use http_body_util::BodyExt as _;
use prost::Message as _;
use slowburn_backend::settings::Settings;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use sqlx::PgPool;

use super::{GRPC, Outcome, call, decoded, found, frame, grpc_code, gzip, one_span, outcome_of_grpc, outcome_of_http, zstd};
use crate::app::{App, JSON, PROTOBUF, Port};

fn message(trace: u128) -> Vec<u8> {
    one_span(trace).encode_to_vec()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_call_is_answered_by_one_message_and_ok(pool: PgPool) {
    let app = App::new(pool).await;
    for (name, encoding, body) in [
        ("as it is", "", frame(0, &message(1))),
        ("gzip", "gzip", frame(1, &gzip(&message(2)))),
        ("zstd", "zstd", frame(1, &zstd(&message(3)))),
        ("not compressed although an encoding is named", "gzip", frame(0, &message(4))),
        ("not compressed although an unknown encoding is named", "snappy", frame(0, &message(5))),
        ("empty", "", frame(0, b"")),
    ] {
        let reply = call(&app, EXPORT_TRACES, encoding, body).await;
        assert_eq!((grpc_code(&reply), reply.body.as_ref()), (0, &frame(0, b"")[..]), "{name}: {reply:?}");
    }
    // In as many pieces as there are bytes.
    let pieces = frame(0, &message(6)).into_iter().map(|byte| Ok::<_, std::convert::Infallible>(vec![byte]));
    let reply = call(&app, EXPORT_TRACES, "", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(outcome_of_grpc(&reply), Outcome::Stored);
    assert_eq!(found(&app).await, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_would_fail_again_gets_a_code_that_is_not_repeated(pool: PgPool) {
    let limit = 4_096;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    let good = message(1);
    let mut announced = frame(0, &good);
    announced[1] = 0x7f;
    let profiles = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
    let import = "/opentelemetry.proto.collector.trace.v1.TraceService/Import";
    for (name, path, encoding, body, expected, words) in [
        ("a length beyond the body", EXPORT_TRACES, "", frame(0, &good)[..20].to_vec(), 3, "ended early"),
        ("a second message", EXPORT_TRACES, "", [frame(0, &good), frame(0, &good)].concat(), 3, "more than one"),
        ("bytes behind an empty message", EXPORT_TRACES, "", vec![0, 0, 0, 0, 0, 7], 3, "more than one"),
        ("no message", EXPORT_TRACES, "", Vec::new(), 3, "no message"),
        ("half a header", EXPORT_TRACES, "", vec![0, 0, 0], 3, "no message"),
        ("bytes that are no protobuf", EXPORT_TRACES, "", frame(0, b"\xff\xff\xff"), 3, "not an OTLP request"),
        ("something else than gzip", EXPORT_TRACES, "gzip", frame(1, &good), 3, "not valid Gzip"),
        ("an unknown encoding", EXPORT_TRACES, "snappy", frame(1, &good), 12, "expected gzip or zstd"),
        // gRPC's document on compression wants INTERNAL here.
        ("compressed, nobody says how", EXPORT_TRACES, "", frame(1, &gzip(&good)), 13, "grpc-encoding"),
        ("compressed, as it is", EXPORT_TRACES, "identity", frame(1, &gzip(&good)), 13, "grpc-encoding"),
        ("a flag that there is not", EXPORT_TRACES, "gzip", frame(2, &gzip(&good)), 13, "flag"),
        ("another service", profiles, "", frame(0, b""), 12, "TraceService/Export"),
        ("another method", import, "", frame(0, b""), 12, "TraceService/Export"),
        ("a length of two gigabytes", EXPORT_TRACES, "", announced, 8, "larger than 4096"),
    ] {
        let reply = call(&app, path, encoding, body).await;
        assert_eq!(grpc_code(&reply), expected, "{name}: {reply:?}");
        let told = decoded(reply.trailers["grpc-message"].to_str().expect("printable"));
        assert!(reply.body.is_empty() && told.contains(words), "{name}: {told}");
    }
    // The message of an answer is percent-encoded: what is not ASCII in it, and the sign itself.
    let mut bad = one_span(1);
    bad.resource_spans[0].scope_spans[0].spans[0].trace_id = vec![1];
    let partial = outcome_of_grpc(&call(&app, EXPORT_TRACES, "", frame(0, &bad.encode_to_vec())).await);
    assert!(matches!(partial, Outcome::Partly(1, _)), "{partial:?}");
    assert_eq!(found(&app).await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_no_grpc_is_never_answered_by_200(pool: PgPool) {
    let app = App::new(pool).await;
    for content_type in ["application/grpc", "application/grpc+proto", "APPLICATION/GRPC", "application/grpc; charset=utf-8"] {
        let sent = Request::post(EXPORT_TRACES).header("content-type", content_type).body(Body::from(frame(0, b"")));
        assert_eq!(outcome_of_grpc(&app.send(Port::OtlpGrpc, sent.expect("a request")).await), Outcome::Stored, "{content_type}");
    }
    for (content_type, answered) in [
        (PROTOBUF, PROTOBUF),
        (JSON, JSON),
        ("text/plain", PROTOBUF),
        ("application/grpc-web", PROTOBUF),
        ("application/grpc+json", PROTOBUF),
        ("application/grpcx", PROTOBUF),
        ("", PROTOBUF),
    ] {
        // An SDK that speaks HTTP and was given the port of gRPC asks for the second path.
        for path in [EXPORT_TRACES, "/v1/traces"] {
            let sent = Request::post(path).header("content-type", content_type).body(Body::from(message(1))).expect("a request");
            let reply = app.send(Port::OtlpGrpc, sent).await;
            let Outcome::Unsupported(reason) = outcome_of_http(&reply, answered) else { panic!("{content_type} {path}: {reply:?}") };
            assert!(reply.status == 415 && reason.contains("gRPC"), "{reason}");
            assert!(reply.header("grpc-status").is_none() && reply.trailers.is_empty());
        }
    }
    assert_eq!(found(&app).await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deadline_is_the_callers_to_keep(pool: PgPool) {
    let app = App::new(pool).await;
    for (number, timeout) in (1..).zip(["10S", "0n", "1n", "99999999H", "123456789S", "soon", ""]) {
        let sent = Request::post(EXPORT_TRACES).header("content-type", GRPC).header("grpc-timeout", timeout);
        let reply = app.send(Port::OtlpGrpc, sent.body(Body::from(frame(0, &message(number)))).expect("a request")).await;
        assert_eq!(outcome_of_grpc(&reply), Outcome::Stored, "{timeout}");
    }
    assert_eq!(found(&app).await.len(), 7);
}

#[sqlx::test(migrations = "../migrations")]
async fn on_the_wire_the_status_comes_as_http2_trailers(pool: PgPool) {
    let app = App::new(pool).await;
    let addr = app.listen(Port::OtlpGrpc).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().expect("a client");
    for (path, body, expected) in
        [(EXPORT_TRACES, frame(0, &message(1)), "0"), (EXPORT_TRACES, frame(0, b"\xff"), "3"), ("/a.B/C", frame(0, b""), "12")]
    {
        let sent = client.post(format!("http://{addr}{path}")).header("content-type", GRPC).body(body).send().await.expect("an answer");
        assert_eq!(sent.status(), 200);
        let collected = ::http::Response::<reqwest::Body>::from(sent).into_body().collect().await.expect("whole");
        assert_eq!(collected.trailers().expect("trailers")["grpc-status"], expected, "{path}");
    }
}
