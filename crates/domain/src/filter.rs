//! Conditions in the filter language (CEL) that pages write for a reader, so that a click on a value becomes a search.
//! Reading and deciding conditions is the server's part; it parses what is written here.

use std::fmt::Write as _;

use crate::span::Value;

/// The condition that an attribute (`scope` is `attributes` or `resource`) has exactly this value. `None` for values that
/// have no literal to compare with: null, lists, objects and numbers that are not finite.
pub fn attribute_equals(scope: &str, key: &str, value: &Value) -> Option<String> {
    let literal = match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) if value.is_finite() => format!("{value:?}"),
        Value::String(text) => quote(text),
        _ => return None,
    };
    Some(format!("{scope}[{}] == {literal}", quote(key)))
}

/// A text as a CEL string literal.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_literals_of_their_type() {
        for (value, condition) in [
            (Value::String("card \"declined\"\n\\".to_owned()), Some(r#"attributes["k"] == "card \"declined\"\n\\""#)),
            (Value::Int(-5), Some(r#"attributes["k"] == -5"#)),
            (Value::Double(2.0), Some(r#"attributes["k"] == 2.0"#)),
            (Value::Double(f64::NAN), None),
            (Value::Bool(true), Some(r#"attributes["k"] == true"#)),
            (Value::Null, None),
            (Value::Array(vec![]), None),
        ] {
            assert_eq!(attribute_equals("attributes", "k", &value).as_deref(), condition, "{value}");
        }
        assert_eq!(attribute_equals("resource", "a\"b", &Value::Int(1)).as_deref(), Some(r#"resource["a\"b"] == 1"#));
        assert_eq!(quote("\u{1}ü"), r#""\u0001ü""#);
    }
}
