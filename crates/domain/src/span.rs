//! A span as Slowburn keeps it: OTLP's fields, with the names OpenTelemetry gives them, and what we read out of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{SpanId, TraceId};
use crate::time::Timestamp;

/// One operation of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id within the trace.
    pub span_id: SpanId,
    /// The span that caused it; `None` at the root.
    pub parent_span_id: Option<SpanId>,
    /// W3C `tracestate`, as it came.
    pub trace_state: String,
    /// Span name: the class of operations it belongs to.
    pub operation: String,
    /// Its role in the call.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
    /// Words of the sender about an error.
    pub status_message: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; never before `start`.
    pub end: Timestamp,
    /// Own attributes, in the order they came; a key appears once.
    pub attributes: Vec<(String, Value)>,
    /// Timed annotations.
    pub events: Vec<Event>,
    /// References to other spans.
    pub links: Vec<Link>,
    /// Who sent it: attributes of the process and name of the instrumentation.
    pub source: Arc<Source>,
    /// The ID under which a person looks for it, if one of its attributes carries one.
    pub correlation_id: Option<String>,
    /// `project_id` or `projectId`, looked for in the same way.
    pub project_id: Option<String>,
    /// `execution_id` or `executionId`, looked for in the same way.
    pub execution_id: Option<String>,
    /// How many spans it stands for when spans are counted, itself included: 1, or more where sampling chose it among others, which
    /// it left out.
    pub weight: u32,
}

impl Span {
    /// Length in nanoseconds.
    pub const fn duration_nanos(&self) -> i64 {
        self.end.since(self.start)
    }
}

/// What all spans of one resource and instrumentation scope share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// `service.name`, or `unknown_service` where the sender did not say.
    pub service: String,
    /// Attributes of the resource.
    pub resource: Vec<(String, Value)>,
    /// Name of the instrumentation scope.
    pub scope_name: String,
    /// Version of the instrumentation scope.
    pub scope_version: String,
}

/// Role of a span in a call (OTLP `SpanKind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The sender did not say.
    #[default]
    Unspecified = 0,
    /// Work inside a process.
    Internal = 1,
    /// Answering a remote call.
    Server = 2,
    /// Making a remote call.
    Client = 3,
    /// Sending a message.
    Producer = 4,
    /// Working on a message.
    Consumer = 5,
}

impl Kind {
    /// From OTLP's number; unknown numbers are `Unspecified`.
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// The word used in filters, JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// Outcome of a span (OTLP `StatusCode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The instrumentation saw no error and says no more.
    #[default]
    Unset = 0,
    /// A person declared it good.
    Ok = 1,
    /// It failed.
    Error = 2,
}

impl Status {
    /// From OTLP's number; unknown numbers are `Unset`.
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    /// From the word used in filters.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "unset" => Some(Self::Unset),
            "ok" => Some(Self::Ok),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// The word used in filters, JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

/// Value of an attribute (OTLP `AnyValue`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Absent value.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Number.
    Double(f64),
    /// Text; bytes arrive as base64.
    String(String),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by name, in the order they came.
    Map(#[serde(with = "pairs")] Vec<(String, Value)>),
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    /// Text as it is; everything else as JSON would write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn nested(value: &Value, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match value {
                Value::String(text) => write!(f, "{text:?}"),
                other => write!(f, "{other}"),
            }
        }
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::String(value) => f.write_str(value),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    nested(value, f)?;
                }
                f.write_str("]")
            }
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{key:?}: ")?;
                    nested(value, f)?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Something that happened at one instant of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What, for example `exception`.
    pub name: String,
    /// More about it.
    #[serde(with = "pairs")]
    pub attributes: Vec<(String, Value)>,
}

/// A reference to a span of this or another trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Trace of the span referred to.
    pub trace_id: TraceId,
    /// The span referred to.
    pub span_id: SpanId,
    /// More about it.
    #[serde(with = "pairs")]
    pub attributes: Vec<(String, Value)>,
}

/// Attribute lists travel as JSON objects and keep their order.
pub mod pairs {
    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer, ser::SerializeMap};

    use super::Value;

    /// Writes the pairs as an object.
    pub fn serialize<S: Serializer>(pairs: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(pairs.len()))?;
        for (key, value) in pairs {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }

    /// Reads an object into pairs.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Value)>, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, Value)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(access.size_hint().unwrap_or(0));
                while let Some(pair) = access.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
