//! A part of a JSON text as a tree, weighed while it grows. A tree takes far more memory than its text: an object of seven
//! characters takes hundreds of bytes. So a part is read to its end only as long as it stays within bounds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use slowburn_domain::span::Value as Attribute;

/// A value in a list or an object, or nothing.
const SCALAR: usize = size_of::<Value>();
/// An object as a tree: a node of a B-tree, which has room for eleven pairs.
const OBJECT: usize = 11 * (size_of::<String>() + size_of::<Value>());
/// What an object becomes, at most: an attribute, event or link.
const RECORD: usize = 128;

/// What has grown so far, in bytes of memory.
pub(crate) struct Growth {
    /// As trees, since a part was begun.
    tree: usize,
    /// As what is made of the trees and kept, since the beginning.
    pub(super) kept: usize,
    most: usize,
}

impl Growth {
    pub(crate) const fn up_to(most: usize) -> Self {
        Self { tree: 0, kept: 0, most }
    }

    /// Begins a part: the trees before it are gone.
    pub(crate) const fn begin_part(&mut self) -> Part<'_> {
        self.tree = 0;
        Part(self)
    }

    /// True when it grew beyond bounds. What was being read then ended with an error.
    pub(crate) const fn is_over(&self) -> bool {
        self.tree > self.most || self.kept > self.most
    }

    /// Adds what is kept besides.
    pub(super) const fn keep(&mut self, bytes: usize) {
        self.kept = self.kept.saturating_add(bytes);
    }

    fn add<E: Error>(&mut self, tree: usize, kept: usize) -> Result<(), E> {
        self.tree = self.tree.saturating_add(tree);
        self.keep(kept);
        if self.is_over() { Err(E::custom("too large in memory")) } else { Ok(()) }
    }
}

/// Reads the next value as a tree.
pub(crate) struct Part<'a>(&'a mut Growth);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Part<'_> {
    fn scalar<E: Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.0.add(SCALAR, SCALAR)?;
        Ok(value.into())
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.scalar(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.0.add(value.len(), value.len())?;
        self.scalar(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.0.add(SCALAR, SCALAR)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Part(&mut *self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.0.add(OBJECT, RECORD)?;
        let mut pairs = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.add(SCALAR + key.len(), 0)?;
            let value = map.next_value_seed(Part(&mut *self.0))?;
            pairs.insert(key, value);
        }
        Ok(Value::Object(pairs))
    }
}

/// A tree as the value of an attribute.
pub(crate) fn value_of(value: Value) -> Attribute {
    match value {
        Value::Null => Attribute::Null,
        Value::Bool(truth) => Attribute::Bool(truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Attribute::Int(whole),
            None => number.as_f64().map_or(Attribute::Null, Attribute::Double),
        },
        Value::String(text) => Attribute::String(text),
        Value::Array(items) => Attribute::Array(items.into_iter().map(value_of).collect()),
        Value::Object(fields) => Attribute::Map(fields.into_iter().map(|(name, value)| (name, value_of(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, most: usize) -> Result<Value, bool> {
        let mut growth = Growth::up_to(most);
        let read = growth.begin_part().deserialize(&mut serde_json::Deserializer::from_str(text));
        read.map_err(|_| growth.is_over())
    }

    #[test]
    fn within_bounds_it_is_what_serde_reads() {
        for text in [r#"{"a":[1,-2,3.5,"x\u00e9",null,true,{"b":{}},18446744073709551615]}"#, "[]", r#""""#, "1e400", r#"{"a":1,"a":2}"#] {
            assert_eq!(read(text, 1 << 20).ok(), serde_json::from_str(text).ok(), "{text}");
        }
        assert_eq!(read("{", 1 << 20), Err(false));
    }

    #[test]
    fn what_grows_beyond_bounds_is_not_read_to_its_end() {
        for (name, text) in [
            ("objects", format!("[{}]", [r#"{"a":0}"#; 1_000].join(","))),
            ("nothing", format!("[{}]", vec!["0"; 40_000].join(","))),
            ("a text", format!("[\"{}\",0]", "x".repeat(700_000))),
            ("keys", format!("{{{}}}", (0..20_000).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","))),
        ] {
            assert_eq!(read(&text, 600_000), Err(true), "{name}");
            // Nothing after the bound is looked at, not even that the text is broken.
            assert_eq!(read(&text[..text.len() - 1], 600_000), Err(true), "{name}");
            assert!(read(&text, 1 << 24).is_ok(), "{name}");
        }
    }
}
