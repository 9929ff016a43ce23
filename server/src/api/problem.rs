//! Errors as problem documents (RFC 9457).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use slowburn_backend::Error;
use slowburn_domain::query::FieldFault;
use utoipa::ToSchema;

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Kind of problem; `about:blank` means that the status says it.
    pub r#type: &'static str,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Which fields are wrong, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<FieldFault>,
    /// What may have been meant instead, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            near: Vec::new(),
        }
    }

    /// Faults of the input.
    pub fn invalid(errors: Vec<FieldFault>) -> Self {
        let detail = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { kind, name } => Self::new(StatusCode::NOT_FOUND, format!("there is no {kind} {name:?}")),
            Error::UnknownId { id, near, .. } => {
                Self { near, ..Self::new(StatusCode::NOT_FOUND, format!("nothing has the correlation ID {id:?}")) }
            }
            Error::Invalid(faults) => Self::invalid(faults),
            Error::Conflict(reason) => Self::new(StatusCode::CONFLICT, reason),
            Error::Unavailable(reason) => Self::new(StatusCode::SERVICE_UNAVAILABLE, reason),
            Error::Internal(cause) => {
                tracing::error!(error = &*cause as &(dyn std::error::Error + 'static), "request failed inside");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the cause is in the server's log, under the answer's x-correlation-id")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Paths that the API has, for other methods than this.
pub async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the path takes the methods named by the header `allow`")
}

/// Paths that the API does not have.
pub async fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "the API has no such path; /api/openapi.json describes those it has")
}
