//! Incidents over REST.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{RawQuery, State};
use http::Uri;
use serde::{Deserialize, Serialize};
use slowburn_backend::Backend;
use slowburn_domain::incident::Change as DomainChange;
use slowburn_domain::incident::Incident as DomainIncident;
use slowburn_domain::query::{DEFAULT_LIMIT, FieldFault, MAX_LIMIT};
use slowburn_domain::url::decode_query;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use super::slos::segment;

/// An incident of an SLO.
#[derive(Serialize, ToSchema)]
pub struct Incident {
    id: String,
    slo: String,
    /// What people called the SLO when it began: its title, or its name.
    title: String,
    service: String,
    /// open or closed.
    state: &'static str,
    /// When its first tier fired.
    opened_at: String,
    /// When no tier fired any more; null while it is open.
    closed_at: Option<String>,
    /// Most urgent tier that fires, or fired last: page or ticket.
    tier: &'static str,
    /// Most urgent tier that ever fired in it.
    worst_tier: &'static str,
    /// Whether enough is seen to judge it; while it is not, nothing clears.
    is_measured: bool,
    /// Who took it on first.
    acknowledged_by: Option<String>,
    /// What happened, oldest first; empty in lists.
    changes: Vec<Change>,
}

/// What happened to an incident.
#[derive(Serialize, ToSchema)]
pub struct Change {
    at: String,
    /// opened, escalated, deescalated, unmeasured, measured, closed, acknowledged or noted.
    step: &'static str,
    /// The tier from then on.
    tier: &'static str,
    /// Why, or what somebody wrote.
    reason: String,
    /// Who, if it was a person.
    author: Option<String>,
}

impl From<DomainIncident> for Incident {
    fn from(incident: DomainIncident) -> Self {
        Self {
            state: if incident.closed_at.is_none() { "open" } else { "closed" },
            opened_at: incident.opened_at.to_string(),
            closed_at: incident.closed_at.map(|at| at.to_string()),
            tier: incident.tier.as_str(),
            worst_tier: incident.worst_tier.as_str(),
            is_measured: incident.is_measured,
            acknowledged_by: incident.acknowledged_by,
            changes: incident.changes.into_iter().map(Change::from).collect(),
            id: incident.id,
            slo: incident.slo,
            title: incident.title,
            service: incident.service,
        }
    }
}

impl From<DomainChange> for Change {
    fn from(change: DomainChange) -> Self {
        Self {
            at: change.at.to_string(),
            step: change.step.as_str(),
            tier: change.tier.as_str(),
            reason: change.reason,
            author: change.author,
        }
    }
}

/// Who does something by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Author {
    author: String,
}

/// Something worth remembering.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    author: String,
    text: String,
}

/// Incidents, those that opened last first.
#[utoipa::path(
    get, path = "/api/v1/incidents",
    params(("state" = Option<String>, Query), ("slo" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Incident>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Incident>>, Problem> {
    page(&backend, None, raw.as_deref()).await
}

/// Incidents of one SLO, those that opened last first.
#[utoipa::path(
    get, path = "/api/v1/slos/{name}/incidents",
    params(("name" = String, Path), ("state" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Incident>), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn of_slo(State(backend): State<Backend>, uri: Uri, RawQuery(raw): RawQuery) -> Result<Json<List<Incident>>, Problem> {
    let slo = backend.book().get(&segment(&uri, 4))?;
    page(&backend, Some(&slo.objective.name), raw.as_deref()).await
}

async fn page(backend: &Backend, slo: Option<&str>, raw: Option<&str>) -> Result<Json<List<Incident>>, Problem> {
    let pairs = decode_query(raw.unwrap_or_default());
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let mut faults = Vec::new();
    let is_open = match value("state") {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => {
            faults.push(FieldFault::new("state", "expected open or closed"));
            None
        }
    };
    let limit = match value("limit").map(str::parse::<u16>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            faults.push(FieldFault::new("limit", format!("expected a number from 1 to {MAX_LIMIT}")));
            DEFAULT_LIMIT
        }
    };
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    // One more than asked for tells whether there are more.
    let mut found = backend.incidents(slo.or(value("slo")), is_open, value("cursor"), limit + 1).await?;
    let is_more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    let next = found.last().filter(|_| is_more).map(|last| last.id.clone());
    Ok(Json(List { items: found.into_iter().map(Incident::from).collect(), next }))
}

/// One incident with what happened to it.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", params(("id" = String, Path)), responses((status = 200, body = Incident), (status = 404, body = Problem)))]
pub async fn one(State(backend): State<Backend>, uri: Uri) -> Result<Json<Incident>, Problem> {
    Ok(Json(backend.incident(&segment(&uri, 4)).await?.into()))
}

/// Somebody takes an incident on.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/acknowledge", params(("id" = String, Path)), request_body = Author,
    responses((status = 200, body = Incident), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn acknowledge(
    State(backend): State<Backend>,
    uri: Uri,
    body: Result<Json<Author>, JsonRejection>,
) -> Result<Json<Incident>, Problem> {
    let Json(Author { author }) = body.map_err(|fault| Problem::new(fault.status(), fault.body_text()))?;
    Ok(Json(backend.acknowledge(&segment(&uri, 4), &author).await?.into()))
}

/// Adds a note to an incident.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path)), request_body = Note,
    responses((status = 200, body = Incident), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn note(State(backend): State<Backend>, uri: Uri, body: Result<Json<Note>, JsonRejection>) -> Result<Json<Incident>, Problem> {
    let Json(Note { author, text }) = body.map_err(|fault| Problem::new(fault.status(), fault.body_text()))?;
    Ok(Json(backend.note(&segment(&uri, 4), &author, &text).await?.into()))
}
