//! Traces over REST.

use axum::Json;
use axum::extract::{RawQuery, State};
use http::Uri;
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_backend::traces::TraceDetail;
use slowburn_domain::id::TraceId;
use slowburn_domain::query::{FieldFault, TraceQuery};
use slowburn_domain::span::{Event, Kind, Link, Span, Status, Value, pairs};
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{Root, TraceSummary as Summary};
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use crate::telemetry::now;

/// One trace in a list.
#[derive(Serialize, ToSchema)]
pub struct TraceSummary {
    #[schema(value_type = String)]
    trace_id: TraceId,
    correlation_ids: Vec<String>,
    project_ids: Vec<String>,
    execution_ids: Vec<String>,
    #[schema(value_type = String)]
    start: Timestamp,
    duration_ms: f64,
    #[schema(value_type = Object)]
    root: Root,
    services: Vec<String>,
    spans: u32,
    errors: u32,
}

impl From<Summary> for TraceSummary {
    fn from(summary: Summary) -> Self {
        let Summary { trace_id, correlation_ids, project_ids, execution_ids, start, duration_ms, root, services, spans, errors, .. } =
            summary;
        Self { trace_id, correlation_ids, project_ids, execution_ids, start, duration_ms, root, services, spans, errors }
    }
}

/// One span.
#[derive(Serialize)]
struct SpanBody {
    span_id: String,
    parent_span_id: Option<String>,
    service: String,
    operation: String,
    kind: Kind,
    status: Status,
    status_message: String,
    start: Timestamp,
    duration_ms: f64,
    #[serde(with = "pairs")]
    attributes: Vec<(String, Value)>,
    #[serde(with = "pairs")]
    resource: Vec<(String, Value)>,
    events: Vec<Event>,
    links: Vec<Link>,
    correlation_id: Option<String>,
}

impl From<Span> for SpanBody {
    fn from(span: Span) -> Self {
        Self {
            span_id: span.span_id.to_string(),
            parent_span_id: span.parent_span_id.map(|id| id.to_string()),
            service: span.source.service.clone(),
            kind: span.kind,
            status: span.status,
            start: span.start,
            duration_ms: span.duration_nanos() as f64 / 1e6,
            operation: span.operation,
            status_message: span.status_message,
            attributes: span.attributes,
            resource: span.source.resource.clone(),
            events: span.events,
            links: span.links,
            correlation_id: span.correlation_id,
        }
    }
}

/// One trace with its spans: the fields of a summary, with the list of spans in place of their number.
#[derive(Serialize, ToSchema)]
pub struct Trace {
    #[schema(value_type = String)]
    trace_id: TraceId,
    correlation_ids: Vec<String>,
    project_ids: Vec<String>,
    execution_ids: Vec<String>,
    #[schema(value_type = String)]
    start: Timestamp,
    duration_ms: f64,
    #[schema(value_type = Object)]
    root: Root,
    services: Vec<String>,
    errors: u32,
    /// Spans, each once, by start.
    #[schema(value_type = Vec<Object>)]
    spans: Vec<SpanBody>,
}

/// Traces that meet the query, newest first.
#[utoipa::path(
    get, path = "/api/v1/traces",
    params(
        ("correlation_id" = Option<String>, Query), ("project_id" = Option<String>, Query), ("execution_id" = Option<String>, Query),
        ("service" = Option<String>, Query), ("operation" = Option<String>, Query), ("status" = Option<String>, Query),
        ("min_duration_ms" = Option<f64>, Query), ("max_duration_ms" = Option<f64>, Query), ("filter" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<TraceSummary>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<TraceSummary>>, Problem> {
    let (query, faults) = TraceQuery::parse(raw.as_deref().unwrap_or_default());
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let found = backend.find_traces(&query, now()).await?;
    Ok(Json(List { items: found.items.into_iter().map(TraceSummary::from).collect(), next: found.next.map(|cursor| cursor.to_string()) }))
}

/// One trace with all its spans.
#[utoipa::path(
    get, path = "/api/v1/traces/{trace_id}", params(("trace_id" = String, Path)),
    responses((status = 200, body = Trace), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn one(State(backend): State<Backend>, uri: Uri) -> Result<Json<Trace>, Problem> {
    let text = uri.path().rsplit('/').next().unwrap_or_default();
    let id: TraceId = text
        .parse()
        .map_err(|fault: slowburn_domain::id::IdError| Problem::invalid(vec![FieldFault::new("trace_id", fault.to_string())]))?;
    let TraceDetail { summary, spans } = backend.trace(id).await?;
    let Summary { trace_id, correlation_ids, project_ids, execution_ids, start, duration_ms, root, services, errors, .. } = summary;
    let spans = spans.into_iter().map(SpanBody::from).collect();
    Ok(Json(Trace { trace_id, correlation_ids, project_ids, execution_ids, start, duration_ms, root, services, errors, spans }))
}
