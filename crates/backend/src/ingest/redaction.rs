//! Secrets are taken out at the door, before anything is stored: values of attributes whose key names a secret, and
//! values that look like one. Names of services and operations are left alone, for a redacted name would hide what it
//! names; URLs and headers in attributes are covered.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexSet};
use slowburn_domain::log::LogRecord;
use slowburn_domain::span::{Span, Value};

/// What stands in place of a secret.
pub const REPLACEMENT: &str = "[redacted]";

/// Most keys whose verdict is remembered by a thread.
const REMEMBERED_KEYS: usize = 4_096;

/// Replaces secrets.
pub struct Redactor {
    keys: Vec<String>,
    patterns: Vec<Regex>,
    any: RegexSet,
}

thread_local! {
    static VERDICTS: RefCell<HashMap<String, bool>> = RefCell::default();
}

impl Redactor {
    /// A redactor for keys that contain one of `keys` as a whole word, and for well-known patterns of values.
    pub fn new(keys: &[String], emails: bool) -> Self {
        let mut sources = vec![
            // RFC 6750 tokens and basic credentials, as they stand in headers and URLs.
            r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
            // Card numbers: 13 to 19 digits, alone or in groups; Luhn's check decides.
            r"\b[0-9](?:[ -]?[0-9]){12,18}\b",
            // JSON Web Tokens.
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
            // user:password@ in URLs.
            r"://[^/\s:@]+:[^/\s@]+@",
        ];
        if emails {
            sources.push(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b");
        }
        let patterns = sources.iter().map(|source| Regex::new(source).expect("a constant pattern")).collect();
        Self { keys: keys.iter().map(|key| normalised(key)).collect(), patterns, any: RegexSet::new(&sources).expect("constant patterns") }
    }

    /// Cleans everything in a span that may hold a secret; gives how many values were replaced.
    pub fn clean(&self, span: &mut Span) -> u64 {
        let mut replaced = self.attributes(&mut span.attributes);
        for event in &mut span.events {
            replaced += self.attributes(&mut event.attributes);
        }
        for link in &mut span.links {
            replaced += self.attributes(&mut link.attributes);
        }
        replaced + self.text(&mut span.status_message)
    }

    /// Cleans everything in a log record that may hold a secret; gives how many values were replaced.
    pub fn clean_log(&self, record: &mut LogRecord) -> u64 {
        self.attributes(&mut record.attributes) + self.value(&mut record.body)
    }

    /// Cleans attributes; gives how many values were replaced.
    pub fn attributes(&self, attributes: &mut [(String, Value)]) -> u64 {
        attributes.iter_mut().map(|(key, value)| if self.names_secret(key) { replace_all(value) } else { self.value(value) }).sum()
    }

    /// Cleans a value without a name; gives how many values were replaced.
    pub fn any_value(&self, value: &mut Value) -> u64 {
        self.value(value)
    }

    fn value(&self, value: &mut Value) -> u64 {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(values) => values.iter_mut().map(|value| self.value(value)).sum(),
            Value::Map(pairs) => self.attributes(pairs),
            Value::Int(number) if is_card_number(&number.to_string()) => replace_all(value),
            _ => 0,
        }
    }

    fn text(&self, text: &mut String) -> u64 {
        // Most values are short words; the look at the bytes spares them the patterns.
        if !may_hold_secret(text) || !self.any.is_match(text) {
            return 0;
        }
        let before = text.clone();
        for pattern in &self.patterns {
            let cleaned = pattern.replace_all(text, |found: &regex::Captures<'_>| -> Cow<'static, str> {
                let all = &found[0];
                if all.starts_with("://") {
                    Cow::Owned(format!("://{REPLACEMENT}@"))
                } else if all.starts_with(|c: char| c.is_ascii_digit()) && !all.contains('@') && !is_card_number(all) {
                    Cow::Owned(all.to_owned())
                } else {
                    Cow::Borrowed(REPLACEMENT)
                }
            });
            if let Cow::Owned(cleaned) = cleaned {
                *text = cleaned;
            }
        }
        u64::from(*text != before)
    }

    fn names_secret(&self, key: &str) -> bool {
        VERDICTS.with_borrow_mut(|verdicts| {
            if let Some(verdict) = verdicts.get(key) {
                return *verdict;
            }
            let words = normalised(key);
            let verdict = self.keys.iter().any(|secret| {
                words.match_indices(secret.as_str()).any(|(at, _)| {
                    let before = words[..at].ends_with('_') || at == 0;
                    let after = words[at + secret.len()..].starts_with('_') || at + secret.len() == words.len();
                    before && after
                })
            });
            if verdicts.len() >= REMEMBERED_KEYS {
                verdicts.clear();
            }
            verdicts.insert(key.to_owned(), verdict);
            verdict
        })
    }
}

/// Lower case with `_` between words, whether they were parted by `.`, `-` or a capital letter.
fn normalised(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    out
}

fn replace_all(value: &mut Value) -> u64 {
    if matches!(value, Value::Null) || matches!(value, Value::String(text) if text.is_empty() || text == REPLACEMENT) {
        return 0;
    }
    *value = Value::String(REPLACEMENT.to_owned());
    1
}

fn may_hold_secret(text: &str) -> bool {
    text.len() >= 5 && text.bytes().any(|byte| matches!(byte, b'@' | b' '))
        || text.starts_with("eyJ")
        || text.bytes().filter(u8::is_ascii_digit).count() >= 13
        || text.contains(".eyJ")
}

/// 13 to 19 digits that pass Luhn's check (ISO/IEC 7812-1).
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) || digits.iter().all(|digit| *digit == digits[0]) || !matches!(digits[0], 2..=6) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}
