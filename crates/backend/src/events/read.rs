//! CloudEvents 1.0 in its three forms over HTTP: an event as JSON, a list of them, or attributes in headers with the data as the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value as Json};
use slowburn_domain::event::EventLine;
use slowburn_domain::id::TraceId;
use slowburn_domain::query::FieldFault;
use slowburn_domain::span::Value;
use slowburn_domain::time::Timestamp;
use uuid::Uuid;

use super::rejected;
use crate::ingest::json_tree::{Growth, value_of};
use crate::ingest::{Refusal, Rejected, payload};

/// In memory a request may take this many times the bytes it may have on the wire.
const SWELLING: usize = 8;
/// Longest id, source, type and subject, characters.
const LONGEST: usize = 1_024;
/// Attributes that are not extensions.
const KNOWN: [&str; 8] = ["specversion", "id", "source", "type", "subject", "time", "data", "data_base64"];

/// How a request holds its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// One event as a JSON object.
    Structured,
    /// A list of such.
    Batch,
    /// Attributes as headers, their names without `ce-`; the body is the data.
    Binary {
        /// The attributes.
        attributes: Vec<(String, String)>,
        /// Type of the data.
        content_type: Option<String>,
    },
}

/// The key of an event: the same source and id are the same event.
pub(super) fn key(event: &EventLine) -> Uuid {
    payload::key(event.source.as_bytes(), event.id.as_bytes())
}

type Read = (Vec<EventLine>, Vec<Rejected>);

/// The good events of a request, and what is wrong with the others.
///
/// # Errors
/// The request as a whole cannot be read, or would take too much memory.
pub(super) fn read(message: &[u8], form: EventForm, limit: usize, now: Timestamp) -> Result<Read, Refusal> {
    let items = match form {
        EventForm::Binary { attributes, content_type } => vec![Json::Object(of_headers(message, attributes, content_type, limit)?)],
        EventForm::Structured => vec![tree(message, limit)?],
        EventForm::Batch => match tree(message, limit)? {
            Json::Array(items) => items,
            _ => return Err(Refusal::Malformed(FieldFault::new("body", "expected a list of events"))),
        },
    };
    let (mut events, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        match event(item, now) {
            Ok(event) => events.push(event),
            Err((field, reason)) => faults.push(rejected(index, &field, reason)),
        }
    }
    Ok((events, faults))
}

fn tree(message: &[u8], limit: usize) -> Result<Json, Refusal> {
    let heaviest = limit.saturating_mul(SWELLING);
    let mut growth = Growth::up_to(heaviest);
    let mut deserializer = serde_json::Deserializer::from_slice(message);
    let read = growth.begin_part().deserialize(&mut deserializer).and_then(|item| deserializer.end().map(|()| item));
    read.map_err(|fault| {
        if growth.is_over() {
            Refusal::TooHeavy { limit, heaviest }
        } else {
            Refusal::Malformed(FieldFault::new("body", format!("not JSON: {fault}")))
        }
    })
}

/// An event in binary form as the structured form would have it.
fn of_headers(
    message: &[u8],
    attributes: Vec<(String, String)>,
    content_type: Option<String>,
    limit: usize,
) -> Result<Map<String, Json>, Refusal> {
    let mut fields: Map<String, Json> = attributes.into_iter().map(|(name, value)| (name, Json::String(value))).collect();
    let is_json = content_type.as_deref().is_none_or(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
    });
    if let Some(kind) = content_type {
        fields.insert("datacontenttype".to_owned(), Json::String(kind));
    }
    if message.is_empty() {
        return Ok(fields);
    }
    let data = if is_json {
        tree(message, limit)?
    } else {
        // What is no text is kept as base64, as the JSON form has it.
        std::str::from_utf8(message).map_or_else(|_| Json::String(BASE64.encode(message)), |text| Json::String(text.to_owned()))
    };
    fields.insert("data".to_owned(), data);
    Ok(fields)
}

fn event(item: Json, now: Timestamp) -> Result<EventLine, (String, String)> {
    let Json::Object(mut fields) = item else { return Err(("event".to_owned(), "expected an object".to_owned())) };
    let fault = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let mut text = |field: &str, is_required: bool| match fields.remove(field) {
        None | Some(Json::Null) if is_required => Err(fault(field, "missing")),
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) if is_required && text.is_empty() => Err(fault(field, "must not be empty")),
        Some(Json::String(text)) if text.chars().count() > LONGEST => Err((field.to_owned(), format!("at most {LONGEST} characters"))),
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(fault(field, "expected a text")),
    };
    let version = text("specversion", true)?;
    if version != "1.0" {
        return Err(("specversion".to_owned(), format!("expected 1.0, got {version}")));
    }
    let (id, source, kind, subject) = (text("id", true)?, text("source", true)?, text("type", true)?, text("subject", false)?);
    let time = match text("time", false)? {
        none if none.is_empty() => now,
        stated => Timestamp::parse_rfc3339(&stated).map_err(|_| fault("time", "expected a time like 2026-11-21T12:00:00Z"))?,
    };
    let data = match (fields.remove("data"), fields.remove("data_base64")) {
        (Some(_), Some(_)) => return Err(fault("data_base64", "either data or data_base64, not both")),
        (Some(data), None) => value_of(data),
        (None, Some(Json::String(text))) if BASE64.decode(&text).is_ok() => Value::String(text),
        (None, Some(_)) => return Err(fault("data_base64", "expected base64")),
        (None, None) => Value::Null,
    };
    let mut extensions = Vec::new();
    for (name, value) in fields {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) || KNOWN.contains(&name.as_str())
        {
            return Err((name, "names of attributes are lower-case letters and digits".to_owned()));
        }
        if matches!(value, Json::Object(_) | Json::Array(_)) {
            return Err((name, "expected a text, a number, or true or false".to_owned()));
        }
        extensions.push((name, value_of(value)));
    }
    let trace_id = extensions.iter().find(|(name, _)| name == "traceparent").and_then(|(_, value)| trace_of(value.as_str()?));
    Ok(EventLine { id, source, kind, subject, time, correlation_id: None, trace_id, extensions, data })
}

/// The trace of a W3C `traceparent`.
fn trace_of(traceparent: &str) -> Option<TraceId> {
    let mut parts = traceparent.split('-');
    let version = parts.next()?;
    (version.len() == 2 && version != "ff").then(|| parts.next()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);

    fn told(text: &str, form: EventForm) -> Result<Read, Refusal> {
        read(text.as_bytes(), form, 1 << 20, NOON)
    }

    #[test]
    fn a5_an_event_is_the_same_in_each_of_its_forms() {
        let structured = r#"{"specversion":"1.0","id":"1","source":"/ci","type":"build.done","subject":"shop","time":"2026-11-21T12:00:00Z","datacontenttype":"application/json","correlationid":"order-1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"ok":true}}"#;
        let (events, faults) = told(structured, EventForm::Structured).expect("read");
        assert_eq!(faults, []);
        assert_eq!(events[0].trace_id.map(|id| id.to_string()).as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        let (batch, _) = told(&format!("[{structured}]"), EventForm::Batch).expect("read");
        assert_eq!(batch, events);
        let attributes = [
            ("specversion", "1.0"),
            ("id", "1"),
            ("source", "/ci"),
            ("type", "build.done"),
            ("subject", "shop"),
            ("time", "2026-11-21T12:00:00Z"),
            ("correlationid", "order-1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let form = EventForm::Binary { attributes, content_type: Some("application/json".to_owned()) };
        let (mut binary, _) = told("{\"ok\":true}", form).expect("read");
        for event in &mut binary {
            event.extensions.sort_by(|a, b| a.0.cmp(&b.0));
        }
        let mut sorted = events;
        sorted[0].extensions.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(binary, sorted);
    }

    #[test]
    fn a9_each_bad_event_is_named_by_its_field() {
        let good = r#"{"specversion":"1.0","id":"1","source":"/ci","type":"t"}"#;
        for (field, event) in [
            ("specversion", r#"{"id":"1","source":"/ci","type":"t"}"#),
            ("specversion", r#"{"specversion":"0.3","id":"1","source":"/ci","type":"t"}"#),
            ("id", r#"{"specversion":"1.0","id":"","source":"/ci","type":"t"}"#),
            ("source", r#"{"specversion":"1.0","id":"1","source":7,"type":"t"}"#),
            ("time", r#"{"specversion":"1.0","id":"1","source":"/ci","type":"t","time":"noon"}"#),
            ("data_base64", r#"{"specversion":"1.0","id":"1","source":"/ci","type":"t","data_base64":"?"}"#),
            ("myExt", r#"{"specversion":"1.0","id":"1","source":"/ci","type":"t","myExt":"x"}"#),
            ("ext", r#"{"specversion":"1.0","id":"1","source":"/ci","type":"t","ext":{}}"#),
            ("event", "7"),
        ] {
            let (events, faults) = told(&format!("[{event},{good}]"), EventForm::Batch).expect("read");
            assert_eq!((events.len(), faults.len()), (1, 1), "{event}");
            assert_eq!((faults[0].index, faults[0].field.as_str()), (0, field), "{event}: {faults:?}");
            assert_eq!(events[0].time, NOON, "one that says no time happened when it came");
        }
        assert!(matches!(told("{}", EventForm::Batch), Err(Refusal::Malformed(_))));
        assert!(matches!(told("{", EventForm::Structured), Err(Refusal::Malformed(_))));
    }
}
