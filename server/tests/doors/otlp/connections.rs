//! Connections: what asks nothing is ended, what waits for its answer is not, and closing doors finish what they have.

use std::net::SocketAddr;
use std::time::Duration;

use slowburn_backend::settings::Settings;
use slowburn_server::doors::listen::Patience;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::senders::{held_up, until_waiting};
use super::{Wire, one_span};
use crate::app::{App, PROTOBUF, Port};

/// What is read from a connection on which `head` was written and nothing more.
async fn answer_to(addr: SocketAddr, head: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream.write_all(head).await.expect("written");
    let mut answer = Vec::new();
    // A connection may be ended by a reset as well.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[sqlx::test(migrations = "../migrations")]
async fn connections_that_ask_nothing_are_ended(pool: PgPool) {
    let patience = Patience { headers: Duration::from_millis(50), ..Patience::default() };
    let app = App::with_patience(pool, Settings::default(), patience).await;
    for port in [Port::Main, Port::OtlpHttp, Port::OtlpGrpc] {
        let addr = app.listen(port).await;
        for head in ["", "P", "POST /v1/traces HTTP/1.1\r\nhost: localh", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let answer = answer_to(addr, head.as_bytes()).await;
            // Over HTTP/2 the server introduces itself.
            assert!(
                answer.is_empty() || answer.starts_with(b"HTTP/1.1 408") || head.ends_with("SM\r\n\r\n"),
                "{port:?} {head:?}: {answer:?}"
            );
        }
        // Neither is a connection kept for ever after its first answer.
        let answer = answer_to(addr, b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// An export over a connection of its own.
async fn post(addr: SocketAddr, message: Vec<u8>) -> Vec<u8> {
    let head =
        format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\ncontent-length: {}\r\n\r\n", message.len());
    answer_to(addr, &[head.as_bytes(), &message].concat()).await
}

#[sqlx::test(migrations = "../migrations")]
async fn an_answer_may_take_longer_than_a_silent_caller_is_waited_for(pool: PgPool) {
    let patience = Patience { headers: Duration::from_millis(50), body: Duration::from_millis(50) };
    let app = App::with_patience(pool.clone(), Settings::default(), patience).await;
    let addr = app.listen(Port::OtlpHttp).await;
    let blocker = held_up(&pool).await;
    let answer = tokio::spawn(post(addr, Wire::Protobuf.message(&one_span(1))));
    until_waiting(&app, 1).await;
    tokio::time::sleep(4 * patience.headers).await;
    assert!(!answer.is_finished());
    blocker.rollback().await.expect("released");
    assert!(answer.await.expect("no panic").starts_with(b"HTTP/1.1 200"));
}

#[sqlx::test(migrations = "../migrations")]
async fn closing_doors_finish_what_they_have_and_take_no_more(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    for port in [Port::Main, Port::OtlpHttp] {
        let closing = CancellationToken::new();
        let (addr, serving) = app.listen_until(port, closing.clone()).await;
        // One that asks nothing is not waited for.
        let silent = TcpStream::connect(addr).await.expect("connected");
        let blocker = held_up(&pool).await;
        let answer = tokio::spawn(post(addr, Wire::Protobuf.message(&one_span(port as u128 + 1))));
        until_waiting(&app, 1).await;
        closing.cancel();
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!serving.is_finished(), "{port:?}");
        blocker.rollback().await.expect("released");
        assert!(answer.await.expect("no panic").starts_with(b"HTTP/1.1 200"), "{port:?}");
        serving.await.expect("it ends");
        drop(silent);
    }
}
