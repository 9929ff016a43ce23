//! B1, B2, B3, B8: counts are exact as soon as the records are acknowledged, folded or not.

use std::time::Instant;

use slowburn_backend::Error;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::slo::Alert;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

/// Six hours of a known pattern: minute m of the past has `3 + m % 5` requests, and one of them fails when m % 7 is 0, all
/// of them in the 20 minutes before the last 40.
pub(crate) fn pattern(minutes_ago: i64) -> (u64, u64) {
    let total = 3 + (minutes_ago % 5) as u64;
    let bad = if (40..60).contains(&minutes_ago) { total } else { u64::from(minutes_ago % 7 == 0) };
    (total, bad)
}

pub(crate) async fn feed(scene: &Scene) {
    let mut trace = 0;
    for hour in 0..6 {
        let mut spans = Vec::new();
        for minutes_ago in hour * 60..(hour + 1) * 60 {
            let (total, bad) = pattern(minutes_ago);
            for index in 0..total {
                trace += 1;
                // An event counts in the minute of its end.
                let end = NOON.plus_seconds(-60 * minutes_ago);
                let span = SpanBuilder::new(trace, 1, end.plus_nanos(-20_000_000));
                spans.push(if index < bad { span.failed().build() } else { span.build() });
            }
        }
        scene.send(body("checkout", spans)).await.expect("accepted");
        if hour % 2 == 0 {
            // Some of it folded, some not: no answer may differ.
            scene.backend.fold_all().await.expect("folded");
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn budget_and_every_burn_rate_equal_an_independent_count(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("checkout-availability", 0.995, "30d")).await;
    feed(&scene).await;
    let evaluation = scene.backend.slo("checkout-availability", NOON).await.expect("known").evaluation;
    let sum = |minutes: i64| (0..minutes.min(360)).map(pattern).fold((0, 0), |(t, b), (total, bad)| (t + total, b + bad));
    for (window, minutes) in
        [("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360), ("24h", 1_440), ("3d", 4_320), ("window", 43_200)]
    {
        let (total, bad) = sum(minutes);
        let expected = bad as f64 / total as f64 / 0.005;
        let got = evaluation.burn_rates[window].expect("events");
        assert!((got - expected).abs() < 1e-9, "{window}: {got} instead of {expected}");
    }
    let (total, bad) = sum(360);
    assert_eq!((evaluation.counts.total, evaluation.counts.bad()), (total, bad));
    let budget = evaluation.budget;
    assert!((budget.total - total as f64 * 0.005).abs() < 1e-9);
    assert!((budget.consumed - bad as f64).abs() < 1e-9);
    assert!((budget.remaining - (total as f64 * 0.005 - bad as f64)).abs() < 1e-9);
    let (_, series) = scene.backend.slo_series("checkout-availability", None, None, Some(3_600), NOON).await.expect("a series");
    assert_eq!(series.iter().map(|point| point.total).sum::<u64>(), total);
    assert_eq!(series.iter().map(|point| point.total - point.good).sum::<u64>(), bad);
}

#[sqlx::test(migrations = "../../migrations")]
async fn counts_in_memory_follow_whoever_folds(pool: PgPool) {
    let (first, second) = (Scene::new(pool.clone()).await, Scene::new(pool).await);
    first.apply(&availability("shared", 0.99, "30d")).await;
    second.backend.follow_slos().await.expect("followed");
    let mut expected = 0;
    for round in 0..300_i64 {
        let (sender, folder) = if round % 2 == 0 { (&first, &second) } else { (&second, &first) };
        // Of now, of the hour before, and of days ago.
        let end = NOON.plus_seconds(-[0, 3_700, 400_000][(round % 3) as usize] - round);
        sender.send(body("checkout", vec![SpanBuilder::new(round as u128 + 1, 1, end).build()])).await.expect("accepted");
        expected += 1;
        if round % 5 > 0 {
            folder.backend.fold_all().await.expect("folded");
        }
        // One reads all the time, the other once in a while: by then more was folded than the log holds.
        let is_read = |is_often: bool| is_often || round % 150 == 149;
        for (scene, is_often) in [(&first, true), (&second, false)] {
            if is_read(is_often) {
                let counts = scene.backend.slo("shared", NOON).await.expect("known").evaluation.counts;
                assert_eq!(counts.total, expected, "round {round}");
            }
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_first_fold_of_a_bucket_is_added_to_what_memory_knows(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&availability("known", 0.99, "30d")).await;
    let total = async || scene.backend.slo("known", NOON).await.expect("known").evaluation.counts.total;
    let folded_buckets = async || {
        scene.backend.fold_all().await.expect("folded");
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM rollup_folds").fetch_one(&pool).await.expect("counted")
    };
    let mut sent = 0;
    let mut send = async || {
        sent += 1;
        scene.send(body("checkout", vec![SpanBuilder::new(sent, 1, NOON).build()])).await.expect("accepted");
        u64::try_from(sent).expect("few")
    };
    send().await;
    assert_eq!((folded_buckets().await, total().await), (1, 1));
    // Whoever read everything anew would now read this.
    sqlx::query("UPDATE rollup_minute SET good = good + 1000, total = total + 1000").execute(&pool).await.expect("changed");
    let sent = loop {
        let sent = send().await;
        if folded_buckets().await == 2 {
            break sent;
        }
    };
    assert_eq!(total().await, sent);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b8_silence_is_unmeasured_and_not_good(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("quiet", 0.99, "7d")).await;
    feed(&scene).await;
    assert_ne!(scene.backend.slo("quiet", NOON).await.expect("known").evaluation.alert, Alert::Unmeasured);
    let later = NOON.plus_seconds(3_600);
    assert_eq!(scene.backend.slo("quiet", later).await.expect("known").evaluation.alert, Alert::Unmeasured);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_changed_target_keeps_history_and_a_changed_indicator_begins_anew(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("moving", 0.99, "7d")).await;
    scene.send(body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()])).await.expect("accepted");
    let total = async |at: Timestamp| scene.backend.slo("moving", at).await.expect("known").evaluation.counts.total;
    scene.apply(&availability("moving", 0.5, "28d")).await;
    assert_eq!(total(NOON).await, 1);
    scene.apply(&availability("moving", 0.5, "28d").replace("status != ", "duration_ms < 5 && status != ")).await;
    assert_eq!(total(NOON).await, 0);
    scene.send(body("checkout", vec![SpanBuilder::new(2, 1, NOON).build()])).await.expect("accepted");
    let counts = scene.backend.slo("moving", NOON).await.expect("known").evaluation.counts;
    assert_eq!((counts.good, counts.total), (0, 1), "the lanes use the new set as soon as apply returns");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_faulty_document_applies_nothing_and_names_every_field(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let yaml =
        format!("{}---\n{}", availability("good-one", 0.99, "30d"), availability("bad-one", 1.5, "30d").replace("kind ==", "knd =="));
    let Err(Error::Invalid(faults)) = scene.backend.apply_slos(&yaml, false).await else { panic!("refused") };
    assert!(faults.len() >= 2, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.field.starts_with("documents[1]")), "{faults:?}");
    assert!(scene.backend.slo("good-one", NOON).await.is_err());
    let preview = scene.backend.apply_slos(&availability("preview", 0.99, "30d"), true).await.expect("sound");
    assert_eq!(preview.changes.len(), 1);
    assert!(scene.backend.slo("preview", NOON).await.is_err(), "a dry run changes nothing");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_page_leads_from_the_budget_to_the_traces_that_burned_it(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("linked", 0.99, "30d")).await;
    scene
        .send(body("checkout", vec![SpanBuilder::new(1, 1, NOON).build(), SpanBuilder::new(2, 1, NOON).failed().build()]))
        .await
        .expect("accepted");
    scene.send(body("other", vec![SpanBuilder::new(3, 1, NOON).failed().build()])).await.expect("accepted");
    let page = scene.backend.slo_page("linked", None, None, NOON).await.expect("a page");
    let ids: Vec<String> = page.bad_traces.iter().map(|trace| trace.trace_id.to_string()).collect();
    assert_eq!(ids, [format!("{:032x}", 2)]);
    let overview = scene.backend.overview(NOON).await.expect("a page");
    assert!(overview.has_telemetry);
    assert_eq!(overview.slos.len(), 1);
    assert_eq!(overview.failed_traces.len(), 2);
    let services = scene.backend.services(NOON.plus_seconds(-600), NOON).await.expect("services");
    let checkout = services.iter().find(|service| service.name == "checkout").expect("there");
    assert_eq!((checkout.red.count, checkout.red.errors), (2, 1));
    assert!((checkout.red.p50_ms - 20.0).abs() < 0.3, "{}", checkout.red.p50_ms);
    scene.backend.fold_all().await.expect("folded");
    assert_eq!(scene.backend.services(NOON.plus_seconds(-600), NOON).await.expect("services"), services, "folding changes nothing");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_question_that_is_dropped_half_way_leaves_the_pool_sound(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("availability", 0.9, "30d")).await;
    feed(&scene).await;
    let ask = async || {
        scene.backend.find_traces(&TraceQuery::parse("service=checkout").0, NOON).await?;
        scene.backend.slo_page("availability", None, None, NOON).await
    };
    let began = Instant::now();
    ask().await.expect("an answer");
    let whole = began.elapsed();
    let mut dropped = 0;
    for turn in 0..400 {
        dropped += usize::from(tokio::time::timeout(whole * turn / 400, ask()).await.is_err());
        scene.backend.ping().await.expect("a connection is sound");
        scene.backend.incidents(None, None, None, 10).await.expect("the next one who asks gets an answer");
    }
    assert!(dropped > 20, "{dropped}");
}
