//! Incidents: judged by one instance at a time from the same numbers that pages show, kept with their reasons, told to others
//! by the event log.
//!
//! Every ten seconds the holder of the lease evaluates every SLO at one instant and asks `domain::incident::judge` what that
//! changes. Each change is one transaction: the incident's row is locked and judged as it is then, so that two instances that
//! evaluate at once tell a thing once; the change, the incident and the event are written together.

use std::time::Instant;

use metrics::histogram;
use slowburn_domain::incident::{Change, Incident, Standing, Step, Verdict, is_more_urgent, judge};
use slowburn_domain::query::{FieldFault, MAX_LIMIT};
use slowburn_domain::sentence;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{IncidentPage, IncidentsPage};
use slowburn_storage::event::{self, NewEvent};
use slowburn_storage::incident::{self, IncidentQuery};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::slo::SloReport;
use crate::{Backend, Error, Result};

/// The longest name of an author, and the longest note, characters.
const LONGEST_AUTHOR: usize = 100;
const LONGEST_NOTE: usize = 4_000;
/// Open incidents looked at; there is one for an SLO at most.
const MOST_OPEN: i64 = 100_000;
/// Ended incidents on a page.
const CLOSED_SHOWN: u16 = 50;
/// Bad traces on an incident's page.
const BAD_TRACES: u16 = 20;
pub(crate) const SOURCE: &str = "slowburn";

impl Backend {
    /// Evaluates every SLO and tells what changed. Gives how many changes there were; 0 on an instance that is not the one
    /// to evaluate.
    ///
    /// # Errors
    /// The database.
    pub async fn judge_all(&self) -> Result<usize> {
        if !self.holds("evaluate").await? {
            return Ok(0);
        }
        let (now, began) = (self.0.clock.now(), Instant::now());
        let reports = self.slos(now).await?;
        let (open, alerts) = {
            let mut connection = self.0.pool.acquire().await?;
            let query = IncidentQuery { is_open: Some(true), limit: MOST_OPEN, ..IncidentQuery::default() };
            (incident::list(&mut connection, &query).await?, incident::alerts(&mut connection).await?)
        };
        histogram!("slowburn_evaluation_duration_seconds").record(began.elapsed().as_secs_f64());
        let mut changes = 0;
        for report in &reports {
            let objective = &report.slo.objective;
            let known = open.iter().find(|incident| incident.slo == objective.name);
            if judge(known.map(standing), &report.evaluation).is_some() {
                changes += usize::from(self.change(known, report, now).await?);
            }
            let alert = report.evaluation.alert.as_str();
            let before = alerts.get(&objective.name).map(String::as_str);
            if before != Some(alert) {
                self.tell_alert(&objective.name, before, alert, now).await?;
            }
        }
        for gone in open.iter().filter(|incident| reports.iter().all(|report| report.slo.objective.name != incident.slo)) {
            let verdict = Verdict { step: Step::Closed, tier: gone.tier, reason: "the SLO was removed".to_owned() };
            let mut tx = self.0.pool.begin().await?;
            let id = id_of(&gone.id)?;
            if let Some(incident) = locked(&mut tx, id).await?.filter(|incident| incident.closed_at.is_none()) {
                self.write(&mut tx, id, incident, verdict, now).await?;
                tx.commit().await?;
                changes += 1;
            }
        }
        Ok(changes)
    }

    /// What an evaluation changes, in one transaction. `false` when another instance was faster.
    async fn change(&self, known: Option<&Incident>, report: &SloReport, now: Timestamp) -> Result<bool> {
        let objective = &report.slo.objective;
        let mut tx = self.0.pool.begin().await?;
        let Some(known) = known else {
            let Some(verdict) = judge(None, &report.evaluation) else { return Ok(false) };
            let id = Uuid::now_v7();
            let incident = Incident {
                id: id.to_string(),
                slo: objective.name.clone(),
                title: sentence::title(objective).to_owned(),
                service: objective.service.clone(),
                opened_at: now,
                closed_at: None,
                tier: verdict.tier,
                worst_tier: verdict.tier,
                is_measured: true,
                acknowledged_by: None,
                changes: Vec::new(),
            };
            if !incident::insert(&mut tx, id, &incident).await? {
                return Ok(false);
            }
            self.write(&mut tx, id, incident, verdict, now).await?;
            tx.commit().await?;
            return Ok(true);
        };
        let id = id_of(&known.id)?;
        let Some(incident) = locked(&mut tx, id).await?.filter(|incident| incident.closed_at.is_none()) else { return Ok(false) };
        let Some(verdict) = judge(Some(standing(&incident)), &report.evaluation) else { return Ok(false) };
        self.write(&mut tx, id, incident, verdict, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn write(&self, connection: &mut PgConnection, id: Uuid, mut incident: Incident, verdict: Verdict, now: Timestamp) -> Result<()> {
        let Verdict { step, tier, reason } = verdict;
        incident.tier = tier;
        if is_more_urgent(tier, incident.worst_tier) {
            incident.worst_tier = tier;
        }
        incident.is_measured = step != Step::Unmeasured;
        incident.closed_at = (step == Step::Closed).then_some(now);
        tracing::info!(
            slo = incident.slo,
            incident.id = incident.id,
            incident.step = step.as_str(),
            tier = tier.as_str(),
            reason,
            "incident"
        );
        self.record(connection, id, &incident, Change { at: now, step, tier, reason, author: None }).await
    }

    async fn record(&self, connection: &mut PgConnection, id: Uuid, incident: &Incident, change: Change) -> Result<()> {
        incident::update(connection, id, incident).await?;
        incident::append(connection, id, &change).await?;
        let data = serde_json::json!({
            "incident": incident.id,
            "slo": incident.slo,
            "title": incident.title,
            "service": incident.service,
            "tier": change.tier.as_str(),
            "worst_tier": incident.worst_tier.as_str(),
            "opened_at": incident.opened_at,
            "closed_at": incident.closed_at,
            "reason": change.reason,
            "author": change.author,
        });
        let kind = format!("dev.slowburn.incident.{}", change.step);
        self.append_event(connection, &NewEvent { kind: &kind, source: SOURCE, subject: &incident.slo, time: change.at, data }).await
    }

    pub(crate) async fn append_event(&self, connection: &mut PgConnection, event: &NewEvent<'_>) -> Result<()> {
        Ok(event::append(connection, self.bucket_of(event.subject), Uuid::now_v7(), event).await?)
    }

    async fn tell_alert(&self, slo: &str, before: Option<&str>, alert: &str, now: Timestamp) -> Result<()> {
        let mut tx = self.0.pool.begin().await?;
        incident::put_alert(&mut tx, slo, alert, now).await?;
        let data = serde_json::json!({ "slo": slo, "before": before, "alert": alert });
        let event = NewEvent { kind: "dev.slowburn.slo.alert", source: SOURCE, subject: slo, time: now, data };
        self.append_event(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Incidents, those that opened last first; `cursor` is the id of the last one of the page before.
    ///
    /// # Errors
    /// A cursor that is no incident; the database.
    pub async fn incidents(&self, slo: Option<&str>, is_open: Option<bool>, cursor: Option<&str>, limit: u16) -> Result<Vec<Incident>> {
        let mut connection = self.0.pool.acquire().await?;
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let id = cursor.parse().map_err(|_| Error::field("cursor", "expected `next` of the page before"))?;
                let last = incident::get(&mut connection, id).await?;
                Some(last.map(|last| (last.opened_at, id)).ok_or_else(|| Error::field("cursor", "that incident is gone"))?)
            }
        };
        Ok(incident::list(&mut connection, &IncidentQuery { slo, is_open, after, limit: i64::from(limit) }).await?)
    }

    /// One incident with its changes.
    ///
    /// # Errors
    /// There is none of that id; the database.
    pub async fn incident(&self, id: &str) -> Result<Incident> {
        let mut connection = self.0.pool.acquire().await?;
        incident::get(&mut connection, id_of(id)?).await?.ok_or_else(|| unknown(id))
    }

    /// The list of incidents; `cursor` as for [`Backend::incidents`].
    ///
    /// # Errors
    /// A cursor that is no incident; the database.
    pub async fn incidents_page(&self, cursor: Option<&str>, now: Timestamp) -> Result<IncidentsPage> {
        let open = self.incidents(None, Some(true), None, MAX_LIMIT).await?;
        let mut closed = self.incidents(None, Some(false), cursor, CLOSED_SHOWN + 1).await?;
        let is_more = closed.len() > usize::from(CLOSED_SHOWN);
        closed.truncate(usize::from(CLOSED_SHOWN));
        let next = closed.last().filter(|_| is_more).map(|last| last.id.clone());
        Ok(IncidentsPage { now, open, closed, next })
    }

    /// One incident, how its SLO stands and the traces that were bad meanwhile.
    ///
    /// # Errors
    /// There is none of that id; the database.
    pub async fn incident_page(&self, id: &str, now: Timestamp) -> Result<IncidentPage> {
        let incident = self.incident(id).await?;
        let Ok(slo) = self.book().get(&incident.slo) else { return Ok(IncidentPage { now, incident, row: None, bad_traces: Vec::new() }) };
        let row = self.slo_row(&slo, now).await?;
        // What began to burn lies before the first tier fired.
        let from = incident.opened_at.plus_seconds(-3_600);
        let to = incident.closed_at.unwrap_or(now).plus_seconds(60);
        let bad_traces = self.bad_traces(&slo, from, to, BAD_TRACES).await?;
        Ok(IncidentPage { now, incident, row: Some(row), bad_traces })
    }

    /// Says that somebody has taken an incident on. Doing it again only adds who did.
    ///
    /// # Errors
    /// There is none of that id; no or too long a name; the database.
    pub async fn acknowledge(&self, id: &str, author: &str) -> Result<Incident> {
        self.by_hand(id, author, Step::Acknowledged, "taken on").await
    }

    /// Adds a note to an incident, open or not.
    ///
    /// # Errors
    /// There is none of that id; no or too long a name or note; the database.
    pub async fn note(&self, id: &str, author: &str, text: &str) -> Result<Incident> {
        self.by_hand(id, author, Step::Noted, text).await
    }

    async fn by_hand(&self, id: &str, author: &str, step: Step, text: &str) -> Result<Incident> {
        let faults: Vec<FieldFault> =
            [("author", author, LONGEST_AUTHOR), ("text", text, LONGEST_NOTE)].into_iter().filter_map(text_fault).collect();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let key = id_of(id)?;
        let mut tx = self.0.pool.begin().await?;
        let mut incident = locked(&mut tx, key).await?.ok_or_else(|| unknown(id))?;
        let (author, reason) = (author.trim().to_owned(), text.trim().to_owned());
        if step == Step::Acknowledged && incident.acknowledged_by.is_none() {
            incident.acknowledged_by = Some(author.clone());
        }
        let change = Change { at: self.0.clock.now(), step, tier: incident.tier, reason, author: Some(author) };
        self.record(&mut tx, key, &incident, change).await?;
        tx.commit().await?;
        self.incident(id).await
    }
}

fn standing(incident: &Incident) -> Standing {
    Standing { tier: incident.tier, is_measured: incident.is_measured }
}

async fn locked(connection: &mut PgConnection, id: Uuid) -> Result<Option<Incident>> {
    if !incident::lock(connection, id).await? {
        return Ok(None);
    }
    Ok(incident::get(connection, id).await?)
}

fn id_of(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| unknown(text))
}

fn unknown(id: &str) -> Error {
    Error::NotFound { kind: "incident", name: id.chars().take(100).collect() }
}

pub(crate) fn text_fault((field, text, longest): (&str, &str, usize)) -> Option<FieldFault> {
    let length = text.trim().chars().count();
    if length == 0 {
        Some(FieldFault::new(field, "must not be empty"))
    } else if length > longest || text.contains('\0') {
        Some(FieldFault::new(field, format!("at most {longest} characters, none of them NUL")))
    } else {
        None
    }
}
