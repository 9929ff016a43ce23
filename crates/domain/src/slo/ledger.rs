//! Counts of one SLI over time, and the minutes in which anything was heard of it.
//!
//! A loader reads hour rows for all the time that may be asked about ([`Ledger::first_hour`]), and minute rows only for the
//! hours that a window covers in part ([`Ledger::hours_needing_minutes`]). Hours hold everything, so the counts of a minute
//! are contained in its hour's as well. Rows may come several times for one hour or minute, one from each bucket and
//! unfolded deltas beside folded rows; they are merged here. Prefix sums make every range cost two or three binary searches.

use std::collections::BTreeSet;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use super::exhaustion::RECENT;
use super::measure::is_by_hour;
use super::{BURN_WINDOWS, BudgetingMethod, Objective, Period, Window};
use crate::time::Minute;

const MINUTES_PER_HOUR: i32 = 60;
const ALL_MINUTES: u64 = (1 << MINUTES_PER_HOUR) - 1;

/// Counts of one SLI by hour and minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By hour, each once, sparse.
    hours: Vec<Hour>,
    /// Counts of all hours before the one of the same index; one longer than `hours`.
    before_hour: Vec<Counts>,
    /// By minute, each once, sparse.
    minutes: Vec<(Minute, Counts)>,
    /// Counts of all minutes before the one of the same index; one longer than `minutes`.
    before_minute: Vec<Counts>,
    seen_before: bool,
}

/// Good and all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Good events.
    pub good: u64,
    /// All events.
    pub total: u64,
}

/// One hour of counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Hour since the epoch.
    pub hour: i32,
    /// Everything counted in it, folded or not.
    pub counts: Counts,
    /// Bit m is set when a record fell into its minute m, 0–59.
    pub seen: u64,
}

impl Ledger {
    /// Takes rows in any order, several of one hour or minute allowed: their counts add up, their `seen` bits unite.
    /// `seen_before` says whether there was any record before the loaded hours.
    pub fn new(mut hours: Vec<Hour>, mut minutes: Vec<(Minute, Counts)>, seen_before: bool) -> Self {
        // A run in order, which readers who know it give, costs one look.
        if !hours.is_sorted_by_key(|row| row.hour) {
            hours.sort_unstable_by_key(|row| row.hour);
        }
        hours.dedup_by(|row, kept| {
            let same = row.hour == kept.hour;
            if same {
                kept.counts += row.counts;
                kept.seen |= row.seen;
            }
            same
        });
        if !minutes.is_sorted_by_key(|(minute, _)| *minute) {
            minutes.sort_unstable_by_key(|(minute, _)| *minute);
        }
        minutes.dedup_by(|(minute, counts), (kept, sum)| {
            let same = minute == kept;
            if same {
                *sum += *counts;
            }
            same
        });
        let before_hour = prefix_sums(hours.iter().map(|row| row.counts));
        let before_minute = prefix_sums(minutes.iter().map(|(_, counts)| *counts));
        Self { hours, before_hour, minutes, before_minute, seen_before }
    }

    /// Its rows of hours and of minutes, each in order.
    pub(super) fn into_rows(self) -> (Vec<Hour>, Vec<(Minute, Counts)>) {
        (self.hours, self.minutes)
    }

    /// Counts of the minutes from `from` to `to`, both included; nothing when `from` is later than `to`.
    pub fn sum(&self, from: Minute, to: Minute) -> Counts {
        let first_whole = from.plus(MINUTES_PER_HOUR - 1).hour();
        let after_whole = to.plus(1).hour();
        if first_whole >= after_whole {
            return self.sum_minutes(from, to.plus(1));
        }
        self.sum_minutes(from, Minute(first_whole * MINUTES_PER_HOUR))
            + self.sum_hours(first_whole, after_whole)
            + self.sum_minutes(Minute(after_whole * MINUTES_PER_HOUR), to.plus(1))
    }

    /// Counts of the window that ends with `now`.
    pub fn over(&self, window: Window, now: Minute) -> Counts {
        self.sum(window.first_minute(now), now)
    }

    /// The same, heard from whenever `source` was: of a part of what `source` counts, whose own silence says nothing.
    #[must_use]
    pub fn heard_as(self, source: &Self) -> Self {
        let seen_before = source.seen_before;
        let (mut hours, minutes) = self.into_rows();
        hours.extend(source.hours.iter().map(|row| Hour { counts: Counts::default(), ..*row }));
        Self::new(hours, minutes, seen_before)
    }

    /// Was there a record before the loaded hours?
    pub const fn seen_before(&self) -> bool {
        self.seen_before
    }

    /// The minutes from `from` to `to`, both included, into which a record fell, as the first and last of each run without a
    /// gap, in order. A busy month is one run, found in a step an hour.
    pub fn seen(&self, from: Minute, to: Minute) -> Vec<(Minute, Minute)> {
        let first = self.hours.partition_point(|row| row.hour < from.hour());
        let mut runs: Vec<(Minute, Minute)> = Vec::new();
        for row in self.hours[first..].iter().take_while(|row| row.hour <= to.hour()) {
            // Most hours are full and follow each other.
            let (begin, end) = (Minute(row.hour * MINUTES_PER_HOUR), Minute(row.hour * MINUTES_PER_HOUR + MINUTES_PER_HOUR - 1));
            if row.seen == ALL_MINUTES
                && end <= to
                && let Some(last) = runs.last_mut().filter(|last| last.1.plus(1) == begin)
            {
                last.1 = end;
                continue;
            }
            for (begin, end) in seen_runs(row) {
                let (begin, end) = (begin.max(from), end.min(to));
                match runs.last_mut() {
                    Some(last) if last.1.plus(1) == begin => last.1 = end,
                    _ if begin <= end => runs.push((begin, end)),
                    _ => {}
                }
            }
        }
        runs
    }

    /// The first minute from `from` to `to`, both included, into which a record fell.
    pub fn first_seen(&self, from: Minute, to: Minute) -> Option<Minute> {
        let first = self.hours.partition_point(|row| row.hour < from.hour());
        let mut minutes = self.hours[first..].iter().take_while(|row| row.hour <= to.hour()).flat_map(seen_runs);
        minutes.find(|run| run.1 >= from).map(|run| run.0.max(from)).filter(|minute| *minute <= to)
    }

    /// Counts of each minute that is known, or of each hour by its first minute, in order.
    pub(super) fn rows(&self, by_hour: bool) -> impl Iterator<Item = (Minute, Counts)> {
        let hours = self.hours.iter().filter(move |_| by_hour).map(|row| (Minute(row.hour * MINUTES_PER_HOUR), row.counts));
        hours.chain(self.minutes.iter().filter(move |_| !by_hour).copied())
    }

    /// The first hour whose row a loader must bring for an evaluation at `now`: that in which the longest window begins.
    pub fn first_hour(now: Minute, period: Period, objective: &Objective) -> i32 {
        // Windows of slices end with the last one that is over.
        let slice = objective.budgeting_method.slice_minutes().map_or(0, |minutes| i32::try_from(minutes).unwrap_or(0));
        let firsts = asked_windows(period.trailing(), objective).map(|asked| asked.first_minute(now)).chain([period.first]);
        firsts.map(|first| first.plus(-slice).hour()).min().unwrap_or(now.hour())
    }

    /// The hours, in order, whose minute rows a loader must bring for an evaluation at `now`: those that a window covers only
    /// in part, and those of the five-minute burns behind the range of the time to exhaustion; with slices of less than hours
    /// all of them.
    pub fn hours_needing_minutes(now: Minute, period: Period, objective: &Objective) -> Vec<i32> {
        if needs_all_minutes(period, objective.budgeting_method) {
            return (Self::first_hour(now, period, objective)..=now.hour()).collect();
        }
        let mut hours: BTreeSet<i32> = (RECENT.first_minute(now).hour()..=now.hour()).collect();
        for first in asked_windows(period.trailing(), objective).map(|asked| asked.first_minute(now)).chain([period.first]) {
            hours.extend(partial_hours(first, now));
        }
        hours.into_iter().collect()
    }

    /// Minute rows at or after `from` and before `end`.
    fn sum_minutes(&self, from: Minute, end: Minute) -> Counts {
        let first = self.minutes.partition_point(|(minute, _)| *minute < from);
        let after = self.minutes.partition_point(|(minute, _)| *minute < end);
        between(&self.before_minute, first, after)
    }

    /// Hour rows at or after `from` and before `end`.
    fn sum_hours(&self, from: i32, end: i32) -> Counts {
        let first = self.hours.partition_point(|row| row.hour < from);
        let after = self.hours.partition_point(|row| row.hour < end);
        between(&self.before_hour, first, after)
    }
}

impl Counts {
    /// Events that were not good. A faulty indicator that counts more good events than events has no bad ones.
    pub const fn bad(self) -> u64 {
        self.total.saturating_sub(self.good)
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { good: self.good + other.good, total: self.total + other.total }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// The hours that the minutes from `from` to `to`, both included, cover only in part: none, one or two, the same one
/// perhaps twice.
pub(super) fn partial_hours(from: Minute, to: Minute) -> impl Iterator<Item = i32> {
    let begins_inside = (from.0.rem_euclid(MINUTES_PER_HOUR) != 0).then(|| from.hour());
    let ends_inside = (to.0.rem_euclid(MINUTES_PER_HOUR) != MINUTES_PER_HOUR - 1).then(|| to.hour());
    begins_inside.into_iter().chain(ends_inside)
}

/// Whether a budget is counted in slices that are not made of whole hours.
pub(super) fn needs_all_minutes(period: Period, method: BudgetingMethod) -> bool {
    let minutes = method.slice_minutes().and_then(|minutes| i32::try_from(minutes).ok());
    minutes.is_some_and(|minutes| !is_by_hour(minutes, period.slices_from()))
}

/// Every window that an evaluation of an objective over `window` sums up.
fn asked_windows(window: Window, objective: &Objective) -> impl Iterator<Item = Window> {
    let burns = BURN_WINDOWS.into_iter().map(|(_, minutes)| Window { minutes });
    burns.chain(objective.alerting.lookbacks(window)).chain([window])
}

/// First and last minute of each run of set bits.
fn seen_runs(row: &Hour) -> impl Iterator<Item = (Minute, Minute)> + use<> {
    let first = row.hour * MINUTES_PER_HOUR;
    let mut left = row.seen & ALL_MINUTES;
    std::iter::from_fn(move || {
        (left != 0).then(|| {
            let begin = left.trailing_zeros();
            let length = (left >> begin).trailing_ones();
            left &= !(((1_u64 << length) - 1) << begin);
            let begin = Minute(first + begin as i32);
            (begin, begin.plus(length as i32 - 1))
        })
    })
}

fn prefix_sums(counts: impl Iterator<Item = Counts>) -> Vec<Counts> {
    let mut sum = Counts::default();
    let mut sums = Vec::with_capacity(counts.size_hint().1.unwrap_or(0) + 1);
    sums.push(sum);
    sums.extend(counts.map(|next| {
        sum += next;
        sum
    }));
    sums
}

/// What lies in `before` from index `first` to before index `after`. An empty ledger has no sums at all.
fn between(before: &[Counts], first: usize, after: usize) -> Counts {
    match (before.get(first), before.get(after)) {
        (Some(low), Some(high)) if first < after => Counts { good: high.good - low.good, total: high.total - low.total },
        _ => Counts::default(),
    }
}
