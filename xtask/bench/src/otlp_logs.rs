//! Log lines as OTLP requests: protobuf bodies, made before anything is measured.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message as _;

use crate::lines::{Line, Speech};
use crate::otlp::{Request, attribute, otlp_value, resource};
use crate::spans::SERVICES;

/// Lines in a request; the last one of a speech may hold fewer.
pub(crate) const REQUEST_LINES: usize = 512;

/// The requests of a speech, in the order of sending: each holds lines of all services that follow one another, as a
/// collector sends them.
pub(crate) fn requests(speech: &Speech) -> Vec<Request> {
    let mut lines = speech.lines();
    let mut requests = Vec::with_capacity(speech.lines / REQUEST_LINES + 1);
    loop {
        let batch: Vec<Line> = lines.by_ref().take(REQUEST_LINES).collect();
        if batch.is_empty() {
            return requests;
        }
        requests.push(request(batch));
    }
}

/// One request with these lines.
pub(crate) fn request(lines: Vec<Line>) -> Request {
    let count = lines.len();
    let mut by_service: Vec<Vec<LogRecord>> = vec![Vec::new(); SERVICES.len()];
    for line in lines {
        by_service[line.service].push(record(line));
    }
    let resource_logs = by_service
        .into_iter()
        .enumerate()
        .filter(|(_, records)| !records.is_empty())
        .map(|(service, log_records)| ResourceLogs {
            resource: Some(resource(SERVICES[service])),
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope { name: "shop.logging".to_owned(), version: "1.9.0".to_owned(), ..Default::default() }),
                log_records,
                ..Default::default()
            }],
            ..Default::default()
        })
        .collect();
    Request { body: Bytes::from(ExportLogsServiceRequest { resource_logs }.encode_to_vec()), records: count }
}

fn record(line: Line) -> LogRecord {
    let Line { time_ns, severity, service: _, body, place, correlation_id, attributes } = line;
    let id = correlation_id.map(|id| attribute("correlation_id", OtlpValue::StringValue(id)));
    LogRecord {
        time_unix_nano: time_ns,
        observed_time_unix_nano: time_ns + 1_000,
        severity_number: severity,
        severity_text: word_of(severity).to_uppercase(),
        body: Some(AnyValue { value: Some(OtlpValue::StringValue(body)) }),
        attributes: attributes.into_iter().map(|(key, value)| attribute(key, otlp_value(value))).chain(id).collect(),
        trace_id: place.map(|(trace_id, _)| trace_id.to_be_bytes().to_vec()).unwrap_or_default(),
        span_id: place.map(|(_, span_id)| span_id.to_be_bytes().to_vec()).unwrap_or_default(),
        ..Default::default()
    }
}

/// What Slowburn calls a severity.
pub(crate) const fn word_of(severity: i32) -> &'static str {
    match severity {
        ..9 => "debug",
        9..13 => "info",
        13..17 => "warn",
        _ => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_a_request_once() {
        let speech = Speech { seed: 3, lines: 1_300, from_ns: 0, until_ns: 1_300_000 };
        let mut times = Vec::new();
        for request in requests(&speech) {
            let message = ExportLogsServiceRequest::decode(request.body).expect("a message");
            let records: Vec<&LogRecord> = message.resource_logs.iter().flat_map(|r| &r.scope_logs).flat_map(|s| &s.log_records).collect();
            assert_eq!(records.len(), request.records);
            times.extend(records.iter().map(|record| record.time_unix_nano));
        }
        times.sort_unstable();
        assert!(times.into_iter().eq(speech.lines().map(|line| line.time_ns)));
    }
}
