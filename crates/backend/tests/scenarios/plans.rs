//! H3, H4: whatever is stored, a question about one thing is answered by an index. Sequential scans are made so dear that
//! PostgreSQL takes one only where no index helps, and its own statistics tell whether it did.

use std::collections::BTreeMap;

use slowburn_domain::id::TraceId;
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::trace_view::TraceView;
use slowburn_test_support::{SpanBuilder, body, text};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{NOON, Scene, availability};

/// Sequential scans so far, by table; partitions count for their table.
async fn scans(pool: &PgPool) -> BTreeMap<String, i64> {
    sqlx::query_as::<_, (String, i64)>(
        "SELECT coalesce(pg_partition_root(relid), relid)::regclass::text, sum(seq_scan)::bigint FROM pg_stat_user_tables GROUP BY 1",
    )
    .fetch_all(pool)
    .await
    .expect("statistics")
    .into_iter()
    .collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn questions_about_one_thing_are_answered_by_an_index(pool: PgPool) {
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&pool).await.expect("its name");
    sqlx::query(sqlx::AssertSqlSafe(format!("ALTER DATABASE \"{database}\" SET enable_seqscan = off"))).execute(&pool).await.expect("set");
    // One connection, so that its statistics are all.
    let own = PgPoolOptions::new().max_connections(1).connect_with((*pool.connect_options()).clone()).await.expect("connected");
    let scene = Scene::new(own.clone()).await;
    scene.apply(&availability("checkout-availability", 0.9, "30d")).await;
    for number in 1..=50_u128 {
        let span = SpanBuilder::new(number, 1, NOON).with(text("correlation_id", &format!("order-{number}"))).failed();
        scene.send(body("checkout", vec![span.build()])).await.expect("accepted");
    }
    scene.backend.fold_all().await.expect("folded");
    let flush = "SELECT pg_stat_force_next_flush()";
    sqlx::query(flush).execute(&own).await.expect("flushed");
    let before = scans(&own).await;
    let now = scene.clock.now();
    for number in [1, 25, 50_u128] {
        let id = TraceId::from_bytes(&number.to_be_bytes()).expect("an id");
        scene.backend.trace(id).await.expect("found");
        assert_eq!(scene.find(&format!("correlation_id=order-{number}")).await, [number].into());
    }
    assert_eq!(scene.find("limit=50").await.len(), 50);
    assert_eq!(scene.backend.correlation_page("order-25", now).await.expect("found").bars.len(), 1);
    scene.backend.slo_page("checkout-availability", None, None, now).await.expect("known");
    scene.backend.slos_page(SloQuery::default(), Vec::new(), now).await.expect("read");
    scene.backend.slo_totals().await.expect("read");
    sqlx::query(flush).execute(&own).await.expect("flushed");
    let after = scans(&own).await;
    let telemetry = [
        "segments",
        "trace_index",
        "correlation_index",
        "bad_index",
        "span_classes",
        "rollup_delta",
        "rollup_folded",
        "rollup_minute",
        "rollup_hour",
        "rollup_day",
    ];
    for table in telemetry {
        assert_eq!(after.get(table), before.get(table), "{table} was read from end to end");
    }
    assert!(after.contains_key("trace_index"), "{after:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn h3_what_is_asked_of_all_partitions_is_planned_once_in_a_session(pool: PgPool) {
    let own = PgPoolOptions::new().max_connections(1).connect_with((*pool.connect_options()).clone()).await.expect("connected");
    let scene = Scene::new(own.clone()).await;
    let span = SpanBuilder::new(1, 1, NOON).with(text("correlation_id", "order-1"));
    scene.send(body("checkout", vec![span.build()])).await.expect("accepted");
    let trace_id = TraceId::from_bytes(&1_u128.to_be_bytes()).expect("an id");
    for _ in 0..3 {
        scene.backend.correlation_page("order-1", scene.clock.now()).await.expect("found");
        scene.backend.trace_page(trace_id, &TraceView::default(), scene.clock.now()).await.expect("found");
        assert_eq!(scene.find("limit=50").await, [1].into());
        assert_eq!(scene.find("min_duration_ms=0").await, [1].into());
        assert_eq!(scene.find("filter=attributes%5B%22correlation_id%22%5D%20%3D%3D%20%22order-1%22").await, [1].into());
    }
    // Statements that look for something by index, time or segment, with how often each was planned anew and not.
    let plans: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements
         WHERE statement ~ 'FROM (trace_index|log_index)|records FROM segments|JOIN segments' AND statement LIKE 'SELECT%'
         AND statement NOT LIKE '%pg_prepared_statements%'",
    )
    .fetch_all(&own)
    .await
    .expect("statements");
    assert!(plans.len() >= 6, "{plans:?}");
    assert!(plans.iter().all(|(_, custom, kept)| *custom == 0 && *kept >= 3), "{plans:?}");
}
