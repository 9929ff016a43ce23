//! A trace as the rows of a waterfall: every span once, children below their parents, siblings by start.
//!
//! What arrived need not be a tree. A span whose parent is missing becomes a root, so nothing is lost; of spans that name
//! each other as parents the earliest becomes a root; of two spans with one id the first has the children. Nothing here
//! recurses: a trace may be ten thousand spans deep.

use std::collections::HashMap;

use crate::id::SpanId;
use crate::order;
use crate::span::Span;
use crate::time::Timestamp;

/// One span's place in the waterfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Index of the span.
    pub span: u32,
    /// Spans above it.
    pub depth: u32,
}

/// As much of a span as its place in the trace needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanExtent {
    /// Its id.
    pub span_id: SpanId,
    /// The span that caused it.
    pub parent_span_id: Option<SpanId>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
}

impl From<&Span> for SpanExtent {
    fn from(span: &Span) -> Self {
        Self { span_id: span.span_id, parent_span_id: span.parent_span_id, start: span.start, end: span.end }
    }
}

/// The rows of a waterfall, top to bottom. Rows refer to spans by index.
pub fn rows(spans: &[SpanExtent]) -> Vec<Row> {
    let tree = Tree::new(spans);
    let mut rows: Vec<Row> = Vec::with_capacity(spans.len());
    let mut waiting: Vec<Row> = tree.roots.iter().rev().map(|root| Row { span: *root, depth: 0 }).collect();
    while let Some(row) = waiting.pop() {
        rows.push(row);
        waiting.extend(tree.children(row.span).iter().rev().map(|child| Row { span: *child, depth: row.depth + 1 }));
    }
    rows
}

/// Who is whose child, with missing parents and cycles resolved. Spans are named by index.
pub(super) struct Tree {
    children: Vec<Vec<u32>>,
    /// Spans without parent here, by start, then id.
    pub(super) roots: Vec<u32>,
}

impl Tree {
    pub(super) fn new(spans: &[SpanExtent]) -> Self {
        let mut by_id: HashMap<SpanId, u32> = HashMap::with_capacity(spans.len());
        for (index, span) in spans.iter().enumerate() {
            by_id.entry(span.span_id).or_insert(index as u32);
        }
        let mut parents: Vec<Option<u32>> =
            spans.iter().map(|span| span.parent_span_id.and_then(|parent| by_id.get(&parent).copied())).collect();
        break_cycles(spans, &mut parents);
        let mut in_order: Vec<u32> = (0..spans.len() as u32).collect();
        let rank = |index: u32| (spans[index as usize].start, spans[index as usize].span_id);
        order::sort(&mut in_order, &|a, b| rank(a).cmp(&rank(b)));
        let mut children = vec![Vec::new(); spans.len()];
        let mut roots = Vec::new();
        for index in in_order {
            match parents[index as usize] {
                Some(parent) => children[parent as usize].push(index),
                None => roots.push(index),
            }
        }
        Self { children, roots }
    }

    /// Children by start, then id.
    pub(super) fn children(&self, span: u32) -> &[u32] {
        &self.children[span as usize]
    }
}

/// Takes the parent from the earliest span of every cycle.
fn break_cycles(spans: &[SpanExtent], parents: &mut [Option<u32>]) {
    const UNMET: usize = usize::MAX;
    // Which walk towards a root came by first; a walk is named by the span it began at.
    let mut met_by = vec![UNMET; spans.len()];
    for walk in 0..spans.len() {
        let mut at = walk as u32;
        while met_by[at as usize] == UNMET {
            met_by[at as usize] = walk;
            match parents[at as usize] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        // Ending on a span of this very walk, other than by reaching a root, means having come back to it.
        if met_by[at as usize] == walk && parents[at as usize].is_some() {
            let earliest = cycle(parents, at).min_by_key(|index| (spans[*index as usize].start, spans[*index as usize].span_id));
            if let Some(earliest) = earliest {
                parents[earliest as usize] = None;
            }
        }
    }
}

/// The spans of the cycle that `member` belongs to.
fn cycle(parents: &[Option<u32>], member: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(member), move |at| parents[*at as usize].filter(|next| *next != member))
}
