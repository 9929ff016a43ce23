//! What is being read out of one request: its good records, the faults of the others, and the weight of it all. A bad record is
//! refused by name and its neighbours are kept; a request that would swell beyond bounds is refused as a whole, before it
//! does.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1 as proto_logs;
use opentelemetry_proto::tonic::metrics::v1 as proto_metrics;
use opentelemetry_proto::tonic::trace::v1 as proto;
use slowburn_domain::log::LogRecord;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::{Source, Value};
use slowburn_domain::time::Timestamp;

use super::records::Records;
use super::redaction::Redactor;
use super::series::SeriesGuard;
use super::{Refusal, Rejected, log, metric, span};

/// How many faults are told apart in a reason; the rest is only counted.
const TOLD_FAULTS: usize = 5;
/// How many faults are listed one by one in an answer that has a place for that.
const LISTED_FAULTS: usize = 1_000;
/// In memory a request may take this many times the bytes it may have on the wire. Spans as SDKs send them take three to
/// eight times their bytes.
pub(super) const SWELLING: usize = 8;
/// A resource up to this weight burdens nobody.
const LIGHT_RESOURCE: usize = 16 << 10;

/// Faults of single records.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    count: u64,
    told: Vec<String>,
    by_field: Vec<Rejected>,
}

impl Faults {
    /// Files a fault that costs `records` records.
    pub(super) fn add(&mut self, records: u64, told: impl FnOnce() -> String) {
        self.count += records;
        if records > 0 && self.told.len() < TOLD_FAULTS {
            self.told.push(told());
        }
    }

    /// Files a fault of the record `index` under its field.
    fn add_field(&mut self, index: usize, field: &str, reason: String) {
        self.add(1, || format!("record {index}: {field}: {reason}"));
        if self.by_field.len() < LISTED_FAULTS {
            self.by_field.push(Rejected { index, field: field.to_owned(), reason });
        }
    }

    /// Takes out what was filed under fields.
    pub(super) fn take_by_field(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.by_field)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn into_reason(self) -> String {
        let told = self.told.join("; ");
        if self.count > TOLD_FAULTS as u64 { format!("{told}; {} records in all", self.count) } else { told }
    }
}

/// Attributes of a resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    attributes: Vec<(String, Value)>,
    weight: usize,
}

impl Resource {
    /// What it adds to the weight of each of its spans: whoever encodes them reads it again with every one.
    pub(super) const fn burden(&self) -> usize {
        self.weight.saturating_sub(LIGHT_RESOURCE)
    }
}

/// What has been read so far.
pub(super) struct Intake<'a> {
    pub(super) records: Records,
    pub(super) faults: Faults,
    /// Values replaced in resources.
    pub(super) redacted: u64,
    pub(super) weight: usize,
    heaviest: usize,
    limit: usize,
    now: Timestamp,
    redactor: &'a Redactor,
    series: &'a SeriesGuard,
    slot: i32,
}

impl<'a> Intake<'a> {
    /// Nothing yet, of a request that may have `limit` bytes and arrives in `slot`.
    pub(super) fn new(signal: Telemetry, limit: usize, now: Timestamp, redactor: &'a Redactor, series: &'a SeriesGuard, slot: i32) -> Self {
        Self {
            records: Records::none(signal),
            faults: Faults::default(),
            redacted: 0,
            weight: 0,
            heaviest: limit.saturating_mul(SWELLING),
            limit,
            now,
            redactor,
            series,
            slot,
        }
    }

    /// The most that the parts of a request may weigh.
    pub(super) const fn heaviest(&self) -> usize {
        self.heaviest
    }

    /// Adds the weight of a part that is about to be decoded.
    pub(super) fn weigh(&mut self, weight: usize) -> Result<(), Refusal> {
        self.weight = self.weight.saturating_add(weight);
        if self.is_too_heavy() { Err(self.too_heavy()) } else { Ok(()) }
    }

    /// True once more was weighed than a request may weigh.
    pub(super) const fn is_too_heavy(&self) -> bool {
        self.weight > self.heaviest
    }

    /// Why what is too heavy is refused.
    pub(super) const fn too_heavy(&self) -> Refusal {
        Refusal::TooHeavy { limit: self.limit, heaviest: self.heaviest }
    }

    /// Attributes of a resource, cleaned, that weighed so much.
    pub(super) fn resource(&mut self, attributes: Vec<KeyValue>, weight: usize) -> Resource {
        let mut attributes = span::attributes(attributes);
        self.redacted += self.redactor.attributes(&mut attributes);
        Resource { attributes, weight }
    }

    /// What the spans of a resource and scope share: its own copy of the resource, weighed again.
    pub(super) fn source(&mut self, resource: &Resource, scope_name: String, scope_version: String) -> Result<Arc<Source>, Refusal> {
        self.weigh(resource.weight)?;
        Ok(span::source(resource.attributes.clone(), scope_name, scope_version))
    }

    /// The instant that times are compared with.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Cleans attributes of a resource.
    pub(super) fn clean_resource(&mut self, attributes: &mut [(String, Value)]) {
        self.redacted += self.redactor.attributes(attributes);
    }

    /// Takes a log record.
    pub(super) fn log(&mut self, record: LogRecord) {
        if let Records::Logs(records) = &mut self.records {
            records.push(record);
        }
    }

    /// Files what is wrong with the record `index` under its field.
    pub(super) fn refuse(&mut self, index: usize, field: &str, reason: String) {
        self.faults.add_field(index, field, reason);
    }

    /// Takes a log record of OTLP, or files what is wrong with it under the path that `path` makes of its field.
    pub(super) fn otlp_log(&mut self, record: proto_logs::LogRecord, source: &Arc<Source>, path: impl FnOnce(&str) -> String) {
        match log::record(record, source, self.now) {
            Ok(record) => self.log(record),
            Err((field, reason)) => self.faults.add(1, || format!("{}: {reason}", path(field))),
        }
    }

    /// Takes the points of a metric of OTLP, or files what is wrong with them. `position` tells where each of them stood in the
    /// list, and `path` makes a path of a field.
    pub(super) fn metric(
        &mut self,
        mut metric: proto_metrics::Metric,
        source: &Arc<Source>,
        position: impl Fn(usize) -> usize,
        path: impl Fn(&str) -> String,
    ) {
        // A metric without a form has no points.
        let Some(data) = metric.data.take() else { return };
        let (form, points) = metric::list(&data);
        let stream = match metric::stream(&mut metric, &data, source) {
            Ok(stream) => stream,
            Err((field, reason)) => {
                let field = if field == "name" { path(field) } else { path(&format!("{form}.{field}")) };
                self.faults.add(points as u64, || format!("{field}: {reason}"));
                return;
            }
        };
        for (index, mut draft) in metric::drafts(data).into_iter().enumerate() {
            let mut attributes = draft.attributes();
            self.redacted += self.redactor.attributes(&mut attributes);
            let place = |field: &str| path(&format!("{form}.data_points[{}]{field}", position(index)));
            let (point, series) = match draft.point(attributes, &stream, self.now) {
                Ok(point) => point,
                Err((field, reason)) => {
                    self.faults.add(1, || format!("{}: {reason}", place(&format!(".{field}"))));
                    continue;
                }
            };
            if let Err(reason) = self.series.admit(self.slot, stream.service(), stream.name(), series.id) {
                self.faults.add(1, || format!("{}: {reason}", place("")));
                continue;
            }
            if let Records::Metrics(records) = &mut self.records {
                records.series.entry(series.id).or_insert_with(|| Arc::new(series));
                records.points.push(point);
            }
        }
    }

    /// Takes a span, or files what is wrong with it under the path that `path` makes of its field.
    pub(super) fn span(&mut self, span: proto::Span, source: &Arc<Source>, path: impl FnOnce(&str) -> String) {
        match span::span(span, source, self.now) {
            Ok(span) => {
                if let Records::Spans(spans) = &mut self.records {
                    spans.push(span);
                }
            }
            Err((field, reason)) => self.faults.add(1, || format!("{}: {reason}", path(field))),
        }
    }
}
