//! Kinds of records.

/// What kind of records something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Spans of traces.
    Spans = 0,
    /// Log records.
    Logs = 1,
    /// Points of metrics.
    Metrics = 2,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 3] = [Self::Spans, Self::Logs, Self::Metrics];

    /// The word used in OpenSLO sources, metrics and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    /// From that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == word)
    }

    /// From the number under which segments are stored.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| *signal as i16 == number)
    }
}
