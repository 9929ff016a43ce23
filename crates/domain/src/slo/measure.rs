//! What a budget is counted in (OpenSLO `budgetingMethod`): events, or slices of time that went well or badly.
//!
//! Slices stand side by side from the epoch on, or from the beginning of a calendar's period. A slice is judged when it is
//! over. One without events is a good one as long as its source was alive, and none at all otherwise.

use super::coverage::Lifetime;
use super::{BudgetingMethod, Counts, Ledger, Period, Window};
use crate::time::Minute;

/// What rounding can make of a slice's ratio; one that reaches its target exactly is good.
const ROUNDING: f64 = 1e-12;
const MINUTES_PER_HOUR: i32 = 60;

/// How much was counted, and how much of it was bad: whole events, whole slices, or shares of slices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// What was bad.
    pub bad: f64,
    /// All of it.
    pub total: f64,
}

impl From<Counts> for Amount {
    fn from(counts: Counts) -> Self {
        Self { bad: counts.bad() as f64, total: counts.total as f64 }
    }
}

/// The counts of one SLI in the unit of its budget.
pub(super) enum Measure<'l> {
    Events(&'l Ledger),
    Slices(Slices),
}

impl<'l> Measure<'l> {
    /// Counts up to the running minute `now`.
    pub(super) fn new(method: BudgetingMethod, ledger: &'l Ledger, lifetime: &Lifetime, period: Period, now: Minute) -> Self {
        match method.slice_minutes() {
            None => Self::Events(ledger),
            Some(minutes) => Self::Slices(Slices::new(method, minutes, ledger, lifetime, period.slices_from(), now)),
        }
    }

    /// The minutes from `from` to `to`, both included; of slices those that lie wholly within.
    pub(super) fn sum(&self, from: Minute, to: Minute) -> Amount {
        match self {
            Self::Events(ledger) => ledger.sum(from, to).into(),
            Self::Slices(slices) => slices.between(slices.first_from(from), slices.ended_by(to)),
        }
    }

    /// The window that ends with `now`; of slices the last ones that are over, one at least.
    pub(super) fn over(&self, window: Window, now: Minute) -> Amount {
        let (from, to) = self.bounds(window, now);
        self.sum(from, to)
    }

    /// First and last minute of what [`Measure::over`] looks at.
    pub(super) fn bounds(&self, window: Window, now: Minute) -> (Minute, Minute) {
        match self {
            Self::Events(_) => (window.first_minute(now), now),
            Self::Slices(slices) => {
                let end = slices.ended_by(now);
                let count = (i32::try_from(window.minutes).unwrap_or(i32::MAX) / slices.minutes).max(1);
                (slices.begin(end.saturating_sub(count)), slices.begin(end).plus(-1))
            }
        }
    }
}

/// Slices of time by their number from `origin` on.
pub(super) struct Slices {
    minutes: i32,
    origin: Minute,
    /// The first slice that is not over.
    running: i32,
    /// Slices with something bad, in order.
    bad: Vec<i32>,
    /// How much was bad in all slices before the one of the same index; one longer than `bad`.
    before_bad: Vec<f64>,
    /// Runs of slices in which the source was alive, in order: the first, the one after the last, slices in runs before.
    alive: Vec<(i32, i32, i32)>,
}

impl Slices {
    fn new(method: BudgetingMethod, minutes: u32, ledger: &Ledger, lifetime: &Lifetime, origin: Minute, now: Minute) -> Self {
        let minutes = i32::try_from(minutes).unwrap_or(i32::MAX).max(1);
        let number = |minute: Minute| (minute.0 - origin.0).div_euclid(minutes);
        let mut slices = Self { minutes, origin, running: number(now), bad: Vec::new(), before_bad: vec![0.0], alive: Vec::new() };
        let mut rows = ledger.rows(is_by_hour(minutes, origin)).map(|(minute, counts)| (number(minute), counts)).peekable();
        while let Some((slice, mut counts)) = rows.next() {
            while let Some((_, more)) = rows.next_if(|next| next.0 == slice) {
                counts += more;
            }
            let lost = method.lost(counts);
            if slice < slices.running && lost > 0.0 {
                slices.bad.push(slice);
                slices.before_bad.push(slices.before_bad.last().copied().unwrap_or(0.0) + lost);
            }
        }
        for (from, to) in lifetime.stretches() {
            let end = (number(to) + 1).min(slices.running);
            match slices.alive.last_mut() {
                Some(last) if number(from) <= last.1 => last.1 = last.1.max(end),
                _ if number(from) < end => slices.alive.push((number(from), end, 0)),
                _ => {}
            }
        }
        let mut before = 0;
        for run in &mut slices.alive {
            run.2 = before;
            before += run.1 - run.0;
        }
        slices
    }

    /// The first minute of a slice.
    const fn begin(&self, slice: i32) -> Minute {
        self.origin.plus(slice.saturating_mul(self.minutes))
    }

    /// The first slice that begins at or after a minute.
    const fn first_from(&self, minute: Minute) -> i32 {
        (minute.0 - self.origin.0 + self.minutes - 1).div_euclid(self.minutes)
    }

    /// The first slice that is not over when a minute is.
    fn ended_by(&self, minute: Minute) -> i32 {
        (minute.0.saturating_add(1) - self.origin.0).div_euclid(self.minutes).min(self.running)
    }

    /// Slices from one to before another.
    fn between(&self, from: i32, end: i32) -> Amount {
        if from >= end {
            return Amount::default();
        }
        let place = |slice: i32| self.bad.partition_point(|bad| *bad < slice);
        let total = self.alive_before(end) - self.alive_before(from);
        Amount { bad: self.before_bad[place(end)] - self.before_bad[place(from)], total: f64::from(total) }
    }

    fn alive_before(&self, slice: i32) -> i32 {
        let begun = self.alive.partition_point(|run| run.0 < slice);
        begun.checked_sub(1).and_then(|index| self.alive.get(index)).map_or(0, |(from, end, before)| before + slice.min(*end) - from)
    }
}

/// Whether slices are made of whole hours, for which rows of minutes are not needed.
pub(super) const fn is_by_hour(minutes: i32, origin: Minute) -> bool {
    minutes % MINUTES_PER_HOUR == 0 && origin.0 % MINUTES_PER_HOUR == 0
}

impl BudgetingMethod {
    /// Length of a slice; `None` when events are counted.
    pub const fn slice_minutes(self) -> Option<u32> {
        match self {
            Self::Occurrences | Self::Composite => None,
            Self::Timeslices { minutes, .. } | Self::RatioTimeslices { minutes } => Some(minutes),
        }
    }

    /// How much of a slice with these events is lost, 0–1.
    fn lost(self, counts: Counts) -> f64 {
        if counts.total == 0 {
            return 0.0;
        }
        let bad = counts.bad() as f64 / counts.total as f64;
        match self {
            Self::Timeslices { target, .. } => f64::from(u8::from(1.0 - bad < target - ROUNDING)),
            Self::Occurrences | Self::RatioTimeslices { .. } | Self::Composite => bad,
        }
    }
}
