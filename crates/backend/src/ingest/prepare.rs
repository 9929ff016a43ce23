//! What a flush writes, made from spans: sorted records, index fragments, counts. CPU-bound and pure; runs on a codec
//! thread.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use slowburn_domain::id::TraceId;
use slowburn_domain::log::{LogRecord, words};
use slowburn_domain::metric::{Point, Series};
use slowburn_domain::signal::{Signal, Telemetry};
use slowburn_domain::span::{Span, Status, Value};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::trace::Fragment;
use slowburn_storage::ingest::{BadTrace, NewSegment};
use slowburn_storage::log::{Mention, mentions};
use slowburn_storage::partition::Part;
use slowburn_storage::red::{RedDeltas, RedKey};
use slowburn_storage::rollup::Deltas;
use slowburn_storage::segment::{Bloom, encode, encode_logs, encode_points, json_text, point_order};
use uuid::Uuid;

use super::records::Records;
use super::sampling::{SamplingRule, sample};
use super::sli_set::{Counted, SliSet, Unknown};
use crate::upkeep::touched_minutes;

/// Everything of one flush but the request keys.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) spans: Option<PreparedSpans>,
    pub(super) logs: Option<PreparedLogs>,
    pub(super) metrics: Option<PreparedMetrics>,
    pub(super) counts: Deltas,
}

pub(super) struct PreparedSpans {
    /// What is stored, with its index rows; `None` when sampling left everything out.
    pub(super) stored: Option<SpanSegment>,
    pub(super) red: RedDeltas,
    /// Minutes whose edges in the service map are to be counted anew for what is stored.
    pub(super) touched: BTreeSet<Minute>,
    pub(super) bad: Vec<BadTrace>,
    /// Spans that sampling left out.
    pub(super) left_out: usize,
}

/// A segment of spans with its index rows.
pub(crate) type SpanSegment = (NewSegment, Vec<Fragment>);

pub(super) struct PreparedLogs {
    pub(super) segment: NewSegment,
    pub(super) mentions: BTreeMap<Uuid, Mention>,
    pub(super) bad: Vec<BadTrace>,
}

pub(super) struct PreparedMetrics {
    pub(super) segment: NewSegment,
    /// Every series of the points, once.
    pub(super) series: Vec<Arc<Series>>,
}

/// Where a flush goes, with an id for the segment of each signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flush {
    pub(super) bucket: i16,
    pub(super) slot: i32,
    pub(super) ids: [i64; Telemetry::ALL.len()],
}

/// What came of preparing.
pub(super) enum Outcome {
    /// It can be written.
    Prepared(Box<Prepared>),
    /// Values must get a group first.
    Unknown(Unknown),
}

/// Most traces with a bad event that one flush files for an SLI: enough to show, however much fails.
const MOST_BAD_TRACES: usize = 100;

/// The version of the SLI set that points bear: they are not counted at the door, and nothing of them is left to count later.
const UNCOUNTED: i32 = i32::MAX;

/// Bytes of a Bloom filter for each record at most: a span has few attributes, a log record many words.
const SPAN_BLOOM_BYTES: usize = 4;
const LOG_BLOOM_BYTES: usize = 16;

/// Traces with a bad event.
#[derive(Default)]
pub(crate) struct BadTraces {
    by_sli: HashMap<i32, HashMap<TraceId, Timestamp>>,
    all: HashSet<TraceId>,
}

impl BadTraces {
    /// Files a bad event; of a trace the earliest counts.
    pub(crate) fn add(&mut self, sli: i32, trace_id: TraceId, at: Timestamp) {
        self.all.insert(trace_id);
        let known = self.by_sli.entry(sli).or_default();
        if known.len() < MOST_BAD_TRACES || known.contains_key(&trace_id) {
            let start = known.entry(trace_id).or_insert(at);
            *start = at.min(*start);
        }
    }

    /// All of them, also those that are not filed.
    fn traces(&self) -> &HashSet<TraceId> {
        &self.all
    }

    /// Their rows.
    pub(crate) fn into_rows(self) -> Vec<BadTrace> {
        self.by_sli.into_iter().flat_map(|(sli, traces)| traces.into_iter().map(move |(trace_id, start)| (sli, trace_id, start))).collect()
    }
}

/// Counts a record of either signal.
pub(crate) fn count_span(slis: &SliSet, span: &Span, counted: &mut Counted, bad: &mut BadTraces) {
    slis.count(Signal::Spans, span, span.end.minute(), counted, |sli| bad.add(sli, span.trace_id, span.start));
}

/// The same of a log record.
pub(crate) fn count_log(slis: &SliSet, record: &LogRecord, counted: &mut Counted, bad: &mut BadTraces) {
    slis.count(Signal::Logs, record, record.time.minute(), counted, |sli| {
        if let Some(trace_id) = record.trace_id {
            bad.add(sli, trace_id, record.time);
        }
    });
}

/// Prepares the records (at least one) of several requests for one segment of each signal. A span that comes twice in one
/// request is stored and counted once.
pub(super) fn prepare(
    requests: &[&Records],
    slis: &SliSet,
    sampling: &[SamplingRule],
    flush: Flush,
) -> Result<Outcome, slowburn_storage::Error> {
    let mut spans: Vec<&Span> = Vec::new();
    let mut logs: Vec<&LogRecord> = Vec::new();
    let mut points: Vec<&Point> = Vec::new();
    let mut series: HashMap<i64, &Arc<Series>> = HashMap::new();
    for request in requests {
        match request {
            Records::Spans(own) => {
                let mut seen: HashSet<_> = HashSet::with_capacity(own.len());
                spans.extend(own.iter().filter(|span| seen.insert((span.trace_id, span.span_id))));
            }
            Records::Logs(own) => logs.extend(own),
            Records::Metrics(own) => {
                points.extend(&own.points);
                series.extend(own.series.iter().map(|(id, series)| (*id, series)));
            }
        }
    }
    let mut counted = Counted::default();
    let (mut bad_spans, mut bad_logs) = (BadTraces::default(), BadTraces::default());
    spans.iter().for_each(|span| count_span(slis, span, &mut counted, &mut bad_spans));
    logs.iter().for_each(|record| count_log(slis, record, &mut counted, &mut bad_logs));
    if !counted.unknown.is_empty() {
        return Ok(Outcome::Unknown(counted.unknown));
    }
    let Flush { bucket, slot, ids: [span_segment, log_segment, point_segment] } = flush;
    let place = |id, records| Place { bucket, slot, part: Part::of_flush(records), id, sli_version: slis.version };
    let mut prepared = Prepared { counts: counted.deltas, ..Prepared::default() };
    if !spans.is_empty() {
        let red = red_of(&spans);
        let all = spans.len();
        let sampled = (!sampling.is_empty()).then(|| sample(sampling, &spans, bad_spans.traces()));
        if let Some(sampled) = &sampled {
            spans = sampled.iter().collect();
        }
        let stored = spans.len();
        prepared.spans = Some(PreparedSpans {
            touched: touched_minutes(&spans),
            stored: (stored > 0).then(|| stored_spans(spans, place(span_segment, stored))).transpose()?,
            red,
            bad: bad_spans.into_rows(),
            left_out: all - stored,
        });
    }
    if !logs.is_empty() {
        let mentions = mentions(logs.iter().copied());
        let place = place(log_segment, logs.len());
        prepared.logs = Some(PreparedLogs { segment: log_segment_of(&mut logs, place)?, mentions, bad: bad_logs.into_rows() });
    }
    if !points.is_empty() {
        let place = Place { sli_version: UNCOUNTED, ..place(point_segment, points.len()) };
        let series = series.into_values().map(Arc::clone).collect();
        prepared.metrics = Some(PreparedMetrics { segment: point_segment_of(&mut points, place)?, series });
    }
    Ok(Outcome::Prepared(Box::new(prepared)))
}

/// Counts spans and their durations by operation, kind, status and minute.
fn red_of(spans: &[&Span]) -> RedDeltas {
    let mut red: HashMap<(&str, &str, u8, u8, i32), slowburn_domain::sketch::Sketch> = HashMap::new();
    for span in spans {
        let key = (span.source.service.as_str(), span.operation.as_str(), span.kind as u8, span.status as u8, span.end.minute().0);
        red.entry(key).or_default().record(span.duration_nanos());
    }
    red.into_iter()
        .map(|((service, operation, kind, status, minute), sketch)| {
            let key = RedKey {
                service: service.to_owned(),
                operation: operation.to_owned(),
                kind: slowburn_domain::span::Kind::from_number(kind.into()),
                status: Status::from_number(status.into()),
                minute: Minute(minute),
            };
            (key, sketch)
        })
        .collect()
}

/// The segment of spans and a fragment for each trace.
fn stored_spans(mut spans: Vec<&Span>, place: Place) -> Result<SpanSegment, slowburn_storage::Error> {
    let mut traces: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    let mut hashes = Vec::with_capacity(spans.len() * 8);
    for span in &spans {
        traces.entry(span.trace_id).or_default().push(span);
        hashes.extend(span.attributes.iter().map(|(key, value)| Bloom::hash(key, value)));
    }
    let fragments = traces.values().filter_map(|spans| Fragment::of(spans.iter().copied())).collect();
    Ok((segment_of(&mut spans, hashes, place)?, fragments))
}

/// Where a segment is to lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) bucket: i16,
    pub(crate) slot: i32,
    pub(crate) part: Part,
    pub(crate) id: i64,
    pub(crate) sli_version: i32,
}

/// Sorts spans as segments hold them and encodes them. `hashes` are those of all their attributes.
fn segment_of(spans: &mut [&Span], hashes: Vec<u64>, place: Place) -> Result<NewSegment, slowburn_storage::Error> {
    spans.sort_by(|a, b| {
        let key = |span: &Span| (span.start, span.span_id);
        (a.source.service.as_str(), a.operation.as_str())
            .cmp(&(b.source.service.as_str(), b.operation.as_str()))
            .then_with(|| key(a).cmp(&key(b)))
    });
    let services: BTreeSet<&str> = spans.iter().map(|span| span.source.service.as_str()).collect();
    let Place { bucket, slot, part, id, sli_version } = place;
    Ok(NewSegment {
        signal: Telemetry::Spans,
        bucket,
        slot,
        part,
        id,
        from_ns: spans.iter().map(|span| span.start.nanos()).min().unwrap_or(0),
        to_ns: spans.iter().map(|span| span.end.nanos()).max().unwrap_or(0),
        records: spans.len(),
        errors: spans.iter().filter(|span| span.status == Status::Error).count(),
        sli_version,
        services: services.into_iter().map(|service| service.replace('\0', "\u{fffd}")).collect(),
        bloom: Bloom::of(hashes, spans.len() * SPAN_BLOOM_BYTES).as_bytes().to_vec(),
        body: encode(spans)?,
    })
}

/// Sorts log records as segments hold them and encodes them. The filter holds their attributes and the words of their bodies.
fn log_segment_of(records: &mut [&LogRecord], place: Place) -> Result<NewSegment, slowburn_storage::Error> {
    records.sort_by(|a, b| a.source.service.cmp(&b.source.service).then_with(|| a.time.cmp(&b.time)));
    let mut hashes = Vec::with_capacity(records.len() * 16);
    for record in records.iter() {
        hashes.extend(record.attributes.iter().map(|(key, value)| Bloom::hash(key, value)));
        match &record.body {
            Value::String(text) => hashes.extend(words(text).map(|word| Bloom::word(&word))),
            other => hashes.extend(words(&json_text(other)).map(|word| Bloom::word(&word))),
        }
    }
    let services: BTreeSet<&str> = records.iter().map(|record| record.source.service.as_str()).collect();
    let Place { bucket, slot, part, id, sli_version } = place;
    Ok(NewSegment {
        signal: Telemetry::Logs,
        bucket,
        slot,
        part,
        id,
        from_ns: records.iter().map(|record| record.time.nanos()).min().unwrap_or(0),
        to_ns: records.iter().map(|record| record.time.nanos()).max().unwrap_or(0),
        records: records.len(),
        errors: records.iter().filter(|record| record.severity.is_error()).count(),
        sli_version,
        services: services.into_iter().map(|service| service.replace('\0', "\u{fffd}")).collect(),
        bloom: Bloom::of(hashes, records.len() * LOG_BLOOM_BYTES).as_bytes().to_vec(),
        body: encode_logs(records)?,
    })
}

/// Sorts points as segments hold them and encodes them. The filter holds the names of their metrics.
fn point_segment_of(points: &mut [&Point], place: Place) -> Result<NewSegment, slowburn_storage::Error> {
    points.sort_by(|a, b| point_order(a, b));
    let names: BTreeSet<&str> = points.iter().map(|point| &*point.metric).collect();
    let services: BTreeSet<&str> = points.iter().map(|point| &*point.service).collect();
    let hashes: Vec<u64> = names.into_iter().map(Bloom::word).collect();
    let Place { bucket, slot, part, id, sli_version } = place;
    Ok(NewSegment {
        signal: Telemetry::Metrics,
        bucket,
        slot,
        part,
        id,
        from_ns: points.iter().map(|point| point.time.nanos()).min().unwrap_or(0),
        to_ns: points.iter().map(|point| point.time.nanos()).max().unwrap_or(0),
        records: points.len(),
        errors: 0,
        sli_version,
        services: services.into_iter().map(|service| service.replace('\0', "\u{fffd}")).collect(),
        bloom: Bloom::of(hashes, points.len() * SPAN_BLOOM_BYTES).as_bytes().to_vec(),
        body: encode_points(points)?,
    })
}

/// A segment of points that were stored before. A point that is there twice is stored once. `None` without points.
pub(crate) fn rewritten_points(points: &[Point], place: Place) -> Result<Option<NewSegment>, slowburn_storage::Error> {
    let mut seen = HashSet::with_capacity(points.len());
    let mut own: Vec<&Point> = points.iter().filter(|point| seen.insert((point.series, point.time))).collect();
    if own.is_empty() { Ok(None) } else { point_segment_of(&mut own, place).map(Some) }
}

/// A segment of log records with its index rows.
pub(crate) type LogSegment = (NewSegment, BTreeMap<Uuid, Mention>);

/// A segment of log records that were stored before, and its index rows. `None` without records.
pub(crate) fn rewritten_logs(records: &[LogRecord], place: Place) -> Result<Option<LogSegment>, slowburn_storage::Error> {
    if records.is_empty() {
        return Ok(None);
    }
    let mut own: Vec<&LogRecord> = records.iter().collect();
    Ok(Some((log_segment_of(&mut own, place)?, mentions(records))))
}

/// A segment of spans that were stored before, and its index rows. A span that is there twice is stored once: the first.
/// `None` without spans.
pub(crate) fn rewritten(spans: &[Span], place: Place) -> Result<Option<SpanSegment>, slowburn_storage::Error> {
    let mut seen = HashSet::with_capacity(spans.len());
    let own: Vec<&Span> = spans.iter().filter(|span| seen.insert((span.trace_id, span.span_id))).collect();
    (!own.is_empty()).then(|| stored_spans(own, place)).transpose()
}
