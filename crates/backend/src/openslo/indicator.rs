//! The indicator of an SLO: which events count, and which of them are good. The kinds `SLI` and `DataSource`.
//!
//! A source that we cannot read is kept whatever it says: as two sides, as a ready ratio, or as a value with a threshold.

use super::fields::{Fields, Report};
use super::library::Context;
use super::metadata::{Metadata, Naming, description};
use super::yaml::Node;
use super::{IndicatorSource, prometheus};
use crate::filter::{Filter, Signal};

/// Our own `metricSource.type`, compared without case.
const OWN_TYPE: &str = "slowburn";
const NO_THRESHOLD: &str = "is not supported; ratioMetric is. For latency, count spans as good with a filter like duration_ms < 300";
const NO_RAW: &str = "raw ratios are not supported; good or bad, with total, are";

const NO_NAME: &str = "must name one metric, such as name == \"http.server.request.duration\" && service == \"checkout\"";

const ONE_SOURCE: &str = "both sides of a ratio must come from one source";

/// One `metricSource`.
enum Source {
    Records(Filter),
    Prometheus(prometheus::Side),
    Unknown(String),
}

/// A document of kind DataSource.
pub(super) struct DataSource<'c> {
    kind: &'c str,
    details: Option<&'c Node>,
}

/// Reads an indicator: a document of kind SLI, or `indicator` of an SLO. `None` when there are faults.
pub(super) fn read<'c>(mut indicator: Fields<'c>, context: &Context<'c>, report: &mut Report) -> Option<IndicatorSource> {
    let is_document = indicator.is_document();
    if is_document {
        Metadata::read(&mut indicator, Naming::Free, report);
    } else {
        // An inline indicator may have a name of its own; nothing refers to it.
        indicator.get("metadata");
    }
    indicator.get("kind");
    indicator.get("apiVersion");
    let spec = indicator.required_map("spec", report);
    indicator.finish(report);
    let mut spec = spec?;
    if is_document {
        description(&mut spec, report);
    } else {
        spec.get("description");
    }
    if spec.get("thresholdMetric").is_some() {
        let path = spec.path("thresholdMetric");
        spec.pass_over("ratioMetric", "has no effect beside thresholdMetric", report);
        let metric = spec.map("thresholdMetric", report);
        spec.finish(report);
        return read_foreign(metric?, &path, NO_THRESHOLD, context, report);
    }
    let ratio = spec.required_map("ratioMetric", report);
    spec.finish(report);
    read_ratio(ratio?, context, report)
}

/// Reads a document of kind DataSource.
pub(super) fn read_data_source<'c>(mut source: Fields<'c>, report: &mut Report) -> Option<DataSource<'c>> {
    source.get("apiVersion");
    source.get("kind");
    Metadata::read(&mut source, Naming::Free, report);
    let spec = source.required_map("spec", report);
    source.finish(report);
    let mut spec = spec?;
    description(&mut spec, report);
    let kind = spec.required_text("type", report);
    let details = spec.get("connectionDetails");
    let details_path = spec.path("connectionDetails");
    spec.finish(report);
    let kind = kind?;
    // Another source may want whatever it wants.
    if prometheus::is_prometheus(kind) {
        prometheus::check_details(details, &details_path, report);
    }
    Some(DataSource { kind, details })
}

/// A metric that only a source of another type can have.
fn read_foreign<'c>(
    mut metric: Fields<'c>,
    path: &str,
    reason: &str,
    context: &Context<'c>,
    report: &mut Report,
) -> Option<IndicatorSource> {
    let Some(mut source) = metric.map("metricSource", report) else {
        report.fault(path, reason);
        return None;
    };
    metric.finish(report);
    let type_path = source.path("type");
    let (kind, _) = read_type(&mut source, context, report)?;
    if kind.eq_ignore_ascii_case(OWN_TYPE) {
        report.fault(path, reason);
        return None;
    }
    if prometheus::is_prometheus(kind) {
        let reason = "of prometheus ratioMetric with total and good or bad can be measured; the SLO is kept and shown as unmeasured";
        report.warn(path, reason);
        return Some(IndicatorSource::Unknown { kind: kind.to_owned() });
    }
    Some(unmeasured(kind.to_owned(), &type_path, report))
}

fn unmeasured(kind: String, path: &str, report: &mut Report) -> IndicatorSource {
    report.warn(path, format!("{kind} is not a source we can read; the SLO is kept and shown as unmeasured"));
    IndicatorSource::Unknown { kind }
}

fn read_ratio<'c>(mut ratio: Fields<'c>, context: &Context<'c>, report: &mut Report) -> Option<IndicatorSource> {
    ratio.flag("counter", report);
    let has_raw = ratio.get("raw").is_some();
    let raw_path = ratio.path(if has_raw { "raw" } else { "rawType" });
    let has_raw_type = ratio.get("rawType").is_some();
    if let Some(word) = ratio.text("rawType", report).filter(|word| !["success", "failure"].contains(word)) {
        report.fault(&ratio.path("rawType"), format!("{word} is neither success nor failure"));
    }
    let raw = ratio.map("raw", report);
    let is_given = [ratio.get("good").is_some(), ratio.get("bad").is_some()];
    if let Some(raw) = raw {
        let is_two_sided = is_given.contains(&true) || ratio.get("total").is_some();
        ratio.finish(report);
        if is_two_sided {
            report.fault(&raw_path, "a ratio is either raw, or made of good or bad with total");
            return None;
        }
        if !has_raw_type {
            report.fault(&raw_path.replace(".raw", ".rawType"), "is required with raw: success or failure");
        }
        return read_foreign(raw, &raw_path, NO_RAW, context, report);
    }
    if has_raw_type {
        report.fault(&raw_path, NO_RAW);
    }
    let part_path = ratio.path(if is_given[1] { "bad" } else { "good" });
    let good = ratio.map("good", report).map(|metric| read_metric(metric, context, report));
    let bad = ratio.map("bad", report).map(|metric| read_metric(metric, context, report));
    let total_path = ratio.path("total");
    let total = ratio.required_map("total", report).map(|metric| read_metric(metric, context, report));
    match is_given {
        [true, true] => report.fault(&part_path, "either good or bad is given, not both"),
        [false, false] => report.fault(&part_path, "good or bad is required"),
        _ => {}
    }
    ratio.finish(report);
    let (part, is_good) = match (good, bad) {
        (Some(good), None) => (good?, true),
        (None, Some(bad)) => (bad?, false),
        _ => return None,
    };
    match (total??, part) {
        (Source::Records(total), Source::Records(_)) if total.signal() == Signal::Metrics && total.requirements().name.is_none() => {
            report.fault(&format!("{total_path}.metricSource.spec.filter"), NO_NAME);
            None
        }
        (Source::Records(total), Source::Records(part)) if total.signal() == part.signal() => {
            let good = if is_good { total.and(&part) } else { total.except(&part) };
            Some(IndicatorSource::Records { total, good, part, is_good })
        }
        (Source::Prometheus(total), Source::Prometheus(part)) => prometheus::join(total, part, is_good, report).or_else(|| {
            report.fault(&format!("{part_path}.metricSource.metricSourceRef"), ONE_SOURCE);
            None
        }),
        (Source::Unknown(kind), Source::Unknown(other)) if kind.eq_ignore_ascii_case(&other) => {
            Some(unmeasured(kind, &format!("{total_path}.metricSource.type"), report))
        }
        _ => {
            report.fault(&format!("{part_path}.metricSource.type"), ONE_SOURCE);
            None
        }
    }
}

/// The type of a `metricSource`: as it says itself, or as the data source does that it refers to, with the name and details of
/// that.
fn read_type<'c>(
    source: &mut Fields<'c>,
    context: &Context<'c>,
    report: &mut Report,
) -> Option<(&'c str, Option<prometheus::DataSource<'c>>)> {
    if source.get("metricSourceRef").is_none() {
        return Some((source.required_text("type", report)?, None));
    }
    let (path, type_path) = (source.path("metricSourceRef"), source.path("type"));
    let given = source.text("type", report);
    let name = source.required_text("metricSourceRef", report)?;
    let DataSource { kind, details } = context.resolve(("DataSource", name), &path, report, read_data_source)??;
    if let Some(given) = given.filter(|given| !given.eq_ignore_ascii_case(kind)) {
        report.fault(&type_path, format!("is {given}, and DataSource {name} is of type {kind}"));
        return None;
    }
    Some((kind, Some(prometheus::DataSource { name, details })))
}

fn read_metric<'c>(mut metric: Fields<'c>, context: &Context<'c>, report: &mut Report) -> Option<Source> {
    let source = metric.required_map("metricSource", report);
    metric.finish(report);
    let mut source = source?;
    let (kind, data_source) = read_type(&mut source, context, report)?;
    if prometheus::is_prometheus(kind) {
        return Some(Source::Prometheus(prometheus::read_side(source, kind, data_source.as_ref(), report)));
    }
    if !kind.eq_ignore_ascii_case(OWN_TYPE) {
        return Some(Source::Unknown(kind.to_owned()));
    }
    let spec = source.required_map("spec", report);
    source.finish(report);
    let mut spec = spec?;
    let signal = spec.required_text("signal", report);
    let signal_path = spec.path("signal");
    let filter = spec.required_text("filter", report);
    let filter_path = spec.path("filter");
    spec.finish(report);
    let word = signal?;
    let Some(signal) = Signal::from_word(word) else {
        report.fault(&signal_path, format!("{word} is not supported; spans, logs, metrics, events and heartbeats are"));
        return None;
    };
    match Filter::compile(filter?, signal) {
        Ok(filter) => Some(Source::Records(filter)),
        Err(error) => {
            report.fault(&filter_path, error.to_string());
            None
        }
    }
}
