use slowburn_domain::slo::{AlertPairs, Alerting, Window};

use super::*;

/// How `CHECKOUT` alerts with more lines under `annotations` and under `spec`.
fn alerting(annotations: &str, spec: &str) -> Result<(Alerting, Vec<FieldFault>), Vec<FieldFault>> {
    let text = with("    example.com/wiki:", &format!("{annotations}    example.com/wiki:"));
    let text = text.replace("  service: checkout\n", &format!("  service: checkout\n{spec}"));
    parse(&text).map(|mut parsed| (parsed.definitions.remove(0).objective.alerting, parsed.warnings))
}

/// The pairs as people write them.
fn pairs(alerting: &Alerting) -> Vec<String> {
    let AlertPairs::Made(pairs) = &alerting.pairs else { panic!("{alerting:?}") };
    pairs.iter().map(ToString::to_string).collect()
}

/// A policy inside the SLO with one condition.
fn policy(annotations: &str, severity: &str, condition: &str) -> String {
    format!(
        "  alertPolicies:\n  - kind: AlertPolicy\n    metadata: {{name: fast}}\n    spec:\n      conditions:\n      - kind: AlertCondition\n        metadata: {{name: fast, annotations: {{{annotations}}}}}\n        spec: {{severity: {severity}, condition: {{{condition}}}}}\n"
    )
}

#[test]
fn b5_a_condition_becomes_a_pair_of_windows() {
    for (annotations, severity, condition, wanted) in [
        ("", "page", "kind: burnrate, threshold: 14.4, lookbackWindow: 1h", "page 14.4 over 1h/5m"),
        ("", "Critical", "threshold: 6, lookbackWindow: 6h, op: gte, alertAfter: 0m", "page 6 over 6h/30m"),
        ("", "warning", "threshold: 2, lookbackWindow: 5m", "ticket 2 over 5m/1m"),
        ("slowburn.dev/short-window: 10m", "page", "threshold: 14.4, lookbackWindow: 1h", "page 14.4 over 1h/10m"),
        ("slowburn.dev/threshold-kind: budget_percent", "ticket", "threshold: 20, lookbackWindow: 3d", "ticket 20% over 3d/6h"),
        ("slowburn.dev/threshold-kind: hours_left", "high", "threshold: 4, lookbackWindow: 1h", "page 4h left over 1h/5m"),
    ] {
        let (alerting, warnings) = alerting("", &policy(annotations, severity, condition)).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!((pairs(&alerting), warnings), (vec![wanted.to_owned()], vec![]), "{condition}");
    }
}

#[test]
fn b5_what_is_taken_otherwise_than_written_is_a_warning() {
    let condition = "threshold: 2, op: lte, lookbackWindow: 1h, alertAfter: 5m";
    let targets = "      notificationTargets: [{kind: AlertNotificationTarget, metadata: {name: mail}, spec: {target: email}}]\n";
    let (_, warnings) = alerting("", &format!("{}{targets}", policy("", "sev1", condition))).expect("taken");
    let at = "spec.alertPolicies[0].spec";
    for (field, reason) in [
        (format!("{at}.conditions[0].spec.severity"), "is taken as ticket"),
        (format!("{at}.conditions[0].spec.condition.op"), "is taken as gte"),
        (format!("{at}.conditions[0].spec.condition.alertAfter"), "nothing is waited for"),
        (format!("{at}.notificationTargets"), "nothing is sent"),
    ] {
        assert!(warnings.iter().any(|told| told.field == field && told.reason.contains(reason)), "{field}: {warnings:?}");
    }
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    let (slow, warnings) = alerting("", &policy("", "page", "threshold: 0.5, lookbackWindow: 1h")).expect("taken");
    assert_eq!(pairs(&slow), ["page 0.5 over 1h/5m"]);
    assert!(warnings[0].reason.contains("while the promise is still being kept"), "{warnings:?}");
}

#[test]
fn b5_conditions_that_make_no_sense_are_refused_with_their_field() {
    let at = "spec.alertPolicies[0].spec.conditions[0].spec.condition";
    for (annotations, condition, field, reason) in [
        ("", "threshold: 1001, lookbackWindow: 1h", "threshold", "a total outage burns at"),
        ("slowburn.dev/threshold-kind: budget_percent", "threshold: 200, lookbackWindow: 1h", "threshold", "which nothing can reach"),
        ("", "threshold: 2, lookbackWindow: 31d", "threshold", "longer than the SLO's window of 30d"),
        ("", "threshold: 0, lookbackWindow: 1h", "threshold", "more than 0"),
        ("", "lookbackWindow: 1h", "threshold", "is required"),
        ("", "threshold: 2, lookbackWindow: 90s", "lookbackWindow", "whole number of minutes"),
        ("", "threshold: 2", "lookbackWindow", "is required"),
        ("slowburn.dev/short-window: 2h", "threshold: 2, lookbackWindow: 1h", "lookbackWindow", "longer than the long one"),
        ("slowburn.dev/threshold-kind: hours_left", "threshold: 721, lookbackWindow: 1h", "threshold", "more hours than"),
        ("", "threshold: 2, lookbackWindow: 1h, kind: anomaly", "kind", "burnrate is"),
        ("", "threshold: 2, lookbackWindow: 1h, op: eq", "op", "none of lt"),
        ("", "threshold: 2, lookbackWindow: 1h, alertAfter: soon", "alertAfter", "expected a duration"),
    ] {
        let faults = alerting("", &policy(annotations, "page", condition)).expect_err(condition);
        let told = faults.len() == 1 && faults[0].field == format!("{at}.{field}") && faults[0].reason.contains(reason);
        assert!(told, "{condition}: {faults:?}");
    }
}

#[test]
fn b5_pairs_can_be_written_in_an_annotation() {
    let wanted = ["page 14.4 over 1h/5m", "page 4h left over 2h/10m", "ticket 10% over 3d/6h"];
    let written = "    slowburn.dev/alert-pairs: ticket 10% over 3d/6h, page 14.4 over 1h/5m; page 4h left over 2h\n";
    assert_eq!(pairs(&alerting(written, "").expect("taken").0), wanted);
    let again = format!("    slowburn.dev/alert-pairs: {}\n", wanted.join(", "));
    assert_eq!(pairs(&alerting(&again, "").expect("taken").0), wanted, "what is shown can be written");
    for (text, reason) in [
        ("page 14.4 in 1h", "a pair is written"),
        ("call 14.4 over 1h", "neither page nor ticket"),
        ("page fast over 1h", "a pair is written"),
        ("page 14.4 over 1h/2h", "longer than the long one"),
        ("page 1001 over 1h", "which nothing can reach"),
        ("page 2 over 31d", "longer than the SLO's window"),
    ] {
        let faults = alerting(&format!("    slowburn.dev/alert-pairs: {text}\n"), "").expect_err(text);
        assert!(faults.len() == 1 && faults[0].field == "metadata.annotations.slowburn.dev/alert-pairs", "{faults:?}");
        assert!(faults[0].reason.contains(reason), "{faults:?}");
    }
}

#[test]
fn b5_preset_and_floor_are_chosen_by_annotation() {
    let of = |annotation: &str| alerting(&format!("    slowburn.dev/{annotation}\n"), "");
    assert_eq!(of("alert-preset: 7d").expect("taken").0.pairs, AlertPairs::Preset(Window::days(7)));
    assert_eq!(of("alert-preset: none").expect("taken").0.pairs, AlertPairs::Made(Vec::new()));
    assert_eq!(of("min-bad-events: '5'").expect("taken").0, Alerting { pairs: AlertPairs::Nearest, fewest_bad: 5 });
    assert_eq!(alerting("", "").expect("taken").0, Alerting::default());
    for (annotation, reason) in [("alert-preset: 8d", "7d, 28d, 30d, 90d and none are"), ("min-bad-events: '0'", "from 1 on")] {
        let faults = of(annotation).expect_err(annotation);
        assert!(faults[0].field.starts_with("metadata.annotations.slowburn.dev/") && faults[0].reason.contains(reason), "{faults:?}");
    }
    let both = alerting("    slowburn.dev/alert-preset: 7d\n    slowburn.dev/alert-pairs: page 2 over 1h\n", "").expect_err("one of both");
    assert!(both[0].reason.contains("not by both"), "{both:?}");
}
