//! How an SLO alerts: by a preset, or by pairs of windows that its author made. Either way [`Alerting::tiers`] gives the rules
//! that are judged, with every threshold as a burn rate.
//!
//! What an author types comes to a burn rate like this, for an SLO over the window W and a long window L: a share of the
//! budget that is gone after L is share × W ÷ L; "what is left is gone in less than h hours" is remaining ratio × W ÷ h, and so
//! asks for less the less is left. With nothing left every burn is fast enough, and only the floor of bad events holds it back.

use std::fmt;

use super::preset::{self, LeftOutTier, tiers_of};
use super::{Target, Tier, TierRule, Window};

/// One failure is an accident: bad events in the long window under which no tier fires, unless an author says otherwise.
const FEWEST_BAD: u32 = 2;

/// How an SLO alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerting {
    /// Where its pairs of windows come from.
    pub pairs: AlertPairs,
    /// Bad events in the long window under which no tier fires, at least 1.
    pub fewest_bad: u32,
}

/// Where the pairs of an SLO come from.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertPairs {
    /// From the preset whose window is nearest to the SLO's.
    Nearest,
    /// From the preset for this window, scaled to the SLO's.
    Preset(Window),
    /// From its author, most urgent first. None at all: it does not alert.
    Made(Vec<AlertPair>),
}

/// A pair of windows as its author made it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertPair {
    /// How urgent.
    pub tier: Tier,
    /// The long window, minutes; not longer than the SLO's.
    pub long_minutes: u32,
    /// The short window, minutes.
    pub short_minutes: u32,
    /// What both windows must reach.
    pub threshold: Threshold,
}

/// What makes a pair fire, as its author typed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// A burn rate.
    BurnRate(f64),
    /// A share of the budget, gone after the long window, 0–1.
    BudgetShare(f64),
    /// What is left of the budget is gone in less than so many hours.
    HoursLeft(f64),
}

impl Default for Alerting {
    fn default() -> Self {
        Self { pairs: AlertPairs::Nearest, fewest_bad: FEWEST_BAD }
    }
}

impl Alerting {
    /// The tiers of an SLO over `window`, most urgent first, when `remaining_ratio` of its budget is left (`None` without
    /// events). Those of a preset are the ones that fit into the window and that an outage can reach.
    pub fn tiers(&self, window: Window, target: Target, remaining_ratio: Option<f64>) -> Vec<TierRule> {
        match &self.pairs {
            AlertPairs::Nearest => tiers_of(window, window, target),
            AlertPairs::Preset(preset) => tiers_of(*preset, window, target),
            AlertPairs::Made(pairs) => pairs.iter().map(|pair| pair.rule(window, remaining_ratio)).collect(),
        }
    }

    /// The tiers of its preset that it goes without, with the reason for each.
    pub fn left_out(&self, window: Window, target: Target) -> Vec<LeftOutTier> {
        match &self.pairs {
            AlertPairs::Nearest => preset::left_out_of(window, window, target),
            AlertPairs::Preset(preset) => preset::left_out_of(*preset, window, target),
            AlertPairs::Made(_) => Vec::new(),
        }
    }

    /// The long and short windows that its tiers can have.
    pub(super) fn lookbacks(&self, window: Window) -> Vec<Window> {
        let pairs = match &self.pairs {
            AlertPairs::Nearest => return preset::lookbacks(window, window).collect(),
            AlertPairs::Preset(preset) => return preset::lookbacks(*preset, window).collect(),
            AlertPairs::Made(pairs) => pairs,
        };
        pairs.iter().flat_map(|pair| [pair.long_minutes, pair.short_minutes]).map(|minutes| Window { minutes }).collect()
    }
}

impl AlertPair {
    /// Its rule for an SLO over `window`.
    pub fn rule(&self, window: Window, remaining_ratio: Option<f64>) -> TierRule {
        let (whole, long) = (f64::from(window.minutes), f64::from(self.long_minutes));
        let burn_rate = match self.threshold {
            Threshold::BurnRate(rate) => rate,
            Threshold::BudgetShare(share) => share * whole / long,
            Threshold::HoursLeft(hours) => remaining_ratio.unwrap_or(1.0).max(0.0) * whole / 60.0 / hours,
        };
        TierRule {
            tier: self.tier,
            long_minutes: self.long_minutes,
            short_minutes: self.short_minutes,
            burn_rate,
            budget_share: burn_rate * long / whole,
        }
    }

    /// The burn rate of a total outage, where not even that reaches this pair. One that looks at the hours left becomes
    /// reachable as the budget goes.
    pub fn out_of_reach(&self, window: Window, target: Target) -> Option<f64> {
        let highest = 1.0 / target.budget_ratio();
        let is_fixed = !matches!(self.threshold, Threshold::HoursLeft(_));
        (is_fixed && self.rule(window, None).burn_rate > highest * (1.0 + f64::EPSILON)).then_some(highest)
    }
}

/// Whether there is a preset for this window.
pub fn is_preset(window: Window) -> bool {
    preset::windows().any(|preset| preset == window)
}

/// As people write it: `page 14.4 over 1h/5m`, `ticket 10% over 3d/6h`, `page 4h left over 1h/5m`.
impl fmt::Display for AlertPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |minutes: u32| Window { minutes };
        write!(f, "{} ", self.tier.as_str())?;
        match self.threshold {
            Threshold::BurnRate(rate) => write!(f, "{rate}")?,
            // By decimal digits: 0.07 × 100 in binary is not the number that is written 7.
            Threshold::BudgetShare(share) => write!(f, "{}%", (share * 1e12).round() / 1e10)?,
            Threshold::HoursLeft(hours) => write!(f, "{} left", word((hours * 60.0).round() as u32))?,
        }
        write!(f, " over {}/{}", word(self.long_minutes), word(self.short_minutes))
    }
}
