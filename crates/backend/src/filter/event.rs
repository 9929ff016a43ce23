//! Events and heartbeats as records that filters look at.

use slowburn_domain::event::EventLine;
use slowburn_domain::span::Value;

use super::span::find;
use super::{Field, Operand, Record};

impl Record for EventLine {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Type => Operand::Str(&self.kind),
            Field::Source => Operand::Str(&self.source),
            Field::Subject => Some(self.subject.as_str()).filter(|subject| !subject.is_empty()).into(),
            Field::TraceId => self.trace_id.map_or(Operand::Missing, Operand::TraceId),
            Field::CorrelationId => self.correlation_id.as_deref().into(),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        if let Value::Map(fields) = &self.data { find(fields, key) } else { Operand::Missing }
    }

    fn resource(&self, key: &str) -> Operand<'_> {
        find(&self.extensions, key)
    }
}

/// A word of an agent, or one that did not come.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat<'a> {
    /// Name of the agent.
    pub agent: &'a str,
    /// Whether it came.
    pub has_come: bool,
}

impl Record for Heartbeat<'_> {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Agent => Operand::Str(self.agent),
            Field::Status => Operand::Str(if self.has_come { "ok" } else { "error" }),
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
