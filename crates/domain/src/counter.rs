//! Counters as Prometheus has them: numbers that only grow, and begin at zero again when what counts them restarts. What they
//! rose by from sample to sample becomes whole events by the minute.
//!
//! A rise belongs to the minute of its later sample. The first sample of a series is where counting begins, as in Prometheus:
//! nobody knows what it rose by, or since when. A value lower than the one before is a reset, and counts from zero.

use std::collections::BTreeMap;

use crate::slo::Counts;
use crate::time::{Minute, Timestamp};

/// The highest count of one minute that is exact in floating point, as counters are sent.
const MOST: f64 = 9_007_199_254_740_992.0;

/// A counter at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was read.
    pub at: Timestamp,
    /// What it showed.
    pub value: f64,
}

/// What counters rose by in the minutes in which they were read; zero where they stood still.
pub type Rises = BTreeMap<Minute, f64>;

/// Adds what one counter rose by, from its samples in order of time. `before` is what it showed last; without it the first
/// sample counts nothing. Gives what it shows now. What is no number of events is passed over.
pub fn add_rises(before: Option<f64>, samples: &[Sample], rises: &mut Rises) -> Option<f64> {
    let mut last = before;
    for Sample { at, value } in samples.iter().copied().filter(|sample| sample.value.is_finite() && sample.value >= 0.0) {
        let rise = match last {
            None => 0.0,
            Some(last) if value < last => value,
            Some(last) => value - last,
        };
        *rises.entry(at.minute()).or_default() += rise;
        last = Some(value);
    }
    last
}

/// What was counted and is no whole event yet, of each kind less than one.
///
/// Counters may hold fractions, and rollups hold whole events. So what is left over waits here for the next minute, good and bad
/// apart: then good events are never more than all events, and the sum of all minutes is never off by as much as one of each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rest {
    /// Of good events.
    pub good: f64,
    /// Of bad events.
    pub bad: f64,
}

impl Rest {
    /// The whole events of a minute in which all events rose by `total`, and the good ones, or with `is_good` false the bad ones,
    /// by `part`. A part of more than the total counts as the total.
    pub fn count(&mut self, total: f64, part: f64, is_good: bool) -> Counts {
        let part = part.min(total);
        let (good, bad) = if is_good { (part, total - part) } else { (total - part, part) };
        let (good, bad) = (whole(&mut self.good, good), whole(&mut self.bad, bad));
        Counts { good, total: good + bad }
    }
}

/// Takes the whole part of `rest` and `more` together.
fn whole(rest: &mut f64, more: f64) -> u64 {
    let sum = (*rest + more).min(MOST);
    *rest = sum.fract();
    sum.trunc() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rises(before: Option<f64>, samples: &[(i64, f64)]) -> (Vec<(i32, f64)>, Option<f64>) {
        let samples: Vec<Sample> = samples.iter().map(|(at, value)| Sample { at: Timestamp::from_seconds(*at), value: *value }).collect();
        let mut rises = Rises::new();
        let last = add_rises(before, &samples, &mut rises);
        (rises.into_iter().map(|(minute, rise)| (minute.0, rise)).collect(), last)
    }

    #[test]
    fn b2_a_rise_belongs_to_the_minute_of_its_later_sample() {
        assert_eq!(rises(Some(10.0), &[(50, 12.0), (59, 12.0), (60, 15.0), (119, 16.0)]), (vec![(0, 2.0), (1, 4.0)], Some(16.0)));
    }

    #[test]
    fn b2_a_first_sample_is_where_counting_begins() {
        assert_eq!(rises(None, &[(10, 1_000.0), (20, 1_003.0)]), (vec![(0, 3.0)], Some(1_003.0)));
        assert_eq!(rises(None, &[(10, 1_000.0)]), (vec![(0, 0.0)], Some(1_000.0)), "heard of, and nothing counted");
        assert_eq!(rises(None, &[]), (vec![], None));
    }

    #[test]
    fn b2_after_a_reset_the_new_value_counts_from_zero() {
        assert_eq!(rises(Some(10.0), &[(1, 4.0), (2, 6.0), (3, 0.0), (4, 1.0)]), (vec![(0, 7.0)], Some(1.0)));
    }

    #[test]
    fn b2_what_is_no_count_is_passed_over() {
        let samples = [(1, f64::NAN), (2, f64::INFINITY), (3, -4.0), (4, 12.0)];
        assert_eq!(rises(Some(10.0), &samples), (vec![(0, 2.0)], Some(12.0)));
    }

    #[test]
    fn b2_fractions_wait_until_they_are_whole_and_nothing_is_lost() {
        let mut rest = Rest::default();
        let minutes: Vec<Counts> = (0..8).map(|_| rest.count(1.25, 0.5, true)).collect();
        let sum = minutes.iter().fold(Counts::default(), |mut sum, counts| {
            sum += *counts;
            sum
        });
        assert_eq!((sum.good, sum.total, rest), (4, 10, Rest::default()));
        assert!(minutes.iter().all(|counts| counts.good <= counts.total));
    }

    #[test]
    fn b2_more_good_than_all_counts_as_all() {
        let mut rest = Rest::default();
        assert_eq!(rest.count(3.0, 5.0, true), Counts { good: 3, total: 3 });
        assert_eq!(rest.count(3.0, 5.0, false), Counts { good: 0, total: 3 });
        assert_eq!(rest.count(1e300, 0.0, false).total, MOST as u64, "beyond all bounds it stays a number");
    }
}
