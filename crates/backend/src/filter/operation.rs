//! Operations of the RED rollup as records: they have service, operation, kind and status, and nothing else.

use slowburn_domain::span::{Kind, Status};
use slowburn_storage::red::{Operation, RedKey};

use super::{Field, Operand, Record};

impl Record for Operation {
    fn field(&self, field: Field) -> Operand<'_> {
        named(field, &self.service, &self.operation, self.kind, self.status)
    }

    fn attribute(&self, _key: &str) -> Operand<'_> {
        Operand::Missing
    }

    fn resource(&self, _key: &str) -> Operand<'_> {
        Operand::Missing
    }
}

impl Record for RedKey {
    fn field(&self, field: Field) -> Operand<'_> {
        named(field, &self.service, &self.operation, self.kind, self.status)
    }

    fn attribute(&self, _key: &str) -> Operand<'_> {
        Operand::Missing
    }

    fn resource(&self, _key: &str) -> Operand<'_> {
        Operand::Missing
    }
}

fn named<'a>(field: Field, service: &'a str, operation: &'a str, kind: Kind, status: Status) -> Operand<'a> {
    match field {
        Field::Service => Operand::Str(service),
        Field::Operation => Operand::Str(operation),
        Field::Kind => Operand::Str(kind.as_str()),
        Field::Status => Operand::Str(status.as_str()),
        _ => Operand::Missing,
    }
}
