//! The kinds `AlertPolicy`, `AlertCondition` and `AlertNotificationTarget`, which become pairs of alert windows.
//!
//! A condition of OpenSLO has one window; ours have a short one beside it, which ends the alert soon after the trouble. Targets
//! are kept.

use slowburn_domain::slo::Tier;
use slowburn_domain::time::parse_duration;

use super::fields::{Fields, Report};
use super::library::Context;
use super::metadata::{Metadata, Naming, description};
use super::pairs::{SHORT_WINDOW, THRESHOLD_KIND, Typed, minutes, pair, threshold};
use super::yaml::Node;

/// The pairs of `spec.alertPolicies`, whose entries are policies or references to them.
pub(super) fn read_policies<'c>(spec: &mut Fields<'c>, context: &Context<'c>, report: &mut Report) -> Vec<Typed> {
    entries(spec, "alertPolicies", ("AlertPolicy", "alertPolicyRef"), context, report, |fields, report| policy(fields, context, report))
}

/// Reads a policy: a document, or one inside an SLO.
pub(super) fn policy<'c>(mut policy: Fields<'c>, context: &Context<'c>, report: &mut Report) -> Vec<Typed> {
    let Some(mut spec) = head(&mut policy, "AlertPolicy", report).1 else { return Vec::new() };
    policy.finish(report);
    if spec.flag("alertWhenBreaching", report) == Some(false) {
        report.warn(&spec.path("alertWhenBreaching"), "has no effect; a condition alerts as soon as it is met");
    }
    spec.flag("alertWhenResolved", report);
    spec.flag("alertWhenNoData", report);
    let typed = entries(&mut spec, "conditions", ("AlertCondition", "conditionRef"), context, report, condition);
    let targets = spec.path("notificationTargets");
    if spec.list("notificationTargets", report).is_some_and(|targets| !targets.is_empty()) {
        report.warn(&targets, "is kept; nothing is sent to notification targets");
    }
    entries(&mut spec, "notificationTargets", ("AlertNotificationTarget", "targetRef"), context, report, target);
    spec.finish(report);
    typed
}

/// Reads a condition: a document, or one inside a policy.
pub(super) fn condition(mut condition: Fields<'_>, report: &mut Report) -> Vec<Typed> {
    let (metadata, spec) = head(&mut condition, "AlertCondition", report);
    condition.finish(report);
    let Some(mut spec) = spec else { return Vec::new() };
    let severity_path = spec.path("severity");
    let tier = spec.required_text("severity", report).map(|word| tier(word, &severity_path, report));
    let inner = spec.required_map("condition", report);
    spec.finish(report);
    let Some(mut condition) = inner else { return Vec::new() };
    let kind = condition.text("kind", report).unwrap_or("burnrate");
    if !kind.eq_ignore_ascii_case("burnrate") {
        report.fault(&condition.path("kind"), format!("{kind} is not supported; burnrate is"));
    }
    match condition.text("op", report) {
        None | Some("gt" | "gte") => {}
        Some("lt" | "lte") => {
            report.warn(&condition.path("op"), "is taken as gte: an alert is about a burn rate that is reached or exceeded");
        }
        Some(other) => report.fault(&condition.path("op"), format!("{other} is none of lt, lte, gt and gte")),
    }
    let is_nothing = |text: &str| text.trim().trim_end_matches(char::is_alphabetic) == "0";
    let after = condition.text("alertAfter", report).filter(|text| !is_nothing(text)).map(parse_duration);
    match after {
        Some(Err(error)) => report.fault(&condition.path("alertAfter"), error.to_string()),
        Some(Ok(_)) => {
            report
                .warn(&condition.path("alertAfter"), "has no effect: the two windows ask for trouble that lasts, so nothing is waited for");
        }
        None => {}
    }
    let (threshold_path, window_path) = (condition.path("threshold"), condition.path("lookbackWindow"));
    if condition.get("threshold").is_none() {
        report.fault(&threshold_path, "is required");
    }
    let kind = metadata.read_annotation(THRESHOLD_KIND, |kind| threshold(kind, 1.0).map(|_| kind.to_owned()), report);
    let number = condition.number("threshold", report);
    let typed = number.and_then(|number| {
        threshold(kind.as_deref().unwrap_or("burn_rate"), number).map_err(|reason| report.fault(&threshold_path, reason)).ok()
    });
    let long = condition.required_text("lookbackWindow", report);
    let long = long.and_then(|text| minutes(text).map_err(|reason| report.fault(&window_path, reason)).ok());
    condition.finish(report);
    let short = metadata.read_annotation(SHORT_WINDOW, minutes, report);
    metadata.warn_of_unknown(&[THRESHOLD_KIND, SHORT_WINDOW], report);
    let (Some(tier), Some(typed), Some(long)) = (tier, typed, long) else { return Vec::new() };
    match pair(tier, typed, long, short) {
        Ok(pair) => vec![Typed { path: threshold_path, pair }],
        Err(reason) => {
            report.fault(&window_path, reason);
            Vec::new()
        }
    }
}

/// Reads a target: a document, or one inside a policy. It gives no pairs.
pub(super) fn target(mut target: Fields<'_>, report: &mut Report) -> Vec<Typed> {
    let spec = head(&mut target, "AlertNotificationTarget", report).1;
    target.finish(report);
    if let Some(mut spec) = spec {
        spec.required_text("target", report);
        spec.finish(report);
    }
    Vec::new()
}

/// What the three kinds have in common.
fn head<'n>(fields: &mut Fields<'n>, kind: &str, report: &mut Report) -> (Metadata, Option<Fields<'n>>) {
    fields.get("apiVersion");
    if let Some(other) = fields.text("kind", report).filter(|other| *other != kind) {
        report.fault(&fields.path("kind"), format!("expected {kind}, got {other}"));
    }
    let metadata = Metadata::read(fields, Naming::Free, report);
    let mut spec = fields.required_map("spec", report);
    if let Some(spec) = &mut spec {
        description(spec, report);
    }
    (metadata, spec)
}

/// The pairs of a list whose entries stand there or are referred to, as `{key: name}` or by the name alone. Those that are
/// referred to bear the path of the reference.
fn entries<'c>(
    fields: &mut Fields<'c>,
    list: &'static str,
    (kind, key): (&'static str, &'static str),
    context: &Context<'c>,
    report: &mut Report,
    read: impl Fn(Fields<'c>, &mut Report) -> Vec<Typed>,
) -> Vec<Typed> {
    let path = fields.path(list);
    let mut pairs = Vec::new();
    for (index, node) in fields.list(list, report).unwrap_or_default().iter().enumerate() {
        let path = format!("{path}[{index}]");
        let reference = match node {
            Node::Text(name) => Some((name.as_str(), path)),
            node => {
                let Some(mut entry) = Fields::of(node, path, report) else { continue };
                if entry.get(key).is_none() {
                    pairs.extend(read(entry, report));
                    continue;
                }
                let path = entry.path(key);
                let name = entry.required_text(key, report);
                entry.finish(report);
                name.map(|name| (name, path))
            }
        };
        let Some((name, path)) = reference else { continue };
        let found = context.resolve((kind, name), &path, report, &read).unwrap_or_default();
        pairs.extend(found.into_iter().map(|Typed { pair, .. }| Typed { path: path.clone(), pair }));
    }
    pairs
}

/// Whether somebody is called now.
fn tier(word: &str, path: &str, report: &mut Report) -> Tier {
    match word.to_ascii_lowercase().as_str() {
        "page" | "critical" | "high" => Tier::Page,
        "ticket" | "warning" | "medium" | "low" | "minor" | "info" => Tier::Ticket,
        _ => {
            report.warn(path, format!("{word:?} is taken as ticket; page, critical and high call somebody"));
            Tier::Ticket
        }
    }
}
