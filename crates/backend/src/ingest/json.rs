//! OTLP's JSON form, read as it comes: the outer objects are walked, and only one span at a time is a tree. So a bad span
//! is refused by name, its neighbours are kept, and a text costs no more memory than the spans in it.

use std::fmt;

use opentelemetry_proto::tonic::trace::v1 as proto;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use slowburn_domain::query::FieldFault;

use super::Refusal;
use super::intake::{Intake, Resource};
use super::json_span;
use super::json_tree::Growth;

/// Reads an `ExportTraceServiceRequest`.
///
/// # Errors
/// It is not JSON, something above the spans is of another type, or it would take too much memory.
pub(super) fn read(message: &[u8], intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let growth = Growth::up_to(intake.heaviest());
    let mut reader = Reader { intake, growth, at: Place::Request, resource: Value::Null, resource_weight: 0, scopes: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_slice(message);
    let outcome = Walk { reader: &mut reader, place: Place::Request }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let Err(fault) = outcome else {
        let kept = reader.growth.kept;
        return intake.weigh(kept);
    };
    if reader.growth.is_over() || reader.intake.is_too_heavy() {
        return Err(reader.intake.too_heavy());
    }
    let reason = if fault.is_data() { fault.to_string() } else { format!("not JSON: {fault}") };
    Err(Refusal::Malformed(FieldFault::new(reader.at.to_string(), reason)))
}

/// Where in the request something stands.
#[derive(Clone, Copy)]
enum Place {
    Request,
    Resources,
    Resource(usize),
    Scopes(usize),
    Scope(usize, usize),
    Spans(usize, usize),
    Span(usize, usize, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => write!(f, "request"),
            Self::Resources => write!(f, "resourceSpans"),
            Self::Resource(r) => write!(f, "resourceSpans[{r}]"),
            Self::Scopes(r) => write!(f, "resourceSpans[{r}].scopeSpans"),
            Self::Scope(r, s) => write!(f, "resourceSpans[{r}].scopeSpans[{s}]"),
            Self::Spans(r, s) => write!(f, "resourceSpans[{r}].scopeSpans[{s}].spans"),
            Self::Span(r, s, i) => write!(f, "resourceSpans[{r}].scopeSpans[{s}].spans[{i}]"),
        }
    }
}

/// A scope and its spans, with their places in the list, until their resource is known: it may stand behind them.
struct Scope {
    place: Place,
    scope: Value,
    spans: Vec<(usize, proto::Span)>,
}

struct Reader<'a, 'b> {
    intake: &'a mut Intake<'b>,
    growth: Growth,
    at: Place,
    resource: Value,
    resource_weight: usize,
    scopes: Vec<Scope>,
}

impl Reader<'_, '_> {
    /// Takes a span of the scope that was begun last.
    fn span(&mut self, item: &Value, i: usize) {
        self.growth.keep(size_of::<proto::Span>());
        let path = self.at.to_string();
        match json_span::span(item, &path) {
            Ok(span) => self.scopes.last_mut().expect("spans stand in a scope").spans.push((i, span)),
            Err(fault) => self.intake.faults.add(1, || format!("{}: {}", fault.path, fault.reason)),
        }
    }

    /// Takes the spans of a resource, now that it has been read to its end.
    fn finish_resource(&mut self, r: usize) -> Result<(), Refusal> {
        let path = format!("resourceSpans[{r}].resource");
        let resource = json_span::resource(&std::mem::take(&mut self.resource), &path)
            .map(|attributes| self.intake.resource(attributes, std::mem::take(&mut self.resource_weight)));
        for Scope { place, scope, spans } in std::mem::take(&mut self.scopes) {
            let scope = json_span::scope(&scope, &format!("{place}.scope"));
            match (&resource, scope) {
                (Ok(resource), Ok(scope)) => self.take(resource, (scope.name, scope.version), place, spans)?,
                (Err(fault), _) => self.intake.faults.add(spans.len() as u64, || format!("{}: {}", fault.path, fault.reason)),
                (_, Err(fault)) => self.intake.faults.add(spans.len() as u64, || format!("{}: {}", fault.path, fault.reason)),
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        resource: &Resource,
        scope: (String, String),
        place: Place,
        spans: Vec<(usize, proto::Span)>,
    ) -> Result<(), Refusal> {
        if spans.is_empty() {
            return Ok(());
        }
        let source = self.intake.source(resource, scope.0, scope.1)?;
        for (i, span) in spans {
            self.intake.weigh(resource.burden())?;
            self.intake.span(span, &source, |field| format!("{place}.spans[{i}].{}", camel_case(field)));
        }
        Ok(())
    }
}

/// A field's name as JSON has it.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}

/// Walks what stands at `place`.
struct Walk<'r, 'a, 'b> {
    reader: &'r mut Reader<'a, 'b>,
    place: Place,
}

impl<'a, 'b> Walk<'_, 'a, 'b> {
    fn inner(&mut self, place: Place) -> Walk<'_, 'a, 'b> {
        Walk { reader: &mut *self.reader, place }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.reader.at = self.place;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Request => f.write_str("an object with resourceSpans"),
            Place::Resources | Place::Scopes(..) | Place::Spans(..) => f.write_str("a list"),
            Place::Resource(..) | Place::Scope(..) | Place::Span(..) => f.write_str("an object"),
        }
    }

    /// A list that is null is as good as absent.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.place {
            Place::Resources | Place::Scopes(..) | Place::Spans(..) => Ok(()),
            _ => Err(E::custom("expected an object")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        match self.place {
            Place::Request | Place::Resource(_) => {}
            Place::Scope(..) => self.reader.scopes.push(Scope { place: self.place, scope: Value::Null, spans: Vec::new() }),
            _ => return Err(A::Error::custom("expected a list")),
        }
        while let Some(key) = map.next_key::<String>()? {
            match (self.place, key.as_str()) {
                (Place::Request, "resourceSpans") => map.next_value_seed(self.inner(Place::Resources))?,
                (Place::Resource(r), "scopeSpans") => map.next_value_seed(self.inner(Place::Scopes(r)))?,
                (Place::Scope(r, s), "spans") => map.next_value_seed(self.inner(Place::Spans(r, s)))?,
                (Place::Resource(_), "resource") => {
                    let before = self.reader.growth.kept;
                    self.reader.resource = map.next_value_seed(self.reader.growth.begin_part())?;
                    self.reader.resource_weight = self.reader.growth.kept - before;
                }
                (Place::Scope(..), "scope") => {
                    let scope = map.next_value_seed(self.reader.growth.begin_part())?;
                    self.reader.scopes.last_mut().expect("pushed above").scope = scope;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.reader.at = self.place;
        }
        match self.place {
            Place::Resource(r) => self.reader.finish_resource(r).map_err(A::Error::custom),
            _ => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for index in 0.. {
            let is_there = match self.place {
                Place::Resources => seq.next_element_seed(self.inner(Place::Resource(index)))?.is_some(),
                Place::Scopes(r) => seq.next_element_seed(self.inner(Place::Scope(r, index)))?.is_some(),
                Place::Spans(r, s) => {
                    self.reader.at = Place::Span(r, s, index);
                    let item = seq.next_element_seed(self.reader.growth.begin_part())?;
                    item.map(|item| self.reader.span(&item, index)).is_some()
                }
                _ => return Err(A::Error::custom("expected an object")),
            };
            if !is_there {
                break;
            }
        }
        Ok(())
    }
}
