//! The pages of objectives and their editor.

use serde::{Deserialize, Serialize};

use crate::history::Happening;
use crate::incident::Incident;
use crate::query::FieldFault;
use crate::sentence::instant;
use crate::slo::{Alert, Counts, Evaluation, Lint, Objective, SeriesPoint};
use crate::slo_query::SloQuery;
use crate::storage::Backfill;
use crate::time::Timestamp;
use crate::trace::TraceSummary;

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
    /// Until when counts are estimates made from a sample of what came; `None` if all that the window holds are exact.
    pub estimated_to: Option<Timestamp>,
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
