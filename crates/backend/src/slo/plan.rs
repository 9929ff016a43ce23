//! What a text of documents means beside the documents that are stored: read together, before anything is written.

use std::collections::BTreeMap;

use slowburn_domain::number::target_percent;
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::{AlertPairs, Alerting, BudgetingMethod, Objective, TimeWindow};

use crate::openslo::{CompositePart, Definition, IndicatorSource, Library, Parsed, composite};

/// Kind, name and text of a document as stored.
pub(super) type Stored = (String, String, String);

/// A text, read.
pub(super) struct Plan {
    pub(super) parsed: Parsed,
    /// Every SLO as it is now.
    pub(super) before: Vec<Definition>,
    /// SLOs of documents outside the text that become different, because a document that they refer to does.
    pub(super) touched: Vec<Definition>,
}

/// The stored documents that others can refer to.
pub(super) fn library<'d>(stored: impl IntoIterator<Item = &'d Stored>) -> Library {
    Library::new(stored.into_iter().filter(|(kind, ..)| kind != "SLO").map(|(_, _, body)| body.as_str()))
}

impl Plan {
    /// Reads a text as it would be after `stored`.
    ///
    /// # Errors
    /// Every fault of the text, or what it would break.
    pub(super) fn new(stored: &[Stored], text: &str) -> Result<Self, Vec<FieldFault>> {
        let known = library(stored);
        let parsed = known.parse(text)?;
        let slos: Vec<&Stored> = stored.iter().filter(|(kind, ..)| kind == "SLO").collect();
        let read = |library: &Library, body: &str| library.parse(body).map(|parsed| parsed.definitions);
        let mut before = Vec::new();
        let mut touched = Vec::new();
        let is_shared_new = |kind: &str, name: &str, body: &str| {
            kind != "SLO" && !stored.iter().any(|(k, n, b)| (k.as_str(), n.as_str(), b.as_str()) == (kind, name, body))
        };
        let changed = parsed.documents.iter().any(|document| is_shared_new(document.kind, &document.name, &document.text));
        let shared = stored.iter().filter(|(kind, ..)| kind != "SLO").map(|(_, _, body)| body.as_str());
        let after = changed.then(|| Library::new(shared.chain(parsed.documents.iter().map(|document| document.text.as_str()))));
        let mut faults = Vec::new();
        for (_, name, body) in slos {
            let old = read(&known, body);
            let is_in_text = parsed.documents.iter().any(|document| document.kind == "SLO" && document.name == *name);
            if let (Some(after), false) = (&after, is_in_text) {
                match (read(after, body), &old) {
                    (Ok(new), old) if old.as_ref() != Ok(&new) => touched.extend(new),
                    (Err(broken), Ok(_)) => {
                        faults.extend(
                            broken.into_iter().map(|fault| FieldFault::new(format!("SLO {name}"), format!("would break: {fault}"))),
                        );
                    }
                    _ => {}
                }
            }
            before.extend(old.unwrap_or_default());
        }
        let plan = Self { parsed, before, touched };
        faults.extend(plan.composite_faults());
        if faults.is_empty() { Ok(plan) } else { Err(faults) }
    }
}

impl Plan {
    /// What composite SLOs would refer to in vain: those of the text, and others to objectives that it leaves out.
    fn composite_faults(&self) -> Vec<FieldFault> {
        let is_in_text =
            |name: &str| self.parsed.documents.iter().any(|document| document.kind == "SLO" && document.name == document_name(name));
        let new = self.parsed.definitions.iter().chain(&self.touched);
        let others = self.before.iter().filter(|definition| !is_in_text(&definition.objective.name));
        let all: BTreeMap<&str, &Definition> =
            others.chain(new).map(|definition| (definition.objective.name.as_str(), definition)).collect();
        composite::faults(all.values().copied(), all.values().copied())
    }
}

/// The document that defines an SLO: `document:part` is one of several, `document@value` a group.
pub(super) fn document_name(slo: &str) -> &str {
    slo.split([':', '@']).next().unwrap_or(slo)
}

/// What is counted, in a form that changes when and only when the counting does.
pub(super) fn indicator_text(source: &IndicatorSource) -> String {
    match source {
        IndicatorSource::Records { total, good, .. } => format!("{}\n{}\n{}", total.signal().as_str(), total.source(), good.source()),
        IndicatorSource::Composite { parts } => {
            let part = |part: &CompositePart| format!("\n{} {} {}", part.slo, part.weight, part.when_delayed.as_str());
            format!("composite{}", parts.iter().map(part).collect::<String>())
        }
        IndicatorSource::Prometheus(counters) => counters.to_string(),
        IndicatorSource::Unknown { kind } => format!("unknown\n{kind}"),
    }
}

fn window_text(objective: &Objective) -> String {
    match &objective.window {
        TimeWindow::Rolling(window) => window.to_string(),
        TimeWindow::Calendar(calendar) => format!("{} from {} in {}", objective.window, calendar.start, calendar.time_zone),
    }
}

fn method_text(objective: &Objective) -> String {
    let word = objective.budgeting_method.as_str();
    match objective.budgeting_method {
        BudgetingMethod::Occurrences | BudgetingMethod::Composite => word.to_owned(),
        BudgetingMethod::Timeslices { minutes, target } => format!("{word} of {minutes} min, good from {target}"),
        BudgetingMethod::RatioTimeslices { minutes } => format!("{word} of {minutes} min"),
    }
}

fn alerts_text(alerting: &Alerting) -> String {
    match &alerting.pairs {
        AlertPairs::Nearest => "nearest preset".to_owned(),
        AlertPairs::Preset(window) => format!("preset {window}"),
        AlertPairs::Made(pairs) if pairs.is_empty() => "none".to_owned(),
        AlertPairs::Made(pairs) => pairs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn group_text(definition: &Definition) -> String {
    definition.group_by.as_ref().map_or_else(|| "none".to_owned(), |group_by| group_by.by.source().to_owned())
}

fn cap_text(definition: &Definition) -> String {
    definition.group_by.as_ref().map_or_else(|| "none".to_owned(), |group_by| group_by.cap.to_string())
}

fn labels_text(labels: &BTreeMap<String, Vec<String>>) -> String {
    format!("{labels:?}")
}

/// The parts that differ, as `field: old → new`.
pub(super) fn differences(before: &Definition, after: &Definition) -> Vec<String> {
    let (a, b) = (&before.objective, &after.objective);
    let pairs = [
        ("service", a.service.clone(), b.service.clone()),
        ("target", target_percent(a.target.ratio()), target_percent(b.target.ratio())),
        ("window", window_text(a), window_text(b)),
        ("budgetingMethod", method_text(a), method_text(b)),
        ("displayName", a.display_name.clone().unwrap_or_default(), b.display_name.clone().unwrap_or_default()),
        ("description", a.description.clone(), b.description.clone()),
        ("expected-gap", format!("{:?}", a.expected_gap_minutes), format!("{:?}", b.expected_gap_minutes)),
        ("alerts", alerts_text(&a.alerting), alerts_text(&b.alerting)),
        ("min-bad-events", a.alerting.fewest_bad.to_string(), b.alerting.fewest_bad.to_string()),
        ("indicator", indicator_text(&before.source), indicator_text(&after.source)),
        ("group-by", group_text(before), group_text(after)),
        ("group-cap", cap_text(before), cap_text(after)),
        ("labels", labels_text(&before.labels), labels_text(&after.labels)),
    ];
    pairs.into_iter().filter(|(_, a, b)| a != b).map(|(field, a, b)| format!("{field}: {a} → {b}")).collect()
}
