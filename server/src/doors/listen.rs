//! Connections: accepted, served by HTTP/1.1 or HTTP/2, whichever the caller speaks, and ended.
//!
//! A caller that goes silent is not waited for without end: not for its first request, not for the headers of the next one,
//! not for the rest of a body, and over HTTP/2 not for the answer to a ping. When the doors close, connections finish the
//! requests they have and take no more.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How long the doors wait before they try to accept again when the process or the machine has no place for a connection.
const NO_PLACE: Duration = Duration::from_secs(1);

/// How long a silent caller is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a request's headers to be complete, since the connection began or the answer before them ended; and for an
    /// answer to a ping.
    pub headers: Duration,
    /// For the next bytes of a body.
    pub body: Duration,
}

impl Default for Patience {
    /// Headers: longer than the minute after which metrics are usually sent again over the same connection.
    fn default() -> Self {
        Self { headers: Duration::from_secs(75), body: Duration::from_secs(30) }
    }
}

/// Serves a port until `closing`, and then until every open request was answered.
pub async fn serve(listener: TcpListener, router: Router, patience: Patience, closing: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, router.clone(), patience, closing.clone()));
            }
            Err(fault) if is_of_the_caller(&fault) => {}
            Err(fault) => {
                tracing::error!(error = %fault, "no connection can be accepted");
                tokio::time::sleep(NO_PLACE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The connection was gone before it was accepted.
fn is_of_the_caller(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

async fn connection(stream: TcpStream, router: Router, patience: Patience, closing: CancellationToken) {
    // Answers are short: waiting for more to send with them only delays them.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.headers);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(patience.headers).keep_alive_timeout(patience.headers);
    // hyper's own patience begins when it knows which protocol is spoken.
    let spoken = CancellationToken::new();
    let first = spoken.clone();
    let service = router.map_request(move |request: Request<Incoming>| {
        first.cancel();
        request.map(Body::new)
    });
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut serving = std::pin::pin!(serving);
    let until = Instant::now() + patience.headers;
    let mut is_closing = false;
    loop {
        tokio::select! {
            // What ends a connection is the caller's doing, or ours above.
            _ = serving.as_mut() => return,
            () = tokio::time::sleep_until(until), if !spoken.is_cancelled() => {
                if !spoken.is_cancelled() {
                    return;
                }
            }
            () = closing.cancelled(), if !is_closing => {
                is_closing = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
