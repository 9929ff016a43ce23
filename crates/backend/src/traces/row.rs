//! Rows of a segment as records that filters look at, and which columns a filter needs of them.

use slowburn_domain::span::{Kind, Status};
use slowburn_storage::segment::{Cell, Columns, Wanted};

use crate::filter::{Field, Filter, Operand, Record};

const NANOS_PER_MILLISECOND: f64 = 1_000_000.0;

/// One row.
pub(super) struct Row<'a> {
    pub(super) columns: &'a Columns,
    pub(super) row: usize,
}

impl Record for Row<'_> {
    fn field(&self, field: Field) -> Operand<'_> {
        let Self { columns, row } = *self;
        match field {
            Field::Service => columns.service(row).into(),
            Field::Operation => columns.operation(row).into(),
            Field::Kind => columns.kind(row).map(Kind::as_str).into(),
            Field::Status => columns.status(row).map(Status::as_str).into(),
            Field::DurationMs => {
                columns.duration_nanos(row).map_or(Operand::Missing, |nanos| Operand::Float(nanos as f64 / NANOS_PER_MILLISECOND))
            }
            Field::TraceId => columns.trace_id(row).map_or(Operand::Missing, Operand::TraceId),
            Field::CorrelationId => columns.id(0, row).into(),
            Field::ProjectId => columns.id(1, row).into(),
            Field::ExecutionId => columns.id(2, row).into(),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        operand(self.columns.attribute(self.row, key))
    }

    fn resource(&self, key: &str) -> Operand<'_> {
        self.columns.resource(self.row, key).map_or(Operand::Missing, Operand::from)
    }
}

/// A value in place as filters look at it.
pub(crate) fn operand(cell: Option<Cell<'_>>) -> Operand<'_> {
    match cell {
        None => Operand::Missing,
        Some(Cell::Str(text)) => Operand::Str(text),
        Some(Cell::Int(number)) => Operand::Int(number),
        Some(Cell::Double(number)) => Operand::Float(number),
        Some(Cell::Bool(truth)) => Operand::Bool(truth),
        Some(Cell::Value(value)) => value.into(),
    }
}

/// The columns that a filter looks at.
pub(crate) fn wanted(filter: &Filter) -> Wanted {
    let reach = filter.reach();
    let own = reach.fields.iter().flat_map(|field| columns_of(*field)).copied().collect();
    Wanted { own, attributes: reach.attributes.map(|keys| keys.into_iter().collect()), resource: reach.resource }
}

/// The columns that hold a field of spans or log records.
const fn columns_of(field: Field) -> &'static [&'static str] {
    match field {
        Field::Service => &["service"],
        Field::Operation => &["operation"],
        Field::Kind => &["kind"],
        Field::Status => &["status"],
        Field::DurationMs => &["duration"],
        Field::Severity => &["severity"],
        Field::Body => &["body", "other_body"],
        Field::TraceId => &["trace_id"],
        Field::CorrelationId => &["correlation_id"],
        Field::ProjectId => &["project_id"],
        Field::ExecutionId => &["execution_id"],
        Field::Name | Field::Unit | Field::Value | Field::Type | Field::Source | Field::Subject | Field::Agent => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;
    use slowburn_domain::id::{SpanId, TraceId};
    use slowburn_domain::span::{Kind, Source, Span, Status, Value};
    use slowburn_domain::time::Timestamp;
    use slowburn_storage::segment::{Sought, encode, trace_ids_where};

    use super::*;
    use crate::filter::{Requirements, Signal};

    /// Conditions over every part of a span and every type of value.
    const FILTERS: [&str; 17] = [
        "true",
        "service == \"a\"",
        "operation.startsWith(\"GET\") && status == \"error\"",
        "kind == \"client\" || duration_ms > 3",
        "correlation_id == \"c1\" || project_id == \"p1\"",
        "execution_id == \"e1\"",
        "attributes.k == 1",
        "attributes.k == \"1\"",
        "attributes.k > 0.5",
        "attributes.k == true",
        "\"rare\" in attributes",
        "has(attributes.list) && 2 in attributes.list",
        "attributes[\"map\"][\"inner\"] == \"x\"",
        "size(attributes.list) == 2",
        "resource[\"host.name\"] == \"h1\"",
        "!(attributes.k == 1)",
        "attributes.k in [1, 2, \"1\"]",
    ];

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Int(1)),
            Just(Value::Double(1.0)),
            Just(Value::Double(0.75)),
            Just(Value::String("1".to_owned())),
            Just(Value::Bool(true)),
            Just(Value::Null),
        ]
    }

    fn span() -> impl Strategy<Value = Span> {
        let attributes = (proptest::option::of(value()), any::<bool>(), any::<bool>(), 0..50_u8).prop_map(|(k, list, map, rare)| {
            let mut attributes: Vec<(String, Value)> = k.into_iter().map(|value| ("k".to_owned(), value)).collect();
            if list {
                attributes.push(("list".to_owned(), Value::Array(vec![Value::Int(1), Value::Int(2)])));
            }
            if map {
                attributes.push(("map".to_owned(), Value::Map(vec![("inner".to_owned(), Value::String("x".to_owned()))])));
            }
            if rare == 0 {
                attributes.push(("rare".to_owned(), Value::Int(7)));
            }
            attributes
        });
        let names = (0..3_usize, 0..2_usize, 0..3_i32, 0..3_i32);
        (names, 0..8_i64, proptest::option::of(0..3_u8), attributes).prop_map(
            |((service, operation, kind, status), length, id, attributes)| {
                let start = Timestamp::from_seconds(1_795_262_430);
                let id = |letter: char, wanted: u8| id.filter(|id| *id == wanted).map(|_| format!("{letter}1"));
                Span {
                    trace_id: TraceId::from_bytes(&7_u128.to_be_bytes()).expect("an id"),
                    span_id: SpanId::from_bytes(&7_u64.to_be_bytes()).expect("an id"),
                    parent_span_id: None,
                    trace_state: String::new(),
                    operation: ["GET /", "charge"][operation].to_owned(),
                    kind: Kind::from_number(kind + 1),
                    status: Status::from_number(status),
                    status_message: String::new(),
                    start,
                    end: start.plus_nanos(length * 1_000_000),
                    attributes,
                    events: Vec::new(),
                    links: Vec::new(),
                    source: Arc::new(Source {
                        service: ["a", "b", "c"][service].to_owned(),
                        resource: vec![("host.name".to_owned(), Value::String(format!("h{service}")))],
                        scope_name: String::new(),
                        scope_version: String::new(),
                    }),
                    correlation_id: id('c', 0),
                    project_id: id('p', 1),
                    execution_id: id('e', 2),
                    weight: 1,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_row_matches_as_its_span_does(mut spans in proptest::collection::vec(span(), 1..40)) {
            for (number, span) in (1_u128..).zip(&mut spans) {
                span.trace_id = TraceId::from_bytes(&number.to_be_bytes()).expect("an id");
            }
            let body = encode(&spans.iter().collect::<Vec<_>>()).expect("encoded");
            for text in FILTERS {
                let filter = Filter::compile(text, Signal::Spans).expect("a filter");
                let Requirements { service, operation, status, .. } = filter.requirements();
                let sought = Sought { service, operation, status, filter: Some(wanted(&filter)) };
                let own = filter.clone();
                let matches = move |columns: &Columns, row| own.matches(&Row { columns, row });
                let found: BTreeSet<TraceId> = trace_ids_where(body.clone().into(), 1, &sought, matches).expect("read").into_iter().collect();
                let expected: BTreeSet<TraceId> = spans.iter().filter(|span| filter.matches(*span)).map(|span| span.trace_id).collect();
                prop_assert_eq!(&found, &expected, "{}", text);
            }
        }
    }
}
