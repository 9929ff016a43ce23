//! The figures: one table for people, one JSON file for comparing runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::machine::Facts;

/// What a figure must reach, and what it should.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast {
        floor: f64,
        aim: f64,
    },
    AtMost {
        floor: f64,
        aim: f64,
    },
    /// Nobody asked for more than to know it.
    None,
}

/// How a figure stands to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Missed,
    Floor,
    Aim,
}

impl Bound {
    pub(crate) fn verdict(self, value: f64) -> Option<Verdict> {
        let (floor, aim) = match self {
            Self::AtLeast { floor, aim } => (value >= floor, value >= aim),
            Self::AtMost { floor, aim } => (value <= floor, value <= aim),
            Self::None => return None,
        };
        Some(if aim {
            Verdict::Aim
        } else if floor {
            Verdict::Floor
        } else {
            Verdict::Missed
        })
    }

    fn numbers(self) -> Option<(f64, f64)> {
        match self {
            Self::AtLeast { floor, aim } | Self::AtMost { floor, aim } => Some((floor, aim)),
            Self::None => None,
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Line of the requirements, or empty.
    code: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    bound: Bound,
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bound = self.bound.numbers();
        json!({
            "code": self.code, "name": self.name, "value": self.value, "unit": self.unit,
            "floor": bound.map(|(floor, _)| floor), "aim": bound.map(|(_, aim)| aim), "met": self.bound.verdict(self.value),
        })
        .serialize(serializer)
    }
}

/// Everything measured in one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) begun: Timestamp,
    pub(crate) commit: String,
    pub(crate) machine: Facts,
    figures: Vec<Figure>,
    /// What the figures were computed from.
    details: BTreeMap<String, serde_json::Value>,
}

impl Report {
    pub(crate) fn new(begun: Timestamp, commit: String, machine: Facts) -> Self {
        Self { begun, commit, machine, figures: Vec::new(), details: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, code: &'static str, name: impl Into<String>, value: f64, unit: &'static str, bound: Bound) {
        self.figures.push(Figure { code, name: name.into(), value, unit, bound });
    }

    pub(crate) fn detail(&mut self, name: impl Into<String>, value: impl Serialize) -> Result<()> {
        self.details.insert(name.into(), serde_json::to_value(value)?);
        Ok(())
    }

    /// The table as text.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![["", "figure", "measured", "floor", "aim", "met"].map(str::to_owned)];
        for Figure { code, name, value, unit, bound } in &self.figures {
            let bounds = bound.numbers().map_or_else(Default::default, |(floor, aim)| (number(floor), number(aim)));
            let met = match bound.verdict(*value) {
                None => "",
                Some(Verdict::Missed) => "MISSED",
                Some(Verdict::Floor) => "floor",
                Some(Verdict::Aim) => "aim",
            };
            rows.push([(*code).to_owned(), name.clone(), format!("{} {unit}", number(*value)), bounds.0, bounds.1, met.to_owned()]);
        }
        let widths: [usize; 6] = std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        let Facts { cores, processor, memory_mib, kernel, postgres, load_before } = &self.machine;
        let mut text = format!(
            "Slowburn {} at {}: {cores} cores, {processor}, {memory_mib} MiB, Linux {kernel}, PostgreSQL {postgres}, load before {load_before}\n",
            self.commit,
            self.begun.strftime("%Y-%m-%d %H:%M UTC"),
        );
        for row in rows {
            let line: Vec<String> = (0..6)
                .map(|column| {
                    let (cell, width) = (&row[column], widths[column]);
                    if matches!(column, 2..=4) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                })
                .collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// Writes `latest.json`, and the same under the time of the run, into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let document = json!({
            "at": self.begun.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "commit": self.commit, "machine": self.machine,
            "figures": self.figures, "details": self.details,
        });
        let text = serde_json::to_string_pretty(&document)? + "\n";
        fs::create_dir_all(folder)?;
        fs::write(folder.join(self.begun.strftime("%Y%m%dT%H%M%SZ.json").to_string()), &text)?;
        fs::write(folder.join("latest.json"), text)?;
        Ok(())
    }
}

/// Three digits that say something, thousands apart.
fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.map_or_else(|| format!("{sign}{grouped}"), |fraction| format!("{sign}{grouped}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_know_which_side_is_good() {
        let more = Bound::AtLeast { floor: 30.0, aim: 80.0 };
        assert_eq!([29.9, 30.0, 80.0].map(|value| more.verdict(value)), [Some(Verdict::Missed), Some(Verdict::Floor), Some(Verdict::Aim)]);
        let less = Bound::AtMost { floor: 140.0, aim: 85.0 };
        assert_eq!(
            [140.1, 140.0, 85.0].map(|value| less.verdict(value)),
            [Some(Verdict::Missed), Some(Verdict::Floor), Some(Verdict::Aim)]
        );
        assert_eq!(Bound::None.verdict(1.0), None);
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, expected) in
            [(1_234_567.8, "1,234,568"), (350.0, "350"), (99.96, "100.0"), (1.234, "1.23"), (2.0, "2"), (-4_000.0, "-4,000")]
        {
            assert_eq!(number(value), expected);
        }
    }
}
