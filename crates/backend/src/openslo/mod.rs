//! OpenSLO v1 documents: SLOs as people write and keep them.
//!
//! A text of several YAML documents is split at its markers (`yaml`), each document is read into a bounded tree, and the
//! tree into [`Definition`]s, one for each objective (`slo`, `indicator`). Every fault of every document is collected, so
//! that one attempt shows all there is to mend; what we do not know but can do without is a warning. The text of each document
//! is kept as it was given, comments included, and is what export gives back.
//!
//! Supported are the kinds `SLO` (one rolling window, `Occurrences`, an inline ratio indicator over spans) and `Service`.
//! Everything else is refused with the path of the field and the words for what is supported. A source of another type than
//! `slowburn` is kept, and the SLO is unmeasured.

mod fields;
mod indicator;
mod slo;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeMap, HashSet};

use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::Objective;

use crate::filter::Filter;
use fields::{Fields, Report};

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
    /// Labels of the document; a single text is a list of one.
    pub labels: BTreeMap<String, Vec<String>>,
    /// The YAML of its document as it was given. Objectives of one document share it.
    pub document: String,
}

/// Where the counts of an SLO come from.
#[derive(Clone, Debug, PartialEq)]
pub enum IndicatorSource {
    /// Spans: all that `total` matches, good if `good` matches. `good` matches nothing that `total` does not.
    Spans {
        /// The events.
        total: Filter,
        /// The good ones of them.
        good: Filter,
        /// The condition that the document gives beside `total`: which are good, or which are bad.
        part: Filter,
        /// Whether `part` says which are good.
        is_good: bool,
    },
    /// A source we cannot read: the SLO is kept and shown as unmeasured.
    Unknown {
        /// Its `metricSource.type`.
        kind: String,
    },
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

/// What a text of documents defines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Its SLOs, in order.
    pub definitions: Vec<Definition>,
    /// Its services, in order.
    pub services: Vec<ServiceDefinition>,
    /// What was passed over, and what is kept without being measured.
    pub warnings: Vec<FieldFault>,
}

/// Reads one or more YAML documents.
///
/// # Errors
/// Every fault found. The field is a path like `spec.budgetingMethod`, with `documents[1].` before it when there are several
/// documents, or `line N, column M` where the text is not YAML.
pub fn parse(text: &str) -> Result<Parsed, Vec<FieldFault>> {
    let documents = yaml::split(text).map_err(|fault| vec![fault])?;
    let several = documents.len() > 1;
    let budget = yaml::Budget::default();
    let mut parsed = Parsed::default();
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for (index, document) in documents.iter().enumerate() {
        let mut report = Report::new(if several { format!("documents[{index}]") } else { String::new() });
        match document.read(&budget) {
            Ok(root) => read(&root, &document.text, &mut names, &mut parsed, &mut report),
            Err(fault) => faults.push(fault),
        }
        faults.append(&mut report.faults);
        parsed.warnings.append(&mut report.warnings);
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
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
fn read(root: &yaml::Node, text: &str, names: &mut HashSet<(&'static str, String)>, parsed: &mut Parsed, report: &mut Report) {
    let Some(mut root) = Fields::of_document(root, report) else { return };
    let version = root.required_text("apiVersion", report);
    let kind = root.required_text("kind", report);
    let (Some(version), Some(kind)) = (version, kind) else { return };
    if version != API_VERSION {
        report.fault("apiVersion", format!("{version} is not supported; {API_VERSION} is"));
        return;
    }
    let mut define = |kind: &'static str, path: &str, name: &str, report: &mut Report| {
        if !names.insert((kind, name.to_owned())) {
            report.fault(path, format!("{kind} {name} is defined twice in this text"));
        }
    };
    match kind {
        "SLO" => {
            let slo = slo::read(root, report);
            slo.names.iter().for_each(|(path, name)| define("SLO", path, name, report));
            parsed.definitions.extend(slo.definitions(text));
        }
        "Service" => {
            let Some(service) = slo::read_service(root, text, report) else { return };
            define("Service", "metadata.name", &service.name, report);
            parsed.services.push(service);
        }
        other => report.fault("kind", format!("{other} is not supported; SLO and Service are")),
    }
}
