//! The pages of incidents.

use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::time::Timestamp;
use crate::trace::TraceSummary;
use crate::view::SloRow;

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
