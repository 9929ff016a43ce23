//! Budget exclusions: made and taken back by people, kept with their reasons and with the budgets before and after.
//!
//! An exclusion is written together with an event and with the next version of the SLI set, at which every instance reads its
//! book of SLOs anew, exclusions included. From then on whoever asks for the counts of an SLO gets them without the excluded
//! minutes, also of the past. Nothing that was counted is changed, so taking an exclusion back brings everything back.

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _};
use rrule::{Frequency, RRuleSet, Tz};
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::{Exclusion, ExclusionEffect, ExclusionScope, united};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_storage::event::NewEvent;
use slowburn_storage::{exclusion, slo};
use uuid::Uuid;

use super::KnownSlo;
use crate::incidents::{SOURCE, text_fault};
use crate::{Backend, Error, Result};

/// The longest exclusion, or occurrence of one.
const LONGEST_SECONDS: i64 = 366 * 86_400;
const LONGEST_REASON: usize = 1_000;
const LONGEST_AUTHOR: usize = 100;
/// The longest rule, characters.
const LONGEST_RULE: usize = 500;
/// Occurrences looked at: those of every hour of more than a year.
const MOST_OCCURRENCES: u16 = 10_000;
/// Exclusions shown.
const SHOWN: i64 = 200;

/// An exclusion to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExclusion {
    /// Whose budgets.
    pub scope: ExclusionScope,
    /// When it begins; with a rule, for the first time.
    pub from: Timestamp,
    /// When it ends; with a rule, for the first time.
    pub to: Timestamp,
    /// How it comes again: the value of an RRULE of RFC 5545, such as `FREQ=WEEKLY;BYDAY=SU`.
    pub rrule: Option<String>,
    /// By which clocks it comes again: a zone of the IANA database. UTC unless given.
    pub time_zone: Option<String>,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub author: String,
}

/// When something is left out, once or again and again.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    from: Timestamp,
    to: Timestamp,
    rule: Option<RRuleSet>,
}

impl Recurrence {
    pub(crate) fn new(from: Timestamp, to: Timestamp, rrule: Option<&str>, time_zone: &str) -> std::result::Result<Self, Vec<FieldFault>> {
        let mut faults = Vec::new();
        if to <= from {
            faults.push(FieldFault::new("to", "must be later than `from`"));
        } else if to.since(from) > LONGEST_SECONDS * 1_000_000_000 {
            faults.push(FieldFault::new("to", "at most 366 days after `from`"));
        }
        let zone = time_zone.parse::<chrono_tz::Tz>().map(Tz::Tz);
        if zone.is_err() {
            faults.push(FieldFault::new("time_zone", format!("{time_zone} is no zone of the IANA database")));
        }
        let rule = match (rrule, zone) {
            (Some(text), Ok(zone)) => rule(text, from, zone).map_err(|reason| faults.push(FieldFault::new("rrule", reason))).ok(),
            _ => None,
        };
        if faults.is_empty() { Ok(Self { from, to, rule }) } else { Err(faults) }
    }

    /// The parts of it between two minutes, both included.
    fn within(&self, first: Minute, last: Minute) -> Vec<(Minute, Minute)> {
        let length = self.to.since(self.from);
        let begins: Vec<Timestamp> = match &self.rule {
            None => vec![self.from],
            Some(rule) => {
                let (Some(after), Some(before)) = (utc(first.start().plus_nanos(-length)), utc(last.plus(1).start())) else {
                    return Vec::new();
                };
                let found = rule.clone().after(after).before(before).all(MOST_OCCURRENCES);
                found.dates.iter().map(|date| Timestamp::from_seconds(date.timestamp())).collect()
            }
        };
        let ranges = begins.into_iter().map(|begin| (begin.minute().max(first), begin.plus_nanos(length - 1).minute().min(last)));
        ranges.filter(|(from, to)| from <= to).collect()
    }
}

fn utc(at: Timestamp) -> Option<DateTime<Tz>> {
    Tz::UTC.timestamp_opt(at.seconds(), 0).single()
}

fn rule(text: &str, from: Timestamp, zone: Tz) -> std::result::Result<RRuleSet, String> {
    if text.len() > LONGEST_RULE || text.contains(['\n', '\r']) {
        return Err(format!("one line of at most {LONGEST_RULE} characters"));
    }
    let start = zone.timestamp_opt(from.seconds(), 0).single().ok_or("begins at no time of that zone")?;
    let value = text.trim().strip_prefix("RRULE:").unwrap_or(text.trim());
    let unvalidated: rrule::RRule<rrule::Unvalidated> = value.parse().map_err(|fault: rrule::RRuleError| fault.to_string())?;
    if matches!(unvalidated.get_freq(), Frequency::Secondly | Frequency::Minutely) {
        return Err("comes again every hour at most".to_owned());
    }
    unvalidated.build(start).map_err(|fault| fault.to_string())
}

impl KnownSlo {
    /// The minutes from `first` to `last`, both included, that its budget leaves out, in order.
    pub(crate) fn excluded(&self, first: Minute, last: Minute) -> Vec<(Minute, Minute)> {
        united(self.exclusions.iter().flat_map(|exclusion| exclusion.within(first, last)).collect())
    }

    /// Is it within an exclusion's scope?
    pub(crate) fn is_in(&self, scope: &ExclusionScope) -> bool {
        match scope {
            ExclusionScope::Slo(name) => self.objective.name == *name || self.base_name() == name,
            ExclusionScope::Service(service) => self.objective.service == *service,
        }
    }
}

impl Backend {
    /// Leaves time out of the budget of an SLO or of a service's SLOs; with `dry_run` only says what that would do.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault; no such SLO, or no SLO of that service; the database.
    pub async fn exclude(&self, new: NewExclusion, dry_run: bool) -> Result<Exclusion> {
        let now = self.0.clock.now();
        let time_zone = new.time_zone.clone().filter(|zone| !zone.trim().is_empty()).unwrap_or_else(|| "UTC".to_owned());
        let rrule = new.rrule.clone().filter(|rule| !rule.trim().is_empty());
        let texts = [("reason", &new.reason, LONGEST_REASON), ("author", &new.author, LONGEST_AUTHOR)];
        let mut faults: Vec<FieldFault> =
            texts.into_iter().filter_map(|(field, text, longest)| text_fault((field, text, longest))).collect();
        let recurrence = Recurrence::new(new.from, new.to, rrule.as_deref(), &time_zone).map_err(|found| faults.extend(found));
        let (Ok(recurrence), true) = (recurrence, faults.is_empty()) else { return Err(Error::Invalid(faults)) };
        let recurrence = Arc::new(recurrence);
        let book = self.book();
        // Of groups it is told only when it is about one alone: there may be very many.
        let is_named = |slo: &KnownSlo| matches!(&new.scope, ExclusionScope::Slo(name) if *name == slo.objective.name);
        let concerned: Vec<Arc<KnownSlo>> =
            book.all().filter(|slo| slo.is_in(&new.scope) && (slo.group.is_none() || is_named(slo))).cloned().collect();
        if concerned.is_empty() {
            let (kind, name) = match &new.scope {
                ExclusionScope::Slo(name) => ("SLO", name),
                ExclusionScope::Service(name) => ("service with an SLO", name),
            };
            return Err(Error::NotFound { kind, name: name.chars().take(100).collect() });
        }
        let without = |slo: &Arc<KnownSlo>| {
            let mut changed = KnownSlo::clone(slo);
            changed.exclusions.push(Arc::clone(&recurrence));
            Arc::new(changed)
        };
        let after = self.left(concerned.iter().map(without).collect(), now).await?;
        let before = self.left(concerned, now).await?;
        let effects = before.into_iter().map(|(slo, before)| {
            let after = after.iter().find(|(name, _)| *name == slo).and_then(|(_, left)| *left);
            ExclusionEffect { slo, before, after }
        });
        let id = Uuid::now_v7();
        let made = Exclusion {
            id: id.to_string(),
            scope: new.scope,
            from: new.from,
            to: new.to,
            rrule,
            time_zone,
            reason: new.reason.trim().to_owned(),
            author: new.author.trim().to_owned(),
            created_at: now,
            removed: None,
            effects: effects.collect(),
        };
        if dry_run {
            return Ok(made);
        }
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        exclusion::insert(&mut tx, id, &made).await?;
        slo::set_version(&mut tx, version + 1).await?;
        self.tell_exclusion(&mut tx, "dev.slowburn.exclusion.created", &made, now).await?;
        tx.commit().await?;
        tracing::info!(exclusion.id = made.id, "budget exclusion made");
        self.reload_book().await?;
        Ok(made)
    }

    /// Takes an exclusion back: its time counts again.
    ///
    /// # Errors
    /// There is none of that id in force; no author; the database.
    pub async fn end_exclusion(&self, id: &str, author: &str) -> Result<Exclusion> {
        if let Some(fault) = text_fault(("author", author, LONGEST_AUTHOR)) {
            return Err(Error::Invalid(vec![fault]));
        }
        let unknown = || Error::NotFound { kind: "exclusion in force", name: id.chars().take(100).collect() };
        let key: Uuid = id.parse().map_err(|_| unknown())?;
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        let removed = exclusion::remove(&mut tx, key, now, author.trim()).await?.ok_or_else(unknown)?;
        slo::set_version(&mut tx, version + 1).await?;
        self.tell_exclusion(&mut tx, "dev.slowburn.exclusion.removed", &removed, now).await?;
        tx.commit().await?;
        tracing::info!(exclusion.id = removed.id, "budget exclusion taken back");
        self.reload_book().await?;
        Ok(removed)
    }

    /// The newest exclusions, those taken back too: of one SLO with those of its service, or of all.
    ///
    /// # Errors
    /// There is no such SLO; the database.
    pub async fn exclusions(&self, slo: Option<&str>) -> Result<Vec<Exclusion>> {
        let slo = slo.map(|name| self.book().get(name)).transpose()?;
        let names = slo.as_ref().map(|slo| [slo.objective.name.clone(), slo.base_name().to_owned()]).unwrap_or_default();
        let scope = slo.as_ref().map(|slo| (names.as_slice(), slo.objective.service.as_str()));
        let mut connection = self.0.pool.acquire().await?;
        Ok(exclusion::newest(&mut connection, scope, SHOWN).await?)
    }

    /// Share of the budget left, by name.
    async fn left(&self, slos: Vec<Arc<KnownSlo>>, now: Timestamp) -> Result<Vec<(String, Option<f64>)>> {
        let reports = self.judged(slos, now).await?;
        let left = reports.into_iter().map(|report| (report.slo.objective.name.clone(), report.evaluation.budget.remaining_ratio));
        let mut left: Vec<_> = left.collect();
        left.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(left)
    }

    async fn tell_exclusion(&self, connection: &mut sqlx::PgConnection, kind: &str, exclusion: &Exclusion, now: Timestamp) -> Result<()> {
        let (ExclusionScope::Slo(subject) | ExclusionScope::Service(subject)) = &exclusion.scope;
        let data = serde_json::to_value(exclusion).map_err(|fault| Error::Internal(Box::new(fault)))?;
        self.append_event(connection, &NewEvent { kind, source: SOURCE, subject, time: now, data }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn begins(recurrence: &Recurrence, from: &str, to: &str) -> Vec<String> {
        recurrence.within(at(from).minute(), at(to).minute()).iter().map(|range| range.0.start().to_string()).collect()
    }

    #[test]
    fn b9_what_comes_again_goes_by_the_clocks_of_its_zone() {
        // 02:00 in Berlin, Sundays; the clocks went back on 25 October 2026.
        let weekly = Recurrence::new(
            at("2026-10-18T00:00:00Z"),
            at("2026-10-18T01:30:00Z"),
            Some("RRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=4"),
            "Europe/Berlin",
        )
        .expect("a rule");
        assert_eq!(
            begins(&weekly, "2026-10-01T00:00:00Z", "2026-12-31T00:00:00Z"),
            ["2026-10-18T00:00:00Z", "2026-10-25T00:00:00Z", "2026-11-01T01:00:00Z", "2026-11-08T01:00:00Z"]
        );
        let cut = weekly.within(at("2026-10-18T01:00:00Z").minute(), at("2026-10-18T05:00:00Z").minute());
        assert_eq!(cut, [(at("2026-10-18T01:00:00Z").minute(), at("2026-10-18T01:29:00Z").minute())], "one that has begun before");
    }

    #[test]
    fn b9_once_is_once() {
        let once = Recurrence::new(at("2026-11-01T10:00:30Z"), at("2026-11-01T10:02:00Z"), None, "UTC").expect("a range");
        let minute = |text: &str| at(text).minute();
        let all = (minute("2026-01-01T00:00:00Z"), minute("2027-01-01T00:00:00Z"));
        assert_eq!(once.within(all.0, all.1), [(minute("2026-11-01T10:00:00Z"), minute("2026-11-01T10:01:00Z"))]);
        assert_eq!(once.within(minute("2026-11-01T10:02:00Z"), all.1), []);
    }

    #[test]
    fn b9_every_fault_is_named_by_its_field() {
        let fields = |from: &str, to: &str, rule: Option<&str>, zone: &str| -> Vec<String> {
            let faults = Recurrence::new(at(from), at(to), rule, zone).expect_err("faults");
            faults.into_iter().map(|fault| fault.field).collect()
        };
        let (from, to) = ("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z");
        assert_eq!(fields(to, from, None, "UTC"), ["to"]);
        assert_eq!(fields(from, "2028-11-01T10:00:00Z", None, "Europe/Atlantis"), ["to", "time_zone"]);
        for rule in ["FREQ=SOMETIMES", "FREQ=MINUTELY", "every sunday", "FREQ=WEEKLY\nRRULE:FREQ=DAILY"] {
            assert_eq!(fields(from, to, Some(rule), "UTC"), ["rrule"], "{rule}");
        }
    }
}
