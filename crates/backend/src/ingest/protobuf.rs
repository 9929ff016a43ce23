//! OTLP's binary form. The outer messages are walked by hand and each record is decoded by itself: so a record that cannot be
//! decoded is refused by name and its neighbours are kept, and nothing is decoded before it was weighed.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1 as proto_logs;
use opentelemetry_proto::tonic::metrics::v1 as proto_metrics;
use opentelemetry_proto::tonic::resource::v1 as proto_resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;
use slowburn_domain::log::Severity;
use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Telemetry;

use super::Refusal;
use super::intake::{Intake, Resource};
use super::wire::{self, Shape, fields, weight};

/// Fields of `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans`; those of logs and metrics have the same numbers.
const RESOURCES: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPES: u32 = 2;
const SCOPE: u32 = 1;
const RECORDS: u32 = 2;

/// Field of `Span`.
const STATUS: u32 = 15;

/// Fields of `Metric` that hold its points, and the field of each of them that is a list of points.
const FORMS: [u32; 5] = [5, 7, 9, 10, 11];
const POINTS: u32 = 1;

/// What the lists of a signal's requests are called.
struct Names {
    resources: &'static str,
    scopes: &'static str,
    records: &'static str,
}

const fn names(signal: Telemetry) -> Names {
    match signal {
        Telemetry::Spans => Names { resources: "resource_spans", scopes: "scope_spans", records: "spans" },
        Telemetry::Logs => Names { resources: "resource_logs", scopes: "scope_logs", records: "log_records" },
        Telemetry::Metrics => Names { resources: "resource_metrics", scopes: "scope_metrics", records: "metrics" },
    }
}

/// As much of a `LogRecord` as tells its severity.
#[derive(Clone, PartialEq, Message)]
struct SeverityOnly {
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
}

/// A part that all records below it need, or the path of what is wrong with it.
type Shared<T> = Result<T, String>;

/// Reads an `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`: which of them, `intake` knows.
///
/// # Errors
/// Something above the records cannot be decoded, or the whole would weigh too much.
pub(super) fn read(message: &[u8], intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let names = names(intake.records.signal());
    for (r, resource) in parts(message, RESOURCES, names.resources)?.enumerate() {
        read_resource(resource, r, &names, intake)?;
    }
    Ok(())
}

/// Whether a record of a request says that something failed. A tenth of the work of [`read`], for an overload.
pub(super) fn holds_error(message: &[u8], signal: Telemetry) -> bool {
    let inside =
        |message, wanted| fields(message).map_while(Result::ok).filter_map(move |(number, part)| part.filter(|_| number == wanted));
    let mut records = inside(message, RESOURCES).flat_map(|part| inside(part, SCOPES)).flat_map(|part| inside(part, RECORDS));
    match signal {
        Telemetry::Spans => records
            .flat_map(|span| inside(span, STATUS))
            .any(|status| proto::Status::decode(status).is_ok_and(|status| status.code() == proto::status::StatusCode::Error)),
        Telemetry::Logs => records.any(|record| {
            SeverityOnly::decode(record).is_ok_and(|SeverityOnly { severity_number, severity_text }| match severity_number {
                0 => Severity::from_word(&severity_text).is_some_and(Severity::is_error),
                number => Severity::from_number(number).is_error(),
            })
        }),
        Telemetry::Metrics => false,
    }
}

fn read_resource(message: &[u8], r: usize, names: &Names, intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let (scopes, path) = (names.scopes, format!("{}[{r}]", names.resources));
    let before = intake.weight;
    let resource = merged::<proto_resource::Resource>(message, RESOURCE, Shape::Resource, &format!("{path}.resource"), intake)?;
    let weight = intake.weight - before;
    let resource = resource.map(|resource| intake.resource(resource.attributes, weight));
    for (s, scope) in parts(message, SCOPES, &format!("{path}.{scopes}"))?.enumerate() {
        read_scope(scope, &format!("{path}.{scopes}[{s}]"), &resource, names, intake)?;
    }
    Ok(())
}

fn read_scope(message: &[u8], path: &str, resource: &Shared<Resource>, names: &Names, intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let list = names.records;
    let scope = merged::<InstrumentationScope>(message, SCOPE, Shape::Scope, &format!("{path}.scope"), intake)?;
    let mut records = parts(message, RECORDS, &format!("{path}.{list}"))?.enumerate().peekable();
    if records.peek().is_none() {
        return Ok(());
    }
    let signal = intake.records.signal();
    let (resource, scope) = match (resource, scope) {
        (Ok(resource), Ok(scope)) => (resource, scope),
        (Err(fault), _) => {
            intake.faults.add(records.map(|(_, record)| count(signal, record)).sum(), || fault.clone());
            return Ok(());
        }
        (_, Err(fault)) => {
            intake.faults.add(records.map(|(_, record)| count(signal, record)).sum(), || fault);
            return Ok(());
        }
    };
    let source = intake.source(resource, scope.name, scope.version)?;
    for (i, record) in records {
        let place = |field: &str| format!("{path}.{list}[{i}].{field}");
        let shape = match signal {
            Telemetry::Spans => Shape::Span,
            Telemetry::Logs => Shape::Log,
            Telemetry::Metrics => Shape::Metric,
        };
        intake.weigh(weight(shape, record) + resource.burden())?;
        let taken = match signal {
            Telemetry::Spans => proto::Span::decode(record).map(|span| intake.span(span, &source, place)),
            Telemetry::Logs => proto_logs::LogRecord::decode(record).map(|record| intake.otlp_log(record, &source, place)),
            Telemetry::Metrics => match proto_metrics::Metric::decode(record) {
                Ok(metric) => {
                    intake.metric(metric, &source, |index| index, place);
                    Ok(())
                }
                // A point of it cannot be decoded, and its neighbours can.
                Err(_) if fields(record).all(|field| field.is_ok()) => {
                    for (p, alone) in points_alone(record).enumerate() {
                        match proto_metrics::Metric::decode(alone.as_slice()) {
                            Ok(metric) => intake.metric(metric, &source, |_| p, place),
                            Err(fault) => intake.faults.add(1, || format!("{path}.{list}[{i}]: point {p}: {fault}")),
                        }
                    }
                    Ok(())
                }
                Err(fault) => Err(fault),
            },
        };
        if let Err(fault) = taken {
            intake.faults.add(1, || format!("{path}.{list}[{i}]: {fault}"));
        }
    }
    Ok(())
}

/// What a sender counts: points of metrics, not metrics.
fn count(signal: Telemetry, record: &[u8]) -> u64 {
    match signal {
        Telemetry::Metrics => points_alone(record).count() as u64,
        _ => 1,
    }
}

/// A metric with each of its points alone: protobuf joins the parts of a message, so that is put together without decoding it.
fn points_alone(record: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let is_form = |number: u32| FORMS.contains(&number);
    let mut shared = Vec::new();
    let mut points = Vec::new();
    for (number, content) in fields(record).map_while(Result::ok) {
        match content {
            Some(form) if is_form(number) => {
                let mut around = form;
                let mut rest = Vec::new();
                while !around.is_empty() {
                    let before = around;
                    match wire::next(&mut around) {
                        Ok((POINTS, Some(point))) => points.push((number, point)),
                        Ok(_) => rest.extend_from_slice(&before[..before.len() - around.len()]),
                        Err(_) => break,
                    }
                }
                wire::put(&mut shared, number, &rest);
            }
            Some(content) => wire::put(&mut shared, number, content),
            None => {}
        }
    }
    points.into_iter().map(move |(number, point)| {
        let mut form = Vec::with_capacity(point.len() + 8);
        wire::put(&mut form, POINTS, point);
        let mut alone = shared.clone();
        wire::put(&mut alone, number, &form);
        alone
    })
}

/// The contents of field `number`, wherever it stands in `message`; the whole of `message` is known to be sound.
fn parts<'a>(message: &'a [u8], number: u32, path: &str) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Refusal> {
    for field in fields(message) {
        let fault = match field {
            Ok((found, None)) if found == number => "expected a message".to_owned(),
            Ok(_) => continue,
            Err(fault) => fault,
        };
        return Err(Refusal::Malformed(FieldFault::new(path, format!("not an OTLP request: {fault}"))));
    }
    Ok(fields(message).filter_map(move |field| field.ok().filter(|(found, _)| *found == number)?.1))
}

/// The message in field `number`; of several the sum, as protobuf has it.
fn merged<T: Message + Default>(
    message: &[u8],
    number: u32,
    shape: Shape,
    path: &str,
    intake: &mut Intake<'_>,
) -> Result<Shared<T>, Refusal> {
    let mut merged = T::default();
    for part in parts(message, number, path)? {
        intake.weigh(weight(shape, part))?;
        if let Err(fault) = merged.merge(part) {
            return Ok(Err(format!("{path}: {fault}")));
        }
    }
    Ok(Ok(merged))
}
