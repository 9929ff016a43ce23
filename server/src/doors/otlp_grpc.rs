//! OTLP over gRPC: unary calls of `TraceService/Export`, `LogsService/Export` and `MetricsService/Export`.
//!
//! The framing (five bytes, then the message) is read here rather than by tonic, for two reasons: tonic answers an
//! oversized message with OUT_OF_RANGE, which senders repeat for ever, and it inflates a compressed one without the limit
//! that the HTTP door has. So both doors hand the same bytes to the same code.
//!
//! `grpc-timeout` is the caller's to keep: when its time is up it resets the stream, and what has not reached a lane by then
//! is dropped. What has is stored, and known when the caller tries again.

use std::convert::Infallible;
use std::pin::{Pin, pin};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message as _;
use slowburn_backend::Backend;
use slowburn_backend::ingest::{Arriving, Compression, Format, Refusal};
use slowburn_domain::signal::Telemetry;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use super::listen::Patience;
use super::otlp_http::{success_message, wrong_port};
use super::rpc_status::{Detail, RpcStatus, code};

/// Paths of the calls.
pub const EXPORT_TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The same for log records.
pub const EXPORT_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// The same for metrics.
pub const EXPORT_METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Flag byte and length before a message.
const FRAME_HEADER: usize = 5;

struct Failure {
    code: i32,
    message: String,
    detail: Detail,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: Detail::None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Malformed(fault) => Self { detail: Detail::Field(fault), ..Self::new(code::INVALID_ARGUMENT, message) },
            Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => Self::new(code::RESOURCE_EXHAUSTED, message),
            Refusal::Stalled | Refusal::Busy | Refusal::Unavailable => {
                Self { detail: Detail::Retry, ..Self::new(code::UNAVAILABLE, message) }
            }
        }
    }
}

/// `TraceService/Export`.
pub async fn export_traces(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    call(Telemetry::Spans, &backend, patience, request).await
}

/// `LogsService/Export`.
pub async fn export_logs(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    call(Telemetry::Logs, &backend, patience, request).await
}

/// `MetricsService/Export`.
pub async fn export_metrics(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    call(Telemetry::Metrics, &backend, patience, request).await
}

async fn call(signal: Telemetry, backend: &Backend, patience: Patience, request: Request) -> Response {
    if !is_grpc(request.headers()) {
        return wrong_port(patience, request).await;
    }
    let (parts, body) = request.into_parts();
    let body = pin!(TimeoutBody::new(patience.body, body));
    match export(signal, backend, &parts.headers, body).await {
        Ok(message) => respond(Some(message), None),
        Err(failure) => respond(None, Some(failure)),
    }
}

/// Every other call.
pub async fn unknown_call(State(patience): State<Patience>, request: Request) -> Response {
    if !is_grpc(request.headers()) {
        return wrong_port(patience, request).await;
    }
    respond(
        None,
        Some(Failure::new(code::UNIMPLEMENTED, "this server takes TraceService/Export, LogsService/Export and MetricsService/Export")),
    )
}

/// Others must not be answered by 200, which they would take for a success.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    content_type.is_some_and(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "application/grpc" | "application/grpc+proto"))
}

async fn export(signal: Telemetry, backend: &Backend, headers: &HeaderMap, body: Pin<&mut TimeoutBody<Body>>) -> Result<Bytes, Failure> {
    let ingest = backend.ingest();
    let (flag, arrived) = match arrive(Arriving::begin(ingest)?, ingest.request_bytes(), body).await {
        Ok(arrived) => arrived,
        Err(Unframed::Refused(refusal)) => return Err(ingest.counted::<()>(Err(refusal)).expect_err("refused").into()),
        Err(Unframed::Broken(message)) => return Err(Failure::new(code::INVALID_ARGUMENT, message)),
    };
    let encoding = headers.get("grpc-encoding").and_then(|value| value.to_str().ok());
    let compression = match (flag, Compression::from_header(encoding)) {
        (0, _) => Compression::Identity,
        (1, Some(Compression::Identity)) => {
            return Err(Failure::new(code::INTERNAL, "the message is said to be compressed, and grpc-encoding does not say how"));
        }
        (1, Some(compression)) => compression,
        (1, None) => return Err(Failure::new(code::UNIMPLEMENTED, "grpc-encoding: expected gzip or zstd")),
        _ => return Err(Failure::new(code::INTERNAL, "a flag that gRPC does not have stands before the message")),
    };
    Ok(success_message(&ingest.arrived(signal, arrived, compression, Format::Protobuf).await?).encode_to_vec().into())
}

/// Why a body is not one message in its frame.
enum Unframed {
    Refused(Refusal),
    Broken(&'static str),
}

/// Reads the only message of a call and the flag before it.
async fn arrive(mut arriving: Arriving, limit: usize, mut body: Pin<&mut TimeoutBody<Body>>) -> Result<(u8, Arriving), Unframed> {
    let mut header = BytesMut::with_capacity(FRAME_HEADER);
    let mut length = None;
    while let Some(frame) = body.frame().await {
        let mut data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(fault) if fault.is::<TimeoutError>() => return Err(Unframed::Refused(Refusal::Stalled)),
            Err(_) => return Err(Unframed::Broken("the message ended early")),
        };
        header.extend_from_slice(&data.split_to(data.len().min(FRAME_HEADER - header.len())));
        if let [_, announced @ ..] = &header[..]
            && let Ok(announced) = <[u8; 4]>::try_from(announced)
        {
            let announced = u32::from_be_bytes(announced) as usize;
            if announced > limit {
                return Err(Unframed::Refused(Refusal::TooLarge { limit }));
            }
            if arriving.len() + data.len() > announced {
                return Err(Unframed::Broken("more than one message"));
            }
            length = Some(announced);
        }
        arriving.push(&data).map_err(Unframed::Refused)?;
    }
    match length {
        Some(length) if length == arriving.len() => Ok((header[0], arriving)),
        Some(_) => Err(Unframed::Broken("the message ended early")),
        None => Err(Unframed::Broken("no message")),
    }
}

fn respond(message: Option<Bytes>, failure: Option<Failure>) -> Response {
    let mut trailers = HeaderMap::new();
    let code = failure.as_ref().map_or(0, |failure| failure.code);
    trailers.insert("grpc-status", HeaderValue::from(code));
    if let Some(Failure { code, message, detail }) = failure {
        if let Ok(text) = HeaderValue::from_str(&percent_encoded(&message)) {
            trailers.insert("grpc-message", text);
        }
        let details = detail.messages();
        if !details.is_empty() {
            let status = RpcStatus { code, message, details };
            if let Ok(encoded) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(status.encode_to_vec())) {
                trailers.insert("grpc-status-details-bin", encoded);
            }
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
