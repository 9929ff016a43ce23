//! One log record of OTLP's JSON form, field by field.

use opentelemetry_proto::tonic::logs::v1 as proto;
use serde_json::Value;

use super::json_span::{Read, any_value, attributes, hex, number, object, text};

/// A log record. Whether its times make sense is not looked at here.
pub(super) fn record(item: &Value, path: &str) -> Read<proto::LogRecord> {
    let item = object(item, path)?;
    let body = match item.get("body") {
        None | Some(Value::Null) => None,
        Some(body) => Some(any_value(body, &format!("{path}.body"))?),
    };
    Ok(proto::LogRecord {
        time_unix_nano: number(item, "timeUnixNano", path)?,
        observed_time_unix_nano: number(item, "observedTimeUnixNano", path)?,
        severity_number: number(item, "severityNumber", path)?,
        severity_text: text(item, "severityText", path)?,
        body,
        attributes: attributes(item, "attributes", path)?,
        trace_id: hex(item, "traceId", path)?,
        span_id: hex(item, "spanId", path)?,
        event_name: text(item, "eventName", path)?,
        ..proto::LogRecord::default()
    })
}
