//! Many series to one line: what a group of series showed in each step of a range.
//!
//! What was counted between two readings is spread evenly over the time between them, so that a chart does not depend on how readings
//! and steps fall together, and no count is lost or told twice. What was read at an instant holds until the next reading, for
//! [`HOLDS_SECONDS`] at most.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::distribution::{Distribution, quantile};
use super::increase::{Amount, Increase, increases};
use super::{Metric, MetricKind, Point, PointValue};
use crate::time::Timestamp;

/// How long a reading holds when no other comes.
pub const HOLDS_SECONDS: i64 = 300;
const SECOND: f64 = 1e9;

/// What is told of a group of series in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How often a second: the sum of all series.
    Rate,
    /// How often in the step: the sum of all series.
    Increase,
    /// The sum of what the series showed last.
    Sum,
    /// The mean: of observations, or of what the series showed.
    Average,
    /// The least that a series showed.
    Minimum,
    /// The greatest that a series showed.
    Maximum,
    /// What this share of observations, in thousandths, did not exceed. Of summaries the greatest that a sender told.
    Quantile(u16),
}

impl Aggregate {
    /// What a metric is best asked for.
    pub fn of(metric: &Metric) -> Self {
        match metric.kind {
            MetricKind::Gauge => Self::Average,
            MetricKind::Sum => {
                if metric.is_counting() {
                    Self::Rate
                } else {
                    Self::Sum
                }
            }
            MetricKind::Histogram | MetricKind::ExponentialHistogram => Self::Quantile(950),
            MetricKind::Summary => Self::Rate,
        }
    }

    /// What a metric can be asked for, the best first.
    pub fn choices(metric: &Metric) -> Vec<Self> {
        let mut choices = vec![Self::of(metric)];
        let others: &[Self] = match metric.kind {
            MetricKind::Histogram | MetricKind::ExponentialHistogram | MetricKind::Summary => &[
                Self::Quantile(500),
                Self::Quantile(900),
                Self::Quantile(950),
                Self::Quantile(990),
                Self::Average,
                Self::Rate,
                Self::Increase,
            ],
            _ if metric.is_counting() => &[Self::Rate, Self::Increase],
            _ => &[Self::Average, Self::Sum, Self::Minimum, Self::Maximum],
        };
        choices.extend(others.iter().filter(|other| **other != Self::of(metric)));
        choices
    }

    /// Whether it can be told of a metric.
    pub fn fits(self, metric: &Metric) -> bool {
        match self {
            Self::Rate | Self::Increase => metric.is_counting(),
            Self::Quantile(_) => metric.has_quantiles(),
            Self::Average => !metric.is_counting() || metric.has_quantiles(),
            Self::Sum | Self::Minimum | Self::Maximum => !metric.is_counting(),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate => f.write_str("rate"),
            Self::Increase => f.write_str("increase"),
            Self::Sum => f.write_str("sum"),
            Self::Average => f.write_str("avg"),
            Self::Minimum => f.write_str("min"),
            Self::Maximum => f.write_str("max"),
            Self::Quantile(thousandths) => write!(f, "p{}", f64::from(*thousandths) / 10.0),
        }
    }
}

impl FromStr for Aggregate {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Ok(match word {
            "rate" => Self::Rate,
            "increase" => Self::Increase,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "min" => Self::Minimum,
            "max" => Self::Maximum,
            other => {
                let percent: f64 = other.strip_prefix('p').ok_or(())?.parse().map_err(|_| ())?;
                let thousandths = (percent * 10.0).round();
                if !(0.0..=1_000.0).contains(&thousandths) || (thousandths / 10.0 - percent).abs() > 1e-9 {
                    return Err(());
                }
                Self::Quantile(thousandths as u16)
            }
        })
    }
}

/// Steps of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// When the first begins.
    pub from: Timestamp,
    /// Length of each, seconds.
    pub step_seconds: u32,
    /// How many.
    pub steps: usize,
}

impl Grid {
    /// When the last step ends.
    pub const fn to(&self) -> Timestamp {
        self.from.plus_seconds(self.step_seconds as i64 * self.steps as i64)
    }

    const fn step_nanos(&self) -> i64 {
        self.step_seconds as i64 * 1_000_000_000
    }

    /// The step that an instant lies in: after the beginning, up to the end.
    fn step_of(&self, at: Timestamp) -> Option<usize> {
        let since = at.since(self.from) - 1;
        usize::try_from(since.div_euclid(self.step_nanos())).ok().filter(|step| *step < self.steps)
    }

    /// The steps that (`from`, `to`] touches, each with how much of it, nanoseconds.
    fn overlaps(self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = (usize, i64)> {
        let step = self.step_nanos();
        let first = from.since(self.from).max(0) / step;
        let last = (to.since(self.from) - 1).div_euclid(step).min(self.steps as i64 - 1);
        (first..=last).filter_map(move |index| {
            let begin = self.from.plus_nanos(index * step);
            let overlap = to.min(begin.plus_nanos(step)).since(from.max(begin));
            (overlap > 0).then_some((index as usize, overlap))
        })
    }
}

#[derive(Clone, Debug, Default)]
struct Step {
    is_seen: bool,
    /// Sum of the rates of the series, per second.
    rate: f64,
    count: f64,
    sum: f64,
    /// By the bits of their bounds, in order of their bounds.
    buckets: BTreeMap<(i64, i64), f64>,
    values: Vec<f64>,
}

/// One line on its way: what the series of a group showed.
#[derive(Clone, Debug)]
pub struct Line {
    grid: Grid,
    aggregate: Aggregate,
    steps: Vec<Step>,
}

impl Line {
    /// Nothing yet.
    pub fn new(grid: Grid, aggregate: Aggregate) -> Self {
        Self { grid, aggregate, steps: vec![Step::default(); grid.steps] }
    }

    /// Adds a series, by its points in order of time; those from [`HOLDS_SECONDS`] before the grid on count.
    pub fn add(&mut self, metric: &Metric, points: &[Point]) {
        let is_read = metric.kind == MetricKind::Summary && matches!(self.aggregate, Aggregate::Quantile(_));
        if metric.is_counting() && !is_read {
            self.add_increases(&increases(points, metric.temporality, self.grid.from.plus_seconds(-HOLDS_SECONDS)));
        } else {
            self.add_readings(points);
        }
    }

    fn add_increases(&mut self, increases: &[Increase]) {
        let mut own: BTreeMap<usize, (f64, i64)> = BTreeMap::new();
        for Increase { from, to, amount } in increases {
            let length = to.since(*from);
            if length <= 0 {
                if let Some(step) = self.grid.step_of(*to) {
                    own.entry(step).or_default().0 += amount.count();
                    self.steps[step].add(amount, 1.0);
                }
                continue;
            }
            for (step, overlap) in self.grid.overlaps(*from, *to) {
                let share = overlap as f64 / length as f64;
                let (count, covered) = own.entry(step).or_default();
                *count += amount.count() * share;
                *covered += overlap;
                self.steps[step].add(amount, share);
            }
        }
        for (step, (count, covered)) in own {
            // At its ends a series covers a part of a step only, and its rate there is that of the part.
            let covered = if covered > 0 { covered.min(self.grid.step_nanos()) } else { self.grid.step_nanos() };
            self.steps[step].rate += count / (covered as f64 / SECOND);
        }
    }

    fn add_readings(&mut self, points: &[Point]) {
        let quantile = if let Aggregate::Quantile(thousandths) = self.aggregate { Some(f64::from(thousandths) / 1_000.0) } else { None };
        let shown = |point: &Point| match (&point.value, quantile) {
            (PointValue::Summary(summary), Some(q)) => {
                summary.quantiles.iter().find(|(own, value)| (own - q).abs() < 1e-9 && value.is_finite()).map(|(_, value)| *value)
            }
            (value, None) => value.number(),
            _ => None,
        };
        let mut rest = points.iter().peekable();
        // What it showed last, until when that holds.
        let mut held: Option<(f64, Timestamp)> = None;
        for (index, step) in self.steps.iter_mut().enumerate() {
            let begin = self.grid.from.plus_nanos(index as i64 * self.grid.step_nanos());
            let end = begin.plus_nanos(self.grid.step_nanos());
            let mut own: Vec<f64> = Vec::new();
            while let Some(point) = rest.next_if(|point| point.time <= end) {
                let value = shown(point);
                held = value.map(|value| (value, point.time.plus_seconds(HOLDS_SECONDS)));
                own.extend(value.filter(|_| point.time > begin));
            }
            if own.is_empty() {
                own.extend(held.filter(|(_, until)| *until >= begin).map(|(value, _)| value));
            }
            let Some(last) = own.last().copied() else { continue };
            step.is_seen = true;
            step.values.push(match self.aggregate {
                Aggregate::Minimum => own.iter().copied().fold(f64::INFINITY, f64::min),
                Aggregate::Maximum | Aggregate::Quantile(_) => own.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Aggregate::Sum => last,
                _ => own.iter().sum::<f64>() / own.len() as f64,
            });
        }
    }

    /// What was shown in each step; nothing where nothing is known.
    pub fn values(&self) -> Vec<Option<f64>> {
        self.steps.iter().map(|step| self.value(step).filter(|value| value.is_finite())).collect()
    }

    fn value(&self, step: &Step) -> Option<f64> {
        if !step.is_seen {
            return None;
        }
        let all = || step.values.iter().copied();
        match self.aggregate {
            Aggregate::Rate => Some(step.rate),
            Aggregate::Increase => Some(step.count),
            Aggregate::Average if step.values.is_empty() => (step.count > 0.0).then(|| step.sum / step.count),
            Aggregate::Average => Some(all().sum::<f64>() / step.values.len() as f64),
            Aggregate::Sum => Some(all().sum()),
            Aggregate::Minimum => Some(all().fold(f64::INFINITY, f64::min)),
            Aggregate::Quantile(thousandths) if step.values.is_empty() => {
                let buckets: Vec<(f64, f64, f64)> =
                    step.buckets.iter().map(|((upper, lower), weight)| (unordered(*lower), unordered(*upper), *weight)).collect();
                quantile(f64::from(thousandths) / 1_000.0, &buckets)
            }
            Aggregate::Maximum | Aggregate::Quantile(_) => Some(all().fold(f64::NEG_INFINITY, f64::max)),
        }
    }
}

impl Step {
    fn add(&mut self, amount: &Amount, share: f64) {
        self.is_seen = true;
        self.count += amount.count() * share;
        if let Amount::Observations(Distribution { sum, buckets, .. }) = amount {
            self.sum += sum.unwrap_or(0.0) * share;
            for bucket in buckets {
                *self.buckets.entry((ordered(bucket.upper), ordered(bucket.lower))).or_default() += bucket.count as f64 * share;
            }
        }
    }
}

/// Bits that are ordered as the numbers are.
const fn ordered(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

const fn unordered(bits: i64) -> f64 {
    f64::from_bits((if bits < 0 { bits ^ i64::MAX } else { bits }).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metric::{Histogram, Temporality};

    fn metric(kind: MetricKind, temporality: Temporality, is_monotonic: bool) -> Metric {
        Metric { name: "n".to_owned(), unit: String::new(), description: String::new(), kind, temporality, is_monotonic }
    }

    fn points(values: &[(i64, PointValue)]) -> Vec<Point> {
        let name = std::sync::Arc::<str>::from("n");
        let of = |(seconds, value): &(i64, PointValue)| Point {
            series: 1,
            metric: name.clone(),
            service: name.clone(),
            start: None,
            time: Timestamp::from_seconds(*seconds),
            value: value.clone(),
            exemplars: Vec::new(),
        };
        values.iter().map(of).collect()
    }

    fn line(metric: &Metric, aggregate: Aggregate, series: &[&[(i64, PointValue)]]) -> Vec<Option<f64>> {
        let mut line = Line::new(Grid { from: Timestamp::from_seconds(1_000), step_seconds: 60, steps: 3 }, aggregate);
        series.iter().for_each(|values| line.add(metric, &points(values)));
        line.values()
    }

    #[test]
    fn c1_a_rise_is_spread_over_its_time_and_rates_of_series_add_up() {
        let counter = metric(MetricKind::Sum, Temporality::Cumulative, true);
        let int = PointValue::Int;
        // 90 in 90 seconds, from the middle of the first step on.
        let one: &[_] = &[(1_030, int(10)), (1_120, int(100))];
        assert_eq!(line(&counter, Aggregate::Increase, &[one]), [Some(30.0), Some(60.0), None]);
        assert_eq!(line(&counter, Aggregate::Rate, &[one]), [Some(1.0), Some(1.0), None]);
        let other: &[_] = &[(1_000, int(0)), (1_060, int(120)), (1_180, int(60))];
        assert_eq!(line(&counter, Aggregate::Rate, &[one, other]), [Some(3.0), Some(1.5), Some(0.5)]);
    }

    #[test]
    fn c1_what_was_read_holds_until_the_next_reading_and_not_for_ever() {
        let gauge = metric(MetricKind::Gauge, Temporality::None, false);
        let double = PointValue::Double;
        let one: &[_] = &[(1_010, double(2.0)), (1_020, double(4.0))];
        let other: &[_] = &[(1_000, double(10.0)), (1_130, PointValue::Nothing)];
        assert_eq!(line(&gauge, Aggregate::Average, &[one]), [Some(3.0), Some(4.0), Some(4.0)]);
        assert_eq!(line(&gauge, Aggregate::Sum, &[one, other]), [Some(14.0), Some(14.0), Some(4.0)]);
        assert_eq!(line(&gauge, Aggregate::Minimum, &[one, other]), [Some(2.0), Some(4.0), Some(4.0)]);
        assert_eq!(line(&gauge, Aggregate::Maximum, &[one, other]), [Some(10.0), Some(10.0), Some(4.0)]);
        let stale: &[_] = &[(700, double(1.0))];
        assert_eq!(line(&gauge, Aggregate::Sum, &[stale]), [Some(1.0), None, None]);
    }

    #[test]
    fn c1_quantiles_and_means_are_of_what_was_observed_in_the_step() {
        let histogram = metric(MetricKind::Histogram, Temporality::Delta, false);
        let of = |counts: [u64; 3], sum: f64| {
            let count = counts.iter().sum();
            PointValue::Histogram(Histogram {
                count,
                sum: Some(sum),
                bounds: vec![0.1, 1.0],
                counts: counts.to_vec(),
                ..Histogram::default()
            })
        };
        let one: &[_] = &[(1_030, of([10, 0, 0], 0.5)), (1_090, of([0, 0, 0], 0.0))];
        let other: &[_] = &[(1_030, of([0, 10, 0], 5.5))];
        let p75 = line(&histogram, Aggregate::Quantile(750), &[one, other]);
        assert_eq!(p75, [Some(0.55), None, None]);
        assert_eq!(line(&histogram, Aggregate::Average, &[one, other])[0], Some(0.3));
        assert_eq!(line(&histogram, Aggregate::Increase, &[one])[1], Some(0.0));
    }

    #[test]
    fn c1_every_aggregate_survives_its_word() {
        for word in ["rate", "increase", "sum", "avg", "min", "max", "p50", "p99.9", "p100"] {
            assert_eq!(word.parse::<Aggregate>().map(|aggregate| aggregate.to_string()), Ok(word.to_owned()));
        }
        for word in ["", "p", "p101", "p-1", "p99.99", "median"] {
            assert_eq!(word.parse::<Aggregate>(), Err(()), "{word}");
        }
    }

    proptest! {
        #[test]
        fn c1_bits_are_ordered_as_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(unordered(ordered(a)).to_bits(), a.to_bits());
            if a < b {
                prop_assert!(ordered(a) < ordered(b));
            }
        }

        /// However readings and steps fall together, everything that was counted is told once.
        #[test]
        fn c1_steps_hold_all_that_was_counted(times in prop::collection::btree_set(1_000_i64..1_180, 2..20), rises in prop::collection::vec(0_i64..100, 20)) {
            let mut value = 0;
            let mut all = Vec::new();
            for (time, rise) in times.iter().zip(rises) {
                value += rise;
                all.push((*time, PointValue::Int(value)));
            }
            let PointValue::Int(first) = all[0].1 else { unreachable!() };
            let counter = metric(MetricKind::Sum, Temporality::Cumulative, true);
            let told: f64 = line(&counter, Aggregate::Increase, &[&all]).into_iter().flatten().sum();
            prop_assert!((told - (value - first) as f64).abs() < 1e-6, "{told}");
        }
    }
}
