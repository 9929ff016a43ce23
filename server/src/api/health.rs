//! How the process is. Liveness never asks the database; readiness does.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use slowburn_backend::Backend;
use utoipa::ToSchema;

/// State of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Works.
    Healthy,
    /// Works, but not as it should.
    Degraded,
    /// Does not work.
    Unhealthy,
}

/// One part.
#[derive(Debug, Serialize, ToSchema)]
pub struct Component {
    status: Condition,
    /// How long it took to answer, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    /// Records waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_records: Option<usize>,
}

/// The whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    status: Condition,
    version: &'static str,
    components: BTreeMap<&'static str, Component>,
}

async fn examine(backend: &Backend) -> Health {
    let database = match backend.ping().await {
        Ok(latency) => Component { status: Condition::Healthy, latency_ms: Some(latency.as_secs_f64() * 1e3), waiting_records: None },
        Err(_) => Component { status: Condition::Unhealthy, latency_ms: None, waiting_records: None },
    };
    let waiting = backend.ingest().waiting_records();
    let ingest = Component {
        status: if backend.stopping().is_cancelled() { Condition::Degraded } else { Condition::Healthy },
        latency_ms: None,
        waiting_records: Some(waiting),
    };
    let status = if database.status == Condition::Unhealthy { Condition::Unhealthy } else { ingest.status };
    Health { status, version: env!("CARGO_PKG_VERSION"), components: BTreeMap::from([("database", database), ("ingest", ingest)]) }
}

/// State of every part.
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn health(State(backend): State<Backend>) -> Response {
    let health = examine(&backend).await;
    let status = if health.status == Condition::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(health)).into_response()
}

/// Ready for requests?
#[utoipa::path(get, path = "/ready", responses((status = 200), (status = 503)))]
pub async fn ready(State(backend): State<Backend>) -> Response {
    let health = examine(&backend).await;
    if health.status == Condition::Healthy {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

/// Alive?
#[utoipa::path(get, path = "/livez", responses((status = 200)))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Ready for requests, in Kubernetes' words: one line per check with `?verbose`.
#[utoipa::path(get, path = "/readyz", responses((status = 200), (status = 503)))]
pub async fn readyz(State(backend): State<Backend>, uri: http::Uri) -> Response {
    let health = examine(&backend).await;
    let ready = health.status == Condition::Healthy;
    let mut text = String::new();
    if uri.query().is_some_and(|query| query.contains("verbose")) || !ready {
        for (name, component) in &health.components {
            text.push_str(if component.status == Condition::Healthy { "[+]" } else { "[-]" });
            text.push_str(name);
            text.push_str(if component.status == Condition::Healthy { " ok\n" } else { " failed\n" });
        }
    }
    text.push_str(if ready { "ok\n" } else { "not ready\n" });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text).into_response()
}
