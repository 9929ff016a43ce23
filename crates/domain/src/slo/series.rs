//! Counts, burn rate and remaining budget over time, for charts.
//!
//! Every figure of a step is a range of the ledger, so a series costs a few binary searches a step, however long the window
//! is. The ledger must reach back one window before the first step.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ledger::partial_hours;
use super::{Budget, Ledger, Objective, Window, burn_rate};
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
/// is shorter for that.
pub fn series(objective: &Objective, ledger: &Ledger, from: Minute, to: Minute, step_minutes: u32) -> Vec<SeriesPoint> {
    steps(from, to, step_minutes)
        .map(|(first, last)| {
            let counts = ledger.sum(first, last);
            SeriesPoint {
                start: first.start(),
                good: counts.good,
                total: counts.total,
                burn_rate: burn_rate(counts, objective.target),
                budget_remaining: Budget::of(ledger.over(objective.window, last), objective.target).remaining_ratio,
            }
        })
        .collect()
}

/// The hours, in order, whose minute rows a loader must bring for the series with these arguments of an SLO over `window`:
/// none but the last when steps, window and `from` are whole hours; otherwise also those in which steps and the windows
/// that end with them begin.
pub fn series_hours_needing_minutes(window: Window, from: Minute, to: Minute, step_minutes: u32) -> Vec<i32> {
    let hours: BTreeSet<i32> = steps(from, to, step_minutes)
        .flat_map(|(first, last)| partial_hours(first, last).chain(partial_hours(window.first_minute(last), last)))
        .collect();
    hours.into_iter().collect()
}

/// First and last minute of each step.
fn steps(from: Minute, to: Minute, step_minutes: u32) -> impl Iterator<Item = (Minute, Minute)> {
    let step = i32::try_from(step_minutes.max(1)).unwrap_or(i32::MAX);
    let firsts = (from.0..=to.0).step_by(step as usize).map(Minute);
    firsts.map(move |first| (first, first.plus(step - 1).min(to)))
}
