//! Log records as records that filters look at.

use slowburn_domain::log::LogRecord;

use super::span::find;
use super::{Field, Operand, Record};

impl Record for LogRecord {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Service => Operand::Str(&self.source.service),
            Field::Severity => Some(self.severity.as_str()).filter(|word| !word.is_empty()).into(),
            Field::Body => (&self.body).into(),
            Field::TraceId => self.trace_id.map_or(Operand::Missing, Operand::TraceId),
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
}
