//! What the tests of objectives share: histories told in sentences, read back as a loader would.

mod alerting;
mod composite;
mod evaluate;
mod exclusion;
mod ledger;
mod lint;
mod preset;
mod properties;
mod series;
mod slices;
mod window;

use std::collections::BTreeMap;

use super::{
    Alerting, BudgetingMethod, Counts, Evaluation, Hour, Ledger, Objective, Period, Target, TimeWindow, Window, evaluate as judge,
};
use crate::time::Minute;

/// 2026-11-21T02:17Z: neither an hour nor a day begins or ends here.
const NOW: Minute = Minute(29_920_457);
const HOUR: u32 = 60;
const DAY: u32 = 1_440;

/// Good and bad events by minute; a minute with an entry has been heard from.
#[derive(Clone, Debug, Default)]
struct History {
    minutes: BTreeMap<i32, Counts>,
}

impl History {
    /// `good` and `bad` events in every `every`th minute of the `minutes` that end `until` minutes before now.
    fn with(mut self, until: u32, minutes: u32, every: usize, good: u64, bad: u64) -> Self {
        let end = NOW.0 - until as i32;
        for minute in (end - minutes as i32 + 1..=end).step_by(every) {
            *self.minutes.entry(minute).or_default() += Counts { good, total: good + bad };
        }
        self
    }

    /// The same history without the `minutes` that end `until` minutes before now.
    fn without(mut self, until: u32, minutes: u32) -> Self {
        let end = NOW.0 - until as i32;
        self.minutes.retain(|minute, _| *minute > end || *minute <= end - minutes as i32);
        self
    }

    /// Hour rows for all of it, minute rows for the hours in `hours`.
    fn ledger(&self, hours: &[i32]) -> Ledger {
        self.ledger_where(|hour| hours.contains(&hour))
    }

    /// All rows of both kinds.
    fn whole_ledger(&self) -> Ledger {
        self.ledger_where(|_| true)
    }

    fn ledger_where(&self, has_minutes: impl Fn(i32) -> bool) -> Ledger {
        let rows = self.minutes.iter().map(|(minute, counts)| Hour {
            hour: minute.div_euclid(60),
            counts: *counts,
            seen: 1 << minute.rem_euclid(60),
        });
        let minutes = self.minutes.iter().filter(|(minute, _)| has_minutes(minute.div_euclid(60)));
        Ledger::new(rows.collect(), minutes.map(|(minute, counts)| (Minute(*minute), *counts)).collect(), false)
    }

    /// The verdict at `now`, from no more minute rows than are said to be needed.
    fn evaluate(&self, objective: &Objective, now: Minute) -> Evaluation {
        self.evaluate_in(objective, Period::rolling(objective.window.nominal(), now), now)
    }

    /// The same with the budget of a period.
    fn evaluate_in(&self, objective: &Objective, period: Period, now: Minute) -> Evaluation {
        let hours = Ledger::hours_needing_minutes(now, period, objective);
        judge(objective, &self.ledger(&hours), period, now)
    }
}

fn target(ratio: f64) -> Target {
    Target::new(ratio).expect("between 0 and 1")
}

fn objective(ratio: f64, window: Window) -> Objective {
    Objective {
        name: "checkout".to_owned(),
        display_name: None,
        service: "shop".to_owned(),
        description: String::new(),
        target: target(ratio),
        window: TimeWindow::Rolling(window),
        budgeting_method: BudgetingMethod::Occurrences,
        expected_gap_minutes: None,
        alerting: Alerting::default(),
    }
}

/// 99.9 % over 30 days.
fn three_nines() -> Objective {
    objective(0.999, Window::days(30))
}

#[track_caller]
fn assert_close(got: f64, wanted: f64, what: &str) {
    assert!((got - wanted).abs() <= wanted.abs().max(1e-9) * 1e-12, "{what}: got {got}, wanted {wanted}");
}
