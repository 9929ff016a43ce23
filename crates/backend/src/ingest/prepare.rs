//! What a flush writes, made from spans: sorted records, index fragments, counts. CPU-bound and pure; runs on a codec
//! thread.

use std::collections::{BTreeSet, HashMap};

use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Span, Status};
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::Fragment;
use slowburn_storage::ingest::{BadTrace, NewSegment};
use slowburn_storage::partition::Part;
use slowburn_storage::red::{RedDeltas, RedKey};
use slowburn_storage::rollup::Deltas;
use slowburn_storage::segment::{Bloom, encode};

use super::sli_set::{Counted, SliSet, Unknown};
use crate::filter::Signal;

/// Everything of one flush but the request keys.
pub(super) struct Prepared {
    pub(super) segment: NewSegment,
    pub(super) fragments: Vec<Fragment>,
    pub(super) counts: Deltas,
    pub(super) red: RedDeltas,
    pub(super) bad: Vec<BadTrace>,
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

/// Prepares `spans` (at least one) of several requests for one segment. A span that comes twice in one request is stored
/// and counted once.
pub(super) fn prepare(requests: &[&[Span]], slis: &SliSet, bucket: i16, slot: i32, id: i64) -> Result<Outcome, slowburn_storage::Error> {
    let mut spans: Vec<&Span> = Vec::with_capacity(requests.iter().map(|request| request.len()).sum());
    for request in requests {
        let mut seen: std::collections::HashSet<_> = std::collections::HashSet::with_capacity(request.len());
        spans.extend(request.iter().filter(|span| seen.insert((span.trace_id, span.span_id))));
    }
    let mut red: HashMap<(&str, &str, u8, u8, i32), slowburn_domain::sketch::Sketch> = HashMap::new();
    let mut traces: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    let mut bad: HashMap<i32, HashMap<TraceId, Timestamp>> = HashMap::new();
    let mut counted = Counted::default();
    for span in &spans {
        slis.count(Signal::Spans, *span, span.end.minute(), &mut counted, |sli| {
            let known: &mut HashMap<TraceId, Timestamp> = bad.entry(sli).or_default();
            if known.len() < MOST_BAD_TRACES || known.contains_key(&span.trace_id) {
                let start = known.entry(span.trace_id).or_insert(span.start);
                *start = span.start.min(*start);
            }
        });
    }
    if !counted.unknown.is_empty() {
        return Ok(Outcome::Unknown(counted.unknown));
    }
    let mut hashes = Vec::new();
    for span in &spans {
        let key = (span.source.service.as_str(), span.operation.as_str(), span.kind as u8, span.status as u8, span.end.minute().0);
        red.entry(key).or_default().record(span.duration_nanos());
        traces.entry(span.trace_id).or_default().push(span);
        hashes.extend(span.attributes.iter().map(|(key, value)| Bloom::hash(key, value)));
    }
    let red = red
        .into_iter()
        .map(|((service, operation, kind, status, minute), sketch)| {
            let key = RedKey {
                service: service.to_owned(),
                operation: operation.to_owned(),
                kind: slowburn_domain::span::Kind::from_number(kind.into()),
                status: Status::from_number(status.into()),
                minute: slowburn_domain::time::Minute(minute),
            };
            (key, sketch)
        })
        .collect();
    let place = Place { bucket, slot, part: Part::of_flush(spans.len()), id, sli_version: slis.version };
    let fragments = traces.values().filter_map(|spans| Fragment::of(spans.iter().copied())).collect();
    let segment = segment_of(&mut spans, hashes, place)?;
    let bad = bad.into_iter().flat_map(|(sli, traces)| traces.into_iter().map(move |(trace_id, start)| (sli, trace_id, start))).collect();
    Ok(Outcome::Prepared(Box::new(Prepared { segment, fragments, counts: counted.deltas, red, bad })))
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
        bloom: Bloom::of(hashes, spans.len()).as_bytes().to_vec(),
        body: encode(spans)?,
    })
}

/// A segment of spans that were stored before, and its index rows. A span that is there twice is stored once: the first.
/// `None` without spans.
pub(crate) fn rewritten(spans: &[Span], place: Place) -> Result<Option<(NewSegment, Vec<Fragment>)>, slowburn_storage::Error> {
    let mut seen = std::collections::HashSet::with_capacity(spans.len());
    let mut own: Vec<&Span> = spans.iter().filter(|span| seen.insert((span.trace_id, span.span_id))).collect();
    if own.is_empty() {
        return Ok(None);
    }
    let mut traces: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    let mut hashes = Vec::with_capacity(own.len() * 8);
    for span in &own {
        traces.entry(span.trace_id).or_default().push(span);
        hashes.extend(span.attributes.iter().map(|(key, value)| Bloom::hash(key, value)));
    }
    let fragments = traces.values().filter_map(|spans| Fragment::of(spans.iter().copied())).collect();
    Ok(Some((segment_of(&mut own, hashes, place)?, fragments)))
}
