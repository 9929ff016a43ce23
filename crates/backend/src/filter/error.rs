//! Why a text is not a filter, and where.

use cel::ParseErrors;

const GRAMMAR: &str = "Syntax error: ";

/// A fault in a filter, at the place where it shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct FilterError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there and, where we know, what to write instead.
    pub reason: String,
}

impl FilterError {
    /// A fault at byte `offset` of `source`.
    pub(super) fn at(source: &str, offset: usize, reason: impl Into<String>) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1, reason: reason.into() }
    }

    /// The first of the parser's complaints, in shorter words. What it says about the grammar comes before what it says
    /// about the tree it could not finish.
    pub(super) fn from_parser(errors: &ParseErrors) -> Self {
        let of_grammar = errors.errors.iter().find(|error| error.msg.starts_with(GRAMMAR));
        let Some(first) = of_grammar.or_else(|| errors.errors.first()) else {
            return Self { line: 1, column: 1, reason: "cannot be read".to_owned() };
        };
        let (line, column) = first.pos;
        Self {
            line: usize::try_from(line).unwrap_or(1).max(1),
            column: usize::try_from(column).unwrap_or(1).max(1),
            reason: shorten(&first.msg),
        }
    }
}

/// Drops the parser's lists of token names and adds what people usually meant.
fn shorten(message: &str) -> String {
    let message = message.strip_prefix(GRAMMAR).unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    let message = message.replace("'<EOF>'", "the end of the text").replace("<EOF>", "the end of the text");
    let hint = match message.as_str() {
        m if m.contains("recognition error at: '=") => "; equality is written ==",
        m if m.contains("recognition error at: '&") => "; and is written &&",
        m if m.contains("recognition error at: '|") => "; or is written ||",
        m if m.contains("input 'and'") || m.contains("input 'AND'") => "; and is written &&",
        m if m.contains("input 'or'") || m.contains("input 'OR'") => "; or is written ||",
        m if m.contains("'not'") || m.contains("'NOT'") => "; not is written !",
        m if m.contains("has() macro") => "; write has(attributes.k) or \"k\" in attributes",
        _ => "",
    };
    format!("{message}{hint}")
}
