//! A1, A9: OTLP to the letter of its specification, as tables: a row is a rule, and it is tried over HTTP in protobuf, over
//! HTTP in JSON and over gRPC wherever it holds for all three.
//!
//! [`export`] holds every answer to the rules that have no exception: the request's type, a `google.rpc.Status` on failure,
//! a delay for what may be repeated and none for the rest, no `partial_success` where nothing was refused.

mod connections;
mod grpc;
mod hostile;
mod http;
mod json;
mod senders;
mod spans;

use std::io::Write as _;

use ::http::Request;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use slowburn_server::doors::otlp_grpc::EXPORT_TRACES;
use slowburn_server::doors::rpc_status::RpcStatus;
use slowburn_test_support::{SpanBuilder, request, to_json};

use crate::app::{App, JSON, PROTOBUF, Port, Reply, ago};

pub(crate) const GRPC: &str = "application/grpc";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
/// `RetryInfo { retry_delay: Duration { seconds: 1 } }` on the wire.
const ONE_SECOND: [u8; 4] = [0x0a, 2, 0x08, 1];

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Protobuf,
    Json,
    Grpc,
}

pub(crate) const WIRES: [Wire; 3] = [Wire::Protobuf, Wire::Json, Wire::Grpc];

impl Wire {
    /// The message as it is written on this wire, without compression and frame.
    pub(crate) fn message(self, request: &ExportTraceServiceRequest) -> Vec<u8> {
        if self == Self::Json { to_json(request).to_string().into_bytes() } else { request.encode_to_vec() }
    }
}

/// What became of a request, whatever it came over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was taken.
    Stored,
    /// All but so many spans, for this reason.
    Partly(i64, String),
    /// 400, INVALID_ARGUMENT.
    Malformed(String),
    /// 413, RESOURCE_EXHAUSTED without RetryInfo.
    TooLarge(String),
    /// 415, UNIMPLEMENTED.
    Unsupported(String),
    /// 503, UNAVAILABLE, with a delay.
    Later(String),
}

impl Outcome {
    fn of(status: u16, code: i32, message: String) -> Self {
        match (status, code) {
            // Over gRPC the HTTP status says nothing.
            (400 | 200, 3) => Self::Malformed(message),
            (413 | 200, 8) => Self::TooLarge(message),
            (415, 3) | (200, 12) => Self::Unsupported(message),
            (503 | 200, 14) => Self::Later(message),
            other => panic!("{other:?}: {message}"),
        }
    }

    fn of_success(response: ExportTraceServiceResponse) -> Self {
        match response.partial_success {
            None => Self::Stored,
            Some(partial) => {
                assert!(partial.rejected_spans > 0 && !partial.error_message.is_empty(), "{partial:?}");
                Self::Partly(partial.rejected_spans, partial.error_message)
            }
        }
    }

    /// The reason, of a request that was refused.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Stored => "",
            Self::Partly(_, reason)
            | Self::Malformed(reason)
            | Self::TooLarge(reason)
            | Self::Unsupported(reason)
            | Self::Later(reason) => reason,
        }
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory")
}

/// A length-prefixed message of gRPC.
pub(crate) fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

pub(crate) fn one_span(trace: u128) -> ExportTraceServiceRequest {
    request("checkout", vec![span(trace)])
}

pub(crate) fn span(trace: u128) -> Span {
    SpanBuilder::new(trace, 1, ago(2)).build()
}

/// Trace numbers that a search finds, smallest first.
pub(crate) async fn found(app: &App) -> Vec<u128> {
    let mut found = app.find("limit=1000").await;
    found.sort_unstable();
    found
}

pub(crate) async fn call(app: &App, path: &str, encoding: &str, body: impl Into<Body>) -> Reply {
    let mut request = Request::post(path).header("content-type", GRPC).header("te", "trailers");
    if !encoding.is_empty() {
        request = request.header("grpc-encoding", encoding);
    }
    app.send(Port::OtlpGrpc, request.body(body.into()).expect("a request")).await
}

/// Sends a message that is already written for its wire and packed as `encoding` says.
pub(crate) async fn export(app: &App, wire: Wire, encoding: &str, message: Vec<u8>) -> Outcome {
    match wire {
        Wire::Protobuf => outcome_of_http(&app.export(Port::OtlpHttp, PROTOBUF, encoding, message).await, PROTOBUF),
        Wire::Json => outcome_of_http(&app.export(Port::OtlpHttp, JSON, encoding, message).await, JSON),
        Wire::Grpc => {
            let flag = u8::from(!matches!(encoding, "" | "identity" | "none"));
            outcome_of_grpc(&call(app, EXPORT_TRACES, encoding, frame(flag, &message)).await)
        }
    }
}

pub(crate) fn outcome_of_http(reply: &Reply, content_type: &str) -> Outcome {
    assert_eq!(reply.header("content-type"), Some(content_type), "{reply:?}");
    if reply.status == 200 {
        return Outcome::of_success(if content_type == JSON { success_in_json(reply) } else { success(&reply.body) });
    }
    let may_be_repeated = reply.status == 503;
    assert_eq!(reply.header("retry-after"), may_be_repeated.then_some("1"), "{reply:?}");
    let (code, message, details) = if content_type == JSON {
        let status = reply.json();
        let details: Vec<String> = status["details"].as_array().expect("a list").iter().map(ToString::to_string).collect();
        (status["code"].as_i64().expect("a code") as i32, status["message"].as_str().expect("a text").to_owned(), details.join(","))
    } else {
        let status = RpcStatus::decode(reply.body.clone()).expect("a Status");
        let details = status.details.iter().map(|any| format!("{} {}", any.type_url, String::from_utf8_lossy(&any.value)));
        (status.code, status.message, details.collect::<Vec<_>>().join(","))
    };
    assert_eq!(details.contains(RETRY_INFO), may_be_repeated, "{details}");
    // The specification wants the bad data described.
    assert_eq!(details.contains("google.rpc.BadRequest"), reply.status == 400, "{details}");
    Outcome::of(reply.status, code, message)
}

fn success(body: &[u8]) -> ExportTraceServiceResponse {
    let response = ExportTraceServiceResponse::decode(body).expect("an answer");
    assert_eq!(response.partial_success.is_none(), body.is_empty(), "unset, not empty");
    response
}

fn success_in_json(reply: &Reply) -> ExportTraceServiceResponse {
    let answer = reply.json();
    let partial = answer.get("partialSuccess").map(|partial| {
        // ProtoJSON writes 64-bit integers as texts.
        let rejected_spans = partial["rejectedSpans"].as_str().expect("a text").parse().expect("a number");
        let error_message = partial["errorMessage"].as_str().expect("a text").to_owned();
        opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess { rejected_spans, error_message }
    });
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(usize::from(partial.is_some())), "{answer}");
    ExportTraceServiceResponse { partial_success: partial }
}

/// The code in the trailers of a well-formed answer.
pub(crate) fn grpc_code(reply: &Reply) -> i32 {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(GRPC)), "{reply:?}");
    assert_eq!(reply.header("grpc-accept-encoding"), Some("identity,gzip,zstd"));
    assert_eq!(reply.header("grpc-status"), None, "the status comes after the message");
    let code = reply.trailers["grpc-status"].to_str().expect("a number").parse().expect("a number");
    // OUT_OF_RANGE, DATA_LOSS, ABORTED, CANCELLED and DEADLINE_EXCEEDED are repeated by senders, without a delay.
    assert!(![1, 4, 10, 11, 15].contains(&code), "{code}");
    let details = reply.trailers.get("grpc-status-details-bin").map(|encoded| {
        let status = RpcStatus::decode(&STANDARD_NO_PAD.decode(encoded).expect("base64")[..]).expect("a Status");
        assert_eq!(status.code, code);
        status.details
    });
    let delays: Vec<&[u8]> = details.iter().flatten().filter(|any| any.type_url == RETRY_INFO).map(|any| &any.value[..]).collect();
    assert_eq!(delays, if code == 14 { vec![&ONE_SECOND[..]] } else { vec![] }, "{code}");
    code
}

pub(crate) fn outcome_of_grpc(reply: &Reply) -> Outcome {
    match grpc_code(reply) {
        0 => {
            let length = u32::try_from(reply.body.len() - 5).expect("short").to_be_bytes();
            assert_eq!((reply.body[0], &reply.body[1..5]), (0, &length[..]));
            Outcome::of_success(success(&reply.body[5..]))
        }
        code => {
            assert!(reply.body.is_empty(), "{reply:?}");
            Outcome::of(200, code, decoded(reply.trailers["grpc-message"].to_str().expect("printable")))
        }
    }
}

/// Undoes gRPC's encoding of a message.
fn decoded(message: &str) -> String {
    slowburn_domain::url::decode_segment(message)
}
