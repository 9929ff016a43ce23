//! B1, DESIGN 1 and 2: a new SLO counts the past as if it had been there, exact at the border with counting at the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slowburn_backend::settings::Settings;
use slowburn_domain::slo::Counts;
use slowburn_test_support::{SpanBuilder, body, int};
use sqlx::PgPool;

use crate::{NOON, Scene, ratio};

/// An SLO whose filters need no attribute, so that its past comes from the RED rollup.
fn by_operation(name: &str) -> String {
    ratio(name, "service == \"checkout\"", "status != \"error\"")
}

/// An SLO over an attribute, so that its past comes from segments.
fn by_attribute(name: &str) -> String {
    ratio(name, "attributes.size > 0", "attributes.size < 7")
}

/// A request of `spans` spans that end over the last two hours.
fn request(seed: u64, spans: u64) -> Vec<u8> {
    let spans = (0..spans).map(|index| {
        let number = seed * 1_000 + index;
        let start = NOON.plus_seconds(-(i64::try_from(number * 7 % 7_200).expect("small")));
        let span = SpanBuilder::new(u128::from(number) + 1, 1, start).with(int("size", (number % 9).cast_signed()));
        if number.is_multiple_of(5) { span.failed().build() } else { span.build() }
    });
    body(if seed.is_multiple_of(3) { "other" } else { "checkout" }, spans.collect())
}

async fn counts(scene: &Scene, name: &str) -> Counts {
    scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts
}

async fn series(scene: &Scene, name: &str) -> Vec<(u64, u64)> {
    let (_, points) = scene.backend.slo_series(name, None, None, Some(600), scene.clock.now()).await.expect("a series");
    points.iter().map(|point| (point.good, point.total)).collect()
}

/// Rounds of all jobs until nothing is left to count.
async fn settle(scene: &Scene) {
    for _ in 0..3 {
        scene.backend.fold_all().await.expect("folded");
        scene.backend.backfill_all().await.expect("counted");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_slo_applied_under_full_load_counts_what_one_from_the_start_counts(pool: PgPool) {
    let scene = Arc::new(Scene::new(pool.clone()).await);
    scene.apply(&by_operation("early-operation")).await;
    scene.apply(&by_attribute("early-attribute")).await;
    // The upkeep goes on all the while, as it does in a server.
    let ended = Arc::new(AtomicBool::new(false));
    let upkeep = {
        let (scene, ended) = (Arc::clone(&scene), Arc::clone(&ended));
        tokio::spawn(async move {
            let mut merged = 0;
            while !ended.load(Ordering::Relaxed) {
                scene.backend.fold_all().await.expect("folded");
                scene.backend.backfill_all().await.expect("counted");
                merged += scene.backend.merge_all().await.expect("merged");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            merged
        })
    };
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                for index in 0..60 {
                    scene.send(request(sender * 100 + index, 50)).await.expect("accepted");
                    // So that slots close and their segments are merged.
                    if sender == 0 {
                        scene.clock.advance_seconds(30);
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(150)).await;
    scene.apply(&by_operation("late-operation")).await;
    let then = counts(&scene, "early-attribute").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    scene.apply(&by_attribute("late-attribute")).await;
    for sender in senders {
        sender.await.expect("sent");
    }
    ended.store(true, Ordering::Relaxed);
    let merged = upkeep.await.expect("ended");
    settle(&scene).await;
    let (operation, attribute) = (counts(&scene, "early-operation").await, counts(&scene, "early-attribute").await);
    assert!(operation.total > 5_000 && operation.good < operation.total, "{operation:?}");
    assert!(attribute.total > 9_000 && attribute.good < attribute.total, "{attribute:?}");
    assert!(then.total > 0 && then.total < attribute.total, "they were applied in the middle: {then:?}");
    assert!(merged > 0, "segments were merged meanwhile");
    assert_eq!(counts(&scene, "late-operation").await, operation);
    assert_eq!(counts(&scene, "late-attribute").await, attribute);
    assert_eq!(series(&scene, "late-operation").await, series(&scene, "early-operation").await);
    assert_eq!(series(&scene, "late-attribute").await, series(&scene, "early-attribute").await);
    let totals = scene.backend.slo_totals().await.expect("totals");
    let of = |name: &str| totals.iter().find(|(slo, _)| slo.objective.name == name).expect("known").1;
    assert_eq!(of("late-operation"), operation, "the counters of the metrics page agree");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_instance_that_has_not_heard_of_an_slo_yet_changes_nothing(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let behind = Scene::new(pool).await;
    for seed in 0..10 {
        scene.send(request(seed, 30)).await.expect("accepted");
    }
    scene.apply(&by_operation("operation")).await;
    scene.apply(&by_attribute("attribute")).await;
    settle(&scene).await;
    // These are matched against the set of before, and folded by an instance that does not know the SLOs.
    for seed in 10..20 {
        behind.send(request(seed, 30)).await.expect("accepted");
    }
    behind.backend.fold_all().await.expect("folded");
    for seed in 20..30 {
        scene.send(request(seed, 30)).await.expect("accepted");
    }
    settle(&scene).await;
    settle(&behind).await;
    let (operation, attribute) = (counts(&scene, "operation").await, counts(&scene, "attribute").await);
    let all = |is_counted: fn(u64, u64) -> bool, is_good: fn(u64) -> bool| {
        let numbers = (0..30).flat_map(|seed| (0..30).map(move |index| (seed, seed * 1_000 + index)));
        let counted: Vec<u64> = numbers.filter(|(seed, number)| is_counted(*seed, *number)).map(|(_, number)| number).collect();
        Counts { good: counted.iter().filter(|number| is_good(**number)).count() as u64, total: counted.len() as u64 }
    };
    assert_eq!(operation, all(|seed, _| seed % 3 != 0, |number| number % 5 != 0));
    assert_eq!(attribute, all(|_, number| number % 9 > 0, |number| number % 9 < 7));
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_red_rollup_knows_the_past_after_the_spans_are_gone(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.backend.keep_slots().await.expect("slots");
    for seed in 0..10 {
        scene.send(request(seed, 30)).await.expect("accepted");
    }
    scene.backend.fold_all().await.expect("folded");
    scene.clock.advance_seconds(8 * 3_600);
    scene.backend.keep_slots().await.expect("slots");
    assert_eq!(scene.find("").await.len(), 0, "the spans are gone");
    scene.apply(&by_operation("operation")).await;
    scene.apply(&by_attribute("attribute")).await;
    settle(&scene).await;
    assert_eq!(counts(&scene, "operation").await.total, 180);
    assert_eq!(counts(&scene, "attribute").await.total, 0, "no rollup knows its attribute");
}

#[sqlx::test(migrations = "../../migrations")]
async fn progress_is_told_until_all_is_counted(pool: PgPool) {
    let scene = Scene::with(pool, Settings { buckets: 1, ..Settings::default() }).await;
    for seed in 0..3 {
        scene.send(request(seed, 30)).await.expect("accepted");
    }
    scene.apply(&by_attribute("attribute")).await;
    scene.send(request(3, 30)).await.expect("accepted");
    let slo = scene.backend.book().get("attribute").expect("known");
    let progress = scene.backend.backfill_progress(&slo).await.expect("read").expect("it has begun");
    assert_eq!((progress.remaining, progress.stored), (90, 120));
    settle(&scene).await;
    assert_eq!(scene.backend.backfill_progress(&slo).await.expect("read"), None);
    // A changed indicator begins anew, and counts the past too.
    scene.apply(&slo_text_changed()).await;
    settle(&scene).await;
    assert!(counts(&scene, "attribute").await.total > 0);
}

fn slo_text_changed() -> String {
    ratio("attribute", "attributes.size > 1", "attributes.size < 7")
}
