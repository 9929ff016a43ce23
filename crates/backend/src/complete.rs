//! Completions of a condition that is being typed: names of the language, and keys and values that the newest stored records have.
//! What they have is read once a minute for each signal, whoever asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use slowburn_domain::event::EventLine;
use slowburn_domain::log::LogRecord;
use slowburn_domain::number::percent;
use slowburn_domain::signal::Signal;
use slowburn_domain::span::{Source, Span, Value};
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{Completion, Completions};
use slowburn_storage::event::{self, EventConditions};
use slowburn_storage::segment::{decode, decode_logs};
use slowburn_storage::trace::{self, SegmentQuery, last_segment_id};
use slowburn_storage::{Error as StorageError, agent, metric};

use crate::events::OWN_TYPES;
use crate::filter::caret::{Caret, Wanted, caret};
use crate::filter::named;
use crate::{Backend, Error, Result};

/// Completions of one answer.
const MOST: usize = 12;
/// Segments whose records are looked at.
const SEGMENTS: usize = 2;
/// Records of each that are looked at.
const RECORDS: usize = 10_000;
/// Series of metrics that are looked at.
const SERIES: i64 = 5_000;
/// Metrics and events that are looked at.
const LISTED: i64 = 1_000;
/// How far back records are looked at, seconds.
const BACK_SECONDS: i64 = 6 * 3_600;
/// Different values of one name that are remembered, and their longest.
const MOST_VALUES: usize = 200;
const LONGEST_VALUE: usize = 200;
/// Longest condition.
const LONGEST: usize = 8_192;

/// Names, or maps with keys, and what records have there.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Records that were looked at; 0 where shares of them tell nothing.
    records: u64,
    words: BTreeMap<(String, Option<String>), Words>,
}

#[derive(Debug, Default)]
struct Words {
    /// Records that have it.
    records: u64,
    /// How often it has which value, as CEL writes it.
    values: HashMap<String, u64>,
}

impl Vocabulary {
    fn add(&mut self, name: &str, key: Option<&str>, value: Option<String>) {
        let words = self.words.entry((name.to_owned(), key.map(str::to_owned))).or_default();
        words.records += 1;
        let Some(value) = value.filter(|value| value.len() <= LONGEST_VALUE) else { return };
        if words.values.len() < MOST_VALUES || words.values.contains_key(&value) {
            *words.values.entry(value).or_default() += 1;
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.add(name, None, Some(quoted(value)));
        }
    }

    fn map(&mut self, name: &str, pairs: &[(String, Value)]) {
        for (key, value) in pairs {
            let literal = match value {
                Value::String(text) => Some(quoted(text)),
                Value::Bool(_) | Value::Int(_) | Value::Double(_) => Some(value.to_string()),
                Value::Null | Value::Array(_) | Value::Map(_) => None,
            };
            self.add(name, Some(key), literal);
        }
    }

    fn source(&mut self, source: &Source) {
        self.text("service", &source.service);
        self.map("resource", &source.resource);
    }

    fn span(&mut self, span: &Span) {
        self.records += 1;
        self.text("operation", &span.operation);
        self.text("kind", span.kind.as_str());
        self.text("status", span.status.as_str());
        self.source(&span.source);
        self.map("attributes", &span.attributes);
    }

    fn log(&mut self, record: &LogRecord) {
        self.records += 1;
        self.text("severity", record.severity.as_str());
        self.source(&record.source);
        self.map("attributes", &record.attributes);
    }

    fn event(&mut self, event: &EventLine) {
        self.records += 1;
        self.text("type", &event.kind);
        self.text("source", &event.source);
        self.text("subject", &event.subject);
        self.map("extensions", &event.extensions);
        if let Value::Map(fields) = &event.data {
            self.map("data", fields);
        }
    }

    /// What completes the condition.
    fn complete(&self, signal: Signal, at: &Caret) -> Vec<Completion> {
        let share = |records: u64| if self.records == 0 { String::new() } else { percent(records as f64 / self.records as f64) };
        let mut found: Vec<(u64, Completion)> = match &at.wanted {
            Wanted::Name => named(signal)
                .map(|(name, is_map)| {
                    let insert = if is_map { format!("{name}[\"") } else { name.to_owned() };
                    (0, Completion { insert, label: name.to_owned(), detail: if is_map { "by key" } else { "" }.to_owned() })
                })
                .collect(),
            Wanted::Key { scope, opened, dot } => {
                let of_scope =
                    self.words.iter().filter_map(|((name, key), words)| Some((key.as_deref().filter(|_| name == scope)?, words)));
                let usable = of_scope.filter(|(key, _)| if *dot { is_word(key) } else { opened.is_none_or(|mark| !key.contains(mark)) });
                let insert = |key: &str| match (opened, dot) {
                    (_, true) => key.to_owned(),
                    (Some(mark), _) => format!("{}{mark}]", key.replace('\\', "\\\\")),
                    (None, _) => format!("{}]", quoted(key)),
                };
                let entry = |(key, words): (&str, &Words)| {
                    (words.records, Completion { insert: insert(key), label: key.to_owned(), detail: share(words.records) })
                };
                usable.map(entry).collect()
            }
            Wanted::Value { name, key, opened } => {
                let known = self.words.get(&(name.clone(), key.clone()));
                let values = known.into_iter().flat_map(|words| &words.values);
                // A text can be begun by either mark; a number by none.
                let usable = values.filter(|(value, _)| opened.is_none() || value.starts_with('"'));
                let entry = |(value, times): (&String, &u64)| {
                    let insert = match opened {
                        None => value.clone(),
                        Some('"') => value[1..].to_owned(),
                        Some(mark) => format!("{}{mark}", value[1..value.len() - 1].replace("\\\"", "\"")),
                    };
                    (*times, Completion { insert, label: value.clone(), detail: share(*times) })
                };
                usable.map(entry).collect()
            }
        };
        let typed = at.typed.to_lowercase();
        let place = |completion: &Completion| {
            let label = completion.label.trim_start_matches('"').to_lowercase();
            if label.starts_with(&typed) { Some(0) } else { label.contains(&typed).then_some(1) }
        };
        found.retain(|(_, completion)| place(completion).is_some());
        // Those that begin so first, then the most frequent. Names keep the order of the language.
        found.sort_by(|(a_times, a), (b_times, b)| {
            let by_label = if matches!(at.wanted, Wanted::Name) { std::cmp::Ordering::Equal } else { a.label.cmp(&b.label) };
            place(a).cmp(&place(b)).then(b_times.cmp(a_times)).then(by_label)
        });
        found.into_iter().map(|(_, completion)| completion).take(MOST).collect()
    }
}

impl Backend {
    /// What may follow in a condition of which `text` stands before the caret.
    ///
    /// # Errors
    /// The database.
    pub async fn complete(&self, text: &str, signal: Signal, now: Timestamp) -> Result<Completions> {
        let nothing = Completions { from: 0, items: Vec::new() };
        if text.len() > LONGEST {
            return Ok(nothing);
        }
        let Some(at) = caret(text, signal) else { return Ok(nothing) };
        let vocabulary = self.vocabulary(signal, now).await?;
        let items = vocabulary.complete(signal, &at);
        Ok(Completions { from: text[..at.from].encode_utf16().count(), items })
    }

    async fn vocabulary(&self, signal: Signal, now: Timestamp) -> Result<Arc<Vocabulary>> {
        let minute = u64::from(now.minute().0.unsigned_abs());
        let read = async || self.read_vocabulary(signal, now).await.map(Arc::new);
        self.0.vocabularies.get(minute, signal.as_str().to_owned(), read).await
    }

    async fn read_vocabulary(&self, signal: Signal, now: Timestamp) -> Result<Vocabulary> {
        let buckets = self.0.settings.bucket_numbers();
        let mut vocabulary = Vocabulary::default();
        let mut tx = self.snapshot().await?;
        match signal {
            Signal::Spans | Signal::Logs => {
                let Some(telemetry) = signal.telemetry() else { return Ok(vocabulary) };
                let conditions = SegmentQuery {
                    signal: telemetry,
                    service: None,
                    errors_only: false,
                    from: Some(now.plus_seconds(-BACK_SECONDS)),
                    to: None,
                    up_to_segment: last_segment_id(now),
                };
                let newest = trace::segments(&mut tx, &buckets, &conditions).await?;
                for extent in newest.into_iter().take(SEGMENTS) {
                    let Some(body) = trace::segment_body(&mut tx, extent.segment).await? else { continue };
                    let id = extent.segment.id;
                    let reading = tokio::task::spawn_blocking(move || {
                        if signal == Signal::Spans {
                            decode(body, id)?.iter().take(RECORDS).for_each(|span| vocabulary.span(span));
                        } else {
                            decode_logs(body, id)?.iter().take(RECORDS).for_each(|record| vocabulary.log(record));
                        }
                        Ok::<_, StorageError>(vocabulary)
                    });
                    vocabulary = reading.await.map_err(|fault| Error::Internal(Box::new(fault)))??;
                }
            }
            Signal::Metrics => {
                let from = self.slot_before(now.plus_seconds(-BACK_SECONDS));
                for listed in metric::list(&mut tx, &buckets, from, &[], None, LISTED).await? {
                    vocabulary.text("name", &listed.metric.name);
                    vocabulary.text("unit", &listed.metric.unit);
                    listed.services.iter().for_each(|service| vocabulary.text("service", service));
                }
                for series in metric::some_series(&mut tx, &buckets, from, SERIES).await? {
                    vocabulary.map("attributes", &series.attributes);
                    vocabulary.map("resource", &series.source.resource);
                }
            }
            Signal::Events => {
                let newest = event::list(&mut tx, &buckets, &EventConditions::default(), LISTED).await?;
                let received = newest.iter().filter(|(_, event)| !event.kind.starts_with(OWN_TYPES));
                received.for_each(|(_, event)| vocabulary.event(event));
            }
            Signal::Heartbeats => {
                for known in agent::list(&mut tx).await? {
                    vocabulary.text("agent", &known.name);
                }
                ["ok", "error"].iter().for_each(|word| vocabulary.text("status", word));
            }
        }
        tx.commit().await?;
        Ok(vocabulary)
    }
}

/// Whether a key can follow a dot.
fn is_word(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A text in CEL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
