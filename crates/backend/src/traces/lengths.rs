//! Searching by duration alone.
//!
//! A trace's duration is known of the whole only, and looking up all fragments of every trace costs ten times as much as reading
//! when they begin and end. So the index is walked from the newest start on, and of every trace is remembered when the last of its
//! fragments met so far ends: when its first one comes, all others have been met. Traces that are long enough by that are
//! candidates, whose fragments are then looked up and folded.
//!
//! A search with an upper end looks ahead: at the fragments that begin up to an hour later. Where those are too many, there are no
//! `Lengths`, and every trace is looked up.

use std::collections::HashMap;

use slowburn_domain::id::TraceId;
use slowburn_domain::time::Timestamp;
use slowburn_storage::trace::{self, Candidate, CandidateQuery};
use sqlx::PgConnection;

use super::search::Search;
use super::walk::TRACE_LASTS_SECONDS;
use crate::Result;

/// Index rows of a bucket read together.
const MOST_STEP: i64 = 16_384;
/// Index rows looked ahead at.
const MOST_AHEAD: usize = 100_000;
/// Index rows walked for one page, for each of which up to forty bytes are held.
const MOST_WALKED: usize = 2_000_000;

/// When the traces met so far end.
pub(super) struct Lengths {
    least_ms: f64,
    /// By the first half of the trace's id: ids that meet make a candidate too many, and never one too few.
    ends: HashMap<u64, i64>,
    walked: usize,
    step: i64,
}

/// Some candidates, newest first.
pub(super) struct Step {
    pub(super) candidates: Vec<Candidate>,
    /// Where the walk goes on; `None` at the end.
    pub(super) next: Option<(Timestamp, TraceId)>,
}

impl Lengths {
    /// Looks ahead of a search for traces that last `least_ms`; `None` if that is too much.
    pub(super) async fn ahead(search: &Search<'_>, connection: &mut PgConnection, least_ms: f64) -> Result<Option<Self>> {
        let mut lengths = Self { least_ms, ends: HashMap::new(), walked: 0, step: search.first_batch() };
        let Some(upper) = search.upper() else { return Ok(Some(lengths)) };
        let query = CandidateQuery {
            from: Some(upper),
            to: Some(upper.plus_seconds(TRACE_LASTS_SECONDS)),
            up_to_segment: search.up_to_segment,
            ..CandidateQuery::default()
        };
        let mut before = None;
        loop {
            let walked = trace::walk(connection, &search.buckets(), &CandidateQuery { before, ..query.clone() }, MOST_STEP).await?;
            walked.rows.iter().for_each(|row| lengths.meet(row));
            if lengths.ends.len() > MOST_AHEAD {
                return Ok(None);
            }
            before = walked.next;
            if before.is_none() {
                return Ok(Some(lengths));
            }
        }
    }

    /// Whether one page may walk no further.
    pub(super) const fn is_full(&self) -> bool {
        self.walked >= MOST_WALKED
    }

    /// The next candidates before `before`.
    pub(super) async fn step(
        &mut self,
        search: &Search<'_>,
        connection: &mut PgConnection,
        before: Option<(Timestamp, TraceId)>,
    ) -> Result<Step> {
        let walked = trace::walk(connection, &search.buckets(), &search.conditions(before), self.step).await?;
        self.step = (self.step * 2).min(MOST_STEP);
        self.walked += walked.rows.len();
        walked.rows.iter().for_each(|row| self.meet(row));
        let mut candidates = walked.rows;
        // Of the last one another fragment with the same start may have been left for the next step.
        let last = candidates.last().map(|row| row.trace_id).filter(|_| walked.next.is_some());
        candidates.retain(|row| self.may_last(row) || last == Some(row.trace_id));
        Ok(Step { candidates, next: walked.next })
    }

    fn meet(&mut self, row: &Candidate) {
        let end = self.ends.entry(short(row.trace_id)).or_insert(i64::MIN);
        *end = row.end.nanos().max(*end);
    }

    /// Whether the trace lasts long enough if this row begins it. Rows of the same step that start earlier are known too, and may
    /// end later: a candidate too many.
    fn may_last(&self, row: &Candidate) -> bool {
        let end = self.ends.get(&short(row.trace_id)).copied().unwrap_or(i64::MAX);
        end.saturating_sub(row.start.nanos()) as f64 / 1e6 >= self.least_ms
    }
}

fn short(id: TraceId) -> u64 {
    let [first @ .., _, _, _, _, _, _, _, _] = *id.as_bytes();
    u64::from_be_bytes(first)
}
