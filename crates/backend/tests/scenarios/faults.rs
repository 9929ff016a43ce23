//! A2, B2, E3: what becomes of logs, metrics, events and heartbeats when the database goes away, is slow, or the clock is set.

use std::time::Duration;

use slowburn_backend::events::EventForm;
use slowburn_backend::ingest::{Arriving, Compression, Format, Payload};
use slowburn_domain::event::EventQuery;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::metric::answer::MetricLine;
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::slo::Counts;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{DELTA, LogBuilder, counter, histogram, histogram_point, int_point, log_body, metric_body};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{NOON, Scene};

const SLOT_SECONDS: i64 = 20 * 60;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Otlp,
    Ecs,
    Points,
    Events,
    Heartbeats,
}

use Sender::{Ecs, Events, Heartbeats, Otlp, Points};

const ALL: [Sender; 5] = [Otlp, Ecs, Points, Events, Heartbeats];

impl Sender {
    /// Sends the record of a number, which lies at an instant; the same again is the same request. Gives whether it was acknowledged.
    async fn send(self, scene: &Scene, number: u32, at: Timestamp) -> bool {
        let ingest = scene.backend.ingest();
        let payload = |bytes: Vec<u8>, format| Payload { bytes: bytes.into(), compression: Compression::Identity, format };
        match self {
            Otlp => {
                let line = LogBuilder::new(at, &format!("line {number}")).build();
                ingest.logs(payload(log_body("otlp", vec![line]), Format::Protobuf)).await.is_ok()
            }
            Ecs => {
                let line = format!("{{\"@timestamp\":\"{at}\",\"message\":\"line {number}\",\"service.name\":\"ecs\"}}\n");
                ingest.logs(payload(line.into_bytes(), Format::Ecs)).await.is_ok()
            }
            Points => {
                // Each at a time of its own, for the same bytes again would be the same request.
                let point = histogram_point(at.plus_seconds(number.into()), &[1.0], &[1, 0], &[], Vec::new());
                ingest.metrics(payload(metric_body("points", vec![histogram("sizes", DELTA, vec![point])]), Format::Protobuf)).await.is_ok()
            }
            Events => {
                let event = format!(
                    r#"{{"specversion":"1.0","id":"{number}","source":"/faults","type":"t","subject":"s{}","time":"{at}"}}"#,
                    number % 3
                );
                let mut arriving = Arriving::begin(ingest).expect("room");
                arriving.push(event.as_bytes()).expect("room");
                scene.backend.receive_events(arriving, Compression::Identity, EventForm::Structured).await.is_ok()
            }
            Heartbeats => scene.backend.heartbeat("beating").await.is_ok(),
        }
    }

    /// How many of its records are found.
    async fn found(self, scene: &Scene) -> usize {
        let now = scene.clock.now();
        match self {
            Otlp | Ecs => {
                let (query, faults) = LogQuery::parse(if self == Ecs { "service=ecs" } else { "service=otlp" });
                assert_eq!(faults, []);
                scene.backend.find_logs(&query, now).await.expect("searched").items.len()
            }
            Points => {
                let (query, faults) = MetricQuery::parse("name=sizes&aggregate=increase&from=-3h&step=1m");
                assert_eq!(faults, []);
                let answer = scene.backend.ask_metric(&query, 100, now).await;
                let sum = answer.map(|answer| answer.lines.iter().flat_map(MetricLine::known).sum::<f64>());
                // A metric that nobody has sent is unknown.
                sum.map_or(0, |sum| sum.round() as usize)
            }
            Events => {
                let query = EventQuery { source: Some("/faults".to_owned()), ..EventQuery::default() };
                scene.backend.find_events(&query, now).await.expect("searched").0.len()
            }
            Heartbeats => usize::try_from(self.counts(scene).await.total).expect("few"),
        }
    }

    const fn filter(self) -> (&'static str, &'static str) {
        match self {
            Otlp => ("logs", "service == \"otlp\""),
            Ecs => ("logs", "service == \"ecs\""),
            Points => ("metrics", "name == \"sizes\""),
            Events => ("events", "source == \"/faults\""),
            Heartbeats => ("heartbeats", "agent == \"beating\""),
        }
    }

    fn slo(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    async fn counts(self, scene: &Scene) -> Counts {
        scene.backend.slo(&self.slo(), scene.clock.now()).await.expect("known").evaluation.counts
    }

    /// Tables whose loss fails it, each at another step.
    const fn tables(self) -> &'static [&'static str] {
        match self {
            Otlp | Ecs => &["request_keys", "segments", "rollup_delta"],
            // Series once known need their table no more, so it comes first.
            Points => &["metric_series", "request_keys", "segments"],
            Events => &["event_positions", "events", "rollup_delta"],
            Heartbeats => &["agents", "rollup_delta"],
        }
    }
}

/// A scene in which each sender is known, and counted.
async fn scene(pool: PgPool) -> Scene {
    let scene = Scene::new(pool).await;
    for sender in ALL {
        let (signal, filter) = sender.filter();
        let name = sender.slo();
        let good = if sender == Heartbeats { "status == \"ok\"" } else { filter };
        scene
            .apply(&format!(
                "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: faults
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: {signal}, filter: '{good}'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: {signal}, filter: '{filter}'}}}}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.9}}]
"
            ))
            .await;
    }
    scene.backend.register_agent("beating", 86_400).await.expect("registered");
    scene
}

/// Nothing was acknowledged of a number: it is not there. Sent again, and again, it is there once and counts once.
async fn nothing_was_lost(sender: Sender, scene: &Scene, number: u32) {
    let before = number as usize;
    assert_eq!(sender.found(scene).await, before, "{sender:?}: what was refused is not there");
    assert!(sender.send(scene, number, NOON).await, "{sender:?}");
    if sender != Heartbeats {
        // A word has no key: what is sent again is another word.
        assert!(sender.send(scene, number, NOON).await, "{sender:?}: answered as stored");
    }
    assert_eq!(sender.found(scene).await, before + 1, "{sender:?}");
    if sender != Points {
        let counts = sender.counts(scene).await;
        assert_eq!((counts.good, counts.total), (before as u64 + 1, before as u64 + 1), "{sender:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_with_the_database_away_nothing_of_any_signal_is_acknowledged(pool: PgPool) {
    let scene = scene(pool.clone()).await;
    for sender in ALL {
        for (number, table) in (0..).zip(sender.tables()) {
            sqlx::query(sqlx::AssertSqlSafe(format!("ALTER TABLE {table} RENAME TO gone"))).execute(&pool).await.expect("renamed");
            assert!(!sender.send(&scene, number, NOON).await, "{sender:?} without {table}");
            sqlx::query(sqlx::AssertSqlSafe(format!("ALTER TABLE gone RENAME TO {table}"))).execute(&pool).await.expect("renamed");
            nothing_was_lost(sender, &scene, number).await;
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_a_connection_cut_while_it_is_counted_loses_and_doubles_nothing(pool: PgPool) {
    let options = (*pool.connect_options()).clone().application_name("cut");
    let own = PgPoolOptions::new().max_connections(4).connect_with(options).await.expect("connected");
    let scene = scene(own).await;
    for sender in ALL {
        let last = *sender.tables().last().expect("one");
        let mut blocker = pool.begin().await.expect("a transaction");
        sqlx::query(sqlx::AssertSqlSafe(format!("LOCK TABLE {last} IN ACCESS EXCLUSIVE MODE")))
            .execute(&mut *blocker)
            .await
            .expect("locked");
        let cut = async {
            let waiting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'cut' AND wait_event_type = 'Lock'";
            while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.expect("asked") == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (acknowledged, ()) = tokio::join!(sender.send(&scene, 0, NOON), cut);
        assert!(!acknowledged, "{sender:?}");
        blocker.rollback().await.expect("released");
        nothing_was_lost(sender, &scene, 0).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_a_statement_of_any_signal_that_takes_too_long_is_given_up(pool: PgPool) {
    let options = (*pool.connect_options()).clone().options([("statement_timeout", "300")]);
    let hasty = PgPoolOptions::new().max_connections(4).connect_with(options).await.expect("connected");
    let scene = scene(hasty).await;
    for sender in ALL {
        for (number, table) in (0..).zip(sender.tables()) {
            let mut blocker = pool.begin().await.expect("a transaction");
            sqlx::query(sqlx::AssertSqlSafe(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")))
                .execute(&mut *blocker)
                .await
                .expect("locked");
            assert!(!sender.send(&scene, number, NOON).await, "{sender:?} behind {table}");
            blocker.rollback().await.expect("released");
            nothing_was_lost(sender, &scene, number).await;
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a2_the_clock_goes_back_to_a_slot_that_is_gone_and_forth_again(pool: PgPool) {
    let scene = scene(pool.clone()).await;
    let open = format!("segments_{}_open", slowburn_backend::settings::Settings::default().slot_of(NOON.minute()));
    let exists =
        async || sqlx::query_scalar::<_, bool>("SELECT to_regclass($1) IS NOT NULL").bind(&open).fetch_one(&pool).await.expect("asked");
    let send = async |number: u32| {
        for sender in [Otlp, Ecs, Points] {
            assert!(sender.send(&scene, number, NOON.plus_seconds(i64::from(number))).await, "{sender:?}");
        }
    };
    let all_are_there = async |expected: usize| {
        for sender in [Otlp, Ecs, Points] {
            assert_eq!(sender.found(&scene).await, expected, "{sender:?}");
        }
        for sender in [Otlp, Ecs] {
            assert_eq!(sender.counts(&scene).await.total, expected as u64, "{sender:?}");
        }
    };
    for number in 0..4 {
        send(number).await;
    }
    scene.clock.advance_seconds(SLOT_SECONDS + 60);
    assert_eq!(scene.backend.merge_all().await.expect("merged"), 12);
    scene.backend.keep_slots().await.expect("slots");
    scene.clock.advance_seconds(60);
    scene.backend.keep_slots().await.expect("slots");
    assert!(!exists().await, "the open part is gone");
    all_are_there(4).await;
    // Also one sent again, which is known from before.
    scene.clock.advance_seconds(-SLOT_SECONDS - 100);
    for number in 3..7 {
        send(number).await;
    }
    assert!(exists().await);
    scene.clock.advance_seconds(SLOT_SECONDS + 100);
    all_are_there(7).await;
    // Across the border of the slots a retry is known too.
    send(6).await;
    scene.backend.merge_all().await.expect("merged");
    all_are_there(7).await;
}

/// A reading of the counter that the next tests count.
fn reading(at: i64, value: i64) -> Vec<u8> {
    let mut point = int_point(NOON.plus_seconds(at), value, Vec::new());
    point.start_time_unix_nano = NOON.plus_seconds(-60).nanos().cast_unsigned();
    metric_body("points", vec![counter("readings", vec![point])])
}

async fn scene_with_counter(pool: PgPool) -> Scene {
    let scene = Scene::new(pool).await;
    scene
        .apply(
            "apiVersion: openslo/v1
kind: SLO
metadata: {name: readings}
spec:
  service: points
  indicator:
    metadata: {name: readings-sli}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: slowburn, spec: {signal: metrics, filter: 'service == \"points\"'}}}
        total: {metricSource: {type: slowburn, spec: {signal: metrics, filter: 'name == \"readings\"'}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
",
        )
        .await;
    scene
}

async fn store(scene: &Scene, bytes: Vec<u8>) {
    let payload = Payload { bytes: bytes.into(), compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().metrics(payload).await.expect("accepted");
}

async fn readings(scene: &Scene) -> u64 {
    scene.backend.slo("readings", scene.clock.now()).await.expect("known").evaluation.counts.total
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_metric_slis_are_exact_while_their_lease_moves(pool: PgPool) {
    let one = scene_with_counter(pool.clone()).await;
    let two = Scene::new(pool.clone()).await;
    let mut counted = [0, 0];
    for minute in 0..10_i64 {
        for second in [0, 25, 50] {
            store(if second == 25 { &two } else { &one }, reading(minute * 60 + second, minute * 60 + second + 60)).await;
        }
        for scene in [&one, &two] {
            scene.clock.advance_seconds(60);
            scene.backend.follow_slos().await.expect("followed");
        }
        // As if the holder had not been heard of for its time.
        sqlx::query("DELETE FROM leases WHERE name = 'metric-slis'").execute(&pool).await.expect("expired");
        let (first, second) = if minute % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let (a, b) = tokio::join!(first.backend.count_metric_slis(), second.backend.count_metric_slis());
        let place = usize::from(minute % 2 != 0);
        counted[place] += a.expect("counted");
        counted[1 - place] += b.expect("counted");
    }
    assert!(counted.iter().all(|minutes| *minutes > 0), "both have counted: {counted:?}");
    for scene in [&one, &two] {
        scene.clock.advance_seconds(120);
    }
    one.backend.count_metric_slis().await.expect("counted");
    two.backend.count_metric_slis().await.expect("counted");
    assert_eq!((readings(&one).await, readings(&two).await), (650, 650), "to the last reading");
}
