//! What a question to a metric is answered with, and what the Metrics page shows.

use serde::{Deserialize, Serialize};

use super::Metric;
use crate::id::TraceId;
use crate::metric_query::MetricQuery;
use crate::query::FieldFault;
use crate::saved_view::SavedView;
use crate::time::Timestamp;

/// A metric that services send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedMetric {
    /// The metric.
    #[serde(flatten)]
    pub metric: Metric,
    /// The services that send it.
    pub services: Vec<String>,
    /// Series that were active.
    pub series: u64,
}

/// What a metric showed, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricAnswer {
    /// The metric.
    pub metric: Metric,
    /// What is told, as [`Aggregate`](super::aggregate::Aggregate) writes it.
    pub aggregate: String,
    /// When the first step begins.
    pub from: Timestamp,
    /// Length of a step, seconds.
    pub step_seconds: u32,
    /// A line for each group of series, the largest first.
    pub lines: Vec<MetricLine>,
    /// Groups that are left out: those with the smallest values.
    pub more_lines: usize,
    /// Series that the answer is made of.
    pub series: usize,
    /// What the series can be grouped by, with how many values each has.
    pub keys: Vec<(String, usize)>,
    /// Observations with a trace, the greatest of each step.
    pub exemplars: Vec<ExemplarDot>,
    /// Other forms or units in which the same name is sent; they are left out.
    pub other_forms: usize,
}

/// One line of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricLine {
    /// The values that its series share, in the order asked for; empty texts where they have none.
    pub labels: Vec<(String, String)>,
    /// The value of each step; nothing where nothing is known.
    pub values: Vec<Option<f64>>,
}

impl MetricLine {
    /// Its labels in one line.
    pub fn title(&self) -> String {
        let told: Vec<&str> = self.labels.iter().map(|(_, value)| if value.is_empty() { "(none)" } else { value }).collect();
        told.join(" · ")
    }

    /// What is known, by step.
    pub fn known(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().flatten().copied()
    }
}

/// An observation and the trace it was made in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemplarDot {
    /// When it was made.
    pub time: Timestamp,
    /// What was observed.
    pub value: f64,
    /// The trace.
    pub trace_id: TraceId,
}

/// The Metrics page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsPage {
    /// When it was read.
    pub now: Timestamp,
    /// What was asked for.
    pub query: MetricQuery,
    /// What was wrong with it.
    pub faults: Vec<FieldFault>,
    /// Metrics that match the words, by name.
    pub metrics: Vec<ListedMetric>,
    /// Whether there are more than listed.
    pub is_cut: bool,
    /// The services that send metrics.
    pub services: Vec<String>,
    /// The answer, if a metric was asked for.
    pub answer: Option<MetricAnswer>,
    /// What the metric can be asked for, the best first.
    pub choices: Vec<String>,
    /// (service, metric, points refused) of metrics that have too many series.
    pub overflows: Vec<(String, String, u64)>,
    /// Searches kept under a name.
    pub views: Vec<SavedView>,
}

/// The Metrics page with what it says while nothing has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsView {
    /// The page.
    pub page: MetricsPage,
    /// Where senders reach this server over OTLP/HTTP; told when no metric is there.
    pub otlp_http: Option<String>,
}
