//! Judges an objective at one minute. The only place where a burn rate is computed.
//!
//! 1. Sum the counts of every window in the unit of the budget; all of them end with the running minute, which is included,
//!    or with the last slice that is over.
//! 2. Find out when the source was alive, and project the budget of a whole window from what came while it was.
//! 3. Judge each tier's pair of windows against its share of that budget.
//! 4. Let the worst tier speak for the SLO, unless too little was seen.
//!
//! Why thresholds are counts of bad events and not burn rates (requirement B6): a burn rate divides by the traffic of its
//! own window, so one failure among three requests at night looks like an outage, although it spends next to nothing of a
//! budget that a month of traffic fills. With steady traffic both say the same: an hour holds 1 ÷ 720 of the events of 30
//! days, so 2 % of the month's budget are 0.02 × 720 = 14.4 times the hour's.

use super::coverage::Lifetime;
use super::exhaustion::exhaustion;
use super::lint::{Facts, lints};
use super::measure::Measure;
use super::{
    Alert, Amount, BURN_WINDOWS, Budget, BudgetingMethod, BurnRates, Evaluation, Ledger, MEASURED_COVERAGE, Objective, Period, Target,
    Tier, TierRule, TierState, Window,
};
use crate::time::Minute;

/// Bad events, or slices, in the short window under which no tier fires: nothing bad lately means it is over. The long
/// window's is the objective's own (`Alerting::fewest_bad`). There is no such floor on traffic. Of shares of slices the bad
/// events behind them are counted.
const FEWEST_BAD_SHORT: u32 = 1;
/// What rounding can make of a threshold, relative; counts that reach it exactly must fire.
const ROUNDING: f64 = 1e-9;

/// Judges `objective` by the counts in `ledger` at the running minute `now`, whose budget is that of `period`. Later minutes
/// are not looked at.
pub fn evaluate(objective: &Objective, ledger: &Ledger, period: Period, now: Minute) -> Evaluation {
    judged(objective, ledger, period, now, true)
}

/// The same without the range of the time to exhaustion, which takes longer than all the rest: for many objectives at once.
pub fn evaluate_briefly(objective: &Objective, ledger: &Ledger, period: Period, now: Minute) -> Evaluation {
    judged(objective, ledger, period, now, false)
}

fn judged(objective: &Objective, ledger: &Ledger, period: Period, now: Minute, with_range: bool) -> Evaluation {
    let account = Account::new(objective, ledger, period, period.trailing().first_minute(now), now);
    let counts = ledger.sum(period.first, now);
    let spent = account.measure.sum(period.first, now);
    let budget = account.budget(period, now);
    let coverage = account.lifetime.coverage(period.trailing().first_minute(now), now);
    let projected_budget = account.projected_budget(period, now);
    let rules = objective.alerting.tiers(period.trailing(), objective.target, budget.remaining_ratio);
    let tiers: Vec<TierState> = rules.into_iter().map(|rule| account.judge(rule, projected_budget, period, now)).collect();
    let burns = account.burn_rates(period, now);
    let lints = lints(&Facts {
        objective,
        counts,
        projected_budget,
        consumed: budget.consumed,
        burn_rates: &["1h", "6h", "24h", "3d"].into_iter().filter_map(|name| burns.of(name)).collect::<Vec<_>>(),
        tiers: &tiers,
        alive_minutes: account.lifetime.alive_minutes(period.trailing().first_minute(now), now),
        window: period.trailing(),
    });
    let is_silent = account.measure.over(period.trailing(), now).total <= 0.0;
    Evaluation {
        counts,
        sli: (spent.total > 0.0).then(|| 1.0 - spent.bad / spent.total),
        budget,
        burn_rates: burns,
        alert: alert_of(&tiers, is_silent, coverage),
        tier: tiers.iter().filter(|state| state.alert == Alert::Critical).map(|state| state.rule.tier).min_by_key(|tier| match tier {
            Tier::Page => 0,
            Tier::Ticket => 1,
        }),
        tiers,
        coverage,
        lints,
        exhaustion: exhaustion(objective, &account.measure, &budget, period, now, with_range),
        budgeting_method: objective.budgeting_method,
        renews_at: (!period.is_rolling).then(|| period.end().start()),
    }
}

/// How many times faster than allowed `amount` spends the budget: (bad ÷ total) ÷ (1 − target). A rate of 1 spends exactly
/// the budget in the SLO's window. `None` without events or slices.
pub fn burn_rate(amount: impl Into<Amount>, target: Target) -> Option<f64> {
    let amount = amount.into();
    (amount.total > 0.0).then(|| amount.bad / amount.total / target.budget_ratio())
}

impl Budget {
    /// The budget that an amount gives, and what it took of it.
    pub fn of(amount: impl Into<Amount>, target: Target) -> Self {
        let amount = amount.into();
        Self::new(target.budget_ratio() * amount.total, amount.bad)
    }

    fn new(total: f64, consumed: f64) -> Self {
        let remaining = total - consumed;
        Self { total, consumed, remaining, remaining_ratio: (total > 0.0).then(|| remaining / total) }
    }
}

/// The counts of an objective up to some minute, in the unit of its budget.
pub(super) struct Account<'a> {
    objective: &'a Objective,
    ledger: &'a Ledger,
    pub(super) measure: Measure<'a>,
    lifetime: Lifetime,
}

impl<'a> Account<'a> {
    /// Knows the minutes from `since` to the running minute `now`.
    pub(super) fn new(objective: &'a Objective, ledger: &'a Ledger, period: Period, since: Minute, now: Minute) -> Self {
        let lifetime = Lifetime::new(ledger, objective.expected_gap_minutes, since, now);
        let measure = Measure::new(objective.budgeting_method, ledger, &lifetime, period, now);
        Self { objective, ledger, measure, lifetime }
    }

    /// The budget of `period` as it stands at `now`.
    pub(super) fn budget(&self, period: Period, now: Minute) -> Budget {
        let target = self.objective.target;
        let spent = self.measure.sum(period.first, now);
        if period.is_rolling {
            return Budget::of(spent, target);
        }
        let trailing = self.measure.over(period.trailing(), now);
        let known_from = self.lifetime.first().unwrap_or(now).max(period.trailing().first_minute(now));
        let known_minutes = f64::from(now.0 - known_from.0 + 1).max(1.0);
        let minutes_left = f64::from(period.end().0 - now.0 - 1).max(0.0);
        let expected = spent.total + trailing.total / known_minutes * minutes_left;
        Budget::new(target.budget_ratio() * expected, spent.bad)
    }

    /// What may be bad in a window as long as the period, had the source been alive all the time.
    fn projected_budget(&self, period: Period, now: Minute) -> f64 {
        let trailing = period.trailing();
        let budget = Budget::of(self.measure.over(trailing, now), self.objective.target);
        // Events without a seen minute would divide by zero; one minute is the least they can have taken.
        let alive_minutes = self.lifetime.alive_minutes(trailing.first_minute(now), now).max(1);
        budget.total / (f64::from(alive_minutes) / f64::from(period.minutes))
    }

    fn burn_rates(&self, period: Period, now: Minute) -> BurnRates {
        let named = BURN_WINDOWS.into_iter().map(|(name, minutes)| (name, self.measure.over(Window { minutes }, now)));
        let rates = named
            .chain([("window", self.measure.sum(period.first, now))])
            .map(|(name, amount)| (name.to_owned(), burn_rate(amount, self.objective.target)))
            .collect();
        BurnRates(rates)
    }

    fn judge(&self, rule: TierRule, projected_budget: f64, period: Period, now: Minute) -> TierState {
        let (long, short) = (Window { minutes: rule.long_minutes }, Window { minutes: rule.short_minutes });
        let (long_amount, short_amount) = (self.measure.over(long, now), self.measure.over(short, now));
        // A window shorter than a slice looks at one whole slice.
        let slice = self.objective.budgeting_method.slice_minutes().unwrap_or(1);
        let share = |window: Window| rule.burn_rate * f64::from(window.minutes.max(slice)) / f64::from(period.minutes) * projected_budget;
        let fewest_bad = self.objective.alerting.fewest_bad;
        let (long_threshold, short_threshold) = (self.at_least(fewest_bad, share(long)), self.at_least(FEWEST_BAD_SHORT, share(short)));
        let bad_events = |window: Window| {
            let (from, to) = self.measure.bounds(window, now);
            self.ledger.sum(from, to).bad()
        };
        let is_above = |amount: Amount, threshold: f64, window: Window, fewest: u32| {
            amount.bad >= threshold * (1.0 - ROUNDING) && bad_events(window) >= u64::from(fewest)
        };
        let coverage = self.lifetime.coverage(long.first_minute(now), now);
        let alert = match (
            is_above(long_amount, long_threshold, long, fewest_bad),
            is_above(short_amount, short_threshold, short, FEWEST_BAD_SHORT),
        ) {
            _ if !is_measured(coverage) => Alert::Unmeasured,
            (true, true) => Alert::Critical,
            (true, false) => Alert::Recovering,
            (false, true) => Alert::Increasing,
            (false, false) => Alert::Healthy,
        };
        TierState {
            rule,
            long_burn: burn_rate(long_amount, self.objective.target),
            short_burn: burn_rate(short_amount, self.objective.target),
            long_bad: long_amount.bad,
            long_threshold,
            short_bad: short_amount.bad,
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
            BudgetingMethod::RatioTimeslices { .. } => threshold.max(f64::MIN_POSITIVE),
        }
    }
}

fn is_measured(coverage: Option<f64>) -> bool {
    coverage.is_some_and(|coverage| coverage >= MEASURED_COVERAGE)
}

/// What fires is told even when another tier saw too little; apart from that, too little seen outweighs every verdict.
fn alert_of(tiers: &[TierState], is_silent: bool, coverage: Option<f64>) -> Alert {
    let nothing_seen = is_silent || tiers.is_empty() && !is_measured(coverage);
    let silence = nothing_seen.then_some(Alert::Unmeasured);
    tiers.iter().map(|state| state.alert).chain(silence).max_by_key(|alert| alert.severity()).unwrap_or(Alert::Healthy)
}
