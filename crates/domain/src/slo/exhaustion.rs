//! When an error budget will be gone (requirement B9): from what is left of it, at the burn rate of the last hour, with a
//! range that shows how steady that rate is.
//!
//! The range is a bootstrap: the last six hours' five-minute burn rates are drawn again with replacement a thousand times,
//! each draw's mean gives one time to exhaustion, and the 10th and 90th percentile of these are told. The draws are seeded
//! with the minute, so the same ledger at the same minute gives the same range everywhere.

use super::account::Account;
use super::{Budget, Exhaustion, Objective, Period, Window, burn_rate};
use crate::time::Minute;

/// The time whose burn rates the range is drawn from.
pub(super) const RECENT: Window = Window { minutes: 360 };
const HOUR: Window = Window { minutes: 60 };
const SLOT: Window = Window { minutes: 5 };
/// An hour's worth of slots with events; fewer say nothing about the spread.
const FEWEST_SLOTS: usize = 12;
const BOOTSTRAPS: usize = 1_000;

/// When `budget`, that of `period`, will be gone; `None` without events, and while something is left and nothing burnt in the
/// last hour. The range takes a thousand draws, for which `with_range` asks.
pub(super) fn exhaustion(
    objective: &Objective,
    account: &Account<'_>,
    budget: &Budget,
    period: Period,
    now: Minute,
    with_range: bool,
) -> Option<Exhaustion> {
    let remaining_ratio = budget.remaining_ratio?;
    if remaining_ratio <= 0.0 {
        return Some(Exhaustion { seconds: 0.0, earliest_seconds: Some(0.0), latest_seconds: Some(0.0), is_before_renewal: true });
    }
    // A burn rate of 1 spends a full budget in exactly one period.
    let seconds_at = |burn: f64| remaining_ratio * period.trailing().seconds() as f64 / burn;
    let burn = burn_rate(account.over(HOUR, now), objective.target).filter(|burn| *burn > 0.0)?;
    let burns = if with_range { recent_burns(objective, account, now) } else { Vec::new() };
    let mut means = if burns.len() < FEWEST_SLOTS { Vec::new() } else { bootstrap_means(&burns, seed(now)) };
    // The faster it burns, the sooner it ends: falling burns are rising times.
    means.sort_unstable_by(|a, b| b.total_cmp(a));
    let percentile = |percent: usize| means.get(BOOTSTRAPS * percent / 100 - 1).map(|burn| seconds_at(*burn)).filter(|s| s.is_finite());
    let seconds = seconds_at(burn);
    let to_renewal = f64::from(period.end().0 - now.0 - 1) * 60.0;
    let is_before_renewal = period.is_rolling || seconds < to_renewal;
    Some(Exhaustion { seconds, earliest_seconds: percentile(10), latest_seconds: percentile(90), is_before_renewal })
}

/// Burn rates of the recent slots that had events, oldest first.
fn recent_burns(objective: &Objective, account: &Account<'_>, now: Minute) -> Vec<f64> {
    let length = objective.budgeting_method.slice_minutes().map_or(SLOT.minutes, |slice| slice.max(SLOT.minutes));
    let slots = (RECENT.minutes / length) as i32;
    let ends = (0..slots).rev().map(|back| now.plus(-back * length as i32));
    ends.filter_map(|end| burn_rate(account.over(Window { minutes: length }, end), objective.target)).collect()
}

fn bootstrap_means(burns: &[f64], mut random: SplitMix64) -> Vec<f64> {
    let count = burns.len();
    (0..BOOTSTRAPS).map(|_| (0..count).map(|_| burns[random.below(count)]).sum::<f64>() / count as f64).collect()
}

fn seed(now: Minute) -> SplitMix64 {
    SplitMix64(u64::from(now.0.cast_unsigned()))
}

/// Steele, Lea and Flood's generator ("Fast splittable pseudorandom number generators", 2014): 64 bits of state, and good
/// from any seed.
struct SplitMix64(u64);

impl SplitMix64 {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `bound`, by the high half of a product: no division, and a bias under bound ÷ 2⁶⁴.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}
