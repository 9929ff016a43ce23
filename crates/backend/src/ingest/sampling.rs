//! Sampling of spans (requirement A8): which of a flush's spans are stored, decided after all of them were counted.
//!
//! A rule says of which traces one in how many is kept. Of the spans of one trace in a flush the first rule decides that one of
//! them meets. The decision is by a hash of the trace id, the same on every instance and for every part of the trace that the
//! rule is for; what a stricter rule keeps, a milder one keeps too. A part of a trace that holds an error, or an event that is
//! bad for an SLI, is kept whatever the rules say. Where such a part comes after others were left out, the trace is a partial one.
//!
//! What is kept by hash bears the number of spans it stands for as its weight, so that what is counted later, from segments, is
//! right in the mean. SLOs and the RED rollup count every span.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Span, Status, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::filter::{Filter, Signal};

/// Tells this choice from other choices by a hash of the trace id, such as that of traces that outlive retention.
const SEED: u64 = 0x5a3b_11e5;
/// A trace in this many at least is kept.
const MOST_LEFT_OUT: u32 = 1_000_000;
/// Where OpenTelemetry puts the content type of an answer.
const CONTENT_TYPES: [&str; 2] = ["http.response.header.content-type", "http.response.header.content_type"];

/// What is left of the traces that a rule is for. Written as `1/100 sse`: one in a hundred, and for which.
#[derive(Clone, Debug)]
pub struct SamplingRule {
    keep_one_in: u32,
    of: Class,
}

/// What a rule is for.
#[derive(Clone, Debug)]
enum Class {
    /// Answers that are streams of a content type.
    Stream { word: &'static str, content_types: &'static [&'static str] },
    /// Spans that meet a condition.
    Spans(Filter),
    /// All.
    Any,
}

/// Answers of server-sent events, and of JSON by the line.
const STREAMS: [Class; 2] = [
    Class::Stream { word: "sse", content_types: &["text/event-stream"] },
    Class::Stream { word: "ndjson", content_types: &["application/x-ndjson", "application/ndjson", "application/jsonl"] },
];

impl SamplingRule {
    /// The rules that hold when sampling is turned on and none is given.
    pub const DEFAULTS: [&str; 3] = ["1/100 sse", "1/20 ndjson", "1/10"];

    fn is_for(&self, span: &Span) -> bool {
        match &self.of {
            Class::Stream { content_types, .. } => content_types_of(span).any(|told| content_types.iter().any(|of| is_of_type(told, of))),
            Class::Spans(filter) => filter.matches(span),
            Class::Any => true,
        }
    }

    fn keeps(&self, trace: TraceId) -> bool {
        xxh3_64_with_seed(trace.as_bytes(), SEED) <= u64::MAX / u64::from(self.keep_one_in)
    }
}

impl FromStr for SamplingRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (share, of) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let keep_one_in = share.strip_prefix("1/").and_then(|number| number.parse().ok());
        let Some(keep_one_in) = keep_one_in.filter(|number| (1..=MOST_LEFT_OUT).contains(number)) else {
            return Err(format!("expected a share from 1/1 to 1/{MOST_LEFT_OUT}, then sse, ndjson, a condition or nothing, got {text:?}"));
        };
        let of = match of.trim() {
            "" => Class::Any,
            of => match STREAMS.into_iter().find(|class| matches!(class, Class::Stream { word, .. } if *word == of)) {
                Some(stream) => stream,
                None => Class::Spans(Filter::compile(of, Signal::Spans).map_err(|fault| format!("{text:?}: {fault}"))?),
            },
        };
        Ok(Self { keep_one_in, of })
    }
}

impl fmt::Display for SamplingRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}", self.keep_one_in)?;
        match &self.of {
            Class::Any => Ok(()),
            Class::Stream { word, .. } => write!(f, " {word}"),
            Class::Spans(filter) => write!(f, " {}", filter.source()),
        }
    }
}

/// Chooses what is stored of a flush's spans, all of which were counted. `bad` are traces with an event that is bad for an SLI.
/// Gives the spans to store, the chosen ones with their weight. A trace that no rule is for is stored.
pub(super) fn sample(rules: &[SamplingRule], spans: &[&Span], bad: &HashSet<TraceId>) -> Vec<Span> {
    let mut traces: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    for span in spans {
        traces.entry(span.trace_id).or_default().push(span);
    }
    let mut stored = Vec::new();
    for (id, spans) in traces {
        let is_chosen_from = |rule: &&SamplingRule| spans.iter().any(|span| rule.is_for(span));
        let weight = if bad.contains(&id) || spans.iter().any(|span| span.status == Status::Error) {
            1
        } else {
            match rules.iter().find(is_chosen_from) {
                Some(rule) if rule.keeps(id) => rule.keep_one_in,
                Some(_) => continue,
                None => 1,
            }
        };
        stored.extend(spans.into_iter().map(|span| Span { weight, ..span.clone() }));
    }
    stored
}

fn content_types_of(span: &Span) -> impl Iterator<Item = &str> {
    let values = CONTENT_TYPES.iter().filter_map(|name| span.attributes.iter().find(|(key, _)| key == name));
    values
        .flat_map(|(_, value)| match value {
            Value::Array(values) => values.as_slice(),
            other => std::slice::from_ref(other),
        })
        .filter_map(Value::as_str)
}

/// Whether a content type is `of`, whatever its parameters.
fn is_of_type(told: &str, of: &str) -> bool {
    told.split(';').next().is_some_and(|own| own.trim().eq_ignore_ascii_case(of))
}

#[cfg(test)]
mod tests;
