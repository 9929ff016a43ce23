//! The pages of searches: traces, logs, events; and what is offered while one types.

use serde::{Deserialize, Serialize};

use crate::event::EventQuery;
use crate::log::{LEVELS, LogLine};
use crate::log_query::LogQuery;
use crate::query::{FieldFault, TraceQuery};
use crate::saved_view::SavedView;
use crate::time::Timestamp;
use crate::trace::TraceSummary;

/// Traces per interval of the search's time range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistogramBar {
    /// Start of the interval.
    pub start: Timestamp,
    /// Traces without errors.
    pub ok: u64,
    /// Traces with errors.
    pub failed: u64,
}

/// Log records per interval of the search's time range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogBar {
    /// Start of the interval.
    pub start: Timestamp,
    /// Records by level, in the order of [`LEVELS`].
    pub counts: [u64; LEVELS.len()],
}

/// The Logs page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogsPage {
    /// When it was read.
    pub now: Timestamp,
    /// The search as understood.
    pub query: LogQuery,
    /// What could not be understood.
    pub faults: Vec<FieldFault>,
    /// Records found, newest first.
    pub items: Vec<LogLine>,
    /// The search for the next page.
    pub next: Option<LogQuery>,
    /// The search took long and has come to here; what happened before is for the next page.
    pub searched_to: Option<Timestamp>,
    /// Counts of the records shown.
    pub histogram: Vec<LogBar>,
    /// Length of an interval, seconds.
    pub histogram_step_seconds: f64,
    /// Services to choose from.
    pub services: Vec<String>,
    /// Searches kept under a name.
    pub views: Vec<SavedView>,
}

/// The Events page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventsPage {
    /// When it was read.
    pub now: Timestamp,
    /// The search as understood.
    pub query: EventQuery,
    /// What could not be understood.
    pub faults: Vec<FieldFault>,
    /// Events found, newest first.
    pub items: Vec<LogLine>,
    /// The search for the next page.
    pub next: Option<EventQuery>,
    /// Searches kept under a name.
    pub views: Vec<SavedView>,
}

/// What may follow in a condition that is being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// Where what they replace begins: UTF-16 units of the text, as browsers count. It ends at the caret.
    pub from: usize,
    /// The best first.
    pub items: Vec<Completion>,
}

/// One thing that may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// What is put in.
    pub insert: String,
    /// What is shown.
    pub label: String,
    /// How often the newest records have it, or what it is.
    pub detail: String,
}

/// Something that a reader may mean who has typed a part of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What it is, in a word: `SLO`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The path of its page.
    pub href: String,
}

/// The Traces page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracesPage {
    /// When it was read.
    pub now: Timestamp,
    /// The search as understood.
    pub query: TraceQuery,
    /// What could not be understood.
    pub faults: Vec<FieldFault>,
    /// Traces found, newest first.
    pub items: Vec<TraceSummary>,
    /// The search for the next page.
    pub next: Option<TraceQuery>,
    /// The search took long and has come to here; what starts before is for the next page.
    pub searched_to: Option<Timestamp>,
    /// The traces of this page over time, evenly spaced from the oldest to the newest shown.
    pub histogram: Vec<HistogramBar>,
    /// Length of an interval, seconds.
    pub histogram_step_seconds: f64,
    /// Services seen lately, to choose from.
    pub services: Vec<String>,
    /// Searches kept under a name.
    pub views: Vec<SavedView>,
}
