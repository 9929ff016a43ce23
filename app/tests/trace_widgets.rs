//! What the server writes for traces and correlations: complete without WebAssembly, and within the page's content policy.
#![cfg(feature = "ssr")]

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_app::clock::{provide_now, provide_watch};
use slowburn_app::widgets::comparison::comparison_table;
use slowburn_app::widgets::flame_graph::{FlameGraph, Frames};
use slowburn_app::widgets::markup::Markup;
use slowburn_app::widgets::span_details::SpanDetails;
use slowburn_app::widgets::span_table::SpanTable;
use slowburn_app::widgets::timeline::timeline;
use slowburn_app::widgets::trace_filters::FilterChips;
use slowburn_app::widgets::trace_list::TraceList;
use slowburn_app::widgets::waterfall::{PART, Waterfall};
use slowburn_domain::comparison::Comparison;
use slowburn_domain::flame::{Flame, FrameId};
use slowburn_domain::id::SpanId;
use slowburn_domain::lanes::Lanes;
use slowburn_domain::log::LogLine;
use slowburn_domain::outline::Outline;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::{Event, Kind, Source, Span, Status, Value};
use slowburn_domain::span_table::PAGE_ROWS;
use slowburn_domain::time::Timestamp;
use slowburn_domain::timeline::service_colours;
use slowburn_domain::trace::{Root, TraceSummary};
use slowburn_domain::trace_view::TraceView;
use slowburn_domain::view::{CorrelationPage, LaneBar, SpanView};
use slowburn_domain::waterfall::Zoom;

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

/// A root with all others on it, one after the other; the third span fails.
fn outline(count: usize) -> Arc<Outline> {
    let services = ["web", "checkout", "payment", "inventory", "mail"];
    let id = |number: usize| SpanId::from_bytes(&(number as u64 + 1).to_be_bytes()).expect("not zero");
    let span = |number: usize| Span {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        span_id: id(number),
        parent_span_id: (number > 0).then(|| id(0)),
        trace_state: String::new(),
        operation: format!("step <{number}>"),
        kind: Kind::Server,
        status: if number == 2 { Status::Error } else { Status::Unset },
        status_message: String::new(),
        start: Timestamp::from_millis(START + number as i64 * 10),
        end: Timestamp::from_millis(START + if number == 0 { count as i64 * 10 + 50 } else { number as i64 * 10 + 8 }),
        attributes: vec![],
        events: vec![],
        links: vec![],
        source: Arc::new(Source { service: services[number % services.len()].to_owned(), ..Source::default() }),
        correlation_id: None,
        project_id: None,
        execution_id: None,
        weight: 1,
    };
    Arc::new(Outline::of(&(0..count).map(span).collect::<Vec<_>>()))
}

fn waterfall(count: usize, selected: u32, first_row: Option<usize>) -> String {
    zoomed_waterfall(count, selected, first_row, None)
}

fn zoomed_waterfall(count: usize, selected: u32, first_row: Option<usize>, zoom: Option<Zoom>) -> String {
    html(|| {
        let (selected, zoom) = (Memo::new(move |_| Some(selected)), Memo::new(move |_| zoom));
        let (select, zoom_to) = (Callback::new(|_| ()), Callback::new(|_| ()));
        view! { <Waterfall outline=outline(count) zoom=zoom selected=selected first_row=first_row select=select zoom_to=zoom_to /> }
    })
}

fn flame_graph(count: usize, zoom: Option<usize>) -> (String, Flame) {
    let outline = outline(count);
    let flame = Flame::of(&outline);
    let frames = Arc::new(Frames { colours: service_colours(&outline.services), flame: flame.clone(), outline });
    let zoom = zoom.map(|index| flame.frames[index].id);
    let html = html(|| {
        let zoom = Memo::new(move |_| zoom);
        let href = Callback::new(|frame: Option<FrameId>| frame.map_or_else(|| "?all".to_owned(), |id| format!("?frame={id}")));
        view! { <FlameGraph frames=frames zoom=zoom href=href /> }
    });
    (html, flame)
}

fn span_table(count: usize, raw: &'static str) -> String {
    let outline = outline(count);
    html(|| {
        let href = Callback::new(|view: TraceView| format!("?{}", view.to_query_string()));
        let colours = service_colours(&outline.services);
        view! { <SpanTable outline=outline colours=colours view=TraceView::parse(raw) selected=Some(2) href=href /> }
    })
}

fn comparison() -> String {
    let mut markup = Markup::default();
    comparison_table(&mut markup, &Comparison::of(&outline(4), &outline(6)), &|_| 3);
    markup.finish()
}

#[test]
fn a_flame_graph_shows_every_frame_as_a_link_with_its_time_self_time_and_errors() {
    let (html, flame) = flame_graph(5, None);
    assert_eq!(html.matches("class=\"flame-area\"").count(), 5, "{html}");
    for frame in &flame.frames {
        assert!(html.contains(&format!("href=\"?frame={}\"", frame.id)), "{html}");
    }
    assert!(html.contains("✕ 1/1 payment step &lt;2&gt; 8 ms (8 %), self time 8 ms, 1 span, 1 of 1 failed"), "{html}");
    assert_eq!(html.matches("class=\"flame-errors\"").count(), 1, "{html}");
    assert!(html.contains("✕ 1/1"), "the failure is told by colour alone: {html}");
}

#[test]
fn a_zoomed_frame_leads_out_again() {
    let (html, flame) = flame_graph(5, Some(1));
    assert_eq!(html.matches("class=\"flame-area\"").count(), 2, "{html}");
    assert!(html.contains("?all") && html.contains(&format!("?frame={}", flame.frames[0].id)), "{html}");
    assert!(html.contains("aria-current=\"true\""), "{html}");
}

#[test]
fn a_flame_graph_of_ten_thousand_frames_says_what_it_leaves_out() {
    let (html, _) = flame_graph(10_000, None);
    assert!(html.matches("class=\"flame-area\"").count() < 2_000);
    assert!(html.contains("frames are too narrow"), "what is left out is not told");
}

#[test]
fn a_span_table_is_sorted_and_chosen_by_links() {
    let html = span_table(5, "view=table&sort=duration");
    assert_eq!(html.matches("class=\"row-link\"").count(), 5, "{html}");
    assert!(html.contains("aria-sort=\"descending\""), "{html}");
    for link in ["sort=self", "by=operation", "status=error"] {
        assert!(html.contains(link), "{link}: {html}");
    }
    assert!(html.contains("Errors only (1)"), "{html}");
    assert_eq!(span_table(5, "view=table&status=error").matches("class=\"row-link\"").count(), 1);
    assert_eq!(span_table(5, "view=table&by=operation").matches("class=\"row-link\"").count(), 5);
}

#[test]
fn a_long_table_comes_in_pages_that_lead_to_each_other() {
    let html = span_table(10_000, "view=table");
    assert_eq!(html.matches("class=\"row-link\"").count(), PAGE_ROWS);
    assert!(html.contains("page=2\"") && html.contains("page=100\"") && !html.contains("page=0"), "no way on");
    assert!(span_table(10_000, "view=table&page=100").contains("step &lt;9999&gt;"));
}

#[test]
fn a_comparison_shows_every_path_of_both_traces() {
    let html = comparison();
    assert_eq!(html.matches("<tr").count(), 1 + 6, "{html}");
    assert_eq!(html.matches("only in B").count(), 2, "{html}");
    assert!(html.contains("+20 ms") && html.contains("1.22 ×"), "{html}");
}

#[test]
fn a_zoomed_waterfall_keeps_its_rows_and_its_zoom_in_every_link() {
    let html = zoomed_waterfall(30, 0, None, Some((0, 100_000_000)));
    assert_eq!(html.matches("&amp;zoom=0-100000000").count(), 30, "{html}");
    assert_eq!(html.matches("y=\"7\" height=\"12\"").count(), 11, "{html}");
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
        zoomed_waterfall(300, 250, None, Some((5, 100_000_000))),
        flame_graph(300, Some(1)).0,
        span_table(300, "view=table"),
        span_table(300, "view=table&by=operation"),
        comparison(),
        html(|| timeline(&lanes, &page.bars, &page.logs)),
        html(|| view! { <TraceList traces=vec![summary(3)] caption="Traces" /> }),
        html(|| view! { <SpanDetails span=span(2, 5) origin=Timestamp::from_millis(START) /> }),
    ];
    for html in all {
        assert!(!html.contains(" style="), "{html}");
    }
}

#[test]
fn an_attribute_leads_to_the_traces_that_have_it() {
    let html = html(|| view! { <SpanDetails span=span(2, 5) origin=Timestamp::from_millis(START) /> });
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
        logs: vec![LogLine {
            time: Timestamp::from_millis(START + 120),
            severity: "error".to_owned(),
            service: "payment".to_owned(),
            said: "card <b>declined</b>".to_owned(),
            trace_id: None,
            correlation_id: None,
            more: vec![],
        }],
        more_logs: false,
        bars,
    }
}

#[test]
fn lanes_show_failures_retries_and_folded_gaps_as_links() {
    let page = correlation();
    let lanes = Lanes::of(&page);
    let html = html(|| timeline(&lanes, &page.bars, &page.logs));
    assert_eq!(html.matches("class=\"tl-bar").count(), 3, "{html}");
    assert_eq!(html.matches("tl-retry").count(), 1, "{html}");
    assert!(html.contains("attempt 2") && html.contains("9 min 59 s"), "{html}");
}
