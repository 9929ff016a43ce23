//! Read models shaped for pages. They may change with the pages; the API's shapes are kept apart, in `server`.

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::event::EventQuery;
use crate::history::Happening;
use crate::id::{SpanId, TraceId};
use crate::incident::Incident;
use crate::log::{LEVELS, LogLine};
use crate::log_query::LogQuery;
use crate::outline::Outline;
use crate::query::{FieldFault, TraceQuery};
use crate::red::ServiceRed;
use crate::saved_view::SavedView;
use crate::sentence::instant;
use crate::service_map::Edge;
use crate::service_map::layout::Layout;
use crate::slo::{Alert, Counts, Evaluation, Lint, Objective, SeriesPoint};
use crate::slo_query::SloQuery;
use crate::span::{Event, Kind, Link, Status, Value, pairs};
use crate::storage::{Backfill, StorageReport};
use crate::time::Timestamp;
use crate::trace::TraceSummary;

/// What came in during the last sixty seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Spans committed.
    pub spans: u64,
    /// Spans committed that hold an error.
    pub errors: u64,
    /// Log records committed.
    pub logs: u64,
    /// Log records committed that tell of an error.
    pub error_logs: u64,
    /// Records refused, with a reason told to the sender.
    pub refused: u64,
    /// Values replaced by redaction.
    pub redacted: u64,
}

/// One SLO in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloRow {
    /// The promise.
    pub objective: Objective,
    /// How it stands.
    pub evaluation: Evaluation,
    /// Burn rate per hour over the last 24 hours, oldest first; `None` without events.
    pub sparkline: Vec<Option<f64>>,
    /// How its groups stand, if it has any.
    pub groups: Option<GroupCounts>,
}

/// How many groups an SLO has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCounts {
    /// All of them.
    pub all: u32,
    /// Those that somebody should look at.
    pub in_trouble: u32,
}

/// The groups of an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// What events are grouped by, in CEL.
    pub by: String,
    /// Most groups that values get.
    pub cap: u32,
    /// How many there are.
    pub all: usize,
    /// The worst of them.
    pub worst: Vec<SloRow>,
}

/// The Overview page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverviewPage {
    /// When it was read.
    pub now: Timestamp,
    /// Every SLO, worst first.
    pub slos: Vec<SloRow>,
    /// What arrived lately.
    pub arrivals: Arrivals,
    /// Open incidents, those that opened last first.
    pub incidents: Vec<Incident>,
    /// Calls of the last hour of which one in a hundred or more fails, worst first.
    pub failing_calls: Vec<Edge>,
    /// Newest traces that failed.
    pub failed_traces: Vec<TraceSummary>,
    /// Where senders reach this server, for the empty state.
    pub otlp_http: String,
    /// Has anything ever been received?
    pub has_telemetry: bool,
}

/// The list of SLOs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlosPage {
    /// When it was read.
    pub now: Timestamp,
    /// What was asked for, as understood.
    pub query: SloQuery,
    /// What could not be understood.
    pub faults: Vec<FieldFault>,
    /// The SLOs asked for, in the order asked for.
    pub slos: Vec<SloRow>,
    /// How many there are of each state but for the state asked for, worst first.
    pub states: Vec<(Alert, usize)>,
    /// How many there are at all.
    pub total: usize,
    /// How they all stand, in one sentence.
    pub sentence: String,
    /// Services to choose from.
    pub services: Vec<String>,
    /// Labels to choose from, as `key:value`.
    pub labels: Vec<String>,
}

/// A version of an OpenSLO document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentVersion {
    /// Its number, from 1.
    pub number: i32,
    /// Since when it was in force.
    pub at: Timestamp,
    /// Who applied it, if they said so.
    pub author: Option<String>,
    /// Why, if they said so.
    pub reason: Option<String>,
    /// `created`, `changed` or `deleted`.
    pub change: String,
    /// The parts that differ from the version before, as `field: old → new`.
    pub differences: Vec<String>,
    /// Its text; of a deleted document the last one.
    pub body: String,
}

/// One SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloPage {
    /// When it was read.
    pub now: Timestamp,
    /// Promise and standing.
    pub row: SloRow,
    /// Length of a step of the series, seconds.
    pub step_seconds: u32,
    /// Good, total, burn rate and remaining budget per step, oldest first.
    pub series: Vec<SeriesPoint>,
    /// Conditions of the indicator, in CEL or as queries of its source: which events count, and which of them are good.
    pub indicator: Indicator,
    /// Where its counts come from; `None` when they are made here.
    pub source: Option<ExternalSource>,
    /// Its groups, if it has any.
    pub groups: Option<Groups>,
    /// How far counting what was stored before it was applied has come; `None` when all is counted.
    pub backfill: Option<Backfill>,
    /// Its newest incidents, those that opened last first.
    pub incidents: Vec<Incident>,
    /// What happened to it, newest first.
    pub history: Vec<Happening>,
    /// Newest traces that hold a bad event.
    pub bad_traces: Vec<TraceSummary>,
    /// Its OpenSLO document, without secrets.
    pub definition: String,
}

/// What an objective would have meant for the spans that are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloPreview {
    /// How it would stand, in one sentence.
    pub sentence: String,
    /// Good and all events that were looked at.
    pub counts: Counts,
    /// Share of good ones; `None` without events.
    pub sli: Option<f64>,
    /// Share of the budget that would be left; `None` without events.
    pub budget_left: Option<f64>,
    /// State it would be in.
    pub alert: Alert,
    /// From when on stored spans were looked at.
    pub back_to: Timestamp,
    /// Whether that is the whole window; otherwise looking took too long.
    pub is_whole: bool,
    /// How far was looked, and what follows once it is saved, in sentences.
    pub looked: String,
    /// Which groups it would have, in a sentence; empty without groups.
    pub groups: String,
    /// When its alerts would fire, in a sentence each.
    pub alerts: Vec<String>,
    /// What the numbers say against it.
    pub lints: Vec<Lint>,
    /// Some records that count, bad ones first.
    pub examples: Vec<Example>,
}

/// A record that an objective would count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The page that shows it; empty when there is none.
    pub href: String,
    /// Operation of a span, body of a log record, subject of an event.
    pub said: String,
    /// Duration of a span, severity of a log record that tells of no error; otherwise empty.
    pub figure: String,
    /// Whether it is a failure by itself.
    pub is_error: bool,
    /// The verdict.
    pub is_good: bool,
}

/// Creating or changing an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloEditorPage {
    /// When it was read.
    pub now: Timestamp,
    /// What the form holds, as a form sends it ([`SloForm`](crate::slo_form::SloForm)).
    pub form: String,
    /// The name that is meant, given or proposed.
    pub name: String,
    /// The document that is meant.
    pub document: String,
    /// What is wrong, by field of the form.
    pub faults: Vec<FieldFault>,
    /// What was understood but may not be what was meant, in sentences.
    pub warnings: Vec<String>,
    /// What saving would do, in sentences.
    pub changes: Vec<String>,
    /// Why only the document can be edited.
    pub notice: Option<String>,
    /// What it would have meant; `None` while something is wrong.
    pub preview: Option<SloPreview>,
    /// Why there is no preview though nothing is wrong; empty otherwise.
    pub no_preview: String,
    /// Services to choose from.
    pub services: Vec<String>,
    /// What the signal offers to choose from: operations of the service, busiest first; metrics, types of events or agents, by name.
    pub choices: Vec<String>,
}

/// The list of incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentsPage {
    /// When it was read.
    pub now: Timestamp,
    /// All that are open, those that opened last first.
    pub open: Vec<Incident>,
    /// Those that ended, a page of them, those that opened last first.
    pub closed: Vec<Incident>,
    /// Where the next page of those begins.
    pub next: Option<String>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentPage {
    /// When it was read.
    pub now: Timestamp,
    /// The incident with its changes.
    pub incident: Incident,
    /// How its SLO stands now; `None` when it was removed.
    pub row: Option<SloRow>,
    /// Newest traces with a bad event during it.
    pub bad_traces: Vec<TraceSummary>,
}

/// Where the counts of an SLO come from when they are not made at the door, and how far they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalSource {
    /// Its type: `prometheus`, or `metrics` for the points of a metric that is stored here.
    pub kind: String,
    /// Name of the data source, or of the metric.
    pub name: String,
    /// Until when it is counted; `None` before it was asked for the first time.
    pub counted_to: Option<Timestamp>,
    /// Since when it cannot be asked.
    pub failing_since: Option<Timestamp>,
    /// Why.
    pub failure: Option<String>,
    /// The last minute in which there were more good events than events, or more bad ones.
    pub exceeded_at: Option<Timestamp>,
}

/// How far the counts of an external source may be behind without a word: they come minute by minute, a minute late.
const BEHIND_NANOS: i64 = 10 * 60 * 1_000_000_000;
const DAY_NANOS: i64 = 86_400 * 1_000_000_000;

impl ExternalSource {
    /// What is asked, in words.
    pub fn told(&self) -> String {
        if self.kind == "metrics" { format!("points of {}", self.name) } else { format!("Prometheus, data source {}", self.name) }
    }

    /// What to know about it and to look after, in sentences.
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let instant = |at: Timestamp| instant(at, 0);
        let failure = self.failing_since.zip(self.failure.as_ref()).map(|(since, failure)| {
            format!(
                "Prometheus {} cannot be asked since {}: {failure}. What it missed is counted once it answers.",
                self.name,
                instant(since)
            )
        });
        let is_behind = |to: &Timestamp| self.failure.is_none() && now.since(*to) > BEHIND_NANOS;
        let behind = self.counted_to.filter(is_behind).map(|to| format!("Its past is being counted, until {} so far.", instant(to)));
        let exceeded = self.exceeded_at.filter(|at| now.since(*at) < DAY_NANOS).map(|at| {
            let at = instant(at);
            format!("In the minute from {at} on, one of the two queries counted more than all events, and was taken for all of them. They may not count the same thing.")
        });
        failure.into_iter().chain(behind).chain(exceeded).collect()
    }
}

/// The two conditions of an SLI, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// Which records count at all.
    pub total: String,
    /// Which of them are good, or bad.
    pub part: String,
    /// Whether `part` says which are good.
    pub is_good: bool,
}

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

/// The Agents page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentsPage {
    /// When it was read.
    pub now: Timestamp,
    /// Every agent, those that are overdue first.
    pub agents: Vec<Agent>,
}

/// The Services page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServicesPage {
    /// When it was read.
    pub now: Timestamp,
    /// How far back was looked, seconds.
    pub back_seconds: u64,
    /// Every service, those with most failures first; without operations.
    pub services: Vec<ServiceRed>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServicePage {
    /// When it was read.
    pub now: Timestamp,
    /// How far back was looked, seconds.
    pub back_seconds: u64,
    /// Its name.
    pub name: String,
    /// Rate, errors and duration; `None` when it was silent.
    pub red: Option<ServiceRed>,
    /// More operations than are shown?
    pub more_operations: bool,
    /// What it asks and who asks it, worst first.
    pub calls: Vec<Edge>,
    /// Its objectives, worst first.
    pub slos: Vec<SloRow>,
    /// Newest failed traces that it took part in.
    pub failed_traces: Vec<TraceSummary>,
}

/// The service map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceMapPage {
    /// When it was read.
    pub now: Timestamp,
    /// How far back was looked, seconds.
    pub back_seconds: u64,
    /// What passed between whom, worst first.
    pub edges: Vec<Edge>,
    /// The busiest of them, drawn.
    pub drawing: Layout,
    /// Services, and what they use, that are not drawn.
    pub left_out: usize,
    /// Minutes of the time looked at that wait to be counted, beyond the two newest.
    pub waiting_minutes: u32,
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

/// Settings: what the server does with what it gets, and how much room that takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsPage {
    /// When it was read.
    pub now: Timestamp,
    /// Room on disk.
    pub storage: StorageReport,
    /// Attributes that carry a correlation ID, most trusted first.
    pub correlation_attributes: Vec<String>,
    /// Parts of attribute keys whose values are replaced before anything is stored.
    pub redacted_keys: Vec<String>,
    /// Whether e-mail addresses are replaced too.
    pub redacts_emails: bool,
    /// The rules of sampling as they are written; none while all is stored.
    pub sampling: Vec<String>,
    /// Where senders reach this server.
    pub otlp_http: String,
}
