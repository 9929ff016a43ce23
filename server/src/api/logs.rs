//! Log records over REST.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::log::LogRecord;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::span::{Value, pairs};
use slowburn_domain::time::Timestamp;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use crate::telemetry::now;

/// One log record.
#[derive(Serialize, ToSchema)]
pub struct Log {
    #[schema(value_type = String)]
    time: Timestamp,
    /// `trace`, `debug`, `info`, `warn`, `error` or `fatal`; null when the sender did not say.
    severity: Option<&'static str>,
    /// The sender's own word.
    severity_text: String,
    service: String,
    #[schema(value_type = Object)]
    body: Value,
    event_name: String,
    #[schema(value_type = Option<String>)]
    trace_id: Option<TraceId>,
    #[schema(value_type = Option<String>)]
    span_id: Option<SpanId>,
    correlation_ids: Vec<String>,
    #[serde(with = "pairs")]
    #[schema(value_type = Object)]
    attributes: Vec<(String, Value)>,
    #[serde(with = "pairs")]
    #[schema(value_type = Object)]
    resource: Vec<(String, Value)>,
}

impl From<LogRecord> for Log {
    fn from(record: LogRecord) -> Self {
        Self {
            time: record.time,
            severity: Some(record.severity.as_str()).filter(|word| !word.is_empty()),
            severity_text: record.severity_text,
            service: record.source.service.clone(),
            body: record.body,
            event_name: record.event_name,
            trace_id: record.trace_id,
            span_id: record.span_id,
            correlation_ids: record.correlation_id.into_iter().collect(),
            attributes: record.attributes,
            resource: record.source.resource.clone(),
        }
    }
}

/// Log records that meet the query, newest first. `q` are words of the body: all must be there, `"two words"` next to each
/// other, `decl*` at the beginning of a word, `-retry` nowhere. `severity` is the mildest that is wanted.
#[utoipa::path(
    get, path = "/api/v1/logs",
    params(
        ("q" = Option<String>, Query), ("filter" = Option<String>, Query), ("service" = Option<String>, Query),
        ("severity" = Option<String>, Query), ("trace_id" = Option<String>, Query), ("correlation_id" = Option<String>, Query),
        ("project_id" = Option<String>, Query), ("execution_id" = Option<String>, Query), ("from" = Option<String>, Query),
        ("to" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<Log>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Log>>, Problem> {
    let (query, faults) = LogQuery::parse(raw.as_deref().unwrap_or_default());
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let found = backend.find_logs(&query, now()).await?;
    Ok(Json(List { items: found.items.into_iter().map(Log::from).collect(), next: found.next.map(|cursor| cursor.to_string()) }))
}
