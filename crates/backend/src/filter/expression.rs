//! A value of a record by an expression in the language of filters: what events are grouped by.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::matcher::Term;
use super::{FilterError, Operand, Record, Signal, compile};

/// A compiled expression for one value of a record. Cloning shares it.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: String,
    signal: Signal,
    term: Term,
}

impl Expression {
    /// Reads an expression over the names of `signal`, such as `attributes["http.route"]` or `operation`.
    ///
    /// # Errors
    /// As for [`super::Filter::compile`]; and a constant, which every record would have.
    pub fn compile(source: &str, signal: Signal) -> Result<Self, FilterError> {
        let term = compile::compile_value(source, signal)?;
        Ok(Self(Arc::new(Compiled { source: source.to_owned(), signal, term })))
    }

    /// The value that `record` has, as a text; `None` when it has none, or a list or a map.
    pub fn text<'a, R: Record + ?Sized>(&'a self, record: &'a R) -> Option<Cow<'a, str>> {
        match self.0.term.operand(record) {
            Operand::Str(text) => Some(Cow::Borrowed(text)),
            Operand::Bool(value) => Some(Cow::Owned(value.to_string())),
            Operand::Int(value) => Some(Cow::Owned(value.to_string())),
            Operand::Float(value) => Some(Cow::Owned(value.to_string())),
            Operand::TraceId(id) => Some(Cow::Owned(id.to_string())),
            Operand::Missing | Operand::Null | Operand::List(_) | Operand::Map(_) => None,
        }
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

impl PartialEq for Expression {
    /// The same words about the same signal.
    fn eq(&self, other: &Self) -> bool {
        self.0.signal == other.0.signal && self.0.source == other.0.source
    }
}
