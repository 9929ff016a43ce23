//! How much of a record a filter looks at.

use super::Field;
use super::matcher::{Condition, Term};

impl Condition {
    /// Whether only service, operation, kind and status are looked at.
    pub(super) fn needs_operation_only(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::needs_operation_only),
            Self::Not(part) => part.needs_operation_only(),
            Self::Choose(parts) => parts.iter().all(Self::needs_operation_only),
            Self::Compare { left, right, .. } => left.needs_operation_only() && right.needs_operation_only(),
            Self::OneOf { value, options } => value.needs_operation_only() && options.iter().all(Term::needs_operation_only),
            Self::OneOfTexts { value, .. } | Self::Present(value) | Self::Flag(value) => value.needs_operation_only(),
            Self::ElementOf { value, collection } => value.needs_operation_only() && collection.needs_operation_only(),
            Self::HasKey { .. } => false,
            Self::Search { subject, part, .. } => subject.needs_operation_only() && part.needs_operation_only(),
            Self::Matches { subject, .. } => subject.needs_operation_only(),
            Self::Filter(filter) => filter.condition().needs_operation_only(),
        }
    }
}

impl Term {
    fn needs_operation_only(&self) -> bool {
        match self {
            Self::Value(_) | Self::TraceId(_) => true,
            Self::Field(field) => matches!(field, Field::Service | Field::Operation | Field::Kind | Field::Status),
            Self::Attribute(..) => false,
            Self::Key(of, _) | Self::Element(of, _) | Self::Size(of) => of.needs_operation_only(),
            Self::Choose(parts) => {
                let (when, then, otherwise) = &**parts;
                when.needs_operation_only() && then.needs_operation_only() && otherwise.needs_operation_only()
            }
            Self::Truth(condition) => condition.needs_operation_only(),
        }
    }
}
