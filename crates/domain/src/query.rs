//! What a person searches traces by. The same struct is read from the page's URL, from the API's query string and from
//! the command line, and written back into links.

use serde::{Deserialize, Serialize};

use crate::id::TraceId;
use crate::span::Status;
use crate::time::{Timestamp, parse_duration};
use crate::url::{decode_query, encode_query};

/// How many rows a page of results has unless asked otherwise.
pub const DEFAULT_LIMIT: u16 = 50;
/// The most rows one answer holds.
pub const MAX_LIMIT: u16 = 1_000;

/// A search for traces. Every part is optional; all given parts must hold. `service`, `operation`, `status` and `filter`
/// must hold for one and the same span, the duration for the whole trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceQuery {
    /// Traces marked with this correlation ID.
    pub correlation_id: Option<String>,
    /// Traces marked with this project ID.
    pub project_id: Option<String>,
    /// Traces marked with this execution ID.
    pub execution_id: Option<String>,
    /// A span of this service.
    pub service: Option<String>,
    /// A span of this operation.
    pub operation: Option<String>,
    /// A span with this status.
    pub status: Option<Status>,
    /// Traces at least this long, milliseconds.
    pub min_duration_ms: Option<f64>,
    /// Traces at most this long, milliseconds.
    pub max_duration_ms: Option<f64>,
    /// A condition in CEL on one span.
    pub filter: Option<String>,
    /// Traces that start at or after this bound.
    pub from: Option<Bound>,
    /// Traces that start before this bound.
    pub to: Option<Bound>,
    /// At most this many traces.
    pub limit: Option<u16>,
    /// Where the previous page ended.
    pub cursor: Option<Cursor>,
    /// Whether the page follows what arrives. Changes nothing of what is found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
}

/// `from` or `to` of a query string.
///
/// # Errors
/// What is expected.
pub(crate) fn read_bound(value: &str) -> Result<Bound, &'static str> {
    Bound::parse(value).ok_or("expected a time like 2026-11-21T02:20:00Z or -1h")
}

/// `limit` of a query string.
///
/// # Errors
/// What is expected.
pub(crate) fn read_limit(value: &str) -> Result<u16, &'static str> {
    value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or("expected a whole number from 1 to 1000")
}

/// A path with the given parts of a search, as (parameter, value).
pub(crate) fn href_of(path: &str, pairs: &[(&'static str, String)]) -> String {
    let query = encode_query(pairs.iter().map(|(key, value)| (*key, value.as_str())));
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// An end of a time range: an instant, or a distance back from now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Bound {
    /// An instant.
    At(Timestamp),
    /// This many seconds before now, written `-1h`.
    Ago(u64),
}

impl Bound {
    /// The instant meant at `now`.
    pub const fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(seconds) => now.plus_seconds(if seconds > i64::MAX as u64 { i64::MIN } else { -(seconds as i64) }),
        }
    }

    /// Reads RFC 3339, `-1h`, or Unix seconds or milliseconds.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "now" {
            return Some(Self::Ago(0));
        }
        if let Some(back) = text.strip_prefix('-').or_else(|| text.strip_prefix("now-")) {
            return parse_duration(back).ok().map(Self::Ago);
        }
        if let Ok(number) = text.parse::<i64>() {
            let instant = if number > 100_000_000_000 { Timestamp::from_millis(number) } else { Timestamp::from_seconds(number) };
            return Some(Self::At(instant));
        }
        Timestamp::parse_rfc3339(text).ok().map(Self::At)
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(instant) => write!(f, "{instant}"),
            Self::Ago(0) => f.write_str("now"),
            Self::Ago(seconds) => write!(f, "-{}", crate::time::format_duration(*seconds)),
        }
    }
}

/// Where a page of results ended: traces before (start, trace id), among what had arrived at `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Start of the last trace shown.
    pub start: Timestamp,
    /// Its id.
    pub trace_id: TraceId,
    /// When the first page was read; what arrives later waits for the next search.
    pub as_of: Timestamp,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.start.nanos(), self.trace_id, self.as_of.nanos())
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let start = Timestamp::from_nanos(next()?.parse().map_err(|_| ())?);
        let trace_id = next()?.parse().map_err(|_| ())?;
        let as_of = Timestamp::from_nanos(next()?.parse().map_err(|_| ())?);
        if parts.next().is_some() { Err(()) } else { Ok(Self { start, trace_id, as_of }) }
    }
}

/// A query parameter that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldFault {
    /// Name of the parameter or path of the field.
    pub field: String,
    /// What is wrong with it, in words.
    pub reason: String,
}

impl FieldFault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl TraceQuery {
    /// Reads a raw query string. Empty parameters count as not given and foreign ones are passed over, because forms send
    /// the former and links carry the latter. Gives what could be read, and every fault found.
    pub fn parse(raw: &str) -> (Self, Vec<FieldFault>) {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw) {
            if value.is_empty() {
                continue;
            }
            let mut fault = |reason: &str| faults.push(FieldFault::new(key.clone(), reason));
            match key.as_str() {
                "correlation_id" => query.correlation_id = Some(value),
                "project_id" => query.project_id = Some(value),
                "execution_id" => query.execution_id = Some(value),
                "service" => query.service = Some(value),
                "operation" => query.operation = Some(value),
                "filter" => query.filter = Some(value),
                "status" => match Status::from_word(&value) {
                    Some(status) => query.status = Some(status),
                    None => fault("expected ok, error or unset"),
                },
                "min_duration_ms" | "max_duration_ms" => match value.parse::<f64>() {
                    Ok(number) if number.is_finite() && number >= 0.0 => {
                        *(if key == "min_duration_ms" { &mut query.min_duration_ms } else { &mut query.max_duration_ms }) = Some(number);
                    }
                    _ => fault("expected a number of milliseconds, 0 or more"),
                },
                "from" | "to" => match read_bound(&value) {
                    Ok(bound) => *(if key == "from" { &mut query.from } else { &mut query.to }) = Some(bound),
                    Err(reason) => fault(reason),
                },
                "limit" => match read_limit(&value) {
                    Ok(limit) => query.limit = Some(limit),
                    Err(reason) => fault(reason),
                },
                "cursor" => match value.parse() {
                    Ok(cursor) => query.cursor = Some(cursor),
                    Err(()) => fault("not a cursor that this server gave"),
                },
                "live" => query.live = value == "1",
                _ => {}
            }
        }
        (query, faults)
    }

    /// Writes the query string, without `?`, in a fixed order.
    pub fn to_query_string(&self) -> String {
        let pairs = self.pairs();
        encode_query(pairs.iter().map(|(key, value)| (*key, value.as_str())))
    }

    /// The given parts as (parameter, value), in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |key, value: Option<String>| pairs.extend(value.map(|v| (key, v)));
        push("correlation_id", self.correlation_id.clone());
        push("project_id", self.project_id.clone());
        push("execution_id", self.execution_id.clone());
        push("service", self.service.clone());
        push("operation", self.operation.clone());
        push("status", self.status.map(|s| s.as_str().to_owned()));
        push("min_duration_ms", self.min_duration_ms.map(|n| n.to_string()));
        push("max_duration_ms", self.max_duration_ms.map(|n| n.to_string()));
        push("filter", self.filter.clone());
        push("from", self.from.map(|b| b.to_string()));
        push("to", self.to.map(|b| b.to_string()));
        push("limit", self.limit.map(|n| n.to_string()));
        push("cursor", self.cursor.map(|c| c.to_string()));
        push("live", self.live.then(|| "1".to_owned()));
        pairs
    }

    /// Whether what arrives can change the newest page of this search: a part of the past cannot.
    pub const fn is_open(&self) -> bool {
        self.cursor.is_none() && self.to.is_none()
    }

    /// The link to the Traces page with this query.
    pub fn href(&self) -> String {
        href_of("/traces", &self.pairs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_survives_its_url() {
        let raw = "correlation_id=a%2Bb%2541&service=checkout&status=error&min_duration_ms=12.5&from=-1h&to=2026-11-21T02:20:00Z&limit=10&theme=dark&operation=&live=1";
        let (query, faults) = TraceQuery::parse(raw);
        assert_eq!(faults, []);
        assert_eq!(query.correlation_id.as_deref(), Some("a+b%41"));
        assert_eq!(query.operation, None);
        assert!(query.live && !query.is_open());
        assert_eq!(TraceQuery::parse(&query.to_query_string()), (query, vec![]));
    }

    #[test]
    fn every_fault_is_named_and_the_rest_is_kept() {
        let (query, faults) = TraceQuery::parse("?status=bad&limit=0&min_duration_ms=-1&from=yesterday&cursor=x&service=a");
        assert_eq!(query.service.as_deref(), Some("a"));
        let fields: Vec<_> = faults.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["status", "limit", "min_duration_ms", "from", "cursor"]);
    }

    /// Right names with nearly right values.
    fn query_string() -> impl Strategy<Value = String> {
        let name = "correlation_id|filter|status|min_duration_ms|max_duration_ms|from|to|limit|cursor|x";
        let value = prop_oneof![
            "[-+]?[0-9]{1,22}(\\.[0-9]{1,20})?(e[0-9]{1,3})?",
            "(now)?-?[0-9]{0,20}[smhdw]?",
            "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,10})?(Z|%2B0[0-9]:00)",
            "-?[0-9]{1,19}\\.[0-9a-f]{32}\\.-?[0-9]{1,19}",
            "ok|error|unset|NaN|inf|[%a-z0-9+é&=]{0,9}",
        ];
        prop::collection::vec((name, value), 0..5)
            .prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(raw in ".*") {
            TraceQuery::parse(&raw);
        }

        /// Whatever a link said, the link to the next page says the same.
        #[test]
        fn what_was_read_is_written_and_read_again(raw in query_string()) {
            let (query, _) = TraceQuery::parse(&raw);
            prop_assert_eq!(TraceQuery::parse(&query.to_query_string()), (query, vec![]));
        }

        #[test]
        fn any_correlation_id_survives(id in ".+") {
            let query = TraceQuery { correlation_id: Some(id), ..TraceQuery::default() };
            prop_assert_eq!(TraceQuery::parse(&query.to_query_string()).0, query);
        }
    }
}
