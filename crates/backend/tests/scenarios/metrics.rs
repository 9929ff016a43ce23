//! Metrics: stored once, merged without a change for who asks, dropped with their slot; and SLIs that are counted from their points.

use bytes::Bytes;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use slowburn_backend::ingest::{Accepted, Compression, Format, Payload, Refusal};
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::slo::Counts;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{CUMULATIVE, DELTA, counter, gauge, histogram, histogram_point, int_point, metric_body, text};
use sqlx::PgPool;

use crate::{NOON, Scene};

/// 2026-11-21T12:00:00Z.
const MINUTE: Timestamp = NOON.plus_seconds(-30);

async fn send(scene: &Scene, body: Vec<u8>) -> Result<Accepted, Refusal> {
    let payload = Payload { bytes: Bytes::from(body), compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().metrics(payload).await
}

async fn store(scene: &Scene, metrics: Vec<Metric>) {
    send(scene, metric_body("shop", metrics)).await.expect("accepted");
}

/// Every line of an answer: its title, and what is known of it.
async fn ask(scene: &Scene, raw: &str) -> Vec<(String, Vec<f64>)> {
    let (query, faults) = MetricQuery::parse(raw);
    assert_eq!(faults, []);
    let answer = scene.backend.ask_metric(&query, 100, scene.clock.now()).await.expect("answered");
    answer.lines.iter().map(|line| (line.title(), line.known().collect())).collect()
}

async fn records(pool: &PgPool, part: i16) -> i64 {
    sqlx::query_scalar("SELECT coalesce(sum(records), 0)::bigint FROM segments WHERE signal = 2 AND part = $1")
        .bind(part)
        .fetch_one(pool)
        .await
        .expect("counted")
}

async fn series(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(DISTINCT series) FROM metric_series").fetch_one(pool).await.expect("counted")
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_points_are_stored_once_merged_without_a_change_and_dropped_with_their_slot(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    for second in 0..60 {
        let at = MINUTE.plus_seconds(second - 60);
        let route = |route: &str, value: i64| int_point(at, value * second, vec![text("route", route)]);
        let sized = histogram_point(at, &[1.0, 2.0], &[1, 2, 3], &[(5, 1.5)], Vec::new());
        let metrics = vec![counter("orders", vec![route("/a", 2), route("/b", 3)]), histogram("sizes", DELTA, vec![sized])];
        let body = metric_body("shop", metrics);
        for _ in 0..2 {
            assert_eq!(send(&scene, body.clone()).await.expect("accepted").accepted, 3);
        }
    }
    assert_eq!((records(&pool, 0).await, series(&pool).await), (180, 3), "what was sent again was there");
    let questions =
        ["name=orders&group_by=route", "name=orders&aggregate=increase", "name=sizes&aggregate=p50", "name=sizes&aggregate=increase"];
    let mut before = Vec::new();
    for question in questions {
        before.push(ask(&scene, &format!("{question}&from=2026-11-21T11:58:00Z&to=2026-11-21T12:00:00Z&step=1m")).await);
    }
    assert_eq!(before[1], [(String::new(), vec![295.0])]);
    assert_eq!(before[3], [(String::new(), vec![6.0, 354.0])]);
    scene.clock.advance_seconds(1_200 + 60);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 60);
    scene.backend.keep_slots().await.expect("kept");
    assert_eq!((records(&pool, 0).await, records(&pool, 1).await, series(&pool).await), (0, 180, 3));
    for (question, before) in questions.iter().zip(before) {
        assert_eq!(ask(&scene, &format!("{question}&from=2026-11-21T11:58:00Z&to=2026-11-21T12:00:00Z&step=1m")).await, before);
    }
    scene.clock.advance_seconds(7 * 3_600);
    scene.backend.keep_slots().await.expect("kept");
    assert_eq!((records(&pool, 1).await, records(&pool, 2).await, series(&pool).await), (0, 0, 0));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_with_the_database_away_no_point_is_acknowledged(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    sqlx::query("ALTER TABLE metric_series RENAME TO gone").execute(&pool).await.expect("renamed");
    let body = metric_body("shop", vec![gauge("depth", vec![int_point(MINUTE, 7, Vec::new())])]);
    assert_eq!(send(&scene, body.clone()).await, Err(Refusal::Unavailable));
    assert_eq!(records(&pool, 0).await, 0);
    sqlx::query("ALTER TABLE gone RENAME TO metric_series").execute(&pool).await.expect("renamed");
    send(&scene, body).await.expect("accepted");
    assert_eq!(ask(&scene, "name=depth&from=2026-11-21T11:59:00Z&to=2026-11-21T12:00:00Z&step=1m").await, [(String::new(), vec![7.0])]);
}

/// A promise over a metric of `shop`: `total` is a filter, and so is `good`.
fn promise(name: &str, total: &str, good: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: metrics, filter: '{good}'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: metrics, filter: '{total}'}}}}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.9}}]
"
    )
}

async fn counts(scene: &Scene, name: &str) -> Counts {
    scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_slis_over_counters_are_exact_over_resets_whoever_counts(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let own = |code: &str, at: i64, start: i64, value: i64| {
        let mut point = int_point(MINUTE.plus_seconds(at), value, vec![text("code", code)]);
        point.start_time_unix_nano = MINUTE.plus_seconds(start).nanos().cast_unsigned();
        point
    };
    // Every 30 seconds a reading; at −600 the process starts again, and had counted more than before by the next reading.
    let readings = (0..40).flat_map(|n| {
        let at = n * 30 - 1_200;
        let start = if at < -600 { -4_000 } else { -600 };
        let since = at - start;
        [own("200", at, start, since * 9), own("500", at, start, since)]
    });
    let requests = counter("requests", readings.collect());
    store(&scene, vec![requests]).await;
    let filter = r#"name == "requests" && service == "shop""#;
    let document = promise("draft", filter, r#"attributes.code != "500""#);
    let draft = scene.backend.preview_slo(&document, NOON).await.expect("previewed").expect("one").expect("of metrics");
    scene.apply(&promise("answered", filter, r#"attributes.code != "500""#)).await;
    let second = Scene::new(pool.clone()).await;
    let (one, two) = tokio::join!(scene.backend.count_metric_slis(), second.backend.count_metric_slis());
    assert!(one.expect("counted") + two.expect("counted") > 300, "all that is kept of its window");
    // Of the first process from its first reading, −1200, to its last, −630; of the second from its start on to −90, the last
    // reading in a minute that has closed.
    let expected = Counts { good: (570 + 510) * 9, total: (570 + 510) * 10 };
    assert_eq!(counts(&scene, "answered").await, expected);
    assert_eq!((draft.counts, draft.is_whole), (expected, true), "what the preview said");
    assert_eq!(scene.backend.count_metric_slis().await.expect("counted"), 0);

    // What comes later counts in its minute, once that has closed.
    for second in [0, 30] {
        let point = |code, each| own(code, second, -600, (600 + second) * each);
        store(&scene, vec![counter("requests", vec![point("200", 9), point("500", 1)])]).await;
    }
    scene.clock.advance_seconds(120);
    second.clock.advance_seconds(120);
    // Whoever holds the lease.
    scene.backend.count_metric_slis().await.expect("counted");
    second.backend.count_metric_slis().await.expect("counted");
    assert_eq!(counts(&scene, "answered").await, Counts { good: expected.good + 120 * 9, total: expected.total + 120 * 10 });
    let source =
        scene.backend.external_source(&scene.backend.book().get("answered").expect("known")).await.expect("read").expect("minutes");
    assert_eq!((source.kind.as_str(), source.name.as_str()), ("metrics", "requests"));
    assert_eq!(source.counted_to, Some(MINUTE.plus_seconds(60)));
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_thresholds_over_histograms_and_gauges(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let at = |seconds: i64| MINUTE.plus_seconds(seconds);
    let bounds = [0.1, 0.3, 1.0];
    let slow = histogram_point(at(-290), &bounds, &[4, 3, 2, 1], &[], Vec::new());
    let same = histogram_point(at(-230), &bounds, &[4, 3, 2, 1], &[], Vec::new());
    let more = histogram_point(at(-170), &bounds, &[5, 5, 2, 4], &[], Vec::new());
    let depth = (1..=5).map(|n| int_point(at(n * 10 - 200), n, Vec::new())).collect();
    store(&scene, vec![histogram("latency", CUMULATIVE, vec![slow, same, more]), gauge("depth", depth)]).await;
    scene.apply(&promise("fast", r#"name == "latency""#, "value <= 0.3")).await;
    scene.apply(&promise("between", r#"name == "latency""#, "value <= 0.5")).await;
    scene.apply(&promise("shallow", r#"name == "depth""#, "value < 4")).await;
    scene.backend.count_metric_slis().await.expect("counted");
    // The first reading is where counting begins, the second the same; then 1 + 2 fast ones and 3 beyond all bounds.
    assert_eq!(counts(&scene, "fast").await, Counts { good: 3, total: 6 });
    assert_eq!(counts(&scene, "between").await, Counts { good: 3, total: 6 }, "what lies between two bounds counts for worse");
    assert_eq!(counts(&scene, "shallow").await, Counts { good: 3, total: 5 });
    for (name, good, advice) in [
        ("latency", "value <= 0.3", None),
        ("latency", "value <= 0.5", Some("latency does not tell values between 0.3 and 1 apart")),
        ("depth", "value < 4", None),
    ] {
        let document = promise("draft", &format!(r#"name == "{name}""#), good);
        let draft = scene.backend.preview_slo(&document, NOON).await.expect("previewed").expect("one").expect("of metrics");
        assert_eq!(draft.counts.good, 3, "{name} {good}");
        let found = draft.lints.iter().find(|lint| lint.reason.starts_with(name)).map(|lint| lint.reason.as_str());
        assert_eq!(found.is_some(), advice.is_some(), "{name} {good}: {found:?}");
        assert!(found.unwrap_or_default().starts_with(advice.unwrap_or_default()), "{found:?}");
    }
    let fault = scene.backend.apply_slos(&promise("nameless", "value > 1", "value > 2"), true).await.expect_err("refused");
    assert!(fault.to_string().contains("must name one metric") || format!("{fault:?}").contains("must name one metric"), "{fault:?}");
}
