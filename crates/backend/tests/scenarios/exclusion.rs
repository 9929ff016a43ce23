//! B9: time that budgets leave out, with the budget before and after.

use slowburn_backend::Error;
use slowburn_backend::slo::NewExclusion;
use slowburn_domain::slo::ExclusionScope;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

/// Ten good requests a minute over two hours, and in the half hour that ended an hour ago ten bad ones as well.
async fn feed(scene: &Scene) {
    let mut spans = Vec::new();
    for minutes_ago in 0..120 {
        let end = NOON.plus_seconds(-60 * minutes_ago);
        for index in 0..20_u128 {
            let span = SpanBuilder::new(minutes_ago as u128 * 100 + index + 1, 1, end.plus_nanos(-20_000_000));
            match index {
                0..10 => spans.push(span.build()),
                _ if (60..90).contains(&minutes_ago) => spans.push(span.failed().build()),
                _ => {}
            }
        }
    }
    scene.send(body("checkout", spans)).await.expect("accepted");
}

/// That half hour, but for its first and last minute.
fn most_of_it() -> NewExclusion {
    NewExclusion {
        scope: ExclusionScope::Slo("availability".to_owned()),
        from: NOON.plus_seconds(-60 * 88 - 30),
        to: NOON.plus_seconds(-60 * 60 - 30),
        rrule: None,
        time_zone: None,
        reason: "load test".to_owned(),
        author: "Ada".to_owned(),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b9_an_exclusion_gives_budget_back_and_says_how_much(pool: PgPool) {
    let (scene, other) = (Scene::new(pool.clone()).await, Scene::new(pool).await);
    scene.apply(&availability("availability", 0.9, "7d")).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    let bad = async |scene: &Scene| {
        let evaluation = scene.backend.slo("availability", NOON).await.expect("known").evaluation;
        (evaluation.counts.bad(), evaluation.counts.total)
    };
    assert_eq!(bad(&scene).await, (300, 1_500));
    let promised = scene.backend.exclude(most_of_it(), true).await.expect("a dry run");
    assert_eq!(bad(&scene).await, (300, 1_500), "a dry run changes nothing");
    let made = scene.backend.exclude(most_of_it(), false).await.expect("an exclusion");
    assert_eq!(made.effects, promised.effects);
    // Twenty-eight of the thirty minutes are gone with good and bad.
    assert_eq!(bad(&scene).await, (20, 1_500 - 28 * 20));
    let [effect] = &made.effects[..] else { panic!("one SLO is concerned: {made:?}") };
    assert_eq!(effect.before, Some(1.0 - 300.0 / 150.0));
    assert!((effect.after.expect("events") - (1.0 - 20.0 / 94.0)).abs() < 1e-9, "{effect:?}");
    let series = scene.backend.slo_series("availability", None, None, Some(600), NOON).await.expect("a series").1;
    assert_eq!(series.iter().map(|point| point.total - point.good).sum::<u64>(), 20, "charts leave it out too");

    other.backend.follow_slos().await.expect("followed");
    assert_eq!(bad(&other).await, (20, 940), "other instances hear of it");
    let removed = other.backend.end_exclusion(&made.id, "Grace").await.expect("taken back");
    assert_eq!(removed.removed, Some((NOON, "Grace".to_owned())));
    assert_eq!(bad(&other).await, (300, 1_500));
    let kept = scene.backend.exclusions(Some("availability")).await.expect("a list");
    assert_eq!(kept, [removed], "what was taken back stays with who did it");
    assert!(matches!(other.backend.end_exclusion(&made.id, "Grace").await, Err(Error::NotFound { .. })), "only once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b9_an_exclusion_of_a_service_comes_again_by_its_rule(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("availability", 0.9, "7d")).await;
    scene.apply(&availability("second", 0.99, "30d")).await;
    feed(&scene).await;
    // A minute of every hour, for years.
    let hourly = NewExclusion {
        scope: ExclusionScope::Service("checkout".to_owned()),
        from: NOON.plus_seconds(-30 - 86_400 * 365),
        to: NOON.plus_seconds(30 - 86_400 * 365),
        rrule: Some("FREQ=HOURLY".to_owned()),
        ..most_of_it()
    };
    let made = scene.backend.exclude(hourly, false).await.expect("an exclusion");
    assert_eq!(made.effects.iter().map(|effect| effect.slo.as_str()).collect::<Vec<_>>(), ["availability", "second"]);
    let counts = scene.backend.slo("second", NOON).await.expect("known").evaluation.counts;
    // Of 120 minutes two were left out, one of them in the bad half hour: it lies 60 minutes ago.
    assert_eq!((counts.total, counts.bad()), (1_500 - 10 - 20, 290));
}

#[sqlx::test(migrations = "../../migrations")]
async fn b9_an_exclusion_without_reason_author_or_slo_is_refused(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let nameless = NewExclusion { reason: " ".to_owned(), author: String::new(), rrule: Some("now and then".to_owned()), ..most_of_it() };
    let Err(Error::Invalid(faults)) = scene.backend.exclude(nameless, false).await else { panic!("refused") };
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["reason", "author", "rrule"]);
    assert!(matches!(scene.backend.exclude(most_of_it(), false).await, Err(Error::NotFound { kind: "SLO", .. })));
}
