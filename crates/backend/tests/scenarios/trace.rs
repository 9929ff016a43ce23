//! C5: the page of one trace: the outline of the whole, one span in full, others by asking, another trace beside it. C4: the
//! live tail.

use std::sync::Arc;

use slowburn_backend::Error;
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::query::TraceQuery;
use slowburn_domain::trace_view::TraceView;
use slowburn_test_support::{SpanBuilder, body, text};
use sqlx::PgPool;

use crate::{NOON, Scene};

fn trace_id(number: u128) -> TraceId {
    TraceId::from_bytes(&number.to_be_bytes()).expect("not zero")
}

fn span_id(number: u64) -> SpanId {
    SpanId::from_bytes(&number.to_be_bytes()).expect("not zero")
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_trace_page_has_the_outline_of_all_and_one_span_in_full(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.send(body("web", vec![SpanBuilder::new(1, 1, NOON).named("root").lasting_ms(500).build()])).await.expect("accepted");
    let charge = SpanBuilder::new(1, 2, NOON.plus_nanos(9_000_000)).parent(1).named("charge").failed().with(text("provider", "north"));
    scene.send(body("pay", vec![charge.build()])).await.expect("accepted");
    let backend = &scene.backend;
    let page = |raw: &'static str| async move { backend.trace_page(trace_id(1), &TraceView::parse(raw), NOON).await };

    let first = page("").await.expect("a page");
    let told: Vec<_> = first.outline.spans.iter().map(|s| (first.outline.service(s), first.outline.operation(s), s.depth)).collect();
    assert_eq!(told, [("web", "root", 0), ("pay", "charge", 1)]);
    assert_eq!(first.failure.map(|failure| failure.row), Some(1));
    let selected = first.selected.expect("the failure");
    assert_eq!((selected.span_id, selected.attributes.len()), (span_id(2), 1));
    let asked = page("span=0000000000000001").await.expect("a page").selected.expect("the root");
    assert_eq!(asked.span_id, span_id(1));

    let other = scene.backend.span(trace_id(1), span_id(2)).await.expect("the span");
    assert_eq!(other, selected);
    assert!(matches!(scene.backend.span(trace_id(1), span_id(9)).await, Err(Error::NotFound { kind: "span", .. })));
    assert!(matches!(scene.backend.span(trace_id(7), span_id(1)).await, Err(Error::NotFound { kind: "trace", .. })));
}

#[sqlx::test(migrations = "../../migrations")]
async fn traces_with_the_same_root_are_offered_and_the_one_asked_for_is_read(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for trace in 1..=12_u128 {
        let start = NOON.plus_nanos(trace as i64 * 1_000_000);
        let name = if trace == 12 { "another" } else { "root" };
        scene.send(body("web", vec![SpanBuilder::new(trace, 1, start).named(name).build()])).await.expect("accepted");
    }
    // The root's operation on an inner span makes no trace alike.
    let inner = SpanBuilder::new(12, 2, NOON.plus_nanos(20_000_000)).parent(1).named("root");
    scene.send(body("web", vec![inner.build()])).await.expect("accepted");
    let scene = &scene;
    let page = |raw: String| async move {
        let page = scene.backend.trace_page(trace_id(1), &TraceView::parse(&raw), scene.clock.now()).await.expect("a page");
        let alike: Vec<u128> = page.alike.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect();
        (alike, page.other.map(|other| (other.summary.trace_id, other.outline.spans.len())))
    };
    assert_read(page(String::new()).await, &[], None);
    let newest = [11, 10, 9, 8, 7, 6, 5, 4];
    assert_read(page("view=compare".to_owned()).await, &newest, None);
    assert_read(page(format!("compare={}", trace_id(12))).await, &[], Some((trace_id(12), 2)));
    for unknown in [trace_id(99).to_string(), trace_id(1).to_string(), "nonsense".to_owned()] {
        assert_read(page(format!("compare={unknown}")).await, &newest, None);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_tail_finds_what_arrived_before_the_news_and_is_searched_once(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let (query, _) = TraceQuery::parse("service=web&live=1");
    let send = async |trace| scene.send(body("web", vec![SpanBuilder::new(trace, 1, NOON).build()])).await.expect("accepted");
    let tail = async || scene.backend.tail(query.clone(), scene.clock.now()).await.expect("found");
    send(1).await;
    scene.backend.fold_all().await.expect("folded");
    let first = tail().await;
    assert_eq!(first.items.len(), 1);
    send(2).await;
    let shared = tail().await;
    assert!(Arc::ptr_eq(&first, &shared), "a second reader under the same news has the same answer");
    scene.backend.fold_all().await.expect("folded");
    let next = tail().await;
    assert_eq!(next.items.len(), 2);
    let (other, _) = TraceQuery::parse("service=pay&live=1");
    assert_eq!(scene.backend.tail(other, NOON).await.expect("found").items.len(), 0, "another search has its own answer");
}

/// The traces offered, and the one compared with and its spans.
#[track_caller]
fn assert_read(read: (Vec<u128>, Option<(TraceId, usize)>), alike: &[u128], other: Option<(TraceId, usize)>) {
    assert_eq!((read.0.as_slice(), read.1), (alike, other));
}
