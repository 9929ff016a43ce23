//! Searching traces.
//!
//! What spans hold is searched in the segments (`walk`). Without such conditions, and with an ID, candidates are taken from
//! the index newest first; all their fragments are loaded and folded, and only then filtered, because a trace's duration,
//! IDs and start are known of the whole only. A candidate row counts when it begins its trace: so each trace is met once,
//! in the order of its true start, and (start, trace id) is an exact cursor. Everything is read in one snapshot, up to the
//! segment that was last when the first page was read.
//!
//! Of a search for a duration alone the candidates are those that may last so long (`lengths`). What takes long ends the page where it
//! has come to.
//!
//! One ID has few traces: there a `filter` is matched against their segments, each decoded once.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use slowburn_domain::id::TraceId;
use slowburn_domain::query::{Cursor, DEFAULT_LIMIT, TraceQuery};
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{Fragment, TraceSummary, fold};
use slowburn_storage::segment::decode_traces;
use slowburn_storage::trace::{self, Candidate, CandidateQuery, IdKind, SegmentRef, last_segment_id};
use sqlx::PgConnection;

use super::lengths::{Lengths, Step};
use super::walk::{MOST_TIME, Walk};
use crate::filter::{Filter, Signal};
use crate::slo::KnownSlo;
use crate::{Backend, Error, Result};

/// Most candidates looked at together. At first as many as may be wanted, and twice as many each time after: few are wanted
/// when the first ones were not.
const MOST_BATCH: i64 = 6_400;

/// Traces found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Newest first.
    pub items: Vec<TraceSummary>,
    /// Where the next page begins; `None` when there is no more.
    pub next: Option<Cursor>,
    /// The search took long and has come to here; what starts before is on the next page.
    pub searched_to: Option<Timestamp>,
}

impl Backend {
    /// Searches traces.
    ///
    /// # Errors
    /// A filter that does not compile; the database.
    pub async fn find_traces(&self, query: &TraceQuery, now: Timestamp) -> Result<Found> {
        let filter = query.filter.as_deref().map(|text| Filter::compile(text, Signal::Spans)).transpose();
        let filter = filter.map_err(|fault| Error::field("filter", fault.to_string()))?;
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_LIMIT));
        let as_of = query.cursor.map_or(now, |cursor| cursor.as_of);
        let up_to_segment = last_segment_id(as_of);
        let mut tx = self.snapshot().await?;
        let began = Instant::now();
        let search = Search { backend: self, query, filter, now, up_to_segment, limit };
        if search.id().is_none() && search.looks_into_spans() {
            let walk = Walk { backend: self, query, filter: search.filter, now, as_of, up_to_segment, limit };
            return walk.page(&mut tx).await;
        }
        let mut lengths = match query.min_duration_ms.filter(|_| search.id().is_none()) {
            Some(least_ms) => Lengths::ahead(&search, &mut tx, least_ms).await?,
            None => None,
        };
        let mut found = Found::default();
        let mut before = query.cursor.map(|cursor| (cursor.start, cursor.trace_id));
        let mut batch = search.first_batch();
        loop {
            let (mut candidates, next) = match &mut lengths {
                Some(lengths) => {
                    let Step { candidates, next } = lengths.step(&search, &mut tx, before).await?;
                    (candidates, next)
                }
                None => search.candidates(&mut tx, before, batch).await?,
            };
            before = next;
            batch = (batch * 2).min(MOST_BATCH);
            candidates.dedup_by_key(|candidate| (candidate.start, candidate.trace_id));
            for candidates in candidates.chunks(MOST_BATCH as usize) {
                for summary in search.matching(&mut tx, candidates).await? {
                    if found.items.len() == limit {
                        found.next = found.items.last().map(|last| Cursor { start: last.start, trace_id: last.trace_id, as_of });
                        return Ok(found);
                    }
                    found.items.push(summary);
                }
            }
            let Some((start, trace_id)) = before else { return Ok(found) };
            if began.elapsed() > MOST_TIME || lengths.as_ref().is_some_and(Lengths::is_full) {
                found.next = Some(Cursor { start, trace_id, as_of });
                found.searched_to = Some(start);
                return Ok(found);
            }
        }
    }

    /// Summaries of given traces, in their order; those gone are left out.
    pub(crate) async fn summaries(&self, connection: &mut PgConnection, ids: &[TraceId]) -> Result<Vec<TraceSummary>> {
        let buckets = self.0.settings.bucket_numbers();
        let fragments = trace::fragments(connection, &buckets, ids, i64::MAX).await?;
        Ok(ids.iter().filter_map(|id| fold(fragments.get(id)?.iter().map(|(fragment, _)| fragment))).collect())
    }

    /// Newest traces with a bad event of an SLO, or of one that it is made of, that start in [`from`, `to`).
    pub(crate) async fn bad_traces(&self, slo: &KnownSlo, from: Timestamp, to: Timestamp, limit: u16) -> Result<Vec<TraceSummary>> {
        let mut tx = self.snapshot().await?;
        let mut ids = Vec::new();
        for leaf in slo.leaves() {
            let of_leaf = trace::bad(&mut tx, &self.0.settings.bucket_numbers(), leaf.sli_id, from, to, i64::from(limit)).await?;
            ids.extend(of_leaf.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
        }
        let mut traces = self.summaries(&mut tx, &ids).await?;
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.start));
        traces.truncate(usize::from(limit));
        Ok(traces)
    }
}

/// One search.
pub(super) struct Search<'a> {
    backend: &'a Backend,
    query: &'a TraceQuery,
    filter: Option<Filter>,
    now: Timestamp,
    pub(super) up_to_segment: i64,
    limit: usize,
}

type Fragments = Vec<(Fragment, SegmentRef)>;

impl Search<'_> {
    fn id(&self) -> Option<(IdKind, &str)> {
        let query = self.query;
        [(IdKind::Correlation, &query.correlation_id), (IdKind::Execution, &query.execution_id), (IdKind::Project, &query.project_id)]
            .into_iter()
            .find_map(|(kind, id)| Some((kind, id.as_deref()?)))
    }

    fn looks_into_spans(&self) -> bool {
        let query = self.query;
        self.filter.is_some() || query.service.is_some() || query.operation.is_some() || query.status.is_some()
    }

    /// Buckets of this instance's database.
    pub(super) fn buckets(&self) -> Vec<i16> {
        self.backend.0.settings.bucket_numbers()
    }

    /// How many candidates are looked at first. Some are later fragments of a trace that is met again.
    pub(super) const fn first_batch(&self) -> i64 {
        (self.limit + self.limit / 4 + 8) as i64
    }

    /// Where the search ends upwards.
    pub(super) fn upper(&self) -> Option<Timestamp> {
        self.query.to.map(|to| to.at(self.now)).into_iter().chain(self.query.cursor.map(|cursor| cursor.start)).min()
    }

    /// The conditions on candidates before `before`.
    pub(super) fn conditions(&self, before: Option<(Timestamp, TraceId)>) -> CandidateQuery<'_> {
        CandidateQuery {
            id: self.id(),
            from: self.query.from.map(|from| from.at(self.now)),
            to: self.query.to.map(|to| to.at(self.now)),
            before,
            up_to_segment: self.up_to_segment,
        }
    }

    /// The next candidates, and where to go on.
    async fn candidates(
        &self,
        connection: &mut PgConnection,
        before: Option<(Timestamp, TraceId)>,
        batch: i64,
    ) -> Result<(Vec<Candidate>, Option<(Timestamp, TraceId)>)> {
        let candidates = trace::candidates(connection, &self.buckets(), &self.conditions(before), batch).await?;
        let last = candidates.last().filter(|_| candidates.len() as i64 == batch);
        let next = last.map(|last| (last.start, last.trace_id));
        Ok((candidates, next))
    }

    /// The wanted traces among the candidates, in their order.
    async fn matching(&self, connection: &mut PgConnection, candidates: &[Candidate]) -> Result<Vec<TraceSummary>> {
        let ids: Vec<TraceId> = candidates.iter().map(|candidate| candidate.trace_id).collect();
        let fragments = trace::fragments(connection, &self.buckets(), &ids, self.up_to_segment).await?;
        let mut met: Vec<(TraceSummary, &Fragments)> = Vec::new();
        for candidate in candidates {
            let Some(own) = fragments.get(&candidate.trace_id) else { continue };
            let Some(summary) = fold(own.iter().map(|(fragment, _)| fragment)) else { continue };
            // Rows of a later fragment: the trace is met again at its start.
            if summary.start == candidate.start && summary.meets(self.query, self.now) {
                met.push((summary, own));
            }
        }
        let Some(filter) = self.filter.clone() else {
            return Ok(met.into_iter().map(|(summary, _)| summary).collect());
        };
        let holding = self.filtered(connection, &filter, &met).await?;
        Ok(met.into_iter().map(|(summary, _)| summary).filter(|summary| holding.contains(&summary.trace_id)).collect())
    }

    /// Which of the traces hold a span that meets the filter, and service, operation and status beside it.
    async fn filtered(
        &self,
        connection: &mut PgConnection,
        filter: &Filter,
        traces: &[(TraceSummary, &Fragments)],
    ) -> Result<HashSet<TraceId>> {
        let mut by_segment: HashMap<SegmentRef, HashSet<TraceId>> = HashMap::new();
        for (summary, fragments) in traces {
            for (_, segment) in *fragments {
                by_segment.entry(*segment).or_default().insert(summary.trace_id);
            }
        }
        let mut holding = HashSet::new();
        for (segment, wanted) in by_segment {
            if wanted.iter().all(|id| holding.contains(id)) {
                continue;
            }
            let Some(body) = trace::segment_body(connection, segment).await? else { continue };
            let (filter, query) = (filter.clone(), self.query.clone());
            let hits = tokio::task::spawn_blocking(move || {
                Ok::<Vec<TraceId>, slowburn_storage::Error>(
                    decode_traces(body, segment.id, move |id| wanted.iter().any(|wanted| wanted.as_bytes() == id))?
                        .into_iter()
                        .filter(|span| {
                            query.service.as_ref().is_none_or(|service| *service == span.source.service)
                                && query.operation.as_ref().is_none_or(|operation| *operation == span.operation)
                                && query.status.is_none_or(|status| status == span.status)
                                && filter.matches(span)
                        })
                        .map(|span| span.trace_id)
                        .collect(),
                )
            })
            .await
            .map_err(|fault| Error::Internal(Box::new(fault)))??;
            holding.extend(hits);
        }
        Ok(holding)
    }
}
