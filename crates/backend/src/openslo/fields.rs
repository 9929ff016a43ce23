//! Reading a map field by field: knows its path, reports what is wrong, and at the end what nobody asked for.

use std::collections::{BTreeMap, HashSet};

use slowburn_domain::query::FieldFault;

use super::yaml::Node;

/// What was found wrong in one document.
pub(super) struct Report {
    /// Stands before every path; empty when there is only one document.
    prefix: String,
    pub(super) faults: Vec<FieldFault>,
    pub(super) warnings: Vec<FieldFault>,
    /// Kind and name of the documents that it refers to.
    pub(super) refers: Vec<(&'static str, String)>,
}

impl Report {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix, faults: Vec::new(), warnings: Vec::new(), refers: Vec::new() }
    }

    /// The document cannot be taken.
    pub(super) fn fault(&mut self, path: &str, reason: impl Into<String>) {
        self.faults.push(FieldFault::new(self.full(path), reason));
    }

    /// The document can be taken, but does not say what its author may think.
    pub(super) fn warn(&mut self, path: &str, reason: impl Into<String>) {
        self.warnings.push(FieldFault::new(self.full(path), reason));
    }

    fn full(&self, path: &str) -> String {
        match (self.prefix.as_str(), path) {
            ("", "") => "document".to_owned(),
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}.{path}"),
        }
    }
}

/// A map while it is read. A field without value counts as not given.
pub(super) struct Fields<'n> {
    path: String,
    pairs: &'n [(String, Node)],
    read: HashSet<&'static str>,
}

impl<'n> Fields<'n> {
    /// The outermost map.
    pub(super) fn of_document(node: &'n Node, report: &mut Report) -> Option<Self> {
        Self::of(node, String::new(), report)
    }

    /// The map at `path`.
    pub(super) fn of(node: &'n Node, path: String, report: &mut Report) -> Option<Self> {
        if let Node::Map(pairs) = node {
            return Some(Self { path, pairs, read: HashSet::new() });
        }
        report.fault(&path, format!("expected a map, got {}", node.kind()));
        None
    }

    /// Whether it is the outermost map.
    pub(super) const fn is_document(&self) -> bool {
        self.path.is_empty()
    }

    /// Path of one of its fields.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.read.insert(key);
        let found = self.pairs.iter().find(|(name, _)| name == key).map(|(_, node)| node);
        found.filter(|node| **node != Node::Null)
    }

    pub(super) fn text(&mut self, key: &'static str, report: &mut Report) -> Option<&'n str> {
        match self.get(key)? {
            Node::Text(text) => Some(text),
            other => self.wrong(key, "text", other, report),
        }
    }

    pub(super) fn required_text(&mut self, key: &'static str, report: &mut Report) -> Option<&'n str> {
        match self.get(key) {
            None => self.missing(key, report),
            Some(Node::Text(text)) if text.trim().is_empty() => {
                report.fault(&self.path(key), "must not be empty");
                None
            }
            Some(_) => self.text(key, report),
        }
    }

    pub(super) fn number(&mut self, key: &'static str, report: &mut Report) -> Option<f64> {
        match self.get(key)? {
            Node::Int(number) => Some(*number as f64),
            Node::Float(number) => Some(*number),
            other => self.wrong(key, "a number", other, report),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, report: &mut Report) -> Option<bool> {
        match self.get(key)? {
            Node::Bool(flag) => Some(*flag),
            other => self.wrong(key, "true or false", other, report),
        }
    }

    pub(super) fn list(&mut self, key: &'static str, report: &mut Report) -> Option<&'n [Node]> {
        match self.get(key)? {
            Node::List(nodes) => Some(nodes),
            other => self.wrong(key, "a list", other, report),
        }
    }

    pub(super) fn required_list(&mut self, key: &'static str, report: &mut Report) -> Option<&'n [Node]> {
        if self.get(key).is_some() { self.list(key, report) } else { self.missing(key, report) }
    }

    pub(super) fn map(&mut self, key: &'static str, report: &mut Report) -> Option<Self> {
        let path = self.path(key);
        Self::of(self.get(key)?, path, report)
    }

    pub(super) fn required_map(&mut self, key: &'static str, report: &mut Report) -> Option<Self> {
        if self.get(key).is_some() { self.map(key, report) } else { self.missing(key, report) }
    }

    /// A map of names to texts, or with `lists` to lists of texts. Other plain values are taken as their text.
    pub(super) fn texts(&mut self, key: &'static str, lists: bool, report: &mut Report) -> BTreeMap<String, Vec<String>> {
        let Some(Fields { path, pairs, .. }) = self.map(key, report) else { return BTreeMap::new() };
        let mut texts = BTreeMap::new();
        for (name, node) in pairs {
            let path = format!("{path}.{name}");
            let values = match node {
                Node::List(nodes) if lists => {
                    nodes.iter().enumerate().filter_map(|(index, node)| plain(node, &format!("{path}[{index}]"), report)).collect()
                }
                node => plain(node, &path, report).into_iter().collect(),
            };
            texts.insert(name.clone(), values);
        }
        texts
    }

    /// A fault if the field is given.
    pub(super) fn refuse(&mut self, key: &'static str, reason: &str, report: &mut Report) {
        if self.get(key).is_some() {
            report.fault(&self.path(key), reason);
        }
    }

    /// A warning if the field is given.
    pub(super) fn pass_over(&mut self, key: &'static str, reason: &str, report: &mut Report) {
        if self.get(key).is_some() {
            report.warn(&self.path(key), reason);
        }
    }

    /// Warns of every field that was not asked for.
    pub(super) fn finish(self, report: &mut Report) {
        for (name, _) in self.pairs.iter().filter(|(name, _)| !self.read.contains(name.as_str())) {
            report.warn(&self.path(name), "unknown field; it is kept and has no effect");
        }
    }

    fn missing<T>(&self, key: &str, report: &mut Report) -> Option<T> {
        report.fault(&self.path(key), "is required");
        None
    }

    fn wrong<T>(&self, key: &str, wanted: &str, got: &Node, report: &mut Report) -> Option<T> {
        report.fault(&self.path(key), format!("expected {wanted}, got {}", got.kind()));
        None
    }
}

fn plain(node: &Node, path: &str, report: &mut Report) -> Option<String> {
    let text = match node {
        Node::Text(text) => return Some(text.clone()),
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => value.to_string(),
        other => {
            report.fault(path, format!("expected text, got {}", other.kind()));
            return None;
        }
    };
    report.warn(path, format!("taken as the text {text:?}; quotes would say so"));
    Some(text)
}
