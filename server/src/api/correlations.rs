//! Everything with one correlation ID, over REST.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::Uri;
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::event::EventQuery;
use slowburn_domain::log::LogLine;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::url::{decode_segment, trace_path};
use slowburn_domain::view::CorrelationPage;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::telemetry::now;

/// Everything with one correlation ID.
#[derive(Serialize, ToSchema)]
pub struct Correlation {
    id: String,
    /// When the first of it happened.
    #[schema(value_type = String)]
    from: Timestamp,
    /// When the last of it ended.
    #[schema(value_type = String)]
    to: Timestamp,
    /// How many items there are of each kind.
    counts: BTreeMap<&'static str, u64>,
    /// In order of time.
    items: Vec<Item>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct Item {
    /// `trace`, `log` or `event`.
    kind: &'static str,
    #[schema(value_type = String)]
    time: Timestamp,
    /// Null for what has no length.
    duration_ms: Option<f64>,
    service: String,
    title: String,
    /// `error` or `ok`.
    status: &'static str,
    /// Its page.
    href: String,
}

const fn status(is_error: bool) -> &'static str {
    if is_error { "error" } else { "ok" }
}

fn of_trace(trace: &TraceSummary) -> Item {
    Item {
        kind: "trace",
        time: trace.start,
        duration_ms: Some(trace.duration_ms),
        service: trace.root.service.clone(),
        title: trace.root.operation.clone(),
        status: status(trace.errors > 0),
        href: trace_path(trace.trace_id),
    }
}

fn of_log(id: &str, log: &LogLine) -> Item {
    let href = match log.trace_id {
        Some(trace_id) => trace_path(trace_id),
        None if log.is_event() => EventQuery { correlation_id: Some(id.to_owned()), ..EventQuery::default() }.href(),
        None => LogQuery { correlation_id: Some(id.to_owned()), ..LogQuery::default() }.href(),
    };
    Item {
        kind: if log.is_event() { "event" } else { "log" },
        time: log.time,
        duration_ms: None,
        service: log.service.clone(),
        title: log.said.clone(),
        status: status(log.is_error()),
        href,
    }
}

/// Every trace, log record and event of a correlation ID, in order of time.
#[utoipa::path(
    get, path = "/api/v1/correlations/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Correlation), (status = 404, body = Problem))
)]
pub async fn one(State(backend): State<Backend>, uri: Uri) -> Result<Json<Correlation>, Problem> {
    let raw = uri.path().strip_prefix("/api/v1/correlations/").unwrap_or_default();
    let page = backend.correlation_story(&decode_segment(raw), now()).await?;
    Ok(Json(answer(page)))
}

fn answer(page: CorrelationPage) -> Correlation {
    let mut items: Vec<Item> = page.traces.iter().map(of_trace).collect();
    items.extend(page.logs.iter().map(|log| of_log(&page.id, log)));
    items.sort_by_key(|item| item.time);
    let (from, to) = page.span();
    let mut counts = BTreeMap::from([("trace", 0), ("log", 0), ("event", 0)]);
    for item in &items {
        *counts.entry(item.kind).or_default() += 1;
    }
    Correlation { id: page.id, from, to, counts, items }
}
