//! The compiled form of a filter, and how it is matched against a record.
//!
//! Three values are `Option<bool>`: `None` is unknown. Nothing here allocates.

use std::cmp::Ordering;

use regex::Regex;
use slowburn_domain::id::TraceId;
use slowburn_domain::span::Value;

use super::names::Scope;
use super::{Field, Filter, Operand, Record};

/// A condition that is true, false or unknown for a record.
#[derive(Debug)]
pub(super) enum Condition {
    /// The same for every record.
    Constant(Option<bool>),
    /// All hold; cheapest first.
    All(Box<[Self]>),
    /// At least one holds; cheapest first.
    Any(Box<[Self]>),
    /// It does not hold.
    Not(Box<Self>),
    /// If the first holds, the second; if it does not or that is unknown, the third.
    Choose(Box<[Self; 3]>),
    /// Two values compare so. A constant stands on the right.
    Compare { left: Term, comparison: Comparison, right: Term },
    /// A value equals one of these.
    OneOf { value: Term, options: Box<[Term]> },
    /// A text is one of these, sorted.
    OneOfTexts { value: Term, sorted: Box<[Box<str>]> },
    /// A value is in a list, or a key in a map, which the record holds.
    ElementOf { value: Term, collection: Term },
    /// There is an attribute of this key.
    HasKey { scope: Scope, key: Term },
    /// The value is there.
    Present(Term),
    /// A text has a part at some place.
    Search { subject: Term, place: Place, part: Term },
    /// A text contains a match.
    Matches { subject: Term, pattern: Box<Regex> },
    /// A value is true.
    Flag(Term),
    /// Another filter matches.
    Filter(Filter),
}

/// A value to compare.
#[derive(Debug)]
pub(super) enum Term {
    /// A constant.
    Value(Value),
    /// A constant trace id.
    TraceId(TraceId),
    /// A named field.
    Field(Field),
    /// An attribute of the record or its resource.
    Attribute(Scope, Box<str>),
    /// A value in a map by its key.
    Key(Box<Self>, Box<str>),
    /// A value in a list by its index.
    Element(Box<Self>, usize),
    /// Characters of a text, elements of a list or map.
    Size(Box<Self>),
    /// If the condition holds, the first; if not or unknown, the second.
    Choose(Box<(Condition, Self, Self)>),
    /// A condition as a value; unknown is missing.
    Truth(Box<Condition>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Where a text is searched for its part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Start,
    End,
    Anywhere,
}

impl Condition {
    /// All of these hold. Nested conjunctions become one, and what costs least is asked first: the order changes no
    /// result.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::All(nested) => flat.extend(nested),
                other => flat.push(other),
            }
        }
        flat.sort_by_key(Self::cost);
        Self::All(flat.into())
    }

    /// One of these holds. See [`Condition::all`].
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Any(nested) => flat.extend(nested),
                other => flat.push(other),
            }
        }
        flat.sort_by_key(Self::cost);
        Self::Any(flat.into())
    }

    /// See [`Condition::Choose`].
    pub(super) fn choose(when: Self, then: Self, otherwise: Self) -> Self {
        Self::Choose(Box::new([when, then, otherwise]))
    }

    /// Whether it holds for `record`; `None` is unknown.
    pub(super) fn evaluate<R: Record + ?Sized>(&self, record: &R) -> Option<bool> {
        match self {
            Self::Constant(value) => *value,
            Self::All(parts) => fold(parts, record, false),
            Self::Any(parts) => fold(parts, record, true),
            Self::Not(part) => part.evaluate(record).map(|value| !value),
            Self::Choose(parts) => {
                let [when, then, otherwise] = &**parts;
                if when.evaluate(record) == Some(true) { then.evaluate(record) } else { otherwise.evaluate(record) }
            }
            Self::Compare { left, comparison, right } => compare(left.operand(record), *comparison, right.operand(record)),
            Self::OneOf { value, options } => {
                let value = value.operand(record);
                any_equal(options.iter().map(|option| equal(value, option.operand(record))))
            }
            Self::OneOfTexts { value, sorted } => {
                with_text(value.operand(record), |text| sorted.binary_search_by(|option| (**option).cmp(text)).is_ok())
            }
            Self::ElementOf { value, collection } => match (value.operand(record), collection.operand(record)) {
                (value, Operand::List(elements)) => any_equal(elements.iter().map(|element| equal(value, element.into()))),
                (Operand::Str(key), Operand::Map(pairs)) => Some(pairs.iter().any(|(name, _)| name == key)),
                _ => None,
            },
            Self::HasKey { scope, key } => match key.operand(record) {
                Operand::Str(key) => Some(is_present(attribute(record, *scope, key))),
                _ => None,
            },
            Self::Present(term) => Some(is_present(term.operand(record))),
            Self::Search { subject, place, part } => with_text(subject.operand(record), |text| {
                with_text(part.operand(record), |part| match place {
                    Place::Start => text.starts_with(part),
                    Place::End => text.ends_with(part),
                    Place::Anywhere => text.contains(part),
                })
            })
            .flatten(),
            Self::Matches { subject, pattern } => with_text(subject.operand(record), |text| pattern.is_match(text)),
            Self::Flag(term) => match term.operand(record) {
                Operand::Bool(value) => Some(value),
                _ => None,
            },
            Self::Filter(filter) => filter.condition().evaluate(record),
        }
    }

    /// Rough effort of one evaluation; only the order matters.
    fn cost(&self) -> usize {
        match self {
            Self::Constant(_) => 0,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).sum(),
            Self::Not(part) => part.cost(),
            Self::Choose(parts) => parts.iter().map(Self::cost).sum(),
            Self::Compare { left, right, .. } => left.cost() + right.cost(),
            Self::OneOf { value, options } => value.cost() + options.len(),
            Self::OneOfTexts { value, .. } => value.cost() + 1,
            Self::ElementOf { value, collection } => value.cost() + collection.cost() + 8,
            Self::HasKey { key, .. } => key.cost() + 4,
            Self::Present(term) | Self::Flag(term) => term.cost(),
            Self::Search { subject, part, .. } => subject.cost() + part.cost() + 2,
            Self::Matches { subject, .. } => subject.cost() + 32,
            Self::Filter(filter) => filter.condition().cost(),
        }
    }
}

impl Term {
    /// The value it has in `record`.
    pub(super) fn operand<'a, R: Record + ?Sized>(&'a self, record: &'a R) -> Operand<'a> {
        match self {
            Self::Value(value) => value.into(),
            Self::TraceId(id) => Operand::TraceId(*id),
            Self::Field(field) => record.field(*field),
            Self::Attribute(scope, key) => attribute(record, *scope, key),
            Self::Key(base, key) => match base.operand(record) {
                Operand::Map(pairs) => pairs.iter().find(|(name, _)| **name == **key).map_or(Operand::Missing, |(_, value)| value.into()),
                _ => Operand::Missing,
            },
            Self::Element(base, index) => match base.operand(record) {
                Operand::List(elements) => elements.get(*index).map_or(Operand::Missing, Operand::from),
                _ => Operand::Missing,
            },
            Self::Size(of) => {
                let size = match of.operand(record) {
                    Operand::List(elements) => Some(elements.len()),
                    Operand::Map(pairs) => Some(pairs.len()),
                    other => with_text(other, |text| text.chars().count()),
                };
                size.and_then(|size| i64::try_from(size).ok()).map_or(Operand::Missing, Operand::Int)
            }
            Self::Choose(parts) => {
                let (when, then, otherwise) = &**parts;
                if when.evaluate(record) == Some(true) { then.operand(record) } else { otherwise.operand(record) }
            }
            Self::Truth(condition) => condition.evaluate(record).map_or(Operand::Missing, Operand::Bool),
        }
    }

    fn cost(&self) -> usize {
        match self {
            Self::Value(_) | Self::TraceId(_) => 0,
            Self::Field(_) => 1,
            Self::Attribute(..) => 4,
            Self::Key(base, _) => base.cost() + 4,
            Self::Element(base, _) => base.cost() + 1,
            Self::Size(of) => of.cost() + 2,
            Self::Choose(parts) => parts.0.cost() + parts.1.cost() + parts.2.cost(),
            Self::Truth(condition) => condition.cost(),
        }
    }
}

impl Comparison {
    /// The comparison that holds with the sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// Three-valued `&&` (`decisive` false) or `||` (`decisive` true): one decisive part settles it, otherwise one unknown part
/// makes it unknown.
fn fold<R: Record + ?Sized>(parts: &[Condition], record: &R, decisive: bool) -> Option<bool> {
    let mut result = Some(!decisive);
    for part in parts {
        match part.evaluate(record) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

/// Three-valued `||` over comparisons.
fn any_equal(comparisons: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for comparison in comparisons {
        match comparison {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

fn attribute<'a, R: Record + ?Sized>(record: &'a R, scope: Scope, key: &str) -> Operand<'a> {
    match scope {
        Scope::Attributes => record.attribute(key),
        Scope::Resource => record.resource(key),
    }
}

fn is_present(operand: Operand<'_>) -> bool {
    !matches!(operand, Operand::Missing)
}

fn compare(left: Operand<'_>, comparison: Comparison, right: Operand<'_>) -> Option<bool> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => equal(left, right).map(|value| !value),
        Comparison::Less => order(left, right).map(Ordering::is_lt),
        Comparison::LessOrEqual => order(left, right).map(Ordering::is_le),
        Comparison::Greater => order(left, right).map(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
    }
}

fn equal(left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
    match (left, right) {
        (Operand::Null, Operand::Null) => Some(true),
        (Operand::List(left), Operand::List(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            let mut result = Some(true);
            for (left, right) in left.iter().zip(right) {
                match equal(left.into(), right.into()) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => result = None,
                }
            }
            result
        }
        _ => order(left, right).map(Ordering::is_eq),
    }
}

/// Which comes first; `None` if they are not of one kind.
fn order(left: Operand<'_>, right: Operand<'_>) -> Option<Ordering> {
    match (left, right) {
        (Operand::Bool(left), Operand::Bool(right)) => Some(left.cmp(&right)),
        (Operand::Int(left), Operand::Int(right)) => Some(left.cmp(&right)),
        (Operand::Float(left), Operand::Float(right)) => left.partial_cmp(&right),
        (Operand::Int(left), Operand::Float(right)) => order_mixed(left, right),
        (Operand::Float(left), Operand::Int(right)) => order_mixed(right, left).map(Ordering::reverse),
        (Operand::Str(left), Operand::Str(right)) => Some(left.cmp(right)),
        // Lower-case hex digits sort as the bytes they stand for.
        (Operand::TraceId(left), Operand::TraceId(right)) => Some(left.cmp(&right)),
        (Operand::TraceId(_), Operand::Str(_)) | (Operand::Str(_), Operand::TraceId(_)) => {
            with_text(left, |left| with_text(right, |right| left.cmp(right))).flatten()
        }
        _ => None,
    }
}

/// Compares by value, without rounding the integer: above 2^53 not every integer is a float.
fn order_mixed(int: i64, float: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= LIMIT {
        Some(Ordering::Less)
    } else if float < -LIMIT {
        Some(Ordering::Greater)
    } else {
        let whole = float.trunc();
        int.cmp(&(whole as i64)).then(0.0_f64.partial_cmp(&(float - whole))?).into()
    }
}

/// Looks at a text; `None` if it is none.
fn with_text<T>(operand: Operand<'_>, look: impl FnOnce(&str) -> T) -> Option<T> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match operand {
        Operand::Str(text) => Some(look(text)),
        Operand::TraceId(id) => {
            let mut hex = [0; 32];
            for (pair, byte) in hex.chunks_exact_mut(2).zip(id.as_bytes()) {
                pair[0] = DIGITS[usize::from(byte >> 4)];
                pair[1] = DIGITS[usize::from(byte & 15)];
            }
            std::str::from_utf8(&hex).ok().map(look)
        }
        _ => None,
    }
}
