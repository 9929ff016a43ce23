//! The critical path of a trace: at every instant of the root span, the one span whose work the end was waiting for.
//!
//! As in Uber's CRISP (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC
//! 2022) and Jaeger's trace view: walk back from the root's end. The child that ended last was the one waited for; the time
//! after its end is the parent's own. Go through that child in the same way, and on from its start with the child that
//! ended last before it. What is left at the front is the parent's own again.
//!
//! Clocks of two hosts differ, so children are cut to the time of their parents first; what lies outside (an asynchronous
//! child that began after its parent had ended) was not waited for. The segments therefore fill the root exactly, whatever
//! the spans look like.

use std::collections::BTreeMap;

use super::tree::{SpanExtent, Tree};
use crate::order;
use crate::time::Timestamp;

/// What the end of a trace waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CriticalPath {
    /// From the root's start to its end without gap or overlap, oldest first.
    pub segments: Vec<PathSegment>,
    /// Every span on the path by index, with the nanoseconds of its own in `segments`; 0 where its children fill it.
    pub own_nanos: Vec<(u32, i64)>,
}

/// A time in which the end of the trace waited for one span's own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathSegment {
    /// Index of the span.
    pub span: u32,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// The critical path through the trace's root: the earliest span without parent, or the earliest of all while that has not
/// arrived. Empty without spans.
pub fn critical_path(spans: &[SpanExtent]) -> CriticalPath {
    let tree = Tree::new(spans);
    let rank = |root: &&u32| {
        let span = &spans[**root as usize];
        (span.parent_span_id.is_some(), span.start, span.span_id)
    };
    let Some(root) = tree.roots.iter().min_by_key(rank) else { return CriticalPath::default() };
    let span = &spans[*root as usize];
    let mut segments = Vec::new();
    let mut own_nanos: BTreeMap<u32, i64> = BTreeMap::from([(*root, 0)]);
    let mut open = vec![Visit::new(PathSegment { span: *root, start: span.start, end: span.end.max(span.start) }, spans, &tree)];
    while let Some(visit) = open.last_mut() {
        let child = visit.last_returning_child();
        let own_from = child.map_or(visit.start, |child| child.end);
        if own_from < visit.until {
            segments.push(PathSegment { span: visit.span, start: own_from, end: visit.until });
            *own_nanos.entry(visit.span).or_default() += visit.until.since(own_from);
        }
        if let Some(child) = child {
            visit.until = child.start;
            own_nanos.entry(child.span).or_default();
            open.push(Visit::new(child, spans, &tree));
        } else {
            open.pop();
        }
    }
    segments.reverse();
    CriticalPath { segments, own_nanos: own_nanos.into_iter().collect() }
}

/// A span being walked through from its end to its start.
struct Visit {
    span: u32,
    start: Timestamp,
    /// How far back the walk has come.
    until: Timestamp,
    /// Children cut to this span, the one to be looked at next last: by end, of those the longest.
    children: Vec<PathSegment>,
}

impl Visit {
    fn new(extent: PathSegment, spans: &[SpanExtent], tree: &Tree) -> Self {
        let cut = |child: &u32| {
            let span = &spans[*child as usize];
            PathSegment { span: *child, start: span.start.max(extent.start), end: span.end.min(extent.end) }
        };
        // A child that took no time within its parent held nothing up.
        let children: Vec<PathSegment> = tree.children(extent.span).iter().map(cut).filter(|child| child.start < child.end).collect();
        let rank = |child: &PathSegment| (child.end, std::cmp::Reverse((child.start, spans[child.span as usize].span_id)));
        let children = order::sorted(&children, &|a, b| rank(a).cmp(&rank(b)));
        Self { span: extent.span, start: extent.start, until: extent.end, children }
    }

    /// The child that returned last before the point reached. Children that were still running then ran beside a child
    /// that was waited for longer; they are done with.
    fn last_returning_child(&mut self) -> Option<PathSegment> {
        while let Some(child) = self.children.pop() {
            if child.end <= self.until {
                return Some(child);
            }
        }
        None
    }
}
