//! Counting the edges of the service map.
//!
//! A flush marks the minutes that its spans touch, in its own transaction ([`touched_minutes`]). The holder of a lease takes marked
//! minutes that are due, newest first, counts each anew from all spans that are stored, and replaces what the minute had; marks and
//! rows change in one snapshot transaction. So what a minute shows follows from the spans alone: in which order and how late they
//! came, what was merged, who died or counted twice makes no difference. Of two counters of the same marks the second gets a conflict
//! and writes nothing. The door pays for a mark, and no page walks segments.
//!
//! A minute is due [`FIRST_AGE`] after its end, and marked again when it is twice as old as it was when it was counted last. So spans
//! that come late, or that last long, have a minute counted as often as its age doubles and not at every flush. A segment that cannot
//! be read counts nothing: it must not keep the others from being counted.
//!
//! A call is a server span whose parent is a span of another service; it is counted by the callee's span once both have arrived.
//! What a client, producer or consumer span says itself tells of databases, queues and those who send no spans. A span that stands
//! for others which sampling left out counts for all of them. Minutes past retention keep what they had: their spans are going.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use slowburn_domain::service_map::EdgeKind;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::{Kind, Span};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_storage::database::make_repeatable;
use slowburn_storage::edge::{self, EdgeKey, Edges};
use slowburn_storage::segment::{CallColumns, Cell, call_columns};
use slowburn_storage::trace::{self, SegmentQuery};

use crate::segments::matching;
use crate::{Backend, Result};

/// Minutes counted in a round.
const MINUTES: i64 = 120;
/// How long after its end a minute is counted first, seconds: most SDKs send a span within 5 s of its end.
const FIRST_AGE: i64 = 20;
/// Edges of a minute that are counted apart; of more, the busiest.
const MOST_EDGES: usize = 1_000;
/// The other end of the edges beyond those.
const OTHER: &str = "~other";
/// A caller's span may end this much later than its callee's in another minute and still mark that one, minutes.
const MOST_TOUCHED: i32 = 10;
/// How far caller's and callee's ends may lie apart at the border of two minutes, seconds.
const BORDER_SECONDS: i64 = 1;
/// How long before a minute a server span may have ended whose client's span ends in it, seconds.
const AROUND_SECONDS: i64 = 10;
/// Longest name of an end, characters.
const LONGEST_NAME: usize = 120;
/// What spans say of whom they ask.
const KEYS: [&str; 11] = [
    "db.system.name",
    "db.system",
    "db.namespace",
    "db.name",
    "messaging.system",
    "messaging.destination.name",
    "messaging.operation.type",
    "messaging.operation",
    "peer.service",
    "server.address",
    "net.peer.name",
];

/// The minutes whose edges may be others now that these spans are there.
pub(crate) fn touched_minutes(spans: &[&Span]) -> BTreeSet<Minute> {
    let mut minutes = BTreeSet::new();
    for span in spans {
        let last = span.end.minute();
        minutes.insert(last);
        match span.kind {
            Kind::Server => {
                minutes.insert(span.end.plus_seconds(BORDER_SECONDS).minute());
            }
            _ => minutes.extend((span.start.minute().0.max(last.0 - MOST_TOUCHED)..last.0).map(Minute)),
        }
    }
    minutes
}

impl Backend {
    /// Counts the edges of minutes that are due anew, if this instance holds or can take the lease. Gives how many minutes it counted.
    ///
    /// # Errors
    /// The database.
    pub async fn count_edges(&self) -> Result<u64> {
        let buckets = self.0.settings.bucket_numbers();
        let minutes = {
            let mut connection = self.0.pool.acquire().await?;
            edge::due(&mut connection, &buckets, self.0.clock.now(), FIRST_AGE, MINUTES).await?
        };
        let mut counted = 0;
        for minute in minutes {
            if self.stopping().is_cancelled() || !self.holds("edges").await? {
                break;
            }
            match self.count_edges_of(minute, &buckets).await {
                Ok(is_counted) => counted += u64::from(is_counted),
                // Somebody else counts it.
                Err(fault) if fault.is_conflict() => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(counted)
    }

    async fn count_edges_of(&self, minute: Minute, buckets: &[i16]) -> Result<bool> {
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        make_repeatable(&mut tx).await?;
        if edge::unmark(&mut tx, buckets, minute).await? == 0 {
            return Ok(false);
        }
        let is_going = minute < now.minute().plus(-self.0.settings.retention_minutes.cast_signed());
        if is_going && edge::is_counted(&mut tx, buckets, minute).await? {
            tx.commit().await?;
            return Ok(false);
        }
        let conditions = SegmentQuery {
            signal: Telemetry::Spans,
            service: None,
            errors_only: false,
            from: Some(minute.start().plus_seconds(-AROUND_SECONDS)),
            to: Some(minute.plus(1).start().plus_seconds(BORDER_SECONDS)),
            // The snapshot bounds it; another instance's clock may be ahead.
            up_to_segment: i64::MAX,
        };
        let segments: Vec<_> = trace::segments(&mut tx, buckets, &conditions).await?.into_iter().map(|extent| extent.segment).collect();
        let answers = matching(&mut tx, &segments, move |body, id| Ok(readable(answers(body, id, minute), id))).await?;
        let asked: Arc<HashSet<u64>> = Arc::new(answers.iter().map(|answer| answer.asked_by).collect());
        let wanted = Arc::clone(&asked);
        let found = matching(&mut tx, &segments, move |body, id| Ok(readable(requests(body, id, minute, &wanted), id))).await?;
        let edges = join(answers, found, minute);
        let bucket = (minute.0.unsigned_abs() % u32::from(self.0.settings.buckets)) as i16;
        let age = (now.seconds() - minute.plus(1).start().seconds()).max(FIRST_AGE);
        edge::replace(&mut tx, buckets, bucket, minute, age, &edges).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// A server span that somebody asked for.
struct Answer {
    key: u64,
    asked_by: u64,
    service: Arc<str>,
    end: Timestamp,
    passed: Passed,
}

#[derive(Clone, Copy)]
struct Passed {
    nanos: i64,
    is_error: bool,
    /// How many spans it stands for.
    weight: u64,
}

impl Passed {
    fn of(rows: &CallColumns, row: usize) -> Self {
        Self { nanos: rows.duration_nanos(row), is_error: rows.is_error(row), weight: rows.weight(row) }
    }
}

/// What a span tells that asks somebody.
enum Request {
    /// The service of a span that a server span was asked by.
    Caller(u64, Arc<str>),
    /// An edge that it tells by itself.
    Edge(u64, EdgeKey, Passed),
}

/// What was read of a segment; nothing if it cannot be.
fn readable<T>(read: std::result::Result<Vec<T>, slowburn_storage::Error>, id: i64) -> Vec<T> {
    read.unwrap_or_else(|fault| {
        tracing::error!(segment = id, error = %fault, "a segment cannot be read: the service map does not count it");
        Vec::new()
    })
}

/// Server spans that end in the minute, or near enough that a client's span of the minute is theirs.
fn answers(body: Bytes, id: i64, minute: Minute) -> std::result::Result<Vec<Answer>, slowburn_storage::Error> {
    let near = minute.start().plus_seconds(-AROUND_SECONDS)..minute.plus(1).start().plus_seconds(BORDER_SECONDS);
    let mut answers = Vec::new();
    for rows in call_columns(body, id, &[])? {
        let mut service: Arc<str> = Arc::default();
        for row in (0..rows.len()).filter(|row| rows.kind(*row) == Kind::Server) {
            let end = rows.end(row);
            let Some(asked_by) = rows.parent_key(row).filter(|_| near.contains(&end)) else { continue };
            let own = rows.service(row).unwrap_or_default();
            if *service != *own {
                service = own.into();
            }
            let passed = Passed::of(&rows, row);
            answers.push(Answer { key: rows.key(row), asked_by, service: Arc::clone(&service), end, passed });
        }
    }
    Ok(answers)
}

fn requests(body: Bytes, id: i64, minute: Minute, asked: &HashSet<u64>) -> std::result::Result<Vec<Request>, slowburn_storage::Error> {
    let mut requests = Vec::new();
    for rows in call_columns(body, id, &KEYS)? {
        let mut service: Arc<str> = Arc::default();
        for row in 0..rows.len() {
            let key = rows.key(row);
            let is_answered = asked.contains(&key);
            if is_answered {
                let own = rows.service(row).unwrap_or_default();
                if *service != *own {
                    service = own.into();
                }
                requests.push(Request::Caller(key, Arc::clone(&service)));
            }
            if rows.end(row).minute() == minute
                && let Some(edge) = told(&rows, row, is_answered)
            {
                requests.push(Request::Edge(key, edge, Passed::of(&rows, row)));
            }
        }
    }
    Ok(requests)
}

/// The edge that a span tells by itself. `is_answered` when a server span came of it.
fn told(rows: &CallColumns, row: usize, is_answered: bool) -> Option<EdgeKey> {
    let kind = rows.kind(row);
    if !matches!(kind, Kind::Client | Kind::Producer | Kind::Consumer) {
        return None;
    }
    let first = |keys: &[&str]| {
        keys.iter().find_map(|key| match rows.attribute(row, key) {
            Some(Cell::Str(text)) if !text.is_empty() => Some(text.chars().take(LONGEST_NAME).collect::<String>()),
            _ => None,
        })
    };
    let named = |system: String, name: Option<String>| name.map_or(system.clone(), |name| format!("{} {name}", system.replace(' ', "_")));
    let service = rows.service(row).unwrap_or_default().to_owned();
    let to = |kind, callee| Some(EdgeKey { kind, caller: service.clone(), callee });
    if let Some(system) = first(&["messaging.system"]) {
        let queue = named(system, first(&["messaging.destination.name"]));
        let operation = first(&["messaging.operation.type", "messaging.operation"]);
        return match (kind, operation.as_deref()) {
            // Fetching and acknowledging a message is no second message.
            (_, Some("receive" | "settle")) => None,
            (Kind::Consumer, _) => Some(EdgeKey { kind: EdgeKind::Receive, caller: queue, callee: service }),
            (Kind::Producer, _) | (Kind::Client, Some("send" | "publish")) => to(EdgeKind::Send, queue),
            _ => None,
        };
    }
    if kind != Kind::Client {
        return None;
    }
    if let Some(system) = first(&["db.system.name", "db.system"]) {
        return to(EdgeKind::Database, named(system, first(&["db.namespace", "db.name", "server.address", "net.peer.name"])));
    }
    if is_answered { None } else { to(EdgeKind::Elsewhere, first(&["peer.service", "server.address", "net.peer.name"])?) }
}

/// The edges of a minute. A span that is stored twice counts once.
fn join(answers: Vec<Answer>, found: Vec<Request>, minute: Minute) -> Edges {
    let mut edges = Edges::new();
    let mut add = |key: EdgeKey, passed: Passed| {
        let sum = edges.entry(key).or_default();
        sum.errors += u64::from(passed.is_error) * passed.weight;
        sum.sketch.record_times(passed.nanos, passed.weight);
    };
    let mut callers: HashMap<u64, Arc<str>> = HashMap::new();
    let mut seen: HashSet<u64> = HashSet::new();
    for request in found {
        match request {
            Request::Caller(key, service) => {
                callers.insert(key, service);
            }
            Request::Edge(key, edge, passed) if seen.insert(key) => add(edge, passed),
            Request::Edge(..) => {}
        }
    }
    seen.clear();
    for answer in answers.into_iter().filter(|answer| answer.end.minute() == minute) {
        if let Some(caller) = callers.get(&answer.asked_by).filter(|caller| **caller != answer.service)
            && seen.insert(answer.key)
        {
            let key = EdgeKey { kind: EdgeKind::Call, caller: caller.to_string(), callee: answer.service.to_string() };
            add(key, answer.passed);
        }
    }
    capped(edges)
}

/// The busiest edges; of each caller and kind the others are one.
fn capped(mut edges: Edges) -> Edges {
    if edges.len() > MOST_EDGES {
        let mut by_count: Vec<(u64, EdgeKey)> = edges.iter().map(|(key, sum)| (sum.sketch.count(), key.clone())).collect();
        by_count.sort_unstable_by(|a, b| b.cmp(a));
        for (_, mut key) in by_count.into_iter().skip(MOST_EDGES) {
            let Some(sum) = edges.remove(&key) else { continue };
            let far_end = if key.kind == EdgeKind::Receive { &mut key.caller } else { &mut key.callee };
            OTHER.clone_into(far_end);
            let others = edges.entry(key).or_default();
            others.errors += sum.errors;
            others.sketch.merge(&sum.sketch);
        }
    }
    edges
}
