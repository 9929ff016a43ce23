//! OTLP's binary form. The outer messages are walked by hand and each span is decoded by itself: so a span that cannot be
//! decoded is refused by name and its neighbours are kept, and nothing is decoded before it was weighed.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1 as proto_resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;
use slowburn_domain::query::FieldFault;

use super::Refusal;
use super::intake::{Intake, Resource};
use super::wire::{Shape, fields, weight};

/// Fields of `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans`.
const RESOURCE_SPANS: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SCOPE: u32 = 1;
const SPANS: u32 = 2;

/// Field of `Span`.
const STATUS: u32 = 15;

/// A part that all spans below it need, or the path of what is wrong with it.
type Shared<T> = Result<T, String>;

/// Reads an `ExportTraceServiceRequest`.
///
/// # Errors
/// Something above the spans cannot be decoded, or the whole would weigh too much.
pub(super) fn read(message: &[u8], intake: &mut Intake<'_>) -> Result<(), Refusal> {
    for (r, resource_spans) in parts(message, RESOURCE_SPANS, "resource_spans")?.enumerate() {
        read_resource_spans(resource_spans, r, intake)?;
    }
    Ok(())
}

/// Whether a span of an `ExportTraceServiceRequest` says that it failed. A tenth of the work of [`read`], for an overload.
pub(super) fn holds_error(message: &[u8]) -> bool {
    let inside =
        |message, wanted| fields(message).map_while(Result::ok).filter_map(move |(number, part)| part.filter(|_| number == wanted));
    inside(message, RESOURCE_SPANS)
        .flat_map(|part| inside(part, SCOPE_SPANS))
        .flat_map(|part| inside(part, SPANS))
        .flat_map(|span| inside(span, STATUS))
        .any(|status| proto::Status::decode(status).is_ok_and(|status| status.code() == proto::status::StatusCode::Error))
}

fn read_resource_spans(message: &[u8], r: usize, intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let path = format!("resource_spans[{r}]");
    let before = intake.weight;
    let resource = merged::<proto_resource::Resource>(message, RESOURCE, Shape::Resource, &format!("{path}.resource"), intake)?;
    let weight = intake.weight - before;
    let resource = resource.map(|resource| intake.resource(resource.attributes, weight));
    for (s, scope_spans) in parts(message, SCOPE_SPANS, &format!("{path}.scope_spans"))?.enumerate() {
        read_scope_spans(scope_spans, &format!("{path}.scope_spans[{s}]"), &resource, intake)?;
    }
    Ok(())
}

fn read_scope_spans(message: &[u8], path: &str, resource: &Shared<Resource>, intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let scope = merged::<InstrumentationScope>(message, SCOPE, Shape::Scope, &format!("{path}.scope"), intake)?;
    let mut spans = parts(message, SPANS, &format!("{path}.spans"))?.enumerate().peekable();
    if spans.peek().is_none() {
        return Ok(());
    }
    let (resource, scope) = match (resource, scope) {
        (Ok(resource), Ok(scope)) => (resource, scope),
        (Err(fault), _) => {
            intake.faults.add(spans.count() as u64, || fault.clone());
            return Ok(());
        }
        (_, Err(fault)) => {
            intake.faults.add(spans.count() as u64, || fault);
            return Ok(());
        }
    };
    let source = intake.source(resource, scope.name, scope.version)?;
    for (i, span) in spans {
        intake.weigh(weight(Shape::Span, span) + resource.burden())?;
        match proto::Span::decode(span) {
            Ok(span) => intake.span(span, &source, |field| format!("{path}.spans[{i}].{field}")),
            Err(fault) => intake.faults.add(1, || format!("{path}.spans[{i}]: {fault}")),
        }
    }
    Ok(())
}

/// The contents of field `number`, wherever it stands in `message`; the whole of `message` is known to be sound.
fn parts<'a>(message: &'a [u8], number: u32, path: &str) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Refusal> {
    for field in fields(message) {
        let fault = match field {
            Ok((found, None)) if found == number => "expected a message".to_owned(),
            Ok(_) => continue,
            Err(fault) => fault,
        };
        return Err(Refusal::Malformed(FieldFault::new(path, format!("not an OTLP trace request: {fault}"))));
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
