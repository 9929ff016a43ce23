//! What the index keeps of one trace in one segment, and how several such fragments become one summary.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::TraceId;
use crate::query::TraceQuery;
use crate::span::{Span, Status};
use crate::time::Timestamp;

/// A kind of span that a fragment holds at least one of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpanClass {
    /// Service of the span.
    pub service: String,
    /// Its operation.
    pub operation: String,
    /// Its status.
    pub status: Status,
}

/// The span that stands for a trace in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Service of the root span.
    pub service: String,
    /// Operation of the root span.
    pub operation: String,
}

/// One trace as far as one segment knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The trace.
    pub trace_id: TraceId,
    /// Earliest start of its spans here.
    pub start: Timestamp,
    /// Latest end of its spans here.
    pub end: Timestamp,
    /// Spans here.
    pub spans: u32,
    /// Spans here that failed.
    pub errors: u32,
    /// The span without parent, or else the earliest one here.
    pub root: Root,
    /// Start of that span.
    pub root_start: Timestamp,
    /// Whether it really has no parent.
    pub root_is_known: bool,
    /// Every (service, operation, status) that occurs here, sorted.
    pub classes: Vec<SpanClass>,
    /// Correlation IDs here, sorted.
    pub correlation_ids: Vec<String>,
    /// Project IDs here, sorted.
    pub project_ids: Vec<String>,
    /// Execution IDs here, sorted.
    pub execution_ids: Vec<String>,
}

impl Fragment {
    /// What the index keeps of `spans`, all of one trace. `None` without spans.
    pub fn of<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Option<Self> {
        let mut spans = spans.into_iter().peekable();
        let first = *spans.peek()?;
        let mut fragment = Self {
            trace_id: first.trace_id,
            start: first.start,
            end: first.end,
            spans: 0,
            errors: 0,
            root: Root { service: first.source.service.clone(), operation: first.operation.clone() },
            root_start: first.start,
            root_is_known: false,
            classes: Vec::new(),
            correlation_ids: Vec::new(),
            project_ids: Vec::new(),
            execution_ids: Vec::new(),
        };
        let mut root: Option<&Span> = None;
        let mut classes: Vec<(&str, &str, Status)> = Vec::new();
        for span in spans {
            fragment.start = fragment.start.min(span.start);
            fragment.end = fragment.end.max(span.end);
            fragment.spans += 1;
            fragment.errors += u32::from(span.status == Status::Error);
            if root.is_none_or(|known| root_rank(span) < root_rank(known)) {
                root = Some(span);
            }
            let class = (span.source.service.as_str(), span.operation.as_str(), span.status);
            if !classes.contains(&class) {
                classes.push(class);
            }
            for (ids, id) in [
                (&mut fragment.correlation_ids, &span.correlation_id),
                (&mut fragment.project_ids, &span.project_id),
                (&mut fragment.execution_ids, &span.execution_id),
            ] {
                if let Some(id) = id.as_ref().filter(|id| !ids.contains(id)) {
                    ids.push(id.clone());
                }
            }
        }
        if let Some(root) = root {
            fragment.root = Root { service: root.source.service.clone(), operation: root.operation.clone() };
            fragment.root_start = root.start;
            fragment.root_is_known = root.parent_span_id.is_none();
        }
        classes.sort_unstable();
        fragment.classes = classes
            .into_iter()
            .map(|(service, operation, status)| SpanClass { service: service.to_owned(), operation: operation.to_owned(), status })
            .collect();
        fragment.correlation_ids.sort_unstable();
        fragment.project_ids.sort_unstable();
        fragment.execution_ids.sort_unstable();
        Some(fragment)
    }
}

/// The least one is the root: no parent before a missing one, then the earliest. Names decide between spans of one instant,
/// because fragments keep these and must fold to the same root in whatever way the spans were spread over them.
fn root_rank(span: &Span) -> (bool, Timestamp, &str, &str) {
    (span.parent_span_id.is_some(), span.start, &span.source.service, &span.operation)
}

/// One trace as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// The trace.
    pub trace_id: TraceId,
    /// IDs under which people look for it, sorted.
    pub correlation_ids: Vec<String>,
    /// Project IDs, sorted.
    pub project_ids: Vec<String>,
    /// Execution IDs, sorted.
    pub execution_ids: Vec<String>,
    /// Earliest start of a span.
    pub start: Timestamp,
    /// From the earliest start to the latest end, milliseconds.
    pub duration_ms: f64,
    /// The span without parent; the earliest one while that has not arrived.
    pub root: Root,
    /// Services taking part, sorted.
    pub services: Vec<String>,
    /// Number of spans.
    pub spans: u32,
    /// Number of spans that failed.
    pub errors: u32,
    /// Every (service, operation, status) that occurs, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<SpanClass>,
}

impl TraceSummary {
    /// Latest end of a span.
    pub fn end(&self) -> Timestamp {
        self.start.plus_nanos((self.duration_ms * 1e6).round() as i64)
    }

    /// Whether the folded trace meets the parts of `query` that the index can decide: all but `filter` and the ids.
    /// Service, operation and status must hold for one and the same span.
    pub fn meets(&self, query: &TraceQuery, now: Timestamp) -> bool {
        let same_span = query.service.is_none() && query.operation.is_none() && query.status.is_none()
            || self.classes.iter().any(|class| {
                query.service.as_ref().is_none_or(|s| *s == class.service)
                    && query.operation.as_ref().is_none_or(|o| *o == class.operation)
                    && query.status.is_none_or(|s| s == class.status)
            });
        let holds = |wanted: &Option<String>, ids: &[String]| wanted.as_ref().is_none_or(|id| ids.contains(id));
        same_span
            && holds(&query.correlation_id, &self.correlation_ids)
            && holds(&query.project_id, &self.project_ids)
            && holds(&query.execution_id, &self.execution_ids)
            && query.min_duration_ms.is_none_or(|least| self.duration_ms >= least)
            && query.max_duration_ms.is_none_or(|most| self.duration_ms <= most)
            && query.from.is_none_or(|from| self.start >= from.at(now))
            && query.to.is_none_or(|to| self.start < to.at(now))
    }
}

/// Puts the fragments of one trace together, in whatever order they came. `None` without fragments.
///
/// A span that arrived in two requests lies in two fragments and is counted twice here; reading the trace itself shows it
/// once.
pub fn fold<'a>(fragments: impl IntoIterator<Item = &'a Fragment>) -> Option<TraceSummary> {
    let fragments: Vec<&Fragment> = fragments.into_iter().collect();
    let start = fragments.iter().map(|f| f.start).min()?;
    let end = fragments.iter().map(|f| f.end).max()?;
    let root = fragments.iter().min_by(|a, b| {
        let rank = |f: &Fragment| (!f.root_is_known, f.root_start);
        rank(a).cmp(&rank(b)).then_with(|| (&a.root.service, &a.root.operation).cmp(&(&b.root.service, &b.root.operation)))
    })?;
    let union = |ids: fn(&Fragment) -> &Vec<String>| -> Vec<String> {
        fragments.iter().flat_map(|f| ids(f)).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    };
    let classes: BTreeSet<&SpanClass> = fragments.iter().flat_map(|f| &f.classes).collect();
    let services: BTreeSet<&String> = classes.iter().map(|c| &c.service).collect();
    Some(TraceSummary {
        trace_id: root.trace_id,
        correlation_ids: union(|f| &f.correlation_ids),
        project_ids: union(|f| &f.project_ids),
        execution_ids: union(|f| &f.execution_ids),
        start,
        duration_ms: end.since(start) as f64 / 1e6,
        root: root.root.clone(),
        services: services.into_iter().cloned().collect(),
        spans: fragments.iter().map(|f| f.spans).sum(),
        errors: fragments.iter().map(|f| f.errors).sum(),
        classes: classes.into_iter().cloned().collect(),
    })
}
