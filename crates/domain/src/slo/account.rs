//! What an objective counts up to some minute, in the unit of its budget: events or slices of its own, or percent of the whole
//! that its parts make.

use super::composite::{Basis, Composite, PartState, WHOLE};
use super::coverage::Lifetime;
use super::measure::Measure;
use super::{
    Alert, Amount, BURN_WINDOWS, Budget, BudgetingMethod, BurnRates, Counts, Ledger, MEASURED_COVERAGE, Objective, Period, TierRule,
    TierState, Window, burn_rate,
};
use crate::time::Minute;

/// Bad events, or slices, in the short window under which no tier fires: nothing bad lately means it is over. The long
/// window's is the objective's own (`Alerting::fewest_bad`). There is no such floor on traffic. Of shares of slices, and of
/// parts, the bad events behind them are counted.
const FEWEST_BAD_SHORT: u32 = 1;
/// What rounding can make of a threshold, relative; counts that reach it exactly must fire.
const ROUNDING: f64 = 1e-9;

/// The counts of an objective up to some minute.
pub(super) struct Account<'a> {
    objective: &'a Objective,
    counted: Counted<'a>,
}

enum Counted<'a> {
    Own { ledger: &'a Ledger, measure: Measure<'a>, lifetime: Lifetime },
    Parts(Composite<'a>),
}

impl<'a> Account<'a> {
    /// Knows the minutes from `since` to the running minute `now`.
    pub(super) fn new(objective: &'a Objective, basis: &'a Basis<'a>, period: Period, since: Minute, now: Minute) -> Self {
        let counted = match basis {
            Basis::Composite(parts) => Counted::Parts(Composite::new(parts, period, since, now)),
            Basis::Counts(ledger) => {
                let lifetime = Lifetime::new(ledger, objective.expected_gap_minutes, since, now);
                let measure = Measure::new(objective.budgeting_method, ledger, &lifetime, period, now);
                Counted::Own { ledger, measure, lifetime }
            }
        };
        Self { objective, counted }
    }

    /// The objective's name.
    pub(super) fn name(&self) -> &str {
        &self.objective.name
    }

    /// The minutes from `from` to `to`, both included; of slices those that lie wholly within.
    pub(super) fn sum(&self, from: Minute, to: Minute) -> Amount {
        match &self.counted {
            Counted::Own { measure, .. } => measure.sum(from, to),
            Counted::Parts(parts) => parts.sum(from, to),
        }
    }

    /// The window that ends with `now`; of slices the last ones that are over, one at least.
    pub(super) fn over(&self, window: Window, now: Minute) -> Amount {
        match &self.counted {
            Counted::Own { measure, .. } => measure.over(window, now),
            Counted::Parts(parts) => parts.over(window, now),
        }
    }

    /// Good and all events from `from` to `to`, both included.
    pub(super) fn counts(&self, from: Minute, to: Minute) -> Counts {
        match &self.counted {
            Counted::Own { ledger, .. } => ledger.sum(from, to),
            Counted::Parts(parts) => parts.counts(from, to),
        }
    }

    /// Bad events of the window that ends with `now`.
    pub(super) fn bad_events(&self, window: Window, now: Minute) -> u64 {
        match &self.counted {
            Counted::Own { ledger, measure, .. } => {
                let (from, to) = measure.bounds(window, now);
                ledger.sum(from, to).bad()
            }
            Counted::Parts(parts) => parts.bad_events(window, now),
        }
    }

    /// Share of the minutes from `from` to `to`, both included, of which something is known; `None` before the first record.
    pub(super) fn coverage(&self, from: Minute, to: Minute) -> Option<f64> {
        match &self.counted {
            Counted::Own { lifetime, .. } => lifetime.coverage(from, to),
            Counted::Parts(parts) => parts.coverage(from, to),
        }
    }

    /// Minutes from `from` to `to`, both included, in which the source was silent too long; none before its first record.
    pub(super) fn silent_minutes(&self, from: Minute, to: Minute) -> f64 {
        match &self.counted {
            Counted::Own { lifetime, .. } => {
                let from = lifetime.first().unwrap_or(to.plus(1)).max(from);
                f64::from((to.0 - from.0 + 1).max(0)) - f64::from(lifetime.alive_minutes(from, to))
            }
            Counted::Parts(parts) => f64::from(to.0 - from.0 + 1) * (1.0 - parts.coverage(from, to).unwrap_or(1.0)),
        }
    }

    /// Minutes from `from` to `to`, both included, in which a source of its own was alive.
    pub(super) fn alive_minutes(&self, from: Minute, to: Minute) -> u32 {
        match &self.counted {
            Counted::Own { lifetime, .. } => lifetime.alive_minutes(from, to),
            Counted::Parts(_) => 0,
        }
    }

    /// The budget of `period` as it stands at `now`.
    pub(super) fn budget(&self, period: Period, now: Minute) -> Budget {
        Budget::new(self.objective.target.budget_ratio() * self.expected(period, now), self.consumed(period, now))
    }

    /// What was bad in `period` so far.
    pub(super) fn consumed(&self, period: Period, now: Minute) -> f64 {
        match &self.counted {
            Counted::Own { measure, .. } => measure.sum(period.first, now).bad,
            Counted::Parts(parts) => parts.consumed(period, now),
        }
    }

    /// All that `period` holds: so far when it is rolling, and until its end, at the pace of the time as long as it that ends
    /// now, in one of the calendar.
    pub(super) fn expected(&self, period: Period, now: Minute) -> f64 {
        let (measure, lifetime) = match &self.counted {
            Counted::Own { measure, lifetime, .. } => (measure, lifetime),
            Counted::Parts(parts) => return parts.sum(period.trailing().first_minute(now), now).total,
        };
        let so_far = measure.sum(period.first, now).total;
        if period.is_rolling {
            return so_far;
        }
        let trailing = measure.over(period.trailing(), now);
        let known_from = lifetime.first().unwrap_or(now).max(period.trailing().first_minute(now));
        let known_minutes = f64::from(now.0 - known_from.0 + 1).max(1.0);
        let minutes_left = f64::from(period.end().0 - now.0 - 1).max(0.0);
        so_far + trailing.total / known_minutes * minutes_left
    }

    /// All that a window as long as the period would hold, had the source been alive all the time.
    pub(super) fn projected(&self, period: Period, now: Minute) -> f64 {
        let trailing = period.trailing();
        let (measure, lifetime) = match &self.counted {
            Counted::Own { measure, lifetime, .. } => (measure, lifetime),
            Counted::Parts(_) => return WHOLE,
        };
        // Events without a seen minute would divide by zero; one minute is the least they can have taken.
        let alive_minutes = lifetime.alive_minutes(trailing.first_minute(now), now).max(1);
        measure.over(trailing, now).total / (f64::from(alive_minutes) / f64::from(period.minutes))
    }

    /// What the window that ends with `now` takes of a budget as long as `period`.
    pub(super) fn spent_over(&self, window: Window, period: Period, now: Minute) -> f64 {
        match &self.counted {
            Counted::Own { measure, .. } => measure.over(window, now).bad,
            Counted::Parts(parts) => parts.spent_over(window, period, now),
        }
    }

    /// How its parts stand, if it has any.
    pub(super) fn parts(&self, period: Period, now: Minute) -> Vec<PartState> {
        match &self.counted {
            Counted::Own { .. } => Vec::new(),
            Counted::Parts(parts) => parts.states(self.objective.target.budget_ratio() * WHOLE, period, now),
        }
    }

    pub(super) fn burn_rates(&self, period: Period, now: Minute) -> BurnRates {
        let named = BURN_WINDOWS.into_iter().map(|(name, minutes)| (name, self.over(Window { minutes }, now)));
        let rates = named
            .chain([("window", self.sum(period.first, now))])
            .map(|(name, amount)| (name.to_owned(), burn_rate(amount, self.objective.target)))
            .collect();
        BurnRates(rates)
    }

    pub(super) fn judge(&self, rule: TierRule, projected_budget: f64, period: Period, now: Minute) -> TierState {
        let (long, short) = (Window { minutes: rule.long_minutes }, Window { minutes: rule.short_minutes });
        // A window shorter than a slice looks at one whole slice.
        let slice = self.objective.budgeting_method.slice_minutes().unwrap_or(1);
        let share = |window: Window| rule.burn_rate * f64::from(window.minutes.max(slice)) / f64::from(period.minutes) * projected_budget;
        let fewest_bad = self.objective.alerting.fewest_bad;
        let (long_threshold, short_threshold) = (self.at_least(fewest_bad, share(long)), self.at_least(FEWEST_BAD_SHORT, share(short)));
        let (long_bad, short_bad) = (self.spent_over(long, period, now), self.spent_over(short, period, now));
        let is_above = |bad: f64, threshold: f64, window: Window, fewest: u32| {
            bad >= threshold * (1.0 - ROUNDING) && self.bad_events(window, now) >= u64::from(fewest)
        };
        let coverage = self.coverage(long.first_minute(now), now);
        let alert =
            match (is_above(long_bad, long_threshold, long, fewest_bad), is_above(short_bad, short_threshold, short, FEWEST_BAD_SHORT)) {
                _ if !is_measured(coverage) => Alert::Unmeasured,
                (true, true) => Alert::Critical,
                (true, false) => Alert::Recovering,
                (false, true) => Alert::Increasing,
                (false, false) => Alert::Healthy,
            };
        let burn = |window: Window| burn_rate(self.over(window, now), self.objective.target);
        TierState {
            rule,
            long_burn: burn(long),
            short_burn: burn(short),
            long_bad,
            long_threshold,
            short_bad,
            short_threshold,
            coverage,
            alert,
        }
    }

    /// A threshold that whole units can reach only from some number of them on.
    fn at_least(&self, fewest: u32, threshold: f64) -> f64 {
        match self.objective.budgeting_method {
            BudgetingMethod::Occurrences | BudgetingMethod::Timeslices { .. } => threshold.max(f64::from(fewest)),
            // Something must be lost; how many events that takes is asked besides.
            BudgetingMethod::RatioTimeslices { .. } | BudgetingMethod::Composite => threshold.max(f64::MIN_POSITIVE),
        }
    }
}

pub(super) fn is_measured(coverage: Option<f64>) -> bool {
    coverage.is_some_and(|coverage| coverage >= MEASURED_COVERAGE)
}
