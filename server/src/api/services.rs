//! Services over REST.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::query::{Bound, FieldFault};
use slowburn_domain::red::{OperationRed, ServiceRed};
use slowburn_domain::service_map::{Edge, EdgeKind};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::decode_query;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use crate::telemetry::now;

/// How far back without bounds, seconds.
const DEFAULT_RANGE_SECONDS: u64 = 3_600;
/// Longest range, nanoseconds: rows are per minute and operation.
const LONGEST_RANGE: i64 = 7 * 86_400 * 1_000_000_000;

/// One service: rate, errors and duration over the range asked for, and of each operation.
#[derive(Serialize, ToSchema)]
pub struct Service {
    name: String,
    count: u64,
    rate_per_second: f64,
    errors: u64,
    error_ratio: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    #[schema(value_type = Vec<Object>)]
    operations: Vec<OperationRed>,
}

impl From<ServiceRed> for Service {
    fn from(ServiceRed { name, red, operations }: ServiceRed) -> Self {
        Self {
            name,
            count: red.count,
            rate_per_second: red.rate_per_second,
            errors: red.errors,
            error_ratio: red.error_ratio,
            p50_ms: red.p50_ms,
            p90_ms: red.p90_ms,
            p99_ms: red.p99_ms,
            operations,
        }
    }
}

/// Every service that sent spans in the range, by name; the last hour unless asked otherwise.
#[utoipa::path(
    get, path = "/api/v1/services",
    params(
        ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<Service>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Service>>, Problem> {
    let (from, to) = range(raw.as_deref(), now())?;
    let services = backend.services(from, to).await?.into_iter().map(Service::from).collect();
    Ok(Json(List::page(services, raw.as_deref())?))
}

/// What passed from one service to another, or between a service and what it uses.
#[derive(Serialize, ToSchema)]
pub struct ServiceEdge {
    /// `call`, `database`, `send`, `receive` or `elsewhere`.
    #[schema(value_type = String)]
    kind: EdgeKind,
    /// Who asks or sends.
    caller: String,
    /// Who answers or receives.
    callee: String,
    count: u64,
    rate_per_second: f64,
    errors: u64,
    error_ratio: f64,
    p95_ms: f64,
}

impl From<Edge> for ServiceEdge {
    fn from(Edge { kind, caller, callee, count, rate_per_second, errors, error_ratio, p95_ms }: Edge) -> Self {
        Self { kind, caller, callee, count, rate_per_second, errors, error_ratio, p95_ms }
    }
}

/// What passed between services in the range, those that fail most first; the last hour unless asked otherwise. `service` asks for
/// what begins or ends at it.
#[utoipa::path(
    get, path = "/api/v1/service-map",
    params(
        ("service" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<ServiceEdge>), (status = 400, body = Problem))
)]
pub async fn map(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<ServiceEdge>>, Problem> {
    let (from, to) = range(raw.as_deref(), now())?;
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let service = pairs.iter().find(|(key, value)| key == "service" && !value.is_empty()).map(|(_, value)| value.as_str());
    let edges = backend.service_map(service, from, to).await?.into_iter().map(ServiceEdge::from).collect();
    Ok(Json(List::page(edges, raw.as_deref())?))
}

/// `from` and `to` of a query.
fn range(raw: Option<&str>, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let pairs = decode_query(raw.unwrap_or_default());
    let bound = |name: &str, default: Bound| match pairs.iter().find(|(key, value)| key == name && !value.is_empty()) {
        None => Ok(default.at(now)),
        Some((_, value)) => Bound::parse(value)
            .map(|bound| bound.at(now))
            .ok_or_else(|| Problem::invalid(vec![FieldFault::new(name, "expected a time like 2026-11-21T02:20:00Z or -1h")])),
    };
    let (from, to) = (bound("from", Bound::Ago(DEFAULT_RANGE_SECONDS))?, bound("to", Bound::Ago(0))?);
    if from > to || to.since(from) > LONGEST_RANGE {
        return Err(Problem::invalid(vec![FieldFault::new("from", "must not be later than `to`, nor more than seven days before it")]));
    }
    Ok((from, to))
}
