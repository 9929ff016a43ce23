//! Log records in the Elastic Common Schema: `POST /api/v1/logs`, a JSON object a line.

use std::pin::pin;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::EXPECT;
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_backend::ingest::{Accepted, Format, Refusal, Rejected};
use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Telemetry;
use tower_http::timeout::TimeoutBody;
use utoipa::ToSchema;

use super::listen::Patience;
use super::otlp_http::{body_of, compression_of, discard};
use crate::api::problem::Problem;

/// What became of the records of a request.
#[derive(Serialize, ToSchema)]
pub struct Outcome {
    /// How many were stored, now or by an earlier try of the same request.
    accepted: u64,
    /// Those that were refused, the first thousand of them.
    rejected: Vec<RejectedRecord>,
}

/// A record that was refused.
#[derive(Serialize, ToSchema)]
pub struct RejectedRecord {
    /// Which one of the request, from 0.
    index: usize,
    /// The field that is wrong.
    field: String,
    /// What is wrong with it.
    reason: String,
}

impl From<Rejected> for RejectedRecord {
    fn from(Rejected { index, field, reason }: Rejected) -> Self {
        Self { index, field, reason }
    }
}

impl From<Accepted> for Outcome {
    fn from(accepted: Accepted) -> Self {
        Self { accepted: accepted.accepted, rejected: accepted.faults.into_iter().map(RejectedRecord::from).collect() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Malformed(fault) => Self::invalid(vec![fault]),
            Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, message),
            Refusal::Stalled | Refusal::Busy | Refusal::Unavailable => Self::new(StatusCode::SERVICE_UNAVAILABLE, message),
        }
    }
}

/// Log records in the Elastic Common Schema: a JSON object a line, an array of them, or one alone. `@timestamp` is required.
/// Answered after they are stored; the good records of a request are kept.
#[utoipa::path(
    post, path = "/api/v1/logs", request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem), (status = 503, body = Problem))
)]
pub async fn logs(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = pin!(TimeoutBody::new(patience.body, body));
    let outcome = match compression_of(&parts.headers) {
        None => Err(Problem::invalid(vec![FieldFault::new("content-encoding", "expected gzip, zstd or none")])),
        Some(compression) => {
            let ingest = backend.ingest();
            match body_of(ingest, &parts.headers, body.as_mut()).await {
                Ok(arrived) => ingest.arrived(Telemetry::Logs, arrived, compression, Format::Ecs).await.map_err(Problem::from),
                Err(refusal) => Err(refusal.into()),
            }
        }
    };
    match outcome {
        Ok(accepted) => Json(Outcome::from(accepted)).into_response(),
        Err(problem) => {
            // Who waits for leave to send has sent nothing.
            if !parts.headers.contains_key(EXPECT) {
                discard(body.as_mut()).await;
            }
            problem.into_response()
        }
    }
}
