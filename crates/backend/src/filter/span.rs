//! Spans as records that filters look at.

use slowburn_domain::span::{Span, Value};

use super::{Field, Operand, Record};

const NANOS_PER_MILLISECOND: f64 = 1_000_000.0;

impl Record for Span {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Service => Operand::Str(&self.source.service),
            Field::Operation => Operand::Str(&self.operation),
            Field::Kind => Operand::Str(self.kind.as_str()),
            Field::Status => Operand::Str(self.status.as_str()),
            Field::DurationMs => Operand::Float(self.duration_nanos() as f64 / NANOS_PER_MILLISECOND),
            Field::TraceId => Operand::TraceId(self.trace_id),
            Field::CorrelationId => self.correlation_id.as_deref().into(),
            Field::ProjectId => self.project_id.as_deref().into(),
            Field::ExecutionId => self.execution_id.as_deref().into(),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        find(&self.attributes, key)
    }

    fn resource(&self, key: &str) -> Operand<'_> {
        find(&self.source.resource, key)
    }

    fn weight(&self) -> u64 {
        self.weight.into()
    }
}

pub(super) fn find<'a>(pairs: &'a [(String, Value)], key: &str) -> Operand<'a> {
    pairs.iter().find(|(name, _)| name == key).map_or(Operand::Missing, |(_, value)| value.into())
}
