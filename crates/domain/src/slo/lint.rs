//! What an objective's own numbers say against it (requirements B6 and B14): each lint tells the numbers and proposes a change.
//! Lints are advice. Nothing depends on them.

use serde::{Deserialize, Serialize};

use super::{BudgetingMethod, Counts, LeftOutReason, Objective, TierState, Window};
use crate::number::{burn, count, long_duration, target_percent};
use crate::sentence::amount;

/// A budget that allows so much and of which nothing was spent looks as if nothing could spend it.
const UNSPENT: f64 = 10.0;
/// Burning all the time is told of a source that is known so long, minutes.
const LONG_KNOWN: u32 = 3 * 1_440;
/// Fewer events tell nothing about the share of bad ones.
const FEW_EVENTS: u64 = 100;
/// Targets that people write.
const COMMON_TARGETS: [f64; 9] = [0.9999, 0.9995, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.5];

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LintKind {
    /// Nothing was ever bad where something should have been.
    NeverBurns,
    /// It burns too fast in every window.
    BurnsConstantly,
    /// More good events than events were counted.
    GoodExceedsTotal,
    /// A tier that no outage could reach.
    UnreachableTier,
    /// The budget of the whole window allows less than one failure.
    BudgetUnderOne,
    /// One failure is as much as a page allows.
    SingleFailurePages,
    /// It has more groups than it may have.
    TooManyGroups,
}

impl LintKind {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverBurns => "never_burns",
            Self::BurnsConstantly => "burns_constantly",
            Self::GoodExceedsTotal => "good_exceeds_total",
            Self::UnreachableTier => "unreachable_tier",
            Self::BudgetUnderOne => "budget_under_one",
            Self::SingleFailurePages => "single_failure_pages",
            Self::TooManyGroups => "too_many_groups",
        }
    }
}

/// Advice about one objective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lint {
    /// What is wrong; browsers need its words only.
    #[serde(skip)]
    pub kind: Option<LintKind>,
    /// What the numbers are, in a sentence.
    pub reason: String,
    /// What would help, in a sentence.
    pub proposal: String,
}

/// What lints look at.
pub(super) struct Facts<'a> {
    pub(super) objective: &'a Objective,
    pub(super) counts: Counts,
    /// What may be bad in a whole window.
    pub(super) projected_budget: f64,
    /// What was bad in the window so far.
    pub(super) consumed: f64,
    /// Burn rates of the windows from an hour to three days, of those with events.
    pub(super) burn_rates: &'a [f64],
    pub(super) tiers: &'a [TierState],
    pub(super) alive_minutes: u32,
    pub(super) window: Window,
}

/// Everything there is to say, the gravest first.
pub(super) fn lints(facts: &Facts<'_>) -> Vec<Lint> {
    if facts.objective.budgeting_method == BudgetingMethod::Composite {
        // What its parts count is said of the parts.
        return unreachable_tiers(facts.objective);
    }
    let found =
        [good_exceeds_total(facts), budget_under_one(facts), single_failure_pages(facts), burns_constantly(facts), never_burns(facts)];
    found.into_iter().flatten().chain(unreachable_tiers(facts.objective)).collect()
}

/// The lints that are known before anything was counted.
pub fn unreachable_tiers(objective: &Objective) -> Vec<Lint> {
    let target = objective.target;
    let unreachable =
        objective.alerting.left_out(objective.window.nominal(), target).into_iter().filter_map(|left_out| match left_out.reason {
            LeftOutReason::Unreachable { highest } => Some((left_out.rule, highest)),
            LeftOutReason::LongerThanWindow => None,
        });
    unreachable
        .map(|(rule, highest)| {
            let long = long_duration(f64::from(rule.long_minutes) * 60.0);
            Lint {
                kind: Some(LintKind::UnreachableTier),
                reason: format!(
                    "The {} at {} over {long} is left out: with a target of {} a total outage burns at {}, never faster",
                    rule.tier.as_str(),
                    burn(rule.burn_rate),
                    target_percent(target.ratio()),
                    burn(highest)
                ),
                proposal: COMMON_TARGETS.into_iter().rev().find(|target| 1.0 / (1.0 - target) >= rule.burn_rate).map_or_else(
                    || "Take a longer window".to_owned(),
                    |target| format!("A target of {} could reach it", target_percent(target)),
                ),
            }
        })
        .collect()
}

fn good_exceeds_total(facts: &Facts<'_>) -> Option<Lint> {
    (facts.counts.good > facts.counts.total).then(|| Lint {
        kind: Some(LintKind::GoodExceedsTotal),
        reason: format!(
            "{} events were good and only {} were counted at all",
            count(facts.counts.good as f64),
            count(facts.counts.total as f64)
        ),
        proposal: "Let the filter of the good events look only at what the total counts".to_owned(),
    })
}

fn budget_under_one(facts: &Facts<'_>) -> Option<Lint> {
    let (objective, budget) = (facts.objective, facts.projected_budget);
    let is_measured = facts.counts.total > 0 && budget > 0.0;
    (is_measured && budget < 1.0).then(|| {
        let whole = budget / objective.target.budget_ratio();
        let highest = COMMON_TARGETS.into_iter().find(|target| (1.0 - target) * whole >= 1.0);
        let unit = if objective.budgeting_method == BudgetingMethod::Occurrences { "events" } else { "slices" };
        Lint {
            kind: Some(LintKind::BudgetUnderOne),
            reason: format!(
                "At this pace {} hold about {} {unit}, of which {} allows {budget:.2} to be bad: the first failure spends more than the budget",
                long_duration(facts.window.seconds() as f64),
                count(whole),
                target_percent(objective.target.ratio())
            ),
            proposal: match highest {
                Some(target) => format!("A target of {} at most allows one, as does a longer window", target_percent(target)),
                None => "Take a longer window, or count slices of time (Timeslices)".to_owned(),
            },
        }
    })
}

fn single_failure_pages(facts: &Facts<'_>) -> Option<Lint> {
    if facts.counts.total == 0 || facts.projected_budget < 1.0 {
        return None;
    }
    let share = |state: &&TierState| state.rule.budget_share * facts.projected_budget;
    let touchy = facts.tiers.iter().filter(|state| share(state) <= 1.0).min_by_key(|state| state.rule.long_minutes)?;
    let long = long_duration(f64::from(touchy.rule.long_minutes) * 60.0);
    let floor = match facts.objective.alerting.fewest_bad {
        1 => "as it is told to fire for one".to_owned(),
        2 => "and only the rule that it takes two keeps it quiet".to_owned(),
        fewest => format!("and only the rule that it takes {fewest} keeps it quiet"),
    };
    Some(Lint {
        kind: Some(LintKind::SingleFailurePages),
        reason: format!(
            "The {} over {long} allows {} of {} {} of the whole window: one failure is that much, {floor}",
            touchy.rule.tier.as_str(),
            amount((share(&touchy) * 100.0).round() / 100.0),
            count(facts.projected_budget),
            facts.objective.budgeting_method.spent_by()
        ),
        proposal: "With so little traffic a lower target, a longer window or slices of time (Timeslices) say more".to_owned(),
    })
}

fn burns_constantly(facts: &Facts<'_>) -> Option<Lint> {
    let is_known = facts.alive_minutes >= LONG_KNOWN && facts.counts.total >= FEW_EVENTS;
    let slowest = facts.burn_rates.iter().copied().min_by(f64::total_cmp)?;
    (is_known && slowest > 1.0).then(|| {
        let sli = 1.0 - facts.counts.bad() as f64 / facts.counts.total as f64;
        let kept = COMMON_TARGETS.into_iter().find(|target| *target < sli && *target < facts.objective.target.ratio());
        Lint {
            kind: Some(LintKind::BurnsConstantly),
            reason: format!("Every window from an hour to three days burns too fast, the slowest at {}", burn(slowest)),
            proposal: match kept {
                Some(target) => {
                    format!("A target of {} would have been kept; or the filter counts as bad what nobody minds", target_percent(target))
                }
                None => "Look whether the filter counts as bad what nobody minds".to_owned(),
            },
        }
    })
}

fn never_burns(facts: &Facts<'_>) -> Option<Lint> {
    let expected = facts.objective.target.budget_ratio() * facts.counts.total as f64;
    (facts.consumed <= 0.0 && facts.counts.bad() == 0 && expected >= UNSPENT).then(|| Lint {
        kind: Some(LintKind::NeverBurns),
        reason: format!("None of {} events was bad, where {} would be allowed", count(facts.counts.total as f64), count(expected)),
        proposal: "Make sure that a failure would not match the filter of the good events; or promise more".to_owned(),
    })
}
