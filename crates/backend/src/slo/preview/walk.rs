//! Counting records for a preview one by one, and keeping some of them as examples.

use std::collections::BTreeMap;

use slowburn_domain::event::EventLine;
use slowburn_domain::log::LogRecord;
use slowburn_domain::number::{count, duration_nanos};
use slowburn_domain::slo::{Counts, Lint, group_of, too_many_values};
use slowburn_domain::span::{Span, Status};
use slowburn_domain::story::plural;
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::url::{correlation_path, trace_path};
use slowburn_domain::view::Example;

use crate::filter::{Filter, Record};
use crate::openslo::GroupBy;

/// Groups named.
const GROUPS_NAMED: usize = 8;
/// Examples of each verdict.
const EXAMPLES: usize = 4;
/// Characters of an example.
const LONGEST_EXAMPLE: usize = 200;

/// Which records count since when, and some of them.
pub(super) struct Walk {
    pub(super) total: Filter,
    pub(super) good: Filter,
    pub(super) from: Timestamp,
    pub(super) examples: Vec<Example>,
    pub(super) group_by: Option<GroupBy>,
    /// Events of each group, of one more at most than may be.
    pub(super) groups: BTreeMap<String, u64>,
}

impl Walk {
    /// Counts a record that happened at `at`. Gives whether it is good; `None` when it does not count.
    fn count<R: Record>(&mut self, record: &R, at: Timestamp, minutes: &mut BTreeMap<Minute, Counts>) -> Option<bool> {
        if at < self.from || !self.total.matches(record) {
            return None;
        }
        if let Some(group_by) = &self.group_by {
            let text = group_by.by.text(record);
            let value = group_of(text.as_deref());
            let is_full = self.groups.len() > group_by.cap as usize;
            match self.groups.get_mut(value) {
                Some(events) => *events += record.weight(),
                None if is_full => {}
                None => drop(self.groups.insert(value.to_owned(), record.weight())),
            }
        }
        let is_good = self.good.matches(record);
        *minutes.entry(at.minute()).or_default() += Counts { good: u64::from(is_good) * record.weight(), total: record.weight() };
        Some(is_good)
    }

    /// The same of a span, which may become an example.
    pub(super) fn count_span(&mut self, span: &Span, minutes: &mut BTreeMap<Minute, Counts>) {
        let verdict = self.count(span, span.end, minutes);
        self.keep(verdict, |is_good| Example {
            href: format!("{}?span={}", trace_path(span.trace_id), span.span_id),
            said: span.operation.clone(),
            figure: duration_nanos(span.duration_nanos()),
            is_error: span.status == Status::Error,
            is_good,
        });
    }

    /// The same of a log record.
    pub(super) fn count_log(&mut self, record: &LogRecord, minutes: &mut BTreeMap<Minute, Counts>) {
        let verdict = self.count(record, record.time, minutes);
        self.keep(verdict, |is_good| Example {
            href: record.trace_id.map(trace_path).unwrap_or_default(),
            said: record.body.to_string().chars().take(LONGEST_EXAMPLE).collect(),
            figure: if record.severity.is_error() { "" } else { record.severity.as_str() }.to_owned(),
            is_error: record.severity.is_error(),
            is_good,
        });
    }

    /// The same of an event.
    pub(super) fn count_event(&mut self, event: &EventLine, minutes: &mut BTreeMap<Minute, Counts>) {
        let verdict = self.count(event, event.time, minutes);
        self.keep(verdict, |is_good| Example {
            href: event.correlation_id.as_deref().map(correlation_path).unwrap_or_default(),
            said: if event.subject.is_empty() { &event.kind } else { &event.subject }.chars().take(LONGEST_EXAMPLE).collect(),
            figure: String::new(),
            is_error: false,
            is_good,
        });
    }

    fn keep(&mut self, verdict: Option<bool>, example: impl FnOnce(bool) -> Example) {
        if let Some(is_good) = verdict.filter(|is_good| self.examples_of(*is_good) < EXAMPLES) {
            self.examples.push(example(is_good));
        }
    }

    fn examples_of(&self, is_good: bool) -> usize {
        self.examples.iter().filter(|example| example.is_good == is_good).count()
    }

    /// The groups that were seen, in a sentence, and what to say of very many.
    pub(super) fn groups_told(&self) -> (String, Option<Lint>) {
        let Some(GroupBy { by, cap }) = &self.group_by else { return (String::new(), None) };
        let lint = (self.groups.len() > *cap as usize).then(|| too_many_values(by.source(), *cap));
        let mut groups: Vec<(&String, &u64)> = self.groups.iter().collect();
        groups.sort_by_key(|(value, events)| (std::cmp::Reverse(**events), *value));
        let named: Vec<String> =
            groups.iter().take(GROUPS_NAMED).map(|(value, events)| format!("{value} ({})", count(**events as f64))).collect();
        let sentence = match groups.len() {
            0 => "No value was seen yet to group by.".to_owned(),
            all if all > *cap as usize => format!("More than {cap} groups, among them {}.", named.join(", ")),
            all if all > GROUPS_NAMED => format!("{} seen, most events in {}.", plural(all as u64, "group"), named.join(", ")),
            all => format!("{} seen: {}.", plural(all as u64, "group"), named.join(", ")),
        };
        (sentence, lint)
    }

    pub(super) fn has_examples(&self) -> bool {
        self.examples_of(true) == EXAMPLES && self.examples_of(false) == EXAMPLES
    }
}
