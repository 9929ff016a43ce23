//! An objective as a form holds it: texts as a person typed them, unfinished ones too. It is written as the fields of an HTML
//! form and as an OpenSLO document; what a document says is taken into the form when the form can say all of it.

mod document;

use std::collections::BTreeMap;

use crate::query::FieldFault;
use crate::signal::Signal;
use crate::slo::{BudgetingMethod, CalendarUnit, Objective, TimeWindow};
use crate::url::{decode_query, encode_query};
use crate::view::Indicator;

/// Every field with what it holds before anybody typed.
const FIELDS: [(&str, &str); 34] = [
    // The name of the objective that is edited; empty for a new one.
    ("original", ""),
    // `form` or `yaml`: which of the two is meant.
    ("face", "form"),
    ("yaml", ""),
    ("service", ""),
    ("name", ""),
    ("display_name", ""),
    ("description", ""),
    ("labels", ""),
    // Which records it is about.
    ("signal", "spans"),
    // `picked` by what the signal offers, or `own`.
    ("counting", "picked"),
    ("kind", "server"),
    ("operation", ""),
    ("metric", ""),
    ("event_type", ""),
    ("agent", ""),
    ("total", ""),
    // What each value of has a budget of its own, in CEL, and how many values may.
    ("group_by", ""),
    ("group_cap", "100"),
    // Of spans: `no_error`, `faster`, `both`. For every signal: `own` (good when it holds) or `bad` (bad when it holds). Each signal
    // has a field of its own, so that whoever looks at another finds it as it was.
    ("good", "no_error"),
    ("good_logs", "not_severe"),
    // `at_most` or `at_least`, of what is read or observed.
    ("good_metrics", "at_most"),
    ("good_events", "bad"),
    ("good_heartbeats", "in_time"),
    ("faster_ms", "300"),
    ("limit", ""),
    ("good_filter", ""),
    ("target", "99.9"),
    // A duration, or `month`.
    ("window", "30d"),
    ("time_zone", "UTC"),
    ("method", "Occurrences"),
    ("slice", "5m"),
    ("slice_target", "95"),
    // Who saves it and why, kept with the version.
    ("author", ""),
    ("reason", ""),
];

/// Windows to choose from, with their words.
pub const WINDOWS: [(&str, &str); 5] = [
    ("7d", "The last 7 days"),
    ("28d", "The last 28 days"),
    ("30d", "The last 30 days"),
    ("90d", "The last 90 days"),
    ("month", "Calendar month"),
];

/// What a month of the calendar begins with.
const MONTH_START: &str = "2026-01-01 00:00:00";

/// A filled form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SloForm(Vec<(&'static str, String)>);

impl Default for SloForm {
    fn default() -> Self {
        Self(FIELDS.into_iter().map(|(name, value)| (name, value.to_owned())).collect())
    }
}

impl SloForm {
    /// Reads what a form sent. Fields that are not there hold what an empty form holds, foreign ones are passed over.
    pub fn parse(raw: &str) -> Self {
        let mut form = Self::default();
        for (name, value) in decode_query(raw) {
            // Nothing stored can hold a NUL.
            form.set(&name, &value.replace("\r\n", "\n").replace('\0', ""));
        }
        form
    }

    /// Writes what a form sends.
    pub fn to_query_string(&self) -> String {
        // Unlike links it keeps empty fields: their emptiness is meant.
        let pairs = self.0.iter().map(|(name, value)| {
            let pair = encode_query([(*name, value.as_str())]);
            if pair.is_empty() { format!("{name}=") } else { pair }
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// What a field holds; empty when there is no such field.
    pub fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value)
    }

    /// Fills a field; nothing happens when there is no such field.
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some((_, held)) = self.0.iter_mut().find(|(field, _)| *field == name) {
            value.clone_into(held);
        }
    }

    fn trimmed(&self, name: &str) -> &str {
        self.value(name).trim()
    }

    /// Whether the document is meant and not the fields.
    pub fn is_yaml(&self) -> bool {
        self.value("face") == "yaml"
    }

    /// Whether it is about an objective that there is.
    pub fn is_edit(&self) -> bool {
        !self.value("original").is_empty()
    }

    /// The document meant.
    pub fn document(&self) -> String {
        if self.is_yaml() { self.value("yaml").to_owned() } else { self.to_document() }
    }

    /// Which records it is about.
    pub fn signal(&self) -> Signal {
        Signal::from_word(self.value("signal")).unwrap_or(Signal::Spans)
    }

    /// How what is good was chosen.
    fn choice(&self) -> &str {
        self.value(good_field(self.signal()))
    }

    fn is_picked(&self) -> bool {
        self.value("counting") != "own"
    }

    /// The name, or when none was given one made of the service and of what is good.
    pub fn name(&self) -> String {
        if !self.trimmed("name").is_empty() {
            return self.trimmed("name").to_owned();
        }
        let kind = match (self.signal(), self.choice()) {
            (Signal::Spans, "no_error") => "availability",
            (Signal::Spans, "faster") => "latency",
            (Signal::Spans, "both") => "quality",
            (Signal::Spans, _) => "objective",
            (signal, _) => signal.as_str(),
        };
        let what = if self.is_picked() { self.trimmed(picked_field(self.signal())) } else { "" };
        let what = if self.signal() == Signal::Logs { "" } else { what };
        slug(&format!("{} {what} {kind}", self.trimmed("service")))
    }

    /// Which records count, in CEL.
    pub fn total(&self) -> String {
        if !self.is_picked() {
            return self.trimmed("total").to_owned();
        }
        let equal = |name: &str, field: &str| {
            let value = Some(self.trimmed(field)).filter(|value| !value.is_empty() && (field, *value) != ("kind", "any"))?;
            Some(format!("{name} == {}", text_literal(value)))
        };
        let parts = pickers(self.signal()).iter().filter_map(|(name, field)| equal(name, field));
        parts.collect::<Vec<_>>().join(" && ")
    }

    /// Whether a condition says which records are good or which are bad, and the condition in CEL.
    pub fn part(&self) -> (bool, String) {
        const NO_ERROR: &str = "status != \"error\"";
        let faster = || format!("duration_ms < {}", self.milliseconds());
        match (self.signal(), self.choice()) {
            (_, "own") => (true, self.trimmed("good_filter").to_owned()),
            (_, "bad") => (false, self.trimmed("good_filter").to_owned()),
            (Signal::Spans, "faster") => (true, faster()),
            (Signal::Spans, "both") => (true, format!("{NO_ERROR} && {}", faster())),
            (Signal::Spans, _) => (true, NO_ERROR.to_owned()),
            (Signal::Events, _) => (true, self.trimmed("good_filter").to_owned()),
            // So, lines that do not say how severe they are are good.
            (Signal::Logs, _) => (false, "severity == \"error\" || severity == \"fatal\"".to_owned()),
            (Signal::Metrics, "at_least") => (true, format!("value >= {}", self.limit())),
            (Signal::Metrics, _) => (true, format!("value <= {}", self.limit())),
            (Signal::Heartbeats, _) => (true, "status == \"ok\"".to_owned()),
        }
    }

    /// What of the fields cannot be meant, before the document is looked at. A document is judged by itself.
    pub fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, reason: &str| faults.push(FieldFault::new(field, reason));
        if self.is_yaml() {
            if self.trimmed("yaml").is_empty() {
                fault("yaml", "an OpenSLO document is wanted here");
            }
            return faults;
        }
        if self.trimmed("service").is_empty() {
            fault("service", "which service is the promise about?");
        }
        if self.is_edit() && self.trimmed("name") != self.value("original") {
            fault("name", "a name stays; a new objective gets a new one");
        }
        let signal = self.signal();
        if signal == Signal::Spans && matches!(self.choice(), "faster" | "both") && !is_positive(self.milliseconds()) {
            fault("faster_ms", "a number of milliseconds, such as 300");
        }
        if signal == Signal::Metrics && matches!(self.choice(), "at_most" | "at_least") && !is_number(&self.limit()) {
            fault("limit", "a number in the metric's unit, such as 0.25");
        }
        if matches!(self.choice(), "own" | "bad") && self.trimmed("good_filter").is_empty() {
            let example = match signal {
                Signal::Spans | Signal::Metrics => "attributes[\"http.response.status_code\"] < 500",
                Signal::Logs => "body.contains(\"timed out\")",
                Signal::Events => "data[\"outcome\"] == \"failed\"",
                Signal::Heartbeats => "status == \"ok\"",
            };
            fault("good_filter", &format!("a condition in CEL, such as {example}"));
        }
        if self.is_picked() {
            let wanted = match signal {
                Signal::Spans | Signal::Logs => "",
                Signal::Metrics => "the name of a metric, such as http.server.request.duration",
                Signal::Events => "the type of an event, such as com.example.order.placed",
                Signal::Heartbeats => "the name of an agent, such as night-batch",
            };
            if !wanted.is_empty() && self.trimmed(picked_field(signal)).is_empty() {
                fault(picked_field(signal), wanted);
            }
        } else if self.trimmed("total").is_empty() {
            let example = match signal {
                Signal::Spans | Signal::Logs => "service == \"checkout\"",
                Signal::Metrics => "name == \"http.server.request.duration\"",
                Signal::Events => "type == \"com.example.order.placed\"",
                Signal::Heartbeats => "agent == \"night-batch\"",
            };
            fault("total", &format!("a condition in CEL, such as {example}"));
        }
        if self.percent("target").is_none() {
            fault("target", "a percentage between 0 and 100, such as 99.9");
        }
        if self.value("method") == "Timeslices" && self.percent("slice_target").is_none() {
            fault("slice_target", "a percentage, such as 95");
        }
        if self.labels().is_none() {
            fault("labels", "pairs such as team: shop, tier: gold");
        }
        faults
    }

    /// What a field is called where it is filled.
    pub fn label(field: &str) -> &'static str {
        match field {
            "service" => "Service",
            "name" => "Name",
            "display_name" => "Title",
            "operation" => "Operation",
            "metric" => "Metric",
            "event_type" => "Type of the events",
            "agent" => "Agent",
            "total" => "What counts",
            "group_by" => "A budget for each value of",
            "group_cap" => "For at most, values",
            "faster_ms" => "Faster than, ms",
            "limit" => "Limit, in the metric's unit",
            "good_filter" => "What is good",
            "target" => "Good, percent",
            "window" => "Over",
            "time_zone" => "In the zone",
            "slice" => "Length of a slice",
            "slice_target" => "A slice is good from, percent",
            "labels" => "Labels",
            "description" => "Description",
            _ => "Document",
        }
    }

    /// The field that a path of an OpenSLO document belongs to.
    pub fn field_of(&self, path: &str) -> &'static str {
        if self.is_yaml() {
            return "yaml";
        }
        let cases = [
            ("metadata.name", "name"),
            ("metadata.displayName", "display_name"),
            ("metadata.labels", "labels"),
            ("metadata.annotations.slowburn.dev/group-by", "group_by"),
            ("metadata.annotations.slowburn.dev/group-cap", "group_cap"),
            ("spec.description", "description"),
            ("spec.service", "service"),
            ("spec.indicator.spec.ratioMetric.total", if self.is_picked() { picked_field(self.signal()) } else { "total" }),
            ("spec.indicator", self.good_fault_field()),
            ("spec.timeWindow[0].calendar", "time_zone"),
            ("spec.timeWindow", "window"),
            ("spec.budgetingMethod", "method"),
            ("spec.objectives[0].timeSliceWindow", "slice"),
            ("spec.objectives[0].timeSliceTarget", "slice_target"),
            ("spec.objectives", "target"),
        ];
        cases.into_iter().find(|(start, _)| path.starts_with(start)).map_or("name", |(_, field)| field)
    }

    /// Where it is told what is wrong with the condition for what is good.
    fn good_fault_field(&self) -> &'static str {
        match (self.signal(), self.choice()) {
            (_, "own" | "bad") => "good_filter",
            (Signal::Spans, _) => "faster_ms",
            (Signal::Metrics, _) => "limit",
            _ => "service",
        }
    }

    /// The limit of a metric's value; a comma may stand for the point.
    fn limit(&self) -> String {
        self.trimmed("limit").replace(',', ".")
    }

    /// The limit of what is fast enough; its unit may stand behind it.
    fn milliseconds(&self) -> &str {
        self.trimmed("faster_ms").trim_end_matches("ms").trim_end()
    }

    /// A percentage as a number of the document; `None` when it is none.
    fn percent(&self, name: &str) -> Option<String> {
        let text = self.trimmed(name).trim_end_matches('%').trim_end().replace(',', ".");
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.parse::<f64>().ok().filter(|percent| is_number && *percent > 0.0 && *percent <= 100.0).map(|_| text)
    }

    /// Labels in order; `None` when they are not understood.
    fn labels(&self) -> Option<Vec<(&str, &str)>> {
        let pairs = self.value("labels").split(',').map(str::trim).filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once(':').map(|(key, value)| (key.trim(), value.trim()))).collect()
    }

    /// The fields that say what an objective says, as far as they can.
    pub fn of(
        objective: &Objective,
        labels: &BTreeMap<String, Vec<String>>,
        (signal, indicator): (Signal, &Indicator),
        group_by: Option<(&str, u32)>,
        document: &str,
    ) -> Self {
        let mut form = Self::default();
        form.set("original", &objective.name);
        form.set("yaml", document);
        form.set("name", &objective.name);
        form.set("display_name", objective.display_name.as_deref().unwrap_or_default());
        form.set("service", &objective.service);
        form.set("description", &objective.description);
        let pairs = labels.iter().flat_map(|(key, values)| values.iter().map(move |value| format!("{key}: {value}")));
        form.set("labels", &pairs.collect::<Vec<_>>().join(", "));
        form.set("target", &percent_text(objective.target.ratio()));
        match &objective.window {
            TimeWindow::Rolling(window) => form.set("window", &window.to_string()),
            TimeWindow::Calendar(calendar) => {
                form.set("window", if calendar.unit == CalendarUnit::Month && calendar.count == 1 { "month" } else { "" });
                form.set("time_zone", &calendar.time_zone);
            }
        }
        form.set("method", objective.budgeting_method.as_str());
        if let Some(minutes) = objective.budgeting_method.slice_minutes() {
            form.set("slice", &crate::time::format_duration(u64::from(minutes) * 60));
        }
        if let BudgetingMethod::Timeslices { target, .. } = objective.budgeting_method {
            form.set("slice_target", &percent_text(target));
        }
        if let Some((by, cap)) = group_by {
            form.set("group_by", by);
            form.set("group_cap", &cap.to_string());
        }
        form.set("signal", signal.as_str());
        form.take_total(&indicator.total);
        form.take_part(indicator);
        form
    }

    /// The pickers that write this condition, or the condition itself.
    fn take_total(&mut self, total: &str) {
        let mut picked = self.clone();
        picked.set("kind", "any");
        for part in total.split(" && ") {
            for (name, field) in pickers(self.signal()) {
                // The service is that of the objective.
                if let Some(value) = part.strip_prefix(name).and_then(|rest| rest.strip_prefix(" == ")).filter(|_| *field != "service") {
                    picked.set(field, value.trim_matches('"'));
                }
            }
        }
        if picked.total() == total {
            *self = picked;
        } else {
            self.set("counting", "own");
            self.set("total", total);
        }
    }

    /// The choice that writes this condition, or the condition itself.
    fn take_part(&mut self, indicator: &Indicator) {
        let (field, choices): (_, &[&str]) = match self.signal() {
            Signal::Spans => ("faster_ms", &["no_error", "faster", "both"]),
            Signal::Logs => ("", &["not_severe"]),
            Signal::Metrics => ("limit", &["at_most", "at_least"]),
            Signal::Events => ("", &[]),
            Signal::Heartbeats => ("", &["in_time"]),
        };
        let held = self.value(field).to_owned();
        let limit = indicator.part.rsplit_once(' ').map_or("", |(_, limit)| limit);
        self.set(field, if is_number(limit) { limit } else { &held });
        let good = good_field(self.signal());
        for choice in choices {
            self.set(good, choice);
            if self.part() == (indicator.is_good, indicator.part.clone()) {
                return;
            }
        }
        self.set(field, &held);
        self.set(good, if indicator.is_good { "own" } else { "bad" });
        self.set("good_filter", &indicator.part);
    }
}

/// Names of CEL and the fields that say what they equal, in the order in which they are written.
const fn pickers(signal: Signal) -> &'static [(&'static str, &'static str)] {
    match signal {
        Signal::Spans => &[("service", "service"), ("kind", "kind"), ("operation", "operation")],
        Signal::Logs => &[("service", "service")],
        Signal::Metrics => &[("name", "metric"), ("service", "service")],
        Signal::Events => &[("type", "event_type")],
        Signal::Heartbeats => &[("agent", "agent")],
    }
}

/// The field that picks the records of a signal most narrowly.
const fn picked_field(signal: Signal) -> &'static str {
    match signal {
        Signal::Spans => "operation",
        Signal::Logs => "service",
        Signal::Metrics => "metric",
        Signal::Events => "event_type",
        Signal::Heartbeats => "agent",
    }
}

/// The field that says what is good.
const fn good_field(signal: Signal) -> &'static str {
    match signal {
        Signal::Spans => "good",
        Signal::Logs => "good_logs",
        Signal::Metrics => "good_metrics",
        Signal::Events => "good_events",
        Signal::Heartbeats => "good_heartbeats",
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_positive(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|number| number.is_finite() && number > 0.0)
}

/// A text in CEL.
fn text_literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A ratio as the decimal percentage that was meant: `99.9`.
fn percent_text(ratio: f64) -> String {
    let text = format!("{:.10}", ratio * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lower-case letters and digits of ASCII, everything between them one `-`; 63 characters at most.
fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let joined = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    joined.chars().take(63).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
