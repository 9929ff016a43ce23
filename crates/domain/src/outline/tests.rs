use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::id::TraceId;
use crate::span::Source;

fn id(number: u64) -> SpanId {
    SpanId::from_bytes(&number.to_be_bytes()).expect("not zero")
}

/// A span by (id, parent's id or 0, "service operation", start, end), in milliseconds; an operation with `!` failed.
pub(crate) type Drawn<'a> = (u64, u64, &'a str, i64, i64);

pub(crate) fn span((number, parent, name, start, end): Drawn<'_>) -> Span {
    let (service, operation) = name.split_once(' ').expect("a service and an operation");
    Span {
        trace_id: TraceId::from_bytes(&[7; 16]).expect("not zero"),
        span_id: id(number),
        parent_span_id: (parent != 0).then(|| id(parent)),
        trace_state: String::new(),
        operation: operation.trim_end_matches('!').to_owned(),
        kind: Kind::Server,
        status: if operation.ends_with('!') { Status::Error } else { Status::Unset },
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

pub(crate) fn outline(spans: &[Drawn<'_>]) -> Outline {
    let spans: Vec<Span> = spans.iter().copied().map(span).collect();
    Outline::of(&spans)
}

/// Traces of up to 40 spans with few names; parents may be missing, be the span itself or go in circles.
pub(crate) fn any_trace() -> impl Strategy<Value = Vec<Span>> {
    let span = (0..60_u64, 0..4_usize, 0..200_i64, 0..120_i64);
    prop::collection::vec(span, 0..40).prop_map(|drawn| {
        let names = ["web GET", "web render", "pay charge!", "mail send"];
        let rows = (1_u64..).zip(drawn);
        rows.map(|(number, (parent, name, start, length))| span_of(number, parent, names[name], start, start + length)).collect()
    })
}

fn span_of(number: u64, parent: u64, name: &str, start: i64, end: i64) -> Span {
    span((number, parent, name, start, end))
}

const MS: i64 = 1_000_000;

#[test]
fn rows_know_their_parents_depth_and_self_time() {
    let outline = outline(&[
        (1, 0, "web GET", 0, 100),
        (2, 1, "pay charge", 10, 50),
        (3, 1, "pay charge", 30, 60),
        (4, 2, "db query", 20, 30),
        (5, 1, "mail send", 90, 180),
    ]);
    let told: Vec<_> = outline.spans.iter().map(|s| (s.parent, s.depth, s.children, s.descendants, s.self_nanos / MS)).collect();
    // The first waits 10..60 for two overlapping children and 90..100 for one that outlives it.
    assert_eq!(told, [(None, 0, 3, 4, 40), (Some(0), 1, 1, 1, 30), (Some(1), 2, 0, 0, 10), (Some(0), 1, 0, 0, 30), (Some(0), 1, 0, 0, 90)]);
    assert_eq!(outline.services, ["db", "mail", "pay", "web"]);
    let second = &outline.spans[1];
    assert_eq!((outline.service(second), outline.operation(second)), ("pay", "charge"));
    assert_eq!((outline.start(), outline.end()), (Timestamp::from_millis(0), Timestamp::from_millis(180)));
}

#[test]
fn spans_on_the_critical_path_know_their_own_share_of_it() {
    let outline = outline(&[(1, 0, "a x", 0, 100), (2, 1, "a x", 10, 90), (3, 1, "a x", 20, 30), (4, 2, "a x", 10, 90)]);
    let shares: Vec<_> = outline.spans.iter().map(|s| (s.span_id, s.critical_nanos.map(|nanos| nanos / MS))).collect();
    assert_eq!(shares, [(id(1), Some(20)), (id(2), Some(0)), (id(4), Some(80)), (id(3), None)]);
}

#[test]
fn the_first_error_is_the_one_that_ended_first_and_the_deeper_of_equals() {
    for (spans, wanted) in [
        (vec![], None),
        (vec![(1, 0, "a x!", 0, 10), (2, 1, "a x!", 5, 8)], Some(1)),
        (vec![(1, 0, "a x!", 0, 10), (2, 1, "a x!", 5, 10)], Some(1)),
        (vec![(1, 0, "a x", 0, 10)], None),
    ] {
        assert_eq!(outline(&spans).first_error(), wanted, "{spans:?}");
    }
}

#[test]
fn the_selected_span_is_the_one_asked_for_else_the_first_failure_else_the_first() {
    let failing = outline(&[(1, 0, "web GET!", 0, 100), (2, 1, "pay charge!", 10, 50), (3, 1, "mail send", 60, 70)]);
    assert_eq!(failing.selected(Some(id(3))), Some(2));
    assert_eq!(failing.selected(Some(id(9))), Some(1));
    assert_eq!(failing.selected(None), Some(1));
    assert_eq!(outline(&[(1, 0, "web GET", 0, 100)]).selected(None), Some(0));
    assert_eq!(outline(&[]).selected(None), None);
}

#[test]
fn columns_of_different_length_and_foreign_ids_are_refused() {
    let text = serde_json::to_string(&outline(&[(1, 0, "web GET", 0, 100)])).expect("json");
    assert!(serde_json::from_str::<Outline>(&text).is_ok(), "{text}");
    for (what, with) in [("\"up\":[0]", "\"up\":[0,1]"), ("0000000000000001", "000000000000000g"), ("0000000000000001", "01")] {
        assert!(text.contains(what), "{text}");
        assert!(serde_json::from_str::<Outline>(&text.replace(what, with)).is_err(), "{with}");
    }
}

proptest! {
    #[test]
    fn an_outline_survives_its_way_as_text(spans in any_trace()) {
        let outline = Outline::of(&spans);
        prop_assert_eq!(outline.spans.len(), spans.len());
        for (row, span) in outline.spans.iter().enumerate() {
            let below = outline.spans[row + 1..].iter().take_while(|other| other.depth > span.depth);
            prop_assert_eq!(below.clone().count(), span.descendants as usize);
            prop_assert_eq!(below.filter(|other| other.depth == span.depth + 1).count(), span.children as usize);
        }
        let text = serde_json::to_string(&outline).expect("json");
        prop_assert_eq!(serde_json::from_str::<Outline>(&text).expect("an outline"), outline);
    }

    #[test]
    fn self_time_is_what_no_child_covers(spans in any_trace()) {
        let outline = Outline::of(&spans);
        for (row, span) in outline.spans.iter().enumerate() {
            // Counted millisecond by millisecond.
            let covered = (span.start.millis()..span.end().millis()).filter(|at| {
                outline.spans.iter().any(|child| child.parent == Some(row as u32) && (child.start.millis()..child.end().millis()).contains(at))
            });
            prop_assert_eq!(span.self_nanos, span.nanos - covered.count() as i64 * MS);
        }
    }
}
