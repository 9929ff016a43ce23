//! The routers of the three ports.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use slowburn_app::Answers;
use slowburn_backend::Backend;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::services::ServeDir;

use super::guard::{Hosts, guard};
use super::listen::Patience;
use super::sharing::{self, ApiTurns};
use super::site::{self, Site};
use super::{compression, otlp_grpc, otlp_http};
use crate::api;

/// What handlers need.
#[derive(Clone)]
pub struct Doors {
    /// The use cases.
    pub backend: Backend,
    /// The browser's files.
    pub site: Site,
    /// What pages are being asked.
    pub answers: Answers,
    /// What the API is being asked.
    pub api_turns: ApiTurns,
    /// Hosts by which this server may be called.
    pub hosts: Hosts,
    /// How long silent callers are waited for.
    pub patience: Patience,
    /// Figures about ourselves.
    pub metrics: PrometheusHandle,
    /// Fires when open streams are to end.
    pub closing: CancellationToken,
}

macro_rules! part {
    ($($field:ident: $part:ty),*) => {
        $(impl FromRef<Doors> for $part {
            fn from_ref(doors: &Doors) -> Self {
                doors.$field.clone()
            }
        })*
    };
}
part!(
    backend: Backend,
    site: Site,
    answers: Answers,
    api_turns: ApiTurns,
    hosts: Hosts,
    patience: Patience,
    metrics: PrometheusHandle,
    closing: CancellationToken
);

/// How hard brotli and gzip try. Level 4 of brotli took nearly a third of the time of an SLO's page.
const OTHERS_QUALITY: i32 = 2;

/// Pages, API and OTLP/HTTP.
pub fn main(doors: Doors) -> Router {
    let files = ServiceBuilder::new()
        .layer(from_fn(immutable))
        .service(ServeDir::new(doors.site.folder.join("pkg")).precompressed_br().precompressed_gzip());
    let public = ServeDir::new(&doors.site.folder).precompressed_br().precompressed_gzip();
    let hands = ServiceBuilder::new().layer(from_fn(revalidated)).service(public.clone());
    let level = tower_http::CompressionLevel::Precise(OTHERS_QUALITY);
    let compressed = DefaultPredicate::new().and(NotForContentType::const_new("text/event-stream"));
    let files = Router::new()
        .nest_service("/pkg", files)
        .route_service("/favicon.svg", public.clone())
        .route_service("/robots.txt", public)
        .route_service("/hands.js", hands.clone())
        .route_service("/complete.js", hands.clone())
        .route_service("/json.js", hands.clone())
        .route_service("/hands.css", hands);
    Router::new()
        .route("/search", get(site::search))
        .route("/search/suggestions", get(site::suggestions))
        .route("/search/completions", get(site::completions))
        .route("/incidents/{id}/acknowledge", post(site::acknowledge))
        .route("/incidents/{id}/notes", post(site::note))
        .route("/slos/{name}/exclusions", post(site::exclude))
        .route("/slos/{name}/exclusions/{id}/end", post(site::end_exclusion))
        .route("/views", post(site::views))
        .route("/slo-editor", get(site::page).post(site::slo_editor))
        .route("/_app/{*function}", post(site::server_function))
        .merge(api::routes())
        .fallback(get(site::page))
        .layer(CompressionLayer::new().br(true).gzip(true).quality(level).compress_when(compressed))
        .layer(from_fn(compression::compress))
        .layer(from_fn_with_state(Arc::clone(&doors.api_turns), sharing::share))
        .merge(files)
        .merge(otlp_routes())
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(doors.hosts.clone(), guard))
        .with_state(doors)
}

/// OTLP/HTTP on its own port.
pub fn otlp_http(doors: Doors) -> Router {
    otlp_routes()
        .fallback(otlp_http::unknown_signal)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(doors.hosts.clone(), guard))
        .with_state(doors)
}

fn otlp_routes() -> Router<Doors> {
    Router::new()
        .route("/v1/traces", post(otlp_http::traces).fallback(otlp_http::wrong_method).layer(DefaultBodyLimit::disable()))
        .route("/v1/logs", post(otlp_http::logs).fallback(otlp_http::wrong_method).layer(DefaultBodyLimit::disable()))
        .route("/v1/metrics", post(otlp_http::metrics).fallback(otlp_http::wrong_method).layer(DefaultBodyLimit::disable()))
        .route("/v1/{*signal}", any(otlp_http::unknown_signal))
}

/// OTLP/gRPC.
pub fn otlp_grpc(doors: Doors) -> Router {
    Router::new()
        .route(otlp_grpc::EXPORT_TRACES, post(otlp_grpc::export_traces).layer(DefaultBodyLimit::disable()))
        .route(otlp_grpc::EXPORT_LOGS, post(otlp_grpc::export_logs).layer(DefaultBodyLimit::disable()))
        .route(otlp_grpc::EXPORT_METRICS, post(otlp_grpc::export_metrics).layer(DefaultBodyLimit::disable()))
        .fallback(otlp_grpc::unknown_call)
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(doors.hosts.clone(), guard))
        .with_state(doors)
}

/// Longest path of a file of ours; file systems fail rather than say that a longer name does not exist.
const LONGEST_FILE_PATH: usize = 200;

/// A name without a hash may have another content tomorrow: browsers ask again, and are told that nothing changed.
async fn revalidated(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Names carry the hash of the content, so a file never changes.
async fn immutable(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    if request.uri().path().len() > LONGEST_FILE_PATH {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut response = next.run(request).await;
    if response.status().is_success() {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    }
    response
}
