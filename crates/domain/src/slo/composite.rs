//! Objectives made of others (requirement B4): the SLI is Σ wᵢ·SLIᵢ ÷ Σ wᵢ over the objective's own window.
//!
//! A part is delayed in the minutes in which its source was not alive (requirement B8), and its author says what that time
//! counts as. With a share d of delayed minutes a part's weight falls apart into w·(1−d), which goes with the SLI of its
//! events, and w·d, which goes with 1, with 0, or with nothing. A part without events in a window says nothing about the time
//! in which it was alive.
//!
//! Budgets are in percent of the whole. What a part's bad events in a window R spend of it is their share in all events of
//! that part that the budget's window holds, times the part's weight: so a part that is quiet at night spends little then,
//! whatever its SLI of an hour is, as requirement B6 wants it of every objective.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::{Amount, Counts, Ledger, Objective, Period, Window};
use crate::time::Minute;

/// The unit of a composite budget: percent of the whole.
pub(super) const WHOLE: f64 = 100.0;

/// What the time counts as in which the source of a part was silent too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenDelayed {
    /// As if nothing had been bad.
    Good,
    /// As if everything had been bad.
    Bad,
    /// As nothing: the other parts speak for it, and when too much is missing the objective is unmeasured.
    #[default]
    Ignored,
}

impl WhenDelayed {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Good, Self::Bad, Self::Ignored];

    /// The word in definitions and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Ignored => "ignored",
        }
    }
}

/// What an objective is judged by.
#[derive(Clone, Debug)]
pub enum Basis<'a> {
    /// Events of its own.
    Counts(&'a Ledger),
    /// The SLIs of others.
    Composite(Vec<Part<'a>>),
}

impl<'a> From<&'a Ledger> for Basis<'a> {
    fn from(ledger: &'a Ledger) -> Self {
        Self::Counts(ledger)
    }
}

/// One of several objectives in another.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it is: its budgeting method and its expected gap count here, its target and window do not.
    pub objective: &'a Objective,
    /// How much it counts, more than 0; in relation to the others.
    pub weight: f64,
    /// What time without news of it counts as.
    pub when_delayed: WhenDelayed,
    /// What it is judged by.
    pub basis: Basis<'a>,
}

/// How one part of a composite objective stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartState {
    /// Its name.
    pub slo: String,
    /// Its share in the weights of all parts, 0–1.
    pub weight: f64,
    /// Share of its good events over the composite's window; `None` without events.
    pub sli: Option<f64>,
    /// Share of the minutes of that window since its first record in which it was not delayed; `None` before any record.
    pub coverage: Option<f64>,
    /// What it took of the composite's budget, as a share of the whole budget; more than 1 when it alone overspent it.
    pub spent: f64,
}

/// The parts of one objective with their counts.
pub(super) struct Composite<'a>(Vec<Weighted<'a>>);

struct Weighted<'a> {
    weight: f64,
    when_delayed: WhenDelayed,
    account: Account<'a>,
}

impl<'a> Composite<'a> {
    pub(super) fn new(parts: &'a [Part<'a>], period: Period, since: Minute, now: Minute) -> Self {
        let weighted = |part: &'a Part<'a>| Weighted {
            weight: part.weight,
            when_delayed: part.when_delayed,
            account: Account::new(part.objective, &part.basis, period, since, now),
        };
        Self(parts.iter().map(weighted).collect())
    }

    /// How much was bad of the minutes from `from` to `to`, both included, in percent of the whole.
    pub(super) fn sum(&self, from: Minute, to: Minute) -> Amount {
        self.mean(|part| part.lost(part.account.sum(from, to), from, to))
    }

    /// The same of the window that ends with `now`; of parts that count slices their last ones that are over.
    pub(super) fn over(&self, window: Window, now: Minute) -> Amount {
        self.mean(|part| part.lost(part.account.over(window, now), window.first_minute(now), now))
    }

    fn mean(&self, lost: impl Fn(&Weighted<'a>) -> (f64, f64)) -> Amount {
        let (bad, weight) = self.0.iter().map(lost).fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
        if weight > 0.0 { Amount { bad: WHOLE * bad / weight, total: WHOLE } } else { Amount::default() }
    }

    /// What the window that ends with `now` spends of a budget as long as `period`, in percent of the whole.
    pub(super) fn spent_over(&self, window: Window, period: Period, now: Minute) -> f64 {
        let spends = |part: &Weighted<'_>| {
            let expected = part.account.projected(period, now);
            let share = if expected > 0.0 { part.account.spent_over(window, period, now) / expected } else { 0.0 };
            share + part.bad_minutes(window.first_minute(now), now) / f64::from(period.minutes)
        };
        let weights = self.weights(period, now);
        WHOLE * self.0.iter().zip(weights).map(|(part, weight)| weight * spends(part)).sum::<f64>()
    }

    /// What each part spent of `period` so far, in percent of the whole: of all that came in a rolling one, and of all that is
    /// to be expected until its end in one of the calendar.
    fn consumed_by_part(&self, period: Period, now: Minute) -> Vec<f64> {
        if period.is_rolling {
            let lost: Vec<(f64, f64)> =
                self.0.iter().map(|part| part.lost(part.account.sum(period.first, now), period.first, now)).collect();
            let weight: f64 = lost.iter().map(|(_, weight)| weight).sum();
            return lost.into_iter().map(|(bad, _)| if weight > 0.0 { WHOLE * bad / weight } else { 0.0 }).collect();
        }
        let spends = |part: &Weighted<'_>| {
            let expected = part.account.expected(period, now);
            let share = if expected > 0.0 { part.account.consumed(period, now) / expected } else { 0.0 };
            share + part.bad_minutes(period.first, now) / f64::from(period.minutes)
        };
        self.0.iter().zip(self.weights(period, now)).map(|(part, weight)| WHOLE * weight * spends(part)).collect()
    }

    /// The sum of the same.
    pub(super) fn consumed(&self, period: Period, now: Minute) -> f64 {
        self.consumed_by_part(period, now).iter().sum()
    }

    /// The share of each part in all weights; one whose delays count as nothing weighs less for them.
    fn weights(&self, period: Period, now: Minute) -> Vec<f64> {
        let first = period.trailing().first_minute(now);
        let known = |part: &Weighted<'_>| part.weight * part.known(first, now);
        let weights: Vec<f64> = self.0.iter().map(known).collect();
        let all: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| if all > 0.0 { weight / all } else { 0.0 }).collect()
    }

    /// Good and all events of every part.
    pub(super) fn counts(&self, from: Minute, to: Minute) -> Counts {
        self.0.iter().map(|part| part.account.counts(from, to)).sum()
    }

    /// Bad events of every part in a window; a minute of silence that counts as bad is one.
    pub(super) fn bad_events(&self, window: Window, now: Minute) -> u64 {
        let first = window.first_minute(now);
        self.0.iter().map(|part| part.account.bad_events(window, now) + part.bad_minutes(first, now).round() as u64).sum()
    }

    /// Share of the minutes, by weight, that something is known of; silence that counts as good or bad is known. `None` before
    /// any record of any part.
    pub(super) fn coverage(&self, from: Minute, to: Minute) -> Option<f64> {
        let (mut known, mut all, mut is_seen) = (0.0, 0.0, false);
        for part in &self.0 {
            is_seen |= part.account.coverage(from, to).is_some();
            known += part.weight * part.known(from, to);
            all += part.weight;
        }
        is_seen.then(|| known / all)
    }

    /// How each part stands. `budget` is the whole's, in percent.
    pub(super) fn states(&self, budget: f64, period: Period, now: Minute) -> Vec<PartState> {
        let all: f64 = self.0.iter().map(|part| part.weight).sum();
        let first = period.trailing().first_minute(now);
        let states = self.0.iter().zip(self.consumed_by_part(period, now)).map(|(part, consumed)| {
            let amount = part.account.sum(period.first, now);
            PartState {
                slo: part.account.name().to_owned(),
                weight: part.weight / all,
                sli: (amount.total > 0.0).then(|| 1.0 - amount.bad / amount.total),
                coverage: part.account.coverage(first, now),
                spent: consumed / budget,
            }
        });
        states.collect()
    }
}

impl Weighted<'_> {
    /// Share of the minutes from `from` to `to`, both included, that something is known of; nothing before its first record.
    fn known(&self, from: Minute, to: Minute) -> f64 {
        let coverage = self.account.coverage(from, to);
        match self.when_delayed {
            WhenDelayed::Ignored => coverage.unwrap_or(0.0),
            WhenDelayed::Good | WhenDelayed::Bad => f64::from(u8::from(coverage.is_some())),
        }
    }

    /// How many of these minutes count as bad for being silent. Those before its first record do not.
    fn bad_minutes(&self, from: Minute, to: Minute) -> f64 {
        match self.when_delayed {
            WhenDelayed::Bad => self.account.silent_minutes(from, to),
            WhenDelayed::Good | WhenDelayed::Ignored => 0.0,
        }
    }

    /// The weight that was lost in these minutes, and the weight that could have been, when `amount` came in them.
    fn lost(&self, amount: Amount, from: Minute, to: Minute) -> (f64, f64) {
        let Some(coverage) = self.account.coverage(from, to) else { return (0.0, 0.0) };
        let silent = self.weight * (1.0 - coverage);
        let (bad, known) = match self.when_delayed {
            WhenDelayed::Good => (0.0, silent),
            WhenDelayed::Bad => (silent, silent),
            WhenDelayed::Ignored => (0.0, 0.0),
        };
        if amount.total <= 0.0 {
            return (bad, known);
        }
        let alive = self.weight * coverage;
        (bad + alive * amount.bad / amount.total, known + alive)
    }
}
