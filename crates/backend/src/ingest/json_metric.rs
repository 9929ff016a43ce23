//! One metric of OTLP's JSON form, field by field. A point that cannot be read is told apart from its neighbours.

use opentelemetry_proto::tonic::metrics::v1 as proto;
use proto::exponential_histogram_data_point::Buckets;
use proto::metric::Data;
use serde_json::{Map, Value};

use super::json_span::{Fault, Read, attributes, double, fault, hex, list, number, object, text};

/// A metric, as far as it could be read.
pub(super) struct ReadMetric {
    pub(super) metric: proto::Metric,
    /// Where each of its points stands in the list.
    pub(super) positions: Vec<usize>,
    /// What is wrong with the other points.
    pub(super) faults: Vec<Fault>,
}

const FORMS: [&str; 5] = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

/// A metric. Whether its points make sense is not looked at here.
pub(super) fn metric(item: &Value, path: &str) -> Read<ReadMetric> {
    let item = object(item, path)?;
    let mut metric = proto::Metric {
        name: text(item, "name", path)?,
        description: text(item, "description", path)?,
        unit: text(item, "unit", path)?,
        ..proto::Metric::default()
    };
    let (mut positions, mut faults) = (Vec::new(), Vec::new());
    let form = FORMS.iter().find_map(|form| Some((*form, item.get(*form).filter(|inner| !inner.is_null())?)));
    if let Some((form, inner)) = form {
        let path = format!("{path}.{form}");
        let inner = object(inner, &path)?;
        let aggregation_temporality = number(inner, "aggregationTemporality", &path)?;
        let mut points = Points { items: list(inner, "dataPoints", &path)?, path: &path, positions: &mut positions, faults: &mut faults };
        metric.data = Some(match form {
            "gauge" => Data::Gauge(proto::Gauge { data_points: points.read(number_point) }),
            "sum" => Data::Sum(proto::Sum {
                data_points: points.read(number_point),
                aggregation_temporality,
                is_monotonic: truth(inner, "isMonotonic", &path)?,
            }),
            "histogram" => Data::Histogram(proto::Histogram { data_points: points.read(histogram_point), aggregation_temporality }),
            "summary" => Data::Summary(proto::Summary { data_points: points.read(summary_point) }),
            // The last of them.
            _ => Data::ExponentialHistogram(proto::ExponentialHistogram {
                data_points: points.read(exponential_point),
                aggregation_temporality,
            }),
        });
    }
    Ok(ReadMetric { metric, positions, faults })
}

struct Points<'a> {
    items: &'a [Value],
    path: &'a str,
    positions: &'a mut Vec<usize>,
    faults: &'a mut Vec<Fault>,
}

impl Points<'_> {
    fn read<P>(&mut self, read: impl Fn(&Map<String, Value>, &str) -> Read<P>) -> Vec<P> {
        let mut points = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let path = format!("{}.dataPoints[{index}]", self.path);
            match object(item, &path).and_then(|item| read(item, &path)) {
                Ok(point) => {
                    points.push(point);
                    self.positions.push(index);
                }
                Err(fault) => self.faults.push(fault),
            }
        }
        points
    }
}

fn number_point(item: &Map<String, Value>, path: &str) -> Read<proto::NumberDataPoint> {
    use proto::number_data_point::Value as Number;

    let value = match (item.get("asInt").filter(|int| !int.is_null()), optional(item, "asDouble", path)?) {
        (Some(_), _) => Some(Number::AsInt(number(item, "asInt", path)?)),
        (None, double) => double.map(Number::AsDouble),
    };
    Ok(proto::NumberDataPoint {
        attributes: attributes(item, "attributes", path)?,
        start_time_unix_nano: number(item, "startTimeUnixNano", path)?,
        time_unix_nano: number(item, "timeUnixNano", path)?,
        exemplars: exemplars(item, path)?,
        flags: number(item, "flags", path)?,
        value,
    })
}

fn histogram_point(item: &Map<String, Value>, path: &str) -> Read<proto::HistogramDataPoint> {
    Ok(proto::HistogramDataPoint {
        attributes: attributes(item, "attributes", path)?,
        start_time_unix_nano: number(item, "startTimeUnixNano", path)?,
        time_unix_nano: number(item, "timeUnixNano", path)?,
        count: number(item, "count", path)?,
        sum: optional(item, "sum", path)?,
        bucket_counts: counts(item, path)?,
        explicit_bounds: doubles(item, "explicitBounds", path)?,
        exemplars: exemplars(item, path)?,
        flags: number(item, "flags", path)?,
        min: optional(item, "min", path)?,
        max: optional(item, "max", path)?,
    })
}

fn exponential_point(item: &Map<String, Value>, path: &str) -> Read<proto::ExponentialHistogramDataPoint> {
    Ok(proto::ExponentialHistogramDataPoint {
        attributes: attributes(item, "attributes", path)?,
        start_time_unix_nano: number(item, "startTimeUnixNano", path)?,
        time_unix_nano: number(item, "timeUnixNano", path)?,
        count: number(item, "count", path)?,
        sum: optional(item, "sum", path)?,
        scale: number(item, "scale", path)?,
        zero_count: number(item, "zeroCount", path)?,
        positive: buckets(item, "positive", path)?,
        negative: buckets(item, "negative", path)?,
        flags: number(item, "flags", path)?,
        exemplars: exemplars(item, path)?,
        min: optional(item, "min", path)?,
        max: optional(item, "max", path)?,
        zero_threshold: optional(item, "zeroThreshold", path)?.unwrap_or(0.0),
    })
}

fn buckets(item: &Map<String, Value>, key: &str, path: &str) -> Read<Option<Buckets>> {
    let Some(inner) = item.get(key).filter(|inner| !inner.is_null()) else { return Ok(None) };
    let path = format!("{path}.{key}");
    let inner = object(inner, &path)?;
    Ok(Some(Buckets { offset: number(inner, "offset", &path)?, bucket_counts: counts(inner, &path)? }))
}

fn summary_point(item: &Map<String, Value>, path: &str) -> Read<proto::SummaryDataPoint> {
    let mut quantile_values = Vec::new();
    for (index, own) in list(item, "quantileValues", path)?.iter().enumerate() {
        let path = format!("{path}.quantileValues[{index}]");
        let own = object(own, &path)?;
        quantile_values.push(proto::summary_data_point::ValueAtQuantile {
            quantile: optional(own, "quantile", &path)?.unwrap_or(0.0),
            value: optional(own, "value", &path)?.unwrap_or(0.0),
        });
    }
    Ok(proto::SummaryDataPoint {
        attributes: attributes(item, "attributes", path)?,
        start_time_unix_nano: number(item, "startTimeUnixNano", path)?,
        time_unix_nano: number(item, "timeUnixNano", path)?,
        count: number(item, "count", path)?,
        sum: optional(item, "sum", path)?.unwrap_or(0.0),
        quantile_values,
        flags: number(item, "flags", path)?,
    })
}

fn exemplars(item: &Map<String, Value>, path: &str) -> Read<Vec<proto::Exemplar>> {
    let read = |(index, own): (usize, &Value)| {
        let path = format!("{path}.exemplars[{index}]");
        let own = object(own, &path)?;
        let value = match own.get("asInt").filter(|int| !int.is_null()) {
            Some(_) => Some(proto::exemplar::Value::AsInt(number(own, "asInt", &path)?)),
            None => optional(own, "asDouble", &path)?.map(proto::exemplar::Value::AsDouble),
        };
        Ok(proto::Exemplar {
            time_unix_nano: number(own, "timeUnixNano", &path)?,
            span_id: hex(own, "spanId", &path)?,
            trace_id: hex(own, "traceId", &path)?,
            value,
            ..proto::Exemplar::default()
        })
    };
    list(item, "exemplars", path)?.iter().enumerate().map(read).collect()
}

fn optional(item: &Map<String, Value>, key: &str, path: &str) -> Read<Option<f64>> {
    match item.get(key).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => double(value).map(Some).ok_or_else(|| fault(path, key, "expected a number")),
    }
}

fn doubles(item: &Map<String, Value>, key: &str, path: &str) -> Read<Vec<f64>> {
    list(item, key, path)?.iter().map(|value| double(value).ok_or_else(|| fault(path, key, "expected numbers"))).collect()
}

/// 64-bit integers are texts in ProtoJSON, and many write them as numbers.
fn counts(item: &Map<String, Value>, path: &str) -> Read<Vec<u64>> {
    let count = |value: &Value| match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    list(item, "bucketCounts", path)?
        .iter()
        .map(|value| count(value).ok_or_else(|| fault(path, "bucketCounts", "expected whole numbers from 0 on")))
        .collect()
}

fn truth(item: &Map<String, Value>, key: &str, path: &str) -> Read<bool> {
    match item.get(key).filter(|value| !value.is_null()) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| fault(path, key, "expected true or false")),
    }
}
