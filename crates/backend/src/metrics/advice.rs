//! What to say of an SLI over a metric whose condition cannot tell what it is meant to tell.

use std::collections::HashMap;

use slowburn_domain::metric::{MetricKind, Point, PointValue, Series};
use slowburn_domain::slo::Lint;

use super::indicator::Event;
use crate::filter::{Field, Filter};

/// A bucket that is wider than this, upper by lower bound, tells little of a limit within it.
const WIDE: f64 = 1.1;

/// Advice on an SLI, from the metric's series and their points in order of series and time.
pub(super) fn of(total: &Filter, part: &Filter, series: &HashMap<i64, Series>, points: &[Point]) -> Option<Lint> {
    if ![total, part].iter().any(|filter| filter.reach().fields.contains(&Field::Value)) {
        return None;
    }
    let counted = |series: &&Series| total.reach().fields.contains(&Field::Value) || total.matches(&Event { series, value: None });
    for own in points.chunk_by(|a, b| a.series == b.series) {
        let Some(series) = series.get(&own[0].series).filter(counted) else { continue };
        let lint = match (series.metric.kind, own.last().map(|point| &point.value)) {
            (MetricKind::Sum, _) if series.metric.is_counting() => Some(without_value(series)),
            (MetricKind::Summary, _) => Some(without_value(series)),
            (_, Some(PointValue::Histogram(histogram))) => within_bucket(series, part, &histogram.bounds),
            _ => None,
        };
        if lint.is_some() {
            return lint;
        }
    }
    None
}

fn without_value(series: &Series) -> Lint {
    let what = if series.metric.kind == MetricKind::Summary { "summary" } else { "counter" };
    Lint {
        kind: None,
        reason: format!("{} is a {what}: what it counts has no value to compare, so none of it meets the condition", series.metric.name),
        proposal: "Say what is good by its attributes".to_owned(),
    }
}

/// A condition that does not hold for all of a bucket, or for none of it, is taken by the bucket's upper bound.
fn within_bucket(series: &Series, part: &Filter, bounds: &[f64]) -> Option<Lint> {
    let holds = |value: f64| part.matches(&Event { series, value: Some(value) });
    let (first, last) = (*bounds.first()?, *bounds.last()?);
    let ends = [(if first > 0.0 { 0.0 } else { f64::NEG_INFINITY }, first), (last, f64::INFINITY)];
    let all = bounds.windows(2).map(|pair| (pair[0], pair[1])).chain(ends);
    let mut wide = all.filter(|(lower, upper)| *lower <= 0.0 || upper / lower > WIDE);
    let (lower, upper) = wide.find(|(lower, upper)| holds(lower.next_up()) != holds(*upper))?;
    let verdict = if holds(upper) { "meets it" } else { "does not meet it" };
    let name = &series.metric.name;
    let bound = |bound: f64| if bound.is_finite() { bound.to_string() } else { "∞".to_owned() };
    let limits: Vec<String> = [lower, upper].into_iter().filter(|bound| bound.is_finite() && *bound != 0.0).map(bound).collect();
    let (lower, upper) = (bound(lower), bound(upper));
    Some(Lint {
        kind: None,
        reason: format!(
            "{name} does not tell values between {lower} and {upper} apart, and the limit lies between them: all of that bucket {verdict}"
        ),
        proposal: format!("Take {} as the limit, or have the service send a bucket that ends at it", limits.join(" or ")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use slowburn_domain::metric::{Histogram, Metric, Temporality};
    use slowburn_domain::signal::Signal;
    use slowburn_domain::span::Source;
    use slowburn_domain::time::Timestamp;

    use super::*;

    fn series(kind: MetricKind) -> Series {
        let metric = Metric {
            name: "latency".to_owned(),
            unit: "s".to_owned(),
            description: String::new(),
            kind,
            temporality: Temporality::Cumulative,
            is_monotonic: true,
        };
        Series { id: 1, metric: Arc::new(metric), attributes: Vec::new(), source: Arc::new(Source::default()) }
    }

    fn said(kind: MetricKind, value: PointValue, part: &str) -> Option<String> {
        let total = Filter::compile("name == \"latency\"", Signal::Metrics).expect("a filter");
        let part = Filter::compile(part, Signal::Metrics).expect("a filter");
        let point = Point {
            series: 1,
            metric: "latency".into(),
            service: "shop".into(),
            time: Timestamp::from_nanos(0),
            start: None,
            value,
            exemplars: Vec::new(),
        };
        of(&total, &part, &HashMap::from([(1, series(kind))]), &[point]).map(|lint| lint.reason)
    }

    #[test]
    fn a_limit_within_a_bucket_is_told_and_one_on_a_bound_is_not() {
        let histogram = || {
            let bounds = vec![0.1, 0.25, 0.26];
            PointValue::Histogram(Histogram { count: 0, sum: None, min: None, max: None, bounds, counts: vec![0; 4] })
        };
        let cases: BTreeMap<&str, Option<&str>> = BTreeMap::from([
            ("value <= 0.25", None),
            ("value > 0.1", None),
            (
                "value <= 0.2",
                Some("does not tell values between 0.1 and 0.25 apart, and the limit lies between them: all of that bucket does not"),
            ),
            ("value >= 0.2", Some("all of that bucket meets it")),
            ("value <= 0.05", Some("between 0 and 0.1 apart")),
            ("value <= 9", Some("between 0.26 and ∞ apart")),
            // A bucket so narrow tells enough.
            ("value <= 0.255", None),
            ("service == \"a\"", None),
        ]);
        for (part, expected) in cases {
            let said = said(MetricKind::Histogram, histogram(), part);
            assert_eq!(said.is_some(), expected.is_some(), "{part}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{part}");
        }
    }

    #[test]
    fn a_counter_has_no_value() {
        let said = said(MetricKind::Sum, PointValue::Int(3), "value <= 3").expect("advice");
        assert!(said.starts_with("latency is a counter"), "{said}");
    }
}
