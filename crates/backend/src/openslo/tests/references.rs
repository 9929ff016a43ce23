use super::*;

const SLI: &str = r#"apiVersion: openslo/v1
kind: SLI
metadata: {name: paid}
spec:
  ratioMetric:
    good: {metricSource: {metricSourceRef: own, spec: {signal: spans, filter: 'status != "error"'}}}
    total: {metricSource: {metricSourceRef: own, type: Slowburn, spec: {signal: spans, filter: service == "checkout"}}}
"#;
const SOURCE: &str =
    "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: own}\nspec: {type: slowburn, connectionDetails: {any: [thing]}}\n";
const ALERTS: &str = "apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: Fast}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: one-hour}]
  notificationTargets: [{targetRef: OnCall}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: one-hour}
spec: {severity: page, condition: {kind: burnrate, threshold: 10, lookbackWindow: 1h}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: OnCall}
spec: {target: email}
";

/// `CHECKOUT` with its indicator and its alerts elsewhere.
fn referring() -> String {
    let (before, rest) = CHECKOUT.split_once("  indicator:\n").expect("an indicator");
    let (_, after) = rest.split_once("  timeWindow:").expect("a window");
    format!("{before}  indicatorRef: paid\n  alertPolicies: [{{alertPolicyRef: Fast}}]\n  timeWindow:{after}")
}

#[test]
fn b1_documents_refer_to_each_other_in_any_order() {
    let slo = referring();
    let told = parsed(&[slo.as_str(), SLI, SOURCE, ALERTS].join("---\n"));
    let [definition] = told.definitions.as_slice() else { panic!("one SLO") };
    let IndicatorSource::Records { total, .. } = &definition.source else { panic!("{:?}", definition.source) };
    assert_eq!(total.source(), "service == \"checkout\"");
    let tiers = definition.objective.alerting.tiers(definition.objective.window.nominal(), definition.objective.target, None);
    assert_eq!(tiers.iter().map(|rule| (rule.long_minutes, rule.burn_rate)).collect::<Vec<_>>(), [(60, 10.0)]);
    let documents: Vec<_> = told.documents.iter().map(|document| (document.kind, document.name.as_str(), document.refers.len())).collect();
    assert_eq!(
        documents,
        [
            ("SLO", "checkout-success", 2),
            ("SLI", "paid", 2),
            ("DataSource", "own", 0),
            ("AlertPolicy", "Fast", 2),
            ("AlertCondition", "one-hour", 0),
            ("AlertNotificationTarget", "OnCall", 0)
        ]
    );
    assert_eq!(definition.document, slo, "inline stays inline, a reference stays a reference");
}

#[test]
fn b1_documents_refer_to_those_stored_before_and_those_of_the_text_come_first() {
    let library = Library::new([SLI, SOURCE, ALERTS]);
    let stored = library.parse(&referring()).expect("all is there");
    assert_eq!(stored.documents.len(), 1);
    let changed = SLI.replace("service == \"checkout\"", "kind == \"server\"");
    let told = library.parse(&format!("{}---\n{changed}", referring())).expect("sound");
    let IndicatorSource::Records { total, .. } = &told.definitions[0].source else { panic!("spans") };
    assert_eq!(total.source(), "kind == \"server\"");
}

#[test]
fn b1_a_dangling_reference_is_refused_by_name_and_path() {
    let (faults, _) = told(&referring());
    assert_eq!(
        faults,
        [
            "spec.indicatorRef: there is no SLI paid, neither in this text nor stored",
            "spec.alertPolicies[0].alertPolicyRef: there is no AlertPolicy Fast, neither in this text nor stored"
        ]
    );
    let (faults, _) = told(SLI);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("spec.ratioMetric.good.metricSource.metricSourceRef: there is no DataSource own"), "{faults:?}");
    let (faults, _) = told(&[referring().as_str(), SLI, ALERTS].join("---\n"));
    assert!(faults[0].starts_with("documents[0].spec.indicatorRef: SLI paid cannot be used: spec.ratioMetric"), "{faults:?}");
    let (faults, _) = told(ALERTS.split_once("---\n").expect("a policy").0);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("spec.conditions[0].conditionRef: there is no AlertCondition one-hour"), "{faults:?}");
}

#[test]
fn b1_a_pair_that_does_not_suit_an_slo_is_told_at_the_reference() {
    let slo = referring().replace("target: 0.999", "target: 0.5");
    let (faults, _) = told(&[slo.as_str(), SLI, SOURCE, ALERTS].join("---\n"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("documents[0].spec.alertPolicies[0].alertPolicyRef: fires at 10 ×"), "{faults:?}");
}

#[test]
fn b1_type_and_data_source_agree() {
    let other = SOURCE.replace("type: slowburn", "type: Prometheus");
    let (faults, _) = told(&format!("{SLI}---\n{other}"));
    assert!(faults[0].starts_with("documents[0].spec.ratioMetric.total.metricSource.type: is Slowburn, and DataSource own"), "{faults:?}");
    let foreign = SLI.replace(", type: Slowburn", "");
    let library = Library::new([foreign.as_str(), other.as_str(), ALERTS]);
    let told = library.parse(&referring()).expect("kept");
    assert_eq!(told.definitions[0].source, IndicatorSource::Unknown { kind: "Prometheus".to_owned() });
    assert!(
        told.warnings.iter().any(|told| told.field == "spec.indicatorRef" && told.reason.contains("unmeasured")),
        "{:?}",
        told.warnings
    );
}
