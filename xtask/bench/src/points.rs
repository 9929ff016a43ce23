//! Metric points in, at several paces, and what they cost in time, processor, memory and disk.
//!
//! Eighteen senders, three of each service, each read their 160 series at the same instants, as SDKs do, and send every reading as
//! one request: counters by route, method and status that only rise, gauges, and histograms of fourteen buckets. Afterwards every
//! point must be stored once, and the counters must have risen by what was sent.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric,
    number_data_point,
};
use prost::Message as _;
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::otlp::{Request, attribute, resource};
use crate::phase::Phase;
use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::SERVICES;
use crate::verify::get;
use crate::{database, say};

/// Floor of H8 for metric points, a second.
const FLOOR: f64 = 100_000.0;
const AIM: f64 = 500_000.0;
/// How long the paced loads last.
const PACED: Duration = Duration::from_secs(10);

/// Processes of each service.
const INSTANCES: usize = 3;
const SENDERS: usize = SERVICES.len() * INSTANCES;
const ROUTES: usize = 10;
const METHODS: [&str; 2] = ["GET", "POST"];
const STATUSES: [i64; 5] = [200, 201, 404, 429, 500];
const GAUGES: usize = 40;
/// Upper bounds of the histograms' buckets, seconds: those that OpenTelemetry gives for HTTP.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Points of a request.
const POINTS: usize = ROUTES * METHODS.len() * STATUSES.len() + GAUGES + ROUTES * METHODS.len();
/// Between two readings of a sender, nanoseconds of their own time.
const STEP_NS: u64 = 500_000_000;

/// Readings of all senders.
#[derive(Clone, Copy, Debug)]
struct Readings {
    /// Different for every load: its processes are others.
    seed: u64,
    /// Of each sender.
    count: u64,
    /// When the senders began; the first reading is a step later.
    from_ns: u64,
}

impl Readings {
    const fn points(self) -> usize {
        self.count as usize * SENDERS * POINTS
    }

    /// What the counters rose by, all together.
    fn rise(self) -> u64 {
        let of_sender: u64 = (0..ROUTES * METHODS.len() * STATUSES.len()).map(rise_of).sum();
        of_sender * SENDERS as u64 * self.count
    }

    /// In the order of sending.
    fn requests(self) -> Vec<Request> {
        (1..=self.count).flat_map(|number| (0..SENDERS).map(move |sender| self.request(sender, number))).collect()
    }

    fn request(self, sender: usize, number: u64) -> Request {
        let at = self.from_ns + number * STEP_NS;
        let mut own = resource(SERVICES[sender % SERVICES.len()]);
        let instance = format!("{}-{sender}", self.seed);
        own.attributes.retain(|pair| pair.key != "service.instance.id");
        own.attributes.push(text("service.instance.id", &instance));
        let resource_metrics = vec![ResourceMetrics {
            resource: Some(own),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope { name: "shop.http".to_owned(), version: "2.4.0".to_owned(), ..Default::default() }),
                metrics: vec![self.counters(number, at), gauges(sender, number, at), histograms(number, at)],
                ..Default::default()
            }],
            ..Default::default()
        }];
        Request { body: Bytes::from(ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()), records: POINTS }
    }

    fn counters(self, number: u64, at: u64) -> Metric {
        let points = routes().flat_map(|route| STATUSES.map(|status| (route.clone(), status))).enumerate();
        let data_points = points
            .map(|(index, (mut attributes, status))| {
                attributes.push(attribute("http.response.status_code", OtlpValue::IntValue(status)));
                NumberDataPoint {
                    attributes,
                    start_time_unix_nano: self.from_ns,
                    time_unix_nano: at,
                    value: Some(number_data_point::Value::AsInt((rise_of(index) * number).cast_signed())),
                    ..Default::default()
                }
            })
            .collect();
        let sum = Sum { data_points, aggregation_temporality: AggregationTemporality::Cumulative.into(), is_monotonic: true };
        named("http.server.requests", "{request}", metric::Data::Sum(sum))
    }
}

/// What a counter rises by from one reading to the next.
const fn rise_of(index: usize) -> u64 {
    index as u64 % 7 + 1
}

fn histograms(number: u64, at: u64) -> Metric {
    let data_points = routes()
        .enumerate()
        .map(|(index, attributes)| {
            let bucket_counts: Vec<u64> = (0..=BOUNDS.len() as u64).map(|bucket| number * (bucket + index as u64) % 97).collect();
            HistogramDataPoint {
                attributes,
                start_time_unix_nano: at - STEP_NS,
                time_unix_nano: at,
                count: bucket_counts.iter().sum(),
                sum: Some(number as f64 * 0.731),
                bucket_counts,
                explicit_bounds: BOUNDS.to_vec(),
                ..Default::default()
            }
        })
        .collect();
    let histogram = Histogram { data_points, aggregation_temporality: AggregationTemporality::Delta.into() };
    named("http.server.request.duration", "s", metric::Data::Histogram(histogram))
}

fn gauges(sender: usize, number: u64, at: u64) -> Metric {
    let data_points = (0..GAUGES)
        .map(|pool| NumberDataPoint {
            attributes: vec![text("pool", &format!("pool-{pool}"))],
            time_unix_nano: at,
            value: Some(number_data_point::Value::AsDouble(((number as f64 / 9.0 + (sender + pool) as f64).sin() + 1.0) * 50.0)),
            ..Default::default()
        })
        .collect();
    named("db.client.connections.usage", "{connection}", metric::Data::Gauge(Gauge { data_points }))
}

fn routes() -> impl Iterator<Item = Vec<KeyValue>> {
    let both = (0..ROUTES).flat_map(|route| METHODS.map(|method| (route, method)));
    both.map(|(route, method)| vec![text("http.route", &format!("/shop/{route}/{{id}}")), text("http.request.method", method)])
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, OtlpValue::StringValue(value.to_owned()))
}

fn named(name: &str, unit: &str, data: metric::Data) -> Metric {
    Metric { name: name.to_owned(), unit: unit.to_owned(), data: Some(data), ..Default::default() }
}

/// Runs all loads against one server and adds the figures of H8 for metric points. `points` are sent as fast as they are taken.
pub(crate) async fn measure(product: &Product, folder: &Path, points: usize, report: &mut Report) -> Result<()> {
    say("starting a server for metric points");
    let server = Server::start(product, folder, "points", false, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    report.machine.postgres = database::version(&mut link).await?;

    let paced = |pace: f64| (pace * PACED.as_secs_f64()) as usize;
    let (first, half) = phase(&server, &mut link, 1, paced(FLOOR / 2.0), Some(FLOOR / 2.0)).await?;
    let (second, floor) = phase(&server, &mut link, 2, paced(FLOOR), Some(FLOOR)).await?;
    let (third, full) = phase(&server, &mut link, 3, points, None).await?;
    say("adding up what the counters rose by");
    verify(&server, &client, &mut link, &[first, second, third]).await?;
    say("waiting for the merge");
    let (merged, waiting) = database::few_waiting(&mut link).await?;
    let per_point = database::sealed_bytes(&mut link).await? as f64 / merged as f64;

    report.add(
        "H8",
        format!("metric points acknowledged, {} of them, every one stored once", full.sent.records),
        full.sent.rate(),
        "/s",
        Bound::AtLeast { floor: FLOOR, aim: AIM },
    );
    let request = format!("acknowledgement of a request of {POINTS} points");
    report.add("", format!("{request}, p50"), full.sent.acknowledged.p50, "ms", Bound::None);
    report.add("", format!("{request}, p99"), full.sent.acknowledged.p99, "ms", Bound::None);
    let refusals: usize = [&half, &floor, &full].map(|phase| phase.sent.refusals).iter().sum();
    report.add("", "requests of points put off by 503", refusals as f64, "", Bound::None);
    report.add("", "processor per point, server", full.microseconds_per_record(full.spent.server), "us", Bound::None);
    report.add("", "processor per point, PostgreSQL", full.microseconds_per_record(full.spent.postgres), "us", Bound::None);
    report.add("", "processor per point, sender", full.microseconds_per_record(full.spent.sender), "us", Bound::None);
    report.add("", "processors busy meanwhile, with points", full.spent.machine_ratio() * 100.0, "%", Bound::None);
    report.add("", "disk per point, merged", per_point, "B", Bound::None);
    report.add("", "disk per point as fast as taken, before merging", full.disk_per_record(), "B", Bound::None);
    report.add("", "write-ahead log per point", full.wal_per_record(), "B", Bound::None);
    report.add("", format!("server memory at H8's floor of points, peak{}", floor.shortfall(FLOOR)), floor.peak_mib, "MiB", Bound::None);
    report.add("", "server memory with points as fast as taken, peak", full.peak_mib, "MiB", Bound::None);
    for (name, phase) in [("half of H8's floor of points", half), ("H8's floor of points", floor), ("points as fast as taken", full)] {
        report.detail(name, phase.detail())?;
    }
    report.detail("points merged", json!({ "merged": merged, "waiting": waiting, "bytes_per_point": per_point }))
}

/// Makes the requests and sends them.
async fn phase(server: &Server, link: &mut PgConnection, seed: u64, points: usize, pace: Option<f64>) -> Result<(Readings, Phase)> {
    let count = (points / (SENDERS * POINTS)).max(1) as u64;
    let from_ns = Timestamp::now().as_nanosecond() as u64 - 2_000_000_000 - count * STEP_NS;
    let readings = Readings { seed, count, from_ns };
    let requests = tokio::task::spawn_blocking(move || readings.requests()).await?;
    let phase = Phase::run(server, link, &server.metrics_url(), requests, pace, "metric points").await?;
    Ok((readings, phase))
}

/// Every point is stored once, and the counters rose by what was sent.
async fn verify(server: &Server, client: &Client, link: &mut PgConnection, sent: &[Readings]) -> Result<()> {
    let points: usize = sent.iter().map(|readings| readings.points()).sum();
    let stored: i64 = sqlx::query_scalar("SELECT coalesce(sum(records), 0)::bigint FROM segments WHERE signal = 2").fetch_one(link).await?;
    ensure!(stored == points as i64, "{stored} points are stored, acknowledged were {points}");
    let first_ns = sent.iter().map(|readings| readings.from_ns).min().context("nothing was sent")?;
    let from = Timestamp::from_nanosecond(i128::from(first_ns) - 60_000_000_000)?;
    let mut rise = 0.0;
    // A question reads so many points and no more; those of one service are within that.
    for service in SERVICES {
        let question = format!("/api/v1/metrics/query?name=http.server.requests&aggregate=increase&step=1m&from={from}&service={service}");
        let answer = get(server, client, &question).await?;
        let lines = answer["items"].as_array().context("a metric without lines")?;
        rise += lines.iter().flat_map(|line| line["values"].as_array().into_iter().flatten()).filter_map(Value::as_f64).sum::<f64>();
    }
    let expected: u64 = sent.iter().map(|readings| readings.rise()).sum();
    ensure!((rise - expected as f64).abs() < expected as f64 * 1e-9, "the counters rose by {rise}, sent were {expected}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reading_of_every_series_is_in_a_request_once() {
        let readings = Readings { seed: 1, count: 3, from_ns: 1_000_000_000 };
        let requests = readings.requests();
        assert_eq!(requests.iter().map(|request| request.records).sum::<usize>(), readings.points());
        let (mut seen, mut last, mut points) = (HashSet::new(), 0, 0);
        for request in &requests {
            let message = ExportMetricsServiceRequest::decode(request.body.clone()).expect("a message");
            let own = &message.resource_metrics[0];
            let instance = &own.resource.as_ref().expect("one").attributes.last().expect("an instance").value;
            for metric in &own.scope_metrics[0].metrics {
                match metric.data.as_ref().expect("data") {
                    metric::Data::Sum(sum) => {
                        for point in &sum.data_points {
                            points += 1;
                            assert!(seen.insert(format!("{instance:?} {:?} {}", point.attributes, point.time_unix_nano)));
                            if point.time_unix_nano == readings.from_ns + readings.count * STEP_NS
                                && let Some(number_data_point::Value::AsInt(value)) = point.value
                            {
                                last += value.cast_unsigned();
                            }
                        }
                    }
                    metric::Data::Gauge(gauge) => points += gauge.data_points.len(),
                    metric::Data::Histogram(histogram) => points += histogram.data_points.len(),
                    _ => panic!("another form"),
                }
            }
        }
        assert_eq!((points, last), (readings.points(), readings.rise()));
    }
}
