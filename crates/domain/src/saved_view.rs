//! Saved views: searches that people keep under a name, for everybody who opens the page.

use serde::{Deserialize, Serialize};

use crate::event::EventQuery;
use crate::log_query::LogQuery;
use crate::metric_query::MetricQuery;
use crate::query::TraceQuery;

/// A page whose search stands in its URL and can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchPage {
    /// `/traces`
    Traces,
    /// `/logs`
    Logs,
    /// `/metrics-explorer`
    Metrics,
    /// `/events`
    Events,
}

impl SearchPage {
    /// Every such page.
    pub const ALL: [Self; 4] = [Self::Traces, Self::Logs, Self::Metrics, Self::Events];

    /// The word for it in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Events => "events",
        }
    }

    /// From that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == word)
    }

    /// The link to the page with what of a raw query string it understands, at its first results. The same search has the same
    /// link.
    pub fn href(self, raw: &str) -> String {
        match self {
            Self::Traces => TraceQuery { cursor: None, ..TraceQuery::parse(raw).0 }.href(),
            Self::Logs => LogQuery { cursor: None, ..LogQuery::parse(raw).0 }.href(),
            Self::Metrics => MetricQuery::parse(raw).0.href(),
            Self::Events => EventQuery { cursor: None, ..EventQuery::parse(raw).0 }.href(),
        }
    }
}

/// A search with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// The name.
    pub name: String,
    /// The link to the page with the search.
    pub href: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_the_same_search_has_the_same_link() {
        let cases = [
            (SearchPage::Traces, "status=error&service=a&cursor=5.0af7651916cd43dd8448eb211c80319c", "/traces?service=a&status=error"),
            (SearchPage::Logs, "x=1&q=a+b&live=1&cursor=5.ff.7", "/logs?q=a%20b&live=1"),
            (SearchPage::Metrics, "from=-6h&name=m", "/metrics-explorer?name=m&from=-6h"),
            (SearchPage::Events, "type=a.*&cursor=5.ff", "/events?type=a.%2A"),
            (SearchPage::Events, "", "/events"),
        ];
        for (page, raw, href) in cases {
            assert_eq!(page.href(raw), href);
            assert_eq!(page.href(href.split_once('?').map_or("", |(_, raw)| raw)), href);
            assert_eq!(SearchPage::from_word(page.as_str()), Some(page));
        }
    }
}
