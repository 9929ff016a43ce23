//! E3: agents that promise to be heard of; a silence is told once, and so is its end.

use std::time::Duration;

use slowburn_backend::Backend;
use slowburn_domain::event::EventQuery;
use slowburn_domain::slo::Counts;
use sqlx::PgPool;

use crate::{NOON, Scene};

/// What was told of an agent, oldest first.
async fn told(backend: &Backend, agent: &str) -> Vec<String> {
    let query = EventQuery { kind: Some("dev.slowburn.agent.*".to_owned()), subject: Some(agent.to_owned()), ..EventQuery::default() };
    let mut events = backend.find_events(&query, NOON.plus_nanos(3_600_000_000_000)).await.expect("found").0;
    events.reverse();
    events.into_iter().map(|event| event.kind.trim_start_matches("dev.slowburn.agent.").to_owned()).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn e3_a_silence_is_told_once_on_two_instances_and_so_is_its_end(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let other = Scene::new(pool).await;
    let pass = |seconds: i64| [&scene, &other].map(|scene| scene.clock.advance_seconds(seconds));
    let look = async || {
        let (one, two) = tokio::join!(scene.backend.find_overdue_agents(), other.backend.find_overdue_agents());
        one.expect("looked") + two.expect("looked")
    };
    scene.backend.register_agent("worker", 30).await.expect("registered");
    scene.backend.register_agent("silent from the start", 60).await.expect("registered");
    pass(20);
    let agent = other.backend.heartbeat("worker").await.expect("heard");
    assert_eq!((agent.state(), agent.due_at), ("alive", NOON.plus_nanos(50_000_000_000)));
    pass(30);
    assert_eq!(look().await, 0, "due is not overdue");
    pass(1);
    assert_eq!(look().await, 1);
    assert_eq!(look().await, 0);
    pass(10);
    assert_eq!(look().await, 1, "one that was never heard of has one interval");
    let agents = scene.backend.agents().await.expect("agents");
    assert!(agents.iter().all(|agent| agent.is_overdue), "{agents:?}");
    let (one, two) = tokio::join!(scene.backend.heartbeat("worker"), other.backend.heartbeat("worker"));
    assert_eq!((one.expect("heard").state(), two.expect("heard").state()), ("alive", "alive"));
    assert_eq!(told(&scene.backend, "worker").await, ["registered", "overdue", "recovered"]);
    assert_eq!(told(&scene.backend, "silent from the start").await, ["registered", "overdue"]);
    pass(139);
    assert_eq!(look().await, 1, "a new silence is told anew");
}

#[sqlx::test(migrations = "../../migrations")]
async fn e3_a_longer_promise_ends_a_silence_without_a_word(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.backend.register_agent("worker", 30).await.expect("registered");
    scene.clock.advance_seconds(40);
    assert_eq!(scene.backend.find_overdue_agents().await.expect("looked"), 1);
    let agent = scene.backend.register_agent("worker", 60).await.expect("changed");
    assert_eq!((agent.state(), agent.due_at), ("waiting", NOON.plus_nanos(100_000_000_000)));
    scene.backend.remove_agent("worker").await.expect("removed");
    scene.clock.advance_seconds(360);
    assert_eq!(scene.backend.find_overdue_agents().await.expect("looked"), 0, "nothing is expected of it any more");
}

/// An SLO over words of agents, grouped by them.
const PUNCTUAL: &str = "apiVersion: openslo/v1
kind: SLO
metadata: {name: punctual, annotations: {slowburn.dev/group-by: agent}}
spec:
  service: batch
  indicator:
    metadata: {name: punctual-sli}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: slowburn, spec: {signal: heartbeats, filter: 'status == \"error\"'}}}
        total: {metricSource: {type: slowburn, spec: {signal: heartbeats, filter: 'agent.startsWith(\"w\")'}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
";

#[sqlx::test(migrations = "../../migrations")]
async fn b2_every_word_of_an_agent_counts_once_also_one_that_did_not_come(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(PUNCTUAL).await;
    let other = Scene::new(pool).await;
    let pass = |seconds: i64| [&scene, &other].map(|scene| scene.clock.advance_seconds(seconds));
    let look = async || {
        for scene in [&scene, &other] {
            scene.backend.follow_slos().await.expect("followed");
            scene.backend.find_overdue_agents().await.expect("looked");
        }
        let (one, two) = tokio::join!(scene.backend.count_missed_heartbeats(), other.backend.count_missed_heartbeats());
        one.expect("counted") + two.expect("counted")
    };
    for agent in ["w1", "w2", "x"] {
        scene.backend.register_agent(agent, 30).await.expect("registered");
    }
    let counts = async |name: &str| scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts;
    for _ in 0..4 {
        pass(20);
        other.backend.heartbeat("w1").await.expect("heard");
        other.backend.heartbeat("x").await.expect("heard");
        look().await;
    }
    // 80 seconds: words of w2 were due after 30 and 60.
    assert_eq!(counts("punctual").await, Counts { good: 4, total: 6 });
    assert_eq!(look().await, 0, "each is counted once");
    scene.backend.heartbeat("w2").await.expect("heard");
    pass(31);
    // Silent since: of w1 and x, which had been heard at the end, and of w2, one word each.
    assert_eq!(look().await, 3);
    assert_eq!(counts("punctual").await, Counts { good: 5, total: 9 });
    scene.backend.fold_all().await.expect("folded");
    assert_eq!(counts("punctual@w2").await, Counts { good: 1, total: 4 });
    pass(300);
    assert_eq!(look().await, 30, "ten each, found late, in the minutes in which they were due");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_a_word_that_waits_for_its_row_is_heard_after_those_counted_as_missed_meanwhile(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.backend.register_agent("worker", 30).await.expect("registered");
    let mut counting = pool.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM agents FOR UPDATE").execute(&mut *counting).await.expect("locked");
    let meanwhile = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.expect("asked") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scene.clock.advance_seconds(100);
        counting.commit().await.expect("released");
    };
    let (agent, ()) = tokio::join!(scene.backend.heartbeat("worker"), meanwhile);
    assert_eq!(agent.expect("heard").heartbeat_at, Some(NOON.plus_nanos(100_000_000_000)));
}
