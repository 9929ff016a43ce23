//! A6, C4: a correlation ID on any span marks its whole trace, whatever the order of arrival and the spelling.

use prost::Message as _;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::url::encode;
use slowburn_test_support::{SpanBuilder, body, request, text, texts};
use sqlx::PgPool;

use crate::{NOON, Scene};

#[sqlx::test(migrations = "../../migrations")]
async fn a6_every_spelling_is_read_and_the_first_name_of_the_list_counts(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let spellings = [
        vec![text("correlation_id", "x-1")],
        vec![text("correlationId", "x-1")],
        vec![text("correlation.id", "x-1")],
        vec![texts("http.request.header.x-correlation-id", &["x-1", "y"])],
        vec![texts("http.request.header.x-request-id", &["x-1"])],
        vec![text("request_id", "x-1")],
        vec![text("session.id", "x-1")],
        vec![text("messaging.message.conversation_id", "x-1")],
        vec![text("baggage.correlation_id", "x-1")],
        vec![texts("http.request.header.baggage", &["tenant=a, correlation_id=x%2D1;p=1"])],
        vec![text("session.id", "other"), text("correlation_id", "x-1")],
        vec![text("baggage.correlation_id", "other"), text("request_id", "x-1")],
    ];
    let count = spellings.len() as u128;
    for (trace, attributes) in (1..).zip(spellings) {
        let span = attributes.into_iter().fold(SpanBuilder::new(trace, 1, NOON), SpanBuilder::with);
        scene.send(body("web", vec![span.build()])).await.expect("accepted");
    }
    scene
        .send(body(
            "web",
            vec![SpanBuilder::new(99, 1, NOON).with(text("session.id", "x-1")).with(text("correlation_id", "other")).build()],
        ))
        .await
        .expect("accepted");
    assert_eq!(scene.find("correlation_id=x-1").await, (1..=count).collect());
    assert_eq!(scene.find("correlation_id=other").await, [99].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a6_one_span_marks_the_whole_trace_in_either_order(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let root = |trace| SpanBuilder::new(trace, 1, NOON).named("root").lasting_ms(500).build();
    let child = |trace| SpanBuilder::new(trace, 2, NOON.plus_nanos(9_000_000)).parent(1).with(text("correlation_id", "late")).build();
    scene.send(body("web", vec![root(1)])).await.expect("accepted");
    scene.send(body("pay", vec![child(1)])).await.expect("accepted");
    scene.send(body("pay", vec![child(2)])).await.expect("accepted");
    scene.send(body("web", vec![root(2)])).await.expect("accepted");
    assert_eq!(scene.find("correlation_id=late").await, [1, 2].into());
    let (query, _) = TraceQuery::parse("correlation_id=late");
    for trace in scene.backend.find_traces(&query, NOON).await.expect("found").items {
        assert_eq!((trace.spans, trace.duration_ms, trace.root.operation.as_str()), (2, 500.0, "root"));
        assert_eq!(trace.services, ["pay", "web"]);
        assert_eq!(trace.correlation_ids, ["late"]);
    }
    assert_eq!(scene.find("correlation_id=late&service=web").await, [1, 2].into(), "the ID may be on another span");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a6_difficult_ids_are_found_exactly(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let long = "l".repeat(3_000);
    let longer = format!("{long}!");
    let ids = ["%41", "A", "a+b", "a b", "a/b", "a&b=c", "ü", "日本", long.as_str(), longer.as_str()];
    for (trace, id) in (1..).zip(ids) {
        scene.send(body("web", vec![SpanBuilder::new(trace, 1, NOON).with(text("correlation_id", id)).build()])).await.expect("accepted");
    }
    for (trace, id) in (1..).zip(ids) {
        assert_eq!(scene.find(&format!("correlation_id={}", encode(id))).await, [trace].into(), "{id}");
        let page = scene.backend.correlation_page(id, NOON).await.expect("a page");
        assert_eq!((page.traces.len(), page.bars.len()), (1, 1));
    }
    assert!(scene.backend.correlation_page("nobody", NOON).await.is_err());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a6_what_a_resource_says_marks_nothing_and_projects_and_executions_stand_beside(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let mut of_resource = request("web", vec![SpanBuilder::new(1, 1, NOON).build()]);
    let resource = of_resource.resource_spans[0].resource.as_mut().expect("one");
    resource.attributes.extend([text("correlation_id", "x-1"), text("project_id", "p-1")]);
    scene.send(of_resource.encode_to_vec()).await.expect("accepted");
    let spellings = [["project_id", "execution_id"], ["projectId", "executionId"]];
    for (trace, [project, execution]) in (2..).zip(spellings) {
        let span = SpanBuilder::new(trace, 1, NOON).with(text(project, "p-1")).with(text(execution, "e-1")).with(text("request_id", "x-1"));
        scene.send(body("web", vec![span.build()])).await.expect("accepted");
    }
    for query in ["correlation_id=x-1", "project_id=p-1", "execution_id=e-1", "project_id=p-1&execution_id=e-1&correlation_id=x-1"] {
        assert_eq!(scene.find(query).await, [2, 3].into(), "{query}");
    }
    assert_eq!(scene.find("project_id=p-2").await, [].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_filters_hold_for_one_span_and_durations_for_the_trace(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.send(body("web", vec![SpanBuilder::new(1, 1, NOON).named("a").lasting_ms(100).build()])).await.expect("accepted");
    scene
        .send(body("pay", vec![SpanBuilder::new(1, 2, NOON).named("b").failed().with(text("provider", "north")).build()]))
        .await
        .expect("accepted");
    scene
        .send(body("web", vec![SpanBuilder::new(2, 1, NOON.plus_nanos(1)).named("a").failed().lasting_ms(5).build()]))
        .await
        .expect("accepted");
    assert_eq!(scene.find("service=web&status=error").await, [2].into(), "trace 1 has the error in another service");
    assert_eq!(scene.find("service=pay&status=error").await, [1].into());
    assert_eq!(scene.find("operation=a").await, [1, 2].into());
    assert_eq!(scene.find("min_duration_ms=100").await, [1].into());
    assert_eq!(scene.find("max_duration_ms=5").await, [2].into());
    let filter = encode("attributes[\"provider\"] == \"north\" && service == \"pay\"");
    assert_eq!(scene.find(&format!("filter={filter}")).await, [1].into());
    assert_eq!(scene.find(&format!("filter={filter}&service=web")).await, [].into());
    assert_eq!(scene.find(&format!("filter={}", encode("duration_ms < 10"))).await, [2].into());
    assert_eq!(scene.find("service=nobody").await, [].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_pages_follow_each_other_without_gap_or_repeat(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for trace in 1..=250_u128 {
        let start = NOON.plus_nanos((trace as i64 / 3) * 1_000_000);
        // Half of the traces come in two parts, the later one first.
        if trace % 2 == 0 {
            scene
                .send(body("pay", vec![SpanBuilder::new(trace, 2, start.plus_nanos(7_000_000)).parent(1).build()]))
                .await
                .expect("accepted");
        }
        scene.send(body("web", vec![SpanBuilder::new(trace, 1, start).build()])).await.expect("accepted");
    }
    // By the index, and by walking segments for what spans hold, in them small and merged.
    follow(&scene, "limit=40").await;
    follow(&scene, "limit=40&service=web").await;
    follow(&scene, "limit=40&filter=duration_ms%20%3E%201").await;
    scene.clock.advance_seconds(1_300);
    assert!(scene.backend.merge_all().await.expect("merged") > 0);
    follow(&scene, "limit=40&service=web").await;
}

/// Goes from page to page while something new arrives.
async fn follow(scene: &Scene, raw: &str) {
    let mut seen = Vec::new();
    let (mut query, faults) = TraceQuery::parse(raw);
    assert_eq!(faults, []);
    let now = scene.clock.now();
    loop {
        let found = scene.backend.find_traces(&query, now).await.expect("found");
        seen.extend(found.items.iter().map(|trace| (trace.start, trace.trace_id)));
        if seen.len() == 40 {
            scene.clock.advance_seconds(1);
            let late = SpanBuilder::new(scene.clock.now().nanos().cast_unsigned().into(), 1, NOON).build();
            scene.send(body("web", vec![late])).await.expect("accepted");
        }
        match found.next {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| *id).collect();
    assert_eq!(ids.len(), seen.len(), "no trace twice");
    assert!(seen.len() >= 250, "{} of 250", seen.len());
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
}
