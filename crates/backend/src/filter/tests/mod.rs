//! What filters mean, as sentences; what they refuse; and what holds for all of them.

mod language;
mod properties;
mod refusals;

use std::sync::Arc;

use slowburn_domain::span::{Kind, Source, Span, Status, Value};
use slowburn_domain::time::Timestamp;

use super::{Field, Filter, Operand, Record, Signal};

/// A failed payment of 300 ms.
fn payment() -> Span {
    let text = |value: &str| Value::String(value.to_owned());
    Span {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap(),
        span_id: "00f067aa0ba902b7".parse().unwrap(),
        parent_span_id: None,
        trace_state: String::new(),
        operation: "POST /pay".to_owned(),
        kind: Kind::Server,
        status: Status::Error,
        status_message: String::new(),
        start: Timestamp::from_millis(1_000),
        end: Timestamp::from_millis(1_300),
        attributes: vec![
            ("http.response.status_code".to_owned(), Value::Int(503)),
            ("retried".to_owned(), Value::Bool(true)),
            ("share".to_owned(), Value::Double(0.5)),
            ("whole".to_owned(), Value::Double(2.0)),
            ("nan".to_owned(), Value::Double(f64::NAN)),
            ("user".to_owned(), text("Zoë")),
            ("empty".to_owned(), text("")),
            ("nothing".to_owned(), Value::Null),
            ("models".to_owned(), Value::Array(vec![text("small"), text("large"), Value::Int(3)])),
            (
                "request".to_owned(),
                Value::Map(vec![("method".to_owned(), text("POST")), ("sizes".to_owned(), Value::Array(vec![Value::Int(7)]))]),
            ),
            ("large".to_owned(), Value::Int(9_007_199_254_740_993)),
        ],
        events: Vec::new(),
        links: Vec::new(),
        source: Arc::new(Source {
            service: "checkout".to_owned(),
            resource: vec![("deployment.environment".to_owned(), text("prod"))],
            scope_name: String::new(),
            scope_version: String::new(),
        }),
        correlation_id: Some("order-17".to_owned()),
        project_id: None,
        execution_id: None,
        weight: 1,
    }
}

/// A log record as the log door will hand it over: a severity, a body and nothing else.
struct Line;

impl Record for Line {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Service => Operand::Str("checkout"),
            Field::Severity => Operand::Str("error"),
            Field::Body => Operand::Str("card declined"),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, _: &str) -> Operand<'_> {
        Operand::Missing
    }

    fn resource(&self, _: &str) -> Operand<'_> {
        Operand::Missing
    }
}

fn compile(source: &str) -> Filter {
    Filter::compile(source, Signal::Spans).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// `Some(true)`, `Some(false)` or unknown, found out from outside: a condition that neither it nor its negation matches is
/// unknown.
fn truth(source: &str) -> Option<bool> {
    let span = payment();
    match (compile(source).matches(&span), compile(&format!("!({source})")).matches(&span)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
        (true, true) => panic!("{source} and its negation both match"),
    }
}
