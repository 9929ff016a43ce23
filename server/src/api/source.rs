//! Where the counts of an SLO come from when they are not made at the door.

use serde::Serialize;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{ExternalSource, Indicator};
use utoipa::ToSchema;

/// A source that is counted minute by minute.
#[derive(Serialize, ToSchema)]
pub struct Source {
    /// prometheus, or metrics.
    #[serde(rename = "type")]
    kind: String,
    /// Name of its DataSource, or of the metric.
    name: String,
    /// The query or condition for all events.
    total: String,
    /// That for the good ones of them, or for the bad ones.
    part: String,
    /// Whether `part` counts the good ones.
    is_good: bool,
    /// Until when it is counted; null before it was asked for the first time.
    #[schema(value_type = Option<String>)]
    counted_to: Option<Timestamp>,
    /// Since when it cannot be asked; null while it answers.
    #[schema(value_type = Option<String>)]
    failing_since: Option<Timestamp>,
    /// Why.
    failure: Option<String>,
    /// The last minute in which `part` was more than `total`, and was taken for all of it.
    #[schema(value_type = Option<String>)]
    exceeded_at: Option<Timestamp>,
}

impl Source {
    pub(super) fn new(source: ExternalSource, queries: Indicator) -> Self {
        let ExternalSource { kind, name, counted_to, failing_since, failure, exceeded_at } = source;
        let Indicator { total, part, is_good } = queries;
        Self { kind, name, total, part, is_good, counted_to, failing_since, failure, exceeded_at }
    }
}
