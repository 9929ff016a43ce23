//! Times taken, and what is said about them.

use std::time::Duration;

use serde::Serialize;

/// Quantiles of measured times, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

impl Sample {
    /// Quantiles by nearest rank: each is a time that was measured.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let quantile = |q: f64| {
            let rank = (times.len() as f64 * q).ceil() as usize;
            times.get(rank.saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Self { count: times.len(), p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_times() {
        let sample = Sample::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(sample, Sample { count: 200, p50: 100.0, p95: 190.0, p99: 198.0 });
        assert_eq!(Sample::of(vec![Duration::from_millis(7)]), Sample { count: 1, p50: 7.0, p95: 7.0, p99: 7.0 });
        assert_eq!(Sample::of(Vec::new()).count, 0);
    }
}
