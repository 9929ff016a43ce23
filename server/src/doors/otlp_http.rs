//! OTLP over HTTP. The answer has the request's content type; refusals carry a `google.rpc.Status` in it, and those that
//! are worth another try say so by 503 and `Retry-After`.
//!
//! A refusal is answered after the rest of the body was read and thrown away, for a sender that still writes would find its
//! connection reset, and a reset is something that senders repeat.

use std::pin::{Pin, pin};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use slowburn_backend::Backend;
use slowburn_backend::ingest::{Accepted, Arriving, Compression, Format, Ingest, Refusal};
use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Telemetry;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use super::listen::Patience;
use super::rpc_status::{Detail, RETRY_SECONDS, RpcStatus, code};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Most bytes of a refused body that are read to be thrown away. Whoever sends more is cut off.
const MOST_DISCARDED: usize = 256 << 20;

/// An answer other than 200.
struct Failure {
    status: StatusCode,
    code: i32,
    message: String,
    detail: Detail,
}

impl Failure {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: Detail::None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Malformed(fault) => {
                Self { detail: Detail::Field(fault), ..Self::new(StatusCode::BAD_REQUEST, code::INVALID_ARGUMENT, message) }
            }
            Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::RESOURCE_EXHAUSTED, message)
            }
            // Not 408, which would be right by HTTP: senders of OTLP do not repeat it.
            Refusal::Stalled | Refusal::Busy | Refusal::Unavailable => {
                Self { detail: Detail::Retry, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE, message) }
            }
        }
    }
}

/// `POST /v1/traces`.
pub async fn traces(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    export(Telemetry::Spans, &backend, patience, request).await
}

/// `POST /v1/logs`.
pub async fn logs(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    export(Telemetry::Logs, &backend, patience, request).await
}

/// `POST /v1/metrics`.
pub async fn metrics(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    export(Telemetry::Metrics, &backend, patience, request).await
}

async fn export(signal: Telemetry, backend: &Backend, patience: Patience, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = pin!(TimeoutBody::new(patience.body, body));
    let format = content_type(&parts.headers);
    let outcome = match format {
        Some(format) => store(signal, backend, &parts.headers, format, body.as_mut()).await,
        None => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code::INVALID_ARGUMENT,
            "content-type: expected application/x-protobuf or application/json",
        )),
    };
    // A status has to have some type; one that nobody asked for in JSON is binary.
    let format = format.unwrap_or(Format::Protobuf);
    match outcome {
        Ok(accepted) => success(signal, format, &accepted),
        Err(failure) => {
            // Who waits for leave to send has sent nothing.
            if !parts.headers.contains_key(EXPECT) {
                discard(body.as_mut()).await;
            }
            refuse(format, &failure)
        }
    }
}

/// Every other signal and path under `/v1`.
pub async fn unknown_signal(State(patience): State<Patience>, request: Request) -> Response {
    let format = content_type(request.headers()).unwrap_or(Format::Protobuf);
    let message =
        format!("this server takes traces, logs and metrics, at /v1/traces, /v1/logs and /v1/metrics, and not {}", request.uri().path());
    discard(pin!(TimeoutBody::new(patience.body, request.into_body()))).await;
    refuse(format, &Failure::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message))
}

/// Every other method.
pub async fn wrong_method(headers: HeaderMap) -> Response {
    let format = content_type(&headers).unwrap_or(Format::Protobuf);
    refuse(format, &Failure::new(StatusCode::METHOD_NOT_ALLOWED, code::UNIMPLEMENTED, "telemetry is sent by POST"))
}

/// What is no gRPC, at the door of gRPC.
pub async fn wrong_port(patience: Patience, request: Request) -> Response {
    let format = content_type(request.headers()).unwrap_or(Format::Protobuf);
    discard(pin!(TimeoutBody::new(patience.body, request.into_body()))).await;
    let message = "this port takes OTLP over gRPC; OTLP over HTTP has a port of its own, 4318 by default";
    refuse(format, &Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::INVALID_ARGUMENT, message))
}

async fn store(
    signal: Telemetry,
    backend: &Backend,
    headers: &HeaderMap,
    format: Format,
    body: Pin<&mut TimeoutBody<Body>>,
) -> Result<Accepted, Failure> {
    let ingest = backend.ingest();
    let Some(compression) = compression_of(headers) else {
        let message = "content-encoding: expected gzip, zstd or none";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::INVALID_ARGUMENT, message));
    };
    Ok(ingest.arrived(signal, body_of(ingest, headers, body).await?, compression, format).await?)
}

/// How a body is compressed; `None` if in a way that we do not read.
pub(super) fn compression_of(headers: &HeaderMap) -> Option<Compression> {
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::to_str);
    encoding.transpose().ok().and_then(Compression::from_header)
}

/// Reads a body to its end.
///
/// # Errors
/// It is too large, there is no room for it, or it does not come.
pub(super) async fn body_of(ingest: &Ingest, headers: &HeaderMap, body: Pin<&mut TimeoutBody<Body>>) -> Result<Arriving, Refusal> {
    let limit = ingest.request_bytes();
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let arrived = match announced {
        Some(length) if length > limit => Err(Refusal::TooLarge { limit }),
        _ => arrive(Arriving::begin(ingest)?, body).await,
    };
    ingest.counted(arrived)
}

async fn arrive(mut arriving: Arriving, mut body: Pin<&mut TimeoutBody<Body>>) -> Result<Arriving, Refusal> {
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => frame.data_ref().map_or(Ok(()), |data| arriving.push(data))?,
            Err(fault) if fault.is::<TimeoutError>() => return Err(Refusal::Stalled),
            Err(_) => return Err(Refusal::Malformed(FieldFault::new("body", "it ended early"))),
        }
    }
    Ok(arriving)
}

/// Reads what is left of a body, without keeping it.
pub(super) async fn discard(mut body: Pin<&mut TimeoutBody<Body>>) {
    let mut discarded = 0;
    while discarded < MOST_DISCARDED {
        match body.frame().await {
            Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, bytes::Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    match value.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        PROTOBUF => Some(Format::Protobuf),
        JSON => Some(Format::Json),
        _ => None,
    }
}

/// The message of a success: `partial_success` is unset unless something was refused. `ExportLogsServiceResponse` and
/// `ExportMetricsServiceResponse` have the same fields under the same numbers.
pub fn success_message(accepted: &Accepted) -> ExportTraceServiceResponse {
    let partial = (accepted.rejected > 0)
        .then(|| ExportTracePartialSuccess { rejected_spans: accepted.rejected.cast_signed(), error_message: accepted.reason.clone() });
    ExportTraceServiceResponse { partial_success: partial }
}

fn success(signal: Telemetry, format: Format, accepted: &Accepted) -> Response {
    match format {
        Format::Protobuf => respond(StatusCode::OK, PROTOBUF, success_message(accepted).encode_to_vec()),
        Format::Json if accepted.rejected == 0 => respond(StatusCode::OK, JSON, b"{}".to_vec()),
        Format::Json | Format::Ecs => {
            let rejected = match signal {
                Telemetry::Spans => "rejectedSpans",
                Telemetry::Logs => "rejectedLogRecords",
                Telemetry::Metrics => "rejectedDataPoints",
            };
            // 64-bit integers are texts in ProtoJSON.
            let body = serde_json::json!({"partialSuccess": {rejected: accepted.rejected.to_string(), "errorMessage": accepted.reason}});
            respond(StatusCode::OK, JSON, body.to_string().into_bytes())
        }
    }
}

fn refuse(format: Format, failure: &Failure) -> Response {
    let Failure { status, code, message, detail } = failure;
    let mut response = match format {
        Format::Protobuf => {
            let body = RpcStatus { code: *code, message: message.clone(), details: detail.messages() };
            respond(*status, PROTOBUF, body.encode_to_vec())
        }
        Format::Json | Format::Ecs => {
            let body = serde_json::json!({"code": code, "message": message, "details": detail.json()});
            respond(*status, JSON, body.to_string().into_bytes())
        }
    };
    match *status {
        StatusCode::SERVICE_UNAVAILABLE => response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS)),
        // RFC 9110, section 15.5.16: what would have been taken.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd")),
        _ => None,
    };
    response
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
