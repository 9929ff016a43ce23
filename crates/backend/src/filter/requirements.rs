//! What a filter proves about every record that matches it, for pruning before records are read.

use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Status, Value};

use super::Field;
use super::matcher::{Comparison, Condition, Term};
use super::names::Scope;

/// Conditions necessary for a match: each given one holds for every matching record. They come from the outermost
/// conjunction alone, and what is not given is simply not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirements {
    /// The record is of this service.
    pub service: Option<String>,
    /// The point is of this metric.
    pub name: Option<String>,
    /// The span is of this operation.
    pub operation: Option<String>,
    /// The span has this outcome.
    pub status: Option<Status>,
    /// The span failed; the same as `status` being `error`.
    pub errors_only: bool,
    /// The record belongs to this trace.
    pub trace_id: Option<TraceId>,
    /// The record carries this correlation ID.
    pub correlation_id: Option<String>,
    /// The record carries this project ID.
    pub project_id: Option<String>,
    /// The record carries this execution ID.
    pub execution_id: Option<String>,
    /// The record has these attributes. Numbers are equal by value, so `200` may be stored as `200` or `200.0`; written with
    /// [`Value`]'s `Display` both are the same text.
    pub attributes: Vec<(String, Value)>,
}

impl Condition {
    /// Adds what this condition, being true, proves.
    pub(super) fn require(&self, known: &mut Requirements) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.require(known)),
            Self::Filter(filter) => filter.condition().require(known),
            Self::Compare { left, comparison: Comparison::Equal, right } => equality(left, right, known),
            Self::OneOf { value, options } if options.len() == 1 => equality(value, &options[0], known),
            Self::OneOfTexts { value, sorted } if sorted.len() == 1 => text(value, &sorted[0], known),
            Self::Flag(Term::Attribute(Scope::Attributes, key)) => known.attributes.push((key.to_string(), Value::Bool(true))),
            _ => {}
        }
    }
}

fn equality(left: &Term, right: &Term, known: &mut Requirements) {
    match (left, right) {
        (_, Term::Value(Value::String(value))) => text(left, value, known),
        (Term::Field(Field::TraceId), Term::TraceId(id)) => known.trace_id = Some(*id),
        // Zero is left out: −0.0 equals it, but is written differently.
        (Term::Attribute(Scope::Attributes, key), Term::Value(value @ (Value::Int(..=-1 | 1..) | Value::Bool(_)))) => {
            known.attributes.push((key.to_string(), value.clone()));
        }
        (Term::Attribute(Scope::Attributes, key), Term::Value(Value::Double(value))) if *value != 0.0 => {
            known.attributes.push((key.to_string(), Value::Double(*value)));
        }
        _ => {}
    }
}

fn text(left: &Term, value: &str, known: &mut Requirements) {
    match left {
        Term::Field(Field::Service) => known.service = Some(value.to_owned()),
        Term::Field(Field::Name) => known.name = Some(value.to_owned()),
        Term::Field(Field::Operation) => known.operation = Some(value.to_owned()),
        Term::Field(Field::CorrelationId) => known.correlation_id = Some(value.to_owned()),
        Term::Field(Field::ProjectId) => known.project_id = Some(value.to_owned()),
        Term::Field(Field::ExecutionId) => known.execution_id = Some(value.to_owned()),
        Term::Field(Field::Status) => {
            known.status = Status::from_word(value);
            known.errors_only = known.status == Some(Status::Error);
        }
        Term::Attribute(Scope::Attributes, key) => known.attributes.push((key.to_string(), Value::String(value.to_owned()))),
        _ => {}
    }
}
