//! Metrics as Slowburn keeps them: OTLP's forms, with the names that OpenTelemetry gives them. A metric has series, one for each
//! set of attributes and sender; a series has points.

pub mod aggregate;
pub mod answer;
pub mod distribution;
pub mod increase;
pub mod measure;
pub mod told;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{SpanId, TraceId};
use crate::span::{Source, Value};
use crate::time::Timestamp;

pub use distribution::{Buckets, ExponentialHistogram, Histogram};

/// Which of OTLP's five forms the points of a metric have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// What was read at an instant.
    Gauge = 0,
    /// A sum; a counter if it only grows.
    Sum = 1,
    /// Observations counted in buckets with given bounds.
    Histogram = 2,
    /// Observations counted in buckets whose bounds grow by a factor.
    ExponentialHistogram = 3,
    /// Quantiles that the sender worked out.
    Summary = 4,
}

impl MetricKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Gauge, Self::Sum, Self::Histogram, Self::ExponentialHistogram, Self::Summary];

    /// The word for it in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Sum => "sum",
            Self::Histogram => "histogram",
            Self::ExponentialHistogram => "exponential_histogram",
            Self::Summary => "summary",
        }
    }

    /// From the number under which series are stored.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }
}

/// What the points of a sum or histogram count from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// Nothing is summed: gauges and summaries.
    #[default]
    None = 0,
    /// Each point counts from the one before it.
    Delta = 1,
    /// Each point counts from the beginning of its series.
    Cumulative = 2,
}

impl Temporality {
    /// From OTLP's number.
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::None,
        }
    }

    /// The word for it in JSON and on pages; empty for none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Delta => "delta",
            Self::Cumulative => "cumulative",
        }
    }
}

/// What all series of one stream have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, such as `http.server.request.duration`.
    pub name: String,
    /// Unit in UCUM's letters (`s`, `By`, `{request}`), as it came; often empty.
    pub unit: String,
    /// What it means, in the sender's words.
    pub description: String,
    /// The form of its points.
    pub kind: MetricKind,
    /// What its points count from.
    pub temporality: Temporality,
    /// Whether its sum only grows.
    pub is_monotonic: bool,
}

impl Metric {
    /// Whether its points count something that happened, so that they have a rate.
    pub fn is_counting(&self) -> bool {
        match self.kind {
            MetricKind::Gauge => false,
            // A delta of a sum that also falls is still a change, and changes add up.
            MetricKind::Sum => self.is_monotonic || self.temporality == Temporality::Delta,
            MetricKind::Histogram | MetricKind::ExponentialHistogram | MetricKind::Summary => true,
        }
    }

    /// Whether quantiles of its observations can be told.
    pub const fn has_quantiles(&self) -> bool {
        matches!(self.kind, MetricKind::Histogram | MetricKind::ExponentialHistogram | MetricKind::Summary)
    }
}

/// One time series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// A hash of what tells it from all others.
    pub id: i64,
    /// Its metric.
    pub metric: Arc<Metric>,
    /// Own attributes, by key.
    pub attributes: Vec<(String, Value)>,
    /// Who sends it.
    pub source: Arc<Source>,
}

/// What a series showed at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The series, by its hash.
    pub series: i64,
    /// Name of its metric.
    pub metric: Arc<str>,
    /// The service that sent it.
    pub service: Arc<str>,
    /// Since when it counts, if it counts and the sender said so.
    pub start: Option<Timestamp>,
    /// When it was read.
    pub time: Timestamp,
    /// What it showed.
    pub value: PointValue,
    /// Observations that stand for others.
    pub exemplars: Vec<Exemplar>,
}

/// What a point shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// The series has ended, or had nothing to show (OTLP's flag `no recorded value`, or NaN).
    Nothing,
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Observations in buckets with given bounds.
    Histogram(Histogram),
    /// Observations in buckets whose bounds grow by a factor.
    Exponential(Box<ExponentialHistogram>),
    /// Quantiles that the sender worked out.
    Summary(Summary),
}

impl PointValue {
    /// The number it shows, if it is one.
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }
}

/// Quantiles that a sender worked out, over a time that it chose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Observations since the series began.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// (quantile from 0 to 1, value), by quantile.
    pub quantiles: Vec<(f64, f64)>,
}

/// One observation among those that a point counts, with the span that it was made in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exemplar {
    /// When it was made.
    pub time: Timestamp,
    /// What was observed.
    pub value: f64,
    /// The trace it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// The span it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
}
