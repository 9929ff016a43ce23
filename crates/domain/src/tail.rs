//! The live tail of a search: what is new in the newest answer beside the one that is shown.

use std::collections::HashSet;

use crate::id::TraceId;
use crate::story::plural;
use crate::view::TracesPage;

/// What the newest answer has that the shown one has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Traces that are not shown yet, newest first.
    pub traces: Vec<TraceId>,
    /// Whether more came than one answer holds, so that some will not be shown.
    pub has_skipped: bool,
}

impl Fresh {
    /// Compares two answers to one search.
    pub fn between(shown: &TracesPage, newest: &TracesPage) -> Self {
        let known: HashSet<TraceId> = shown.items.iter().map(|trace| trace.trace_id).collect();
        let traces: Vec<TraceId> = newest.items.iter().map(|trace| trace.trace_id).filter(|id| !known.contains(id)).collect();
        // A full answer without a trace that was shown does not reach back to where the shown one began.
        let has_skipped = newest.next.is_some() && !traces.is_empty() && traces.len() == newest.items.len() && !known.is_empty();
        Self { traces, has_skipped }
    }

    /// `3 new traces`, `50 or more new traces`; empty when there are none.
    pub fn told(&self) -> String {
        match self.traces.len() {
            0 => String::new(),
            count if self.has_skipped => format!("{count} or more new traces"),
            count => plural(count as u64, "new trace"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::TraceQuery;
    use crate::time::Timestamp;
    use crate::trace::{Root, TraceSummary};

    fn page(traces: &[u128], has_more: bool) -> TracesPage {
        let item = |number: &u128| TraceSummary {
            trace_id: TraceId::from_bytes(&number.to_be_bytes()).expect("not zero"),
            correlation_ids: vec![],
            project_ids: vec![],
            execution_ids: vec![],
            start: Timestamp::from_millis(*number as i64),
            duration_ms: 1.0,
            root: Root { service: "web".to_owned(), operation: "GET".to_owned() },
            services: vec![],
            spans: 1,
            errors: 0,
            classes: vec![],
        };
        TracesPage {
            now: Timestamp::default(),
            query: TraceQuery::default(),
            faults: vec![],
            items: traces.iter().map(item).collect(),
            next: has_more.then(TraceQuery::default),
            searched_to: None,
            histogram: vec![],
            histogram_step_seconds: 1.0,
            services: vec![],
        }
    }

    #[test]
    fn new_traces_are_told_and_those_beyond_an_answer_are_said_to_be_skipped() {
        for (shown, newest, has_more, told) in [
            (vec![3, 2, 1], vec![3, 2, 1], false, ""),
            (vec![3, 2, 1], vec![5, 4, 3], true, "2 new traces"),
            (vec![3, 2, 1], vec![3, 2, 7, 1], false, "1 new trace"),
            (vec![3, 2, 1], vec![9, 8, 7], true, "3 or more new traces"),
            (vec![], vec![2, 1], true, "2 new traces"),
            (vec![3], vec![], false, ""),
        ] {
            let fresh = Fresh::between(&page(&shown, true), &page(&newest, has_more));
            assert_eq!(fresh.told(), told, "{shown:?} {newest:?}");
            assert_eq!(fresh.has_skipped, told.contains("or more"));
        }
    }
}
