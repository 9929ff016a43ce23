//! The records of one request: all of one signal.

use std::collections::HashMap;
use std::sync::Arc;

use slowburn_domain::log::LogRecord;
use slowburn_domain::metric::{Point, Series};
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::{Span, Status};

/// Records in the order they came.
#[derive(Clone, Debug, PartialEq)]
pub enum Records {
    /// Spans.
    Spans(Vec<Span>),
    /// Log records.
    Logs(Vec<LogRecord>),
    /// Points of metrics.
    Metrics(Points),
}

/// Points of metrics with their series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// In the order they came.
    pub points: Vec<Point>,
    /// Their series, by hash.
    pub series: HashMap<i64, Arc<Series>>,
}

impl Records {
    /// None yet.
    pub fn none(signal: Telemetry) -> Self {
        match signal {
            Telemetry::Spans => Self::Spans(Vec::new()),
            Telemetry::Logs => Self::Logs(Vec::new()),
            Telemetry::Metrics => Self::Metrics(Points::default()),
        }
    }

    /// What they are.
    pub const fn signal(&self) -> Telemetry {
        match self {
            Self::Spans(_) => Telemetry::Spans,
            Self::Logs(_) => Telemetry::Logs,
            Self::Metrics(_) => Telemetry::Metrics,
        }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        match self {
            Self::Spans(spans) => spans.len(),
            Self::Logs(records) => records.len(),
            Self::Metrics(own) => own.points.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one of them tells of an error.
    pub fn hold_error(&self) -> bool {
        match self {
            Self::Spans(spans) => spans.iter().any(|span| span.status == Status::Error),
            Self::Logs(records) => records.iter().any(|record| record.severity.is_error()),
            Self::Metrics(_) => false,
        }
    }
}
