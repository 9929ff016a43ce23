//! Metrics over REST: which there are, and what they showed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::metric::answer::{ExemplarDot, ListedMetric, MetricAnswer, MetricLine};
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::time::Timestamp;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use crate::telemetry::now;

/// Most lines of an answer.
const MOST_LINES: usize = 1_000;

/// A metric that services send.
#[derive(Serialize, ToSchema)]
pub struct Metric {
    name: String,
    /// In UCUM's letters, as the sender wrote it; empty if it had none.
    unit: String,
    description: String,
    /// `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`.
    kind: &'static str,
    /// `delta`, `cumulative`, or empty.
    temporality: &'static str,
    is_monotonic: bool,
    services: Vec<String>,
    /// Series that were active.
    series: u64,
}

impl From<ListedMetric> for Metric {
    fn from(ListedMetric { metric, services, series }: ListedMetric) -> Self {
        Self {
            kind: metric.kind.as_str(),
            temporality: metric.temporality.as_str(),
            is_monotonic: metric.is_monotonic,
            name: metric.name,
            unit: metric.unit,
            description: metric.description,
            services,
            series,
        }
    }
}

/// What a metric showed.
#[derive(Serialize, ToSchema)]
pub struct Answer {
    name: String,
    unit: String,
    kind: &'static str,
    /// What is told of each step.
    aggregate: String,
    /// When the first step begins.
    #[schema(value_type = String)]
    from: Timestamp,
    step_seconds: u32,
    /// Groups of series, the largest first.
    items: Vec<Line>,
    /// Null: an answer is one page.
    next: Option<String>,
    /// Groups left out.
    more_items: usize,
    /// Series that the answer is made of.
    series: usize,
    /// Observations with a trace, the greatest of each step.
    exemplars: Vec<Exemplar>,
}

/// One group of series.
#[derive(Serialize, ToSchema)]
pub struct Line {
    labels: BTreeMap<String, String>,
    /// Of each step; null where nothing is known.
    values: Vec<Option<f64>>,
}

/// An observation and its trace.
#[derive(Serialize, ToSchema)]
pub struct Exemplar {
    #[schema(value_type = String)]
    time: Timestamp,
    value: f64,
    trace_id: String,
}

impl From<MetricAnswer> for Answer {
    fn from(answer: MetricAnswer) -> Self {
        let line = |MetricLine { labels, values }: MetricLine| Line { labels: labels.into_iter().collect(), values };
        let exemplar = |ExemplarDot { time, value, trace_id }: ExemplarDot| Exemplar { time, value, trace_id: trace_id.to_string() };
        Self {
            kind: answer.metric.kind.as_str(),
            name: answer.metric.name,
            unit: answer.metric.unit,
            aggregate: answer.aggregate,
            from: answer.from,
            step_seconds: answer.step_seconds,
            items: answer.lines.into_iter().map(line).collect(),
            next: None,
            more_items: answer.more_lines,
            series: answer.series,
            exemplars: answer.exemplars.into_iter().map(exemplar).collect(),
        }
    }
}

/// Metrics that services sent in the range, by name; the last hour unless asked otherwise. `q` are words that name, unit or
/// description must hold.
#[utoipa::path(
    get, path = "/api/v1/metrics",
    params(
        ("q" = Option<String>, Query), ("service" = Option<String>, Query), ("from" = Option<String>, Query),
        ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<Metric>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Metric>>, Problem> {
    let now = now();
    let query = parse(raw.as_deref())?;
    let from = query.grid(now).map_err(|fault| Problem::invalid(vec![fault]))?.from;
    let (found, _) = backend.list_metrics(query.q.as_deref(), query.service.as_deref(), from).await?;
    Ok(Json(List::page(found.into_iter().map(Metric::from).collect(), raw.as_deref())?))
}

/// What a metric showed, step by step. `aggregate`: rate, increase, sum, avg, min, max, or a percentile such as p95; what suits the
/// metric unless given. `group_by`: keys of attributes, `service`, or `resource.…`, parted by commas.
#[utoipa::path(
    get, path = "/api/v1/metrics/query",
    params(
        ("name" = String, Query), ("filter" = Option<String>, Query), ("service" = Option<String>, Query),
        ("group_by" = Option<String>, Query), ("aggregate" = Option<String>, Query), ("from" = Option<String>, Query),
        ("to" = Option<String>, Query), ("step" = Option<String>, Query)
    ),
    responses((status = 200, body = Answer), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn query(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<Answer>, Problem> {
    let query = parse(raw.as_deref())?;
    Ok(Json(backend.ask_metric(&query, MOST_LINES, now()).await?.into()))
}

fn parse(raw: Option<&str>) -> Result<MetricQuery, Problem> {
    let (query, faults) = MetricQuery::parse(raw.unwrap_or_default());
    if faults.is_empty() { Ok(query) } else { Err(Problem::invalid(faults)) }
}
