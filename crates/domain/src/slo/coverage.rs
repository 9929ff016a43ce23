//! When the source of an SLI was alive (requirement B8), because no news is not good news.
//!
//! A source is alive in the minute of a record and for as many minutes after it as its silences usually last. Coverage is
//! the share of minutes, since the first record ever, in which it was. The running minute is not held against it: its
//! record may still come.

use super::{Ledger, Window};
use crate::time::Minute;

/// Minutes of silence that everyone is granted.
const SHORTEST_SILENCE: i32 = 5;
/// How many of its usual silences a source may miss before it counts as gone.
const USUAL_SILENCES: i32 = 3;
/// The time over which usual silences are looked at.
const HABIT: Window = Window::days(1);

/// The minutes in which a source was alive, up to the running one.
pub(super) struct Lifetime {
    /// Minute of its first record; the beginning of time when that lies before the loaded hours.
    first: Option<Minute>,
    /// In order, with a gap between any two.
    stretches: Vec<Stretch>,
}

/// Consecutive minutes of being alive.
struct Stretch {
    from: Minute,
    to: Minute,
    /// Minutes in the stretches before.
    before: u32,
}

impl Lifetime {
    /// The life of the source behind `ledger` from minute `since` to the running minute `now`. The author may expect
    /// silences of `expected_gap` minutes.
    pub(super) fn new(ledger: &Ledger, expected_gap: Option<u32>, since: Minute, now: Minute) -> Self {
        let silence = silence_allowed(ledger, expected_gap, now);
        let first = if ledger.seen_before() { Some(Minute(i32::MIN)) } else { ledger.first_seen(Minute(i32::MIN), now) };
        let mut stretches: Vec<Stretch> = Vec::new();
        for (from, last) in ledger.seen(since.plus(-silence).plus(-1), now) {
            let to = last.plus(silence).min(now);
            match stretches.last_mut() {
                Some(stretch) if from <= stretch.to.plus(1) => stretch.to = to,
                _ => stretches.push(Stretch { from, to, before: 0 }),
            }
        }
        if let Some(stretch) = stretches.last_mut().filter(|stretch| stretch.to.plus(1) == now) {
            stretch.to = now;
        }
        let mut before = 0;
        for stretch in &mut stretches {
            stretch.before = before;
            before += minutes_between(stretch.from, stretch.to);
        }
        Self { first, stretches }
    }

    /// Minutes alive from `from` to `to`, both included.
    pub(super) fn alive_minutes(&self, from: Minute, to: Minute) -> u32 {
        self.alive_until(to).saturating_sub(self.alive_until(from.plus(-1)))
    }

    /// Share of the minutes from `from` to `to`, both included, in which it was alive, those before its first record left
    /// out; `None` when that is later than `to` or never was.
    pub(super) fn coverage(&self, from: Minute, to: Minute) -> Option<f64> {
        let from = self.first?.max(from);
        (from <= to).then(|| f64::from(self.alive_minutes(from, to)) / f64::from(minutes_between(from, to)))
    }

    /// First and last minute of each stretch of being alive, in order.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (Minute, Minute)> {
        self.stretches.iter().map(|stretch| (stretch.from, stretch.to))
    }

    /// Minute of the first record; the beginning of time when that lies before the loaded hours, `None` before any.
    pub(super) const fn first(&self) -> Option<Minute> {
        self.first
    }

    fn alive_until(&self, minute: Minute) -> u32 {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= minute);
        let last = begun.checked_sub(1).and_then(|index| self.stretches.get(index));
        last.map_or(0, |stretch| stretch.before + minutes_between(stretch.from, stretch.to.min(minute)))
    }
}

/// Minutes after a record in which its source still counts as alive: three times the 99th percentile of the last day's
/// gaps between minutes with records, five at least, or what the author expects if that is more.
fn silence_allowed(ledger: &Ledger, expected_gap: Option<u32>, now: Minute) -> i32 {
    let runs = ledger.seen(HABIT.first_minute(now), now);
    // Within a run a minute follows the other; between runs lie the longer gaps.
    let shortest: usize = runs.iter().map(|(from, to)| (to.0 - from.0) as usize).sum();
    let mut longer: Vec<i32> = runs.windows(2).map(|pair| pair[1].0.0 - pair[0].1.0).collect();
    longer.sort_unstable();
    let rank = ((shortest + longer.len()) * 99).div_ceil(100).checked_sub(1);
    let usual = rank.map_or(0, |rank| rank.checked_sub(shortest).map_or(1, |rank| longer[rank]));
    let expected = expected_gap.map_or(0, |gap| i32::try_from(gap).unwrap_or(i32::MAX));
    SHORTEST_SILENCE.max(USUAL_SILENCES * usual).max(expected)
}

fn minutes_between(from: Minute, to: Minute) -> u32 {
    from.0.abs_diff(to.0) + 1
}
