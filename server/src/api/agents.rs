//! Agents and their heartbeats over REST.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{RawQuery, State};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use slowburn_backend::Backend;
use slowburn_domain::agent::Agent as Known;
use slowburn_domain::query::FieldFault;
use slowburn_domain::time::{Timestamp, parse_duration};
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use super::slos::segment;

/// An agent.
#[derive(Serialize, ToSchema)]
pub struct Agent {
    name: String,
    interval_seconds: u32,
    /// `alive`, `overdue`, or `waiting` for its first heartbeat.
    state: &'static str,
    #[schema(value_type = String)]
    registered_at: Timestamp,
    #[schema(value_type = Option<String>)]
    last_heartbeat: Option<Timestamp>,
    /// When the next heartbeat is due.
    #[schema(value_type = String)]
    due: Timestamp,
}

impl From<Known> for Agent {
    fn from(known: Known) -> Self {
        let state = known.state();
        let Known { name, interval_seconds, registered_at, heartbeat_at, due_at, .. } = known;
        Self { name, interval_seconds, state, registered_at, last_heartbeat: heartbeat_at, due: due_at }
    }
}

/// How often an agent promises to be heard of: one of the two.
#[derive(Deserialize, ToSchema)]
pub struct Promise {
    interval_seconds: Option<u32>,
    /// As `30s`, `5m`.
    interval: Option<String>,
}

impl Promise {
    fn seconds(&self) -> Result<u32, Problem> {
        match (self.interval_seconds, &self.interval) {
            (Some(seconds), None) => Ok(seconds),
            (None, Some(text)) => parse_duration(text)
                .ok()
                .and_then(|seconds| u32::try_from(seconds).ok())
                .ok_or_else(|| Problem::invalid(vec![FieldFault::new("interval", "expected a duration like 30s or 5m")])),
            _ => Err(Problem::invalid(vec![FieldFault::new("interval_seconds", "expected, or else interval")])),
        }
    }
}

/// Agents, those that are overdue first.
#[utoipa::path(
    get, path = "/api/v1/agents", params(("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Agent>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Agent>>, Problem> {
    let agents = backend.agents().await?.into_iter().map(Agent::from).collect();
    Ok(Json(List::page(agents, raw.as_deref())?))
}

/// Registers an agent, or changes how often it promises to be heard of. Overdue is noticed within about a second.
#[utoipa::path(
    put, path = "/api/v1/agents/{name}", params(("name" = String, Path)), request_body = Promise,
    responses((status = 200, body = Agent), (status = 400, body = Problem))
)]
pub async fn register(
    State(backend): State<Backend>,
    uri: Uri,
    body: Result<Json<Promise>, JsonRejection>,
) -> Result<Json<Agent>, Problem> {
    let Json(promise) = body.map_err(|fault| Problem::invalid(vec![FieldFault::new("body", fault.body_text())]))?;
    let agent = backend.register_agent(&segment(&uri, 4), promise.seconds()?).await?;
    Ok(Json(agent.into()))
}

/// A heartbeat.
#[utoipa::path(
    post, path = "/api/v1/agents/{name}/heartbeat", params(("name" = String, Path)),
    responses((status = 200, body = Agent), (status = 404, body = Problem))
)]
pub async fn heartbeat(State(backend): State<Backend>, uri: Uri) -> Result<Json<Agent>, Problem> {
    Ok(Json(backend.heartbeat(&segment(&uri, 4)).await?.into()))
}

/// Forgets an agent: nothing is expected of it any more.
#[utoipa::path(
    delete, path = "/api/v1/agents/{name}", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn remove(State(backend): State<Backend>, uri: Uri) -> Result<StatusCode, Problem> {
    backend.remove_agent(&segment(&uri, 4)).await?;
    Ok(StatusCode::NO_CONTENT)
}
