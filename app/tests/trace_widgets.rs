//! What the server writes for traces and correlations: complete without WebAssembly, and within the page's content policy.
#![cfg(feature = "ssr")]

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_app::clock::{provide_now, provide_watch};
use slowburn_app::widgets::span_details::SpanDetails;
use slowburn_app::widgets::timeline::Timeline;
use slowburn_app::widgets::trace_filters::FilterChips;
use slowburn_app::widgets::trace_list::TraceList;
use slowburn_app::widgets::waterfall::{Laid, PART, Waterfall};
use slowburn_domain::id::SpanId;
use slowburn_domain::lanes::Lanes;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::{Event, Kind, Status, Value};
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::{Root, TraceSummary};
use slowburn_domain::view::{CorrelationPage, LaneBar, SpanView, TracePage, WaterfallRow};
use slowburn_domain::waterfall::Waterfall as Geometry;

const START: i64 = 1_795_227_600_000;

fn html<V: IntoView>(view: impl FnOnce() -> V) -> String {
    let owner = Owner::new();
    owner.with(|| {
        provide_watch();
        provide_now(Timestamp::from_millis(START + 60_000));
        view().to_html()
    })
}

fn span(number: usize, count: usize) -> SpanView {
    let services = ["web", "checkout", "payment", "inventory", "mail"];
    let failed = number == 2;
    SpanView {
        span_id: SpanId::from_bytes(&(number as u64 + 1).to_be_bytes()).expect("not zero"),
        parent_span_id: None,
        service: services[number % services.len()].to_owned(),
        operation: format!("step <{number}>"),
        kind: Kind::Server,
        status: if failed { Status::Error } else { Status::Unset },
        status_message: if failed { "card declined".to_owned() } else { String::new() },
        start: Timestamp::from_millis(START + number as i64 * 10),
        duration_ms: if number == 0 { count as f64 * 10.0 + 50.0 } else { 45.0 },
        attributes: vec![
            ("http.route".to_owned(), Value::String("/pay \"now\" & then".to_owned())),
            ("retry".to_owned(), Value::Bool(true)),
            ("tags".to_owned(), Value::Array(vec![Value::Int(1)])),
        ],
        resource: vec![],
        events: vec![Event { time: Timestamp::from_millis(START + 20), name: "exception".to_owned(), attributes: vec![] }],
        links: vec![],
    }
}

fn summary(spans: u32) -> TraceSummary {
    TraceSummary {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        correlation_ids: vec!["a/b %41".to_owned()],
        project_ids: vec![],
        execution_ids: vec![],
        start: Timestamp::from_millis(START),
        duration_ms: 1_240.0,
        root: Root { service: "web".to_owned(), operation: "GET /".to_owned() },
        services: vec!["checkout".to_owned(), "web".to_owned()],
        spans,
        errors: 1,
        classes: vec![],
    }
}

fn laid(count: usize) -> Arc<Laid> {
    let rows = (0..count).map(|span| WaterfallRow {
        span: span as u32,
        depth: u16::from(span > 0),
        children: if span == 0 { count as u32 - 1 } else { 0 },
        descendants: if span == 0 { count as u32 - 1 } else { 0 },
        on_critical_path: span < 3,
    });
    let page = TracePage {
        now: Timestamp::from_millis(START + 60_000),
        summary: summary(count as u32),
        spans: (0..count).map(|number| span(number, count)).collect(),
        rows: rows.collect(),
        critical_ms: vec![(0, 100.0)],
    };
    let geometry = Geometry::of(&page);
    Arc::new(Laid { page, geometry })
}

fn waterfall(count: usize, selected: u32, first_row: Option<usize>) -> String {
    html(|| {
        let selected = Memo::new(move |_| Some(selected));
        view! { <Waterfall laid=laid(count) selected=selected first_row=first_row select=Callback::new(|_| ()) /> }
    })
}

#[test]
fn a_waterfall_shows_every_span_as_a_link_with_its_bar() {
    let html = waterfall(5, 2, None);
    assert_eq!(html.matches("?span=").count(), 5, "{html}");
    assert_eq!(html.matches("class=\"wf-bar").count(), 5, "{html}");
    assert!(html.contains("step &lt;2&gt;"), "{html}");
    assert_eq!(html.matches("wf-failure").count(), 1, "{html}");
    assert!(html.contains("aria-current=\"true\""), "{html}");
}

#[test]
fn a_long_trace_is_written_in_parts_that_lead_to_each_other() {
    let html = waterfall(5_000, 0, None);
    assert_eq!(html.matches("?span=").count(), PART);
    assert!(html.contains("Rows 1 to 200 of 5000") && html.contains("href=\"?row=200\""), "no way on");
    let later = waterfall(5_000, 0, Some(4_999));
    assert!(later.contains("Rows 4801 to 5000 of 5000") && later.contains("href=\"?row=4600\"") && !later.contains("Later rows"));
    assert!(waterfall(5_000, 777, None).contains("Rows 601 to 800 of 5000"), "the selected span is not in the part shown");
    assert!(waterfall(5_000, 0, Some(9_999)).contains("Rows 1 to 200 of 5000"));
}

#[test]
fn no_geometry_is_a_style_attribute() {
    let page = correlation();
    let lanes = Lanes::of(&page);
    let all = [
        waterfall(300, 250, None),
        html(|| view! { <Timeline lanes=lanes bars=page.bars /> }),
        html(|| view! { <TraceList traces=vec![summary(3)] caption="Traces" /> }),
        html(|| view! { <SpanDetails span=span(2, 5) colour=3 origin=Timestamp::from_millis(START) critical_ms=None /> }),
    ];
    for html in all {
        assert!(!html.contains(" style="), "{html}");
    }
}

#[test]
fn an_attribute_leads_to_the_traces_that_have_it() {
    let html = html(|| view! { <SpanDetails span=span(2, 5) colour=3 origin=Timestamp::from_millis(START) critical_ms=Some(45.0) /> });
    assert!(html.contains("card declined"), "{html}");
    let filter = slowburn_domain::url::encode(r#"attributes["http.route"] == "/pay \"now\" & then""#);
    assert!(html.contains(&format!("/traces?filter={filter}")), "{html}");
    assert_eq!(html.matches("/traces?filter=").count(), 2, "a list has no literal: {html}");
}

#[test]
fn rows_lead_to_their_trace_and_difficult_ids_to_their_page() {
    let html = html(|| view! { <TraceList traces=vec![summary(3)] caption="Traces" /> });
    assert!(html.contains("href=\"/traces/4bf92f3577b34da6a3ce929d0e0e4736\""), "{html}");
    assert!(html.contains("href=\"/c/a%2Fb%20%2541\""), "{html}");
}

#[test]
fn a_chip_leads_to_the_search_without_its_filter() {
    let query = TraceQuery { service: Some("web".to_owned()), status: Some(Status::Error), limit: Some(5), ..TraceQuery::default() };
    let html = html(|| view! { <FilterChips query=query /> });
    assert!(html.contains("href=\"/traces?status=error\"") && html.contains("href=\"/traces?service=web\""), "{html}");
    assert_eq!(html.matches("class=\"chip\"").count(), 2, "{html}");
}

fn correlation() -> CorrelationPage {
    let bar = |service: &str, start: i64, status| LaneBar {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        service: service.to_owned(),
        operation: "charge".to_owned(),
        status,
        start: Timestamp::from_millis(START + start),
        duration_ms: 300.0,
    };
    let bars = vec![bar("web", 0, Status::Unset), bar("payment", 100, Status::Error), bar("payment", 600_000, Status::Ok)];
    CorrelationPage {
        now: Timestamp::from_millis(START + 700_000),
        id: "order-1".to_owned(),
        traces: vec![summary(3)],
        truncated: false,
        first_error: Some(bars[1].clone()),
        bars,
    }
}

#[test]
fn lanes_show_failures_retries_and_folded_gaps_as_links() {
    let page = correlation();
    let lanes = Lanes::of(&page);
    let html = html(|| view! { <Timeline lanes=lanes bars=page.bars /> });
    assert_eq!(html.matches("class=\"tl-bar").count(), 3, "{html}");
    assert_eq!(html.matches("tl-retry").count(), 1, "{html}");
    assert!(html.contains("attempt 2") && html.contains("9 min 59 s"), "{html}");
}
