//! Rate, errors and duration of services and their operations.

use serde::{Deserialize, Serialize};

use crate::number::{count, duration_nanos, percent};
use crate::span::Kind;

/// Rate, errors and duration over a range of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Red {
    /// Spans.
    pub count: u64,
    /// Spans per second.
    pub rate_per_second: f64,
    /// Spans that failed.
    pub errors: u64,
    /// `errors ÷ count`, 0–1.
    pub error_ratio: f64,
    /// Median duration, milliseconds.
    pub p50_ms: f64,
    /// 90th percentile of the duration, milliseconds.
    pub p90_ms: f64,
    /// 99th percentile of the duration, milliseconds.
    pub p99_ms: f64,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRed {
    /// `service.name`.
    pub name: String,
    /// Over its entry spans (server and consumer); over all its spans when it has none.
    pub red: Red,
    /// Its operations, busiest first.
    pub operations: Vec<OperationRed>,
}

/// One operation of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationRed {
    /// Span name.
    pub operation: String,
    /// Role of the spans.
    pub kind: Kind,
    /// Rate, errors and duration.
    pub red: Red,
}

/// A rate as people read it: `4.2 /s`, `3 /min` when it is less than one in ten seconds, `2 /h` when that would be less than 0.1.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r <= 0.0 => "0 /s".to_owned(),
        r if r * 60.0 < 0.1 => format!("{} /h", tenths(r * 3_600.0)),
        r if r < 0.1 => format!("{} /min", tenths(r * 60.0)),
        r if r < 100.0 => format!("{} /s", tenths(r)),
        r => format!("{} /s", count(r)),
    }
}

fn tenths(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A duration in milliseconds as people read it.
pub fn duration(ms: f64) -> String {
    duration_nanos((ms * 1e6).round() as i64)
}

/// How services stand, in one sentence: `8 services; payment fails most, 3.2 % of 4.1 /s.`
pub fn of_services(services: &[ServiceRed]) -> String {
    let number = match services.len() {
        0 => return "No service has sent a span in this time.".to_owned(),
        1 => "One service".to_owned(),
        several => format!("{several} services"),
    };
    let worst = services.iter().filter(|service| service.red.errors > 0).max_by(|a, b| a.red.error_ratio.total_cmp(&b.red.error_ratio));
    match worst {
        None => format!("{number}; none had a failure."),
        Some(service) => {
            format!("{number}; {} fails most, {} of {}.", service.name, percent(service.red.error_ratio), rate(service.red.rate_per_second))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, count: u64, errors: u64) -> ServiceRed {
        let ratio = errors as f64 / count as f64;
        let red = Red { count, rate_per_second: count as f64 / 60.0, errors, error_ratio: ratio, p50_ms: 1.0, p90_ms: 2.0, p99_ms: 3.0 };
        ServiceRed { name: name.to_owned(), red, operations: Vec::new() }
    }

    #[test]
    fn c7_services_are_told_in_one_sentence() {
        assert_eq!(of_services(&[]), "No service has sent a span in this time.");
        assert_eq!(of_services(&[service("web", 60, 0)]), "One service; none had a failure.");
        assert_eq!(of_services(&[service("web", 600, 1), service("pay", 240, 12)]), "2 services; pay fails most, 5 % of 4 /s.");
        assert_eq!(
            [rate(0.0), rate(0.0005), rate(0.05), rate(0.25), rate(4.26), rate(1_240.0)],
            ["0 /s", "1.8 /h", "3 /min", "0.2 /s", "4.3 /s", "1.24 k /s"]
        );
    }
}
