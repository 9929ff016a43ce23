//! The shapes of the examples in the OpenSLO v1 specification, each with what becomes of it.

use super::*;

/// An SLO with these lines for an indicator.
fn slo(indicator: &str, rest: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: foo-slo, displayName: Foo SLO}}\nspec:\n  service: foo\n{indicator}{rest}"
    )
}

fn inline(metric: &str) -> String {
    format!("  indicator:\n    metadata: {{name: foo-error, displayName: Foo Error}}\n    spec:\n      {metric}\n")
}

const MONTH: &str =
    "  timeWindow: [{duration: 1M, calendar: {startTime: '2020-01-21 12:30:00', timeZone: America/New_York}, isRolling: false}]\n";
const OBJECTIVES: &str =
    "  objectives:\n    - {displayName: Foo Total Errors, target: 0.98}\n    - {displayName: Bar Total Errors, targetPercent: 99.99}\n";

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

#[test]
fn b1_every_example_of_the_specification_is_taken_or_refused_with_a_reason() {
    let rolling = "  timeWindow: [{duration: 4w, isRolling: true}]\n";
    let usual = format!("{rolling}{OBJECTIVES}");
    let datadog = "ratioMetric: {counter: true, good: {metricSource: {metricSourceRef: dd, type: Datadog, spec: {query: 'sum:hits'}}}, total: {metricSource: {metricSourceRef: dd, type: Datadog, spec: {query: 'sum:all'}}}}";
    let prometheus = datadog.replace("metricSourceRef: dd, type: Datadog", "type: Prometheus");
    let redshift = "thresholdMetric: {metricSource: {type: Redshift, spec: {region: eu, query: SELECT 1, secretAccessKey: key}}}";
    let raw = "ratioMetric: {rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: up}}}}";
    let source = document("DataSource", "dd", "{type: Datadog, connectionDetails: {accessKeyID: accessKey}}");
    let condition =
        "{description: too high, severity: page, condition: {kind: burnrate, op: lte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}";
    let target = document("AlertNotificationTarget", "OnCallDevopsMailNotification", "{description: by mail, target: email}");
    let by_reference = document(
        "AlertPolicy",
        "AlertPolicy",
        "{alertWhenBreaching: true, alertWhenResolved: false, conditions: [{conditionRef: cpu-usage-breach}], notificationTargets: [{targetRef: OnCallDevopsMailNotification}]}",
    );
    let with_inline = by_reference.replace(
        "{conditionRef: cpu-usage-breach}",
        &format!("{{kind: AlertCondition, metadata: {{name: cpu-usage-breach, displayName: CPU}}, spec: {condition}}}"),
    );
    let breach = document("AlertCondition", "cpu-usage-breach", condition);
    let threshold_objective = format!("{rolling}  objectives: [{{op: lte, value: 300, target: 0.98}}]\n");
    let slices =
        format!("{MONTH}  budgetingMethod: Timeslices\n  objectives: [{{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5}}]\n");
    // The example, whether it is taken, and a part of a warning or fault that tells about it.
    let cases: Vec<(&str, String, bool, &str)> = vec![
        ("a source that is not there", slo(&inline(datadog), &usual), false, "there is no DataSource dd"),
        ("a source of another type", format!("{}---\n{source}", slo(&inline(datadog), &usual)), true, "unmeasured"),
        ("no data source", slo(&inline(&prometheus), &usual), true, "unmeasured"),
        ("bad and total", slo(&inline(&prometheus.replace("good:", "bad:")), &usual), true, "unmeasured"),
        ("a value with a threshold", slo(&inline(redshift), &threshold_objective), true, "unmeasured"),
        ("a ready ratio", slo(&inline(raw), &usual), true, "unmeasured"),
        ("without a window", slo(&inline(&prometheus), OBJECTIVES), false, "spec.timeWindow: is required"),
        ("a calendar", slo(&inline(&prometheus), &format!("{MONTH}{OBJECTIVES}")), true, "unmeasured"),
        ("slices in minutes", slo(&inline(&prometheus), &slices), true, "unmeasured"),
        ("an SLI", document("SLI", "foo", &format!("{{{prometheus}}}")), true, "unmeasured"),
        ("an SLI with a threshold", document("SLI", "foo", &format!("{{{redshift}}}")), true, "unmeasured"),
        ("a data source", source.clone(), true, ""),
        ("a policy that refers", format!("{by_reference}---\n{breach}---\n{target}"), true, "nothing is sent"),
        ("a policy that refers to nothing", by_reference.clone(), false, "there is no AlertCondition cpu-usage-breach"),
        ("a policy with its condition", format!("{with_inline}---\n{target}"), true, "is taken as gte"),
        ("a condition", breach.clone(), true, "nothing is waited for"),
        ("a target", target.clone(), true, ""),
        ("a service", document("Service", "foo", "{description: string}"), true, ""),
        (
            "latency of our own",
            slo(&inline("thresholdMetric: {metricSource: {type: slowburn, spec: {signal: spans}}}"), &threshold_objective),
            false,
            "duration_ms < 300",
        ),
        ("a ready ratio of our own", slo(&inline(&raw.replace("Prometheus", "slowburn")), &usual), false, "good or bad, with total"),
    ];
    let astray: Vec<String> = cases
        .into_iter()
        .filter_map(|(what, text, is_taken, word)| {
            let (faults, warnings) = told(&text);
            let lines = if is_taken { &warnings } else { &faults };
            let is_told = word.is_empty() || lines.iter().any(|line| line.contains(word));
            (faults.is_empty() != is_taken || !is_told).then(|| format!("{what}: {faults:?} {warnings:?}"))
        })
        .collect();
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}
