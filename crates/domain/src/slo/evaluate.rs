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

use super::account::{Account, is_measured};
use super::composite::Basis;
use super::exhaustion::exhaustion;
use super::lint::{Facts, lints};
use super::{Alert, Amount, Budget, Evaluation, Objective, Period, Target, Tier, TierState};
use crate::time::Minute;

/// Judges `objective` by its counts, or those of its parts, at the running minute `now`, whose budget is that of `period`. Later minutes
/// are not looked at.
pub fn evaluate<'a>(objective: &Objective, basis: impl Into<Basis<'a>>, period: Period, now: Minute) -> Evaluation {
    judged(objective, &basis.into(), period, now, true)
}

/// The same without the range of the time to exhaustion, which takes longer than all the rest: for many objectives at once.
pub fn evaluate_briefly<'a>(objective: &Objective, basis: impl Into<Basis<'a>>, period: Period, now: Minute) -> Evaluation {
    judged(objective, &basis.into(), period, now, false)
}

fn judged(objective: &Objective, basis: &Basis<'_>, period: Period, now: Minute, with_range: bool) -> Evaluation {
    let trailing_first = period.trailing().first_minute(now);
    let account = Account::new(objective, basis, period, trailing_first, now);
    let counts = account.counts(period.first, now);
    let spent = account.sum(period.first, now);
    let budget = account.budget(period, now);
    let coverage = account.coverage(trailing_first, now);
    let projected_budget = objective.target.budget_ratio() * account.projected(period, now);
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
        alive_minutes: account.alive_minutes(trailing_first, now),
        window: period.trailing(),
    });
    let is_silent = account.over(period.trailing(), now).total <= 0.0;
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
        exhaustion: exhaustion(objective, &account, &budget, period, now, with_range),
        parts: account.parts(period, now),
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

    pub(super) fn new(total: f64, consumed: f64) -> Self {
        let remaining = total - consumed;
        Self { total, consumed, remaining, remaining_ratio: (total > 0.0).then(|| remaining / total) }
    }
}

/// What fires is told even when another tier saw too little; apart from that, too little seen outweighs every verdict.
fn alert_of(tiers: &[TierState], is_silent: bool, coverage: Option<f64>) -> Alert {
    let nothing_seen = is_silent || tiers.is_empty() && !is_measured(coverage);
    let silence = nothing_seen.then_some(Alert::Unmeasured);
    tiers.iter().map(|state| state.alert).chain(silence).max_by_key(|alert| alert.severity()).unwrap_or(Alert::Healthy)
}
