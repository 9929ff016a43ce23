//! The pages of services and what passes between them.

use serde::{Deserialize, Serialize};

use crate::red::ServiceRed;
use crate::service_map::Edge;
use crate::service_map::layout::Layout;
use crate::time::Timestamp;
use crate::trace::TraceSummary;
use crate::view::SloRow;

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
