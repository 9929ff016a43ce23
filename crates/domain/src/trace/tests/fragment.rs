use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Fragment, SpanClass, TraceSummary, fold};
use super::id;
use crate::id::TraceId;
use crate::query::{Bound, TraceQuery};
use crate::span::{Kind, Source, Span, Status};
use crate::time::Timestamp;

fn trace_id() -> TraceId {
    "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("valid")
}

/// A span of `service` with the operation `GET /{service}` from `start` to `end`, milliseconds.
fn span(number: u64, parent: u64, service: &str, start: i64, end: i64) -> Span {
    Span {
        trace_id: trace_id(),
        span_id: id(number),
        parent_span_id: (parent != 0).then(|| id(parent)),
        trace_state: String::new(),
        operation: format!("GET /{service}"),
        kind: Kind::Server,
        status: Status::Unset,
        status_message: String::new(),
        start: Timestamp::from_millis(start),
        end: Timestamp::from_millis(end),
        attributes: vec![],
        events: vec![],
        links: vec![],
        source: Arc::new(Source { service: service.to_owned(), ..Source::default() }),
        correlation_id: None,
        project_id: None,
        execution_id: None,
        weight: 1,
    }
}

/// A checkout whose payment fails, marked with two correlation IDs.
fn checkout() -> Vec<Span> {
    let mut spans =
        vec![span(1, 0, "shop", 100, 400), span(2, 1, "payment", 150, 420), span(3, 1, "stock", 120, 140), span(4, 2, "payment", 160, 200)];
    spans[1].status = Status::Error;
    spans[1].correlation_id = Some("order-2".to_owned());
    spans[2].correlation_id = Some("order-1".to_owned());
    spans[3].correlation_id = Some("order-2".to_owned());
    spans[3].execution_id = Some("run-7".to_owned());
    spans[0].project_id = Some("shop-eu".to_owned());
    spans
}

fn summary() -> TraceSummary {
    fold(&[Fragment::of(&checkout()).expect("spans")]).expect("a fragment")
}

#[test]
fn a_summary_tells_the_whole_trace() {
    let summary = summary();
    assert_eq!((summary.root.service.as_str(), summary.root.operation.as_str()), ("shop", "GET /shop"));
    assert_eq!((summary.start, summary.end()), (Timestamp::from_millis(100), Timestamp::from_millis(420)));
    assert_eq!((summary.spans, summary.errors), (4, 1));
    assert_eq!(summary.services, ["payment", "shop", "stock"]);
    assert_eq!(summary.correlation_ids, ["order-1", "order-2"]);
    assert_eq!(
        (summary.project_ids.as_slice(), summary.execution_ids.as_slice()),
        (&["shop-eu".to_owned()][..], &["run-7".to_owned()][..])
    );
    let class = |service: &str, status| SpanClass { service: service.to_owned(), operation: format!("GET /{service}"), status };
    let wanted =
        [class("payment", Status::Unset), class("payment", Status::Error), class("shop", Status::Unset), class("stock", Status::Unset)];
    assert_eq!(summary.classes, wanted);
    assert_eq!(Fragment::of([]), None);
    assert_eq!(fold([]), None);
}

#[test]
fn until_the_root_arrives_the_earliest_span_stands_in() {
    let spans = checkout();
    let late = Fragment::of(&spans[..1]).expect("spans");
    let early = Fragment::of(&spans[1..]).expect("spans");
    assert!(!early.root_is_known && late.root_is_known);
    assert_eq!(fold([&early]).expect("one").root.service, "stock");
    assert_eq!(fold([&early, &late]).expect("two").root.service, "shop");
}

#[test]
fn conditions_on_spans_hold_for_one_and_the_same_span() {
    let now = Timestamp::from_millis(60_000);
    let text = |text: &str| Some(text.to_owned());
    let any = TraceQuery::default;
    for (what, query, meets) in [
        ("nothing asked", any(), true),
        ("a service", TraceQuery { service: text("stock"), ..any() }, true),
        ("a service that takes no part", TraceQuery { service: text("mail"), ..any() }, false),
        ("the service that failed", TraceQuery { service: text("payment"), status: Some(Status::Error), ..any() }, true),
        ("a service and another one's failure", TraceQuery { service: text("stock"), status: Some(Status::Error), ..any() }, false),
        ("a service and another one's operation", TraceQuery { service: text("stock"), operation: text("GET /shop"), ..any() }, false),
        ("an ID that any span carries", TraceQuery { correlation_id: text("order-1"), status: Some(Status::Error), ..any() }, true),
        ("part of an ID", TraceQuery { correlation_id: text("order"), ..any() }, false),
        ("project and execution", TraceQuery { project_id: text("shop-eu"), execution_id: text("run-7"), ..any() }, true),
        ("another execution", TraceQuery { execution_id: text("run-8"), ..any() }, false),
        ("exactly its duration", TraceQuery { min_duration_ms: Some(320.0), max_duration_ms: Some(320.0), ..any() }, true),
        ("longer", TraceQuery { min_duration_ms: Some(320.1), ..any() }, false),
        ("shorter", TraceQuery { max_duration_ms: Some(319.9), ..any() }, false),
        ("from its very start", TraceQuery { from: Some(Bound::At(Timestamp::from_millis(100))), ..any() }, true),
        ("up to its start, excluded", TraceQuery { to: Some(Bound::At(Timestamp::from_millis(100))), ..any() }, false),
        ("the last minute", TraceQuery { from: Some(Bound::Ago(60)), ..any() }, true),
        ("the last half minute", TraceQuery { from: Some(Bound::Ago(30)), ..any() }, false),
    ] {
        assert_eq!(summary().meets(&query, now), meets, "{what}");
    }
}

proptest! {
    #[test]
    fn it_does_not_matter_how_spans_are_spread_over_fragments(
        spans in prop::collection::vec((0..3_u64, 0..3_usize, 0..5_i64, 0..50_i64, any::<bool>(), 0..4_usize), 1..20),
        turn in 0..4_usize,
    ) {
        let mut parts: Vec<Vec<Span>> = vec![vec![]; 4];
        let mut all = Vec::new();
        for (number, (parent, service, start, length, failed, part)) in spans.into_iter().enumerate() {
            let mut span = span(number as u64 + 10, parent, ["shop", "payment", "stock"][service], start, start + length);
            span.status = if failed { Status::Error } else { Status::Ok };
            span.correlation_id = failed.then(|| format!("order-{start}"));
            parts[part].push(span.clone());
            all.push(span);
        }
        parts.rotate_left(turn);
        let fragments: Vec<Fragment> = parts.iter().filter_map(Fragment::of).collect();
        prop_assert_eq!(fold(&fragments), fold(&[Fragment::of(&all).expect("at least one")]));
    }
}
