//! Series of metrics as records that filters look at.

use slowburn_domain::metric::Series;

use super::span::find;
use super::{Field, Operand, Record};

impl Record for Series {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Service => Operand::Str(&self.source.service),
            Field::Name => Operand::Str(&self.metric.name),
            Field::Unit => Operand::Str(&self.metric.unit),
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
