//! What the shop's processes log: a line for every order and message that came in, and what they say when they fail. The lines
//! follow from the spans, so that history and live traffic say the same.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;

use super::fleet::Process;
use super::sink::Finished;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that take longer are logged as slow.
const SLOW: Duration = Duration::from_millis(1_500);
/// Attributes of the span that its line has too.
const SHARED: [&str; 4] = ["http.route", "http.request.method", "http.response.status_code", "error.type"];

/// Lines on their way to the OTLP door.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    endpoint: String,
    client: reqwest::Client,
}

impl Lines {
    /// A way to the OTLP/HTTP door at `base`.
    pub(super) fn to(base: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().context("cannot make an HTTP client")?;
        Ok(Self { endpoint: format!("{}/v1/logs", base.trim_end_matches('/')), client })
    }

    /// Sends what is said about some spans, and waits until it is acknowledged.
    pub(super) async fn say<'a>(&self, spans: impl IntoIterator<Item = &'a Finished>) -> anyhow::Result<()> {
        let mut by_process: BTreeMap<Process, Vec<LogRecord>> = BTreeMap::new();
        for finished in spans {
            if let Some(line) = line_of(&finished.span) {
                by_process.entry(finished.process).or_default().push(line);
            }
        }
        if by_process.is_empty() {
            return Ok(());
        }
        let resource_logs = by_process.into_iter().map(|(process, log_records)| resource_logs(process, log_records)).collect();
        let body = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
        let request = self.client.post(&self.endpoint).header("content-type", "application/x-protobuf").body(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

fn resource_logs(process: Process, log_records: Vec<LogRecord>) -> ResourceLogs {
    let attributes = process.resource().iter().map(|(key, value)| attribute(key.as_str(), value)).collect();
    let scope = InstrumentationScope { name: format!("{}.log", process.service()), ..InstrumentationScope::default() };
    ResourceLogs {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_logs: vec![ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }],
        ..ResourceLogs::default()
    }
}

/// The line that a span leaves, if it leaves one.
fn line_of(span: &SpanData) -> Option<LogRecord> {
    let of = |key: &str| span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value);
    let took = span.end_time.duration_since(span.start_time).unwrap_or_default();
    let is_entry = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer);
    let exception = span.events.events.iter().find(|event| event.name == "exception");
    let status = of("http.response.status_code").map_or_else(String::new, |status| format!(" {status}"));
    let (severity, body) = match (&span.status, exception) {
        (Status::Error { .. }, Some(event)) => {
            let message = event.attributes.iter().find(|pair| pair.key.as_str() == "exception.message");
            (SeverityNumber::Error, message.map_or_else(|| "it failed".to_owned(), |pair| pair.value.to_string()))
        }
        (Status::Error { .. }, None) if is_entry => {
            (SeverityNumber::Error, format!("{} failed{status} after {} ms", span.name, took.as_millis()))
        }
        (Status::Error { .. }, None) => (SeverityNumber::Warn, format!("{} failed{status}", span.name)),
        _ if is_entry && took > SLOW => (SeverityNumber::Warn, format!("{} took {} ms", span.name, took.as_millis())),
        _ if is_entry && !span.name.starts_with("GET") => {
            (SeverityNumber::Info, format!("{}{status} in {} ms", span.name, took.as_millis()))
        }
        _ => return None,
    };
    let mut attributes: Vec<KeyValue> = SHARED.iter().filter_map(|key| Some(attribute(key, of(key)?))).collect();
    if let Some(event) = exception {
        attributes.extend(event.attributes.iter().map(|pair| attribute(pair.key.as_str(), &pair.value)));
    }
    Some(LogRecord {
        time_unix_nano: nanos(span.end_time),
        observed_time_unix_nano: nanos(span.end_time),
        severity_number: severity.into(),
        body: Some(AnyValue { value: Some(any_value::Value::StringValue(body)) }),
        attributes,
        trace_id: span.span_context.trace_id().to_bytes().to_vec(),
        span_id: span.span_context.span_id().to_bytes().to_vec(),
        ..LogRecord::default()
    })
}

/// An attribute as OTLP has it.
pub(super) fn attribute(key: &str, value: &Value) -> KeyValue {
    let value = match value {
        Value::Bool(truth) => any_value::Value::BoolValue(*truth),
        Value::I64(number) => any_value::Value::IntValue(*number),
        Value::F64(number) => any_value::Value::DoubleValue(*number),
        other => any_value::Value::StringValue(other.to_string()),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
