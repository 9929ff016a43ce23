//! Which documents are taken, what they come to, and how each fault is told.

mod alerts;
mod composite;
mod documents;
mod examples;
mod faults;
mod grouping;
mod import;
mod prometheus;
mod references;
mod text;

use super::*;

/// A complete SLO whose parts can be exchanged.
const CHECKOUT: &str = r#"# Kept by the payments team.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-success
  displayName: Checkout succeeds
  labels:
    team: payments
    tier: [one, gold]
  annotations:
    slowburn.dev/expected-gap: 90s
    example.com/wiki: https://wiki.example.com/checkout
spec:
  description: Customers can pay.
  service: checkout
  indicator:
    metadata:
      name: checkout-ratio
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: slowburn
            spec:
              signal: spans
              filter: status != "error" && duration_ms < 300
        total:
          metricSource:
            type: Slowburn
            spec:
              signal: spans
              filter: service == "checkout" && kind == "server"
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
"#;

fn parsed(text: &str) -> Parsed {
    parse(text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"))
}

/// `CHECKOUT` with one passage exchanged.
fn with(passage: &str, other: &str) -> String {
    assert_eq!(CHECKOUT.matches(passage).count(), 1, "{passage:?} stands once in the document");
    CHECKOUT.replace(passage, other)
}

/// Faults and warnings as `field: reason`.
fn told(text: &str) -> (Vec<String>, Vec<String>) {
    let lines = |faults: Vec<FieldFault>| faults.iter().map(ToString::to_string).collect();
    match parse(text) {
        Ok(parsed) => (Vec::new(), lines(parsed.warnings)),
        Err(faults) => (lines(faults), Vec::new()),
    }
}
