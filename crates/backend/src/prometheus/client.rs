//! Asking a Prometheus: one range-vector query at an instant, which gives raw samples. Every call has its time and its size, and
//! follows no redirect, so that credentials go where they were meant to go.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::fmt::rfc2822::DateTimeParser;
use metrics::counter;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::encode_query;

use super::answer::{self, Series};
use super::connection::Connection;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer, bytes.
const MAX_ANSWER: usize = 32 << 20;
/// A smaller answer is read where it arrives.
const SMALL_ANSWER: usize = 64 << 10;
/// More of a refusal says nothing more.
const MAX_REFUSAL: usize = 64 << 10;

/// Why there are no samples. The words are for people and say nothing of addresses or credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing can be asked of this Prometheus at the moment.
    Away(String),
    /// It answers, but not to this query.
    Query(String),
    /// There are more samples than fit into an answer.
    TooMuch,
}

impl Failure {
    /// The words for it.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Away(words) | Self::Query(words) => words,
            Self::TooMuch => "a minute of it has more than 32 MiB of samples",
        }
    }
}

pub(super) type Answered<T> = Result<T, Failure>;

/// An answer.
pub(super) struct Samples {
    pub(super) series: Vec<Series>,
    /// What Prometheus's clock showed; `None` when it did not say.
    pub(super) at: Option<Timestamp>,
}

/// Asks Prometheus.
pub(super) struct Client(HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Client {
    pub(super) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new();
        let builder = builder.with_provider_and_native_roots(ring::default_provider()).unwrap_or_else(|error| {
            // Plain HTTP is served all the same.
            tracing::warn!(%error, "no certificates of this machine can be read, so https will not be trusted");
            HttpsConnectorBuilder::new().with_tls_config(trusting_nobody())
        });
        let https = builder.https_or_http().enable_http1().wrap_connector(tcp);
        Self(HttpClient::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_mins(2)).build(https))
    }

    /// The samples of a selector in the `seconds` that end at `to`.
    pub(super) async fn samples(&self, connection: &Connection, selector: &str, to: Timestamp, seconds: i64) -> Answered<Samples> {
        let asked = tokio::time::timeout(TIMEOUT, self.ask(connection, selector, to, seconds)).await;
        let result = asked.unwrap_or_else(|_| Err(Failure::Away(format!("no answer within {} s", TIMEOUT.as_secs()))));
        counter!("slowburn_prometheus_requests_total", "outcome" => if result.is_ok() { "answered" } else { "failed" }).increment(1);
        result
    }

    async fn ask(&self, connection: &Connection, selector: &str, to: Timestamp, seconds: i64) -> Answered<Samples> {
        let query = format!("{selector}[{seconds}s]");
        let time = format!("{}.{:03}", to.seconds(), to.millis().rem_euclid(1_000));
        let form = encode_query([("query", query.as_str()), ("time", &time), ("timeout", &format!("{}s", TIMEOUT.as_secs()))]);
        let mut request = Request::new(Full::new(Bytes::from(form)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = connection.query.clone();
        request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(authorization) = &connection.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let mut response = self.0.request(request).await.map_err(|error| Failure::Away(unreachable(&error).to_owned()))?;
        let at = response.headers().get(DATE).and_then(|date| date.to_str().ok()).and_then(instant);
        let status = response.status();
        let limit = if status.is_success() { MAX_ANSWER } else { MAX_REFUSAL };
        let mut body = BytesMut::new();
        while let Some(frame) = response.frame().await {
            let frame = frame.map_err(|_| Failure::Away("its answer broke off".to_owned()))?;
            let Some(data) = frame.data_ref() else { continue };
            if body.len() + data.len() > limit {
                return Err(if status.is_success() { Failure::TooMuch } else { refused(status, &body) });
            }
            body.extend_from_slice(data);
        }
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        let series = if body.len() < SMALL_ANSWER {
            answer::series(&body, selector)
        } else {
            let selector = selector.to_owned();
            tokio::task::spawn_blocking(move || answer::series(&body, &selector)).await.ok().flatten()
        };
        let series = series.ok_or_else(|| Failure::Away("what answers there is not Prometheus".to_owned()))?;
        Ok(Samples { series, at })
    }
}

fn trusting_nobody() -> ClientConfig {
    ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring knows TLS 1.2 and 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let why = answer::refusal(body).map_or_else(String::new, |words| format!(": {words}"));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Away(format!("it refuses our credentials ({})", status.as_u16())),
        StatusCode::BAD_REQUEST => Failure::Query(format!("it refuses the query{why}")),
        // More samples than Prometheus reads for one query.
        StatusCode::UNPROCESSABLE_ENTITY if why.contains("too many samples") => Failure::TooMuch,
        StatusCode::UNPROCESSABLE_ENTITY => Failure::Query(format!("it cannot answer the query{why}")),
        _ => Failure::Away(format!("it answers {}{why}", status.as_u16())),
    }
}

/// In words, as an error's own text may hold addresses.
fn unreachable(error: &(dyn std::error::Error + 'static)) -> &'static str {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let kind = causes.find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(kind);
    match kind {
        Some(ErrorKind::ConnectionRefused) => "the connection is refused",
        Some(ErrorKind::TimedOut) => "it cannot be reached in time",
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => "the connection broke off",
        // What an error of TLS is wrapped in.
        Some(ErrorKind::InvalidData) => "its certificate is not trusted, or it speaks no TLS",
        _ => "it cannot be reached",
    }
}

/// The kind of the innermost error: the connector wraps those of the connection.
fn kind(error: &std::io::Error) -> ErrorKind {
    error.get_ref().and_then(|inner| inner.downcast_ref()).map_or_else(|| error.kind(), kind)
}

/// The instant of an HTTP date.
fn instant(date: &str) -> Option<Timestamp> {
    let parsed = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(Timestamp::from_seconds(parsed.as_second()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};

    use super::super::connection::Credentials;
    use super::*;

    /// Answers one request with these bytes, and gives what was asked, and what became of it.
    async fn asked(answer: Vec<u8>) -> (String, Answered<usize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}/shop", listener.local_addr().expect("bound"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = Vec::new();
            let mut piece = [0; 4_096];
            while !request.windows(7).any(|end| end == b"timeout") {
                let read = stream.read(&mut piece).expect("read");
                request.extend_from_slice(&piece[..read]);
            }
            // Whoever has seen enough hangs up.
            let _ = stream.write_all(&answer);
            String::from_utf8(request).expect("text")
        });
        let connection = Connection::new("shop", &url, Credentials::Token("hush")).expect("sound");
        let samples = Client::new().samples(&connection, "a_total{b=\"c d\"}", Timestamp::from_millis(1_500), 300).await;
        (server.join().expect("served"), samples.map(|samples| samples.series.len()))
    }

    fn answer(head: &str, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn b2_raw_samples_are_asked_for_with_what_proves_who_asks() {
        let empty = br#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let (request, samples) = asked(answer("200 OK", empty)).await;
        assert_eq!(samples, Ok(0));
        assert!(request.starts_with("POST /shop/api/v1/query HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer hush\r\n"), "{request}");
        let form = request.rsplit("\r\n").next().expect("a body");
        assert_eq!(
            &slowburn_domain::url::decode_query(form)[..2],
            [("query".to_owned(), "a_total{b=\"c d\"}[300s]".to_owned()), ("time".to_owned(), "1.500".to_owned())]
        );
    }

    #[tokio::test]
    async fn b2_what_is_too_large_elsewhere_or_something_else_is_given_up() {
        let huge = vec![b' '; MAX_ANSWER + 1];
        assert_eq!(asked(answer("200 OK", &huge)).await.1, Err(Failure::TooMuch));
        let elsewhere = answer("302 Found\r\nLocation: http://127.0.0.1:1/", b"");
        assert_eq!(asked(elsewhere).await.1, Err(Failure::Away("it answers 302".to_owned())));
        let page = answer("200 OK", b"<html>");
        assert_eq!(asked(page).await.1, Err(Failure::Away("what answers there is not Prometheus".to_owned())));
        let broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
        assert_eq!(asked(broken).await.1, Err(Failure::Away("its answer broke off".to_owned())));
    }

    #[tokio::test]
    async fn b2_a_server_without_tls_is_told_from_one_that_is_away() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("bound"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("written");
        });
        let connection = Connection::new("shop", &url, Credentials::None).expect("sound");
        let failed = Client::new().samples(&connection, "a", Timestamp::from_seconds(1), 1).await.err().expect("no TLS");
        assert_eq!(failed, Failure::Away("its certificate is not trusted, or it speaks no TLS".to_owned()));
        server.join().expect("served");
    }

    #[test]
    fn b2_refusals_are_told_in_plain_words() {
        let error = |words: &str| format!(r#"{{"status":"error","errorType":"x","error":"{words}"}}"#).into_bytes();
        for (status, body, wanted) in [
            (401, error("token abc"), Failure::Away("it refuses our credentials (401)".to_owned())),
            (400, error("parse error"), Failure::Query("it refuses the query: parse error".to_owned())),
            (422, error("query processing would load too many samples into memory"), Failure::TooMuch),
            (422, error("no"), Failure::Query("it cannot answer the query: no".to_owned())),
            (503, b"<html>".to_vec(), Failure::Away("it answers 503".to_owned())),
            (302, Vec::new(), Failure::Away("it answers 302".to_owned())),
        ] {
            assert_eq!(refused(StatusCode::from_u16(status).expect("a status"), &body), wanted);
        }
    }

    #[test]
    fn b2_prometheus_tells_its_time() {
        assert_eq!(instant("Sat, 21 Nov 2026 12:00:30 GMT"), Some(Timestamp::from_seconds(1_795_262_430)));
        assert_eq!(instant("yesterday"), None);
    }
}
