//! The spans of a trace as a table: each by itself, or all of one service and operation together, sorted and in pages.

use std::collections::HashMap;

use crate::order;
use crate::outline::Outline;

/// Rows of a page.
pub const PAGE_ROWS: usize = 100;

/// What a table is sorted by. Names and starts go upwards, quantities downwards: what a reader looks for comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// When the span, or the first of the group, began.
    #[default]
    Start,
    /// Service, then operation.
    Service,
    /// Operation, then service.
    Operation,
    /// Duration; of a group the sum.
    Duration,
    /// Self time; of a group the sum.
    SelfTime,
    /// Spans of a group; for single spans the spans below.
    Count,
    /// Errors of a group; for single spans failed ones first.
    Errors,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 7] = [Self::Start, Self::Service, Self::Operation, Self::Duration, Self::SelfTime, Self::Count, Self::Errors];

    /// The word used in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Service => "service",
            Self::Operation => "operation",
            Self::Duration => "duration",
            Self::SelfTime => "self",
            Self::Count => "count",
            Self::Errors => "errors",
        }
    }

    /// From the word used in URLs.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }

    /// What the rows are sorted by, upwards.
    fn key(self, row: &Sorted) -> [i64; 2] {
        // Names of an outline are sorted, so their indices are in the order of the names.
        match self {
            Self::Start => [row.first_nanos, 0],
            Self::Service => [row.service.into(), row.operation.into()],
            Self::Operation => [row.operation.into(), row.service.into()],
            Self::Duration => [row.nanos.saturating_neg(), 0],
            Self::SelfTime => [row.self_nanos.saturating_neg(), 0],
            Self::Count => [-i64::from(row.count), 0],
            Self::Errors => [-i64::from(row.errors), 0],
        }
    }
}

/// What a row of either table can be sorted by.
struct Sorted {
    first_nanos: i64,
    service: u32,
    operation: u32,
    nanos: i64,
    self_nanos: i64,
    count: u32,
    errors: u32,
}

/// All spans of one service and operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Index into the outline's services.
    pub service: u32,
    /// Index into the outline's operations.
    pub operation: u32,
    /// Spans.
    pub spans: u32,
    /// Spans that failed.
    pub errors: u32,
    /// Their durations together, nanoseconds.
    pub total_nanos: i64,
    /// Their self time together, nanoseconds.
    pub self_nanos: i64,
    /// Start of the first, nanoseconds after the trace's.
    pub first_nanos: i64,
    /// Row of the longest.
    pub longest: u32,
}

/// Rows of the spans in order; only failed ones with `errors_only`. Equals keep the order of the waterfall.
pub fn sorted_rows(outline: &Outline, sort: Sort, errors_only: bool) -> Vec<u32> {
    let mut rows: Vec<u32> = (0_u32..).zip(&outline.spans).filter(|(_, span)| !errors_only || span.failed()).map(|(row, _)| row).collect();
    let begin = outline.start();
    let key = |row: u32| {
        let span = &outline.spans[row as usize];
        sort.key(&Sorted {
            first_nanos: span.start.since(begin),
            service: span.service,
            operation: span.operation,
            nanos: span.nanos,
            self_nanos: span.self_nanos,
            count: span.descendants,
            errors: u32::from(span.failed()),
        })
    };
    order::sort(&mut rows, &|a, b| key(a).cmp(&key(b)));
    rows
}

/// The groups in order; with `errors_only` those that hold a failed span, whole.
pub fn sorted_groups(outline: &Outline, sort: Sort, errors_only: bool) -> Vec<Group> {
    let begin = outline.start();
    let mut groups: Vec<Group> = Vec::new();
    let mut index_of: HashMap<(u32, u32), usize> = HashMap::new();
    for (row, span) in (0_u32..).zip(&outline.spans) {
        let first_nanos = span.start.since(begin);
        let index = *index_of.entry((span.service, span.operation)).or_insert_with(|| {
            let (service, operation) = (span.service, span.operation);
            groups.push(Group { service, operation, spans: 0, errors: 0, total_nanos: 0, self_nanos: 0, first_nanos, longest: row });
            groups.len() - 1
        });
        let group = &mut groups[index];
        group.spans += 1;
        group.errors += u32::from(span.failed());
        group.total_nanos += span.nanos;
        group.self_nanos += span.self_nanos;
        group.first_nanos = group.first_nanos.min(first_nanos);
        if span.nanos > outline.spans[group.longest as usize].nanos {
            group.longest = row;
        }
    }
    groups.retain(|group| !errors_only || group.errors > 0);
    let key = |group: &Group| {
        sort.key(&Sorted {
            first_nanos: group.first_nanos,
            service: group.service,
            operation: group.operation,
            nanos: group.total_nanos,
            self_nanos: group.self_nanos,
            count: group.spans,
            errors: group.errors,
        })
    };
    order::sorted(&groups, &|a, b| key(a).cmp(&key(b)))
}

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number, from 1.
    pub number: usize,
    /// How many pages there are, 1 or more.
    pub pages: usize,
    /// First row of the list that is on it.
    pub from: usize,
    /// Row after the last.
    pub to: usize,
}

impl Page {
    /// The page with a number from 1; the last one for a number that is too high.
    pub fn of(rows: usize, number: usize) -> Self {
        let pages = rows.div_ceil(PAGE_ROWS).max(1);
        let number = number.clamp(1, pages);
        let from = (number - 1) * PAGE_ROWS;
        Self { number, pages, from, to: (from + PAGE_ROWS).min(rows) }
    }

    /// The page that a row of the list is on.
    pub fn holding(rows: usize, row: usize) -> Self {
        Self::of(rows, row / PAGE_ROWS + 1)
    }
}

#[cfg(test)]
mod tests;
