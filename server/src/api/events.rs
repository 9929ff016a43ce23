//! The event log over REST.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::event::{EventLine, EventQuery};
use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Value, pairs};
use slowburn_domain::time::Timestamp;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use crate::telemetry::now;

/// One event; names are those of CloudEvents 1.0.
#[derive(Serialize, ToSchema)]
pub struct Event {
    id: String,
    source: String,
    r#type: String,
    subject: String,
    #[schema(value_type = String)]
    time: Timestamp,
    correlation_id: Option<String>,
    #[schema(value_type = Option<String>)]
    trace_id: Option<TraceId>,
    /// Further attributes.
    #[serde(with = "pairs")]
    #[schema(value_type = Object)]
    extensions: Vec<(String, Value)>,
    #[schema(value_type = Object)]
    data: Value,
}

impl From<EventLine> for Event {
    fn from(event: EventLine) -> Self {
        let EventLine { id, source, kind, subject, time, correlation_id, trace_id, extensions, data } = event;
        Self { id, source, r#type: kind, subject, time, correlation_id, trace_id, extensions, data }
    }
}

/// Events that meet the query, newest first: those that were sent, and those of Slowburn itself (`dev.slowburn.…`). `q` are words of
/// their content; a `type` that ends in `*` stands for all that begin so.
#[utoipa::path(
    get, path = "/api/v1/events",
    params(
        ("q" = Option<String>, Query), ("type" = Option<String>, Query), ("source" = Option<String>, Query),
        ("subject" = Option<String>, Query), ("correlation_id" = Option<String>, Query), ("from" = Option<String>, Query),
        ("to" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<Event>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Event>>, Problem> {
    let (query, faults) = EventQuery::parse(raw.as_deref().unwrap_or_default());
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let (items, next) = backend.find_events(&query, now()).await?;
    Ok(Json(List { items: items.into_iter().map(Event::from).collect(), next: next.map(|cursor| cursor.to_string()) }))
}
