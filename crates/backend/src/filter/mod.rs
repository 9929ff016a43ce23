//! The filter language of searches, indicators, rules and silences: conditions in CEL over one record.
//!
//! [`Filter::compile`] first measures the text (`guard`: length, nesting, strings), then has the `cel` crate parse it, and
//! turns the tree into a `Condition` whose names are resolved, whose regular expressions are compiled
//! and whose operands wait in their final form. Records are matched against that; the parsed tree is gone.
//!
//! Conditions have three values, as in SQL. A comparison with a value that is missing or of another type is unknown; so is
//! one with NaN. `!`, `&&` and `||` carry the unknown on unless the other side decides; `c ? a : b` takes `b` when `c` is
//! unknown, as `CASE WHEN` does. Only true matches. Integers and floats compare by value. Whether a value is there at all
//! is asked with `has(attributes.k)` or `"k" in attributes`, and these are never unknown.
//!
//! Arithmetic, map literals and comprehensions (`exists`, `all`, `map`) are left out on purpose: no filter costs more than
//! a walk over its own text and the record.

pub(crate) mod caret;
mod compile;
mod error;
mod event;
mod expression;
mod guard;
mod log;
mod matcher;
mod names;
mod operation;
mod reach;
mod requirements;
mod series;
mod span;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use slowburn_domain::id::TraceId;
use slowburn_domain::span::Value;

pub use error::FilterError;
pub use event::Heartbeat;
pub use expression::Expression;
pub use guard::{MAX_DEPTH, MAX_LENGTH};
pub(crate) use names::named;
pub use names::{Field, Signal};
pub use reach::Reach;
pub use requirements::Requirements;

use matcher::Condition;

/// A compiled condition on records of one signal. Cloning shares it.
#[derive(Clone)]
pub struct Filter(Arc<Compiled>);

struct Compiled {
    source: String,
    signal: Signal,
    condition: Condition,
}

impl Filter {
    /// Reads a condition in CEL over the names of `signal`.
    ///
    /// # Errors
    /// Not CEL, an unknown name, something we do not support, or a text longer than [`MAX_LENGTH`] or nested deeper than
    /// [`MAX_DEPTH`]; with the position of the fault.
    pub fn compile(source: &str, signal: Signal) -> Result<Self, FilterError> {
        let condition = compile::compile(source, signal)?;
        Ok(Self::new(source.to_owned(), signal, condition))
    }

    /// True if `record` meets the condition; false if it does not or if that is unknown.
    pub fn matches<R: Record + ?Sized>(&self, record: &R) -> bool {
        self.0.condition.evaluate(record) == Some(true)
    }

    /// The condition as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Which records it is about.
    pub fn signal(&self) -> Signal {
        self.0.signal
    }

    /// What every matching record is proved to have. For pruning: a record, segment or trace without it cannot match.
    pub fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        self.0.condition.require(&mut requirements);
        requirements
    }

    /// What of a record it looks at.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        self.0.condition.look(&mut reach);
        reach
    }

    /// Whether the answer follows from service, operation, kind and status alone.
    pub fn needs_operation_only(&self) -> bool {
        self.reach().is_operation_only()
    }

    /// Matches what both match.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        // Line comments end with their line, so each part gets its own.
        let source = format!("(\n{}\n) && (\n{}\n)", self.source(), other.source());
        let condition = Condition::all(vec![Condition::Filter(self.clone()), Condition::Filter(other.clone())]);
        Self::new(source, self.signal(), condition)
    }

    /// Matches what this one matches, except what `other` matches. What is unknown to `other` stays in.
    #[must_use]
    pub fn except(&self, other: &Self) -> Self {
        let source = format!("(\n{}\n) && ((\n{}\n) ? false : true)", self.source(), other.source());
        let unless = Condition::choose(Condition::Filter(other.clone()), Condition::Constant(Some(false)), Condition::Constant(Some(true)));
        Self::new(source, self.signal(), Condition::all(vec![Condition::Filter(self.clone()), unless]))
    }

    fn new(source: String, signal: Signal, condition: Condition) -> Self {
        Self(Arc::new(Compiled { source, signal, condition }))
    }

    fn condition(&self) -> &Condition {
        &self.0.condition
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.0.source).finish()
    }
}

impl PartialEq for Filter {
    /// The same words about the same signal.
    fn eq(&self, other: &Self) -> bool {
        self.0.signal == other.0.signal && self.0.source == other.0.source
    }
}

/// What a filter can look at.
pub trait Record {
    /// The value of a named field.
    fn field(&self, field: Field) -> Operand<'_>;
    /// The record's own attribute `key`.
    fn attribute(&self, key: &str) -> Operand<'_>;
    /// The attribute `key` of the resource that sent the record.
    fn resource(&self, key: &str) -> Operand<'_>;
    /// How many records it stands for when records are counted, itself included.
    fn weight(&self) -> u64 {
        1
    }
}

/// A value of a record, borrowed from it.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// Not there.
    Missing,
    /// There, without a value.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Number.
    Float(f64),
    /// Text.
    Str(&'a str),
    /// A trace id; equal to the text of its hex digits, ordered like it.
    TraceId(TraceId),
    /// Values in order.
    List(&'a [Value]),
    /// Values by name.
    Map(&'a [(String, Value)]),
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Double(value) => Self::Float(*value),
            Value::String(value) => Self::Str(value),
            Value::Array(values) => Self::List(values),
            Value::Map(pairs) => Self::Map(pairs),
        }
    }
}

impl<'a> From<Option<&'a str>> for Operand<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Missing, Self::Str)
    }
}
