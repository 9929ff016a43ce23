//! Values of metrics as people read them, by the unit that the sender gave in UCUM's letters: `340 ms`, `1.2 MiB`, `12 /s`.

use super::Metric;
use super::aggregate::Aggregate;
use crate::number::{count, duration_nanos};

/// Rates below this are told by the minute.
const LEAST_RATE: f64 = 0.1;
/// Bytes are told in these, each 1,024 of the one before.
const BYTES: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
/// Longer times are told in these, seconds.
const TIMES: [f64; 3] = [86_400.0, 3_600.0, 60.0];

/// How the values of an answer are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    kind: Kind,
    /// Makes seconds, bytes or what is told of a value.
    factor: f64,
    /// What stands behind the number.
    suffix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Time,
    Bytes,
}

impl Measure {
    /// The measure of what a metric is asked for, when the greatest value is this.
    pub fn new(metric: &Metric, aggregate: Aggregate, highest: f64) -> Self {
        let is_pace = matches!(aggregate, Aggregate::Rate | Aggregate::Increase);
        // How often something was observed has no unit, whatever was observed.
        let unit = if is_pace && metric.has_quantiles() { "" } else { metric.unit.as_str() };
        let mut measure = Self::of_unit(unit);
        if aggregate == Aggregate::Rate {
            let is_plain = measure.kind == Kind::Number && measure.suffix.is_empty();
            let is_slow = is_plain && highest > 0.0 && highest < LEAST_RATE;
            measure.factor *= if is_slow { 60.0 } else { 1.0 };
            measure.suffix.push_str(match (is_slow, is_plain) {
                (true, _) => " /min",
                (false, true) => " /s",
                (false, false) => "/s",
            });
        }
        measure
    }

    /// The measure of a unit.
    fn of_unit(unit: &str) -> Self {
        let bare = without_annotations(unit);
        let (upper, lower) = bare.split_once('/').map_or((bare.as_str(), None), |(upper, lower)| (upper, Some(lower)));
        let (kind, factor, symbol) = match upper {
            "ns" => (Kind::Time, 1e-9, ""),
            "us" | "µs" => (Kind::Time, 1e-6, ""),
            "ms" | "milliseconds" => (Kind::Time, 1e-3, ""),
            "s" | "seconds" => (Kind::Time, 1.0, ""),
            "min" => (Kind::Time, 60.0, ""),
            "h" => (Kind::Time, 3_600.0, ""),
            "d" => (Kind::Time, 86_400.0, ""),
            "By" | "bytes" => (Kind::Bytes, 1.0, ""),
            "KiBy" => (Kind::Bytes, 1_024.0, ""),
            "MiBy" => (Kind::Bytes, 1_048_576.0, ""),
            "GiBy" => (Kind::Bytes, 1_073_741_824.0, ""),
            "kBy" => (Kind::Bytes, 1e3, ""),
            "MBy" => (Kind::Bytes, 1e6, ""),
            "GBy" => (Kind::Bytes, 1e9, ""),
            "" | "1" => (Kind::Number, 1.0, ""),
            "Cel" => (Kind::Number, 1.0, "°C"),
            other => (Kind::Number, 1.0, other),
        };
        let mut suffix = if symbol.is_empty() { String::new() } else { format!(" {symbol}") };
        if let Some(lower) = lower.filter(|lower| !lower.is_empty()) {
            suffix.push_str(if kind == Kind::Number && symbol.is_empty() { " /" } else { "/" });
            suffix.push_str(lower);
        }
        Self { kind, factor, suffix }
    }

    /// A value with its unit.
    pub fn say(&self, value: f64) -> String {
        if value < 0.0 {
            return format!("\u{2212}{}", self.say(-value));
        }
        let value = value * self.factor;
        let text = match self.kind {
            Kind::Number => figure(value),
            Kind::Time if value == 0.0 => "0 s".to_owned(),
            Kind::Time => duration_nanos((value * 1e9) as i64),
            Kind::Bytes => bytes(value),
        };
        text + &self.suffix
    }

    /// What ticks of an axis up to a value are round multiples of.
    pub fn base(&self, highest: f64) -> f64 {
        let highest = highest.abs() * self.factor;
        let base = match self.kind {
            Kind::Number => 1.0,
            Kind::Time => TIMES.into_iter().find(|seconds| highest >= 2.0 * seconds).unwrap_or(1.0),
            Kind::Bytes => 1_024_f64.powi(magnitude(highest) as i32),
        };
        base / self.factor
    }
}

/// A unit without what stands in braces, which is for people only: `{request}/s` is `/s`.
fn without_annotations(unit: &str) -> String {
    let mut depth = 0_u32;
    let mut bare = String::new();
    for character in unit.trim().chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            other if depth == 0 => bare.push(other),
            _ => {}
        }
    }
    bare
}

/// A number, not negative, with three digits that count.
fn figure(value: f64) -> String {
    if value >= 0.1 || value == 0.0 {
        return count(value);
    }
    let places = (1.0 - value.log10().floor()) as usize;
    let text = if places <= 6 { format!("{value:.places$}") } else { format!("{value:.1e}") };
    if text.contains('e') { text } else { text.trim_end_matches('0').to_owned() }
}

/// Which of [`BYTES`] a number of bytes is told in.
fn magnitude(value: f64) -> usize {
    (0..BYTES.len()).find(|power| value < 999.5 * 1_024_f64.powi(*power as i32)).unwrap_or(BYTES.len() - 1)
}

fn bytes(value: f64) -> String {
    let power = magnitude(value);
    format!("{} {}", figure(value / 1_024_f64.powi(power as i32)), BYTES[power])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{MetricKind, Temporality};

    fn metric(kind: MetricKind, unit: &str) -> Metric {
        Metric {
            name: "n".to_owned(),
            unit: unit.to_owned(),
            description: String::new(),
            kind,
            temporality: Temporality::Cumulative,
            is_monotonic: true,
        }
    }

    #[test]
    fn c1_values_carry_units_that_people_read() {
        let cases = [
            ("s", 0.34, "340 ms"),
            ("s", 0.0, "0 s"),
            ("ms", 1_240.0, "1.24 s"),
            ("s", 5_400.0, "1 h 30 min"),
            ("By", 1_258_291.2, "1.2 MiB"),
            ("By", 1_000.0, "0.98 KiB"),
            ("By", 512.0, "512 B"),
            ("MiBy", 2_048.0, "2 GiB"),
            ("By/s", 2_048.0, "2 KiB/s"),
            ("1", 0.004_2, "0.0042"),
            ("1", 0.05, "0.05"),
            ("", 12_400.0, "12.4 k"),
            ("%", 42.0, "42 %"),
            ("{request}", 12.0, "12"),
            ("{packet}/s", 12.0, "12 /s"),
            ("Cel", -3.5, "\u{2212}3.5 °C"),
            ("V", 0.000_000_000_1, "1.0e-10 V"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(Measure::new(&metric(MetricKind::Gauge, unit), Aggregate::Average, 1.0).say(value), text, "{value} {unit}");
        }
    }

    #[test]
    fn c1_rates_are_by_the_second_or_the_minute_and_never_in_the_unit_observed() {
        let say = |kind, unit, aggregate, value| Measure::new(&metric(kind, unit), aggregate, value).say(value);
        assert_eq!(say(MetricKind::Sum, "{order}", Aggregate::Rate, 12.0), "12 /s");
        assert_eq!(say(MetricKind::Sum, "{order}", Aggregate::Rate, 0.05), "3 /min");
        assert_eq!(say(MetricKind::Sum, "{order}", Aggregate::Increase, 0.5), "0.5");
        assert_eq!(say(MetricKind::Sum, "By", Aggregate::Rate, 1_048_576.0), "1 MiB/s");
        assert_eq!(say(MetricKind::Histogram, "s", Aggregate::Rate, 4.0), "4 /s");
        assert_eq!(say(MetricKind::Histogram, "s", Aggregate::Increase, 4.0), "4");
        assert_eq!(say(MetricKind::Histogram, "s", Aggregate::Quantile(950), 4.0), "4 s");
    }

    #[test]
    fn c1_ticks_are_round_in_the_unit_that_is_read() {
        let base = |unit, highest| Measure::of_unit(unit).base(highest).round() as i64;
        assert_eq!(base("By", 5_000_000.0), 1_048_576);
        assert_eq!(base("s", 0.2), 1);
        assert_eq!(base("s", 600.0), 60);
        assert_eq!(base("ms", 7_200_000.0), 3_600_000);
        assert_eq!(base("%", 90.0), 1);
    }
}
