//! Metrics for tests, as senders write them.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use serde_json::{Value, json};
use slowburn_domain::time::Timestamp;

use crate::json::{attributes, hex};
use crate::text;

/// OTLP's number for what counts from the beginning of a series.
pub const CUMULATIVE: i32 = 2;
/// OTLP's number for what counts from the point before.
pub const DELTA: i32 = 1;

/// A whole number at an instant.
pub fn int_point(at: Timestamp, value: i64, attributes: Vec<KeyValue>) -> NumberDataPoint {
    NumberDataPoint {
        time_unix_nano: at.nanos().cast_unsigned(),
        value: Some(number_data_point::Value::AsInt(value)),
        attributes,
        ..NumberDataPoint::default()
    }
}

/// A cumulative counter.
pub fn counter(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    let data = Data::Sum(Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: true });
    Metric { name: name.to_owned(), unit: "{request}".to_owned(), data: Some(data), ..Metric::default() }
}

/// A gauge.
pub fn gauge(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    Metric { name: name.to_owned(), data: Some(Data::Gauge(Gauge { data_points })), ..Metric::default() }
}

/// A histogram in seconds.
pub fn histogram(name: &str, temporality: i32, data_points: Vec<HistogramDataPoint>) -> Metric {
    let data = Data::Histogram(Histogram { data_points, aggregation_temporality: temporality });
    Metric { name: name.to_owned(), unit: "s".to_owned(), data: Some(data), ..Metric::default() }
}

/// Observations at an instant, by bucket; an exemplar for each of `traces`.
pub fn histogram_point(
    at: Timestamp,
    bounds: &[f64],
    counts: &[u64],
    traces: &[(u128, f64)],
    attributes: Vec<KeyValue>,
) -> HistogramDataPoint {
    let exemplars = traces.iter().map(|(trace, value)| Exemplar {
        time_unix_nano: at.nanos().cast_unsigned(),
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: 1_u64.to_be_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(*value)),
        ..Exemplar::default()
    });
    HistogramDataPoint {
        time_unix_nano: at.nanos().cast_unsigned(),
        count: counts.iter().sum(),
        sum: Some(1.0),
        explicit_bounds: bounds.to_vec(),
        bucket_counts: counts.to_vec(),
        exemplars: exemplars.collect(),
        attributes,
        ..HistogramDataPoint::default()
    }
}

/// A request with metrics of one service.
pub fn metric_request(service: &str, metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes: vec![text("service.name", service)], ..Resource::default() }),
            scope_metrics: vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

/// The same, as the bytes that a sender writes.
pub fn metric_body(service: &str, metrics: Vec<Metric>) -> Vec<u8> {
    metric_request(service, metrics).encode_to_vec()
}

/// A request in JSON. Forms: gauges, sums and histograms.
pub fn metrics_to_json(request: &ExportMetricsServiceRequest) -> Value {
    let resources = request.resource_metrics.iter().map(|resource| {
        let scopes = resource.scope_metrics.iter().map(|scope| json!({"metrics": scope.metrics.iter().map(metric).collect::<Vec<_>>()}));
        let own = resource.resource.as_ref().map(|resource| json!({"attributes": attributes(&resource.attributes)}));
        json!({"resource": own, "scopeMetrics": scopes.collect::<Vec<_>>()})
    });
    json!({"resourceMetrics": resources.collect::<Vec<_>>()})
}

fn metric(metric: &Metric) -> Value {
    let mut out = json!({"name": metric.name, "unit": metric.unit, "description": metric.description});
    match &metric.data {
        Some(Data::Gauge(gauge)) => out["gauge"] = json!({"dataPoints": gauge.data_points.iter().map(number).collect::<Vec<_>>()}),
        Some(Data::Sum(sum)) => {
            out["sum"] = json!({
                "dataPoints": sum.data_points.iter().map(number).collect::<Vec<_>>(),
                "aggregationTemporality": sum.aggregation_temporality,
                "isMonotonic": sum.is_monotonic,
            });
        }
        Some(Data::Histogram(histogram)) => {
            out["histogram"] = json!({
                "dataPoints": histogram.data_points.iter().map(observations).collect::<Vec<_>>(),
                "aggregationTemporality": histogram.aggregation_temporality,
            });
        }
        other => unimplemented!("{other:?}"),
    }
    out
}

fn number(point: &NumberDataPoint) -> Value {
    let mut out = json!({
        "attributes": attributes(&point.attributes),
        "startTimeUnixNano": point.start_time_unix_nano.to_string(),
        "timeUnixNano": point.time_unix_nano.to_string(),
        "flags": point.flags,
    });
    match point.value {
        Some(number_data_point::Value::AsInt(number)) => out["asInt"] = json!(number.to_string()),
        Some(number_data_point::Value::AsDouble(number)) => out["asDouble"] = json!(number),
        None => {}
    }
    out
}

fn observations(point: &HistogramDataPoint) -> Value {
    let exemplars = point.exemplars.iter().map(|exemplar| {
        let value = if let Some(exemplar::Value::AsDouble(value)) = exemplar.value { value } else { 0.0 };
        json!({
            "timeUnixNano": exemplar.time_unix_nano.to_string(),
            "traceId": hex(&exemplar.trace_id),
            "spanId": hex(&exemplar.span_id),
            "asDouble": value,
        })
    });
    json!({
        "attributes": attributes(&point.attributes),
        "timeUnixNano": point.time_unix_nano.to_string(),
        "count": point.count.to_string(),
        "sum": point.sum,
        "explicitBounds": point.explicit_bounds,
        "bucketCounts": point.bucket_counts.iter().map(u64::to_string).collect::<Vec<_>>(),
        "exemplars": exemplars.collect::<Vec<_>>(),
    })
}
