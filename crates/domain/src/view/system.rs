//! The pages of the whole: the overview, agents, settings.

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::incident::Incident;
use crate::service_map::Edge;
use crate::storage::StorageReport;
use crate::time::Timestamp;
use crate::trace::TraceSummary;
use crate::view::SloRow;

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

/// The Agents page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentsPage {
    /// When it was read.
    pub now: Timestamp,
    /// Every agent, those that are overdue first.
    pub agents: Vec<Agent>,
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
