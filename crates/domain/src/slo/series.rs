//! Counts, burn rate and remaining budget over time, for charts.
//!
//! Every figure of a step is a range of the ledger, so a series costs a few binary searches a step, however long the window
//! is. The ledger must reach back one window before the first step.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::composite::Basis;
use super::ledger::{needs_all_minutes, partial_hours};
use super::{BudgetingMethod, Objective, Period, burn_rate};
use crate::time::{Minute, Timestamp};

/// One step of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// When the step begins.
    pub start: Timestamp,
    /// Good events in the step.
    pub good: u64,
    /// All events in the step.
    pub total: u64,
    /// Burn rate of the step alone; `None` without events.
    pub burn_rate: Option<f64>,
    /// Remaining share of the budget of the SLO's window that ends with the step; negative when overspent, `None` without
    /// events in the window.
    pub budget_remaining: Option<f64>,
}

/// The steps of `step_minutes` from `from` to `to`, both included, oldest first. The last one ends with `to` even when it
/// is shorter for that. `period_at` gives the period whose budget a minute belongs to.
pub fn series<'a>(
    objective: &Objective,
    basis: impl Into<Basis<'a>>,
    period_at: impl Fn(Minute) -> Period,
    from: Minute,
    to: Minute,
    step_minutes: u32,
) -> Vec<SeriesPoint> {
    let basis = basis.into();
    let account = Account::new(objective, &basis, period_at(to), first_minute(&period_at, from), to);
    steps(from, to, step_minutes)
        .map(|(first, last)| {
            let counts = account.counts(first, last);
            SeriesPoint {
                start: first.start(),
                good: counts.good,
                total: counts.total,
                burn_rate: burn_rate(account.sum(first, last), objective.target),
                budget_remaining: account.budget(period_at(last), last).remaining_ratio,
            }
        })
        .collect()
}

/// Burn rate of each of the last `hours` hours, the running one included, oldest first; `None` without events or slices.
pub fn hourly_burn_rates<'a>(
    objective: &Objective,
    basis: impl Into<Basis<'a>>,
    period: Period,
    hours: i32,
    now: Minute,
) -> Vec<Option<f64>> {
    let basis = basis.into();
    let first = now.hour() - hours + 1;
    let account = Account::new(objective, &basis, period, Minute(first * 60), now);
    let of_hour = |hour: i32| burn_rate(account.sum(Minute(hour * 60), Minute(hour * 60 + 59)), objective.target);
    (first..=now.hour()).map(of_hour).collect()
}

/// The first hour whose row a loader must bring for a series from `from`.
pub fn series_first_hour(period_at: impl Fn(Minute) -> Period, from: Minute) -> i32 {
    first_minute(&period_at, from).hour()
}

/// The earliest minute that the budget at `from` depends on.
fn first_minute(period_at: &impl Fn(Minute) -> Period, from: Minute) -> Minute {
    let period = period_at(from);
    period.first.min(period.trailing().first_minute(from))
}

/// The hours, in order, whose minute rows a loader must bring for the series with these arguments: none but the last when
/// steps, periods and `from` are whole hours; otherwise also those in which steps and the windows that end with them begin,
/// and with slices of less than hours all of them.
pub fn series_hours_needing_minutes(
    method: BudgetingMethod,
    period_at: impl Fn(Minute) -> Period,
    from: Minute,
    to: Minute,
    step_minutes: u32,
) -> Vec<i32> {
    if needs_all_minutes(period_at(to), method) {
        return (series_first_hour(period_at, from)..=to.hour()).collect();
    }
    let hours: BTreeSet<i32> = steps(from, to, step_minutes)
        .flat_map(|(first, last)| {
            let period = period_at(last);
            let begins = [first, period.first, period.trailing().first_minute(last)];
            begins.into_iter().flat_map(move |begin| partial_hours(begin, last))
        })
        .collect();
    hours.into_iter().collect()
}

/// First and last minute of each step.
fn steps(from: Minute, to: Minute, step_minutes: u32) -> impl Iterator<Item = (Minute, Minute)> {
    let step = i32::try_from(step_minutes.max(1)).unwrap_or(i32::MAX);
    let firsts = (from.0..=to.0).step_by(step as usize).map(Minute);
    firsts.map(move |first| (first, first.plus(step - 1).min(to)))
}
