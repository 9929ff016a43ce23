//! B5, B7, B8: one outage is one incident, told once, with its reasons.

use slowburn_backend::Error;
use slowburn_domain::incident::{Incident, Step};
use slowburn_domain::slo::Tier;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

const MINUTE: i64 = 60;

/// Ten spans a minute from `from` to before `to`, minutes after noon; `bad` of each ten failed.
async fn feed(scene: &Scene, from: i64, to: i64, bad: usize) {
    for first in (from..to).step_by(200) {
        feed_each(scene, first, &vec![bad; (to - first).min(200) as usize]).await;
    }
}

/// Ten spans in each minute from `from` on, so many of each ten failed.
async fn feed_each(scene: &Scene, from: i64, bad: &[usize]) {
    let spans = bad.iter().zip(from..).flat_map(|(bad, minute)| {
        (0..10).map(move |index| {
            let end = NOON.plus_seconds(minute * MINUTE);
            let trace = u128::from((minute + 100_000).unsigned_abs()) * 10 + index as u128 + 1;
            let span = SpanBuilder::new(trace, 1, end.plus_nanos(-20_000_000));
            if index < *bad { span.failed().build() } else { span.build() }
        })
    });
    scene.send(body("checkout", spans.collect())).await.expect("accepted");
}

async fn all(scene: &Scene) -> Vec<Incident> {
    scene.backend.incidents(None, None, None, 100).await.expect("read")
}

/// Evaluates once a minute, from one minute after noon to another.
async fn judge(scenes: &[&Scene], from: i64, to: i64) {
    for minute in from..to {
        for scene in scenes {
            let ahead = NOON.plus_seconds(minute * MINUTE).since(scene.clock.now()) / 1_000_000_000;
            scene.clock.advance_seconds(ahead);
            scene.backend.judge_all().await.expect("judged");
        }
    }
}

async fn events(pool: &PgPool, kind: &str) -> Vec<serde_json::Value> {
    sqlx::query_scalar("SELECT data FROM events WHERE type LIKE $1 ORDER BY bucket, position")
        .bind(kind)
        .fetch_all(pool)
        .await
        .expect("read")
}

#[sqlx::test(migrations = "../../migrations")]
async fn b7_an_outage_is_one_incident_whoever_evaluates(pool: PgPool) {
    let (first, second) = (Scene::new(pool.clone()).await, Scene::new(pool.clone()).await);
    let named = |title: &str| {
        availability("checkout-availability", 0.999, "30d")
            .replace("{name: checkout-availability}", &format!("{{name: checkout-availability, displayName: {title}}}"))
    };
    first.apply(&named("Checkout answers")).await;
    second.backend.follow_slos().await.expect("followed");
    feed(&first, -3 * 1_440, 0, 0).await;
    judge(&[&first, &second], -2, 0).await;
    for from in (0..460).step_by(10) {
        // What ends in the future is refused at the door.
        feed(&first, from, from + 10, if from < 30 { 5 } else { 0 }).await;
        judge(&[&first, &second], from, from + 10).await;
    }
    let incidents = all(&first).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!((incident.worst_tier, incident.slo.as_str(), incident.service.as_str()), (Tier::Page, "checkout-availability", "checkout"));
    first.apply(&named("Checkout works")).await;
    assert_eq!((incident.title.as_str(), all(&first).await[0].title.as_str()), ("Checkout answers", "Checkout answers"), "as it was then");
    let since_noon = (incident.opened_at.since(NOON)) / 1_000_000_000 / MINUTE;
    assert!((0..=3).contains(&since_noon), "it began {since_noon} minutes after the outage");
    let whole = first.backend.incident(&incident.id).await.expect("there");
    let steps: Vec<Step> = whole.changes.iter().map(|change| change.step).collect();
    assert_eq!(steps.first(), Some(&Step::Opened));
    assert!(steps.contains(&Step::Deescalated), "{steps:?}");
    assert_eq!(steps.last(), Some(&Step::Closed), "{steps:?}");
    assert_eq!(whole.closed_at, whole.changes.last().map(|change| change.at));
    assert!(whole.changes.iter().all(|change| !change.reason.is_empty() && change.author.is_none()));
    assert_eq!(events(&pool, "dev.slowburn.incident.%").await.len(), steps.len(), "each step was told once");
    let told = events(&pool, "dev.slowburn.slo.alert").await;
    assert!(told.iter().any(|data| data["alert"] == "critical"), "{told:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b8_silence_keeps_an_incident_open_and_says_so(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&availability("checkout-availability", 0.999, "30d")).await;
    feed(&scene, -3 * 1_440, 0, 0).await;
    feed(&scene, 0, 30, 5).await;
    judge(&[&scene], 0, 420).await;
    let incidents = all(&scene).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert!(incident.closed_at.is_none() && !incident.is_measured, "{incident:?}");
    assert!(events(&pool, "dev.slowburn.slo.alert").await.iter().any(|data| data["alert"] == "unmeasured"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn b7_people_take_incidents_on_and_write_notes(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("checkout-availability", 0.999, "30d")).await;
    feed(&scene, -1_440, 0, 0).await;
    feed(&scene, 0, 30, 10).await;
    judge(&[&scene], 20, 21).await;
    let id = all(&scene).await.remove(0).id;
    scene.backend.acknowledge(&id, " Ada ").await.expect("acknowledged");
    scene.backend.acknowledge(&id, "Grace").await.expect("acknowledged again");
    let incident = scene.backend.note(&id, "Ada", "the provider is down").await.expect("noted");
    assert_eq!(incident.acknowledged_by.as_deref(), Some("Ada"));
    let last = incident.changes.last().expect("a change");
    assert_eq!((last.step, last.reason.as_str(), last.author.as_deref()), (Step::Noted, "the provider is down", Some("Ada")));
    let Err(Error::Invalid(faults)) = scene.backend.note(&id, "", &"x".repeat(5_000)).await else { panic!("refused") };
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["author", "text"]);
    for id in ["0", "00000000-0000-0000-0000-000000000000"] {
        assert!(matches!(scene.backend.acknowledge(id, "Ada").await, Err(Error::NotFound { .. })), "{id}");
    }
    assert!(scene.backend.incidents(None, None, Some("nothing"), 10).await.is_err());
    let after = scene.backend.incidents(None, Some(true), Some(&id), 10).await.expect("a page");
    assert_eq!(after, []);
}

/// Bad events of each minute from noon on, and what a plain count of them says: the most urgent tier that fires at a minute.
/// Ten events a minute make a budget of 432 bad ones in 30 days at 99.9 %.
fn tier_at(bad: &[usize], minute: usize) -> Option<Tier> {
    let sum = |length: usize| bad[minute.saturating_sub(length - 1)..=minute].iter().sum::<usize>() as f64;
    let pairs = [(Tier::Page, 60, 5, 0.02), (Tier::Page, 360, 30, 0.05), (Tier::Ticket, 1_440, 120, 0.1), (Tier::Ticket, 4_320, 360, 0.1)];
    let fires = |long: usize, short: usize, share: f64| {
        sum(long) >= share * 432.0 && sum(short) >= (share * 432.0 * short as f64 / long as f64).max(1.0)
    };
    pairs.into_iter().find(|(_, long, short, share)| fires(*long, *short, *share)).map(|(tier, ..)| tier)
}

#[sqlx::test(migrations = "../../migrations")]
async fn b7_tiers_escalate_and_de_escalate_inside_one_incident_at_the_computed_minutes(pool: PgPool) {
    // One failure in twenty minutes is a matter for a ticket after a while, an outage of twelve minutes then one for a page.
    let bad: Vec<usize> = (0..1_500)
        .map(|minute| match minute {
            1_000..1_012 => 5,
            _ if minute < 1_000 && minute % 20 == 0 => 1,
            _ => 0,
        })
        .collect();
    let scene = Scene::new(pool).await;
    scene.apply(&availability("checkout-availability", 0.999, "30d")).await;
    feed(&scene, -3 * 1_440, 0, 0).await;
    for from in (0..bad.len()).step_by(10) {
        feed_each(&scene, from as i64, &bad[from..from + 10]).await;
        // Long before anything fires only time passes.
        let first = if from < 800 { from as i64 + 9 } else { from as i64 };
        judge(&[&scene], first, from as i64 + 10).await;
    }
    let mut wanted = Vec::new();
    let mut before = None;
    for minute in 0..bad.len() {
        let tier = tier_at(&bad, minute);
        let step = match (before, tier) {
            (None, Some(tier)) => Some((Step::Opened, tier)),
            (Some(Tier::Ticket), Some(Tier::Page)) => Some((Step::Escalated, Tier::Page)),
            (Some(Tier::Page), Some(Tier::Ticket)) => Some((Step::Deescalated, Tier::Ticket)),
            (Some(last), None) => Some((Step::Closed, last)),
            _ => None,
        };
        wanted.extend(step.map(|(step, tier)| (minute as i64, step, tier)));
        before = tier;
    }
    assert_eq!(
        wanted.iter().map(|(_, step, _)| *step).collect::<Vec<_>>(),
        [Step::Opened, Step::Escalated, Step::Deescalated, Step::Closed],
        "the story is what it is meant to be"
    );
    let incidents = all(&scene).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    let whole = scene.backend.incident(&incident.id).await.expect("there");
    let told: Vec<(i64, Step, Tier)> =
        whole.changes.iter().map(|change| (change.at.since(NOON) / 1_000_000_000 / MINUTE, change.step, change.tier)).collect();
    assert_eq!(told, wanted);
    assert_eq!(whole.worst_tier, Tier::Page);
    assert!(whole.changes[1].reason.starts_with("22 bad events in 6 h (22 fire)"), "{:?}", whole.changes[1]);
}
