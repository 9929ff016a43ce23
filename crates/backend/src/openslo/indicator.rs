//! The indicator of an SLO: which events count, and which of them are good.

use super::IndicatorSource;
use super::fields::{Fields, Report};
use crate::filter::{Filter, Signal};

/// Our own `metricSource.type`, compared without case.
const OWN_TYPE: &str = "slowburn";

/// One `metricSource`.
enum Source {
    Spans(Filter),
    Unknown(String),
}

/// Reads `indicator`. `None` when there are faults.
pub(super) fn read(mut indicator: Fields<'_>, report: &mut Report) -> Option<IndicatorSource> {
    // An inline indicator may have a name of its own; nothing refers to it.
    indicator.get("metadata");
    indicator.get("kind");
    indicator.get("apiVersion");
    let spec = indicator.required_map("spec", report);
    indicator.finish(report);
    let mut spec = spec?;
    spec.get("description");
    spec.refuse(
        "thresholdMetric",
        "is not supported; ratioMetric is. For latency, count spans as good with a filter like duration_ms < 300",
        report,
    );
    let is_threshold = spec.get("thresholdMetric").is_some();
    let ratio = if is_threshold { spec.map("ratioMetric", report) } else { spec.required_map("ratioMetric", report) };
    spec.finish(report);
    read_ratio(ratio?, report)
}

fn read_ratio(mut ratio: Fields<'_>, report: &mut Report) -> Option<IndicatorSource> {
    ratio.flag("counter", report);
    for key in ["raw", "rawType"] {
        ratio.refuse(key, "raw ratios are not supported; good or bad, with total, are", report);
    }
    let is_given = [ratio.get("good").is_some(), ratio.get("bad").is_some()];
    let part_path = ratio.path(if is_given[1] { "bad" } else { "good" });
    let good = ratio.map("good", report).map(|metric| read_metric(metric, report));
    let bad = ratio.map("bad", report).map(|metric| read_metric(metric, report));
    let total_path = ratio.path("total");
    let total = ratio.required_map("total", report).map(|metric| read_metric(metric, report));
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
        (Source::Spans(total), Source::Spans(part)) => {
            let good = if is_good { total.and(&part) } else { total.except(&part) };
            Some(IndicatorSource::Spans { total, good, part, is_good })
        }
        (Source::Unknown(kind), Source::Unknown(other)) if kind.eq_ignore_ascii_case(&other) => {
            let reason = format!("{kind} is not a source we can read; the SLO is kept and shown as unmeasured");
            report.warn(&format!("{total_path}.metricSource.type"), reason);
            Some(IndicatorSource::Unknown { kind })
        }
        _ => {
            report.fault(&format!("{part_path}.metricSource.type"), "both sides of a ratio must come from one source");
            None
        }
    }
}

fn read_metric(mut metric: Fields<'_>, report: &mut Report) -> Option<Source> {
    let source = metric.required_map("metricSource", report);
    metric.finish(report);
    let mut source = source?;
    source.refuse("metricSourceRef", "data sources are not supported; give type and spec here", report);
    if source.get("metricSourceRef").is_some() {
        return None;
    }
    let kind = source.required_text("type", report)?;
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
    match signal? {
        "spans" => {}
        other => {
            report.fault(&signal_path, format!("{other} is not supported; spans is"));
            return None;
        }
    }
    match Filter::compile(filter?, Signal::Spans) {
        Ok(filter) => Some(Source::Spans(filter)),
        Err(error) => {
            report.fault(&filter_path, error.to_string());
            None
        }
    }
}
