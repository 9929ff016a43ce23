//! The IDs under which people look for a trace.
//!
//! Per record the first name of the configured list that is present counts; only when none is there is baggage looked at,
//! as `baggage.*` attributes or as the `baggage` header, under the same names. Resource attributes do not count. Arrays
//! (`http.request.header.*`) give their first value.

use slowburn_domain::log::LogRecord;
use slowburn_domain::span::{Span, Value};
use slowburn_domain::url::decode_segment;

const PROJECT: [&str; 2] = ["project_id", "projectId"];
const EXECUTION: [&str; 2] = ["execution_id", "executionId"];
const BAGGAGE_HEADERS: [&str; 2] = ["http.request.header.baggage", "baggage"];

/// Reads IDs out of records.
#[derive(Clone, Debug)]
pub struct IdReader {
    correlation: Vec<String>,
}

impl IdReader {
    /// A reader that trusts `correlation` attributes in that order.
    pub fn new(correlation: &[String]) -> Self {
        Self { correlation: correlation.to_vec() }
    }

    /// Sets the span's IDs from its attributes.
    pub fn read(&self, span: &mut Span) {
        [span.correlation_id, span.project_id, span.execution_id] = self.ids(&span.attributes);
    }

    /// Sets a log record's IDs from its attributes; ECS has its own ones under `labels.`.
    pub fn read_log(&self, record: &mut LogRecord) {
        let mut ids = self.ids(&record.attributes);
        if ids.iter().any(Option::is_none) {
            let labels = record.attributes.iter().filter_map(|(key, value)| Some((key.strip_prefix("labels.")?.to_owned(), value.clone())));
            let labels: Vec<(String, Value)> = labels.collect();
            for (id, label) in ids.iter_mut().zip(self.ids(&labels)) {
                *id = id.take().or(label);
            }
        }
        [record.correlation_id, record.project_id, record.execution_id] = ids;
    }

    /// The correlation ID among attributes.
    pub fn correlation(&self, attributes: &[(String, Value)]) -> Option<String> {
        let [correlation, ..] = self.ids(attributes);
        correlation
    }

    fn ids(&self, attributes: &[(String, Value)]) -> [Option<String>; 3] {
        let correlation: Vec<&str> = self.correlation.iter().map(String::as_str).collect();
        [&correlation[..], &PROJECT, &EXECUTION].map(|names| find(attributes, names))
    }
}

fn find(attributes: &[(String, Value)], names: &[&str]) -> Option<String> {
    let own = attributes
        .iter()
        .filter_map(|(key, value)| Some((names.iter().position(|name| name == key)?, text(value)?)))
        .min_by_key(|(rank, _)| *rank);
    if let Some((_, id)) = own {
        return Some(id);
    }
    let in_baggage = attributes
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix("baggage.")?;
            Some((names.iter().position(|known| *known == name)?, text(value)?))
        })
        .min_by_key(|(rank, _)| *rank);
    if let Some((_, id)) = in_baggage {
        return Some(id);
    }
    attributes
        .iter()
        .filter(|(key, _)| BAGGAGE_HEADERS.contains(&key.as_str()))
        .filter_map(|(_, value)| header(value))
        .flat_map(|header| baggage(&header))
        .filter_map(|(name, value)| Some((names.iter().position(|known| *known == name)?, value)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, id)| id)
}

/// The ID in an attribute's value; empty ones do not count.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Array(values) => return values.iter().find_map(text),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn header(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // Several header lines mean the same as one, joined by commas (RFC 9110, section 5.3).
        Value::Array(values) => Some(values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
        _ => None,
    }
}

/// Members of a W3C `baggage` header: `key=value;property, …`, values percent-encoded.
fn baggage(header: &str) -> Vec<(String, String)> {
    header
        .split(',')
        .filter_map(|member| {
            let (key, value) = member.split(';').next()?.split_once('=')?;
            let value = decode_segment(value.trim());
            (!value.is_empty()).then(|| (key.trim().to_owned(), value))
        })
        .collect()
}
