//! What each sender sends: no two requests hold the same records.

use bytes::Bytes;
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use prost::Message as _;
use serde_json::json;

use super::door::{AGENTS, Post, SIGNALS, Signal};
use super::sent::{Points, Sent, Spoken};
use crate::lines::{Line, Speech};
use crate::otlp_logs::{self, word_of};
use crate::spans::{Layout, SPANS_PER_TRACE, Workload};
use crate::{otlp, said};

/// Service of the counters.
const SERVICE: &str = "soak";
/// Service of the lines in ECS: they are counted by an objective of their own.
pub(super) const ECS_SERVICE: &str = "ecs";
/// Source of the events.
pub(super) const SOURCE: &str = "/soak";
/// Events of a request.
const EVENTS: u64 = 12;
/// Things that the events of one sender are about, so that both buckets are written.
const SUBJECTS: u64 = 4;

/// One sender of one signal.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    signal: Signal,
    /// Different for all senders on one database.
    id: u64,
    number: u64,
    /// When its counters began and were last read, Unix nanoseconds.
    begun_ns: u64,
    read_ns: u64,
    /// What its cumulative counters show: successes, failures.
    shown: [u64; 2],
}

impl Writer {
    pub(super) fn new(signal: Signal, id: u64) -> Self {
        let now = now_ns();
        Self { signal, id, number: 0, begun_ns: now, read_ns: now, shown: [0, 0] }
    }

    /// The next request, and what is there when it is acknowledged. Small ones and large ones, so that both parts of a slot are used.
    pub(super) fn next(&mut self) -> (Post, Sent) {
        self.number += 1;
        let now = now_ns();
        let is_large = self.number.is_multiple_of(3);
        let seed = self.id << 24 | self.number;
        let (from_ns, until_ns) = (now - 3_000_000_000, now - 2_000_000_000);
        let speech = |lines| Spoken { speech: Speech { seed, lines, from_ns, until_ns }, is_sound: false };
        match self.signal {
            Signal::Spans => {
                let traces = if is_large { 300 } else { 2 };
                spans(Workload { seed, traces, from_ns, until_ns, layout: Layout::Together })
            }
            Signal::OtlpLogs => otlp_lines(speech(if is_large { 800 } else { 5 })),
            Signal::EcsLogs => ecs_lines(speech(if is_large { 200 } else { 3 })),
            Signal::Points => self.points(now),
            Signal::Events => events(self.id, self.number, 0),
            Signal::Heartbeats => {
                let agent = AGENTS[(self.number % 2) as usize].0;
                let sent = Sent { beats: [(agent, (1, 0))].into(), ..Sent::default() };
                finish(Signal::Heartbeats, agent, Bytes::new(), 1, sent)
            }
        }
    }

    /// A reading of each counter.
    fn points(&mut self, now: u64) -> (Post, Sent) {
        let rises = [3 + self.number % 5, self.number % 2];
        let point = |code: &str, value: u64, start: u64| NumberDataPoint {
            attributes: [("code", code.to_owned()), ("sender", self.id.to_string())]
                .map(|(key, value)| otlp::attribute(key, OtlpValue::StringValue(value)))
                .to_vec(),
            start_time_unix_nano: start,
            time_unix_nano: now,
            value: Some(number_data_point::Value::AsInt(value.cast_signed())),
            ..Default::default()
        };
        let before = self.read_ns;
        let deltas = vec![point("200", rises[0], before), point("500", rises[1], before)];
        self.shown = [self.shown[0] + rises[0], self.shown[1] + rises[1]];
        let shown = vec![point("200", self.shown[0], self.begun_ns), point("500", self.shown[1], self.begun_ns)];
        self.read_ns = now;
        let counter = |name: &str, temporality: AggregationTemporality, data_points| Metric {
            name: name.to_owned(),
            unit: "{order}".to_owned(),
            data: Some(metric::Data::Sum(Sum { data_points, aggregation_temporality: temporality.into(), is_monotonic: true })),
            ..Default::default()
        };
        let resource_metrics = vec![ResourceMetrics {
            resource: Some(otlp::resource(SERVICE)),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![
                    counter("soak.deltas", AggregationTemporality::Delta, deltas),
                    counter("soak.orders", AggregationTemporality::Cumulative, shown),
                ],
                ..Default::default()
            }],
            ..Default::default()
        }];
        let rose = rises[0] + rises[1];
        let points = Points { deltas: rose, rose, failed: rises[1], late: 0, last_ns: now };
        let body = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
        finish(Signal::Points, "", body.into(), 4, Sent { points, ..Sent::default() })
    }
}

/// The request of a workload.
pub(super) fn spans(workload: Workload) -> (Post, Sent) {
    let request = otlp::requests_of(&workload, workload.traces * SPANS_PER_TRACE).remove(0);
    finish(Signal::Spans, "", request.body, request.records, Sent { workloads: vec![workload], ..Sent::default() })
}

/// Lines in one OTLP request.
pub(super) fn otlp_lines(spoken: Spoken) -> (Post, Sent) {
    let request = otlp_logs::request(spoken.lines().collect());
    finish(Signal::OtlpLogs, "", request.body, request.records, Sent { otlp: vec![spoken], ..Sent::default() })
}

fn ecs_lines(spoken: Spoken) -> (Post, Sent) {
    let (mut body, mut records) = (String::new(), 0);
    for Line { time_ns, severity, body: message, .. } in spoken.lines() {
        let time = Timestamp::from_nanosecond(time_ns.into()).unwrap_or_default().to_string();
        let level = word_of(severity);
        let line = json!({"@timestamp": time, "log.level": level, "message": message, "service": {"name": ECS_SERVICE}});
        body.push_str(&line.to_string());
        body.push('\n');
        records += 1;
    }
    finish(Signal::EcsLogs, "", body.into(), records, Sent { ecs: vec![spoken], ..Sent::default() })
}

/// Events of a sender, each with so many letters of ballast. Ids rise, also within a subject.
pub(super) fn events(sender: u64, number: u64, ballast: usize) -> (Post, Sent) {
    let first = number * EVENTS;
    let ids: Vec<(String, bool)> = (first..first + EVENTS).map(|id| (format!("{sender}-{id:09}"), id % 7 == 0)).collect();
    let items = ids.iter().zip(first..).map(|((id, failed), index)| {
        json!({
            "specversion": "1.0", "id": id, "source": SOURCE, "type": if *failed { "order.failed" } else { "order.placed" },
            "subject": format!("shelf-{sender}-{}", index % SUBJECTS), "data": {"city": "Leipzig", "note": "z ".repeat(ballast / 2)},
        })
    });
    let body = serde_json::Value::Array(items.collect()).to_string();
    finish(Signal::Events, "", body.into(), EVENTS as usize, Sent { events: ids, ..Sent::default() })
}

fn finish(signal: Signal, agent: &'static str, body: Bytes, records: usize, mut sent: Sent) -> (Post, Sent) {
    let mut counts = [0; SIGNALS];
    counts[signal as usize] = records as u64;
    sent.records = counts;
    (Post { signal, agent, body, records }, sent)
}

pub(super) fn now_ns() -> u64 {
    Timestamp::now().as_nanosecond() as u64
}

/// Whether a request with these lines tells of an error.
pub(super) fn has_error(spoken: Spoken) -> bool {
    spoken.lines().any(|line| line.severity >= said::ERROR)
}
