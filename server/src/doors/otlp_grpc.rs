//! OTLP over gRPC: unary calls of `TraceService/Export`.
//!
//! The framing (five bytes, then the message) is read here rather than by tonic, for two reasons: tonic answers an
//! oversized message with OUT_OF_RANGE, which senders repeat for ever, and it inflates a compressed one without the limit
//! that the HTTP door has. So both doors hand the same bytes to the same code.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, Limited, StreamBody};
use prost::Message;
use slowburn_backend::Backend;
use slowburn_backend::ingest::{Compression, Format, Payload, Refusal};

use super::otlp_http::{code, success_message};

/// Path of the call.
pub const EXPORT_TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Flag byte and length before a message.
const FRAME_HEADER: usize = 5;

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct StatusWithDetails {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Duration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

struct Failure {
    code: i32,
    message: String,
    /// Ask the sender to try again in a second.
    retry: bool,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry: false }
    }
}

/// `TraceService/Export`.
pub async fn export_traces(State(backend): State<Backend>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match export(&backend, &parts.headers, body).await {
        Ok(message) => respond(Some(message), None),
        Err(failure) => respond(None, Some(failure)),
    }
}

/// Every other call.
pub async fn unknown_call() -> Response {
    respond(None, Some(Failure::new(code::UNIMPLEMENTED, "this server takes TraceService/Export")))
}

async fn export(backend: &Backend, headers: &HeaderMap, body: Body) -> Result<Bytes, Failure> {
    let is_grpc =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with("application/grpc"));
    if !is_grpc {
        return Err(Failure::new(code::INVALID_ARGUMENT, "content-type: expected application/grpc"));
    }
    let limit = backend.request_bytes();
    let too_large = || Failure::new(code::RESOURCE_EXHAUSTED, Refusal::TooLarge { limit }.to_string());
    let mut bytes = match Limited::new(body, limit + FRAME_HEADER).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(fault) if fault.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Err(_) => return Err(Failure::new(code::INVALID_ARGUMENT, "the message ended early")),
    };
    if bytes.len() < FRAME_HEADER {
        return Err(Failure::new(code::INVALID_ARGUMENT, "no message"));
    }
    let header = bytes.split_to(FRAME_HEADER);
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
    if length != bytes.len() {
        return Err(Failure::new(code::INVALID_ARGUMENT, "the message's length does not fit its frame"));
    }
    let encoding = headers.get("grpc-encoding").and_then(|value| value.to_str().ok());
    let compression = match header[0] {
        0 => Compression::Identity,
        _ => Compression::from_header(encoding)
            .filter(|compression| *compression != Compression::Identity)
            .ok_or_else(|| Failure::new(code::UNIMPLEMENTED, "grpc-encoding: expected gzip or zstd"))?,
    };
    let outcome = backend.ingest().traces(Payload { bytes, compression, format: Format::Protobuf }).await;
    match outcome {
        Ok(accepted) => Ok(success_message(&accepted).encode_to_vec().into()),
        Err(Refusal::TooLarge { .. }) => Err(too_large()),
        Err(refusal @ Refusal::Malformed(_)) => Err(Failure::new(code::INVALID_ARGUMENT, refusal.to_string())),
        Err(refusal @ (Refusal::Busy | Refusal::Unavailable)) => {
            Err(Failure { retry: true, ..Failure::new(code::UNAVAILABLE, refusal.to_string()) })
        }
    }
}

fn respond(message: Option<Bytes>, failure: Option<Failure>) -> Response {
    let mut trailers = HeaderMap::new();
    let code = failure.as_ref().map_or(0, |failure| failure.code);
    trailers.insert("grpc-status", HeaderValue::from(code));
    if let Some(failure) = failure {
        if let Ok(text) = HeaderValue::from_str(&percent_encoded(&failure.message)) {
            trailers.insert("grpc-message", text);
        }
        if let Some(details) = details(&failure) {
            trailers.insert("grpc-status-details-bin", details);
        }
    }
    let mut frames: Vec<Result<Frame<Bytes>, Infallible>> = Vec::new();
    if let Some(message) = message {
        let mut framed = BytesMut::with_capacity(FRAME_HEADER + message.len());
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).expect("answers are short"));
        framed.put(message);
        frames.push(Ok(Frame::data(framed.freeze())));
    }
    frames.push(Ok(Frame::trailers(trailers)));
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip,zstd"));
    response
}

/// `RetryInfo` for senders that may try again.
fn details(failure: &Failure) -> Option<HeaderValue> {
    use base64::Engine as _;

    if !failure.retry {
        return None;
    }
    let retry = RetryInfo { retry_delay: Some(Duration { seconds: 1, nanos: 0 }) };
    let status = StatusWithDetails {
        code: failure.code,
        message: failure.message.clone(),
        details: vec![Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: retry.encode_to_vec() }],
    };
    HeaderValue::from_str(&base64::engine::general_purpose::STANDARD_NO_PAD.encode(status.encode_to_vec())).ok()
}

/// gRPC's encoding of `grpc-message`.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
