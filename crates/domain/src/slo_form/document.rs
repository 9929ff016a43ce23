//! The form as an OpenSLO document.

use std::fmt::Write as _;

use super::{MONTH_START, SloForm};
use crate::slo::DEFAULT_CAP;

impl SloForm {
    /// The fields as an OpenSLO document. Fields that cannot be understood are written as they are, so that they are refused
    /// where they stand.
    pub fn to_document(&self) -> String {
        let mut lines = Lines::default();
        let name = self.name();
        lines.put(0, "apiVersion: openslo/v1");
        lines.put(0, "kind: SLO");
        lines.put(0, "metadata:");
        lines.pair(1, "name", &name);
        lines.given(1, "displayName", self.trimmed("display_name"));
        self.write_labels(&mut lines);
        if !self.trimmed("group_by").is_empty() {
            lines.put(1, "annotations:");
            lines.pair(2, "slowburn.dev/group-by", self.trimmed("group_by"));
            if self.trimmed("group_cap") != DEFAULT_CAP.to_string() {
                lines.put(2, &format!("slowburn.dev/group-cap: {}", quoted(self.trimmed("group_cap"))));
            }
        }
        lines.put(0, "spec:");
        lines.given(1, "description", self.trimmed("description"));
        lines.pair(1, "service", self.trimmed("service"));
        lines.put(1, "indicator:");
        lines.put(2, "metadata:");
        lines.pair(3, "name", &name);
        lines.put(2, "spec:");
        lines.put(3, "ratioMetric:");
        lines.put(4, "counter: true");
        let (is_good, part) = self.part();
        for (side, filter) in [(if is_good { "good" } else { "bad" }, part), ("total", self.total())] {
            lines.put(4, &format!("{side}:"));
            lines.put(5, "metricSource:");
            lines.put(6, "type: slowburn");
            lines.put(6, "spec:");
            lines.put(7, &format!("signal: {}", self.signal().as_str()));
            lines.pair(7, "filter", &filter);
        }
        lines.put(1, "timeWindow:");
        if self.value("window") == "month" {
            lines.put(2, "- duration: 1M");
            lines.put(3, "calendar:");
            lines.pair(4, "startTime", MONTH_START);
            lines.pair(4, "timeZone", self.trimmed("time_zone"));
        } else {
            lines.put(2, &format!("- duration: {}", scalar(self.trimmed("window"))));
            lines.put(3, "isRolling: true");
        }
        lines.pair(1, "budgetingMethod", self.trimmed("method"));
        lines.put(1, "objectives:");
        let target = self.percent("target").unwrap_or_else(|| scalar(self.trimmed("target")));
        lines.put(2, &format!("- targetPercent: {target}"));
        if self.value("method") != "Occurrences" {
            lines.pair(3, "timeSliceWindow", self.trimmed("slice"));
        }
        if self.value("method") == "Timeslices" {
            let percent = self.percent("slice_target").unwrap_or_default();
            let ratio =
                format!("{percent}e-2").parse::<f64>().map_or_else(|_| scalar(self.trimmed("slice_target")), |ratio| ratio.to_string());
            lines.put(3, &format!("timeSliceTarget: {ratio}"));
        }
        lines.0
    }

    /// Labels of several values are lists.
    fn write_labels(&self, lines: &mut Lines) {
        let labels = self.labels().unwrap_or_default();
        if labels.is_empty() {
            return;
        }
        lines.put(1, "labels:");
        for (index, (key, value)) in labels.iter().enumerate() {
            if labels[..index].iter().any(|(before, _)| before == key) {
                continue;
            }
            let values: Vec<String> = labels.iter().filter(|(other, _)| other == key).map(|(_, value)| scalar(value)).collect();
            match values.as_slice() {
                [_] => lines.pair(2, &scalar(key), value),
                several => lines.put(2, &format!("{}: [{}]", scalar(key), several.join(", "))),
            }
        }
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, depth: usize, line: &str) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.put(depth, &format!("{key}: {}", scalar(value)));
    }

    fn given(&mut self, depth: usize, key: &str, value: &str) {
        if !value.is_empty() {
            self.pair(depth, key, value);
        }
    }
}

/// A text as YAML, in the plainest form that is read as the same text.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./ ".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    let is_duration = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['m', 'h', 'd', 'w', 's'])
        && text[..text.len() - 1].bytes().all(|byte| byte.is_ascii_digit());
    if is_word || is_duration {
        return text.to_owned();
    }
    quoted(text)
}

/// A text as YAML in quotes.
fn quoted(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
