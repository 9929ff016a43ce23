//! CloudEvents 1.0 over HTTP: `POST /api/v1/events`, in structured, batch and binary form.

use std::pin::pin;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, EXPECT};
use slowburn_backend::Backend;
use slowburn_backend::events::EventForm;
use slowburn_domain::query::FieldFault;
use slowburn_domain::url::decode_segment;
use tower_http::timeout::TimeoutBody;

use super::ecs::Outcome;
use super::listen::Patience;
use super::otlp_http::{body_of, compression_of, discard};
use crate::api::problem::Problem;

/// What attributes in headers begin with.
const PREFIX: &str = "ce-";

/// Events in one of CloudEvents' forms. Answered after they are stored; the good ones of a request are kept. An event that comes
/// again, with the same source and id, is stored once.
#[utoipa::path(
    post, path = "/api/v1/events", request_body(content = Object, content_type = "application/cloudevents+json"),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem), (status = 503, body = Problem))
)]
pub async fn events(State(backend): State<Backend>, State(patience): State<Patience>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = pin!(TimeoutBody::new(patience.body, body));
    let outcome = match (form_of(&parts.headers), compression_of(&parts.headers)) {
        (Err(fault), _) => Err(Problem::invalid(vec![fault])),
        (_, None) => Err(Problem::invalid(vec![FieldFault::new("content-encoding", "expected gzip, zstd or none")])),
        (Ok(form), Some(compression)) => match body_of(backend.ingest(), &parts.headers, body.as_mut()).await {
            Ok(arrived) => backend.receive_events(arrived, compression, form).await.map_err(Problem::from),
            Err(refusal) => Err(refusal.into()),
        },
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

fn form_of(headers: &HeaderMap) -> Result<EventForm, FieldFault> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let essence = content_type.as_deref().and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/cloudevents+json" => Ok(EventForm::Structured),
        "application/cloudevents-batch+json" => Ok(EventForm::Batch),
        _ if headers.contains_key("ce-specversion") => {
            let attributes = headers.iter().filter_map(|(name, value)| {
                let name = name.as_str().strip_prefix(PREFIX)?;
                // Values are percent-encoded UTF-8 (HTTP protocol binding 1.0, section 3.1.3.2).
                Some((name.to_owned(), decode_segment(&String::from_utf8_lossy(value.as_bytes()))))
            });
            Ok(EventForm::Binary { attributes: attributes.collect(), content_type })
        }
        "application/json" => Ok(EventForm::Structured),
        _ => Err(FieldFault::new(
            "content-type",
            "expected application/cloudevents+json, application/cloudevents-batch+json, or the attributes as headers that begin with ce-",
        )),
    }
}
