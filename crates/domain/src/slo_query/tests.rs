use proptest::prelude::*;

use super::*;
use crate::slo::{BudgetingMethod, Counts, Hour, Ledger, Period, Target, TimeWindow, Window, evaluate};
use crate::time::Minute;

struct Row {
    objective: Objective,
    evaluation: Evaluation,
    labels: Vec<String>,
}

/// An objective over a day that saw `bad` bad ones of 6,000 events, or nothing.
fn row(name: &str, display: &str, service: &str, labels: &[&str], target: f64, bad: Option<u64>) -> Row {
    let objective = Objective {
        name: name.to_owned(),
        display_name: Some(display.to_owned()),
        service: service.to_owned(),
        description: String::new(),
        target: Target::new(target).expect("a target"),
        window: TimeWindow::Rolling(Window::days(1)),
        budgeting_method: BudgetingMethod::Occurrences,
        expected_gap_minutes: None,
        alerting: crate::slo::Alerting::default(),
    };
    let now = Minute(2_000 * 60 - 1);
    let hours = bad.map(|bad| {
        let counts = Counts { good: 250 - bad, total: 250 };
        (1_976..2_000).map(move |hour| Hour { hour, counts, seen: (1 << 60) - 1 })
    });
    let minutes = bad.map(|bad| {
        (1_976 * 60..2_000 * 60)
            .filter(|minute| minute % 60 == 59)
            .map(move |minute| (Minute(minute), Counts { good: 250 - bad, total: 250 }))
    });
    let ledger = Ledger::new(hours.into_iter().flatten().collect(), minutes.into_iter().flatten().collect(), false);
    let evaluation = evaluate(&objective, &ledger, Period::rolling(Window::days(1), now), now);
    Row { objective, evaluation, labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

/// Worst first, as lists come.
fn rows() -> Vec<Row> {
    vec![
        row("pay-errors", "Payments succeed", "payment", &["team:money", "tier:gold"], 0.99, Some(125)),
        row("silent", "Silent one", "mail", &[], 0.9, None),
        row("checkout-latency", "Checkout is fast", "checkout", &["team:shop"], 0.5, Some(25)),
        row("checkout-availability", "Checkout answers", "checkout", &["team:shop", "tier:gold"], 0.9, Some(4)),
    ]
}

fn facts(row: &Row) -> Candidate<'_> {
    Candidate { objective: &row.objective, evaluation: &row.evaluation, labels: &row.labels }
}

fn found(raw: &str) -> (Vec<String>, Vec<usize>) {
    let (query, faults) = SloQuery::parse(raw);
    assert_eq!(faults, [], "{raw}");
    let (rows, states) = query.select(rows(), facts);
    (rows.into_iter().map(|row| row.objective.name).collect(), states.into_iter().map(|(_, count)| count).collect())
}

#[test]
fn objectives_are_found_by_what_is_asked_for() {
    let all = ["pay-errors", "silent", "checkout-latency", "checkout-availability"];
    let cases: [(&str, &[&str]); 16] = [
        ("", &all),
        ("q=&service=&theme=dark", &all),
        ("q=PAY", &["pay-errors"]),
        ("q=is+fast", &["checkout-latency"]),
        ("q=checkout+gold", &["checkout-availability"]),
        ("q=mail", &["silent"]),
        ("q=nothing", &[]),
        ("service=checkout", &["checkout-latency", "checkout-availability"]),
        ("service=check", &[]),
        ("label=tier:gold", &["pay-errors", "checkout-availability"]),
        ("label=tier:gold&label=team:shop", &["checkout-availability"]),
        ("tier=page", &["pay-errors"]),
        ("tier=ticket", &[]),
        ("state=critical", &["pay-errors"]),
        ("state=unmeasured", &["silent"]),
        ("state=healthy&service=checkout&q=fast", &["checkout-latency"]),
    ];
    for (raw, names) in cases {
        assert_eq!(found(raw).0, names, "{raw}");
    }
}

#[test]
fn each_order_has_its_own_first() {
    let cases: [(&str, [&str; 4]); 6] = [
        ("sort=worst", ["pay-errors", "silent", "checkout-latency", "checkout-availability"]),
        ("sort=name", ["checkout-availability", "checkout-latency", "pay-errors", "silent"]),
        ("sort=service", ["checkout-availability", "checkout-latency", "silent", "pay-errors"]),
        ("sort=budget", ["pay-errors", "checkout-latency", "checkout-availability", "silent"]),
        ("sort=burn", ["pay-errors", "checkout-latency", "checkout-availability", "silent"]),
        ("sort=target", ["pay-errors", "silent", "checkout-availability", "checkout-latency"]),
    ];
    for (raw, names) in cases {
        assert_eq!(found(raw).0, names, "{raw}");
    }
}

#[test]
fn the_counts_by_state_are_those_of_everything_else_that_was_asked_for() {
    assert_eq!(found("").1, [1, 1, 0, 0, 2]);
    assert_eq!(found("state=critical").1, [1, 1, 0, 0, 2]);
    assert_eq!(found("state=critical&service=checkout").1, [0, 0, 0, 0, 2]);
}

#[test]
fn every_fault_is_named_and_the_rest_is_kept() {
    let (query, faults) = SloQuery::parse("?tier=x&state=bad&sort=up&label=gold&service=a");
    assert_eq!(query, SloQuery { service: Some("a".to_owned()), ..SloQuery::default() });
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["tier", "state", "sort", "label"]);
}

#[test]
fn what_was_asked_for_is_said() {
    let (query, _) = SloQuery::parse("q=pay&service=checkout&label=tier:gold&tier=page&state=critical&sort=name");
    assert_eq!(query.words(), "“pay” in name, service or labels, service checkout, label tier:gold, alerting by page, state critical");
    assert!(query.is_narrow() && !SloQuery::parse("sort=name").0.is_narrow());
    assert_eq!(query.href(), "/slos?q=pay&service=checkout&label=tier%3Agold&tier=page&state=critical&sort=name");
    assert_eq!(SloQuery::default().href(), "/slos");
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(raw in ".*") {
        SloQuery::parse(&raw);
    }

    #[test]
    fn what_was_read_is_written_and_read_again(
        pairs in prop::collection::vec(("q|service|label|tier|state|sort|x", "page|critical|name|team:[a-z%é&= +]{0,5}|[a-z%é&= +]{0,9}"), 0..6)
    ) {
        let raw = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let (query, _) = SloQuery::parse(&raw);
        prop_assert_eq!(SloQuery::parse(&query.to_query_string()), (query, vec![]));
    }
}
