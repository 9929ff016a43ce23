//! Senders that are slow, that stop, and that go away: nobody else waits for them, nothing of them is stored by halves, and
//! what they send again is stored once.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::http::Request;
use axum::body::Body;
use futures::{StreamExt as _, stream};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use slowburn_backend::settings::Settings;
use slowburn_server::doors::listen::Patience;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use slowburn_test_support::{SpanBuilder, request, resource_spans, text};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{GRPC, Outcome, WIRES, Wire, export, found, frame, one_span, outcome_of_grpc, outcome_of_http, span};
use crate::app::{App, JSON, PROTOBUF, Port, ago};

/// The body of a request on `wire`.
fn body(wire: Wire, request: &ExportTraceServiceRequest) -> Vec<u8> {
    if wire == Wire::Grpc { frame(0, &wire.message(request)) } else { wire.message(request) }
}

/// Sends a body that comes as it likes.
async fn send(app: &App, wire: Wire, body: Body) -> Outcome {
    let (port, path, content_type) = match wire {
        Wire::Protobuf => (Port::OtlpHttp, "/v1/traces", PROTOBUF),
        Wire::Json => (Port::OtlpHttp, "/v1/traces", JSON),
        Wire::Grpc => (Port::OtlpGrpc, EXPORT_TRACES, GRPC),
    };
    let reply = app.send(port, Request::post(path).header("content-type", content_type).body(body).expect("a request")).await;
    if wire == Wire::Grpc { outcome_of_grpc(&reply) } else { outcome_of_http(&reply, content_type) }
}

/// A body that gives `head`, says so when it is asked for more, and never ends.
fn unending(head: Vec<u8>) -> (Body, Arc<Notify>) {
    let asked = Arc::new(Notify::new());
    let tell = Arc::clone(&asked);
    let rest = stream::once(async move {
        tell.notify_one();
        std::future::pending::<Result<Vec<u8>, Infallible>>().await
    });
    (Body::from_stream(stream::iter([Ok(head)]).chain(rest)), asked)
}

fn padded(trace: u128, bytes: usize) -> ExportTraceServiceRequest {
    request("checkout", vec![SpanBuilder::new(trace, 1, ago(2)).with(text("note", &"x".repeat(bytes))).build()])
}

/// Spans in the database, however often they are there.
async fn stored(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT coalesce(sum(records), 0)::bigint FROM segments").fetch_one(pool).await.expect("counted")
}

/// As long as this transaction is open, nothing is committed.
pub(super) async fn held_up(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut blocker = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE request_keys IN ACCESS EXCLUSIVE MODE").execute(&mut *blocker).await.expect("locked");
    blocker
}

pub(super) async fn until_waiting(app: &App, records: usize) {
    while app.backend.ingest().waiting_records() != records {
        tokio::task::yield_now().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_may_come_byte_by_byte_and_nobody_waits_for_it(pool: PgPool) {
    let app = App::new(pool).await;
    for (w, wire) in (0..).zip(WIRES) {
        let waiting: Vec<_> = (0..50).map(|_| Box::pin(send(&app, wire, unending(vec![0; 5]).0))).collect();
        let waiting = futures::future::select_all(waiting);
        let pieces = stream::iter(body(wire, &one_span(2 * w + 1))).then(|byte| async move {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(vec![byte])
        });
        tokio::select! {
            biased;
            ended = waiting => panic!("{wire:?}: {:?}", ended.0),
            outcome = send(&app, wire, Body::from_stream(pieces)) => assert_eq!(outcome, Outcome::Stored, "{wire:?}"),
        }
        assert_eq!(export(&app, wire, "", wire.message(&one_span(2 * w + 2))).await, Outcome::Stored, "{wire:?}");
    }
    assert_eq!(found(&app).await, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_that_stands_still_is_given_up_with_its_room(pool: PgPool) {
    let patience = Patience { body: Duration::from_millis(50), ..Patience::default() };
    let settings = Settings { request_bytes: 8 << 10, in_flight_bytes: 8 << 10, ..Settings::default() };
    let app = App::with_patience(pool, settings, patience).await;
    for (number, wire) in (1..).zip(WIRES) {
        let whole = body(wire, &padded(number, 5 << 10));
        let outcome = send(&app, wire, unending(whole[..whole.len() - 1].to_vec()).0).await;
        assert_eq!(outcome, Outcome::Later("the body stood still for too long; try again".to_owned()), "{wire:?}");
        assert_eq!(export(&app, wire, "", wire.message(&padded(number, 5 << 10))).await, Outcome::Stored, "{wire:?}");
    }
    assert_eq!(found(&app).await, [1, 2, 3]);
}

#[sqlx::test(migrations = "../migrations")]
async fn bytes_take_room_as_they_arrive(pool: PgPool) {
    let settings = Settings { request_bytes: 8 << 10, in_flight_bytes: 8 << 10, ..Settings::default() };
    let app = App::with(pool, settings).await;
    for (number, wire) in (1..).zip(WIRES) {
        let message = wire.message(&padded(number, 4 << 10));
        let (half, asked) = unending(body(wire, &padded(1 << 100, 5 << 10))[..5 << 10].to_vec());
        {
            let mut arriving = Box::pin(send(&app, wire, half));
            tokio::select! {
                outcome = &mut arriving => panic!("{wire:?}: {outcome:?}"),
                () = asked.notified() => {}
            }
            let outcome = export(&app, wire, "", message.clone()).await;
            assert!(matches!(outcome, Outcome::Later(_)), "{wire:?}: {outcome:?}");
        }
        // Who had taken it is gone.
        assert_eq!(export(&app, wire, "", message).await, Outcome::Stored, "{wire:?}");
    }
    assert_eq!(found(&app).await, [1, 2, 3]);
}

#[sqlx::test(migrations = "../migrations")]
async fn of_a_body_cut_off_nothing_is_stored_and_its_retry_once(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    let two = |number| ExportTraceServiceRequest {
        resource_spans: vec![resource_spans("a", vec![span(number)]), resource_spans("b", vec![span(number)])],
    };
    // The first half is a sound message by itself.
    let half = |wire: Wire, number: u128| {
        let whole = body(wire, &two(number));
        let first = body(wire, &request("a", vec![span(number)])).len();
        whole[..if wire == Wire::Json { whole.len() - 3 } else { first }].to_vec()
    };
    let mut sent = 0;
    for wire in WIRES {
        sent += 1;
        let cut = stream::iter([Ok(half(wire, sent)), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
        let outcome = send(&app, wire, Body::from_stream(cut)).await;
        assert!(outcome.reason().contains("ended early"), "{wire:?}: {outcome:?}");
        assert_eq!(found(&app).await.len() as u128, sent - 1, "{wire:?}");
        for _ in 0..2 {
            assert_eq!(export(&app, wire, "", wire.message(&two(sent))).await, Outcome::Stored, "{wire:?}");
        }
        assert_eq!(stored(&pool).await, 2 * sent as i64, "{wire:?}");
    }
    let addr = app.listen(Port::OtlpHttp).await;
    for (wire, content_type) in [(Wire::Protobuf, PROTOBUF), (Wire::Json, JSON)] {
        let (whole, part) = (body(wire, &two(9)).len(), half(wire, 9));
        let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), &part, b"\r\n"].concat();
        for (length, part) in [(format!("content-length: {whole}"), part), ("transfer-encoding: chunked".to_owned(), chunk)] {
            let head = format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n{length}\r\n\r\n");
            let mut stream = TcpStream::connect(addr).await.expect("connected");
            stream.write_all(&[head.as_bytes(), &part].concat()).await.expect("written");
            stream.shutdown().await.expect("shut");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("closed");
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{length}: {}", String::from_utf8_lossy(&answer));
        }
    }
    assert_eq!(stored(&pool).await, 2 * sent as i64);
}

#[sqlx::test(migrations = "../migrations")]
async fn who_does_not_wait_for_the_answer_may_send_again(pool: PgPool) {
    let app = Arc::new(App::new(pool.clone()).await);
    for (number, wire) in (1..).zip(WIRES) {
        let message = wire.message(&one_span(number));
        let blocker = held_up(&pool).await;
        let sender = tokio::spawn({
            let (app, message) = (Arc::clone(&app), message.clone());
            async move { export(&app, wire, "", message).await }
        });
        until_waiting(&app, 1).await;
        sender.abort();
        assert!(sender.await.expect_err("gone").is_cancelled());
        blocker.rollback().await.expect("released");
        // What was in a lane is written, though nobody waits for it.
        until_waiting(&app, 0).await;
        assert_eq!(stored(&pool).await as u128, number, "{wire:?}");
        assert_eq!(export(&app, wire, "", message).await, Outcome::Stored, "{wire:?}");
        assert_eq!(stored(&pool).await as u128, number, "{wire:?}");
    }
    assert_eq!(found(&app).await, [1, 2, 3]);
}
