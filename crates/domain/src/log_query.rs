//! What a person searches logs by: read from the page's URL, the API's query string and the command line, and written back
//! into links.

use serde::{Deserialize, Serialize};

use crate::id::TraceId;
use crate::log::{LEVELS, Severity};
use crate::query::{Bound, FieldFault, href_of, read_bound, read_limit};
use crate::time::Timestamp;
use crate::url::decode_query;

/// A search for log records. Every part is optional; all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Words of the body ([`TextQuery`](crate::log::TextQuery)).
    pub q: Option<String>,
    /// A condition in CEL.
    pub filter: Option<String>,
    /// Those of this service.
    pub service: Option<String>,
    /// Those as severe as this, or more.
    pub severity: Option<Severity>,
    /// Those said in this trace.
    pub trace_id: Option<TraceId>,
    /// Those that carry this correlation ID.
    pub correlation_id: Option<String>,
    /// Those that carry this project ID.
    pub project_id: Option<String>,
    /// Those that carry this execution ID.
    pub execution_id: Option<String>,
    /// Not before this bound.
    pub from: Option<Bound>,
    /// Before this bound.
    pub to: Option<Bound>,
    /// At most this many.
    pub limit: Option<u16>,
    /// Where the previous page ended.
    pub cursor: Option<LogCursor>,
    /// Whether new ones slide in as they arrive.
    pub live: bool,
    /// Attributes that each line shows beside its body, each once.
    pub columns: Vec<String>,
}

/// Columns beside the body at most.
pub const MOST_COLUMNS: usize = 6;

/// Where a page of log records ended: those before (time, key), among what had arrived at `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    /// Time of the last record shown.
    pub time: Timestamp,
    /// Its key: a hash of what it says, the same wherever it is stored.
    pub key: u64,
    /// When the first page was read; what arrives later waits for the next search.
    pub as_of: Timestamp,
}

impl std::fmt::Display for LogCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:x}.{}", self.time.nanos(), self.key, self.as_of.nanos())
    }
}

impl std::str::FromStr for LogCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let time = Timestamp::from_nanos(next()?.parse().map_err(|_| ())?);
        let key = u64::from_str_radix(next()?, 16).map_err(|_| ())?;
        let as_of = Timestamp::from_nanos(next()?.parse().map_err(|_| ())?);
        if parts.next().is_some() { Err(()) } else { Ok(Self { time, key, as_of }) }
    }
}

impl LogQuery {
    /// Reads a raw query string. Empty parameters count as not given and foreign ones are passed over. Gives what could be
    /// read, and every fault found.
    pub fn parse(raw: &str) -> (Self, Vec<FieldFault>) {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw) {
            if value.is_empty() {
                continue;
            }
            let mut fault = |reason: String| faults.push(FieldFault::new(key.clone(), reason));
            match key.as_str() {
                "q" => query.q = Some(value),
                "filter" => query.filter = Some(value),
                "service" => query.service = Some(value),
                "correlation_id" => query.correlation_id = Some(value),
                "project_id" => query.project_id = Some(value),
                "execution_id" => query.execution_id = Some(value),
                "severity" => match Severity::from_word(&value) {
                    Some(severity) => query.severity = Some(severity),
                    None => fault(format!("expected one of {}", LEVELS.join(", "))),
                },
                "trace_id" => match value.parse() {
                    Ok(id) => query.trace_id = Some(id),
                    Err(_) => fault("expected 32 hex digits".to_owned()),
                },
                "from" | "to" => match read_bound(&value) {
                    Ok(bound) => *(if key == "from" { &mut query.from } else { &mut query.to }) = Some(bound),
                    Err(reason) => fault(reason.to_owned()),
                },
                "limit" => match read_limit(&value) {
                    Ok(limit) => query.limit = Some(limit),
                    Err(reason) => fault(reason.to_owned()),
                },
                "cursor" => match value.parse() {
                    Ok(cursor) => query.cursor = Some(cursor),
                    Err(()) => fault("not a cursor that this server gave".to_owned()),
                },
                "live" => query.live = value == "1",
                "columns" => {
                    for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                        if query.columns.len() < MOST_COLUMNS && query.columns.iter().all(|known| known != name) {
                            query.columns.push(name.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        (query, faults)
    }

    /// The given parts as (parameter, value), in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
        push("q", self.q.clone());
        push("filter", self.filter.clone());
        push("service", self.service.clone());
        push("severity", self.severity.map(|severity| severity.as_str().to_owned()));
        push("trace_id", self.trace_id.map(|id| id.to_string()));
        push("correlation_id", self.correlation_id.clone());
        push("project_id", self.project_id.clone());
        push("execution_id", self.execution_id.clone());
        push("from", self.from.map(|bound| bound.to_string()));
        push("to", self.to.map(|bound| bound.to_string()));
        push("limit", self.limit.map(|limit| limit.to_string()));
        push("cursor", self.cursor.map(|cursor| cursor.to_string()));
        push("live", self.live.then(|| "1".to_owned()));
        push("columns", (!self.columns.is_empty()).then(|| self.columns.join(",")));
        pairs
    }

    /// Whether it asks for anything but the newest.
    pub fn is_search(&self) -> bool {
        !Self { limit: None, live: false, columns: Vec::new(), ..self.clone() }.pairs().is_empty()
    }

    /// Whether what arrives now can be among what it finds first.
    pub fn is_open(&self) -> bool {
        self.cursor.is_none() && self.to.is_none()
    }

    /// The same with a column more, or without it if it is there.
    #[must_use]
    pub fn with_column(&self, name: &str) -> Self {
        let mut query = self.clone();
        if query.columns.iter().any(|known| known == name) {
            query.columns.retain(|known| known != name);
        } else {
            query.columns.push(name.to_owned());
        }
        query
    }

    /// The link to the Logs page with this query.
    pub fn href(&self) -> String {
        href_of("/logs", &self.pairs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(query: &LogQuery) -> LogQuery {
        let href = query.href();
        let (read, faults) = LogQuery::parse(href.split_once('?').map_or("", |(_, raw)| raw));
        assert_eq!(faults, []);
        read
    }

    #[test]
    fn c4_a_search_for_logs_survives_its_url() {
        let raw = "q=card+%22declined+by%22&severity=warning&service=pay&trace_id=0af7651916cd43dd8448eb211c80319c&from=-1h&limit=9&cursor=5.ff.7&live=1&columns=a.b,+c,a.b,,&x=1&to=";
        let (query, faults) = LogQuery::parse(raw);
        assert_eq!(faults, []);
        assert_eq!(query.q.as_deref(), Some("card \"declined by\""));
        assert_eq!(query.severity.map(Severity::as_str), Some("warn"));
        assert_eq!(again(&query), query);
        assert_eq!(query.columns, ["a.b", "c"]);
        assert_eq!(query.with_column("a.b").with_column("d").columns, ["c", "d"]);
        assert_eq!(LogQuery::parse("columns=1,2,3,4,5,6,7,8").0.columns.len(), MOST_COLUMNS);
        assert!(query.is_search() && !LogQuery::parse("live=1&limit=7&columns=a").0.is_search());
        let (_, faults) = LogQuery::parse("severity=loud&trace_id=1&from=x&limit=0&cursor=1");
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["severity", "trace_id", "from", "limit", "cursor"]);
    }

    proptest! {
        #[test]
        fn any_words_survive(q in ".+", id in ".+") {
            let query = LogQuery { q: Some(q), correlation_id: Some(id), ..LogQuery::default() };
            prop_assert_eq!(again(&query), query);
        }
    }
}
