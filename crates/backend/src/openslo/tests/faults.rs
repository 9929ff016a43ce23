use super::*;

const RATIO: &str = "spec.indicator.spec.ratioMetric";

#[test]
fn each_fault_names_its_field_and_what_is_supported() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("apiVersion: openslo/v1", "apiVersion: openslo.com/v2alpha", "apiVersion", "openslo/v1 is"),
        ("apiVersion: openslo/v1\n", "", "apiVersion", "is required"),
        ("kind: SLO", "kind: Dashboard", "kind", "Dashboard is not supported; AlertCondition, AlertNotificationTarget,"),
        ("name: checkout-success", "name: Checkout", "metadata.name", "RFC 1123"),
        ("name: checkout-success", "name: -checkout", "metadata.name", "RFC 1123"),
        ("name: checkout-success", "name: a.b", "metadata.name", "RFC 1123"),
        ("name: checkout-success", "name: ''", "metadata.name", "must not be empty"),
        ("name: checkout-success", "name: [a]", "metadata.name", "expected text, got a list"),
        ("  name: checkout-success\n", "", "metadata.name", "is required"),
        ("tier: [one, gold]", "tier: {a: b}", "metadata.labels.tier", "expected text, got a map"),
        ("gap: 90s", "gap: soon", "metadata.annotations.slowburn.dev/expected-gap", "expected a duration"),
        ("  service: checkout\n", "", "spec.service", "is required"),
        ("    - duration: 30d\n      isRolling: true\n", "    []\n", "spec.timeWindow", "exactly one window"),
        ("    - duration: 30d\n", "    - {duration: 7d, isRolling: true}\n    - duration: 30d\n", "spec.timeWindow", "exactly one window"),
        ("duration: 30d", "duration: 1M", "spec.timeWindow[0].duration", "expected a duration"),
        ("duration: 30d", "duration: 30", "spec.timeWindow[0].duration", "expected text, got a number"),
        ("duration: 30d", "duration: 90s", "spec.timeWindow[0].duration", "whole number of minutes"),
        ("duration: 30d", "duration: 400d", "spec.timeWindow[0].duration", "at most 366 days"),
        ("isRolling: true", "isRolling: false", "spec.timeWindow[0].calendar", "is required with isRolling: false"),
        (
            "isRolling: true",
            "isRolling: true\n      calendar: {startTime: '2026-01-01 00:00:00', timeZone: UTC}",
            "spec.timeWindow[0].isRolling",
            "not both",
        ),
        ("isRolling: true", "calendar: {startTime: soon, timeZone: UTC}", "spec.timeWindow[0].calendar.startTime", "no time such as"),
        ("isRolling: true", "calendar: {startTime: '2026-01-01 00:00:00'}", "spec.timeWindow[0].calendar.timeZone", "is required"),
        (
            "isRolling: true",
            "calendar: {startTime: '2026-01-01 00:00:00', timeZone: Europe/Atlantis}",
            "spec.timeWindow[0].calendar.timeZone",
            "no zone of the IANA database",
        ),
        (
            "duration: 30d\n      isRolling: true",
            "duration: 6h\n      calendar: {startTime: '2026-01-01 00:00:00', timeZone: UTC}",
            "spec.timeWindow[0].duration",
            "no period of a calendar",
        ),
        (
            "duration: 30d\n      isRolling: true",
            "duration: 2Y\n      calendar: {startTime: '2026-01-01 00:00:00', timeZone: UTC}",
            "spec.timeWindow[0].duration",
            "at most 366 days",
        ),
        ("Method: Occurrences", "Method: RatioTimeslices", "spec.objectives[0].timeSliceWindow", "is required, for example 5m"),
        ("Method: Occurrences", "Method: occurrences", "spec.budgetingMethod", "none of Occurrences, Timeslices and RatioTimeslices"),
        ("target: 0.999", "displayName: x", "spec.objectives[0].target", "is required"),
        ("target: 0.999", "{target: 0.9, targetPercent: 90}", "spec.objectives[0].target", "not both"),
        ("target: 0.999", "target: 1", "spec.objectives[0].target", "both excluded; got 1"),
        ("target: 0.999", "target: 99.9", "spec.objectives[0].target", "targetPercent"),
        ("target: 0.999", "target: '0.9'", "spec.objectives[0].target", "expected a number, got text"),
        ("target: 0.999", "target: .nan", "spec.objectives[0].target", "between 0 and 1"),
        ("target: 0.999", "targetPercent: 100", "spec.objectives[0].targetPercent", "between 0 and 100"),
        ("    - target: 0.999\n", "    []\n", "spec.objectives", "at least one"),
        ("- target: 0.999", "- {target: 0.9, indicatorRef: x}", "spec.objectives[0].indicatorRef", "not both"),
        ("  service: checkout\n", "  service: checkout\n  indicatorRef: x\n", "spec.indicatorRef", "not both"),
        ("  service: checkout\n", "  service: checkout\n  alertPolicies: [x]\n", "spec.alertPolicies[0]", "there is no AlertPolicy x"),
        ("        counter: true\n", "        counter: 1\n", "spec.indicator.spec.ratioMetric.counter", "true or false"),
        ("        counter: true\n", "        rawType: success\n", "spec.indicator.spec.ratioMetric.rawType", "good or bad"),
        ("        good:\n", "        neither:\n", "spec.indicator.spec.ratioMetric.good", "good or bad is required"),
        ("        total:\n", "        all:\n", "spec.indicator.spec.ratioMetric.total", "is required"),
        ("type: slowburn", "type: prometheus", "spec.indicator.spec.ratioMetric.good.metricSource.type", "one source"),
        ("            type: slowburn\n", "", "spec.indicator.spec.ratioMetric.good.metricSource.type", "is required"),
        (
            "            type: slowburn\n",
            "            metricSourceRef: x\n",
            "spec.indicator.spec.ratioMetric.good.metricSource.metricSourceRef",
            "there is no DataSource x, neither in this text nor stored",
        ),
        (
            "&& duration_ms < 300",
            "&& duration < 300",
            "spec.indicator.spec.ratioMetric.good.metricSource.spec.filter",
            "line 1, column 22: unknown name duration; did you mean duration_ms?",
        ),
        (
            "              filter: status != \"error\" && duration_ms < 300\n",
            "",
            "spec.indicator.spec.ratioMetric.good.metricSource.spec.filter",
            "is required",
        ),
    ];
    let astray = cases.iter().filter_map(|(passage, other, field, reason)| {
        let (faults, _) = told(&with(passage, other));
        let told = faults.len() == 1 && faults[0].starts_with(&format!("{field}: ")) && faults[0].contains(reason);
        (!told).then(|| format!("{other:?} {faults:?}"))
    });
    let astray: Vec<_> = astray.collect();
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}

#[test]
fn other_signals_and_metrics_name_what_is_supported() {
    let (faults, _) = told(&CHECKOUT.replace("signal: spans", "signal: beats"));
    assert_eq!(
        faults,
        [
            format!("{RATIO}.good.metricSource.spec.signal: beats is not supported; spans, logs, metrics, events and heartbeats are"),
            format!("{RATIO}.total.metricSource.spec.signal: beats is not supported; spans, logs, metrics, events and heartbeats are")
        ]
    );
    let (faults, _) = told(&with("ratioMetric:", "thresholdMetric:"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("spec.indicator.spec.thresholdMetric: ") && faults[0].contains("duration_ms < 300"), "{faults:?}");
    let (faults, _) = told(&with(
        "        total:\n",
        "        bad: {metricSource: {type: slowburn, spec: {signal: spans, filter: 'true'}}}\n        total:\n",
    ));
    assert_eq!(faults, [format!("{RATIO}.bad: either good or bad is given, not both")]);
}

#[test]
fn what_can_be_done_without_is_a_warning() {
    for (passage, other, warning) in [
        ("kind: SLO", "kind: SLO\nextra: 1", "extra: unknown field"),
        ("  service: checkout\n", "  service: checkout\n  owner: me\n", "spec.owner: unknown field"),
        ("target: 0.999", "{target: 0.9, weight: 2}", "spec.objectives[0].weight: unknown field"),
        ("target: 0.999", "{target: 0.9, op: lte, value: 1}", "spec.objectives[0].op: has no effect"),
        ("target: 0.999", "{target: 0.9, timeSliceWindow: 1m}", "spec.objectives[0].timeSliceWindow: has no effect"),
        ("team: payments", "team: 7", "metadata.labels.team: taken as the text \"7\""),
        ("example.com/wiki:", "slowburn.dev/wiki:", "metadata.annotations.slowburn.dev/wiki: unknown annotation"),
    ] {
        let (faults, warnings) = told(&with(passage, other));
        assert_eq!(faults, Vec::<String>::new());
        assert!(warnings.iter().any(|told| told.starts_with(warning)), "{warning}: {warnings:?}");
    }
}

#[test]
fn limits_count_characters() {
    let name = |length: usize| with("name: checkout-success", &format!("name: {}", "a".repeat(length)));
    assert_eq!(parsed(&name(63)).definitions.len(), 1);
    assert!(told(&name(64)).0[0].starts_with("metadata.name: "));
    let description = |length: usize| with("Customers can pay.", &"ü".repeat(length));
    assert_eq!(parsed(&description(1_050)).definitions.len(), 1);
    assert_eq!(told(&description(1_051)).0, ["spec.description: has 1051 characters; at most 1050 are allowed"]);
}

#[test]
fn all_faults_of_all_documents_are_told() {
    let first = with("target: 0.999", "target: 2").replace("service: checkout\n", "service: ''\n");
    let broken = "kind: [SLO\n";
    let last = with("Method: Occurrences", "Method: RatioTimeslices").replace("name: checkout-success", "name: other");
    let (faults, _) = told(&format!("{first}---\n{broken}---\n{last}"));
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults[0].starts_with("documents[0].spec.service: "), "{}", faults[0]);
    assert!(faults[1].starts_with("documents[0].spec.objectives[0].target: "), "{}", faults[1]);
    assert!(faults[2].starts_with("line "), "{}", faults[2]);
    assert!(faults[3].starts_with("documents[2].spec.objectives[0].timeSliceWindow: "), "{}", faults[3]);
}

#[test]
fn a_name_is_defined_once() {
    let (faults, _) = told(&format!("{CHECKOUT}---\n{CHECKOUT}"));
    assert_eq!(faults, ["documents[1].metadata.name: SLO checkout-success is defined twice in this text"]);
    let (faults, _) =
        told(&with("    - target: 0.999\n", "    - {displayName: A b, target: 0.9}\n    - {displayName: a-B, target: 0.8}\n"));
    assert_eq!(faults, ["spec.objectives[1].displayName: SLO checkout-success:a-b is defined twice in this text"]);
    let service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: checkout-success}\nspec: {}\n";
    assert_eq!(told(&format!("{CHECKOUT}---\n{service}")).0, Vec::<String>::new());
}

#[test]
fn b3_slices_are_refused_with_their_field() {
    for (entry, path, reason) in [
        ("timeSliceTarget: 0.9", "timeSliceWindow", "is required"),
        ("timeSliceTarget: 0.9, timeSliceWindow: 7m", "timeSliceWindow", "must divide a day or an hour"),
        ("timeSliceTarget: 0.9, timeSliceWindow: 90s", "timeSliceWindow", "whole number of minutes"),
        ("timeSliceTarget: 0.9, timeSliceWindow: 0", "timeSliceWindow", "must divide"),
        ("timeSliceTarget: 0.9, timeSliceWindow: [5m]", "timeSliceWindow", "expected a duration"),
        ("timeSliceWindow: 5m", "timeSliceTarget", "is required"),
        ("timeSliceTarget: 0, timeSliceWindow: 5m", "timeSliceTarget", "lies between 0"),
        ("timeSliceTarget: 1.01, timeSliceWindow: 5m", "timeSliceTarget", "lies between 0"),
    ] {
        let text = with("Method: Occurrences", "Method: Timeslices").replace("- target: 0.999", &format!("- {{target: 0.999, {entry}}}"));
        let (faults, _) = told(&text);
        assert!(
            faults.iter().any(|told| told.starts_with(&format!("spec.objectives[0].{path}: ")) && told.contains(reason)),
            "{entry}: {faults:?}"
        );
    }
    let long = with("Method: Occurrences", "Method: RatioTimeslices").replace("duration: 30d", "duration: 91d");
    let (faults, _) = told(&long.replace("- target: 0.999", "- {target: 0.999, timeSliceWindow: 30m}"));
    assert!(faults.iter().any(|told| told.contains("slices are whole hours")), "{faults:?}");
    assert_eq!(told(&long.replace("- target: 0.999", "- {target: 0.999, timeSliceWindow: 1h}")).0, Vec::<String>::new());
    let day = with("Method: Occurrences", "Method: RatioTimeslices").replace("duration: 30d", "duration: 12h");
    let (faults, _) = told(&day.replace("- target: 0.999", "- {target: 0.999, timeSliceWindow: 1d}"));
    assert!(faults.iter().any(|told| told.contains("not be longer than the window")), "{faults:?}");
}
