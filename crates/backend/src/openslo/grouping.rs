//! SLOs with a budget for each value: by the annotations `slowburn.dev/group-by` and `slowburn.dev/group-cap`.

use slowburn_domain::slo::{DEFAULT_CAP, HIGHEST_CAP};

use super::fields::Report;
use super::metadata::Metadata;
use super::{GroupBy, IndicatorSource};
use crate::filter::{Expression, Signal};

/// What tells the group of an event, in CEL: `attributes["http.route"]`.
pub(super) const GROUP_BY: &str = "slowburn.dev/group-by";
/// Most groups that values get.
pub(super) const GROUP_CAP: &str = "slowburn.dev/group-cap";

/// How the events of all `sources` of a document are grouped; `None` without the annotation or with faults.
pub(super) fn read<'s>(
    metadata: &Metadata,
    sources: impl IntoIterator<Item = &'s IndicatorSource>,
    report: &mut Report,
) -> Option<GroupBy> {
    let cap = metadata.read_annotation(GROUP_CAP, cap, report);
    let Some((text, path)) = metadata.annotation(GROUP_BY) else {
        if let Some((_, path)) = metadata.annotation(GROUP_CAP) {
            report.fault(&path, format!("has no effect without {GROUP_BY}"));
        }
        return None;
    };
    let mut signals = Vec::new();
    for source in sources {
        match source {
            IndicatorSource::Records { total, .. } if total.signal() == Signal::Metrics => {
                report.fault(&path, "events of a metric are not grouped; write an SLO for each value of the attribute");
                return None;
            }
            IndicatorSource::Records { total, .. } => signals.push(total.signal()),
            IndicatorSource::Composite { .. } => {
                report.fault(&path, "an SLO made of others has no events of its own to group; group those that it is made of");
                return None;
            }
            IndicatorSource::Prometheus(_) => {
                report.fault(&path, "counters of a Prometheus cannot be grouped here; write an SLO for each value of the label");
                return None;
            }
            IndicatorSource::Unknown { kind } => {
                report.fault(&path, format!("events of {kind} cannot be grouped, as it is not a source we can read"));
                return None;
            }
        }
    }
    let signal = *signals.first()?;
    let by = Expression::compile(text.trim(), signal).map_err(|error| report.fault(&path, error.to_string())).ok()?;
    Some(GroupBy { by, cap: cap.unwrap_or(DEFAULT_CAP) })
}

fn cap(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(cap @ 1..=HIGHEST_CAP) => Ok(cap),
        _ => Err(format!("expected a whole number from 1 to {HIGHEST_CAP}, got {text}")),
    }
}
