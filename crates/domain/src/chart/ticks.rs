//! Few ticks at round values.

use super::{Tick, TimeAxis};
use crate::time::Timestamp;

/// Steps of a time axis, seconds: people count in these.
const STEPS: [i64; 17] = [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 604_800];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Round values from `low` to `high`, at most about `wanted`: multiples of 1, 2 or 5 of a power of ten.
pub fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let span = high - low;
    if span.is_nan() || span <= 0.0 || !span.is_finite() {
        return vec![low];
    }
    let rough = span / wanted.max(1) as f64;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * magnitude).find(|step| *step >= rough * 0.999).unwrap_or(magnitude * 10.0);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|n| n as f64 * step).collect()
}

/// Powers of ten from `low` to `high`.
pub fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let first = (low.log10() - 1e-9).ceil() as i32;
    let last = (high.log10() + 1e-9).floor() as i32;
    (first..=last).map(|n| 10_f64.powi(n)).collect()
}

/// Ticks of a time axis at round times of a zone `offset_seconds` ahead of UTC, at most `wanted`.
pub fn time_ticks(axis: TimeAxis, offset_seconds: i32, wanted: usize) -> Vec<Tick> {
    let offset = i64::from(offset_seconds);
    let (from, to) = (axis.from.seconds() + offset, axis.to.seconds() + offset);
    let fits = |step: &i64| (to - from) / step < wanted.max(1) as i64;
    let step = STEPS.into_iter().find(fits).unwrap_or_else(|| {
        let weeks = (to - from) / wanted.max(1) as i64 / 604_800 + 1;
        weeks * 604_800
    });
    let first = from.div_euclid(step) * step + if from.rem_euclid(step) == 0 { 0 } else { step };
    let ticks = (0..=wanted as i64).map(|n| first + n * step).take_while(|second| *second <= to);
    ticks.map(|second| Tick { position: axis.position(Timestamp::from_seconds(second - offset)), label: label(second, step) }).collect()
}

/// The day where a day begins, the time of day otherwise.
fn label(local_second: i64, step: i64) -> String {
    let civil = Timestamp::from_seconds(local_second).civil();
    if step >= 86_400 || local_second.rem_euclid(86_400) == 0 {
        return format!("{} {}", civil.day, MONTHS[usize::from(civil.month) - 1]);
    }
    if step < 60 {
        format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second)
    } else {
        format!("{:02}:{:02}", civil.hour, civil.minute)
    }
}
