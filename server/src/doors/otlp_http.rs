//! OTLP over HTTP. The answer has the request's content type; refusals carry a `google.rpc.Status` in it, and those that
//! are worth another try say so by 503 and `Retry-After`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use slowburn_backend::Backend;
use slowburn_backend::ingest::{Accepted, Compression, Format, Payload, Refusal};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// `google.rpc.Status`, as far as OTLP uses it.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    /// `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What is wrong.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// Codes of `google.rpc.Code`.
pub mod code {
    /// The client sent something wrong.
    pub const INVALID_ARGUMENT: i32 = 3;
    /// Too large.
    pub const RESOURCE_EXHAUSTED: i32 = 8;
    /// Not known here.
    pub const UNIMPLEMENTED: i32 = 12;
    /// Try again.
    pub const UNAVAILABLE: i32 = 14;
}

/// `POST /v1/traces`.
pub async fn traces(State(backend): State<Backend>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(format) = content_type(&parts.headers) else {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/x-protobuf or application/json").into_response();
    };
    let encoding = parts.headers.get(CONTENT_ENCODING).map(HeaderValue::to_str);
    let Some(compression) = encoding.transpose().ok().and_then(Compression::from_header) else {
        return refuse(format, StatusCode::UNSUPPORTED_MEDIA_TYPE, code::INVALID_ARGUMENT, "content-encoding: expected gzip, zstd or none");
    };
    let limit = backend.request_bytes();
    // Whoever announces too much need not send it.
    let announced = parts.headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return answer(format, Err(Refusal::TooLarge { limit }));
    }
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(fault) if fault.is::<http_body_util::LengthLimitError>() => return answer(format, Err(Refusal::TooLarge { limit })),
        Err(_) => return refuse(format, StatusCode::BAD_REQUEST, code::INVALID_ARGUMENT, "the body ended early"),
    };
    answer(format, backend.ingest().traces(Payload { bytes, compression, format }).await)
}

fn content_type(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    match value.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        PROTOBUF => Some(Format::Protobuf),
        JSON => Some(Format::Json),
        _ => None,
    }
}

fn answer(format: Format, outcome: Result<Accepted, Refusal>) -> Response {
    match outcome {
        Ok(accepted) => success(format, &accepted),
        Err(refusal) => {
            let (status, code) = match refusal {
                Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, code::INVALID_ARGUMENT),
                Refusal::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, code::RESOURCE_EXHAUSTED),
                Refusal::Busy | Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE),
            };
            refuse(format, status, code, &refusal.to_string())
        }
    }
}

/// The message of a success: `partial_success` is unset unless something was refused.
pub fn success_message(accepted: &Accepted) -> ExportTraceServiceResponse {
    let partial = (accepted.rejected > 0)
        .then(|| ExportTracePartialSuccess { rejected_spans: accepted.rejected.cast_signed(), error_message: accepted.reason.clone() });
    ExportTraceServiceResponse { partial_success: partial }
}

fn success(format: Format, accepted: &Accepted) -> Response {
    match format {
        Format::Protobuf => respond(StatusCode::OK, PROTOBUF, success_message(accepted).encode_to_vec()),
        Format::Json if accepted.rejected == 0 => respond(StatusCode::OK, JSON, b"{}".to_vec()),
        Format::Json => {
            // 64-bit integers are texts in ProtoJSON.
            let body =
                serde_json::json!({"partialSuccess": {"rejectedSpans": accepted.rejected.to_string(), "errorMessage": accepted.reason}});
            respond(StatusCode::OK, JSON, body.to_string().into_bytes())
        }
    }
}

fn refuse(format: Format, status: StatusCode, code: i32, message: &str) -> Response {
    let mut response = match format {
        Format::Protobuf => respond(status, PROTOBUF, RpcStatus { code, message: message.to_owned() }.encode_to_vec()),
        Format::Json => respond(status, JSON, serde_json::json!({"code": code, "message": message}).to_string().into_bytes()),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
