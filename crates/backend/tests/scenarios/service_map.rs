//! C7: who calls whom, counted from spans in whatever order they come.

use std::collections::BTreeMap;

use slowburn_backend::ingest::SamplingRule;
use slowburn_backend::settings::Settings;
use slowburn_domain::service_map::EdgeKind;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, SpanKind, body, text};
use sqlx::PgPool;

use crate::{NOON, Scene};

/// All edges of the last hour: from, to and kind, with how many passed and failed.
async fn edges(scene: &Scene) -> BTreeMap<String, (u64, u64)> {
    let (from, to) = (NOON.plus_seconds(-3_600), scene.clock.now());
    let edges = scene.backend.service_map(None, from, to).await.expect("read");
    edges
        .into_iter()
        .map(|edge| (format!("{} → {}: {}", edge.caller, edge.callee, edge.kind.as_str()), (edge.count, edge.errors)))
        .collect()
}

fn expected<const N: usize>(edges: [(&str, (u64, u64)); N]) -> BTreeMap<String, (u64, u64)> {
    edges.into_iter().map(|(name, figures)| (name.to_owned(), figures)).collect()
}

/// A request of `web` to `pay`, seen from both sides; callee's span first.
fn call(trace: u128, at: Timestamp) -> [Vec<u8>; 2] {
    let client = SpanBuilder::new(trace, 1, at).of_kind(SpanKind::Client).with(text("server.address", "pay.example")).lasting_ms(50);
    let server = SpanBuilder::new(trace, 2, at).parent(1).lasting_ms(40).failed();
    [body("pay", vec![server.build()]), body("web", vec![client.build()])]
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_who_calls_whom_is_counted_once_in_whatever_order_spans_come(pool: PgPool) {
    let (one, two) = (Scene::new(pool.clone()).await, Scene::new(pool).await);
    let advance = |seconds| {
        one.clock.advance_seconds(seconds);
        two.clock.advance_seconds(seconds);
    };
    let at = NOON.plus_seconds(5);
    let [server, client] = call(1, at);
    one.send(server).await.expect("stored");
    let tells = |span: u64, kind: SpanKind, attributes: &[(&str, &str)]| {
        let span = SpanBuilder::new(1, span, at).parent(2).of_kind(kind);
        attributes.iter().fold(span, |span, (key, value)| span.with(text(key, value))).build()
    };
    let database = [("db.system.name", "postgresql"), ("db.namespace", "ledger"), ("server.address", "db1")];
    let queue = [("messaging.system", "kafka"), ("messaging.destination.name", "orders")];
    let asked = vec![
        tells(3, SpanKind::Client, &database),
        tells(4, SpanKind::Client, &[("db.system", "redis"), ("net.peer.name", "cache1")]),
        tells(5, SpanKind::Producer, &queue),
        tells(6, SpanKind::Client, &[("peer.service", "bank")]),
        // Says nothing of whom it asks.
        tells(7, SpanKind::Client, &[]),
    ];
    two.send(body("pay", asked)).await.expect("stored");
    let fetching = [queue[0], queue[1], ("messaging.operation.type", "receive")];
    two.send(body("mail", vec![tells(8, SpanKind::Consumer, &queue), tells(9, SpanKind::Consumer, &fetching)])).await.expect("stored");

    // The minute ends half a minute after noon.
    advance(30 + 19);
    assert_eq!(one.backend.count_edges().await.expect("counted"), 0, "its spans may be on their way");
    advance(1);
    let counts = tokio::join!(one.backend.count_edges(), two.backend.count_edges());
    assert_eq!(counts.0.expect("counted") + counts.1.expect("counted"), 1, "one of them counts");
    let told = [
        ("pay → bank: call elsewhere", (1, 0)),
        ("pay → postgresql ledger: database", (1, 0)),
        ("pay → redis cache1: database", (1, 0)),
        ("pay → kafka orders: message sent", (1, 0)),
        ("kafka orders → mail: message received", (1, 0)),
    ];
    assert_eq!(edges(&one).await, expected(told));

    // The caller's span comes late; and is waited for until the minute is twice as old.
    one.send(client).await.expect("stored");
    advance(19);
    assert_eq!(one.backend.count_edges().await.expect("counted") + two.backend.count_edges().await.expect("counted"), 0);
    advance(1);
    assert_eq!(one.backend.count_edges().await.expect("counted") + two.backend.count_edges().await.expect("counted"), 1);
    let mut whole = expected(told);
    whole.insert("web → pay: call".to_owned(), (1, 1));
    assert_eq!(edges(&two).await, whole);

    // Merged and counted anew it is the same, and one more.
    for part in call(2, at.plus_seconds(1)) {
        one.send(part).await.expect("stored");
    }
    advance(1_500);
    assert!(one.backend.merge_all().await.expect("merged") > 0);
    assert_eq!(one.backend.count_edges().await.expect("counted") + two.backend.count_edges().await.expect("counted"), 1);
    whole.insert("web → pay: call".to_owned(), (2, 2));
    assert_eq!(edges(&one).await, whole);
    assert_eq!(
        one.backend.count_edges().await.expect("counted") + two.backend.count_edges().await.expect("counted"),
        0,
        "nothing is marked"
    );

    let overview = one.backend.overview(one.clock.now()).await.expect("read");
    assert_eq!(overview.failing_calls.iter().map(|edge| edge.callee.as_str()).collect::<Vec<_>>(), ["pay"], "no other fails");

    let of_mail = one.backend.service_map(Some("mail"), NOON, one.clock.now()).await.expect("read");
    assert_eq!(of_mail.iter().map(|edge| edge.kind).collect::<Vec<_>>(), [EdgeKind::Receive]);
    let slow = one.backend.service_map(Some("web"), NOON, NOON).await.expect("read").remove(0);
    assert!((39.0..=41.0).contains(&slow.p95_ms), "by the callee's span: {}", slow.p95_ms);
    assert!((slow.rate_per_second - 2.0 / 60.0).abs() < 1e-9, "{}", slow.rate_per_second);
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_a_call_over_the_border_of_two_minutes_is_one_call(pool: PgPool) {
    let scene = Scene::new(pool).await;
    // The callee's span ends 5 ms before the minute does, the caller's after.
    for part in call(1, NOON.plus_nanos(29_955_000_000)) {
        scene.send(part).await.expect("stored");
        // Whichever of them has been counted when the other comes.
        scene.clock.advance_seconds(200);
        scene.backend.count_edges().await.expect("counted");
    }
    scene.clock.advance_seconds(600);
    scene.backend.count_edges().await.expect("counted");
    assert_eq!(edges(&scene).await, expected([("web → pay: call", (1, 1))]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_calls_that_sampling_left_out_are_counted_by_weight(pool: PgPool) {
    let settings = Settings { sampling: vec!["1/10".parse::<SamplingRule>().expect("sound")], ..Settings::default() };
    let scene = Scene::with(pool.clone(), settings).await;
    let both = |kind: SpanKind, span: u64, parent: u64| {
        (1..=1_000).map(|trace| SpanBuilder::new(trace, span, NOON).parent(parent).of_kind(kind).build()).collect::<Vec<_>>()
    };
    scene.send(body("web", both(SpanKind::Client, 2, 1))).await.expect("stored");
    scene.send(body("pay", both(SpanKind::Server, 3, 2))).await.expect("stored");
    scene.clock.advance_seconds(90);
    scene.backend.count_edges().await.expect("counted");
    let stored: i64 = sqlx::query_scalar("SELECT count(DISTINCT trace_id) FROM trace_index").fetch_one(&pool).await.expect("counted");
    assert!((50..150).contains(&stored), "a sample is stored: {stored}");
    assert_eq!(edges(&scene).await, expected([("web → pay: call", (stored.cast_unsigned() * 10, 0))]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_beyond_a_thousand_ends_a_minute_has_others(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let spans = (1..=1_010_u64).flat_map(|end| {
        // The first ten are asked once, the others twice.
        let times = if end <= 10 { 1 } else { 2 };
        (0..times).map(move |time| {
            let client = SpanBuilder::new(u128::from(end), end * 2 + time, NOON).of_kind(SpanKind::Client);
            client.with(text("server.address", &format!("host-{end}"))).build()
        })
    });
    scene.send(body("web", spans.collect())).await.expect("stored");
    scene.clock.advance_seconds(90);
    scene.backend.count_edges().await.expect("counted");
    let edges = edges(&scene).await;
    assert_eq!(edges.len(), 1_001);
    assert_eq!(edges["web → ~other: call elsewhere"], (10, 0));
    assert_eq!(edges.values().map(|(count, _)| count).sum::<u64>(), 2_010);
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_a_segment_that_cannot_be_read_keeps_no_other_from_being_counted(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene
        .send(body("lost", vec![SpanBuilder::new(9, 1, NOON).of_kind(SpanKind::Client).with(text("peer.service", "bank")).build()]))
        .await
        .expect("stored");
    sqlx::query("UPDATE segments SET body = 'no segment'").execute(&pool).await.expect("broken");
    for part in call(1, NOON) {
        scene.send(part).await.expect("stored");
    }
    scene.clock.advance_seconds(90);
    assert_eq!(scene.backend.count_edges().await.expect("counted"), 1);
    assert_eq!(edges(&scene).await, expected([("web → pay: call", (1, 1))]));
}

#[sqlx::test(migrations = "../../migrations")]
async fn c7_minutes_of_a_long_past_that_wait_are_told(pool: PgPool) {
    let scene = Scene::new(pool).await;
    for minute in 0..5 {
        let span = SpanBuilder::new(minute + 1, 1, NOON.plus_seconds(-60 * minute as i64)).build();
        scene.send(body("web", vec![span])).await.expect("accepted");
    }
    let waiting = async || scene.backend.service_map_page(3_600, scene.clock.now()).await.expect("read").waiting_minutes;
    assert_eq!(waiting().await, 3);
    scene.clock.advance_seconds(60);
    while scene.backend.count_edges().await.expect("counted") > 0 {}
    assert_eq!(waiting().await, 0);
}
