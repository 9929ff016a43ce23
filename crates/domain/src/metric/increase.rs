//! What a series rose by from reading to reading, with resets.
//!
//! A cumulative reading lower than the one before counts from zero again, and so does one whose start lies at or after the reading
//! before it (OpenTelemetry data model, "Resets and Gaps"). The first reading of a series counts whole if it says since when it
//! counts and that is known to lie in the time looked at; else it is where counting begins. A point that shows nothing ends what
//! came before.

use super::distribution::Distribution;
use super::{Point, PointValue, Temporality};
use crate::time::Timestamp;

/// What was counted from one instant to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Increase {
    /// After this.
    pub from: Timestamp,
    /// Up to this.
    pub to: Timestamp,
    /// What was counted.
    pub amount: Amount,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// A number.
    Number(f64),
    /// Observations.
    Observations(Distribution),
}

impl Amount {
    /// How many; of a number itself.
    pub fn count(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Observations(distribution) => distribution.count as f64,
        }
    }
}

/// What a series rose by, from its points in order of time. `known_from`: what began before this may have been counted in readings
/// that are not here.
pub fn increases(points: &[Point], temporality: Temporality, known_from: Timestamp) -> Vec<Increase> {
    let mut increases = Vec::new();
    let mut before: Option<&Point> = None;
    for point in points {
        if before.is_some_and(|before| point.time <= before.time) {
            continue;
        }
        let whole_from = match temporality {
            // Without a start it counts from the reading before, or was made at once.
            Temporality::Delta => Some(point.start.or_else(|| before.map(|before| before.time)).unwrap_or(point.time)),
            _ => match (before, point.start) {
                (None, Some(start)) => (start >= known_from).then_some(start),
                (None, None) => None,
                (Some(before), Some(start)) if start >= before.time => Some(start),
                (Some(before), _) => {
                    (!matches!(before.value, PointValue::Nothing) && difference(point, before).is_none()).then_some(before.time)
                }
            },
        };
        let increase = match whole_from {
            Some(from) => whole(point).map(|amount| (from, amount)),
            None => before.and_then(|before| Some((before.time, difference(point, before)?))),
        };
        increases.extend(increase.map(|(from, amount)| Increase { from: from.min(point.time), to: point.time, amount }));
        before = Some(point);
    }
    increases
}

fn whole(point: &Point) -> Option<Amount> {
    Some(match &point.value {
        PointValue::Nothing => return None,
        PointValue::Int(number) => Amount::Number(*number as f64),
        PointValue::Double(number) => Amount::Number(*number),
        PointValue::Histogram(histogram) => Amount::Observations(histogram.into()),
        PointValue::Exponential(histogram) => Amount::Observations(histogram.as_ref().into()),
        PointValue::Summary(summary) => {
            Amount::Observations(Distribution { count: summary.count, sum: Some(summary.sum), buckets: Vec::new() })
        }
    })
}

/// What a cumulative reading shows more than the one before; `None` if it counts from anew, or is of another form.
fn difference(now: &Point, then: &Point) -> Option<Amount> {
    let number = |rise: f64| (rise >= 0.0).then_some(Amount::Number(rise));
    match (&now.value, &then.value) {
        // As integers: large counters would lose small rises as floats.
        (PointValue::Int(now), PointValue::Int(then)) => now.checked_sub(*then).and_then(|rise| number(rise as f64)),
        (PointValue::Histogram(now), PointValue::Histogram(then)) => now.since(then).map(|rise| Amount::Observations((&rise).into())),
        (PointValue::Exponential(now), PointValue::Exponential(then)) => now.since(then).map(|rise| Amount::Observations((&rise).into())),
        (PointValue::Summary(now), PointValue::Summary(then)) => {
            let count = now.count.checked_sub(then.count)?;
            Some(Amount::Observations(Distribution { count, sum: Some(now.sum - then.sum), buckets: Vec::new() }))
        }
        (now, then) => number(now.number()? - then.number()?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn point(start: Option<i64>, time: i64, value: PointValue) -> Point {
        let name = std::sync::Arc::<str>::from("n");
        Point { series: 1, metric: name.clone(), service: name, start: start.map(at), time: at(time), value, exemplars: Vec::new() }
    }

    fn rises(temporality: Temporality, known_from: i64, points: &[(Option<i64>, i64, i64)]) -> Vec<(i64, i64, f64)> {
        let points: Vec<Point> = points.iter().map(|(start, time, value)| point(*start, *time, PointValue::Int(*value))).collect();
        let told = |rise: Increase| (rise.from.seconds(), rise.to.seconds(), rise.amount.count());
        increases(&points, temporality, at(known_from)).into_iter().map(told).collect()
    }

    #[test]
    fn c1_a_counter_rises_from_reading_to_reading_and_begins_at_zero_after_a_reset() {
        let cumulative = |points: &[_]| rises(Temporality::Cumulative, 100, points);
        assert_eq!(cumulative(&[(None, 110, 5), (None, 120, 9), (None, 130, 2)]), [(110, 120, 4.0), (120, 130, 2.0)]);
        // A restart may already have counted more than before: its start tells.
        assert_eq!(cumulative(&[(Some(50), 110, 5), (Some(112), 120, 9)]), [(112, 120, 9.0)]);
        // A series that began in the time looked at counts whole, an older one from its first reading.
        assert_eq!(cumulative(&[(Some(105), 110, 5)]), [(105, 110, 5.0)]);
        assert_eq!(cumulative(&[(Some(50), 110, 5)]), []);
        // The same reading twice, and one that comes late, count nothing.
        assert_eq!(cumulative(&[(Some(50), 110, 5), (Some(50), 110, 5), (Some(50), 120, 6)]), [(110, 120, 1.0)]);
    }

    #[test]
    fn c1_deltas_count_as_they_are() {
        let points = [(Some(90), 110, 5), (None, 120, 0), (None, 130, 3)];
        assert_eq!(rises(Temporality::Delta, 100, &points), [(90, 110, 5.0), (110, 120, 0.0), (120, 130, 3.0)]);
    }

    #[test]
    fn c1_a_series_that_ended_begins_anew_with_the_next_reading() {
        let points = [
            point(None, 110, PointValue::Int(5)),
            point(None, 120, PointValue::Nothing),
            point(None, 130, PointValue::Int(9)),
            point(None, 140, PointValue::Int(10)),
        ];
        let rises = increases(&points, Temporality::Cumulative, at(100));
        assert_eq!(rises, [Increase { from: at(130), to: at(140), amount: Amount::Number(1.0) }]);
    }

    proptest! {
        /// What is counted never depends on how often a counter was read.
        #[test]
        fn c1_leaving_readings_out_changes_no_sum(steps in prop::collection::vec((1_i64..60, 0_i64..1_000, any::<bool>()), 1..40)) {
            let (mut time, mut value) = (0, 0);
            let mut all = vec![(Some(0), 0, 0)];
            let mut few = vec![(Some(0), 0, 0)];
            for (seconds, rise, is_read) in steps {
                time += seconds;
                value += rise;
                all.push((Some(0), time, value));
                if is_read {
                    few.push((Some(0), time, value));
                }
            }
            few.push((Some(0), time + 1, value));
            all.push((Some(0), time + 1, value));
            let sum = |points: &[_]| rises(Temporality::Cumulative, 1, points).iter().map(|(.., rise)| rise).sum::<f64>();
            prop_assert!((sum(&all) - value as f64).abs() < 0.5);
            prop_assert!((sum(&few) - value as f64).abs() < 0.5);
        }
    }
}
