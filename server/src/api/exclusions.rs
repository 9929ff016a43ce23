//! Budget exclusions over REST.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{RawQuery, State};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use slowburn_backend::Backend;
use slowburn_backend::slo::NewExclusion;
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::{Exclusion as Made, ExclusionScope};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::decode_query;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use super::slos::segment;

/// Time left out of budgets.
#[derive(Serialize, ToSchema)]
pub struct Exclusion {
    id: String,
    /// The SLO whose budget leaves it out; null when all SLOs of a service do.
    slo: Option<String>,
    /// The service whose SLOs leave it out; null when one SLO does.
    service: Option<String>,
    from: String,
    to: String,
    /// How it comes again: an RRULE of RFC 5545; null when it does not.
    rrule: Option<String>,
    /// By which clocks it comes again.
    time_zone: String,
    reason: String,
    author: String,
    created_at: String,
    /// When it was taken back; null while it is in force.
    removed_at: Option<String>,
    removed_by: Option<String>,
    /// What it did to each budget when it was made.
    effects: Vec<Effect>,
}

/// What an exclusion did to the budget of an SLO.
#[derive(Serialize, ToSchema)]
pub struct Effect {
    slo: String,
    /// Share of the budget that was left before; null without events.
    remaining_ratio_before: Option<f64>,
    /// Share that is left with it.
    remaining_ratio_after: Option<f64>,
}

impl From<Made> for Exclusion {
    fn from(made: Made) -> Self {
        let (slo, service) = match made.scope {
            ExclusionScope::Slo(name) => (Some(name), None),
            ExclusionScope::Service(name) => (None, Some(name)),
        };
        let (removed_at, removed_by) = made.removed.unzip();
        let effects = made.effects.into_iter().map(|effect| Effect {
            slo: effect.slo,
            remaining_ratio_before: effect.before,
            remaining_ratio_after: effect.after,
        });
        Self {
            id: made.id,
            slo,
            service,
            from: made.from.to_string(),
            to: made.to.to_string(),
            rrule: made.rrule,
            time_zone: made.time_zone,
            reason: made.reason,
            author: made.author,
            created_at: made.created_at.to_string(),
            removed_at: removed_at.map(|at| at.to_string()),
            removed_by,
            effects: effects.collect(),
        }
    }
}

/// An exclusion to be made: of an SLO or of a service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    slo: Option<String>,
    service: Option<String>,
    from: String,
    to: String,
    rrule: Option<String>,
    time_zone: Option<String>,
    reason: String,
    author: String,
}

/// The newest exclusions, those taken back too; with `slo` those that concern it.
#[utoipa::path(
    get, path = "/api/v1/exclusions", params(("slo" = Option<String>, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Exclusion>), (status = 404, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<Exclusion>>, Problem> {
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let slo = pairs.iter().find(|(key, _)| key == "slo").map(|(_, value)| value.as_str());
    let items = backend.exclusions(slo).await?.into_iter().map(Exclusion::from).collect();
    List::page(items, raw.as_deref()).map(Json)
}

/// Leaves time out of budgets; with `dry_run` only says what that would do.
#[utoipa::path(
    post, path = "/api/v1/exclusions", params(("dry_run" = Option<bool>, Query)), request_body = New,
    responses((status = 201, body = Exclusion), (status = 200, body = Exclusion), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn create(
    State(backend): State<Backend>,
    RawQuery(raw): RawQuery,
    body: Result<Json<New>, JsonRejection>,
) -> Result<(StatusCode, Json<Exclusion>), Problem> {
    let Json(new) = body.map_err(|fault| Problem::new(fault.status(), fault.body_text()))?;
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let is_dry_run = pairs.iter().any(|(key, value)| key == "dry_run" && value == "true");
    let made = backend.exclude(new.checked().map_err(Problem::invalid)?, is_dry_run).await?;
    let status = if is_dry_run { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(made.into())))
}

/// Takes an exclusion back.
#[utoipa::path(
    delete, path = "/api/v1/exclusions/{id}", params(("id" = String, Path), ("author" = String, Query)),
    responses((status = 200, body = Exclusion), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn end(State(backend): State<Backend>, uri: Uri, RawQuery(raw): RawQuery) -> Result<Json<Exclusion>, Problem> {
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let author = pairs.iter().find(|(key, _)| key == "author").map(|(_, value)| value.as_str());
    Ok(Json(backend.end_exclusion(&segment(&uri, 4), author.unwrap_or_default()).await?.into()))
}

impl New {
    fn checked(self) -> Result<NewExclusion, Vec<FieldFault>> {
        let mut faults = Vec::new();
        let mut time = |field: &str, text: &str| match Timestamp::parse_rfc3339(text) {
            Ok(time) => time,
            Err(fault) => {
                faults.push(FieldFault::new(field, fault.to_string()));
                Timestamp::from_seconds(0)
            }
        };
        let (from, to) = (time("from", &self.from), time("to", &self.to));
        let scope = match (self.slo, self.service) {
            (Some(name), None) => Some(ExclusionScope::Slo(name)),
            (None, Some(name)) => Some(ExclusionScope::Service(name)),
            _ => {
                faults.push(FieldFault::new("slo", "either slo or service is wanted"));
                None
            }
        };
        let (Some(scope), true) = (scope, faults.is_empty()) else { return Err(faults) };
        Ok(NewExclusion { scope, from, to, rrule: self.rrule, time_zone: self.time_zone, reason: self.reason, author: self.author })
    }
}
