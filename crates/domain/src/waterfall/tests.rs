use super::*;
use crate::span::{Kind, Status};
use crate::time::Timestamp;
use crate::trace::{Root, TraceSummary};
use crate::view::SpanView;

fn id(number: u8) -> SpanId {
    SpanId::from_bytes(&[number; 8]).expect("not zero")
}

fn span(number: u8, service: &str, start: i64, duration_ms: f64, status: Status) -> SpanView {
    SpanView {
        span_id: id(number),
        parent_span_id: None,
        service: service.to_owned(),
        operation: "work".to_owned(),
        kind: Kind::Server,
        status,
        status_message: String::new(),
        start: Timestamp::from_millis(start),
        duration_ms,
        attributes: vec![],
        resource: vec![],
        events: vec![],
        links: vec![],
    }
}

fn row(span: u32, depth: u16, descendants: u32, on_critical_path: bool) -> WaterfallRow {
    WaterfallRow { span, depth, children: u32::from(descendants > 0), descendants, on_critical_path }
}

/// web ── checkout ── payment
///     └─ mail
fn page() -> TracePage {
    TracePage {
        now: Timestamp::from_millis(5_000),
        summary: TraceSummary {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
            correlation_ids: vec![],
            project_ids: vec![],
            execution_ids: vec![],
            start: Timestamp::from_millis(0),
            duration_ms: 1_000.0,
            root: Root { service: "web".to_owned(), operation: "GET /".to_owned() },
            services: vec!["checkout".to_owned(), "mail".to_owned(), "payment".to_owned(), "web".to_owned()],
            spans: 4,
            errors: 2,
            classes: vec![],
        },
        spans: vec![
            span(1, "web", 0, 1_000.0, Status::Error),
            span(2, "checkout", 100, 600.0, Status::Unset),
            span(3, "payment", 200, 400.0, Status::Error),
            span(4, "mail", 750, 0.0, Status::Unset),
        ],
        rows: vec![row(0, 0, 3, true), row(1, 1, 1, false), row(2, 2, 0, true), row(3, 1, 0, false)],
        critical_ms: vec![(0, 600.0), (2, 400.0)],
    }
}

#[test]
fn bars_stand_on_one_axis_and_services_differ_in_colour() {
    let fall = Waterfall::of(&page());
    for (bar, (x, width)) in fall.bars.iter().zip([(0.0, 1.0), (0.1, 0.6), (0.2, 0.4), (0.75, 0.0)]) {
        assert!((bar.x - x).abs() < 1e-9 && (bar.width - width).abs() < 1e-9, "{bar:?}");
    }
    let colours: BTreeSet<u8> = fall.bars.iter().map(|b| b.colour).collect();
    assert_eq!(colours.len(), 4);
    assert_eq!(fall.colour("payment"), fall.bars[2].colour);
}

#[test]
fn collapsing_hides_what_is_below_and_nothing_else() {
    let page = page();
    for (collapsed, shown) in
        [(vec![], vec![0, 1, 2, 3]), (vec![1], vec![0, 1, 3]), (vec![0], vec![0]), (vec![0, 1], vec![0]), (vec![3], vec![0, 1, 2, 3])]
    {
        assert_eq!(visible(&page.rows, &collapsed.iter().copied().collect()), shown, "{collapsed:?}");
    }
}

#[test]
fn the_critical_path_runs_past_spans_without_time_of_their_own() {
    let page = page();
    let fall = Waterfall::of(&page);
    assert_eq!(connectors(&page.rows, &[0, 1, 2, 3], &fall.bars), [Connector { x: 0.2, from: 0, to: 2 }]);
    assert_eq!(connectors(&page.rows, &[0, 1, 3], &fall.bars), []);
}

#[test]
fn the_selected_row_is_the_one_asked_for_else_the_first_failure_else_the_first() {
    let mut page = page();
    assert_eq!(selected_row(&page, Some(id(4))), Some(3));
    assert_eq!(selected_row(&page, Some(id(9))), Some(2));
    assert_eq!(selected_row(&page, None), Some(2));
    page.spans.iter_mut().for_each(|s| s.status = Status::Ok);
    assert_eq!(selected_row(&page, None), Some(0));
    page.rows.clear();
    assert_eq!(selected_row(&page, None), None);
}

#[test]
fn ancestors_lead_to_the_root() {
    let rows = page().rows;
    assert_eq!(ancestors(&rows, 2), [1, 0]);
    assert_eq!(ancestors(&rows, 3), [0]);
    assert_eq!(ancestors(&rows, 0), Vec::<u32>::new());
    assert_eq!(ancestors(&rows, 99), Vec::<u32>::new());
}

#[test]
fn strips_cover_every_row_whatever_their_number() {
    let page = page();
    let fall = Waterfall::of(&page);
    assert_eq!(fall.strips(&page.rows, 10), fall.bars);
    let two = fall.strips(&page.rows, 2);
    assert_eq!(two.len(), 2);
    assert!(two[0].failed && two[0].x == 0.0 && (two[0].width - 1.0).abs() < 1e-9);
    assert_eq!(fall.strips(&[], 5), []);
}
