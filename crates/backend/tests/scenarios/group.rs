//! B4: SLOs by group, from the first event of a value to its incident.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slowburn_backend::slo::Signature;
use slowburn_domain::incident::Incident;
use slowburn_domain::slo::{Alert, Counts, OTHER, Tier};
use slowburn_domain::slo_query::SloQuery;
use slowburn_test_support::{SpanBuilder, body, int, text};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

/// An SLO over the spans of `checkout` with a budget for each value of `by`.
fn grouped(name: &str, by: &str, cap: u32) -> String {
    let annotations = format!("annotations: {{slowburn.dev/group-by: '{by}', slowburn.dev/group-cap: '{cap}'}}");
    availability(name, 0.99, "7d").replace(&format!("{{name: {name}}}\nspec:"), &format!("{{name: {name}, {annotations}}}\nspec:"))
}

/// The region of a span by its number; 0 has none.
const fn region(number: u64) -> u64 {
    number % 7
}

/// A request of fifty spans that end over the last two hours. One of five failed.
fn request(seed: u64) -> Vec<u8> {
    let spans = (0..50).map(|index| {
        let number = seed * 1_000 + index;
        let start = NOON.plus_seconds(-(i64::try_from(number * 7 % 7_200).expect("small")));
        let mut span = SpanBuilder::new(u128::from(number) + 1, 1, start);
        if region(number) > 0 {
            span = span.with(int("region", region(number).cast_signed()));
        }
        if number.is_multiple_of(5) { span.failed().build() } else { span.build() }
    });
    body("checkout", spans.collect())
}

/// What all of `seeds` come to, by the name of the group.
fn expected(name: &str, seeds: impl Iterator<Item = u64>) -> BTreeMap<String, Counts> {
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for number in seeds.flat_map(|seed| (0..50).map(move |index| seed * 1_000 + index)) {
        let value = if region(number) == 0 { "~none".to_owned() } else { region(number).to_string() };
        let group = counts.entry(format!("{name}@{value}")).or_default();
        group.total += 1;
        group.good += u64::from(!number.is_multiple_of(5));
    }
    counts
}

async fn groups(scene: &Scene, name: &str) -> BTreeMap<String, Counts> {
    let reports = scene.backend.groups_of(name, scene.clock.now()).await.expect("groups");
    reports.into_iter().map(|report| (report.slo.objective.name.clone(), report.evaluation.counts)).collect()
}

async fn whole(scene: &Scene, name: &str) -> Counts {
    scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts
}

async fn settle(scene: &Scene) {
    for _ in 0..3 {
        scene.backend.follow_slos().await.expect("followed");
        scene.backend.fold_all().await.expect("folded");
        scene.backend.backfill_all().await.expect("counted");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_groups_are_exact_from_the_first_event_on_under_load_on_two_instances(pool: PgPool) {
    let scenes = [Arc::new(Scene::new(pool.clone()).await), Arc::new(Scene::new(pool).await)];
    scenes[0].apply(&grouped("early", "attributes.region", 20)).await;
    let ended = Arc::new(AtomicBool::new(false));
    let upkeep = {
        let (scene, ended) = (Arc::clone(&scenes[0]), Arc::clone(&ended));
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                scene.backend.fold_all().await.expect("folded");
                scene.backend.backfill_all().await.expect("counted");
                scene.backend.merge_all().await.expect("merged");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let scene = Arc::clone(&scenes[sender % 2]);
            tokio::spawn(async move {
                for index in 0..40 {
                    scene.send(request(sender as u64 * 100 + index)).await.expect("accepted");
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    scenes[0].apply(&grouped("late", "attributes.region", 20)).await;
    for sender in senders {
        sender.await.expect("sent");
    }
    ended.store(true, Ordering::Relaxed);
    upkeep.await.expect("ended");
    settle(&scenes[0]).await;
    settle(&scenes[1]).await;
    let seeds = || (0..4).flat_map(|sender| (0..40).map(move |index| sender * 100 + index));
    for scene in &scenes {
        for name in ["early", "late"] {
            let groups = groups(scene, name).await;
            assert_eq!(groups, expected(name, seeds()));
            let sum = groups.values().copied().fold(Counts::default(), |sum, counts| sum + counts);
            assert_eq!(sum, whole(scene, name).await, "groups add up to the whole");
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_beyond_the_cap_values_are_counted_together_and_reported(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.send(request(1)).await.expect("accepted");
    scene.apply(&grouped("regions", "attributes.region", 3)).await;
    scene.send(request(2)).await.expect("accepted");
    settle(&scene).await;
    let capped = groups(&scene, "regions").await;
    let names: Vec<&str> = capped.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "three of their own, those without and the others: {names:?}");
    assert!(names.contains(&"regions@~other") && names.contains(&"regions@~none"));
    let all = expected("regions", 1..=2);
    for (name, counts) in capped.iter().filter(|(name, _)| !name.ends_with(OTHER)) {
        assert_eq!(counts, &all[name]);
    }
    let sum = capped.values().copied().fold(Counts::default(), |sum, counts| sum + counts);
    assert_eq!(sum, whole(&scene, "regions").await);

    let others = capped["regions@~other"].total;
    let said = format!("attributes.region has more than 3 values: {others} of 100 events");
    let report = scene.backend.slo("regions", NOON).await.expect("known");
    let lint = report.evaluation.lints.iter().find(|lint| lint.reason.starts_with(&said)).expect("it is reported");
    assert!(lint.kind.is_some_and(|kind| kind.as_str() == "too_many_groups") && lint.proposal.contains("group-cap"), "{lint:?}");
    let page = scene.backend.slo_page("regions", None, None, NOON).await.expect("a page");
    assert!(page.row.evaluation.lints.iter().any(|lint| lint.reason.starts_with(&said)));
    let shown = page.groups.expect("groups");
    assert_eq!((shown.by.as_str(), shown.cap, shown.all, shown.worst.len()), ("attributes.region", 3, 5, 5));

    // More are allowed: those that come from now on get budgets of their own, and nothing that was counted changes.
    scene.apply(&grouped("regions", "attributes.region", 20)).await;
    scene.send(request(3)).await.expect("accepted");
    settle(&scene).await;
    let more = groups(&scene, "regions").await;
    assert_eq!(more.len(), 8, "{more:?}");
    assert_eq!(more["regions@~other"].total, others);
    let sum = more.values().copied().fold(Counts::default(), |sum, counts| sum + counts);
    assert_eq!(sum, whole(&scene, "regions").await);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_a_changed_grouping_begins_anew_with_the_past_and_without_one_the_groups_go(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&availability("regions", 0.99, "7d")).await;
    for seed in 1..=3 {
        scene.send(request(seed)).await.expect("accepted");
    }
    settle(&scene).await;
    let before = whole(&scene, "regions").await;
    scene.apply(&grouped("regions", "attributes.region", 20)).await;
    settle(&scene).await;
    assert_eq!(groups(&scene, "regions").await, expected("regions", 1..=3), "the past is counted by group too");
    assert_eq!(whole(&scene, "regions").await, before, "the whole keeps its counts");

    scene.apply(&grouped("regions", "status", 20)).await;
    settle(&scene).await;
    let by_status = groups(&scene, "regions").await;
    let bad = before.total - before.good;
    assert_eq!(by_status["regions@error"], Counts { good: 0, total: bad });
    assert_eq!(by_status["regions@unset"], Counts { good: before.good, total: before.good });
    assert_eq!((by_status.len(), whole(&scene, "regions").await), (2, before));

    scene.apply(&availability("regions", 0.99, "7d")).await;
    assert!(groups(&scene, "regions").await.is_empty());
    assert!(scene.backend.slo("regions@error", NOON).await.is_err());
    scene.send(request(4)).await.expect("accepted");
    settle(&scene).await;
    assert_eq!(whole(&scene, "regions").await.total, before.total + 50);

    scene.apply(&grouped("regions", "status", 20)).await;
    settle(&scene).await;
    assert_eq!(groups(&scene, "regions").await.len(), 2);
    scene.backend.remove_document("SLO", "regions", &Signature::default()).await.expect("removed");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM slo_groups").fetch_one(&pool).await.expect("counted");
    assert_eq!(left, 0, "groups go with their SLO");
}

/// Two hours of a hundred requests a minute: `eu` is well, half of `us` fails for the last hour, and `asia` sent nothing for it.
async fn outage(scene: &Scene) {
    for (service, part, share, is_failing, from) in
        [("checkout", "eu", 95_u128, false, 0), ("checkout", "us", 5, true, 0), ("checkout", "asia", 3, false, 60)]
    {
        let mut spans = Vec::new();
        for minutes_ago in from..120 {
            let start = NOON.plus_seconds(-60 * minutes_ago - 1);
            for index in 0..share {
                let id = share * 1_000_000 + minutes_ago as u128 * 1_000 + index;
                let span = SpanBuilder::new(id, 1, start).with(text("region", part));
                spans.push(if is_failing && minutes_ago < 60 && index % 2 == 0 { span.failed().build() } else { span.build() });
            }
        }
        scene.send(body(service, spans)).await.expect("accepted");
    }
    scene.backend.fold_all().await.expect("folded");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_b7_each_group_has_its_own_alert_and_incident(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&grouped("regions", "attributes.region", 20)).await;
    outage(&scene).await;
    let us = scene.backend.slo("regions@us", NOON).await.expect("known");
    assert_eq!((us.evaluation.alert, us.evaluation.tier), (Alert::Critical, Some(Tier::Page)));
    assert_eq!(us.slo.objective.display_name.as_deref(), Some("regions · us"));
    let asia = scene.backend.slo("regions@asia", NOON).await.expect("known");
    assert_eq!(asia.evaluation.alert, Alert::Healthy, "its silence says nothing while others are heard of");
    assert_eq!(asia.evaluation.coverage, Some(1.0));

    scene.backend.judge_all().await.expect("judged");
    let open = |incidents: Vec<Incident>| incidents.into_iter().map(|incident| (incident.slo, incident.tier)).collect::<Vec<_>>();
    let incidents = scene.backend.incidents(None, Some(true), None, 100).await.expect("incidents");
    let mut found = open(incidents);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let whole = scene.backend.slo("regions", NOON).await.expect("known").evaluation;
    // 3 of 100 bad for an hour burn 2.6 times too fast: no page for the whole.
    assert!(whole.tier != Some(Tier::Page), "{whole:?}");
    let expected: Vec<_> =
        whole.tier.map(|tier| ("regions".to_owned(), tier)).into_iter().chain([("regions@us".to_owned(), Tier::Page)]).collect();
    assert_eq!(found, expected);

    // Lists show the whole with what its groups say; the groups themselves when asked for.
    let page = scene.backend.slos_page(SloQuery::default(), Vec::new(), NOON).await.expect("a list");
    assert_eq!(page.slos.len(), 1);
    let told = page.slos[0].groups.expect("groups");
    assert_eq!((told.all, told.in_trouble), (3, 1));
    let (query, faults) = SloQuery::parse("group_of=regions&state=critical");
    assert_eq!(faults, []);
    let page = scene.backend.slos_page(query, Vec::new(), NOON).await.expect("a list");
    assert_eq!((page.slos.len(), page.total), (1, 3));
    assert_eq!(page.slos[0].objective.name, "regions@us");

    // The page of a group tells of its own traces, and of the document of the whole.
    let page = scene.backend.slo_page("regions@us", None, None, NOON).await.expect("a page");
    assert!(page.groups.is_none() && page.bad_traces.len() == 20 && page.definition.contains("name: regions"));
    assert!(page.bad_traces.iter().all(|trace| trace.errors > 0));
    assert_eq!(page.incidents.len(), 1);
}
