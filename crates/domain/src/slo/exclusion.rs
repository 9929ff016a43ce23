//! Time that a budget leaves out (requirement B9): planned work, a load test, an outage of somebody else.
//!
//! What happened in excluded minutes counts neither as good nor as bad, and their silence is not held against the source: of
//! counted events nothing is left of them, and a slice of time without events is a good one. Counters that others read are
//! not touched.

use serde::{Deserialize, Serialize};

use super::ledger::partial_hours;
use super::{Counts, Hour, Ledger};
use crate::time::{Minute, Timestamp};

const MINUTES_PER_HOUR: i32 = 60;
const ALL_MINUTES: u64 = (1 << MINUTES_PER_HOUR) - 1;

/// What an exclusion is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionScope {
    /// One SLO, by name.
    Slo(String),
    /// Every SLO of a service, those that are applied later too.
    Service(String),
}

/// Time left out of the budget of some SLOs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Its id.
    pub id: String,
    /// Whose budgets.
    pub scope: ExclusionScope,
    /// When it begins; with a rule, for the first time.
    pub from: Timestamp,
    /// When it ends; with a rule, for the first time.
    pub to: Timestamp,
    /// How it comes again: an RRULE of RFC 5545.
    pub rrule: Option<String>,
    /// By which clocks it comes again: a zone of the IANA database.
    pub time_zone: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// When they did.
    pub created_at: Timestamp,
    /// When it was taken back, and by whom; it has no effect since.
    pub removed: Option<(Timestamp, String)>,
    /// What it did to the budgets when it was made.
    pub effects: Vec<ExclusionEffect>,
}

/// What an exclusion did to the budget of an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExclusionEffect {
    /// The SLO.
    pub slo: String,
    /// Share of its budget that was left before; `None` without events.
    pub before: Option<f64>,
    /// Share that is left since.
    pub after: Option<f64>,
}

/// Sorts ranges of minutes, first and last both included, and unites those that overlap or touch.
pub fn united(mut ranges: Vec<(Minute, Minute)>) -> Vec<(Minute, Minute)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let is_near = next.0.0 <= kept.1.0.saturating_add(1);
        if is_near {
            kept.1 = kept.1.max(next.1);
        }
        is_near
    });
    ranges
}

/// The hours, in order, whose minute rows it takes to leave these ranges out: those covered in part.
pub fn hours_excluded_in_part(excluded: &[(Minute, Minute)]) -> impl Iterator<Item = i32> + '_ {
    excluded.iter().flat_map(|(from, to)| partial_hours(*from, *to))
}

impl Ledger {
    /// The same without what was counted in `excluded`, which [`united`] made; minute rows must be there of the hours
    /// covered in part. From the first record on, excluded minutes count as heard from.
    #[must_use]
    pub fn leaving_out(self, excluded: &[(Minute, Minute)]) -> Self {
        if excluded.is_empty() {
            return self;
        }
        let known_from = if self.seen_before() { Some(Minute(i32::MIN)) } else { self.first_seen(Minute(i32::MIN), Minute(i32::MAX)) };
        let Some(known_from) = known_from else { return self };
        let seen_before = self.seen_before();
        let (mut hours, mut minutes) = self.into_rows();
        let mut silent: Vec<Hour> = Vec::new();
        for (from, to) in excluded.iter().map(|(from, to)| ((*from).max(known_from), *to)).filter(|(from, to)| from <= to) {
            for hour in from.hour()..=to.hour() {
                let first = Minute(hour * MINUTES_PER_HOUR);
                let bits = bits(from.0.max(first.0) - first.0, to.0.min(first.0 + MINUTES_PER_HOUR - 1) - first.0);
                let Ok(index) = hours.binary_search_by_key(&hour, |row| row.hour) else {
                    silent.push(Hour { hour, counts: Counts::default(), seen: bits });
                    continue;
                };
                let row = &mut hours[index];
                row.seen |= bits;
                if bits == ALL_MINUTES {
                    row.counts = Counts::default();
                    continue;
                }
                let begin = minutes.partition_point(|(minute, _)| *minute < from.max(first));
                let end = minutes.partition_point(|(minute, _)| *minute <= to.min(first.plus(MINUTES_PER_HOUR - 1)));
                let left_out: Counts = minutes[begin..end].iter().map(|(_, counts)| *counts).sum();
                row.counts.good = row.counts.good.saturating_sub(left_out.good);
                row.counts.total = row.counts.total.saturating_sub(left_out.total);
            }
        }
        minutes.retain(|(minute, _)| {
            let begun = excluded.partition_point(|(from, _)| from <= minute);
            begun.checked_sub(1).is_none_or(|index| excluded[index].1 < *minute)
        });
        hours.append(&mut silent);
        Self::new(hours, minutes, seen_before)
    }
}

/// The bits of an hour's minutes from `first` to `last`, both included.
const fn bits(first: i32, last: i32) -> u64 {
    (ALL_MINUTES >> (MINUTES_PER_HOUR - 1 - last)) & (ALL_MINUTES << first)
}
