//! Judges an objective at one minute. The only place where a burn rate is computed.
//!
//! 1. Sum the counts of every window; all of them end with the running minute, which is included.
//! 2. Find out when the source was alive, and project the budget of a whole window from what came while it was.
//! 3. Judge each tier's pair of windows against its share of that budget.
//! 4. Let the worst tier speak for the SLO, unless too little was seen.
//!
//! Why thresholds are counts of bad events and not burn rates (requirement B6): a burn rate divides by the traffic of its
//! own window, so one failure among three requests at night looks like an outage, although it spends next to nothing of a
//! budget that a month of traffic fills. With steady traffic both say the same: an hour holds 1 ÷ 720 of the events of 30
//! days, so 2 % of the month's budget are 0.02 × 720 = 14.4 times the hour's.

use std::collections::BTreeMap;

use super::coverage::Lifetime;
use super::exhaustion::exhaustion;
use super::{
    Alert, BURN_WINDOWS, Budget, Counts, Evaluation, Ledger, MEASURED_COVERAGE, Objective, Target, Tier, TierRule, TierState, Window,
    tiers_for,
};
use crate::time::Minute;

/// Bad events in the long window under which no tier fires: one failure is an accident. There is no such floor on traffic.
const FEWEST_BAD_LONG: f64 = 2.0;
/// Bad events in the short window under which no tier fires: nothing bad lately means it is over.
const FEWEST_BAD_SHORT: f64 = 1.0;
/// What rounding can make of a threshold, relative; counts that reach it exactly must fire.
const ROUNDING: f64 = 1e-9;

/// Judges `objective` by the counts in `ledger` at the running minute `now`. Later minutes are not looked at.
pub fn evaluate(objective: &Objective, ledger: &Ledger, now: Minute) -> Evaluation {
    let (target, window) = (objective.target, objective.window);
    let counts = ledger.over(window, now);
    let budget = Budget::of(counts, target);
    let first = window.first_minute(now);
    let lifetime = Lifetime::new(ledger, objective.expected_gap_minutes, first, now);
    let coverage = lifetime.coverage(first, now);
    // Events without a seen minute would divide by zero; one minute is the least they can have taken.
    let alive_share = f64::from(lifetime.alive_minutes(first, now).max(1)) / f64::from(window.minutes);
    let projected_budget = budget.total / alive_share;
    let tiers: Vec<TierState> =
        tiers_for(window, target).into_iter().map(|rule| judge(rule, target, ledger, &lifetime, projected_budget, now)).collect();
    Evaluation {
        counts,
        sli: (counts.total > 0).then(|| counts.good.min(counts.total) as f64 / counts.total as f64),
        budget,
        burn_rates: burn_rates(objective, ledger, now),
        alert: alert_of(&tiers, counts, coverage),
        tier: tiers.iter().filter(|state| state.alert == Alert::Critical).map(|state| state.rule.tier).min_by_key(|tier| match tier {
            Tier::Page => 0,
            Tier::Ticket => 1,
        }),
        tiers,
        coverage,
        exhaustion: exhaustion(objective, ledger, &budget, now),
    }
}

/// How many times faster than allowed `counts` spend the budget: (bad ÷ total) ÷ (1 − target). A rate of 1 spends exactly
/// the budget in the SLO's window. `None` without events.
pub fn burn_rate(counts: Counts, target: Target) -> Option<f64> {
    (counts.total > 0).then(|| counts.bad() as f64 / counts.total as f64 / target.budget_ratio())
}

impl Budget {
    /// The budget that `counts` of a window give, and what they took of it.
    pub fn of(counts: Counts, target: Target) -> Self {
        let total = target.budget_ratio() * counts.total as f64;
        let consumed = counts.bad() as f64;
        let remaining = total - consumed;
        Self { total, consumed, remaining, remaining_ratio: (counts.total > 0).then(|| remaining / total) }
    }
}

fn burn_rates(objective: &Objective, ledger: &Ledger, now: Minute) -> BTreeMap<String, Option<f64>> {
    let named = BURN_WINDOWS.into_iter().map(|(name, minutes)| (name, Window { minutes }));
    named
        .chain([("window", objective.window)])
        .map(|(name, window)| (name.to_owned(), burn_rate(ledger.over(window, now), objective.target)))
        .collect()
}

fn judge(rule: TierRule, target: Target, ledger: &Ledger, lifetime: &Lifetime, projected_budget: f64, now: Minute) -> TierState {
    let (long, short) = (Window { minutes: rule.long_minutes }, Window { minutes: rule.short_minutes });
    let (long_counts, short_counts) = (ledger.over(long, now), ledger.over(short, now));
    let share = rule.budget_share * projected_budget;
    let long_threshold = share.max(FEWEST_BAD_LONG);
    let short_threshold = (share * f64::from(short.minutes) / f64::from(long.minutes)).max(FEWEST_BAD_SHORT);
    let coverage = lifetime.coverage(long.first_minute(now), now);
    let alert = match (reaches(long_counts, long_threshold), reaches(short_counts, short_threshold)) {
        _ if !is_measured(coverage) => Alert::Unmeasured,
        (true, true) => Alert::Critical,
        (true, false) => Alert::Recovering,
        (false, true) => Alert::Increasing,
        (false, false) => Alert::Healthy,
    };
    TierState {
        rule,
        long_burn: burn_rate(long_counts, target),
        short_burn: burn_rate(short_counts, target),
        long_bad: long_counts.bad(),
        long_threshold,
        short_bad: short_counts.bad(),
        short_threshold,
        coverage,
        alert,
    }
}

fn reaches(counts: Counts, threshold: f64) -> bool {
    counts.bad() as f64 >= threshold * (1.0 - ROUNDING)
}

fn is_measured(coverage: Option<f64>) -> bool {
    coverage.is_some_and(|coverage| coverage >= MEASURED_COVERAGE)
}

/// What fires is told even when another tier saw too little; apart from that, too little seen outweighs every verdict.
fn alert_of(tiers: &[TierState], counts: Counts, coverage: Option<f64>) -> Alert {
    let nothing_seen = counts.total == 0 || tiers.is_empty() && !is_measured(coverage);
    let silence = nothing_seen.then_some(Alert::Unmeasured);
    tiers.iter().map(|state| state.alert).chain(silence).max_by_key(|alert| alert.severity()).unwrap_or(Alert::Healthy)
}
