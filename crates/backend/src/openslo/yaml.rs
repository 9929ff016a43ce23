//! From a text to bounded trees: splits it into documents and reads each by itself, so that a fault in one hides none in the
//! next.
//!
//! The text comes from outside, so its cost is bounded before and while it is read: its size and number of documents;
//! brackets per document (the YAML scanner's time grows with the square of their nesting); nodes and bytes of the trees, counted as they are built, so that
//! aliases of aliases run into the bound instead of the memory; depth by the YAML crate itself (128).

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use slowburn_domain::query::FieldFault;

/// The largest text of documents, bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// Documents in one text.
const MAX_DOCUMENTS: usize = 1_000;
/// Opening brackets in one document, those inside texts included.
const MAX_BRACKETS: usize = 2_000;
/// Values in all trees together, aliases followed.
const MAX_NODES: usize = 100_000;
/// Bytes of text in all trees together, aliases followed.
const MAX_TEXT: usize = 4 << 20;

/// A value of a YAML document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    /// What it is, in words.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// The text of one document.
pub(super) struct Document {
    /// As it was given, without its markers.
    pub(super) text: String,
    /// Line of the whole text on which it begins, from 0.
    first_line: usize,
}

/// Splits a text at its document markers. Documents without content are left out.
pub(super) fn split(text: &str) -> Result<Vec<Document>, FieldFault> {
    if text.len() > MAX_SIZE {
        return Err(FieldFault::new("document", format!("the text has {} bytes; at most {MAX_SIZE} are read", text.len())));
    }
    let mut documents = Vec::new();
    let mut current = Document { text: String::new(), first_line: 0 };
    // A marker in the first column ends a document even within a block or quoted text (YAML 1.2, 9.1.2).
    for (number, line) in text.strip_prefix('\u{feff}').unwrap_or(text).split_inclusive('\n').enumerate() {
        let rest = after_marker(line, "---").or_else(|| after_marker(line, "..."));
        match rest {
            Some(rest) => {
                let next = if rest.trim().is_empty() {
                    Document { text: String::new(), first_line: number + 1 }
                } else {
                    // Spaces for the marker keep columns true.
                    Document { text: format!("   {rest}"), first_line: number }
                };
                documents.push(std::mem::replace(&mut current, next));
            }
            None if current.text.is_empty() && line.trim().is_empty() => current.first_line = number + 1,
            None => current.text.push_str(line),
        }
    }
    documents.push(current);
    documents.retain(|document| document.text.lines().any(has_content));
    match documents.len() {
        0 => Err(FieldFault::new("document", "there is no document in this text")),
        1..=MAX_DOCUMENTS => Ok(documents),
        count => Err(FieldFault::new("document", format!("the text has {count} documents; at most {MAX_DOCUMENTS} are read"))),
    }
}

fn after_marker<'l>(line: &'l str, marker: &str) -> Option<&'l str> {
    line.strip_prefix(marker).filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Not blank, nor a comment, nor a directive.
fn has_content(line: &str) -> bool {
    let trimmed = line.trim_start();
    !(trimmed.is_empty() || trimmed.starts_with('#') || line.starts_with('%'))
}

impl Document {
    /// Reads it into a tree.
    pub(super) fn read(&self, budget: &Budget) -> Result<Node, FieldFault> {
        if self.text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_BRACKETS {
            let field = format!("line {}, column 1", self.first_line + 1);
            return Err(FieldFault::new(field, format!("this document has more than {MAX_BRACKETS} opening brackets")));
        }
        NodeSeed(budget).deserialize(serde_norway::Deserializer::from_str(&self.text)).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
            let message = error.to_string();
            // The message repeats positions, counted within this document.
            let reason = message.split(" at line ").next().unwrap_or(&message);
            FieldFault::new(format!("line {}, column {column}", self.first_line + line), reason)
        })
    }
}

/// How much may still be built.
pub(super) struct Budget {
    nodes: Cell<usize>,
    text: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: Cell::new(MAX_NODES), text: Cell::new(MAX_TEXT) }
    }
}

impl Budget {
    fn spend<E: Error>(&self, text: usize) -> Result<(), E> {
        match (self.nodes.get().checked_sub(1), self.text.get().checked_sub(text)) {
            (Some(nodes), Some(text)) => {
                self.nodes.set(nodes);
                self.text.set(text);
                Ok(())
            }
            _ => Err(E::custom("too much to read, aliases followed")),
        }
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'b>(&'b Budget);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.0.spend(0)?;
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.0.spend(0)?;
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.0.spend(0)?;
        Ok(Node::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.0.spend(0)?;
        Ok(i64::try_from(value).map_or(Node::Float(value as f64), Node::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.0.spend(0)?;
        Ok(Node::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.0.spend(value.len())?;
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        self.0.spend(0)?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(self)? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        self.0.spend(0)?;
        let mut pairs = Vec::new();
        let mut keys = HashSet::new();
        while let Some(key) = access.next_key_seed(self)? {
            let key = match key {
                Node::Text(key) => key,
                Node::Int(key) => key.to_string(),
                Node::Bool(key) => key.to_string(),
                other => return Err(A::Error::custom(format!("a key must be text, not {}", other.kind()))),
            };
            if key == "<<" {
                return Err(A::Error::custom("merge keys (<<) are not supported; write the fields out"));
            }
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key {key:?} stands here twice")));
            }
            pairs.push((key, access.next_value_seed(self)?));
        }
        Ok(Node::Map(pairs))
    }
}
