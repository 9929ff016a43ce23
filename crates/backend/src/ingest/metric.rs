//! OTLP's metrics to ours, point by point. What is wrong with one is said by field.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1 as proto;
use proto::metric::Data;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::metric::{
    Buckets, Exemplar, ExponentialHistogram, Histogram, Metric, MetricKind, Point, PointValue, Series, Summary, Temporality,
};
use slowburn_domain::span::{Source, Value};
use slowburn_domain::time::Timestamp;
use xxhash_rust::xxh3::Xxh3;

use super::span::{Fault, attributes, check_time, timestamp};

/// Longest name of a metric, bytes, as for an operation.
const LONGEST_NAME: usize = 1_024;
/// Longest description that is kept, bytes.
const LONGEST_DESCRIPTION: usize = 1_024;
/// Longest unit, bytes. OpenTelemetry allows 63 characters.
const LONGEST_UNIT: usize = 128;
/// Exemplars kept of a point.
const MOST_EXEMPLARS: usize = 8;
/// OTLP's `DataPointFlags`: there was nothing to show.
const NO_RECORDED_VALUE: u32 = 1;

/// A metric whose points are about to be read.
pub(super) struct Stream {
    metric: Arc<Metric>,
    name: Arc<str>,
    service: Arc<str>,
    source: Arc<Source>,
    /// Hash of everything that its series share.
    hash: u64,
}

/// What the points of every form have.
pub(super) struct Draft {
    attributes: Vec<KeyValue>,
    start: u64,
    time: u64,
    flags: u32,
    value: Result<PointValue, Fault>,
    exemplars: Vec<proto::Exemplar>,
}

/// Where the points of a metric stand, and how many there are.
pub(super) fn list(data: &Data) -> (&'static str, usize) {
    match data {
        Data::Gauge(gauge) => ("gauge", gauge.data_points.len()),
        Data::Sum(sum) => ("sum", sum.data_points.len()),
        Data::Histogram(histogram) => ("histogram", histogram.data_points.len()),
        Data::ExponentialHistogram(histogram) => ("exponential_histogram", histogram.data_points.len()),
        Data::Summary(summary) => ("summary", summary.data_points.len()),
    }
}

/// Reads what the points of a metric have in common.
pub(super) fn stream(metric: &mut proto::Metric, data: &Data, source: &Arc<Source>) -> Result<Stream, Fault> {
    let (kind, temporality, is_monotonic) = match data {
        Data::Gauge(_) => (MetricKind::Gauge, None, false),
        Data::Sum(sum) => (MetricKind::Sum, Some(sum.aggregation_temporality), sum.is_monotonic),
        Data::Histogram(histogram) => (MetricKind::Histogram, Some(histogram.aggregation_temporality), true),
        Data::ExponentialHistogram(histogram) => (MetricKind::ExponentialHistogram, Some(histogram.aggregation_temporality), true),
        Data::Summary(_) => (MetricKind::Summary, None, true),
    };
    let temporality = match temporality.map(Temporality::from_number) {
        Some(Temporality::None) => return Err(("aggregation_temporality", "expected delta (1) or cumulative (2)".to_owned())),
        // The count of a summary is what was observed since the series began.
        None if kind == MetricKind::Summary => Temporality::Cumulative,
        None => Temporality::None,
        Some(known) => known,
    };
    let name = cut(std::mem::take(&mut metric.name), LONGEST_NAME);
    if name.is_empty() {
        return Err(("name", "missing".to_owned()));
    }
    let metric = Metric {
        name,
        unit: cut(std::mem::take(&mut metric.unit), LONGEST_UNIT),
        description: cut(std::mem::take(&mut metric.description), LONGEST_DESCRIPTION),
        kind,
        temporality,
        is_monotonic,
    };
    let mut hasher = Xxh3::new();
    for text in [&metric.name, &metric.unit, &source.service, &source.scope_name] {
        hasher.update(text.as_bytes());
        hasher.update(&[0xff]);
    }
    hasher.update(&[kind as u8, temporality as u8, u8::from(is_monotonic)]);
    // In one order: some senders give them out in another each time.
    let mut resource: Vec<_> = source.resource.iter().collect();
    resource.sort_by(|a, b| a.0.cmp(&b.0));
    add_attributes(&mut hasher, resource);
    Ok(Stream {
        name: metric.name.as_str().into(),
        service: source.service.as_str().into(),
        metric: Arc::new(metric),
        source: Arc::clone(source),
        hash: hasher.digest(),
    })
}

/// The points of a metric, in order.
pub(super) fn drafts(data: Data) -> Vec<Draft> {
    match data {
        Data::Gauge(proto::Gauge { data_points }) | Data::Sum(proto::Sum { data_points, .. }) => {
            data_points.into_iter().map(number).collect()
        }
        Data::Histogram(histogram) => histogram.data_points.into_iter().map(self::histogram).collect(),
        Data::ExponentialHistogram(histogram) => histogram.data_points.into_iter().map(exponential).collect(),
        Data::Summary(summary) => summary.data_points.into_iter().map(self::summary).collect(),
    }
}

impl Draft {
    /// Its attributes, by key; take them once.
    pub(super) fn attributes(&mut self) -> Vec<(String, Value)> {
        let mut own = attributes(std::mem::take(&mut self.attributes));
        own.sort_by(|a, b| a.0.cmp(&b.0));
        own
    }

    /// The point and its series, as of `now`.
    pub(super) fn point(self, attributes: Vec<(String, Value)>, stream: &Stream, now: Timestamp) -> Result<(Point, Series), Fault> {
        let time = timestamp(self.time).ok_or(("time_unix_nano", "missing or out of range".to_owned()))?;
        check_time("time_unix_nano", time, now)?;
        let value = if self.flags & NO_RECORDED_VALUE == 0 { self.value? } else { PointValue::Nothing };
        let mut hasher = Xxh3::new();
        hasher.update(&stream.hash.to_le_bytes());
        add_attributes(&mut hasher, &attributes);
        let id = hasher.digest().cast_signed();
        let exemplars = self.exemplars.into_iter().filter_map(|exemplar| exemplar_of(exemplar, time)).take(MOST_EXEMPLARS).collect();
        let point = Point {
            series: id,
            metric: Arc::clone(&stream.name),
            service: Arc::clone(&stream.service),
            start: timestamp(self.start).filter(|start| *start <= time),
            time,
            value,
            exemplars,
        };
        Ok((point, Series { id, metric: Arc::clone(&stream.metric), attributes, source: Arc::clone(&stream.source) }))
    }
}

impl Stream {
    /// The service that sends it.
    pub(super) fn service(&self) -> &str {
        &self.service
    }

    /// Name of the metric.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn number(point: proto::NumberDataPoint) -> Draft {
    use proto::number_data_point::Value as Number;

    let value = match point.value {
        Some(Number::AsInt(number)) => Ok(PointValue::Int(number)),
        Some(Number::AsDouble(number)) if number.is_finite() => Ok(PointValue::Double(number)),
        Some(Number::AsDouble(_)) => Ok(PointValue::Nothing),
        None => Err(("value", "missing".to_owned())),
    };
    let proto::NumberDataPoint { attributes, start_time_unix_nano: start, time_unix_nano: time, flags, exemplars, .. } = point;
    Draft { attributes, start, time, flags, value, exemplars }
}

fn histogram(point: proto::HistogramDataPoint) -> Draft {
    let proto::HistogramDataPoint {
        attributes,
        start_time_unix_nano: start,
        time_unix_nano: time,
        count,
        sum,
        bucket_counts,
        explicit_bounds,
        exemplars,
        flags,
        min,
        max,
    } = point;
    let value = check_buckets(count, &bucket_counts, &explicit_bounds).map(|()| {
        let bounds = if bucket_counts.is_empty() { Vec::new() } else { explicit_bounds };
        PointValue::Histogram(Histogram { count, sum: finite(sum), min: finite(min), max: finite(max), bounds, counts: bucket_counts })
    });
    Draft { attributes, start, time, flags, value, exemplars }
}

fn check_buckets(count: u64, counts: &[u64], bounds: &[f64]) -> Result<(), Fault> {
    if counts.is_empty() {
        return Ok(());
    }
    if counts.len() != bounds.len() + 1 {
        return Err(("bucket_counts", format!("{} of them, with {} bounds; expected one more than bounds", counts.len(), bounds.len())));
    }
    if bounds.iter().any(|bound| bound.is_nan()) || bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(("explicit_bounds", "expected to ascend".to_owned()));
    }
    check_count(count, counts.iter())
}

fn check_count<'a>(count: u64, counts: impl Iterator<Item = &'a u64>) -> Result<(), Fault> {
    let held = counts.fold(0_u64, |sum, count| sum.saturating_add(*count));
    if held == count { Ok(()) } else { Err(("count", format!("{count}, and the buckets hold {held}"))) }
}

fn exponential(point: proto::ExponentialHistogramDataPoint) -> Draft {
    let proto::ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: start,
        time_unix_nano: time,
        count,
        sum,
        scale,
        zero_count,
        positive,
        negative,
        flags,
        exemplars,
        min,
        max,
        zero_threshold,
    } = point;
    let buckets = |buckets: Option<proto::exponential_histogram_data_point::Buckets>| {
        buckets.map_or_else(Buckets::default, |buckets| Buckets { offset: buckets.offset, counts: buckets.bucket_counts })
    };
    let (positive, negative) = (buckets(positive), buckets(negative));
    let value = if !(-10..=20).contains(&scale) {
        Err(("scale", format!("{scale}; expected −10 to 20")))
    } else if !(zero_threshold.is_finite() && zero_threshold >= 0.0) {
        Err(("zero_threshold", "expected a number from 0 on".to_owned()))
    } else {
        check_count(count, positive.counts.iter().chain(&negative.counts).chain([&zero_count])).map(|()| {
            let (sum, min, max) = (finite(sum), finite(min), finite(max));
            PointValue::Exponential(Box::new(ExponentialHistogram {
                count,
                sum,
                min,
                max,
                scale,
                zero_count,
                zero_threshold,
                positive,
                negative,
            }))
        })
    };
    Draft { attributes, start, time, flags, value, exemplars }
}

fn summary(point: proto::SummaryDataPoint) -> Draft {
    let proto::SummaryDataPoint { attributes, start_time_unix_nano: start, time_unix_nano: time, count, sum, quantile_values, flags } =
        point;
    let mut quantiles: Vec<(f64, f64)> = quantile_values.iter().map(|own| (own.quantile, own.value)).collect();
    quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let value = if quantiles.iter().all(|(quantile, _)| (0.0..=1.0).contains(quantile)) {
        // A quantile of nothing is told as NaN.
        quantiles.retain(|(_, value)| value.is_finite());
        Ok(PointValue::Summary(Summary { count, sum: finite(Some(sum)).unwrap_or(0.0), quantiles }))
    } else {
        Err(("quantile_values", "expected quantiles from 0 to 1".to_owned()))
    };
    Draft { attributes, start, time, flags, value, exemplars: Vec::new() }
}

fn exemplar_of(exemplar: proto::Exemplar, time: Timestamp) -> Option<Exemplar> {
    let value = match exemplar.value? {
        proto::exemplar::Value::AsDouble(number) => number,
        proto::exemplar::Value::AsInt(number) => number as f64,
    };
    value.is_finite().then(|| Exemplar {
        time: timestamp(exemplar.time_unix_nano).unwrap_or(time),
        value,
        trace_id: TraceId::from_bytes(&exemplar.trace_id).ok(),
        span_id: SpanId::from_bytes(&exemplar.span_id).ok(),
    })
}

fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn cut(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

fn add_attributes<'a>(hasher: &mut Xxh3, attributes: impl IntoIterator<Item = &'a (String, Value)>) {
    for (key, value) in attributes {
        hasher.update(key.as_bytes());
        match value {
            Value::String(text) => {
                hasher.update(&[0xff, 1]);
                hasher.update(text.as_bytes());
            }
            Value::Int(number) => {
                hasher.update(&[0xff, 2]);
                hasher.update(&number.to_le_bytes());
            }
            other => {
                hasher.update(&[0xff, 3]);
                hasher.update(other.to_string().as_bytes());
            }
        }
        hasher.update(&[0xff, 0xff]);
    }
}

/// What the points of a metric take in memory as OTLP has them, bytes.
pub(super) fn weight(metric: &proto::Metric) -> usize {
    let each = |points: usize, size: usize| points * size;
    match &metric.data {
        None => 0,
        Some(Data::Gauge(gauge)) => each(gauge.data_points.len(), size_of::<proto::NumberDataPoint>()),
        Some(Data::Sum(sum)) => each(sum.data_points.len(), size_of::<proto::NumberDataPoint>()),
        Some(Data::Histogram(histogram)) => each(histogram.data_points.len(), size_of::<proto::HistogramDataPoint>()),
        Some(Data::ExponentialHistogram(histogram)) => each(histogram.data_points.len(), size_of::<proto::ExponentialHistogramDataPoint>()),
        Some(Data::Summary(summary)) => each(summary.data_points.len(), size_of::<proto::SummaryDataPoint>()),
    }
}
