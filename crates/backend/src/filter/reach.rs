//! How much of a record a filter looks at.

use std::collections::{BTreeSet, HashSet};

use slowburn_domain::span::Value;

use super::Field;
use super::matcher::{Condition, Term};
use super::names::Scope;

/// What a filter may look at; the rest of a record changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Named fields.
    pub fields: HashSet<Field>,
    /// Keys of attributes; `None` when any of them.
    pub attributes: Option<BTreeSet<String>>,
    /// Whether attributes of the resource are looked at.
    pub resource: bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self { fields: HashSet::new(), attributes: Some(BTreeSet::new()), resource: false }
    }
}

impl Reach {
    /// Whether service, operation, kind and status are all.
    pub fn is_operation_only(&self) -> bool {
        let known = [Field::Service, Field::Operation, Field::Kind, Field::Status];
        !self.resource && self.attributes.as_ref().is_some_and(BTreeSet::is_empty) && self.fields.iter().all(|field| known.contains(field))
    }

    fn attribute(&mut self, scope: Scope, key: Option<&str>) {
        match (scope, key) {
            (Scope::Resource, _) => self.resource = true,
            (Scope::Attributes, None) => self.attributes = None,
            (Scope::Attributes, Some(key)) => {
                if let Some(keys) = &mut self.attributes {
                    keys.insert(key.to_owned());
                }
            }
        }
    }
}

impl Condition {
    /// Adds what this condition looks at.
    pub(super) fn look(&self, reach: &mut Reach) {
        match self {
            Self::Constant(_) => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.look(reach)),
            Self::Not(part) => part.look(reach),
            Self::Choose(parts) => parts.iter().for_each(|part| part.look(reach)),
            Self::Compare { left, right, .. } => {
                left.look(reach);
                right.look(reach);
            }
            Self::OneOf { value, options } => {
                value.look(reach);
                options.iter().for_each(|option| option.look(reach));
            }
            Self::OneOfTexts { value, .. } | Self::Present(value) | Self::Flag(value) => value.look(reach),
            Self::ElementOf { value, collection } => {
                value.look(reach);
                collection.look(reach);
            }
            Self::HasKey { scope, key } => {
                key.look(reach);
                let constant = if let Term::Value(Value::String(key)) = key { Some(key.as_str()) } else { None };
                reach.attribute(*scope, constant);
            }
            Self::Search { subject, part, .. } => {
                subject.look(reach);
                part.look(reach);
            }
            Self::Matches { subject, .. } => subject.look(reach),
            Self::Filter(filter) => filter.condition().look(reach),
        }
    }
}

impl Term {
    fn look(&self, reach: &mut Reach) {
        match self {
            Self::Value(_) | Self::TraceId(_) => {}
            Self::Field(field) => {
                reach.fields.insert(*field);
            }
            Self::Attribute(scope, key) => reach.attribute(*scope, Some(key)),
            Self::Key(of, _) | Self::Element(of, _) | Self::Size(of) => of.look(reach),
            Self::Choose(parts) => {
                let (when, then, otherwise) = &**parts;
                when.look(reach);
                then.look(reach);
                otherwise.look(reach);
            }
            Self::Truth(condition) => condition.look(reach),
        }
    }
}
