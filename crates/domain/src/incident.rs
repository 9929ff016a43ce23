//! Incidents: what the tiers of an SLO say, told as one story with a beginning and an end (requirement B7).
//!
//! An incident begins when a tier fires and ends when none does. Tiers escalate and de-escalate inside it, so one outage is
//! one incident, however many windows notice it. While too little is seen nothing clears: silence is not recovery (B8).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::number;
use crate::sentence::{amount, at_which};
use crate::slo::{Alert, BudgetingMethod, Evaluation, Tier, TierState};
use crate::time::Timestamp;

/// One step of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A tier began to fire.
    Opened,
    /// A more urgent tier fires.
    Escalated,
    /// Only a less urgent tier still fires.
    Deescalated,
    /// Too little is seen to go on judging.
    Unmeasured,
    /// Enough is seen again.
    Measured,
    /// No tier fires any more, or the SLO is gone.
    Closed,
    /// Somebody has taken it on.
    Acknowledged,
    /// Somebody wrote something down.
    Noted,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] =
        [Self::Opened, Self::Escalated, Self::Deescalated, Self::Unmeasured, Self::Measured, Self::Closed, Self::Acknowledged, Self::Noted];

    /// The word in JSON, in the database and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Deescalated => "deescalated",
            Self::Unmeasured => "unmeasured",
            Self::Measured => "measured",
            Self::Closed => "closed",
            Self::Acknowledged => "acknowledged",
            Self::Noted => "noted",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or_else(|| format!("no step of an incident is called {text:?}"))
    }
}

/// What of an open incident the next verdict depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The most urgent tier that fired at the last verdict.
    pub tier: Tier,
    /// Whether enough was seen at the last verdict.
    pub is_measured: bool,
}

/// What a verdict changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The step.
    pub step: Step,
    /// The tier from now on; the last one when it closes.
    pub tier: Tier,
    /// Why, in plain words.
    pub reason: String,
}

/// What an evaluation changes about an SLO's incident, or begins; `None` when nothing. The same evaluation after its own
/// verdict changes nothing more, unless measuring and escalating come together.
pub fn judge(open: Option<Standing>, evaluation: &Evaluation) -> Option<Verdict> {
    let firing = evaluation.tiers.iter().find(|state| state.alert == Alert::Critical && Some(state.rule.tier) == evaluation.tier);
    let verdict = |step, tier, reason| Some(Verdict { step, tier, reason });
    match (open, firing) {
        (None, Some(state)) => verdict(Step::Opened, state.rule.tier, burning(state, evaluation.budgeting_method)),
        (None, None) => None,
        (Some(open), None) if evaluation.alert == Alert::Unmeasured => {
            let reason = || "too little is heard of its source to say whether it goes on".to_owned();
            open.is_measured.then(|| Verdict { step: Step::Unmeasured, tier: open.tier, reason: reason() })
        }
        (Some(open), None) => verdict(Step::Closed, open.tier, cleared(evaluation)),
        (Some(open), Some(state)) => {
            let now = state.rule.tier;
            if now == open.tier {
                let again =
                    (!open.is_measured).then(|| format!("its source is heard again: {}", burning(state, evaluation.budgeting_method)));
                return again.map(|reason| Verdict { step: Step::Measured, tier: now, reason });
            }
            verdict(
                if is_more_urgent(now, open.tier) { Step::Escalated } else { Step::Deescalated },
                now,
                burning(state, evaluation.budgeting_method),
            )
        }
    }
}

/// Whether a tier is more urgent than another.
pub fn is_more_urgent(one: Tier, other: Tier) -> bool {
    one == Tier::Page && other == Tier::Ticket
}

fn burning(state: &TierState, method: BudgetingMethod) -> String {
    let rule = state.rule;
    let window = |minutes: u32| number::long_duration(f64::from(minutes) * 60.0);
    let burn = |burn: Option<f64>| burn.map_or_else(|| "–".to_owned(), number::burn);
    format!(
        "{} {} in {} ({} fire), {} in {} ({} fire): it burns at {}, allowed is {}",
        amount(state.long_bad),
        method.spent_by(),
        window(rule.long_minutes),
        at_which(state.long_threshold, method),
        amount(state.short_bad),
        window(rule.short_minutes),
        at_which(state.short_threshold, method),
        burn(state.long_burn),
        number::burn(rule.burn_rate)
    )
}

fn cleared(evaluation: &Evaluation) -> String {
    let left = evaluation.budget.remaining_ratio.map(number::budget_percent);
    let left = left.map_or_else(String::new, |left| format!("; {left} of the budget is left"));
    format!("no pair of windows is above its threshold any more{left}")
}

/// One thing that happened to an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// The tier from then on.
    pub tier: Tier,
    /// Why, or what somebody wrote.
    pub reason: String,
    /// Who, if it was a person.
    pub author: Option<String>,
}

/// An incident with its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// The SLO that it is about.
    pub slo: String,
    /// What people called the SLO when it began: its title, or its name.
    pub title: String,
    /// The SLO's service.
    pub service: String,
    /// When its first tier fired.
    pub opened_at: Timestamp,
    /// When it ended; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// The most urgent tier that fires now, or fired last.
    pub tier: Tier,
    /// The most urgent tier that ever fired in it.
    pub worst_tier: Tier,
    /// Whether enough is seen to judge it.
    pub is_measured: bool,
    /// Who took it on first.
    pub acknowledged_by: Option<String>,
    /// What happened, oldest first; empty in lists.
    pub changes: Vec<Change>,
}

impl Incident {
    /// Nanoseconds from its beginning to its end, or to `now`.
    pub fn duration_nanos(&self, now: Timestamp) -> i64 {
        self.closed_at.unwrap_or(now).since(self.opened_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::{BudgetingMethod, Counts, Hour, Ledger, Objective, Period, Target, TimeWindow, Window, evaluate};
    use crate::time::Minute;

    const FIRST: Minute = Minute(29_000_040);

    fn objective() -> Objective {
        Objective {
            name: "checkout-availability".to_owned(),
            display_name: None,
            service: "checkout".to_owned(),
            description: String::new(),
            target: Target::new(0.999).expect("a target"),
            window: TimeWindow::days(30),
            budgeting_method: BudgetingMethod::Occurrences,
            expected_gap_minutes: None,
            alerting: crate::slo::Alerting::default(),
        }
    }

    /// 1,000 events a minute; `bad` says how many of a minute fail, and `None` that nothing is heard.
    fn verdicts(minutes: i32, events: impl Fn(i32) -> Option<u64>) -> Vec<(i32, Step, Tier)> {
        let rows: Vec<(Minute, Counts)> =
            (0..minutes).filter_map(|minute| Some((FIRST.plus(minute), Counts { good: 1_000 - events(minute)?, total: 1_000 }))).collect();
        let (mut open, mut told) = (None, Vec::new());
        for minute in 3 * 1_440..minutes {
            let now = FIRST.plus(minute);
            let known: Vec<_> = rows.iter().copied().filter(|(at, _)| *at <= now).collect();
            let hours =
                known.iter().map(|(at, counts)| Hour { hour: at.hour(), counts: *counts, seen: 1 << at.0.rem_euclid(60) }).collect();
            let evaluation = evaluate(&objective(), &Ledger::new(hours, known, false), Period::rolling(Window::days(30), now), now);
            let Some(verdict) = judge(open, &evaluation) else { continue };
            assert!(!verdict.reason.is_empty());
            open = (verdict.step != Step::Closed).then_some(Standing { tier: verdict.tier, is_measured: verdict.step != Step::Unmeasured });
            assert!(judge(open, &evaluation).is_none() || verdict.step == Step::Closed, "told once");
            told.push((minute - 3 * 1_440, verdict.step, verdict.tier));
        }
        told
    }

    /// Half of the events fail for thirty minutes, after three quiet days.
    #[test]
    fn an_outage_is_one_incident_that_pages_and_fades() {
        let told = verdicts(3 * 1_440 + 500, |minute| Some(if (4_330..4_360).contains(&minute) { 500 } else { 0 }));
        let steps: Vec<_> = told.iter().map(|(_, step, tier)| (*step, *tier)).collect();
        assert_eq!(steps.first(), Some(&(Step::Opened, Tier::Page)), "{told:?}");
        assert_eq!(steps.last().map(|(step, _)| *step), Some(Step::Closed), "{told:?}");
        assert!(steps.contains(&(Step::Deescalated, Tier::Ticket)), "{told:?}");
        assert_eq!(steps.iter().filter(|(step, _)| *step == Step::Opened).count(), 1, "{told:?}");
    }

    #[test]
    fn silence_closes_nothing() {
        let told = verdicts(3 * 1_440 + 450, |minute| match minute {
            4_330..4_360 => Some(500),
            4_360.. => None,
            _ => Some(0),
        });
        assert!(told.iter().all(|(_, step, _)| *step != Step::Closed), "{told:?}");
        assert_eq!(told.last().map(|(_, step, _)| *step), Some(Step::Unmeasured), "{told:?}");
    }

    #[test]
    fn steps_come_back_from_their_words() {
        for step in Step::ALL {
            assert_eq!(step.as_str().parse(), Ok(step));
        }
        assert!("begun".parse::<Step>().is_err());
    }
}
