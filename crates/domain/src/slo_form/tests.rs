use proptest::prelude::*;

use super::*;

fn form(raw: &str) -> SloForm {
    SloForm::parse(raw)
}

#[test]
fn an_empty_form_promises_three_nines_of_a_month_without_errors() {
    let form = form("service=checkout");
    assert_eq!(form.name(), "checkout-availability");
    assert_eq!(form.total(), r#"service == "checkout" && kind == "server""#);
    assert_eq!(form.part(), (true, r#"status != "error""#.to_owned()));
    assert_eq!(form.faults(), []);
    let document = "apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-availability
spec:
  service: checkout
  indicator:
    metadata:
      name: checkout-availability
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: slowburn
            spec:
              signal: spans
              filter: 'status != \"error\"'
        total:
          metricSource:
            type: slowburn
            spec:
              signal: spans
              filter: 'service == \"checkout\" && kind == \"server\"'
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - targetPercent: 99.9
";
    assert_eq!(form.to_document(), document);
}

#[test]
fn choices_write_conditions() {
    let cases = [
        ("service=a&kind=any", r#"service == "a""#),
        ("service=a&kind=client&operation=GET+/x", r#"service == "a" && kind == "client" && operation == "GET /x""#),
        ("service=a%22b%5C", r#"service == "a\"b\\" && kind == "server""#),
        ("service=a&counting=own&total=+duration_ms+%3E+1+", "duration_ms > 1"),
    ];
    for (raw, total) in cases {
        assert_eq!(form(raw).total(), total, "{raw}");
    }
    let cases = [
        ("good=no_error", (true, r#"status != "error""#)),
        ("good=faster&faster_ms=250", (true, "duration_ms < 250")),
        ("good=both&faster_ms=250", (true, r#"status != "error" && duration_ms < 250"#)),
        ("good=own&good_filter=x", (true, "x")),
        ("good=bad&good_filter=x", (false, "x")),
    ];
    for (raw, (is_good, part)) in cases {
        assert_eq!(form(raw).part(), (is_good, part.to_owned()), "{raw}");
    }
}

#[test]
fn every_signal_has_its_own_choices() {
    let severe = r#"severity == "error" || severity == "fatal""#;
    let cases = [
        ("signal=logs&service=a&kind=client", r#"service == "a""#, (false, severe), "a-logs"),
        ("signal=metrics&service=a&metric=m.x&limit=0,25", r#"name == "m.x" && service == "a""#, (true, "value <= 0.25"), "a-m-x-metrics"),
        (
            "signal=metrics&service=a&metric=m&limit=-3&good_metrics=at_least",
            r#"name == "m" && service == "a""#,
            (true, "value >= -3"),
            "a-m-metrics",
        ),
        ("signal=events&service=a&event_type=t.u&good_filter=x", r#"type == "t.u""#, (false, "x"), "a-t-u-events"),
        ("signal=heartbeats&service=a&agent=b", r#"agent == "b""#, (true, r#"status == "ok""#), "a-b-heartbeats"),
        ("signal=heartbeats&service=a&counting=own&total=y&good_heartbeats=own&good_filter=x", "y", (true, "x"), "a-heartbeats"),
        ("signal=nothing&service=a", r#"service == "a" && kind == "server""#, (true, r#"status != "error""#), "a-availability"),
    ];
    for (raw, total, (is_good, part), name) in cases {
        let form = form(raw);
        assert_eq!((form.total(), form.part(), form.name()), (total.to_owned(), (is_good, part.to_owned()), name.to_owned()), "{raw}");
        assert_eq!(form.faults(), [], "{raw}");
        assert!(form.to_document().contains(&format!("signal: {}\n", form.signal().as_str())), "{raw}");
        let mut objective = objective(TimeWindow::Rolling(crate::slo::Window::days(28)));
        objective.service = "a".to_owned();
        let indicator = Indicator { total: total.to_owned(), part: part.to_owned(), is_good };
        let back = SloForm::of(&objective, &BTreeMap::new(), (form.signal(), &indicator), None, "");
        assert_eq!((back.total(), back.part(), back.signal()), (form.total(), form.part(), form.signal()), "{raw}");
        assert_eq!(back.value("counting"), form.value("counting"), "{raw}");
        assert_eq!(back.value(good_field(form.signal())), form.value(good_field(form.signal())), "{raw}");
    }
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("signal=logs&good_logs=own", &[("good_filter", "timed out")]),
        ("signal=metrics", &[("limit", "0.25"), ("metric", "name of a metric")]),
        ("signal=metrics&good_metrics=bad&counting=own", &[("good_filter", "status_code"), ("total", "name ==")]),
        ("signal=events", &[("good_filter", "data["), ("event_type", "type of an event")]),
        ("signal=heartbeats", &[("agent", "night-batch")]),
    ];
    for (raw, expected) in cases {
        let faults = form(&format!("service=a&{raw}")).faults();
        assert_eq!(faults.len(), expected.len(), "{raw}: {faults:?}");
        for (fault, (field, reason)) in faults.iter().zip(expected) {
            assert!(fault.field == *field && fault.reason.contains(reason), "{raw}: {fault:?}");
        }
    }
}

#[test]
fn a_name_is_proposed_and_a_given_one_is_kept() {
    let cases = [
        ("service=checkout&good=faster", "checkout-latency"),
        ("service=Check+Out&operation=POST+/pay&good=both", "check-out-post-pay-quality"),
        ("service=checkout&good=own", "checkout-objective"),
        ("service=checkout&name=+mine+", "mine"),
        ("service=", "availability"),
    ];
    for (raw, name) in cases {
        assert_eq!(form(raw).name(), name, "{raw}");
    }
}

#[test]
fn each_fault_is_told_at_its_field() {
    let cases: [(&str, &[&str]); 10] = [
        ("service=a", &[]),
        ("", &["service"]),
        ("service=a&target=abc", &["target"]),
        ("service=a&target=100.1", &["target"]),
        ("service=a&target=99,95+%25", &[]),
        ("service=a&good=faster&faster_ms=-1", &["faster_ms"]),
        ("service=a&good=own&counting=own", &["good_filter", "total"]),
        ("service=a&method=Timeslices&slice_target=x", &["slice_target"]),
        ("service=a&labels=team", &["labels"]),
        ("service=a&face=yaml", &["yaml"]),
    ];
    for (raw, fields) in cases {
        let faults = form(raw).faults();
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), fields, "{raw}");
    }
}

#[test]
fn faults_of_the_document_find_their_field() {
    let cases = [
        ("", "metadata.name", "name"),
        ("", "spec.service", "service"),
        ("signal=metrics", "spec.indicator.spec.ratioMetric.total.metricSource.spec.filter", "metric"),
        ("signal=metrics", "spec.indicator.spec.ratioMetric.good.metricSource.spec.filter", "limit"),
        ("signal=logs", "spec.indicator.spec.ratioMetric.total.metricSource.spec.filter", "service"),
        ("", "spec.objectives[0].targetPercent", "target"),
        ("", "spec.objectives[0].timeSliceWindow", "slice"),
        ("", "spec.timeWindow[0].calendar.timeZone", "time_zone"),
        ("", "spec.timeWindow[0].duration", "window"),
        ("counting=own", "spec.indicator.spec.ratioMetric.total.metricSource.spec.filter", "total"),
        ("good=bad", "spec.indicator.spec.ratioMetric.bad.metricSource.spec.filter", "good_filter"),
        ("face=yaml", "spec.service", "yaml"),
        ("", "line 1, column 2", "name"),
    ];
    for (raw, path, field) in cases {
        assert_eq!(form(raw).field_of(path), field, "{raw} {path}");
    }
}

fn objective(window: TimeWindow) -> Objective {
    Objective {
        name: "a".to_owned(),
        display_name: None,
        service: "shop".to_owned(),
        description: String::new(),
        target: crate::slo::Target::new(0.9995).expect("a target"),
        window,
        budgeting_method: BudgetingMethod::Timeslices { minutes: 5, target: 0.95 },
        expected_gap_minutes: None,
        alerting: crate::slo::Alerting::default(),
    }
}

#[test]
fn conditions_find_their_way_back_into_choices() {
    let rolling = objective(TimeWindow::Rolling(crate::slo::Window::days(28)));
    let cases = [
        (r#"service == "shop" && kind == "server""#, true, r#"status != "error""#, "picked", "no_error"),
        (r#"service == "shop" && operation == "GET /""#, true, "duration_ms < 250", "picked", "faster"),
        (r#"service == "shop""#, true, r#"status != "error" && duration_ms < 2.5"#, "picked", "both"),
        (r#"kind == "server" && service == "shop""#, false, r#"status == "error""#, "own", "bad"),
        (r#"service == "other""#, true, "duration_ms < 250 || true", "own", "own"),
    ];
    for (total, is_good, part, counting, good) in cases {
        let indicator = Indicator { total: total.to_owned(), part: part.to_owned(), is_good };
        let form = SloForm::of(&rolling, &BTreeMap::new(), (Signal::Spans, &indicator), None, "");
        assert_eq!((form.value("counting"), form.value("good")), (counting, good), "{total} {part}");
        assert_eq!((form.total(), form.part()), (total.to_owned(), (is_good, part.to_owned())));
        assert_eq!(
            (form.value("target"), form.value("window"), form.value("slice"), form.value("slice_target")),
            ("99.95", "28d", "5m", "95")
        );
        assert_eq!(form.faults(), []);
    }
}

proptest! {
    #[test]
    fn what_was_typed_comes_back(name in "[^\\r\\x00]{0,20}", filter in "[^\\r\\x00]{0,30}") {
        let mut form = SloForm::default();
        form.set("name", &name);
        form.set("good_filter", &filter);
        form.set("target", "");
        prop_assert_eq!(SloForm::parse(&form.to_query_string()), form);
    }
}
