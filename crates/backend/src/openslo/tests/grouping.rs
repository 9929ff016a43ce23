//! B4: `slowburn.dev/group-by` and `slowburn.dev/group-cap`.

use slowburn_domain::slo::{DEFAULT_CAP, HIGHEST_CAP};

use super::*;

const BY: &str = "slowburn.dev/group-by";
const CAP: &str = "slowburn.dev/group-cap";

fn with(annotations: &str) -> String {
    CHECKOUT.replace("    slowburn.dev/expected-gap: 90s\n", &format!("    slowburn.dev/expected-gap: 90s\n{annotations}"))
}

#[test]
fn b4_a_grouping_is_an_expression_and_a_cap() {
    let group_by = |text: &str| parsed(text).definitions.remove(0).group_by;
    assert_eq!(group_by(CHECKOUT), None);
    let told = |annotations: &str| group_by(&with(annotations)).map(|group_by| (group_by.by.source().to_owned(), group_by.cap));
    assert_eq!(told(&format!("    {BY}: operation\n")), Some(("operation".to_owned(), DEFAULT_CAP)));
    let route = r#"attributes["http.route"]"#;
    assert_eq!(told(&format!("    {BY}: {route}\n    {CAP}: '7'\n")), Some((route.to_owned(), 7)));
    let tier = r#"has(attributes.gold) ? "gold" : resource["region"]"#;
    assert_eq!(told(&format!("    {BY}: '{tier}'\n")), Some((tier.to_owned(), DEFAULT_CAP)));
    let several = with(&format!("    {BY}: operation\n")).replace("    - target: 0.999\n", "    - target: 0.999\n    - target: 0.9\n");
    assert!(parsed(&several).definitions.iter().all(|definition| definition.group_by.is_some()));
}

#[test]
fn b4_what_cannot_be_grouped_is_refused_with_the_reason() {
    let at = |name: &str| format!("metadata.annotations.{name}");
    for (annotations, field, reason) in [
        (format!("{BY}: http.route"), BY, "for an attribute write attributes[\"http.route\"]"),
        (format!("{BY}: '\"eu\"'"), BY, "the same for every record"),
        (format!("{BY}: attributes"), BY, "is a map"),
        (format!("{BY}: 'attributes['"), BY, ""),
        (format!("{BY}: operation\n    {CAP}: '0'"), CAP, "a whole number from 1 to"),
        (format!("{BY}: operation\n    {CAP}: '{}'", HIGHEST_CAP + 1), CAP, "a whole number from 1 to"),
        (format!("{BY}: operation\n    {CAP}: many"), CAP, "got many"),
        (format!("{CAP}: '5'"), CAP, "has no effect without"),
    ] {
        let text = with(&format!("    {annotations}\n"));
        let faults = parse(&text).expect_err(&annotations);
        assert!(faults.iter().any(|fault| fault.field == at(field) && fault.reason.contains(reason)), "{annotations}: {faults:?}");
    }
    let composite = "apiVersion: openslo/v1
kind: SLO
metadata: {name: whole, annotations: {slowburn.dev/composite-of: 'a, b', slowburn.dev/group-by: operation}}
spec:
  service: shop
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives: [{target: 0.8}]
";
    let faults = parse(composite).expect_err("no events of its own");
    assert!(faults.iter().any(|fault| fault.field == at(BY) && fault.reason.contains("group those that it is made of")), "{faults:?}");
}
