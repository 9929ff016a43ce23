//! B4: SLOs made of others.

use slowburn_domain::slo::{BudgetingMethod, WhenDelayed};

use super::*;

const OF_OTHERS: &str = "apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop
  annotations:
    slowburn.dev/composite-of: checkout-success 3, search 1 bad, basket:fast
    slowburn.dev/when-delayed: good
spec:
  service: shop
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives: [{target: 0.99}]
";

fn with_own(objectives: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: shop, displayName: Shop}}\nspec:\n  service: shop\n  timeWindow: [{{duration: 7d, isRolling: true}}]\n  objectives:\n{objectives}"
    )
}

fn entry(title: &str, rest: &str, service: &str) -> String {
    let metric = |filter: &str| format!("{{metricSource: {{type: slowburn, spec: {{signal: spans, filter: '{filter}'}}}}}}");
    format!(
        "    - {{displayName: {title}, {rest}, indicator: {{metadata: {{name: x}}, spec: {{ratioMetric: {{good: {}, total: {}}}}}}}}}\n",
        metric("status != \"error\""),
        metric(&format!("service == \"{service}\""))
    )
}

fn part(slo: &str, weight: f64, when_delayed: WhenDelayed) -> CompositePart {
    CompositePart { slo: slo.to_owned(), weight, when_delayed }
}

#[test]
fn b4_an_annotation_makes_an_slo_of_others() {
    let parsed = parsed(OF_OTHERS);
    assert_eq!(parsed.warnings, []);
    let [definition] = &parsed.definitions[..] else { panic!("one SLO") };
    assert_eq!(
        definition.source.parts(),
        [
            part("checkout-success", 3.0, WhenDelayed::Good),
            part("search", 1.0, WhenDelayed::Bad),
            part("basket:fast", 1.0, WhenDelayed::Good)
        ]
    );
    assert_eq!(definition.objective.budgeting_method, BudgetingMethod::Composite);
    let refers = [("SLO", "checkout-success".to_owned()), ("SLO", "search".to_owned()), ("SLO", "basket".to_owned())];
    assert_eq!(parsed.documents[0].refers, refers);
}

#[test]
fn b4_objectives_with_indicators_of_their_own_make_a_whole() {
    let text =
        with_own(&(entry("Web answers", "target: 0.99, compositeWeight: 3", "web") + &entry("API answers", "targetPercent: 95", "api")));
    let parsed = parsed(&text);
    let told: Vec<(&str, f64)> = parsed.definitions.iter().map(|one| (one.objective.name.as_str(), one.objective.target.ratio())).collect();
    assert_eq!(told[..2], [("shop:web-answers", 0.99), ("shop:api-answers", 0.95)]);
    let whole = &parsed.definitions[2];
    assert_eq!((whole.objective.name.as_str(), whole.objective.display_name.as_deref()), ("shop", Some("Shop")));
    // Met by parts that just meet theirs: (3 × 0.99 + 0.95) ÷ 4.
    assert!((whole.objective.target.ratio() - 0.98).abs() < 1e-12);
    let parts = [part("shop:web-answers", 3.0, WhenDelayed::Ignored), part("shop:api-answers", 1.0, WhenDelayed::Ignored)];
    assert_eq!(whole.source.parts(), parts);
    assert!(crate::openslo::composite::faults(parsed.definitions.iter(), parsed.definitions.iter()).is_empty());
}

#[test]
fn b4_one_objective_with_its_own_indicator_is_a_plain_slo() {
    let parsed = parsed(&with_own(&entry("Web", "target: 0.99, compositeWeight: 3", "web")));
    let [definition] = &parsed.definitions[..] else { panic!("one SLO") };
    assert_eq!(definition.objective.name, "shop");
    assert!(matches!(definition.source, IndicatorSource::Records { .. }));
    assert!(parsed.warnings[0].reason.contains("several objectives"), "{:?}", parsed.warnings);
}

#[test]
fn b4_what_makes_no_sense_is_refused_with_its_field() {
    let own = entry("Web", "target: 0.99, compositeWeight: 0", "web") + &entry("API", "target: 0.9", "api");
    let half = entry("Web", "target: 0.99", "web") + "    - {displayName: API, target: 0.9}\n";
    let cases = [
        (OF_OTHERS.replace("  service: shop\n", "  service: shop\n  indicatorRef: x\n"), "spec.indicatorRef", "has no indicator"),
        (OF_OTHERS.replace("  objectives", "  budgetingMethod: Timeslices\n  objectives"), "spec.budgetingMethod", "of their own"),
        (OF_OTHERS.replace("bad,", "late,"), "metadata.annotations.slowburn.dev/composite-of", "late in"),
        (
            OF_OTHERS.replace("delayed: good", "delayed: gone"),
            "metadata.annotations.slowburn.dev/when-delayed",
            "none of good, bad and ignored",
        ),
        (with_own(&own), "spec.objectives[0].compositeWeight", "more than 0"),
        (with_own(&half), "spec.objectives[1].indicator", "is required"),
        (with_own("    - {target: 0.9}\n"), "spec.indicator", "is required"),
    ];
    for (text, field, reason) in cases {
        let faults = parse(&text).expect_err(&text);
        let found = faults.iter().any(|fault| fault.field == field && fault.reason.contains(reason));
        assert!(found, "{field}: {reason} is not in {faults:?}\n{text}");
    }
}

#[test]
fn b4_circles_and_parts_that_there_are_not_are_told() {
    let named = |name: &str, parts: &str| {
        let text = OF_OTHERS.replace("name: shop", &format!("name: {name}"));
        let text = text.replace("checkout-success 3, search 1 bad, basket:fast", parts);
        parsed(&text).definitions.remove(0)
    };
    let told = |definitions: &[Definition]| -> Vec<String> {
        crate::openslo::composite::faults(definitions.iter(), definitions.iter()).iter().map(ToString::to_string).collect()
    };
    let gone = told(&[named("a", "b")]);
    assert!(gone.len() == 1 && gone[0].contains("SLO a") && gone[0].contains("there is no SLO b"), "{gone:?}");
    let circle = told(&[named("a", "b"), named("b", "c"), named("c", "a")]);
    assert!(circle.iter().any(|fault| fault.contains("a → b → c → a")), "{circle:?}");
    assert!(told(&[named("a", "a")])[0].contains("a → a"));
    let deep: Vec<Definition> = (0..12).map(|at| named(&format!("s{at}"), &format!("s{}", at + 1))).collect();
    assert!(told(&deep).iter().any(|fault| fault.contains("too deep")));
}
