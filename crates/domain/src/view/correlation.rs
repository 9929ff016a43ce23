//! The page of a correlation ID.

use serde::{Deserialize, Serialize};

use crate::id::TraceId;
use crate::log::LogLine;
use crate::span::Status;
use crate::time::Timestamp;
use crate::trace::TraceSummary;

/// One service's part of one trace on the correlation page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneBar {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Service of the span.
    pub service: String,
    /// Operation of the span.
    pub operation: String,
    /// Outcome.
    pub status: Status,
    /// When it began.
    pub start: Timestamp,
    /// Length, milliseconds.
    pub duration_ms: f64,
}

/// Everything with one correlation ID.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrelationPage {
    /// When it was read.
    pub now: Timestamp,
    /// The ID.
    pub id: String,
    /// Its traces, oldest first.
    pub traces: Vec<TraceSummary>,
    /// More traces than shown?
    pub truncated: bool,
    /// The entry spans of every service in every trace, oldest first: spans whose parent ran in another service; and the first that
    /// failed of a service whose entries did not.
    pub bars: Vec<LaneBar>,
    /// The first failure: where and what.
    pub first_error: Option<LaneBar>,
    /// What was logged with the ID or in one of its traces, and the events that carry it, oldest first.
    pub logs: Vec<LogLine>,
    /// More was logged than is shown?
    pub more_logs: bool,
}

impl CorrelationPage {
    /// When the first of it happened, and when the last of it ended.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let starts = self.traces.iter().map(|trace| trace.start).chain(self.logs.iter().map(|log| log.time));
        let ends = self.traces.iter().map(TraceSummary::end).chain(self.logs.iter().map(|log| log.time));
        (starts.min().unwrap_or_default(), ends.max().unwrap_or_default())
    }
}
