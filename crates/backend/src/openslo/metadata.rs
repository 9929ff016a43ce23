//! What every kind of document has: name, labels, annotations, and a description.

use std::collections::BTreeMap;

use super::fields::{Fields, Report};
use super::{MAX_DESCRIPTION, MAX_NAME};

/// Prefix of the annotations that are ours.
const OWN: &str = "slowburn.dev/";
/// The longest name of a document that only others refer to, characters.
const MAX_FREE_NAME: usize = 255;

/// `metadata` of a document, or of one that stands inside another.
#[derive(Default)]
pub(super) struct Metadata {
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) labels: BTreeMap<String, Vec<String>>,
    annotations: BTreeMap<String, Vec<String>>,
    path: String,
}

/// What a name may look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// A DNS label, because it stands in addresses and labels.
    Label,
    /// Letters, digits and a few marks: only other documents refer to it.
    Free,
}

impl Metadata {
    /// Reads `metadata`, which a document must have and one inside another may have.
    pub(super) fn read(root: &mut Fields<'_>, naming: Naming, report: &mut Report) -> Self {
        let fields = if root.is_document() { root.required_map("metadata", report) } else { root.map("metadata", report) };
        let Some(mut fields) = fields else { return Self::default() };
        let name = fields.required_text("name", report).filter(|name| {
            let reason = naming.reason_against(name);
            reason.iter().for_each(|reason| report.fault(&fields.path("name"), reason.clone()));
            reason.is_none()
        });
        let metadata = Self {
            name: name.map(str::to_owned),
            display_name: fields.text("displayName", report).filter(|name| !name.trim().is_empty()).map(str::to_owned),
            labels: fields.texts("labels", true, report),
            annotations: fields.texts("annotations", false, report),
            path: fields.path("annotations"),
        };
        fields.finish(report);
        metadata
    }

    /// The value of one of our annotations, and its path.
    pub(super) fn annotation(&self, name: &str) -> Option<(&str, String)> {
        let value = self.annotations.get(name)?.first()?;
        Some((value, format!("{}.{name}", self.path)))
    }

    /// What `read` makes of an annotation; why it cannot is a fault.
    pub(super) fn read_annotation<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>, report: &mut Report) -> Option<T> {
        let (value, path) = self.annotation(name)?;
        read(value.trim()).map_err(|reason| report.fault(&path, reason)).ok()
    }

    /// Warns of annotations that begin like ours and are not among `known`.
    pub(super) fn warn_of_unknown(&self, known: &[&str], report: &mut Report) {
        for name in self.annotations.keys().filter(|name| name.starts_with(OWN) && !known.contains(&name.as_str())) {
            report.warn(&format!("{}.{name}", self.path), "unknown annotation; it is kept and has no effect");
        }
    }
}

impl Naming {
    fn reason_against(self, name: &str) -> Option<String> {
        match self {
            Self::Label if !is_dns_label(name) => {
                Some(format!("a name has 1 to {MAX_NAME} of a–z, 0–9 and -, and begins and ends with a letter or digit (RFC 1123)"))
            }
            Self::Free
                if name.len() > MAX_FREE_NAME || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || br"-_.|/\".contains(&byte)) =>
            {
                Some(format!(r"a name has 1 to {MAX_FREE_NAME} of letters, digits and - _ . | / \"))
            }
            _ => None,
        }
    }
}

fn is_dns_label(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(inside) && !name.starts_with('-') && !name.ends_with('-')
}

/// Reads `description`.
pub(super) fn description(spec: &mut Fields<'_>, report: &mut Report) -> String {
    let text = spec.text("description", report).unwrap_or_default();
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        report.fault(&spec.path("description"), format!("has {length} characters; at most {MAX_DESCRIPTION} are allowed"));
    }
    text.to_owned()
}
