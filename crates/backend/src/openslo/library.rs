//! Documents that others refer to, by kind and name: those of the same text first, then those stored before.

use std::collections::BTreeMap;

use super::fields::{Fields, Report};
use super::yaml::{self, Node};

/// Kinds of documents, in the order in which they are exported.
const KINDS: [&str; 7] = ["AlertCondition", "AlertNotificationTarget", "AlertPolicy", "DataSource", "SLI", "SLO", "Service"];

/// Documents known before a text is read.
#[derive(Default)]
pub struct Library(BTreeMap<(&'static str, String), Node>);

impl Library {
    /// The documents in some texts. What cannot be read is left out; whoever refers to it is told that it is not there.
    pub fn new<'d>(texts: impl IntoIterator<Item = &'d str>) -> Self {
        let documents = texts.into_iter().filter_map(|text| yaml::split(text).ok()).flatten();
        let nodes = documents.filter_map(|document| document.read(&yaml::Budget::default()).ok());
        Self(nodes.filter_map(|node| key(&node).map(|(kind, name)| (kind, name.to_owned())).map(|key| (key, node))).collect())
    }
}

/// Our word for a kind.
pub(super) fn kind_named(word: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| *kind == word)
}

/// Every kind, for people.
pub(super) fn kinds() -> String {
    KINDS.join(", ")
}

/// Kind and name of a document.
pub(super) fn key(node: &Node) -> Option<(&'static str, &str)> {
    let kind = kind_named(text(node, "kind")?)?;
    Some((kind, text(member(node, "metadata")?, "name")?))
}

/// The value of a key of a map.
pub(super) fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Node::Map(pairs) = node else { return None };
    pairs.iter().find(|(key, _)| key == name).map(|(_, node)| node)
}

/// The same where it is a text.
pub(super) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    match member(node, name)? {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

/// What the documents of one text can refer to.
pub(super) struct Context<'c> {
    stored: &'c Library,
    own: BTreeMap<(&'static str, &'c str), &'c Node>,
}

impl<'c> Context<'c> {
    pub(super) fn new(stored: &'c Library, own: impl IntoIterator<Item = &'c Node>) -> Self {
        Self { stored, own: own.into_iter().filter_map(|node| key(node).map(|key| (key, node))).collect() }
    }

    /// What `read` makes of the document `name`, to which the field at `path` refers. `None` with a fault when it is not there
    /// or has faults itself.
    pub(super) fn resolve<T>(
        &self,
        (kind, name): (&'static str, &str),
        path: &str,
        report: &mut Report,
        read: impl FnOnce(Fields<'c>, &mut Report) -> T,
    ) -> Option<T> {
        let stored = || self.stored.0.get(&(kind, name.to_owned()));
        let Some(node) = self.own.get(&(kind, name)).copied().or_else(stored) else {
            report.fault(path, format!("there is no {kind} {name}, neither in this text nor stored"));
            return None;
        };
        report.refers.push((kind, name.to_owned()));
        let mut inner = Report::new(String::new());
        let result = Fields::of_document(node, &mut inner).map(|fields| read(fields, &mut inner));
        match inner.faults.first() {
            Some(fault) => {
                report.fault(path, format!("{kind} {name} cannot be used: {fault}"));
                None
            }
            None => result,
        }
    }
}
