//! G4, H2: small segments become large ones and nothing changes for who reads; what is past retention goes, and what is to
//! be kept stays.

use slowburn_backend::settings::Settings;
use slowburn_domain::id::TraceId;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body, text};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{NOON, Scene, availability};

const SLOT_SECONDS: i64 = 20 * 60;

fn trace_id(number: u128) -> TraceId {
    TraceId::from_bytes(&number.to_be_bytes()).expect("an id")
}

/// Traces of two spans, each span in a request of its own; every tenth trace fails.
async fn send_thin(scene: &Scene, traces: std::ops::Range<u128>) {
    for number in traces {
        let start = NOON.plus_nanos(i64::try_from(number).expect("small") * 1_000_000);
        let root = SpanBuilder::new(number, 1, start).with(text("correlation_id", &format!("order-{}", number / 3)));
        let root = if number.is_multiple_of(10) { root.failed() } else { root };
        let child = SpanBuilder::new(number, 2, start.plus_nanos(1_000)).parent(1).named("charge").with(text("card", "visa"));
        scene.send(body("checkout", vec![root.build()])).await.expect("accepted");
        scene.send(body("payment", vec![child.build()])).await.expect("accepted");
    }
}

async fn segments(pool: &PgPool, part: i16) -> (i64, i64) {
    sqlx::query_as("SELECT count(*), coalesce(sum(records), 0)::bigint FROM segments WHERE part = $1")
        .bind(part)
        .fetch_one(pool)
        .await
        .expect("counted")
}

/// Everything a reader can learn.
async fn all_that_is_known(scene: &Scene) -> Vec<String> {
    let mut known = Vec::new();
    for raw in [
        "",
        "status=error",
        "service=payment",
        "operation=charge",
        "correlation_id=order-4",
        "filter=attributes.card%20%3D%3D%20%22visa%22",
    ] {
        let (query, faults) = TraceQuery::parse(&format!("{raw}&limit=1000"));
        assert_eq!(faults, []);
        let found = scene.backend.find_traces(&query, scene.clock.now()).await.expect("the search succeeds");
        known.push(format!("{raw}: {:?}", found.items));
    }
    for number in [1, 20, 40] {
        let trace = scene.backend.trace(trace_id(number)).await.expect("found");
        known.push(format!("{:?}", trace.spans));
    }
    let now = scene.clock.now();
    let page = scene.backend.slo_page("checkout-availability", None, None, now).await.expect("known");
    known.push(format!("{:?} {:?}", page.row.evaluation.counts, page.bad_traces));
    known
}

#[sqlx::test(migrations = "../../migrations")]
async fn merging_changes_nothing_for_who_reads(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&availability("checkout-availability", 0.9, "7d")).await;
    send_thin(&scene, 1..61).await;
    // A span that came in two requests is stored once after merging.
    let again = vec![SpanBuilder::new(7, 2, NOON.plus_nanos(7_001_000)).parent(1).named("charge").with(text("card", "visa")).build()];
    scene.send(body("payment", [again, vec![SpanBuilder::new(61, 1, NOON).build()]].concat())).await.expect("accepted");
    let before = all_that_is_known(&scene).await;
    assert_eq!(segments(&pool, 0).await, (121, 122));
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 0, "the slot is running and little waits");

    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 121);
    assert_eq!(segments(&pool, 0).await, (0, 0));
    assert_eq!(segments(&pool, 1).await, (2, 121), "one for each bucket, the repeated span once");
    let moved = |text: &String| text.replace("spans: 3", "spans: 2");
    let after = all_that_is_known(&scene).await;
    for (before, after) in before.iter().zip(&after) {
        // The index counts a repeated span twice until it is merged away.
        assert_eq!(moved(before), moved(after));
    }
    let (fragments, distinct): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT (bucket, trace_id)) FROM trace_index").fetch_one(&pool).await.expect("counted");
    assert_eq!(fragments, distinct, "a trace has one fragment in each merged segment");
    for table in ["trace_index", "correlation_index", "bad_index"] {
        let parts: (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FILTER (WHERE part = 0), count(*) FILTER (WHERE part = 1) FROM {table}"
        )))
        .fetch_one(&pool)
        .await
        .expect("counted");
        assert!(parts.0 == 0 && parts.1 > 0, "what is filed in {table} goes with its segments: {parts:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn h1_a_merge_reads_what_it_replaces_however_much_waits(pool: PgPool) {
    let own = PgPoolOptions::new().max_connections(1).connect_with((*pool.connect_options()).clone()).await.expect("connected");
    let scene = Scene::with(own.clone(), Settings { buckets: 1, ..Settings::default() }).await;
    scene.apply(&availability("checkout-availability", 0.9, "7d")).await;
    // Five merges are due. The spans of a request lie in a second of their own; every trace has the project, every tenth fails.
    let (requests, spans) = (20, 2_000);
    for request in 0..requests {
        let spans = (0..spans).map(|span| {
            let number = request * spans + span;
            let start = NOON.plus_seconds(-i64::try_from(request).expect("small")).plus_nanos(i64::try_from(span).expect("small") * 1_000);
            let span = SpanBuilder::new(number + 1, 1, start).with(text("correlation_id", &format!("order-{number}")));
            let span = span.with(text("project_id", "shop"));
            if number.is_multiple_of(10) { span.failed().build() } else { span.build() }
        });
        scene.send(body("checkout", spans.collect())).await.expect("accepted");
    }
    assert_eq!(segments(&pool, 0).await, (20, 40_000));
    let read = async || {
        sqlx::query("SELECT pg_stat_force_next_flush()").execute(&own).await.expect("flushed");
        sqlx::query_as::<_, (String, i64, i64)>(
            "SELECT pg_partition_root(relid)::regclass::text, sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint, sum(n_tup_del)::bigint
             FROM pg_stat_user_tables WHERE relname LIKE '%open' GROUP BY 1",
        )
        .fetch_all(&own)
        .await
        .expect("statistics")
    };
    let before = read().await;
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 20);
    assert_eq!(segments(&pool, 1).await, (5, 40_000));
    let after = read().await;
    for (table, least) in [("trace_index", 40_000), ("correlation_index", 80_000), ("bad_index", 2_000)] {
        let of = |all: &[(String, i64, i64)]| all.iter().find(|row| row.0 == table).map_or((0, 0), |row| (row.1, row.2));
        let (read, removed) = (of(&after).0 - of(&before).0, of(&after).1 - of(&before).1);
        assert_eq!(removed, least, "{table}");
        assert!(read <= removed + removed / 10, "{read} rows of {table} were read to remove {removed}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_small_segments_are_merged_in_the_running_slot(pool: PgPool) {
    let scene = Scene::with(pool.clone(), Settings { buckets: 1, ..Settings::default() }).await;
    send_thin(&scene, 1..151).await;
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 0, "they are too young");
    scene.clock.advance_seconds(30);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 300);
    assert_eq!(segments(&pool, 1).await, (1, 300));
    send_thin(&scene, 151..153).await;
    scene.clock.advance_seconds(30);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 0, "too few wait");
    assert_eq!(scene.find("correlation_id=order-50").await.len(), 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_search_goes_on_across_a_merge_without_gap_or_repeat(pool: PgPool) {
    let scene = Scene::new(pool).await;
    send_thin(&scene, 1..41).await;
    let (mut query, _) = TraceQuery::parse("limit=15");
    let first = scene.backend.find_traces(&query, scene.clock.now()).await.expect("found");
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    assert!(scene.backend.merge_all().await.expect("merged") > 0);
    let mut items = first.items;
    query.cursor = first.next;
    while query.cursor.is_some() {
        let page = scene.backend.find_traces(&query, scene.clock.now()).await.expect("found");
        items.extend(page.items);
        query.cursor = page.next;
    }
    let numbers: Vec<u128> = items.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect();
    assert_eq!(numbers, (1..41).rev().collect::<Vec<_>>());
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_emptied_open_part_is_dropped_and_made_again_when_it_is_needed(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.backend.keep_slots().await.expect("slots");
    send_thin(&scene, 1..6).await;
    let noon = i64::from(Settings::default().slot_of(NOON.minute()));
    let open = format!("segments_{noon}_open");
    let exists =
        async || sqlx::query_scalar::<_, bool>("SELECT to_regclass($1) IS NOT NULL").bind(&open).fetch_one(&pool).await.expect("asked");
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    scene.backend.merge_all().await.expect("merged");
    scene.backend.keep_slots().await.expect("slots");
    assert!(exists().await, "a reader may still hold an older view");
    scene.clock.advance_seconds(60);
    scene.backend.keep_slots().await.expect("slots");
    assert!(!exists().await);
    assert_eq!(scene.find("").await.len(), 5);
    // The clock is set back, and flushes meet the slot whose open part is gone.
    scene.clock.advance_seconds(-SLOT_SECONDS - 100);
    send_thin(&scene, 6..9).await;
    assert!(exists().await);
    assert_eq!(scene.find("").await.len(), 8);
    scene.clock.advance_seconds(SLOT_SECONDS + 100);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 6);
    assert_eq!(scene.find("").await.len(), 8);
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_mergers_at_once_double_nothing(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let other = Scene::new(pool.clone()).await;
    send_thin(&scene, 1..31).await;
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    other.clock.advance_seconds(SLOT_SECONDS + 60);
    // Without leases both would try; what one has merged the other cannot.
    let (one, two) = tokio::join!(scene.backend.merge_all(), other.backend.merge_all());
    assert_eq!(one.expect("merged") + two.expect("merged"), 60);
    assert_eq!(segments(&pool, 1).await.1, 60);
    assert_eq!(scene.find("").await, (1..31).collect());
}

#[sqlx::test(migrations = "../../migrations")]
async fn bad_traces_outlive_retention_and_the_others_go(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&availability("checkout-availability", 0.9, "7d")).await;
    scene.backend.keep_slots().await.expect("slots");
    send_thin(&scene, 1..61).await;
    scene.backend.fold_all().await.expect("folded");
    let later = |scene: &Scene, seconds: i64| scene.clock.advance_seconds(seconds);
    later(&scene, 7 * 3_600);
    scene.backend.merge_all().await.expect("merged");
    scene.backend.keep_slots().await.expect("slots");
    let bad: std::collections::BTreeSet<u128> = (1..61).filter(|number| number % 10 == 0).collect();
    let left = scene.find("").await;
    assert!(left.is_superset(&bad), "{left:?}");
    assert!(left.len() < bad.len() + 10, "one in a hundred of the others: {left:?}");
    let trace = scene.backend.trace(trace_id(20)).await.expect("kept");
    assert_eq!(trace.spans.len(), 2, "the whole trace, not the failed span alone");
    assert_eq!(scene.find("correlation_id=order-6").await.intersection(&bad).count(), 1);
    let page = scene.backend.slo_page("checkout-availability", None, None, scene.clock.now()).await.expect("known");
    assert_eq!(page.bad_traces.len(), 6);
    assert_eq!(page.row.evaluation.counts.total, 60, "counts outlive the records");
    // Five weeks later they go too.
    later(&scene, 50 * 86_400);
    scene.backend.keep_slots().await.expect("slots");
    assert_eq!(scene.find("").await.len(), 0);
    let parts: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relname LIKE 'segments%kept' AND relkind = 'r'")
        .fetch_one(&pool)
        .await
        .expect("counted");
    assert_eq!(parts, 0, "a week in which nothing is kept has no part");
}

#[sqlx::test(migrations = "../../migrations")]
async fn sizes_are_told_with_a_forecast(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.backend.keep_slots().await.expect("slots");
    send_thin(&scene, 1..11).await;
    let now: Timestamp = scene.clock.now();
    let report = scene.backend.storage(now).await.expect("read");
    assert_eq!((report.segment_count, report.span_count, report.retention_minutes), (20, 20, 360));
    assert!(report.usage.segments > 0 && report.usage.indexes > 0 && report.usage.counts > 0);
    assert!(report.usage.database > report.usage.segments + report.usage.indexes + report.usage.counts);
    assert_eq!(report.forecast, None, "no slot has closed");
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    let forecast = scene.backend.storage(scene.clock.now()).await.expect("read").forecast.expect("a slot has closed");
    assert!(forecast.bytes_per_day > 0 && forecast.database_bytes > 0);
}
