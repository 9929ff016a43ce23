//! Which attributes get columns of their own, and the JSON of the others.

use std::collections::HashMap;

use slowburn_domain::span::Value;

use super::shared::Stored;

/// Most attribute columns of a segment.
const MOST_COLUMNS: usize = 64;

/// Type of an attribute column; its letter begins the column's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ColumnType {
    String,
    Int,
    Double,
    Bool,
}

impl ColumnType {
    pub(super) const fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(_) => Some(Self::String),
            Value::Int(_) => Some(Self::Int),
            Value::Double(_) => Some(Self::Double),
            Value::Bool(_) => Some(Self::Bool),
            Value::Null | Value::Array(_) | Value::Map(_) => None,
        }
    }

    pub(super) const fn letter(self) -> char {
        match self {
            Self::String => 's',
            Self::Int => 'i',
            Self::Double => 'd',
            Self::Bool => 'b',
        }
    }
}

/// The (type, key) pairs that occur in at least 1 % of the records, 64 at most, by key.
pub(super) fn frequent<'a, R: Stored>(records: &[&'a R]) -> Vec<(ColumnType, &'a str)> {
    let mut counts: HashMap<(ColumnType, &str), usize> = HashMap::new();
    for record in records {
        for (key, value) in record.attributes() {
            if let Some(column_type) = ColumnType::of(value) {
                *counts.entry((column_type, key)).or_default() += 1;
            }
        }
    }
    let mut frequent: Vec<_> = counts.into_iter().filter(|(_, count)| count * 100 >= records.len()).collect();
    frequent.sort_unstable_by_key(|(pair, count)| (std::cmp::Reverse(*count), *pair));
    frequent.truncate(MOST_COLUMNS);
    let mut columns: Vec<_> = frequent.into_iter().map(|(pair, _)| pair).collect();
    columns.sort_unstable_by_key(|(column_type, key)| (*key, *column_type));
    columns
}
