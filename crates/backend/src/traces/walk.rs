//! Searching by what spans hold: a filter, a service, an operation, a status.
//!
//! The segments are walked by the end of their last record, latest first. Those are passed over whose services, errors or
//! Bloom filter rule a match out; of the others only the columns are read that the search looks at. The traces of matching
//! spans are folded from the index and checked as a whole. No record of the segments still to come starts after the end
//! of the next one: a trace found that starts later has its place in the list, and when the page is full of such the walk
//! ends.
//!
//! Memory is bounded by the segments in flight and by
//! the traces found; time by [`MOST_TIME`], after which the page ends where the walk has come to. When the reader goes
//! away the walk is dropped with the request.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slowburn_domain::id::TraceId;
use slowburn_domain::query::{Cursor, TraceQuery};
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::Status;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{TraceSummary, fold};
use slowburn_storage::segment::{Bloom, Columns, Sought, trace_ids_where};
use slowburn_storage::trace::{self, Extent, SegmentQuery, SegmentRef};
use sqlx::PgConnection;

use super::Found;
use super::row::{Row, wanted};
use crate::filter::{Filter, Requirements};
use crate::segments::{AT_ONCE, MOST_STEP, matching, possible};
use crate::{Backend, Result};

/// How long one page is searched for.
pub(super) const MOST_TIME: Duration = Duration::from_secs(10);
/// Traces whose fragments are fetched together.
const FOLDED_AT_ONCE: usize = 2_000;
/// How long after its trace began a span may start and still lead to it when the search has an upper end: segments
/// further off are not walked.
pub(super) const TRACE_LASTS_SECONDS: i64 = 3_600;
/// Sorts after every other trace of one start.
const LAST_ID: [u8; 16] = [0xff; 16];

/// One search.
pub(super) struct Walk<'a> {
    pub(super) backend: &'a Backend,
    pub(super) query: &'a TraceQuery,
    pub(super) filter: Option<Filter>,
    pub(super) now: Timestamp,
    pub(super) as_of: Timestamp,
    pub(super) up_to_segment: i64,
    pub(super) limit: usize,
}

impl Walk<'_> {
    /// The next page.
    pub(super) async fn page(self, connection: &mut PgConnection) -> Result<Found> {
        let began = Instant::now();
        let required = self.filter.as_ref().map(Filter::requirements).unwrap_or_default();
        let extents = self.extents(connection, &required).await?;
        let hashes: Vec<u64> = required.attributes.iter().map(|(key, value)| Bloom::hash(key, value)).collect();
        let sought = Arc::new(Sought {
            service: self.query.service.clone().or_else(|| required.service.clone()),
            operation: self.query.operation.clone().or_else(|| required.operation.clone()),
            status: self.query.status.or(required.status),
            filter: self.filter.as_ref().map(wanted),
        });
        let mut found: Vec<TraceSummary> = Vec::new();
        let mut seen: HashSet<TraceId> = HashSet::new();
        let mut rest = extents.as_slice();
        let mut step = AT_ONCE;
        while let Some(next) = rest.first() {
            if found.len() > self.limit && found.iter().filter(|trace| trace.start > next.end).count() > self.limit {
                break;
            }
            // A page that begins where another one ended goes further than that one, however long it takes.
            if began.elapsed() > MOST_TIME && self.query.cursor.is_none_or(|cursor| next.end < cursor.start) {
                return Ok(self.cut(found, next.end));
            }
            let (now, later) = rest.split_at(step.min(rest.len()));
            rest = later;
            step = (step * 2).min(MOST_STEP);
            let candidates = possible(connection, now, &hashes).await?;
            let hits = self.hits(connection, &candidates, &sought).await?;
            let fresh: Vec<TraceId> = hits.into_iter().filter(|id| seen.insert(*id)).collect();
            self.fold(connection, &fresh, &mut found).await?;
        }
        found.sort_unstable_by_key(|trace| std::cmp::Reverse((trace.start, trace.trace_id)));
        let is_more = found.len() > self.limit;
        found.truncate(self.limit);
        let last = found.last().filter(|_| is_more);
        let next = last.map(|last| Cursor { start: last.start, trace_id: last.trace_id, as_of: self.as_of });
        Ok(Found { items: found, next, searched_to: None })
    }

    /// Segments that may hold a wanted span.
    async fn extents(&self, connection: &mut PgConnection, required: &Requirements) -> Result<Vec<Extent>> {
        let query = self.query;
        let cursor = query.cursor.map(|cursor| cursor.start.plus_nanos(1));
        let to = query.to.map(|to| to.at(self.now)).into_iter().chain(cursor).min();
        let status = query.status.or(required.status);
        let conditions = SegmentQuery {
            signal: Telemetry::Spans,
            service: query.service.as_deref().or(required.service.as_deref()),
            errors_only: status == Some(Status::Error),
            from: query.from.map(|from| from.at(self.now)),
            to: to.map(|to| to.plus_seconds(TRACE_LASTS_SECONDS)),
            up_to_segment: self.up_to_segment,
        };
        Ok(trace::segments(connection, &self.backend.0.settings.bucket_numbers(), &conditions).await?)
    }

    /// Traces of some segments with a wanted span. One may come more than once.
    async fn hits(&self, connection: &mut PgConnection, segments: &[SegmentRef], sought: &Arc<Sought>) -> Result<Vec<TraceId>> {
        let (filter, own) = (self.filter.clone(), Arc::clone(sought));
        matching(connection, segments, move |body, id| {
            let filter = filter.clone();
            let matches = move |columns: &Columns, row| filter.as_ref().is_none_or(|filter| filter.matches(&Row { columns, row }));
            trace_ids_where(body, id, &own, matches)
        })
        .await
    }

    /// Adds the wanted ones of some traces.
    async fn fold(&self, connection: &mut PgConnection, ids: &[TraceId], found: &mut Vec<TraceSummary>) -> Result<()> {
        let buckets = self.backend.0.settings.bucket_numbers();
        for ids in ids.chunks(FOLDED_AT_ONCE) {
            let fragments = trace::fragments(connection, &buckets, ids, self.up_to_segment).await?;
            let summaries = ids.iter().filter_map(|id| fold(fragments.get(id)?.iter().map(|(fragment, _)| fragment)));
            found.extend(summaries.filter(|trace| self.is_after_cursor(trace) && trace.meets(self.query, self.now)));
        }
        Ok(())
    }

    fn is_after_cursor(&self, trace: &TraceSummary) -> bool {
        self.query.cursor.is_none_or(|cursor| (trace.start, trace.trace_id) < (cursor.start, cursor.trace_id))
    }

    /// What has its place in the list though the walk has only come to `end`.
    fn cut(&self, mut found: Vec<TraceSummary>, end: Timestamp) -> Found {
        found.retain(|trace| trace.start > end);
        found.sort_unstable_by_key(|trace| std::cmp::Reverse((trace.start, trace.trace_id)));
        let next = TraceId::from_bytes(&LAST_ID).ok().map(|trace_id| Cursor { start: end, trace_id, as_of: self.as_of });
        Found { items: found, next, searched_to: Some(end) }
    }
}
