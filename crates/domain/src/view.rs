//! Read models shaped for pages. They may change with the pages; the API's shapes are kept apart, in `server`.

mod correlation;
mod incident;
mod search;
mod service;
mod slo;
mod system;
mod trace;

pub use correlation::{CorrelationPage, LaneBar};
pub use incident::{IncidentPage, IncidentsPage};
pub use search::{Completion, Completions, EventsPage, HistogramBar, LogBar, LogsPage, Suggestion, TracesPage};
pub use service::{ServiceMapPage, ServicePage, ServicesPage};
pub use slo::{
    DocumentVersion, Example, ExternalSource, GroupCounts, Groups, Indicator, SloEditorPage, SloPage, SloPreview, SloRow, SlosPage,
};
pub use system::{AgentsPage, Arrivals, OverviewPage, SettingsPage};
pub use trace::{Failure, OtherTrace, SpanView, TracePage};
