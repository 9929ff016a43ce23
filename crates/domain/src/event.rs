//! Events of the durable log: what happened, told by others as CloudEvents or by Slowburn itself, and how they are searched.

use serde::{Deserialize, Serialize};

use crate::id::TraceId;
use crate::query::{Bound, FieldFault, href_of, read_bound, read_limit};
use crate::span::{Value, pairs};
use crate::time::Timestamp;
use crate::url::decode_query;

/// An event as pages and the API show it; names are those of CloudEvents 1.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// The sender's id, unique within `source`.
    pub id: String,
    /// The context in which it happened.
    pub source: String,
    /// What kind of thing happened, for example `dev.slowburn.incident.opened`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about; empty when the sender does not say.
    pub subject: String,
    /// When it happened; when it came, if the sender does not say.
    pub time: Timestamp,
    /// The ID under which a person looks for it.
    pub correlation_id: Option<String>,
    /// The trace in which it happened.
    pub trace_id: Option<TraceId>,
    /// Further attributes.
    #[serde(with = "pairs")]
    pub extensions: Vec<(String, Value)>,
    /// Its content.
    pub data: Value,
}

/// A search for events. Every part is optional; all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventQuery {
    /// Words of its content, type, source or subject ([`TextQuery`](crate::log::TextQuery)).
    pub q: Option<String>,
    /// Those of this type; with a `*` at its end of all types that begin so.
    pub kind: Option<String>,
    /// Those of this source.
    pub source: Option<String>,
    /// Those about this subject.
    pub subject: Option<String>,
    /// Those that carry this correlation ID.
    pub correlation_id: Option<String>,
    /// Not before this bound.
    pub from: Option<Bound>,
    /// Before this bound.
    pub to: Option<Bound>,
    /// At most this many.
    pub limit: Option<u16>,
    /// Where the previous page ended.
    pub cursor: Option<EventCursor>,
    /// Whether new ones slide in as they arrive.
    pub live: bool,
}

/// Where a page of events ended: those before (time, key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCursor {
    /// Time of the last event looked at.
    pub time: Timestamp,
    /// Its key in the log.
    pub key: u128,
}

impl std::fmt::Display for EventCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:x}", self.time.nanos(), self.key)
    }
}

impl std::str::FromStr for EventCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (time, key) = text.split_once('.').ok_or(())?;
        let time = Timestamp::from_nanos(time.parse().map_err(|_| ())?);
        Ok(Self { time, key: u128::from_str_radix(key, 16).map_err(|_| ())? })
    }
}

impl EventQuery {
    /// Reads a raw query string. Empty parameters count as not given and foreign ones are passed over. Gives what could be
    /// read, and every fault found.
    pub fn parse(raw: &str) -> (Self, Vec<FieldFault>) {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw) {
            if value.is_empty() {
                continue;
            }
            let mut fault = |reason: &str| faults.push(FieldFault::new(key.clone(), reason));
            match key.as_str() {
                "q" => query.q = Some(value),
                "type" => query.kind = Some(value),
                "source" => query.source = Some(value),
                "subject" => query.subject = Some(value),
                "correlation_id" => query.correlation_id = Some(value),
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

    /// The given parts as (parameter, value), in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
        push("q", self.q.clone());
        push("type", self.kind.clone());
        push("source", self.source.clone());
        push("subject", self.subject.clone());
        push("correlation_id", self.correlation_id.clone());
        push("from", self.from.map(|bound| bound.to_string()));
        push("to", self.to.map(|bound| bound.to_string()));
        push("limit", self.limit.map(|limit| limit.to_string()));
        push("cursor", self.cursor.map(|cursor| cursor.to_string()));
        push("live", self.live.then(|| "1".to_owned()));
        pairs
    }

    /// Whether it asks for anything but the newest.
    pub fn is_search(&self) -> bool {
        !Self { limit: None, live: false, ..self.clone() }.pairs().is_empty()
    }

    /// Whether what arrives now can be among what it finds first.
    pub fn is_open(&self) -> bool {
        self.cursor.is_none() && self.to.is_none()
    }

    /// The link to the Events page with this query.
    pub fn href(&self) -> String {
        href_of("/events", &self.pairs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_for_events_survives_its_url(q in ".+", kind in "[a-z.*]+", key in any::<u128>(), nanos in any::<i64>(), live in any::<bool>()) {
            let cursor = Some(EventCursor { time: Timestamp::from_nanos(nanos), key });
            let query = EventQuery { q: Some(q), kind: Some(kind), cursor, limit: Some(7), live, ..EventQuery::default() };
            let href = query.href();
            prop_assert_eq!(EventQuery::parse(href.split_once('?').map_or("", |(_, raw)| raw)), (query, vec![]));
        }
    }
}
