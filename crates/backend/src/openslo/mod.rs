//! OpenSLO v1 documents: SLOs as people write and keep them.
//!
//! A text of several YAML documents is split at its markers (`yaml`), each document is read into a bounded tree, and the
//! tree into [`Definition`]s, one for each objective (`slo`, `indicator`, `alerts`). Documents may refer to each other by name,
//! within one text and to those stored before (`library`). Every fault of every document is collected, so that one attempt shows
//! all there is to mend; what we do not know but can do without is a warning. The text of each document is kept as it was given,
//! comments included, and is what export gives back.
//!
//! All kinds of OpenSLO are known. What is not supported of them is refused with the path of the field and the words for what
//! is. A source of another type than `slowburn` and `prometheus` is kept, and the SLO is unmeasured.

mod alerts;
pub(crate) mod composite;
mod fields;
mod grouping;
mod import;
mod indicator;
mod library;
mod metadata;
mod pairs;
mod prometheus;
mod secrets;
mod slo;
#[cfg(test)]
mod tests;
mod window;
mod yaml;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::{Objective, WhenDelayed};

use crate::filter::{Expression, Filter};
use crate::prometheus::Counters;
use fields::{Fields, Report};
use library::Context;

pub use library::Library;
pub(crate) use secrets::masked;
pub use yaml::MAX_SIZE;

const API_VERSION: &str = "openslo/v1";
/// The longest description, characters.
const MAX_DESCRIPTION: usize = 1_050;
/// The longest name, characters (a DNS label of RFC 1123).
const MAX_NAME: usize = 63;

/// One SLO of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// What is promised.
    pub objective: Objective,
    /// What is counted.
    pub source: IndicatorSource,
    /// What its events are grouped by, if each value is to have a budget of its own.
    pub group_by: Option<GroupBy>,
    /// Labels of the document; a single text is a list of one.
    pub labels: BTreeMap<String, Vec<String>>,
    /// The YAML of its document as it was given. Objectives of one document share it.
    pub document: String,
}

/// Where the counts of an SLO come from.
#[derive(Clone, Debug, PartialEq)]
pub enum IndicatorSource {
    /// Records of the signal of `total`: all that it matches, good if `good` matches. `good` matches nothing that `total` does not.
    Records {
        /// The events.
        total: Filter,
        /// The good ones of them.
        good: Filter,
        /// The condition that the document gives beside `total`: which are good, or which are bad.
        part: Filter,
        /// Whether `part` says which are good.
        is_good: bool,
    },
    /// Other SLOs, each by its weight.
    Composite {
        /// They, by name; none twice.
        parts: Vec<CompositePart>,
    },
    /// Counters of an external Prometheus.
    Prometheus(Arc<Counters>),
    /// A source we cannot read: the SLO is kept and shown as unmeasured.
    Unknown {
        /// Its `metricSource.type`.
        kind: String,
    },
}

/// How the events of an SLO are grouped.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// What tells the group of an event.
    pub by: Expression,
    /// Most groups that values get, 1 to [`slowburn_domain::slo::HIGHEST_CAP`].
    pub cap: u32,
}

impl GroupBy {
    /// Both as they are written.
    pub fn told(&self) -> (&str, u32) {
        (self.by.source(), self.cap)
    }
}

/// An SLO in another.
#[derive(Clone, Debug, PartialEq)]
pub struct CompositePart {
    /// Its name.
    pub slo: String,
    /// How much it counts in relation to the others, more than 0.
    pub weight: f64,
    /// What time without news of it counts as.
    pub when_delayed: WhenDelayed,
}

/// A service as its owners describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDefinition {
    /// Its name, which SLOs refer to.
    pub name: String,
    /// Name for people.
    pub display_name: Option<String>,
    /// What it is, in words.
    pub description: String,
    /// Labels of the document.
    pub labels: BTreeMap<String, Vec<String>>,
    /// The YAML of its document as it was given.
    pub document: String,
}

/// A document of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its kind, in OpenSLO's word.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its YAML as it was given.
    pub text: String,
    /// Kind and name of the documents that it refers to.
    pub refers: Vec<(&'static str, String)>,
}

/// What a text of documents defines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Its documents, in order.
    pub documents: Vec<Document>,
    /// Its SLOs, in order.
    pub definitions: Vec<Definition>,
    /// Its services, in order.
    pub services: Vec<ServiceDefinition>,
    /// What was passed over, and what is kept without being measured.
    pub warnings: Vec<FieldFault>,
}

/// Reads one or more YAML documents that refer to no others.
///
/// # Errors
/// As [`Library::parse`].
pub fn parse(text: &str) -> Result<Parsed, Vec<FieldFault>> {
    Library::default().parse(text)
}

impl Library {
    /// Reads one or more YAML documents, which may refer to each other and to the documents in here.
    ///
    /// # Errors
    /// Every fault found. The field is a path like `spec.budgetingMethod`, with `documents[1].` before it when there are several
    /// documents, or `line N, column M` where the text is not YAML.
    pub fn parse(&self, text: &str) -> Result<Parsed, Vec<FieldFault>> {
        let documents = yaml::split(text).map_err(|fault| vec![fault])?;
        let several = documents.len() > 1;
        let budget = yaml::Budget::default();
        let (mut pieces, mut reports) = (Vec::new(), Vec::new());
        for (index, document) in documents.into_iter().enumerate() {
            let mut report = Report::new(if several { format!("documents[{index}]") } else { String::new() });
            pieces.extend(pieces_of(document, &budget, &mut report).into_iter().map(|(text, node)| (index, text, node)));
            reports.push(report);
        }
        let context = Context::new(self, pieces.iter().map(|(.., node)| node));
        let mut parsed = Parsed::default();
        let mut names = HashSet::new();
        for (index, text, node) in &pieces {
            read(node, text, &context, &mut names, &mut parsed, &mut reports[*index]);
        }
        let mut faults = Vec::new();
        for mut report in reports {
            faults.append(&mut report.faults);
            parsed.warnings.append(&mut report.warnings);
        }
        if faults.is_empty() { Ok(parsed) } else { Err(faults) }
    }
}

/// The OpenSLO documents that a document is, each with its text: itself, or what another tool's specification comes to.
fn pieces_of(document: yaml::Document, budget: &yaml::Budget, report: &mut Report) -> Vec<(String, yaml::Node)> {
    let node = match document.read(budget) {
        Ok(node) => node,
        Err(fault) => {
            report.faults.push(fault);
            return Vec::new();
        }
    };
    let Some(texts) = import::openslo(&node, report) else { return vec![(document.text, node)] };
    if !report.faults.is_empty() {
        return Vec::new();
    }
    let read = texts.into_iter().filter_map(|text| {
        let [document] = <[_; 1]>::try_from(yaml::split(&text).ok()?).ok()?;
        let node = document.read(budget).map_err(|fault| report.faults.push(fault)).ok()?;
        Some((text, node))
    });
    read.collect()
}

/// Joins documents into one text. A document given more than once, because several SLOs come from it, is written once.
pub fn export(documents: &[&str]) -> String {
    let mut written = HashSet::new();
    let mut text = String::new();
    for document in documents.iter().filter(|document| written.insert(**document)) {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(document);
        if !document.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

/// Reads one document. `names` holds what was defined before: (kind, name).
fn read<'c>(
    node: &'c yaml::Node,
    text: &str,
    context: &Context<'c>,
    names: &mut HashSet<(&'static str, String)>,
    parsed: &mut Parsed,
    report: &mut Report,
) {
    let Some(mut root) = Fields::of_document(node, report) else { return };
    let version = root.required_text("apiVersion", report);
    let kind = root.required_text("kind", report);
    let (Some(version), Some(kind)) = (version, kind) else { return };
    if version != API_VERSION {
        report.fault("apiVersion", format!("{version} is not supported; {API_VERSION} is"));
        return;
    }
    let Some(kind) = library::kind_named(kind) else {
        report.fault("kind", format!("{kind} is not supported; {} are", library::kinds()));
        return;
    };
    let mut define = |path: &str, name: &str, report: &mut Report| {
        if !names.insert((kind, name.to_owned())) {
            report.fault(path, format!("{kind} {name} is defined twice in this text"));
        }
    };
    match kind {
        "SLO" => {
            let slo = slo::read(root, context, report);
            slo.names.iter().for_each(|(path, name)| define(path, name, report));
            parsed.definitions.extend(slo.definitions(text));
        }
        "Service" => parsed.services.extend(slo::read_service(root, text, report)),
        "SLI" => drop(indicator::read(root, context, report)),
        "DataSource" => drop(indicator::read_data_source(root, report)),
        "AlertPolicy" => drop(alerts::policy(root, context, report)),
        "AlertCondition" => drop(alerts::condition(root, report)),
        _ => drop(alerts::target(root, report)),
    }
    if let Some((_, name)) = library::key(node) {
        if kind != "SLO" {
            define("metadata.name", name, report);
        }
        let refers = std::mem::take(&mut report.refers);
        parsed.documents.push(Document { kind, name: name.to_owned(), text: text.to_owned(), refers });
    }
}
