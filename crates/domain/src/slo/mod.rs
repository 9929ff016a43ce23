//! Service level objectives: what was promised, what was kept, how fast the error budget burns.
//!
//! Counts of good and of all events come from rollups ([`Ledger`]); [`evaluate()`] turns them, at a given minute, into an
//! [`Evaluation`]: SLI, budget, burn rates, tiers, coverage, time to exhaustion and alert state. It is the only place
//! where a burn rate is computed. Same ledger and same minute, same result.

mod account;
mod alerting;
mod composite;
mod coverage;
mod evaluate;
mod exclusion;
mod exhaustion;
mod group;
mod ledger;
mod lint;
mod measure;
mod preset;
mod series;
#[cfg(test)]
mod tests;
mod window;

use std::ops::Index;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

pub use alerting::{AlertPair, AlertPairs, Alerting, Threshold, is_preset};
pub use composite::{Basis, Part, PartState, WhenDelayed};
pub use evaluate::{burn_rate, evaluate, evaluate_briefly};
pub use exclusion::{Exclusion, ExclusionEffect, ExclusionScope, hours_excluded_in_part, united};
pub use group::{
    DEFAULT_CAP, HIGHEST_CAP, LONGEST_VALUE, NONE, OTHER, group_name, group_of, split_group, too_many_groups, too_many_values,
};
pub use ledger::{Counts, Hour, Ledger};
pub use lint::{Lint, LintKind, unreachable_tiers};
pub use measure::Amount;
pub use preset::{LeftOutReason, LeftOutTier, left_out_tiers, tiers_for};
pub use series::{SeriesPoint, hourly_burn_rates, series, series_first_hour, series_hours_needing_minutes};
pub use window::{CalendarUnit, CalendarWindow, Period, TimeWindow, Window};

use crate::time::Timestamp;

/// Burn-rate windows that every SLO reports, in minutes, with the names they have in JSON and on pages. The SLO's own
/// window is reported beside them as `window`.
pub const BURN_WINDOWS: [(&str, u32); 7] = [("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360), ("24h", 1_440), ("3d", 4_320)];

/// Share of minutes in which a source must have been alive for a verdict to count as measured.
pub const MEASURED_COVERAGE: f64 = 0.9;

/// A promise: at least `target` of the events in `window` are good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Unique name (RFC 1123, with `:part` when one of several objectives of a document).
    pub name: String,
    /// Name for people, if one was given.
    pub display_name: Option<String>,
    /// Service it is about.
    pub service: String,
    /// What it promises, in words.
    pub description: String,
    /// Promised share of good events.
    pub target: Target,
    /// Over which time.
    pub window: TimeWindow,
    /// How the budget is counted.
    pub budgeting_method: BudgetingMethod,
    /// Minutes after a record in which its source counts as alive even if silent, if the author said so
    /// (`slowburn.dev/expected-gap`).
    pub expected_gap_minutes: Option<u32>,
    /// How it alerts. Browsers are told the tiers that come of it.
    #[serde(skip)]
    pub alerting: Alerting,
}

/// A share of good events, more than 0 and less than 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Target(f64);

impl Target {
    /// Takes a ratio.
    ///
    /// # Errors
    /// Not more than 0 and less than 1: a target of 1 leaves no budget, so no burn rate exists.
    pub fn new(ratio: f64) -> Result<Self, TargetError> {
        if ratio > 0.0 && ratio < 1.0 { Ok(Self(ratio)) } else { Err(TargetError(ratio)) }
    }

    /// The ratio, 0–1.
    pub const fn ratio(self) -> f64 {
        self.0
    }

    /// The share of events that may be bad: 1 − target.
    ///
    /// People write targets as decimals of a few places, which binary fractions only approximate, and the subtraction
    /// magnifies the error: 1 − 0.9999999 is off by 6 parts in 10¹⁰. So the difference is taken as the decimal of at most
    /// twelve places that was meant, if there is one within the rounding of the target itself.
    pub fn budget_ratio(self) -> f64 {
        const PLACES: f64 = 1e12;
        let difference = 1.0 - self.0;
        let decimal = (difference * PLACES).round() / PLACES;
        if decimal > 0.0 && (decimal - difference).abs() <= f64::EPSILON { decimal } else { difference }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A target outside (0, 1).
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a target lies between 0 and 1, both excluded; got {0}")]
pub struct TargetError(f64);

/// How a budget is counted (OpenSLO `budgetingMethod`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u8, u32, f64)", into = "(u8, u32, f64)")]
pub enum BudgetingMethod {
    /// Every event weighs the same.
    Occurrences,
    /// Every slice of time weighs the same; it is good when enough of its events are.
    Timeslices {
        /// Length of a slice, whole minutes that divide a day.
        minutes: u32,
        /// Share of good events from which on a slice is good, more than 0, at most 1.
        target: f64,
    },
    /// Every slice of time weighs the same and loses the share of its events that are bad.
    RatioTimeslices {
        /// Length of a slice, whole minutes that divide a day.
        minutes: u32,
    },
    /// Other objectives are counted, each by its weight; the budget is in percent of the whole.
    Composite,
}

/// A short form for browsers, whose decoder of it is small.
impl From<BudgetingMethod> for (u8, u32, f64) {
    fn from(method: BudgetingMethod) -> Self {
        match method {
            BudgetingMethod::Occurrences => (0, 0, 0.0),
            BudgetingMethod::Timeslices { minutes, target } => (1, minutes, target),
            BudgetingMethod::RatioTimeslices { minutes } => (2, minutes, 0.0),
            BudgetingMethod::Composite => (3, 0, 0.0),
        }
    }
}

impl From<(u8, u32, f64)> for BudgetingMethod {
    fn from(short: (u8, u32, f64)) -> Self {
        match short {
            (1, minutes, target) => Self::Timeslices { minutes, target },
            (2, minutes, _) => Self::RatioTimeslices { minutes },
            (3, ..) => Self::Composite,
            _ => Self::Occurrences,
        }
    }
}

impl BudgetingMethod {
    /// OpenSLO's word, which has none for the last.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Occurrences => "Occurrences",
            Self::Timeslices { .. } => "Timeslices",
            Self::RatioTimeslices { .. } => "RatioTimeslices",
            Self::Composite => "Composite",
        }
    }

    /// What its budget is spent by, in the plural.
    pub const fn spent_by(self) -> &'static str {
        match self {
            Self::Occurrences => "bad events",
            Self::Timeslices { .. } => "bad slices",
            Self::RatioTimeslices { .. } => "lost slices",
            Self::Composite => "% bad by weight",
        }
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Someone is called now.
    Page,
    /// Someone looks in working hours.
    Ticket,
}

impl Tier {
    /// The word in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// One pair of windows and the burn rate at which it fires (SRE workbook, chapter 5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierRule {
    /// How urgent.
    pub tier: Tier,
    /// The long window, minutes.
    pub long_minutes: u32,
    /// The short window, minutes: ends the alert soon after the trouble ends.
    pub short_minutes: u32,
    /// Burn rate that both windows must reach.
    pub burn_rate: f64,
    /// Share of the SLO window's budget that this burn rate spends in the long window.
    pub budget_share: f64,
}

/// State of an SLO, or of one of its tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alert {
    /// Neither window above its threshold.
    Healthy,
    /// The short window above, the long one not yet.
    Increasing,
    /// The long window still above, the short one no longer.
    Recovering,
    /// Both windows above: firing.
    Critical,
    /// Too little was seen to say anything.
    Unmeasured,
}

impl Alert {
    /// The word in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Increasing => "increasing",
            Self::Recovering => "recovering",
            Self::Critical => "critical",
            Self::Unmeasured => "unmeasured",
        }
    }

    /// Rank for lists that show the worst first; higher is worse.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Recovering => 1,
            Self::Increasing => 2,
            Self::Unmeasured => 3,
            Self::Critical => 4,
        }
    }
}

/// Error budget of a window, in events, in slices of time or in percent of the whole ([`BudgetingMethod`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// What may be bad: (1 − target) × events or slices in the window. In a period of the calendar those that are to be
    /// expected until its end count as well, at the pace of the time as long as the period that ends now.
    pub total: f64,
    /// What was bad.
    pub consumed: f64,
    /// `total − consumed`; negative when overspent.
    pub remaining: f64,
    /// `remaining ÷ total`; `None` without events or slices.
    pub remaining_ratio: Option<f64>,
}

/// One tier at one minute, with what its verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierState {
    /// The pair and its threshold.
    pub rule: TierRule,
    /// Burn rate over the long window; `None` without events.
    pub long_burn: Option<f64>,
    /// Burn rate over the short window; `None` without events.
    pub short_burn: Option<f64>,
    /// What was bad in the long window: events or slices.
    pub long_bad: f64,
    /// How much of that makes it fire.
    pub long_threshold: f64,
    /// What was bad in the short window: events or slices.
    pub short_bad: f64,
    /// How much of that makes it fire.
    pub short_threshold: f64,
    /// Share of the long window in which the source was alive; `None` before its first record.
    pub coverage: Option<f64>,
    /// Verdict of this pair alone.
    pub alert: Alert,
}

/// When the budget will be gone if it keeps burning as it does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exhaustion {
    /// Seconds from now: remaining ratio × window ÷ burn rate of the last hour; 0 when nothing is left.
    pub seconds: f64,
    /// 10th percentile of the time under resampled burns of the last six hours; `None` when too few are known, or nobody asked.
    pub earliest_seconds: Option<f64>,
    /// 90th percentile of the same.
    pub latest_seconds: Option<f64>,
    /// Whether that is before a period of the calendar ends and the next one's budget begins; true for rolling windows.
    pub is_before_renewal: bool,
}

/// Burn rates by window name; a list, because a map's code would weigh more in browsers than all that it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BurnRates(pub Vec<(String, Option<f64>)>);

impl BurnRates {
    /// The burn rate of a window; `None` without events, or of a window that is not told.
    pub fn of(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(window, _)| window == name).and_then(|(_, rate)| *rate)
    }
}

/// # Panics
/// The window is not told.
impl Index<&str> for BurnRates {
    type Output = Option<f64>;

    fn index(&self, name: &str) -> &Option<f64> {
        let found = self.0.iter().find(|(window, _)| window == name);
        found.map_or_else(|| panic!("no burn rate is told of a window {name}"), |(_, rate)| rate)
    }
}

/// All that is known about one SLO at one minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Good and total events over the SLO's window.
    pub counts: Counts,
    /// Share of good events over the SLO's window; `None` without events.
    pub sli: Option<f64>,
    /// Error budget over the SLO's window.
    pub budget: Budget,
    /// Burn rates by window name ([`BURN_WINDOWS`] and `window`); `None` without events.
    pub burn_rates: BurnRates,
    /// The tiers of its alert preset, most urgent first.
    pub tiers: Vec<TierState>,
    /// State of the SLO.
    pub alert: Alert,
    /// Most urgent tier that fires.
    pub tier: Option<Tier>,
    /// Share of the SLO's window since its first record in which the source was alive; `None` before any record.
    pub coverage: Option<f64>,
    /// When the budget will be gone; `None` while nothing burns.
    pub exhaustion: Option<Exhaustion>,
    /// What the numbers say against the objective.
    pub lints: Vec<Lint>,
    /// What the budget is counted in.
    pub budgeting_method: BudgetingMethod,
    /// When the period of a calendar window ends and the next budget begins; `None` for rolling windows.
    pub renews_at: Option<Timestamp>,
    /// How its parts stand, of a composite objective.
    pub parts: Vec<PartState>,
}
