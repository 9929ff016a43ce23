//! The page of a trace.

use serde::{Deserialize, Serialize};

use crate::id::SpanId;
use crate::log::LogLine;
use crate::outline::Outline;
use crate::span::{Event, Kind, Link, Status, Value, pairs};
use crate::time::Timestamp;
use crate::trace::TraceSummary;

/// One span of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanView {
    /// Its id.
    pub span_id: SpanId,
    /// The span that caused it.
    pub parent_span_id: Option<SpanId>,
    /// Service it ran in.
    pub service: String,
    /// Its operation.
    pub operation: String,
    /// Its role.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
    /// Words about an error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    /// When it began.
    pub start: Timestamp,
    /// Length, milliseconds.
    pub duration_ms: f64,
    /// Own attributes.
    #[serde(with = "pairs")]
    pub attributes: Vec<(String, Value)>,
    /// Attributes of its resource.
    #[serde(with = "pairs")]
    pub resource: Vec<(String, Value)>,
    /// Timed annotations.
    pub events: Vec<Event>,
    /// References to other spans.
    pub links: Vec<Link>,
}

/// Where a trace failed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Row of the span in the trace's outline.
    pub row: u32,
    /// What the span says about it; empty when it says nothing.
    pub message: String,
}

/// The trace that another one is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherTrace {
    /// The whole.
    pub summary: TraceSummary,
    /// Its spans.
    pub outline: Outline,
}

/// One trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracePage {
    /// When it was read.
    pub now: Timestamp,
    /// The whole.
    pub summary: TraceSummary,
    /// Its spans, each once.
    pub outline: Outline,
    /// What sampling left out, in a sentence; empty when it left nothing out.
    pub sampling: String,
    /// Where it failed first.
    pub failure: Option<Failure>,
    /// The span a reader sees first, in full.
    pub selected: Option<SpanView>,
    /// What was logged in it, oldest first.
    pub logs: Vec<LogLine>,
    /// More was logged than is shown?
    pub more_logs: bool,
    /// Newest other traces with the same root, when they are asked for.
    pub alike: Vec<TraceSummary>,
    /// The trace it is to be compared with, when there is such a one.
    pub other: Option<OtherTrace>,
}
