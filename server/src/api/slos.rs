//! SLOs over REST.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::StringRejection;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_backend::slo::{Signature, SloReport};
use slowburn_domain::query::{Bound, FieldFault};
use slowburn_domain::slo::{BudgetingMethod, Lint as Evidence, LintKind, PartState, SeriesPoint, Tier, TimeWindow};
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::time::{Timestamp, parse_duration};
use slowburn_domain::url::{decode_query, decode_segment};
use slowburn_domain::view::DocumentVersion;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use super::source::Source;
use crate::telemetry::now;

/// A time window.
#[derive(Serialize, ToSchema)]
pub struct Window {
    /// For example `30d`.
    duration: String,
    /// Whether it moves with time.
    is_rolling: bool,
    /// Where its periods begin, unless it is rolling.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<Calendar>,
}

/// Where the periods of a window begin.
#[derive(Serialize, ToSchema)]
pub struct Calendar {
    /// When one of them begins, by the clocks of the zone.
    start_time: String,
    /// Name in the IANA database.
    time_zone: String,
    /// When the next one begins.
    #[schema(value_type = Option<String>)]
    renews_at: Option<Timestamp>,
}

/// The slices of time that a budget is counted in.
#[derive(Serialize, ToSchema)]
pub struct TimeSlice {
    /// Length in seconds.
    seconds: u32,
    /// Share of good events from which on a slice is good, 0–1; null when each loses its share of bad events.
    target: Option<f64>,
}

/// Error budget in events or slices, or in percent of the whole that its parts make.
#[derive(Serialize, ToSchema)]
pub struct ErrorBudget {
    /// Bad events allowed: (1 − target) × events in the window.
    total: f64,
    /// Bad events seen.
    consumed: f64,
    /// What is left; negative when overspent.
    remaining: f64,
    /// `remaining ÷ total`; null without events.
    remaining_ratio: Option<f64>,
}

/// One SLO and how it stands.
#[derive(Serialize, ToSchema)]
pub struct Slo {
    name: String,
    display_name: Option<String>,
    service: String,
    description: String,
    /// Promised share of good events, 0–1.
    target: f64,
    window: Window,
    budgeting_method: &'static str,
    /// Its slices, unless it counts events.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_slice: Option<TimeSlice>,
    /// Share of good events over the window, 0–1; null without events.
    sli: Option<f64>,
    /// Good events over the window.
    good: u64,
    /// Events over the window.
    events: u64,
    error_budget: ErrorBudget,
    /// Burn rate by window; null without events.
    burn_rates: BTreeMap<String, Option<f64>>,
    /// healthy, increasing, recovering, critical or unmeasured.
    alert: &'static str,
    /// Most urgent tier that fires: page, ticket or null.
    tier: Option<&'static str>,
    /// Share of the window since the first record in which the source was alive; null before any.
    coverage: Option<f64>,
    /// Seconds until the budget is gone at the last hour's rate; null while nothing burns.
    time_to_exhaustion_seconds: Option<f64>,
    /// Its 10th and 90th percentile under resampled burns of the last six hours; null in lists.
    time_to_exhaustion_range_seconds: Option<[Option<f64>; 2]>,
    /// What its own numbers say against it.
    lints: Vec<Lint>,
    /// The SLOs that it is made of; not given for one that counts events of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// What its events are grouped by; not there without groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    grouping: Option<Grouping>,
    /// Of what it is a group; not there unless it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    /// How far counting what was stored before it was applied has come; null when all is counted, and in lists.
    backfill: Option<Backfill>,
    /// Until when counts in its window are estimates made from a sample of spans; not there when all are exact, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    estimated_to: Option<Timestamp>,
    /// Where its counts come from; not there when they are made here, and in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

/// Advice about an SLO.
#[derive(Serialize, ToSchema)]
pub struct Lint {
    /// never_burns, burns_constantly, good_exceeds_total, unreachable_tier, budget_under_one, single_failure_pages or too_many_groups.
    kind: &'static str,
    /// What the numbers are.
    reason: String,
    /// What would help.
    proposal: String,
}

/// An SLO in another.
#[derive(Serialize, ToSchema)]
pub struct Part {
    /// Its name.
    slo: String,
    /// Its share in the weights of all parts, 0–1.
    weight: f64,
    /// Share of its good events over the window of the whole, 0–1; null without events.
    sli: Option<f64>,
    /// Share of that window since its first record in which it was not delayed; null before any.
    coverage: Option<f64>,
    /// What it spent of the whole's budget, as a share of all of it.
    spent: f64,
}

/// How the events of an SLO are grouped. The groups are listed by `/api/v1/slos?group_of=NAME`.
#[derive(Serialize, ToSchema)]
pub struct Grouping {
    /// What tells the group of an event, in CEL.
    by: String,
    /// Most values that get a group.
    cap: u32,
    /// The values that have one; ~other holds the events of further values, ~none those without.
    values: Vec<String>,
}

/// Of what an SLO is a group.
#[derive(Serialize, ToSchema)]
pub struct Group {
    /// Name of the SLO.
    of: String,
    /// The value that its events have in common.
    value: String,
}

/// How far counting the past of an SLO has come.
#[derive(Serialize, ToSchema)]
pub struct Backfill {
    /// Stored spans not looked at yet.
    remaining_spans: u64,
    /// Stored spans in all.
    stored_spans: u64,
}

impl From<SloReport> for Slo {
    fn from(SloReport { slo, evaluation }: SloReport) -> Self {
        let objective = &slo.objective;
        let budget = evaluation.budget;
        Self {
            name: objective.name.clone(),
            display_name: objective.display_name.clone(),
            service: objective.service.clone(),
            description: objective.description.clone(),
            target: objective.target.ratio(),
            window: Window {
                duration: objective.window.to_string(),
                is_rolling: slo.calendar.is_none(),
                calendar: match &objective.window {
                    TimeWindow::Rolling(_) => None,
                    TimeWindow::Calendar(window) => Some(Calendar {
                        start_time: window.start.clone(),
                        time_zone: window.time_zone.clone(),
                        renews_at: evaluation.renews_at,
                    }),
                },
            },
            time_slice: match objective.budgeting_method {
                BudgetingMethod::Occurrences | BudgetingMethod::Composite => None,
                BudgetingMethod::Timeslices { minutes, target } => Some(TimeSlice { seconds: minutes * 60, target: Some(target) }),
                BudgetingMethod::RatioTimeslices { minutes } => Some(TimeSlice { seconds: minutes * 60, target: None }),
            },
            budgeting_method: objective.budgeting_method.as_str(),
            sli: evaluation.sli,
            good: evaluation.counts.good,
            events: evaluation.counts.total,
            error_budget: ErrorBudget {
                total: budget.total,
                consumed: budget.consumed,
                remaining: budget.remaining,
                remaining_ratio: budget.remaining_ratio,
            },
            burn_rates: evaluation.burn_rates.0.into_iter().collect(),
            alert: evaluation.alert.as_str(),
            tier: evaluation.tier.map(Tier::as_str),
            coverage: evaluation.coverage,
            time_to_exhaustion_seconds: evaluation.exhaustion.map(|e| e.seconds),
            time_to_exhaustion_range_seconds: evaluation.exhaustion.map(|e| [e.earliest_seconds, e.latest_seconds]),
            lints: evaluation
                .lints
                .into_iter()
                .map(|Evidence { kind, reason, proposal }| Lint { kind: kind.map_or("", LintKind::as_str), reason, proposal })
                .collect(),
            parts: evaluation
                .parts
                .into_iter()
                .map(|PartState { slo, weight, sli, coverage, spent }| Part { slo, weight, sli, coverage, spent })
                .collect(),
            grouping: slo.grouping.as_ref().map(|grouping| Grouping {
                by: grouping.group_by.by.source().to_owned(),
                cap: grouping.group_by.cap,
                values: grouping.groups.keys().cloned().collect(),
            }),
            group: slo.group.as_ref().map(|group| Group { of: group.of.clone(), value: group.value.clone() }),
            backfill: None,
            estimated_to: None,
            source: None,
        }
    }
}

/// The SLOs asked for, all of them without filters; worst first, or in the order asked for.
#[utoipa::path(
    get, path = "/api/v1/slos",
    params(
        ("q" = Option<String>, Query, description = "Words in name, display name, service or labels"),
        ("service" = Option<String>, Query),
        ("label" = Option<Vec<String>>, Query, description = "key:value; given several times, all must hold"),
        ("tier" = Option<String>, Query, description = "page or ticket: with such an alert"),
        ("state" = Option<String>, Query, description = "critical, unmeasured, increasing, recovering or healthy"),
        ("group_of" = Option<String>, Query, description = "the groups of this SLO, in place of SLOs"),
        ("sort" = Option<String>, Query, description = "worst, name, service, budget, burn or target"),
        ("limit" = Option<u16>, Query),
        ("cursor" = Option<String>, Query)
    ),
    responses((status = 200, body = List<Slo>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(query): RawQuery) -> Result<Json<List<Slo>>, Problem> {
    let raw = query.as_deref().unwrap_or_default();
    let (asked, faults) = SloQuery::parse(raw);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let slos = backend.slos_asked_for(&asked, now()).await?.into_iter().map(Slo::from).collect();
    Ok(Json(List::page(slos, Some(raw))?))
}

/// The segment of a raw path at `index`, decoded once.
pub(super) fn segment(uri: &Uri, index: usize) -> String {
    uri.path().split('/').nth(index).map(decode_segment).unwrap_or_default()
}

/// One SLO.
#[utoipa::path(get, path = "/api/v1/slos/{name}", params(("name" = String, Path)), responses((status = 200, body = Slo), (status = 404, body = Problem)))]
pub async fn one(State(backend): State<Backend>, uri: Uri) -> Result<Json<Slo>, Problem> {
    let now = now();
    let report = backend.slo(&segment(&uri, 4), now).await?;
    let estimated_to = backend.estimated_to(&report.slo, now).await?;
    let progress = backend.backfill_progress(&report.slo).await?;
    let backfill = progress.map(|progress| Backfill { remaining_spans: progress.remaining, stored_spans: progress.stored });
    let source = backend.external_source(&report.slo).await?.map(|source| Source::new(source, report.slo.indicator()));
    Ok(Json(Slo { backfill, estimated_to, source, ..report.into() }))
}

/// A series of an SLO.
#[derive(Serialize, ToSchema)]
pub struct Series {
    /// Length of a step.
    step_seconds: u32,
    /// Steps, oldest first.
    #[schema(value_type = Vec<Object>)]
    items: Vec<SeriesPoint>,
    /// Null: a series is one page.
    next: Option<String>,
}

/// Good, total, burn rate and remaining budget per step.
#[utoipa::path(
    get, path = "/api/v1/slos/{name}/series",
    params(("name" = String, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("step" = Option<String>, Query)),
    responses((status = 200, body = Series), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn series(State(backend): State<Backend>, uri: Uri, RawQuery(query): RawQuery) -> Result<Json<Series>, Problem> {
    let (mut from, mut to, mut step) = (None, None, None);
    let mut faults = Vec::new();
    for (key, value) in decode_query(query.as_deref().unwrap_or_default()).into_iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_str() {
            "from" | "to" => match Bound::parse(&value) {
                Some(bound) => *(if key == "from" { &mut from } else { &mut to }) = Some(bound),
                None => faults.push(FieldFault::new(key, "expected a time like 2026-11-21T02:20:00Z or -1h")),
            },
            "step" => match value.parse::<u64>().ok().or_else(|| parse_duration(&value).ok()) {
                Some(seconds) => step = Some(seconds),
                None => faults.push(FieldFault::new(key, "expected a duration like 5m")),
            },
            _ => {}
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let (step_seconds, items) = backend.slo_series(&segment(&uri, 4), from, to, step, now()).await?;
    Ok(Json(Series { step_seconds, items, next: None }))
}

/// Applies OpenSLO documents, all or none; with `dry_run=true` it only says what would change.
#[utoipa::path(
    put, path = "/api/v1/openslo",
    params(("dry_run" = Option<bool>, Query), ("author" = Option<String>, Query), ("reason" = Option<String>, Query)),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = Object), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn apply(
    State(backend): State<Backend>,
    RawQuery(query): RawQuery,
    yaml: Result<String, StringRejection>,
) -> Result<Response, Problem> {
    let pairs = decode_query(query.as_deref().unwrap_or_default());
    let dry_run = match pairs.iter().find(|(key, _)| key == "dry_run").map(|(_, value)| value.as_str()) {
        None | Some("false") => false,
        Some("true") => true,
        // Whoever means a dry run must not change anything by a slip.
        Some(_) => return Err(Problem::invalid(vec![FieldFault::new("dry_run", "expected true or false")])),
    };
    let yaml = yaml.map_err(|fault| Problem::new(fault.status(), fault.body_text()))?;
    Ok((StatusCode::OK, Json(backend.apply_signed(&yaml, dry_run, &signature(&pairs)).await?)).into_response())
}

/// Who changes something and why, as a query says.
fn signature(pairs: &[(String, String)]) -> Signature {
    let words = |name: &str| pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty()).map(|(_, value)| value.clone());
    Signature { author: words("author"), reason: words("reason") }
}

/// A version of the document that defines an SLO.
#[derive(Serialize, ToSchema)]
pub struct Version {
    /// From 1.
    number: i32,
    /// Since when it was in force.
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who applied it; null unless they said so.
    author: Option<String>,
    /// Why; null unless they said so.
    reason: Option<String>,
    /// created, changed or deleted.
    change: String,
    /// The parts that differ from the version before, as `field: old → new`.
    differences: Vec<String>,
    /// Its YAML; of a deleted document the last one.
    document: String,
}

/// What the document of an SLO was, newest first. Versions stay when it is removed.
#[utoipa::path(
    get, path = "/api/v1/slos/{name}/versions",
    params(("name" = String, Path), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Version>), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn versions(State(backend): State<Backend>, uri: Uri, RawQuery(query): RawQuery) -> Result<Json<List<Version>>, Problem> {
    let versions = backend.slo_versions(&segment(&uri, 4)).await?.into_iter().map(Version::from).collect();
    Ok(Json(List::page(versions, query.as_deref())?))
}

impl From<DocumentVersion> for Version {
    fn from(DocumentVersion { number, at, author, reason, change, differences, body }: DocumentVersion) -> Self {
        Self { number, at, author, reason, change, differences, document: body }
    }
}

/// Removes the document of an SLO with all its objectives.
#[utoipa::path(
    delete, path = "/api/v1/slos/{name}",
    params(("name" = String, Path), ("author" = Option<String>, Query), ("reason" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub async fn remove(State(backend): State<Backend>, uri: Uri, RawQuery(query): RawQuery) -> Result<StatusCode, Problem> {
    remove_named(&backend, "SLO", &segment(&uri, 4), query.as_deref()).await
}

/// Removes a document of any kind to which no other refers.
#[utoipa::path(
    delete, path = "/api/v1/openslo/{kind}/{name}",
    params(("kind" = String, Path), ("name" = String, Path), ("author" = Option<String>, Query), ("reason" = Option<String>, Query)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub async fn remove_document(State(backend): State<Backend>, uri: Uri, RawQuery(query): RawQuery) -> Result<StatusCode, Problem> {
    remove_named(&backend, &segment(&uri, 4), &segment(&uri, 5), query.as_deref()).await
}

async fn remove_named(backend: &Backend, kind: &str, name: &str, query: Option<&str>) -> Result<StatusCode, Problem> {
    backend.remove_document(kind, name, &signature(&decode_query(query.unwrap_or_default()))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every document as multi-document YAML.
#[utoipa::path(get, path = "/api/v1/openslo", responses((status = 200, body = String, content_type = "application/yaml")))]
pub async fn export(State(backend): State<Backend>) -> Response {
    ([(CONTENT_TYPE, "application/yaml")], backend.export_openslo()).into_response()
}

/// Every SLO as recording and alerting rules for Prometheus, over the counters of `/metrics`.
#[utoipa::path(get, path = "/api/v1/prometheus-rules", responses((status = 200, body = String, content_type = "application/yaml")))]
pub async fn prometheus_rules(State(backend): State<Backend>) -> Response {
    ([(CONTENT_TYPE, "application/yaml")], backend.prometheus_rules()).into_response()
}
