//! Alert presets: pairs of a long and a short window with the share of the error budget that may burn in the long one
//! before someone is told. They are data; an SLO takes the preset whose window is nearest to its own.
//!
//! A preset states shares of the budget, and the burn rate follows from them: a burn rate of 1 spends the whole budget in
//! the SLO's window, so `share` of it is gone after `long` at the rate share × window ÷ long (SRE Workbook, chapter 5,
//! "Alert on burn rate"). For 30 days and 2 % in an hour that is 0.02 × 720 h ÷ 1 h = 14.4.

use std::fmt;

use super::{Target, Tier, TierRule, Window};
use crate::number;

/// The pairs for one length of window.
struct Preset {
    window: Window,
    pairs: &'static [Pair],
}

struct Pair {
    tier: Tier,
    long_minutes: u32,
    short_minutes: u32,
    /// Percent of the budget spent in the long window when the pair fires.
    percent: u32,
}

const fn pair(tier: Tier, long_minutes: u32, short_minutes: u32, percent: u32) -> Pair {
    Pair { tier, long_minutes, short_minutes, percent }
}

/// SRE Workbook, Table 5-8, and the 24 h pair of the same chapter's example rules: 14.4, 6, 3 and 1 over 30 days.
const MONTH: &[Pair] =
    &[pair(Tier::Page, 60, 5, 2), pair(Tier::Page, 360, 30, 5), pair(Tier::Ticket, 1_440, 120, 10), pair(Tier::Ticket, 4_320, 360, 10)];

/// 16.8, 5.6 and 2.8 over 7 days.
const WEEK: &[Pair] = &[pair(Tier::Page, 60, 5, 10), pair(Tier::Page, 360, 30, 20), pair(Tier::Ticket, 1_440, 120, 40)];

/// 21.6, 10.8 and 4.5 over 90 days.
const QUARTER: &[Pair] = &[pair(Tier::Page, 60, 5, 1), pair(Tier::Page, 360, 30, 3), pair(Tier::Ticket, 1_440, 120, 5)];

const PRESETS: [Preset; 4] = [
    Preset { window: Window::days(7), pairs: WEEK },
    Preset { window: Window::days(28), pairs: MONTH },
    Preset { window: Window::days(30), pairs: MONTH },
    Preset { window: Window::days(90), pairs: QUARTER },
];

/// For windows shorter than any pair's long window: the whole window, paging when its budget is spent.
const WINDOW_TO_SHORT: u32 = 12;

/// The tiers of an SLO, most urgent first: those of the nearest preset that fit into the window and that an outage can
/// reach. Empty when there is none, for which [`left_out_tiers`] tells the reasons.
pub fn tiers_for(window: Window, target: Target) -> Vec<TierRule> {
    tiers_of(window, window, target)
}

/// The same of the preset nearest to the window `preset`, scaled to the SLO's.
pub(super) fn tiers_of(preset: Window, window: Window, target: Target) -> Vec<TierRule> {
    candidates(preset, window).filter(|rule| reason_against(*rule, window, target).is_none()).collect()
}

/// The tiers of the nearest preset that an SLO goes without, with the reason for each.
pub fn left_out_tiers(window: Window, target: Target) -> Vec<LeftOutTier> {
    left_out_of(window, window, target)
}

/// The same of the preset nearest to the window `preset`.
pub(super) fn left_out_of(preset: Window, window: Window, target: Target) -> Vec<LeftOutTier> {
    candidates(preset, window).filter_map(|rule| reason_against(rule, window, target).map(|reason| LeftOutTier { rule, reason })).collect()
}

/// A tier of a preset that does not suit an SLO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOutTier {
    /// The tier as the preset has it, scaled to the SLO's window.
    pub rule: TierRule,
    /// Why it is left out.
    pub reason: LeftOutReason,
}

/// Why a tier does not suit an SLO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LeftOutReason {
    /// Its long window is longer than the SLO's.
    LongerThanWindow,
    /// Not even an outage of everything burns as fast.
    Unreachable {
        /// The burn rate when every event is bad: 1 ÷ (1 − target).
        highest: f64,
    },
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongerThanWindow => f.write_str("its long window is longer than the SLO's window"),
            Self::Unreachable { highest } => write!(f, "a total outage burns at {}, never faster", number::burn(*highest)),
        }
    }
}

impl TierRule {
    /// Seconds until the long window of a steadily used service reaches the threshold when `error_ratio` (0–1) of its
    /// events are bad from now on; infinite without errors. (1 − target) ÷ error ratio × long × burn rate, from the
    /// workbook.
    pub fn detection_seconds(&self, target: Target, error_ratio: f64) -> f64 {
        target.budget_ratio() / error_ratio * f64::from(self.long_minutes) * 60.0 * self.burn_rate
    }
}

/// The windows that there are presets for.
pub(super) fn windows() -> impl Iterator<Item = Window> {
    PRESETS.iter().map(|preset| preset.window)
}

/// The long and short windows that the tiers of an SLO over `window` can have, with the preset nearest to `preset`.
pub(super) fn lookbacks(preset: Window, window: Window) -> impl Iterator<Item = Window> {
    let fitting = candidates(preset, window).filter(move |rule| rule.long_minutes <= window.minutes);
    fitting.flat_map(|rule| [rule.long_minutes, rule.short_minutes]).map(|minutes| Window { minutes })
}

/// The tiers of the preset nearest to `preset`, scaled to `window`. Exactly between two presets the longer one is taken.
fn candidates(preset: Window, window: Window) -> impl Iterator<Item = TierRule> {
    let distance = |other: &Preset| (other.window.minutes.abs_diff(preset.minutes), std::cmp::Reverse(other.window.minutes));
    let pairs = PRESETS.iter().min_by_key(|preset| distance(preset)).map_or(MONTH, |preset| preset.pairs);
    let whole_window = pairs.iter().all(|pair| pair.long_minutes > window.minutes).then(|| TierRule {
        tier: Tier::Page,
        long_minutes: window.minutes,
        short_minutes: (window.minutes / WINDOW_TO_SHORT).max(1),
        burn_rate: 1.0,
        budget_share: 1.0,
    });
    whole_window.into_iter().chain(pairs.iter().map(move |pair| scaled(pair, window)))
}

/// A burn rate under 1 would alert while the promise is being kept, so it becomes 1 and the share grows with it.
fn scaled(pair: &Pair, window: Window) -> TierRule {
    let (window, long) = (f64::from(window.minutes), f64::from(pair.long_minutes));
    let burn_rate = (f64::from(pair.percent) * window / (100.0 * long)).max(1.0);
    TierRule {
        tier: pair.tier,
        long_minutes: pair.long_minutes,
        short_minutes: pair.short_minutes,
        burn_rate,
        budget_share: burn_rate * long / window,
    }
}

fn reason_against(rule: TierRule, window: Window, target: Target) -> Option<LeftOutReason> {
    let highest = 1.0 / target.budget_ratio();
    if rule.long_minutes > window.minutes {
        Some(LeftOutReason::LongerThanWindow)
    } else if rule.burn_rate > highest * (1.0 + f64::EPSILON) {
        Some(LeftOutReason::Unreachable { highest })
    } else {
        None
    }
}
