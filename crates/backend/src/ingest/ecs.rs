//! Log records in the Elastic Common Schema, one JSON object a line (or an array of them, or one alone). Fields may be nested
//! or have dotted names. What ECS says of the process becomes the resource, the rest are attributes under their own names.

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::DeserializeSeed as _;
use serde_json::Value as Json;
use slowburn_domain::log::{LogRecord, Severity};
use slowburn_domain::query::FieldFault;
use slowburn_domain::span::{Source, Value};
use slowburn_domain::time::Timestamp;

use super::Refusal;
use super::intake::Intake;
use super::json_tree::{Growth, value_of};
use super::span::{check_time, source};

/// Fields that become something else than an attribute.
const TIME: &str = "@timestamp";
const LEVEL: &str = "log.level";
const MESSAGE: &str = "message";
const VERSION: &str = "ecs.version";
const TRACE: &str = "trace.id";
const SPAN: [&str; 2] = ["span.id", "transaction.id"];
const LOGGER: &str = "log.logger";
/// Field sets that are about the process and not about what it says.
const RESOURCE: [&str; 9] = ["service", "host", "agent", "container", "orchestrator", "cloud", "process", "faas", "device"];
/// Deepest nesting that is read.
const DEEPEST: usize = 32;

type Pairs = Vec<(String, Value)>;

/// Reads lines.
///
/// # Errors
/// The whole would weigh too much, or is no text.
pub(super) fn read(message: &[u8], intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let text = std::str::from_utf8(message)
        .map_err(|fault| Refusal::Malformed(FieldFault::new("body", format!("not UTF-8 after {} bytes", fault.valid_up_to()))))?;
    let mut reader = Reader { intake, sources: HashMap::new(), index: 0 };
    if text.trim_start().starts_with('[') {
        let mut growth = Growth::up_to(reader.intake.heaviest());
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = growth.begin_part().deserialize(&mut deserializer).and_then(|items| deserializer.end().map(|()| items));
        let kept = growth.kept;
        return match read {
            Ok(Json::Array(items)) => {
                reader.intake.weigh(kept)?;
                items.into_iter().try_for_each(|item| reader.item(item, 0))
            }
            Ok(_) => Ok(()),
            Err(_) if growth.is_over() => Err(reader.intake.too_heavy()),
            Err(fault) => Err(Refusal::Malformed(FieldFault::new("body", format!("not JSON: {fault}")))),
        };
    }
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut growth = Growth::up_to(reader.intake.heaviest());
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let read = growth.begin_part().deserialize(&mut deserializer).and_then(|item| deserializer.end().map(|()| item));
        match read {
            Ok(item) => reader.item(item, growth.kept)?,
            Err(_) if growth.is_over() => return Err(reader.intake.too_heavy()),
            Err(fault) => reader.refuse("line", format!("not JSON: {fault}")),
        }
    }
    Ok(())
}

struct Reader<'r, 'a> {
    intake: &'r mut Intake<'a>,
    /// Processes seen in this request: most lines come from one.
    sources: HashMap<String, Arc<Source>>,
    index: usize,
}

impl Reader<'_, '_> {
    fn refuse(&mut self, field: &str, reason: String) {
        self.intake.refuse(self.index, field, reason);
        self.index += 1;
    }

    fn item(&mut self, item: Json, weight: usize) -> Result<(), Refusal> {
        self.intake.weigh(weight + size_of::<LogRecord>())?;
        let Json::Object(fields) = item else {
            self.refuse("line", "expected an object".to_owned());
            return Ok(());
        };
        let mut pairs = Pairs::new();
        for (name, value) in fields {
            flatten(name, value, &mut pairs, 0);
        }
        match self.record(pairs) {
            Ok(record) => {
                self.intake.log(record);
                self.index += 1;
            }
            Err((field, reason)) => self.refuse(field, reason),
        }
        Ok(())
    }

    fn record(&mut self, pairs: Pairs) -> Result<LogRecord, (&'static str, String)> {
        let (mut resource, mut attributes) = (Pairs::new(), Pairs::new());
        let (mut time, mut severity_text, mut body, mut logger) = (None, String::new(), Value::Null, String::new());
        let (mut trace_id, mut span_id) = (None, None);
        for (name, value) in pairs {
            match name.as_str() {
                TIME => time = Some(value),
                LEVEL => severity_text = value.to_string(),
                MESSAGE => body = value,
                LOGGER => logger = value.to_string(),
                VERSION => {}
                TRACE => trace_id = value.as_str().and_then(|text| text.parse().ok()),
                name if SPAN.contains(&name) && span_id.is_none() => span_id = value.as_str().and_then(|text| text.parse().ok()),
                _ if RESOURCE.iter().any(|set| name.strip_prefix(set).is_some_and(|rest| rest.starts_with('.'))) => {
                    resource.push((name, value));
                }
                _ => attributes.push((name, value)),
            }
        }
        let time = time.ok_or_else(|| (TIME, "missing".to_owned()))?;
        let time = instant(&time).ok_or_else(|| (TIME, format!("expected a time like 2026-11-21T12:00:00.000Z, got {time}")))?;
        check_time(TIME, time, self.intake.now())?;
        let severity = Severity::from_word(&severity_text).unwrap_or_default();
        let source = self.source(resource, logger);
        Ok(LogRecord {
            time,
            severity,
            severity_text,
            body,
            event_name: String::new(),
            trace_id,
            span_id,
            attributes,
            source,
            correlation_id: None,
            project_id: None,
            execution_id: None,
        })
    }

    fn source(&mut self, mut resource: Pairs, logger: String) -> Arc<Source> {
        let key = format!("{resource:?} {logger}");
        if let Some(known) = self.sources.get(&key) {
            return Arc::clone(known);
        }
        self.intake.clean_resource(&mut resource);
        let made = source(resource, logger, String::new());
        self.sources.insert(key, Arc::clone(&made));
        made
    }
}

/// Adds a field under its dotted name; lists stay whole.
fn flatten(name: String, value: Json, pairs: &mut Pairs, depth: usize) {
    match value {
        Json::Object(fields) if depth < DEEPEST => {
            for (inner, value) in fields {
                flatten(format!("{name}.{inner}"), value, pairs, depth + 1);
            }
        }
        value => {
            let value = value_of(value);
            match pairs.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value,
                None => pairs.push((name, value)),
            }
        }
    }
}

/// RFC 3339, or milliseconds since the epoch.
fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse_rfc3339(text).ok(),
        Value::Int(millis) => Some(Timestamp::from_millis(*millis)),
        _ => None,
    }
}
