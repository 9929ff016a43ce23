//! Log records for tests, as senders write them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use serde_json::{Value, json};
use slowburn_domain::time::Timestamp;

use crate::json::{attributes, hex, value};
use crate::text;

/// A log record under construction.
#[derive(Clone, Debug)]
pub struct LogBuilder(LogRecord);

impl LogBuilder {
    /// A record of severity `info` that says `body` at `at`.
    pub fn new(at: Timestamp, body: &str) -> Self {
        Self(LogRecord {
            time_unix_nano: at.nanos().cast_unsigned(),
            severity_number: 9,
            body: Some(AnyValue { value: Some(any_value::Value::StringValue(body.to_owned())) }),
            ..LogRecord::default()
        })
    }

    /// Its severity, as OTLP's number.
    #[must_use]
    pub const fn severity(mut self, number: i32) -> Self {
        self.0.severity_number = number;
        self
    }

    /// The trace and span it was said in.
    #[must_use]
    pub fn in_span(mut self, trace: u128, span: u64) -> Self {
        self.0.trace_id = trace.to_be_bytes().to_vec();
        self.0.span_id = span.to_be_bytes().to_vec();
        self
    }

    /// An attribute.
    #[must_use]
    pub fn with(mut self, attribute: KeyValue) -> Self {
        self.0.attributes.push(attribute);
        self
    }

    /// The finished record.
    pub fn build(self) -> LogRecord {
        self.0
    }
}

/// A request with the log records of one service.
pub fn log_request(service: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource { attributes: vec![text("service.name", service)], ..Resource::default() }),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    }
}

/// The same, as the bytes that a sender writes.
pub fn log_body(service: &str, records: Vec<LogRecord>) -> Vec<u8> {
    log_request(service, records).encode_to_vec()
}

/// The same request in JSON.
pub fn logs_to_json(request: &ExportLogsServiceRequest) -> Value {
    let resource_logs = request.resource_logs.iter().map(|resource_logs| {
        let scope_logs = resource_logs.scope_logs.iter().map(|scope_logs| {
            let mut out = json!({"logRecords": scope_logs.log_records.iter().map(record).collect::<Vec<_>>()});
            if let Some(scope) = &scope_logs.scope {
                out["scope"] = json!({"name": scope.name, "version": scope.version});
            }
            out
        });
        let mut out = json!({"scopeLogs": scope_logs.collect::<Vec<_>>()});
        if let Some(resource) = &resource_logs.resource {
            out["resource"] = json!({"attributes": attributes(&resource.attributes)});
        }
        out
    });
    json!({"resourceLogs": resource_logs.collect::<Vec<_>>()})
}

fn record(record: &LogRecord) -> Value {
    let mut out = json!({
        "timeUnixNano": record.time_unix_nano.to_string(),
        "observedTimeUnixNano": record.observed_time_unix_nano.to_string(),
        "severityNumber": record.severity_number,
        "severityText": record.severity_text,
        "attributes": attributes(&record.attributes),
        "traceId": hex(&record.trace_id),
        "spanId": hex(&record.span_id),
        "eventName": record.event_name,
    });
    if let Some(body) = &record.body {
        out["body"] = value(body);
    }
    out
}
