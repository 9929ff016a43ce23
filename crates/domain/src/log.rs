//! A log record as Slowburn keeps it: OTLP's fields and ECS's, with the names that OpenTelemetry gives them, and what we read
//! out of them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::EventLine;
use crate::id::{SpanId, TraceId};
use crate::span::{Source, Value};
use crate::time::Timestamp;
use crate::url::encode;

/// Something that a service said.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// When it happened; when it was observed, if the sender did not say.
    pub time: Timestamp,
    /// How bad it is.
    pub severity: Severity,
    /// The sender's own word for the severity; empty if it had none.
    pub severity_text: String,
    /// What was said: mostly a text.
    pub body: Value,
    /// The class of events it belongs to (OTLP `event_name`); mostly empty.
    pub event_name: String,
    /// The trace it was said in.
    pub trace_id: Option<TraceId>,
    /// The span it was said in.
    pub span_id: Option<SpanId>,
    /// Own attributes, in the order they came; a key appears once.
    pub attributes: Vec<(String, Value)>,
    /// Who sent it: attributes of the process and name of the instrumentation.
    pub source: Arc<Source>,
    /// The ID under which a person looks for it, if one of its attributes carries one.
    pub correlation_id: Option<String>,
    /// `project_id` or `projectId`, looked for in the same way.
    pub project_id: Option<String>,
    /// `execution_id` or `executionId`, looked for in the same way.
    pub execution_id: Option<String>,
}

/// How bad it is: OTLP's severity number, 1 (`trace`) to 24 (`fatal4`), or 0 when the sender did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Severity(u8);

/// The six words for severities, the mildest first; each stands for four numbers.
pub const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

impl Severity {
    /// From OTLP's number; unknown numbers are as if there were none.
    pub fn from_number(number: i32) -> Self {
        Self(u8::try_from(number).ok().filter(|number| *number <= 24).unwrap_or(0))
    }

    /// From a word of a logging library, of syslog, or of this list, in any case; the mildest severity that it can mean.
    pub fn from_word(word: &str) -> Option<Self> {
        let number = match word.trim().to_ascii_lowercase().as_str() {
            "trace" | "finest" | "verbose" | "silly" => 1,
            "debug" | "finer" | "fine" | "config" => 5,
            "info" | "information" | "informational" | "log" => 9,
            "notice" => 10,
            "warn" | "warning" => 13,
            "error" | "err" | "severe" => 17,
            "critical" | "crit" | "dpanic" => 18,
            "alert" | "panic" => 19,
            "fatal" | "emergency" | "emerg" => 21,
            _ => return None,
        };
        Some(Self(number))
    }

    /// OTLP's number, 0–24.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// One of [`LEVELS`]; empty when the sender did not say.
    pub fn as_str(self) -> &'static str {
        self.level().map_or("", |level| LEVELS[level])
    }

    /// Index into [`LEVELS`].
    pub fn level(self) -> Option<usize> {
        self.0.checked_sub(1).map(|number| usize::from(number / 4))
    }

    /// Whether it tells of an error: `error` or worse.
    pub const fn is_error(self) -> bool {
        self.0 >= 17
    }
}

/// What [`LogLine::severity`] says of an event.
pub const EVENT: &str = "event";

/// A log record, or an event among them, as pages show it: everything that it says as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it happened.
    pub time: Timestamp,
    /// One of [`LEVELS`], [`EVENT`], or empty.
    pub severity: String,
    /// The service; of an event its source.
    pub service: String,
    /// What was said; of an event its type and content.
    pub said: String,
    /// Its trace.
    pub trace_id: Option<TraceId>,
    /// The ID under which people look for it.
    pub correlation_id: Option<String>,
    /// What else it says, by name, and then what is known of its process.
    pub more: Vec<(String, String)>,
}

impl LogLine {
    /// Whether it is an event.
    pub fn is_event(&self) -> bool {
        self.severity == EVENT
    }

    /// What tells it from others in a list: the same for lines that say the same at the same instant.
    pub fn key(&self) -> u128 {
        let mut hasher = DefaultHasher::new();
        (self.time, &self.service, &self.severity, &self.said, self.trace_id).hash(&mut hasher);
        u128::from(hasher.finish())
    }

    /// Where the REST API gives it whole, types and all, with whatever else came from its service at that instant.
    pub fn record_path(&self) -> String {
        let (list, sender) = if self.is_event() { ("events", "source") } else { ("logs", "service") };
        let after = self.time.plus_nanos(1);
        format!("/api/v1/{list}?{sender}={}&from={}&to={after}", encode(&self.service), self.time)
    }

    /// Whether it tells of an error.
    pub fn is_error(&self) -> bool {
        matches!(self.severity.as_str(), "error" | "fatal")
    }
}

fn texts(pairs: &[(String, Value)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(name, value)| (name.clone(), value.to_string()))
}

impl From<&LogRecord> for LogLine {
    fn from(record: &LogRecord) -> Self {
        let severity = record.severity.as_str();
        let said = match &record.body {
            Value::Null if record.event_name.is_empty() => "(no body)".to_owned(),
            Value::Null => record.event_name.clone(),
            body => body.to_string(),
        };
        let word = Some(&record.severity_text).filter(|word| !word.is_empty() && *word != severity);
        let own = [
            word.map(|word| ("severity as sent", word.clone())),
            Some(("event", record.event_name.clone())).filter(|(_, name)| !name.is_empty()),
            record.span_id.map(|id| ("span", id.to_string())),
        ];
        let own = own.into_iter().flatten().map(|(name, value)| (name.to_owned(), value));
        Self {
            time: record.time,
            severity: severity.to_owned(),
            service: record.source.service.clone(),
            said,
            trace_id: record.trace_id,
            correlation_id: record.correlation_id.clone(),
            more: own.chain(texts(&record.attributes)).chain(texts(&record.source.resource)).collect(),
        }
    }
}

impl From<&EventLine> for LogLine {
    fn from(event: &EventLine) -> Self {
        let said = match &event.data {
            Value::Null => event.kind.clone(),
            data => format!("{} {data}", event.kind),
        };
        let own = [("type", &event.kind), ("subject", &event.subject), ("id", &event.id)];
        let own = own.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            time: event.time,
            severity: EVENT.to_owned(),
            service: event.source.clone(),
            said,
            trace_id: event.trace_id,
            correlation_id: event.correlation_id.clone(),
            more: own.chain(texts(&event.extensions)).collect(),
        }
    }
}

/// The words of a text, for full-text search: runs of letters and digits, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// A search for words: all parts must hold. `card declined` are two words anywhere, `"card declined"` one after the other,
/// `decl*` the beginning of a word, `-retry` a word that must not be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextQuery {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// One after the other.
    words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    is_prefix: bool,
    is_absent: bool,
}

impl TextQuery {
    /// Reads any text; a quote that is not closed goes on to the end.
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (is_absent, after) = match rest.strip_prefix('-') {
                Some(after) if !after.starts_with(char::is_whitespace) && !after.is_empty() => (true, after),
                _ => (false, rest),
            };
            let (part, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            rest = after.trim_start();
            let words: Vec<String> = words(part).collect();
            if !words.is_empty() {
                terms.push(Term { words, is_prefix: part.ends_with('*'), is_absent });
            }
        }
        Self { terms }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Words that every match holds whole, for pruning.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.is_absent).flat_map(|term| {
            let whole = term.words.len() - usize::from(term.is_prefix);
            term.words[..whole].iter().map(String::as_str)
        })
    }

    /// Whether `text` holds what is asked for.
    pub fn matches(&self, text: &str) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let said: Vec<String> = words(text).collect();
        self.terms.iter().all(|term| term.is_in(&said) != term.is_absent)
    }
}

impl Term {
    fn is_in(&self, said: &[String]) -> bool {
        let last = self.words.len() - 1;
        said.windows(self.words.len()).any(|window| {
            window.iter().zip(&self.words).enumerate().all(|(place, (word, wanted))| {
                if self.is_prefix && place == last { word.starts_with(wanted.as_str()) } else { word == wanted }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a4_severities_are_known_by_number_and_by_the_words_of_many_libraries() {
        for (word, level) in [("WARNING", "warn"), ("crit", "error"), ("Information", "info"), ("emerg", "fatal"), ("fine", "debug")] {
            assert_eq!(Severity::from_word(word).map(Severity::as_str), Some(level), "{word}");
        }
        assert_eq!(Severity::from_word("loud"), None);
        let levels: Vec<&str> = (0..=25).map(|number| Severity::from_number(number).as_str()).collect();
        assert_eq!((levels[0], levels[1], levels[4], levels[5], levels[24], levels[25]), ("", "trace", "trace", "debug", "fatal", ""));
        assert!(Severity::from_number(17).is_error() && !Severity::from_number(16).is_error());
    }

    #[test]
    fn a4_words_phrases_beginnings_and_exceptions_are_searched() {
        let text = "Payment pay-77 DECLINED: card declined by issuer (retry=3)";
        for (query, is_there) in [
            ("", true),
            ("card", true),
            ("CARD issuer", true),
            ("car", false),
            ("car*", true),
            ("\"card declined\"", true),
            ("\"declined card\"", true),
            ("\"card issuer\"", false),
            ("pay-77", true),
            ("\"card decl*\"", true),
            ("card -refund", true),
            ("card -retry", false),
            ("-", true),
            ("card \"by issuer", true),
        ] {
            assert_eq!(TextQuery::parse(query).matches(text), is_there, "{query}");
        }
        assert_eq!(TextQuery::parse("a -b \"c d*\" e*").required().collect::<Vec<_>>(), ["a", "c"]);
    }

    proptest! {
        #[test]
        fn what_is_required_is_in_every_match(query in "[-\"* a-cé]{0,12}", text in "[a-c é,.]{0,20}") {
            let query = TextQuery::parse(&query);
            if query.matches(&text) {
                let said: Vec<String> = words(&text).collect();
                prop_assert!(query.required().all(|word| said.iter().any(|known| known == word)));
            }
        }
    }
}
