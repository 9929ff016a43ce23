//! OTLP's log records to ours, one by one. What is wrong with one is said by field.

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as proto;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::log::{LogRecord, Severity};
use slowburn_domain::span::{Source, Value};
use slowburn_domain::time::Timestamp;

use super::span::{Fault, attributes, check_time, timestamp, value};

/// A good log record, as of `now`. One that says no time happened when it was observed, or else now. Ids that are none are
/// as if they were not there, as OTLP wants it.
pub(super) fn record(record: proto::LogRecord, source: &Arc<Source>, now: Timestamp) -> Result<LogRecord, Fault> {
    let stated = [("time_unix_nano", record.time_unix_nano), ("observed_time_unix_nano", record.observed_time_unix_nano)];
    let time = match stated.into_iter().find(|(_, nanos)| *nanos > 0) {
        None => now,
        Some((field, nanos)) => {
            let time = timestamp(nanos).ok_or_else(|| (field, "out of range".to_owned()))?;
            check_time(field, time, now)?;
            time
        }
    };
    let severity = match record.severity_number {
        0 => Severity::from_word(&record.severity_text).unwrap_or_default(),
        number => Severity::from_number(number),
    };
    Ok(LogRecord {
        time,
        severity,
        severity_text: record.severity_text,
        body: record.body.map_or(Value::Null, |body| value(Some(body))),
        event_name: record.event_name,
        trace_id: TraceId::from_bytes(&record.trace_id).ok(),
        span_id: SpanId::from_bytes(&record.span_id).ok(),
        attributes: attributes(record.attributes),
        source: Arc::clone(source),
        correlation_id: None,
        project_id: None,
        execution_id: None,
    })
}
