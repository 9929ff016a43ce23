//! OTLP's JSON form, read as it comes: the outer objects are walked, and only one record at a time is a tree. So a bad record
//! is refused by name, its neighbours are kept, and a text costs no more memory than the records in it.

use std::fmt;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1 as proto_metrics;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Telemetry;

use super::Refusal;
use super::intake::{Intake, Resource};
use super::json_tree::Growth;
use super::{json_log, json_metric, json_span, metric};

/// Reads an `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`: which of them, `intake` knows.
///
/// # Errors
/// It is not JSON, something above the records is of another type, or it would take too much memory.
pub(super) fn read(message: &[u8], intake: &mut Intake<'_>) -> Result<(), Refusal> {
    let growth = Growth::up_to(intake.heaviest());
    let names = names(intake.records.signal());
    let mut reader = Reader { intake, names, growth, at: Place::Request, resource: Value::Null, resource_weight: 0, scopes: Vec::new() };
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
    Err(Refusal::Malformed(FieldFault::new(reader.names.path(reader.at), reason)))
}

/// Where in the request something stands.
#[derive(Clone, Copy)]
enum Place {
    Request,
    Resources,
    Resource(usize),
    Scopes(usize),
    Scope(usize, usize),
    Records(usize, usize),
    Record(usize, usize, usize),
}

/// What the lists of a signal's requests are called.
#[derive(Clone, Copy)]
struct Names {
    resources: &'static str,
    scopes: &'static str,
    records: &'static str,
}

const fn names(signal: Telemetry) -> Names {
    match signal {
        Telemetry::Spans => Names { resources: "resourceSpans", scopes: "scopeSpans", records: "spans" },
        Telemetry::Logs => Names { resources: "resourceLogs", scopes: "scopeLogs", records: "logRecords" },
        Telemetry::Metrics => Names { resources: "resourceMetrics", scopes: "scopeMetrics", records: "metrics" },
    }
}

impl Names {
    fn path(self, place: Place) -> String {
        let Self { resources, scopes, records } = self;
        match place {
            Place::Request => "request".to_owned(),
            Place::Resources => resources.to_owned(),
            Place::Resource(r) => format!("{resources}[{r}]"),
            Place::Scopes(r) => format!("{resources}[{r}].{scopes}"),
            Place::Scope(r, s) => format!("{resources}[{r}].{scopes}[{s}]"),
            Place::Records(r, s) => format!("{resources}[{r}].{scopes}[{s}].{records}"),
            Place::Record(r, s, i) => format!("{resources}[{r}].{scopes}[{s}].{records}[{i}]"),
        }
    }
}

/// A record of OTLP.
enum Record {
    Span(Span),
    Log(LogRecord),
    Metric(proto_metrics::Metric, Vec<usize>),
}

/// A scope and its records, with their places in the list, until their resource is known: it may stand behind them.
struct Scope {
    place: Place,
    scope: Value,
    records: Vec<(usize, Record)>,
}

struct Reader<'a, 'b> {
    intake: &'a mut Intake<'b>,
    names: Names,
    growth: Growth,
    at: Place,
    resource: Value,
    resource_weight: usize,
    scopes: Vec<Scope>,
}

impl Reader<'_, '_> {
    /// Takes a record of the scope that was begun last.
    fn record(&mut self, item: &Value, i: usize) {
        self.growth.keep(size_of::<Record>());
        let path = self.names.path(self.at);
        let record = match self.intake.records.signal() {
            Telemetry::Spans => json_span::span(item, &path).map(Record::Span),
            Telemetry::Logs => json_log::record(item, &path).map(Record::Log),
            Telemetry::Metrics => json_metric::metric(item, &path).map(|json_metric::ReadMetric { metric, positions, faults }| {
                faults.into_iter().for_each(|fault| self.intake.faults.add(1, || format!("{}: {}", fault.path, fault.reason)));
                self.growth.keep(metric::weight(&metric));
                Record::Metric(metric, positions)
            }),
        };
        match record {
            Ok(record) => self.scopes.last_mut().expect("records stand in a scope").records.push((i, record)),
            Err(fault) => self.intake.faults.add(1, || format!("{}: {}", fault.path, fault.reason)),
        }
    }

    /// Takes the records of a resource, now that it has been read to its end.
    fn finish_resource(&mut self, r: usize) -> Result<(), Refusal> {
        let path = format!("{}.resource", self.names.path(Place::Resource(r)));
        let resource = json_span::resource(&std::mem::take(&mut self.resource), &path)
            .map(|attributes| self.intake.resource(attributes, std::mem::take(&mut self.resource_weight)));
        for Scope { place, scope, records } in std::mem::take(&mut self.scopes) {
            let scope = json_span::scope(&scope, &format!("{}.scope", self.names.path(place)));
            match (&resource, scope) {
                (Ok(resource), Ok(scope)) => self.take(resource, (scope.name, scope.version), place, records)?,
                (Err(fault), _) => self.intake.faults.add(count(&records), || format!("{}: {}", fault.path, fault.reason)),
                (_, Err(fault)) => self.intake.faults.add(count(&records), || format!("{}: {}", fault.path, fault.reason)),
            }
        }
        Ok(())
    }

    fn take(&mut self, resource: &Resource, scope: (String, String), place: Place, records: Vec<(usize, Record)>) -> Result<(), Refusal> {
        if records.is_empty() {
            return Ok(());
        }
        let source = self.intake.source(resource, scope.0, scope.1)?;
        let list = format!("{}.{}", self.names.path(place), self.names.records);
        for (i, record) in records {
            self.intake.weigh(resource.burden())?;
            let path = |field: &str| format!("{list}[{i}].{}", camel_case(field));
            match record {
                Record::Span(span) => self.intake.span(span, &source, path),
                Record::Log(record) => self.intake.otlp_log(record, &source, path),
                Record::Metric(metric, positions) => self.intake.metric(metric, &source, |index| positions[index], path),
            }
        }
        Ok(())
    }
}

/// What a sender counts: points of metrics, not metrics.
fn count(records: &[(usize, Record)]) -> u64 {
    let of = |(_, record): &(usize, Record)| if let Record::Metric(_, positions) = record { positions.len() as u64 } else { 1 };
    records.iter().map(of).sum()
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
            Place::Request => write!(f, "an object with {}", self.reader.names.resources),
            Place::Resources | Place::Scopes(..) | Place::Records(..) => f.write_str("a list"),
            Place::Resource(..) | Place::Scope(..) | Place::Record(..) => f.write_str("an object"),
        }
    }

    /// A list that is null is as good as absent.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.place {
            Place::Resources | Place::Scopes(..) | Place::Records(..) => Ok(()),
            _ => Err(E::custom("expected an object")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        match self.place {
            Place::Request | Place::Resource(_) => {}
            Place::Scope(..) => self.reader.scopes.push(Scope { place: self.place, scope: Value::Null, records: Vec::new() }),
            _ => return Err(A::Error::custom("expected a list")),
        }
        while let Some(key) = map.next_key::<String>()? {
            let names = self.reader.names;
            match (self.place, key.as_str()) {
                (Place::Request, key) if key == names.resources => map.next_value_seed(self.inner(Place::Resources))?,
                (Place::Resource(r), key) if key == names.scopes => map.next_value_seed(self.inner(Place::Scopes(r)))?,
                (Place::Scope(r, s), key) if key == names.records => map.next_value_seed(self.inner(Place::Records(r, s)))?,
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
                Place::Records(r, s) => {
                    self.reader.at = Place::Record(r, s, index);
                    let item = seq.next_element_seed(self.reader.growth.begin_part())?;
                    item.map(|item| self.reader.record(&item, index)).is_some()
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
