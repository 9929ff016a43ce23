//! Observations in buckets: what two readings of them differ by, and the quantiles that can be told from them.

use serde::{Deserialize, Serialize};

/// Observations in buckets with given bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many.
    pub count: u64,
    /// Their sum, if the sender knew it.
    pub sum: Option<f64>,
    /// The least, if the sender knew it.
    pub min: Option<f64>,
    /// The greatest, if the sender knew it.
    pub max: Option<f64>,
    /// Upper bounds of the buckets but the last, ascending; each belongs to its bucket.
    pub bounds: Vec<f64>,
    /// Observations of each bucket: one more than bounds, or none at all.
    pub counts: Vec<u64>,
}

/// Observations in buckets whose bounds grow by the factor `2^(2^-scale)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExponentialHistogram {
    /// How many.
    pub count: u64,
    /// Their sum, if the sender knew it.
    pub sum: Option<f64>,
    /// The least, if the sender knew it.
    pub min: Option<f64>,
    /// The greatest, if the sender knew it.
    pub max: Option<f64>,
    /// How fine the buckets are, −10 to 20.
    pub scale: i32,
    /// Observations of at most `zero_threshold`, on both sides of zero.
    pub zero_count: u64,
    /// Bound of what counts as zero.
    pub zero_threshold: f64,
    /// Positive observations.
    pub positive: Buckets,
    /// Negative observations, by their size.
    pub negative: Buckets,
}

/// A run of buckets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    /// Index of the first. Bucket `i` holds what is greater than `base^i` and at most `base^(i+1)`.
    pub offset: i32,
    /// Observations of each.
    pub counts: Vec<u64>,
}

/// Observations in any buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Their sum, if it is known.
    pub sum: Option<f64>,
    /// Buckets that hold some, by their bounds.
    pub buckets: Vec<Bucket>,
}

/// Observations greater than `lower` and at most `upper`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Bound below; may be −∞.
    pub lower: f64,
    /// Bound above; may be ∞.
    pub upper: f64,
    /// How many.
    pub count: u64,
}

impl Histogram {
    /// What has been observed since `earlier`, another reading of the same series; `None` if it counts from anew since then.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        if self.bounds != earlier.bounds || self.counts.len() != earlier.counts.len() {
            return None;
        }
        let counts = self.counts.iter().zip(&earlier.counts).map(|(now, then)| now.checked_sub(*then)).collect::<Option<_>>()?;
        Some(Self {
            count: self.count.checked_sub(earlier.count)?,
            sum: self.sum.zip(earlier.sum).map(|(now, then)| now - then),
            min: None,
            max: None,
            bounds: self.bounds.clone(),
            counts,
        })
    }
}

impl ExponentialHistogram {
    /// As for [`Histogram::since`]. Readings of different scale are compared at the coarser one.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        let scale = self.scale.min(earlier.scale);
        let (now, then) = (self.at_scale(scale), earlier.at_scale(scale));
        Some(Self {
            count: now.count.checked_sub(then.count)?,
            sum: now.sum.zip(then.sum).map(|(now, then)| now - then),
            min: None,
            max: None,
            scale,
            // A threshold that grew took buckets in.
            zero_count: now.zero_count.checked_sub(then.zero_count)?,
            zero_threshold: now.zero_threshold,
            positive: now.positive.since(&then.positive)?,
            negative: now.negative.since(&then.negative)?,
        })
    }

    /// The same, with `2^(scale difference)` neighbours put into one bucket.
    fn at_scale(&self, scale: i32) -> Self {
        let shift = (self.scale - scale).clamp(0, 31) as u32;
        Self { scale, positive: self.positive.coarser(shift), negative: self.negative.coarser(shift), ..self.clone() }
    }
}

impl Buckets {
    fn coarser(&self, shift: u32) -> Self {
        if shift == 0 || self.counts.is_empty() {
            return self.clone();
        }
        let offset = self.offset >> shift;
        let mut counts = Vec::new();
        for (index, count) in (self.offset..).zip(&self.counts) {
            let at = ((index >> shift) - offset) as usize;
            counts.resize(counts.len().max(at + 1), 0);
            counts[at] += count;
        }
        Self { offset, counts }
    }

    fn at(&self, index: i64) -> u64 {
        usize::try_from(index - i64::from(self.offset)).ok().and_then(|index| self.counts.get(index)).copied().unwrap_or(0)
    }

    fn since(&self, earlier: &Self) -> Option<Self> {
        // A bucket that was filled and is not there any more is below its earlier count.
        let is_lost = (i64::from(earlier.offset)..).zip(&earlier.counts).any(|(index, then)| self.at(index) < *then);
        if is_lost {
            return None;
        }
        let counts = (i64::from(self.offset)..).zip(&self.counts).map(|(index, now)| now - earlier.at(index)).collect();
        Some(Self { offset: self.offset, counts })
    }
}

impl From<&Histogram> for Distribution {
    fn from(histogram: &Histogram) -> Self {
        let Histogram { count, sum, bounds, counts, .. } = histogram;
        let bound = |index: Option<usize>, end: f64| index.and_then(|index| bounds.get(index)).copied().unwrap_or(end);
        let buckets = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(index, count)| Bucket {
            lower: bound(index.checked_sub(1), f64::NEG_INFINITY),
            upper: bound(Some(index), f64::INFINITY),
            count: *count,
        });
        Self { count: *count, sum: *sum, buckets: buckets.collect() }
    }
}

impl From<&ExponentialHistogram> for Distribution {
    fn from(histogram: &ExponentialHistogram) -> Self {
        let ExponentialHistogram { count, sum, scale, zero_count, zero_threshold, positive, negative, .. } = histogram;
        // OpenTelemetry data model, "Exponential Buckets": base = 2^(2^-scale).
        let bound = |index: i64| (index as f64 * (-f64::from(*scale)).exp2()).exp2();
        let of = |buckets: &Buckets| -> Vec<Bucket> {
            let filled = (i64::from(buckets.offset)..).zip(buckets.counts.clone()).filter(|(_, count)| *count > 0);
            filled.map(|(index, count)| Bucket { lower: bound(index), upper: bound(index + 1), count }).collect()
        };
        let mut buckets: Vec<Bucket> =
            of(negative).into_iter().rev().map(|Bucket { lower, upper, count }| Bucket { lower: -upper, upper: -lower, count }).collect();
        if *zero_count > 0 {
            buckets.push(Bucket { lower: -zero_threshold, upper: *zero_threshold, count: *zero_count });
        }
        buckets.extend(of(positive));
        Self { count: *count, sum: *sum, buckets }
    }
}

/// The value that a share of `q` (0 to 1) of all observations does not exceed, from buckets (lower, upper, weight) in order of their
/// bounds; within a bucket observations are taken to lie evenly, as Prometheus' `histogram_quantile` does. Of a bucket without an
/// upper bound its lower one is given, of one without a lower bound zero stands for it if it ends above zero. `None` without any.
pub fn quantile(q: f64, buckets: &[(f64, f64, f64)]) -> Option<f64> {
    let total: f64 = buckets.iter().map(|(.., weight)| weight).sum();
    if total <= 0.0 {
        return None;
    }
    let wanted = q.clamp(0.0, 1.0) * total;
    let mut below = 0.0;
    let mut last = None;
    for (lower, upper, weight) in buckets.iter().filter(|(.., weight)| *weight > 0.0) {
        last = Some((*lower, *upper));
        if below + weight >= wanted {
            return Some(within(*lower, *upper, (wanted - below) / weight));
        }
        below += weight;
    }
    // Rounding may leave the wanted rank a hair above the sum.
    last.map(|(lower, upper)| within(lower, upper, 1.0))
}

fn within(lower: f64, upper: f64, share: f64) -> f64 {
    if upper.is_infinite() {
        return lower;
    }
    let lower = if lower.is_finite() {
        lower
    } else if upper > 0.0 {
        0.0
    } else {
        return upper;
    };
    lower + (upper - lower) * share.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[u64]) -> Histogram {
        let count = counts.iter().sum();
        Histogram { count, sum: Some(count as f64), bounds: vec![1.0, 2.0, 4.0], counts: counts.to_vec(), ..Histogram::default() }
    }

    #[test]
    fn c1_what_was_observed_between_two_readings_is_their_difference_unless_counting_began_anew() {
        let (then, now) = (histogram(&[1, 2, 3, 0]), histogram(&[1, 5, 3, 1]));
        let since = now.since(&then).expect("no reset");
        assert_eq!((since.count, since.counts, since.sum), (4, vec![0, 3, 0, 1], Some(4.0)));
        assert_eq!(then.since(&now), None, "fewer than before");
        let others = Histogram { bounds: vec![1.0, 3.0, 4.0], ..now.clone() };
        assert_eq!(others.since(&then), None, "other bounds");
    }

    fn exponential(scale: i32, offset: i32, counts: &[u64]) -> ExponentialHistogram {
        let positive = Buckets { offset, counts: counts.to_vec() };
        ExponentialHistogram { count: counts.iter().sum(), scale, positive, ..ExponentialHistogram::default() }
    }

    #[test]
    fn c1_exponential_buckets_are_compared_at_the_coarser_scale() {
        // At scale 1 the bounds are √2 apart, at scale 0 powers of two: buckets −1, 0, 1, 2 become −1, 0, 0, 1.
        let fine = exponential(1, -1, &[1, 2, 3, 4]);
        let coarse = exponential(0, -1, &[2, 6, 9]);
        let since = coarse.since(&fine).expect("no reset");
        assert_eq!((since.scale, since.positive), (0, Buckets { offset: -1, counts: vec![1, 1, 5] }));
        assert_eq!(fine.since(&coarse), None);
        let moved = exponential(1, 0, &[2, 3, 4]);
        assert_eq!(moved.since(&fine), None, "a bucket was lost");
    }

    #[test]
    fn c1_bounds_of_exponential_buckets_are_powers_of_their_base() {
        let mut both = exponential(0, 0, &[0, 3]);
        both.negative = Buckets { offset: 1, counts: vec![2] };
        both.zero_count = 1;
        let Distribution { buckets, .. } = Distribution::from(&both);
        let told: Vec<(f64, f64, u64)> = buckets.iter().map(|bucket| (bucket.lower, bucket.upper, bucket.count)).collect();
        assert_eq!(told, [(-4.0, -2.0, 2), (0.0, 0.0, 1), (2.0, 4.0, 3)]);
    }

    #[test]
    fn c1_quantiles_lie_evenly_in_their_bucket() {
        let infinity = f64::INFINITY;
        let buckets = [(-infinity, 1.0, 10.0), (1.0, 2.0, 10.0), (2.0, 4.0, 0.0), (4.0, infinity, 5.0)];
        assert_eq!(quantile(0.2, &buckets), Some(0.5));
        assert_eq!(quantile(0.6, &buckets), Some(1.5));
        assert_eq!(quantile(0.99, &buckets), Some(4.0), "nothing is known above the last bound");
        assert_eq!(quantile(0.5, &[(-infinity, -3.0, 1.0)]), Some(-3.0));
        assert_eq!(quantile(0.5, &[]), None);
    }
}
