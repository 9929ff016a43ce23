//! What the shop's processes measure: how long requests take, how many orders there are, how many messages wait. The figures
//! follow from the spans, so that a chart's dots lead to the traces that it is made of.
//!
//! Readings lie on the same instants however often spans are handed over, so history and live traffic measure alike. Counters
//! begin at zero with the shop, as they do in every process that is restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use opentelemetry::trace::SpanKind;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;

use super::fleet::{CHECKOUT, NOTIFICATIONS, Process, SHIPPING};
use super::said::{attribute, nanos};
use super::sink::Finished;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds between two readings.
const EVERY: u64 = 30;
/// Readings sent in one request.
const AT_ONCE: usize = 10;
/// Upper bounds of the buckets of a request's duration, seconds, as the semantic conventions advise.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Attributes of a request's span that its duration has too.
const SHARED: [&str; 5] = ["http.request.method", "http.route", "http.response.status_code", "error.type", "url.scheme"];
/// Who waits for messages of which topic.
const QUEUES: [(&str, Process); 3] = [("orders", SHIPPING), ("orders", NOTIFICATIONS), ("shipments", NOTIFICATIONS)];

/// Attributes by which one series differs from others, as text.
type Key = Vec<(&'static str, String)>;

/// Everything measured since the shop began.
#[derive(Debug)]
pub(super) struct Figures {
    endpoint: String,
    client: reqwest::Client,
    /// When counting began.
    began: SystemTime,
    /// The instant of the next reading, seconds since 1970.
    next: u64,
    requests: BTreeMap<(Process, Key), Requests>,
    /// Orders by result.
    orders: BTreeMap<&'static str, i64>,
    /// Messages that wait in each of [`QUEUES`].
    waiting: [i64; QUEUES.len()],
}

/// Durations of requests that have the same attributes.
#[derive(Debug, Default)]
struct Requests {
    attributes: Vec<KeyValue>,
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
    /// The slowest since the last reading.
    slowest: Option<Exemplar>,
}

impl Figures {
    /// Nothing measured yet, and a way to the OTLP/HTTP door at `base`.
    pub(super) fn to(base: &str, began: SystemTime) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().context("cannot make an HTTP client")?;
        Ok(Self {
            endpoint: format!("{}/v1/metrics", base.trim_end_matches('/')),
            client,
            began,
            next: nanos(began) / 1_000_000_000 / EVERY * EVERY + EVERY,
            requests: BTreeMap::new(),
            orders: BTreeMap::new(),
            waiting: [0; QUEUES.len()],
        })
    }

    /// Begins anew, as after a restart.
    pub(super) fn restart(&mut self, began: SystemTime) {
        self.began = began;
        self.next = nanos(began) / 1_000_000_000 / EVERY * EVERY + EVERY;
        self.requests.clear();
        self.orders.clear();
        self.waiting = [0; QUEUES.len()];
    }

    /// Measures spans that ended up to `now`, in the order of their ends, and sends the readings that have become due.
    pub(super) async fn measure(&mut self, ended: &[Finished], now: SystemTime) -> anyhow::Result<()> {
        let due = self.readings(ended, now);
        for resource_metrics in due.chunks(AT_ONCE) {
            let body = ExportMetricsServiceRequest { resource_metrics: resource_metrics.concat() }.encode_to_vec();
            let request = self.client.post(&self.endpoint).header("content-type", "application/x-protobuf").body(body);
            request.send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// The readings that are due at `now`, each of all processes.
    pub(super) fn readings(&mut self, ended: &[Finished], now: SystemTime) -> Vec<Vec<ResourceMetrics>> {
        let mut due = Vec::new();
        for finished in ended {
            self.read_until(finished.span.end_time, &mut due);
            self.count(finished);
        }
        self.read_until(now, &mut due);
        due
    }

    fn read_until(&mut self, until: SystemTime, due: &mut Vec<Vec<ResourceMetrics>>) {
        while SystemTime::UNIX_EPOCH + Duration::from_secs(self.next) < until {
            due.push(self.read(SystemTime::UNIX_EPOCH + Duration::from_secs(self.next)));
            self.next += EVERY;
        }
    }

    fn count(&mut self, finished: &Finished) {
        let Finished { process, span, .. } = finished;
        match span.span_kind {
            SpanKind::Server => {
                if *process == CHECKOUT && span.name == "POST /orders" {
                    *self.orders.entry(result_of(span)).or_default() += 1;
                }
                let key: Key = SHARED.iter().filter_map(|name| Some((*name, value_of(span, name)?.to_string()))).collect();
                let requests = self.requests.entry((*process, key)).or_insert_with(|| Requests {
                    attributes: SHARED.iter().filter_map(|name| Some(attribute(name, value_of(span, name)?))).collect(),
                    ..Requests::default()
                });
                requests.add(span);
            }
            SpanKind::Producer | SpanKind::Consumer => {
                let topic = value_of(span, "messaging.destination.name").map(ToString::to_string).unwrap_or_default();
                for ((queue, reader), waiting) in QUEUES.iter().zip(&mut self.waiting) {
                    if *queue != topic {
                        continue;
                    }
                    if span.span_kind == SpanKind::Producer {
                        *waiting += 1;
                    } else if reader == process {
                        // What was sent before the shop was observed is taken as well.
                        *waiting = (*waiting - 1).max(0);
                    }
                }
            }
            _ => {}
        }
    }

    /// What every process shows at an instant.
    fn read(&mut self, at: SystemTime) -> Vec<ResourceMetrics> {
        let mut by_process: BTreeMap<Process, Vec<Metric>> = BTreeMap::new();
        let (start, time) = (nanos(self.began), nanos(at));
        let processes: BTreeSet<Process> = self.requests.keys().map(|(process, _)| *process).collect();
        for process in processes {
            let own = self.requests.iter_mut().filter(|((owner, _), _)| *owner == process);
            let data_points = own.map(|(_, requests)| requests.read(start, time)).collect();
            let data =
                metric::Data::Histogram(Histogram { data_points, aggregation_temporality: AggregationTemporality::Cumulative.into() });
            let metric = named("http.server.request.duration", "s", "Duration of HTTP server requests", data);
            by_process.entry(process).or_default().push(metric);
        }
        if !self.orders.is_empty() {
            let point = |(result, count): (&&str, &i64)| number(start, time, *count, vec![text("order.result", result)]);
            let data_points = self.orders.iter().map(point).collect();
            let temporality = AggregationTemporality::Cumulative.into();
            let data = metric::Data::Sum(Sum { data_points, aggregation_temporality: temporality, is_monotonic: true });
            by_process.entry(CHECKOUT).or_default().push(named("shop.orders", "{order}", "Orders that people wanted to place", data));
        }
        for ((topic, reader), waiting) in QUEUES.iter().zip(self.waiting) {
            let attributes = vec![text("messaging.destination.name", topic), text("messaging.consumer.group.name", reader.service())];
            let data = metric::Data::Gauge(Gauge { data_points: vec![number(0, time, waiting, attributes)] });
            by_process.entry(*reader).or_default().push(named("shop.queue.depth", "{message}", "Messages that wait to be processed", data));
        }
        by_process.into_iter().map(|(process, metrics)| resource_metrics(process, metrics)).collect()
    }
}

impl Requests {
    fn add(&mut self, span: &SpanData) {
        let took = span.end_time.duration_since(span.start_time).unwrap_or_default().as_secs_f64();
        self.counts[BOUNDS.partition_point(|bound| *bound < took)] += 1;
        self.sum += took;
        let known = self.slowest.as_ref().and_then(|slowest| slowest.value);
        if !matches!(known, Some(exemplar::Value::AsDouble(slowest)) if slowest >= took) {
            self.slowest = Some(Exemplar {
                time_unix_nano: nanos(span.end_time),
                value: Some(exemplar::Value::AsDouble(took)),
                trace_id: span.span_context.trace_id().to_bytes().to_vec(),
                span_id: span.span_context.span_id().to_bytes().to_vec(),
                ..Exemplar::default()
            });
        }
    }

    fn read(&mut self, start: u64, time: u64) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes.clone(),
            start_time_unix_nano: start,
            time_unix_nano: time,
            count: self.counts.iter().sum(),
            sum: Some(self.sum),
            bucket_counts: self.counts.to_vec(),
            explicit_bounds: BOUNDS.to_vec(),
            exemplars: self.slowest.take().into_iter().collect(),
            ..HistogramDataPoint::default()
        }
    }
}

fn value_of<'s>(span: &'s SpanData, key: &str) -> Option<&'s opentelemetry::Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value)
}

/// What became of an order, by the status of the answer.
fn result_of(span: &SpanData) -> &'static str {
    match value_of(span, "http.response.status_code") {
        Some(opentelemetry::Value::I64(..400)) => "placed",
        Some(opentelemetry::Value::I64(400..500)) => "declined",
        _ => "failed",
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, &opentelemetry::Value::from(value.to_owned()))
}

fn number(start: u64, time: u64, value: i64, attributes: Vec<KeyValue>) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: start,
        time_unix_nano: time,
        value: Some(number_data_point::Value::AsInt(value)),
        ..NumberDataPoint::default()
    }
}

fn named(name: &str, unit: &str, description: &str, data: metric::Data) -> Metric {
    Metric { name: name.to_owned(), unit: unit.to_owned(), description: description.to_owned(), data: Some(data), ..Metric::default() }
}

fn resource_metrics(process: Process, metrics: Vec<Metric>) -> ResourceMetrics {
    let mut attributes: Vec<KeyValue> = process.resource().iter().map(|(key, value)| attribute(key.as_str(), value)).collect();
    // A resource has no order of its own; one sender names itself in one way.
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    let scope = InstrumentationScope { name: format!("{}.meter", process.service()), ..InstrumentationScope::default() };
    ResourceMetrics {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
        ..ResourceMetrics::default()
    }
}
