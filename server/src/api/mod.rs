//! The REST API. Shapes here are a contract with scripts and are kept apart from what pages show.

pub mod agents;
pub mod correlations;
pub mod events;
pub mod exclusions;
pub mod health;
pub mod incidents;
pub mod live;
pub mod logs;
pub mod metric_query;
pub mod metrics;
pub mod problem;
pub mod services;
pub mod slos;
pub mod source;
pub mod storage;
pub mod traces;
pub mod views;

use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use slowburn_domain::query::{DEFAULT_LIMIT, FieldFault, MAX_LIMIT};
use slowburn_domain::url::decode_query;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::{OpenApi, ToSchema};

use self::problem::Problem;
use crate::doors::router::Doors;
use crate::doors::{cloudevents, ecs};

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    /// The page.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// The part of `items` that `limit` and `cursor` of a raw query string ask for. The cursor is the number of items
    /// passed over; such lists are short, and read anew for each page, so that an item which moved in between may be met
    /// twice or not at all.
    ///
    /// # Errors
    /// A limit or cursor that cannot be.
    pub fn page(items: Vec<T>, raw: Option<&str>) -> Result<Self, Problem> {
        let (mut limit, mut start) = (usize::from(DEFAULT_LIMIT), 0);
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw.unwrap_or_default()).into_iter().filter(|(_, value)| !value.is_empty()) {
            match (key.as_str(), value.parse::<usize>().ok()) {
                ("limit", Some(number)) if (1..=usize::from(MAX_LIMIT)).contains(&number) => limit = number,
                ("limit", _) => faults.push(FieldFault::new(key, "expected a whole number from 1 to 1000")),
                ("cursor", Some(number)) => start = number,
                ("cursor", None) => faults.push(FieldFault::new(key, "not a cursor that this server gave")),
                _ => {}
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let end = start.saturating_add(limit);
        let next = (end < items.len()).then(|| end.to_string());
        Ok(Self { items: items.into_iter().skip(start).take(limit).collect(), next })
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Slowburn",
        description = "SLOs, burn rates, error budgets, traces and logs. Times are RFC 3339 in UTC, ratios run from 0 to 1, errors are RFC 9457 problem documents."
    ),
    paths(
        slos::list,
        slos::one,
        slos::series,
        slos::versions,
        slos::remove,
        slos::remove_document,
        slos::apply,
        slos::export,
        slos::prometheus_rules,
        exclusions::list,
        exclusions::create,
        exclusions::end,
        incidents::list,
        incidents::of_slo,
        incidents::one,
        incidents::acknowledge,
        incidents::note,
        traces::list,
        traces::one,
        logs::list,
        ecs::logs,
        events::list,
        cloudevents::events,
        views::list,
        views::save,
        views::remove,
        agents::list,
        agents::register,
        agents::remove,
        agents::heartbeat,
        correlations::one,
        metric_query::list,
        metric_query::query,
        services::list,
        services::map,
        storage::storage,
        health::health,
        health::ready,
        health::livez,
        health::readyz,
        metrics::metrics,
        live::live,
        openapi
    ),
    components(schemas(
        problem::Problem,
        slos::Slo,
        traces::TraceSummary,
        traces::Trace,
        logs::Log,
        events::Event,
        views::SavedView,
        agents::Agent,
        correlations::Correlation,
        metric_query::Metric,
        metric_query::Answer,
        services::Service,
        services::ServiceEdge
    ))
)]
struct Document;

/// The API's description (OpenAPI 3.1).
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = Object)))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

/// Every route of the API.
pub fn routes() -> Router<Doors> {
    Router::new()
        .route("/api/v1/slos", get(slos::list))
        .route("/api/v1/slos/{name}", get(slos::one).delete(slos::remove))
        .route("/api/v1/slos/{name}/versions", get(slos::versions))
        .route("/api/v1/openslo/{kind}/{name}", delete(slos::remove_document))
        .route("/api/v1/slos/{name}/series", get(slos::series))
        .route("/api/v1/openslo", put(slos::apply).get(slos::export))
        .route("/api/v1/prometheus-rules", get(slos::prometheus_rules))
        .route("/api/v1/exclusions", get(exclusions::list).post(exclusions::create))
        .route("/api/v1/exclusions/{id}", axum::routing::delete(exclusions::end))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::one))
        .route("/api/v1/incidents/{id}/acknowledge", post(incidents::acknowledge))
        .route("/api/v1/incidents/{id}/notes", post(incidents::note))
        .route("/api/v1/slos/{name}/incidents", get(incidents::of_slo))
        .route("/api/v1/traces", get(traces::list))
        .route("/api/v1/traces/{trace_id}", get(traces::one))
        .route("/api/v1/logs", get(logs::list).merge(post(ecs::logs).layer(DefaultBodyLimit::disable())))
        .route("/api/v1/events", get(events::list).merge(post(cloudevents::events).layer(DefaultBodyLimit::disable())))
        .route("/api/v1/views", get(views::list))
        .route("/api/v1/views/{page}/{name}", put(views::save).delete(views::remove))
        .route("/api/v1/agents", get(agents::list))
        .route("/api/v1/agents/{name}", put(agents::register).delete(agents::remove))
        .route("/api/v1/agents/{name}/heartbeat", post(agents::heartbeat))
        .route("/api/v1/correlations/{id}", get(correlations::one))
        .route("/api/v1/metrics", get(metric_query::list))
        .route("/api/v1/metrics/query", get(metric_query::query))
        .route("/api/v1/services", get(services::list))
        .route("/api/v1/service-map", get(services::map))
        .route("/api/v1/storage", get(storage::storage))
        .route("/api/v1/live", get(live::live))
        .route("/api/openapi.json", get(openapi))
        .route("/api/{*rest}", axum::routing::any(problem::unknown))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
}
