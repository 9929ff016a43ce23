//! Searching log records: newest first, by words, a filter, a service, a severity, IDs and time.
//!
//! Segments are walked by their last record, latest first. For an ID the index names them; otherwise those are passed over
//! whose services, errors, words or attributes rule a match out. Of the others only the columns are read that the search
//! looks at, and whole records only of those that get onto the page. The walk ends when the page is full of records later
//! than all that is still to come, or after [`MOST_TIME`], with word of how far it came.
//!
//! One page is a part of one order: by time, then by a hash of what a record says, which merging does not change. Records that
//! agree in both are never parted by the end of a page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slowburn_domain::log::{LogRecord, Severity, TextQuery};
use slowburn_domain::log_query::{LogCursor, LogQuery};
use slowburn_domain::query::DEFAULT_LIMIT;
use slowburn_domain::signal::{Signal, Telemetry};
use slowburn_domain::time::Timestamp;
use slowburn_storage::log;
use slowburn_storage::segment::{Bloom, LogColumns, Wanted, decode_log_rows, json_text, log_columns};
use slowburn_storage::trace::{self, Extent, IdKind, SegmentQuery, last_segment_id};
use sqlx::PgConnection;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::row::{Row, wanted};
use crate::filter::{Filter, Requirements};
use crate::segments::{AT_ONCE, MOST_STEP, matching, possible};
use crate::{Backend, Error, Result};

/// How long one page is searched for.
const MOST_TIME: Duration = Duration::from_secs(10);

/// Log records found.
#[derive(Clone, Debug, Default)]
pub struct FoundLogs {
    /// Newest first.
    pub items: Vec<LogRecord>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<LogCursor>,
    /// The search took long and has come to here; what happened before is on the next page.
    pub searched_to: Option<Timestamp>,
}

/// A record with its place in the order.
type Placed = (Timestamp, u64, LogRecord);

/// What one record must meet.
pub(super) struct Match {
    wanted: Wanted,
    filter: Option<Filter>,
    text: TextQuery,
    service: Option<String>,
    severity: Option<Severity>,
    trace_id: Option<slowburn_domain::id::TraceId>,
    ids: [Option<String>; 3],
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Places at or after this one are on pages before.
    before: Option<(Timestamp, u64)>,
    /// More are not wanted from one segment, but for those as late as the last of them.
    most: usize,
}

impl Backend {
    /// Searches log records.
    ///
    /// # Errors
    /// A filter that does not compile; the database.
    pub async fn find_logs(&self, query: &LogQuery, now: Timestamp) -> Result<FoundLogs> {
        let filter = query.filter.as_deref().map(|text| Filter::compile(text, Signal::Logs)).transpose();
        let filter = filter.map_err(|fault| Error::field("filter", fault.to_string()))?;
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_LIMIT));
        let as_of = query.cursor.map_or(now, |cursor| cursor.as_of);
        let record = Match::of(query, filter, limit + 1, now);
        let mut tx = self.snapshot().await?;
        let extents = self.log_segments(&mut tx, query, &record, last_segment_id(as_of)).await?;
        let hashes = record.hashes();
        let began = Instant::now();
        let mut found: Vec<Placed> = Vec::new();
        let mut searched_to = None;
        let mut rest = extents.as_slice();
        let mut step = AT_ONCE;
        while let Some(next) = rest.first() {
            if found.len() > limit && found[limit].0 > next.end {
                break;
            }
            if began.elapsed() > MOST_TIME && query.cursor.is_none_or(|cursor| next.end < cursor.time) {
                searched_to = Some(next.end);
                break;
            }
            let (now, later) = rest.split_at(step.min(rest.len()));
            rest = later;
            step = (step * 2).min(MOST_STEP);
            let candidates = possible(&mut tx, now, &hashes).await?;
            let wanted = Arc::clone(&record);
            found.extend(matching(&mut tx, &candidates, move |body, id| wanted.find(body, id)).await?);
            found.sort_by_key(|(time, key, _)| std::cmp::Reverse((*time, *key)));
            cut(&mut found, limit + 1);
        }
        if let Some(end) = searched_to {
            // What is later than all that was not looked at has its place in the list.
            found.retain(|(time, ..)| *time > end);
        }
        let mut next = searched_to.map(|time| LogCursor { time, key: u64::MAX, as_of });
        if found.len() > limit {
            let all = found.len();
            cut(&mut found, limit);
            let is_more = found.len() < all || !rest.is_empty();
            next = found.last().filter(|_| is_more).map(|(time, key, _)| LogCursor { time: *time, key: *key, as_of });
            searched_to = None;
        }
        Ok(FoundLogs { items: found.into_iter().map(|(.., record)| record).collect(), next, searched_to })
    }

    /// Segments that may hold a wanted record, those that end last first.
    async fn log_segments(&self, connection: &mut PgConnection, query: &LogQuery, record: &Match, up_to: i64) -> Result<Vec<Extent>> {
        let buckets = self.0.settings.bucket_numbers();
        if let Some(key) = most_telling(query) {
            return Ok(log::mentioning(connection, &buckets, &[key], up_to).await?);
        }
        let required = record.required();
        let before = record.before.map(|(time, _)| time.plus_nanos(1));
        let conditions = SegmentQuery {
            signal: Telemetry::Logs,
            service: query.service.as_deref().or(required.service.as_deref()),
            errors_only: record.severity.is_some_and(Severity::is_error),
            from: record.from,
            to: record.to.into_iter().chain(before).min(),
            up_to_segment: up_to,
        };
        Ok(trace::segments(connection, &buckets, &conditions).await?)
    }
}

/// The key of the ID that the fewest records have.
fn most_telling(query: &LogQuery) -> Option<Uuid> {
    let id = |kind, id: &Option<String>| id.as_deref().map(|id| log::id_key(kind, id));
    let trace = query.trace_id.map(log::trace_key);
    trace
        .or_else(|| id(IdKind::Correlation, &query.correlation_id))
        .or_else(|| id(IdKind::Execution, &query.execution_id))
        .or_else(|| id(IdKind::Project, &query.project_id))
}

/// Leaves the first `most`, and those that share the place of the last of them.
fn cut(found: &mut Vec<Placed>, most: usize) {
    let Some(last) = most.checked_sub(1).and_then(|last| found.get(last)).map(|(time, key, _)| (*time, *key)) else { return };
    let after = found.iter().skip(most).take_while(|(time, key, _)| (*time, *key) == last).count();
    found.truncate(most + after);
}

impl Match {
    /// What `query` asks of a record; `most` as for the field.
    pub(super) fn of(query: &LogQuery, filter: Option<Filter>, most: usize, now: Timestamp) -> Arc<Self> {
        let text = query.q.as_deref().map(TextQuery::parse).unwrap_or_default();
        let ids = [query.correlation_id.clone(), query.project_id.clone(), query.execution_id.clone()];
        Arc::new(Self {
            wanted: wanted(filter.as_ref(), !text.is_empty(), ids.iter().any(Option::is_some)),
            filter,
            text,
            service: query.service.clone(),
            severity: query.severity,
            trace_id: query.trace_id,
            ids,
            from: query.from.map(|bound| bound.at(now)),
            to: query.to.map(|bound| bound.at(now)),
            before: query.cursor.map(|cursor| (cursor.time, cursor.key)),
            most,
        })
    }

    fn required(&self) -> Requirements {
        self.filter.as_ref().map(Filter::requirements).unwrap_or_default()
    }

    /// Hashes that a segment with a match has.
    fn hashes(&self) -> Vec<u64> {
        let attributes = self.required().attributes;
        let words = self.text.required().map(Bloom::word);
        attributes.iter().map(|(key, value)| Bloom::hash(key, value)).chain(words).collect()
    }

    fn is_wanted(&self, columns: &LogColumns, row: usize) -> bool {
        let time = columns.time(row);
        self.from.is_none_or(|from| time >= from)
            && self.to.is_none_or(|to| time < to)
            && self.before.is_none_or(|(last, _)| time <= last)
            && self.severity.is_none_or(|least| columns.severity(row) >= least)
            && self.trace_id.is_none_or(|wanted| columns.trace_id(row) == Some(wanted))
            && self.service.as_deref().is_none_or(|service| columns.service(row) == Some(service))
            && self.ids.iter().enumerate().all(|(kind, wanted)| wanted.is_none() || columns.id(kind, row) == wanted.as_deref())
            && (self.text.is_empty() || columns.body(row).is_some_and(|body| self.text.matches(body)))
            && self.filter.as_ref().is_none_or(|filter| filter.matches(&Row { columns, row }))
    }

    /// The newest wanted records of a segment.
    fn find(&self, body: Bytes, id: i64) -> std::result::Result<Vec<Placed>, slowburn_storage::Error> {
        let mut hits: Vec<(Timestamp, usize)> = Vec::new();
        let mut first = 0;
        for columns in log_columns(body.clone(), id, &self.wanted)? {
            let own = (0..columns.len()).filter(|row| self.is_wanted(&columns, *row));
            hits.extend(own.map(|row| (columns.time(row), first + row)));
            first += columns.len();
        }
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        hits.sort_unstable_by_key(|(time, _)| std::cmp::Reverse(*time));
        // Of those on pages before, all share one instant with the cursor: they must not take the places of others.
        let shared = hits.iter().take_while(|(time, _)| self.before.is_some_and(|(last, _)| *time == last)).count();
        if let Some(last) = hits.get(shared + self.most - 1).map(|(time, _)| *time) {
            let after = hits.iter().skip(shared + self.most).take_while(|(time, _)| *time == last).count();
            hits.truncate(shared + self.most + after);
        }
        let mut rows: Vec<usize> = hits.into_iter().map(|(_, row)| row).collect();
        rows.sort_unstable();
        let records = decode_log_rows(body, id, &rows)?.into_iter().map(|record| (record.time, key_of(&record), record));
        Ok(records.filter(|(time, key, _)| self.before.is_none_or(|before| (*time, *key) < before)).collect())
    }
}

/// A hash of what a record says.
fn key_of(record: &LogRecord) -> u64 {
    let mut hasher = Xxh3::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(bytes);
        hasher.update(&[0xff]);
    };
    add(record.source.service.as_bytes());
    add(&[record.severity.number()]);
    add(json_text(&record.body).as_bytes());
    add(record.trace_id.map(|id| *id.as_bytes()).unwrap_or_default().as_slice());
    add(record.span_id.map(|id| *id.as_bytes()).unwrap_or_default().as_slice());
    let mut attributes: Vec<&(String, slowburn_domain::span::Value)> = record.attributes.iter().collect();
    // Segments do not keep their order.
    attributes.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, value) in attributes {
        add(key.as_bytes());
        add(json_text(value).as_bytes());
    }
    hasher.digest()
}
