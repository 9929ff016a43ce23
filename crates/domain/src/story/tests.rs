use super::*;
use crate::outline::tests::{Drawn, outline};
use crate::span::{Event, Kind, Status};
use crate::trace::{Root, TraceSummary};
use crate::view::{Failure, LaneBar};

fn summary(start: i64, duration_ms: f64, services: &[&str], spans: u32) -> TraceSummary {
    TraceSummary {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        correlation_ids: vec![],
        project_ids: vec![],
        execution_ids: vec![],
        start: Timestamp::from_millis(start),
        duration_ms,
        root: Root { service: "checkout".to_owned(), operation: "POST /pay".to_owned() },
        services: services.iter().map(|s| (*s).to_owned()).collect(),
        spans,
        errors: 0,
        classes: vec![],
    }
}

fn span(number: u8, service: &str, start: i64, end: i64, status: Status, message: &str) -> SpanView {
    SpanView {
        span_id: crate::id::SpanId::from_bytes(&[number; 8]).expect("not zero"),
        parent_span_id: None,
        service: service.to_owned(),
        operation: "charge".to_owned(),
        kind: Kind::Client,
        status,
        status_message: message.to_owned(),
        start: Timestamp::from_millis(start),
        duration_ms: (end - start) as f64,
        attributes: vec![],
        resource: vec![],
        events: vec![],
        links: vec![],
    }
}

fn page(spans: &[Drawn<'_>], message: &str) -> TracePage {
    let outline = outline(spans);
    let services: Vec<&str> = outline.services.iter().map(String::as_str).collect();
    TracePage {
        now: Timestamp::default(),
        sampling: String::new(),
        summary: summary(0, 1_240.0, &services, spans.len() as u32),
        failure: outline.first_error().map(|row| Failure { row, message: message.to_owned() }),
        outline,
        selected: None,
        alike: vec![],
        logs: vec![],
        more_logs: false,
        other: None,
    }
}

#[test]
fn a_trace_is_told_in_one_sentence() {
    let failing = |message: &str| {
        page(&[(1, 0, "checkout pay!", 0, 1_240), (2, 1, "bank ask", 90, 600), (3, 2, "payment charge!", 100, 500)], message)
    };
    for (page, sentence) in [
        (failing("card declined"), "checkout POST /pay took 1.24 s over 3 services; failed in payment: card declined."),
        (failing("card declined.\nat charge()"), "checkout POST /pay took 1.24 s over 3 services; failed in payment: card declined."),
        (failing(""), "checkout POST /pay took 1.24 s over 3 services; failed in payment: charge."),
        (page(&[(1, 0, "checkout pay", 0, 1_240)], ""), "checkout POST /pay took 1.24 s in one service; nothing failed."),
    ] {
        assert_eq!(of_trace(&page), sentence);
    }
}

#[test]
fn an_exception_speaks_for_a_span_without_words() {
    let mut failed = span(1, "a", 0, 10, Status::Error, "");
    assert_eq!(error_message(&failed), "");
    failed.events.push(Event {
        time: Timestamp::default(),
        name: "exception".to_owned(),
        attributes: vec![("exception.type".to_owned(), Value::String("Timeout".to_owned()))],
    });
    assert_eq!(error_message(&failed), "Timeout");
    failed.events[0].attributes.push(("exception.message".to_owned(), Value::String("no answer".to_owned())));
    assert_eq!(error_message(&failed), "no answer");
    failed.status_message = "gave up".to_owned();
    assert_eq!(error_message(&failed), "gave up");
}

#[test]
fn a_correlation_is_told_in_one_sentence() {
    let at = 1_700_000_000_000;
    let bar = LaneBar {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        service: "payment".to_owned(),
        operation: "charge".to_owned(),
        status: Status::Error,
        start: Timestamp::from_millis(at + 2_000),
        duration_ms: 5.0,
    };
    let mut page = CorrelationPage {
        now: Timestamp::default(),
        id: "order-1".to_owned(),
        traces: vec![summary(at, 400.0, &["a"], 20), summary(at + 12_000, 400.0, &["b"], 21)],
        truncated: false,
        bars: vec![bar.clone()],
        first_error: Some(bar),
        logs: vec![],
        more_logs: false,
    };
    assert_eq!(of_correlation(&page), "2 traces, 41 spans over 12.4 s; failed in payment at 22:13:22 UTC.");
    page.now = Timestamp::from_millis(at + 60_000);
    assert!(may_go_on(&page));
    page.now = Timestamp::from_millis(at + 3_600_000);
    assert!(!may_go_on(&page));
    page.first_error = None;
    page.truncated = true;
    assert_eq!(of_correlation(&page), "The first 2 traces, 41 spans over 12.4 s; nothing failed.");
    page.truncated = false;
    page.traces.truncate(1);
    page.traces[0].spans = 1;
    assert_eq!(of_correlation(&page), "1 trace, 1 span over 400 ms; nothing failed.");
    page.traces[0].errors = 1;
    assert_eq!(of_correlation(&page), "1 trace, 1 span over 400 ms; 1 trace failed.");
}

#[test]
fn offsets_carry_their_sign() {
    let at = Timestamp::from_millis;
    for (millis, text) in [(0, "0"), (312, "+312 ms"), (-40, "−40 ms"), (90_000, "+1 min 30 s")] {
        assert_eq!(offset(at(millis), at(0)), text);
    }
}

#[test]
fn results_are_told_in_one_sentence() {
    let mut failed = summary(0, 1_240.0, &["a"], 2);
    failed.errors = 1;
    let page = |items: Vec<TraceSummary>, next: bool| crate::view::TracesPage {
        now: Timestamp::default(),
        query: crate::query::TraceQuery::default(),
        faults: vec![],
        items,
        next: next.then(crate::query::TraceQuery::default),
        searched_to: None,
        histogram: vec![],
        histogram_step_seconds: 1.0,
        views: vec![],
        services: vec![],
    };
    assert_eq!(
        of_results(&page(vec![failed.clone(), summary(0, 10.0, &["a"], 1)], true)),
        "The newest 2 traces; 1 failed, the longest took 1.24 s."
    );
    assert_eq!(of_results(&page(vec![summary(0, 10.0, &["a"], 1)], false)), "1 trace; none failed, the longest took 10 ms.");
}
