//! `google.rpc.Status`, in which OTLP says what is wrong: binary or JSON over HTTP, in the trailers over gRPC.

use prost::Message;
use serde_json::{Value, json};
use slowburn_domain::query::FieldFault;

/// Codes of `google.rpc.Code`.
pub mod code {
    /// The client sent something wrong.
    pub const INVALID_ARGUMENT: i32 = 3;
    /// Not there.
    pub const NOT_FOUND: i32 = 5;
    /// Too large.
    pub const RESOURCE_EXHAUSTED: i32 = 8;
    /// Not known here.
    pub const UNIMPLEMENTED: i32 = 12;
    /// The client broke the protocol.
    pub const INTERNAL: i32 = 13;
    /// Try again.
    pub const UNAVAILABLE: i32 = 14;
}

/// How long a sender should wait before it tries again, seconds. SDKs give up on more than a few.
pub const RETRY_SECONDS: i64 = 1;

/// The message.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    /// `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What is wrong.
    #[prost(string, tag = "2")]
    pub message: String,
    /// More of it, for programs.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Any {
    /// What `value` is.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// A message of that type.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, Eq, Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<FieldViolation>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct FieldViolation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// What a status says besides its code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// Try again in a moment.
    Retry,
    /// This is wrong.
    Field(FieldFault),
}

impl Detail {
    /// For binary statuses.
    pub fn messages(&self) -> Vec<Any> {
        let (type_url, value) = match self {
            Self::None => return Vec::new(),
            Self::Retry => (RETRY_INFO, RetryInfo { retry_delay: Some(Delay { seconds: RETRY_SECONDS }) }.encode_to_vec()),
            Self::Field(FieldFault { field, reason }) => {
                let violation = FieldViolation { field: field.clone(), description: reason.clone() };
                (BAD_REQUEST, BadRequest { field_violations: vec![violation] }.encode_to_vec())
            }
        };
        vec![Any { type_url: type_url.to_owned(), value }]
    }

    /// For statuses in JSON.
    pub fn json(&self) -> Vec<Value> {
        match self {
            Self::None => Vec::new(),
            Self::Retry => vec![json!({"@type": RETRY_INFO, "retryDelay": format!("{RETRY_SECONDS}s")})],
            Self::Field(FieldFault { field, reason }) => {
                vec![json!({"@type": BAD_REQUEST, "fieldViolations": [{"field": field, "description": reason}]})]
            }
        }
    }
}
