use std::sync::Arc;

use slowburn_domain::slo::{BudgetingMethod, CalendarUnit, CalendarWindow, TimeWindow};
use slowburn_domain::span::{Kind, Source, Span, Status};
use slowburn_domain::time::Timestamp;

use super::*;

fn request(status: Status, millis: i64) -> Span {
    Span {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap(),
        span_id: "00f067aa0ba902b7".parse().unwrap(),
        parent_span_id: None,
        trace_state: String::new(),
        operation: "POST /pay".to_owned(),
        kind: Kind::Server,
        status,
        status_message: String::new(),
        start: Timestamp::from_millis(0),
        end: Timestamp::from_millis(millis),
        attributes: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        source: Arc::new(Source { service: "checkout".to_owned(), ..Source::default() }),
        correlation_id: None,
        project_id: None,
        execution_id: None,
        weight: 1,
    }
}

#[test]
fn a_complete_document_is_read_whole() {
    let parsed = parsed(CHECKOUT);
    assert_eq!(parsed.warnings, []);
    let [definition] = parsed.definitions.as_slice() else { panic!("one objective") };
    let objective = &definition.objective;
    assert_eq!(objective.name, "checkout-success");
    assert_eq!(objective.display_name.as_deref(), Some("Checkout succeeds"));
    assert_eq!(objective.service, "checkout");
    assert_eq!(objective.description, "Customers can pay.");
    assert_eq!(objective.target.ratio().to_string(), "0.999");
    assert_eq!(objective.window, TimeWindow::days(30));
    assert_eq!(objective.budgeting_method, BudgetingMethod::Occurrences);
    assert_eq!(objective.expected_gap_minutes, Some(2), "90 s are not longer than 2 min");
    assert_eq!(definition.labels["team"], ["payments"]);
    assert_eq!(definition.labels["tier"], ["one", "gold"]);
    assert_eq!(definition.document, CHECKOUT);
}

#[test]
fn good_spans_are_some_of_all_spans() {
    let parsed = parsed(CHECKOUT);
    let IndicatorSource::Records { total, good, .. } = &parsed.definitions[0].source else { panic!("spans") };
    let foreign = Span { kind: Kind::Client, ..request(Status::Ok, 10) };
    for (span, is_event, is_good) in [
        (request(Status::Ok, 299), true, true),
        (request(Status::Unset, 300), true, false),
        (request(Status::Error, 10), true, false),
        (foreign, false, false),
    ] {
        assert_eq!((total.matches(&span), good.matches(&span)), (is_event, is_good), "{span:?}");
    }
}

#[test]
fn with_bad_given_an_event_is_bad_only_if_that_is_known() {
    let bad = with("        good:", "        bad:").replace(r#"status != "error" && duration_ms < 300"#, "attributes.failed == true");
    let parsed = parsed(&bad);
    let IndicatorSource::Records { good, .. } = &parsed.definitions[0].source else { panic!("spans") };
    let marked = |value: bool| {
        let mut span = request(Status::Ok, 10);
        span.attributes.push(("failed".to_owned(), slowburn_domain::span::Value::Bool(value)));
        span
    };
    assert!(!good.matches(&marked(true)));
    assert!(good.matches(&marked(false)));
    assert!(good.matches(&request(Status::Ok, 10)), "nothing says it is bad");
}

#[test]
fn targets_are_the_decimal_numbers_that_were_written() {
    for (written, ratio) in [
        ("target: 0.999", "0.999"),
        ("targetPercent: 99.9", "0.999"),
        ("targetPercent: 99.99", "0.9999"),
        ("targetPercent: 95", "0.95"),
        ("targetPercent: 0.1", "0.001"),
        ("targetPercent: 28.999", "0.28999"),
    ] {
        let parsed = parsed(&with("target: 0.999", written));
        assert_eq!(parsed.definitions[0].objective.target.ratio().to_string(), ratio, "{written}");
    }
}

#[test]
fn several_objectives_are_several_slos() {
    let text = with(
        "    - target: 0.999\n",
        "    - {displayName: 'Fast & good', target: 0.9}\n    - target: 0.99\n    - {displayName: Größe, targetPercent: 50}\n",
    );
    let definitions = parsed(&text).definitions;
    let names: Vec<_> = definitions.iter().map(|definition| definition.objective.name.as_str()).collect();
    assert_eq!(names, ["checkout-success:fast-good", "checkout-success:2", "checkout-success:gr-e"]);
    let shown: Vec<_> = definitions.iter().map(|definition| definition.objective.display_name.as_deref().unwrap()).collect();
    assert_eq!(shown, ["Checkout succeeds: Fast & good", "Checkout succeeds", "Checkout succeeds: Größe"]);
    assert!(definitions.iter().all(|definition| definition.document == text));
    assert_eq!(export(&definitions.iter().map(|definition| definition.document.as_str()).collect::<Vec<_>>()), text);
}

#[test]
fn one_objective_takes_the_name_of_the_document_and_its_own_words() {
    let text = with("  displayName: Checkout succeeds\n", "").replace("- target: 0.999", "- target: 0.999\n      displayName: All good");
    let objective = parsed(&text).definitions.remove(0).objective;
    assert_eq!((objective.name.as_str(), objective.display_name.as_deref()), ("checkout-success", Some("All good")));
}

#[test]
fn what_may_be_left_out_may_be_left_out() {
    let text = with("  budgetingMethod: Occurrences\n", "")
        .replace("        counter: true\n", "")
        .replace("      isRolling: true\n", "")
        .replace("  description: Customers can pay.\n", "")
        .replace("    slowburn.dev/expected-gap: 90s\n", "")
        .replace("    metadata:\n      name: checkout-ratio\n", "");
    let parsed = parsed(&text);
    assert_eq!(parsed.warnings, []);
    assert_eq!(parsed.definitions[0].objective.expected_gap_minutes, None);
}

#[test]
fn a_foreign_source_is_kept_unmeasured_with_a_warning() {
    let text = CHECKOUT.replace("type: slowburn", "type: Datadog").replace("type: Slowburn", "type: datadog");
    let text = text.replace("              signal: spans\n", "").replace("filter:", "query:");
    let parsed = parsed(&text);
    assert_eq!(parsed.definitions[0].source, IndicatorSource::Unknown { kind: "datadog".to_owned() });
    let [warning] = parsed.warnings.as_slice() else { panic!("one warning: {:?}", parsed.warnings) };
    assert_eq!(warning.field, "spec.indicator.spec.ratioMetric.total.metricSource.type");
    assert!(warning.reason.contains("unmeasured"), "{warning}");
}

#[test]
fn services_are_kept() {
    let text =
        "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: checkout, displayName: Checkout}\nspec: {description: Takes money.}\n";
    let parsed = parsed(text);
    let service = ServiceDefinition {
        name: "checkout".to_owned(),
        display_name: Some("Checkout".to_owned()),
        description: "Takes money.".to_owned(),
        labels: BTreeMap::new(),
        document: text.to_owned(),
    };
    assert_eq!((parsed.services, parsed.definitions, parsed.warnings), (vec![service], vec![], vec![]));
}

#[test]
fn export_and_parse_lose_nothing() {
    let service = "# The other one.\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: cart}\n";
    let text = format!("---\n{CHECKOUT}\n--- # next\n\n{service}...\n");
    let first = parsed(&text);
    let exported = export(&[&first.definitions[0].document, &first.services[0].document]);
    assert!(exported.contains("# Kept by the payments team.") && exported.contains("# The other one."));
    let second = parsed(&exported);
    assert_eq!(first, second);
    assert_eq!(export(&[&second.definitions[0].document, &second.services[0].document]), exported);
}

#[test]
fn b3_windows_follow_a_calendar() {
    for (duration, count, unit) in
        [("1M", 1, CalendarUnit::Month), ("2w", 2, CalendarUnit::Week), ("1d", 1, CalendarUnit::Day), ("1Q", 1, CalendarUnit::Quarter)]
    {
        // As OpenSLO writes it, without quotes.
        let calendar = format!(
            "duration: {duration}\n      calendar:\n        startTime: 2026-01-01 12:30:00\n        timeZone: America/New_York\n      isRolling: false"
        );
        let parsed = parsed(&with("duration: 30d\n      isRolling: true", &calendar));
        assert_eq!(parsed.warnings, []);
        let wanted = CalendarWindow { count, unit, start: "2026-01-01 12:30:00".to_owned(), time_zone: "America/New_York".to_owned() };
        assert_eq!(parsed.definitions[0].objective.window, TimeWindow::Calendar(wanted));
    }
}

#[test]
fn b3_budgets_count_slices_of_each_objective() {
    let text = with("Method: Occurrences", "Method: Timeslices")
        .replace("    - target: 0.999\n", "    - {displayName: fine, target: 0.999, timeSliceTarget: 1, timeSliceWindow: 1m}\n    - {displayName: coarse, target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 10}\n");
    let methods: Vec<BudgetingMethod> = parsed(&text).definitions.iter().map(|definition| definition.objective.budgeting_method).collect();
    assert_eq!(
        methods,
        [BudgetingMethod::Timeslices { minutes: 1, target: 1.0 }, BudgetingMethod::Timeslices { minutes: 10, target: 0.95 }]
    );
    let ratio = with("Method: Occurrences", "Method: RatioTimeslices").replace("- target: 0.999", "- {target: 0.999, timeSliceWindow: 2h}");
    assert_eq!(parsed(&ratio).definitions[0].objective.budgeting_method, BudgetingMethod::RatioTimeslices { minutes: 120 });
}
