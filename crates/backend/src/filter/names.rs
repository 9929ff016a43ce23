//! The names a filter may use, by signal (the contract's "CEL names"), and the one a typing error probably meant.

use slowburn_domain::log::LEVELS;
pub use slowburn_domain::signal::Signal;

/// A named field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Name of the service that sent the record; text.
    Service,
    /// Name of the span; text.
    Operation,
    /// Role of the span in a call: `server`, `client` and so on.
    Kind,
    /// Outcome of the span: `ok`, `error` or `unset`; of a heartbeat `ok`, or `error` if it did not come.
    Status,
    /// Length of the span in milliseconds, with fraction.
    DurationMs,
    /// Severity of the log record: `trace`, `debug`, `info`, `warn`, `error` or `fatal`; nothing when the sender did not say.
    Severity,
    /// Body of the log record.
    Body,
    /// Name of the metric.
    Name,
    /// Unit of the metric.
    Unit,
    /// What was read, or the upper bound of what was observed; number.
    Value,
    /// Type of the event.
    Type,
    /// Source of the event.
    Source,
    /// What the event is about.
    Subject,
    /// Name of the agent.
    Agent,
    /// Trace it belongs to; hex digits.
    TraceId,
    /// Correlation ID it carries; text.
    CorrelationId,
    /// Project it carries; text.
    ProjectId,
    /// Execution it carries; text.
    ExecutionId,
}

impl Field {
    /// The words this field can have, if they are few.
    pub(super) const fn words(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Kind => Some(&["unspecified", "internal", "server", "client", "producer", "consumer"]),
            Self::Status => Some(&["unset", "ok", "error"]),
            Self::Severity => Some(&LEVELS),
            _ => None,
        }
    }
}

/// The level that a word for a severity means: levels in any case, and the names that some libraries give them.
pub(super) fn level(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let known = match word.as_str() {
        "warning" => "warn",
        "information" => "info",
        "err" => "error",
        other => other,
    };
    LEVELS.into_iter().find(|level| *level == known)
}

/// A map of values by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The record's own attributes.
    Attributes,
    /// Attributes of the resource.
    Resource,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Field(Field),
    Scope(Scope),
}

const SPANS: [(&str, Name); 11] = [
    ("service", Name::Field(Field::Service)),
    ("operation", Name::Field(Field::Operation)),
    ("kind", Name::Field(Field::Kind)),
    ("status", Name::Field(Field::Status)),
    ("duration_ms", Name::Field(Field::DurationMs)),
    ("trace_id", Name::Field(Field::TraceId)),
    ("correlation_id", Name::Field(Field::CorrelationId)),
    ("project_id", Name::Field(Field::ProjectId)),
    ("execution_id", Name::Field(Field::ExecutionId)),
    ("attributes", Name::Scope(Scope::Attributes)),
    ("resource", Name::Scope(Scope::Resource)),
];

const LOGS: [(&str, Name); 9] = [
    ("service", Name::Field(Field::Service)),
    ("severity", Name::Field(Field::Severity)),
    ("body", Name::Field(Field::Body)),
    ("trace_id", Name::Field(Field::TraceId)),
    ("correlation_id", Name::Field(Field::CorrelationId)),
    ("project_id", Name::Field(Field::ProjectId)),
    ("execution_id", Name::Field(Field::ExecutionId)),
    ("attributes", Name::Scope(Scope::Attributes)),
    ("resource", Name::Scope(Scope::Resource)),
];

const METRICS: [(&str, Name); 6] = [
    ("name", Name::Field(Field::Name)),
    ("unit", Name::Field(Field::Unit)),
    ("value", Name::Field(Field::Value)),
    ("service", Name::Field(Field::Service)),
    ("attributes", Name::Scope(Scope::Attributes)),
    ("resource", Name::Scope(Scope::Resource)),
];

/// Attributes of an event are its content; what CloudEvents calls extensions stands where others have their resource.
const EVENTS: [(&str, Name); 7] = [
    ("type", Name::Field(Field::Type)),
    ("source", Name::Field(Field::Source)),
    ("subject", Name::Field(Field::Subject)),
    ("trace_id", Name::Field(Field::TraceId)),
    ("correlation_id", Name::Field(Field::CorrelationId)),
    ("data", Name::Scope(Scope::Attributes)),
    ("extensions", Name::Scope(Scope::Resource)),
];

const HEARTBEATS: [(&str, Name); 2] = [("agent", Name::Field(Field::Agent)), ("status", Name::Field(Field::Status))];

/// Words other tools use for our names.
const ELSEWHERE: [(&str, &str); 10] = [
    ("name", "operation"),
    ("span_name", "operation"),
    ("duration", "duration_ms"),
    ("latency", "duration_ms"),
    ("status_code", "status"),
    ("level", "severity"),
    ("message", "body"),
    ("attr", "attributes"),
    ("tags", "attributes"),
    ("labels", "attributes"),
];

fn known(signal: Signal) -> &'static [(&'static str, Name)] {
    match signal {
        Signal::Spans => &SPANS,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
        Signal::Events => &EVENTS,
        Signal::Heartbeats => &HEARTBEATS,
    }
}

/// What `name` stands for.
pub(super) fn lookup(signal: Signal, name: &str) -> Option<Name> {
    // CEL writes a name of the outermost scope with a leading dot; there is only that one scope here.
    let name = name.strip_prefix('.').unwrap_or(name);
    known(signal).iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

/// All names of `signal`, and whether each is a map of values by key.
pub(crate) fn named(signal: Signal) -> impl Iterator<Item = (&'static str, bool)> {
    known(signal).iter().map(|(name, what)| (*name, matches!(what, Name::Scope(_))))
}

/// All names of `signal`, for messages.
pub(super) fn list(signal: Signal) -> String {
    known(signal).iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The name that was probably meant: another tool's word for it, or few letters away.
pub(super) fn nearest(signal: Signal, name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let elsewhere = ELSEWHERE.iter().find(|(word, _)| *word == lower).map(|(_, ours)| *ours);
    if let Some(ours) = elsewhere.filter(|ours| lookup(signal, ours).is_some()) {
        return Some(ours);
    }
    let candidates = known(signal).iter().map(|(known, _)| (distance(&lower, known), *known));
    candidates.min().filter(|(distance, known)| *distance <= known.len() / 3).map(|(_, known)| known)
}

/// Levenshtein distance, row by row.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
