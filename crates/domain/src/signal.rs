//! Kinds of records.

/// What an SLI or a filter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Spans of traces.
    Spans,
    /// Log records.
    Logs,
    /// Points of metrics.
    Metrics,
    /// Events that others sent.
    Events,
    /// Words of agents, and those that did not come.
    Heartbeats,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 5] = [Self::Spans, Self::Logs, Self::Metrics, Self::Events, Self::Heartbeats];

    /// The word used in OpenSLO sources, metrics and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Events => "events",
            Self::Heartbeats => "heartbeats",
        }
    }

    /// From that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == word)
    }

    /// The form in which its records are stored in segments; `None` for what is not.
    pub const fn telemetry(self) -> Option<Telemetry> {
        match self {
            Self::Spans => Some(Telemetry::Spans),
            Self::Logs => Some(Telemetry::Logs),
            Self::Metrics => Some(Telemetry::Metrics),
            Self::Events | Self::Heartbeats => None,
        }
    }
}

/// What OTLP sends and segments hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Telemetry {
    /// Spans of traces.
    Spans = 0,
    /// Log records.
    Logs = 1,
    /// Points of metrics.
    Metrics = 2,
}

impl Telemetry {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Spans, Self::Logs, Self::Metrics];

    /// From the number under which segments are stored.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|telemetry| *telemetry as i16 == number)
    }
}
