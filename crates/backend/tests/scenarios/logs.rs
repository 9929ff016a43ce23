//! Logs from the door to the reader: stored once, found by everything that they say, counted by SLIs, part of a correlation.

use std::collections::BTreeSet;

use bytes::Bytes;
use slowburn_backend::ingest::{Accepted, Compression, Format, Payload, Refusal};
use slowburn_domain::log::LogRecord;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::slo::Counts;
use slowburn_domain::span::Value;
use slowburn_domain::trace_view::TraceView;
use slowburn_test_support::{LogBuilder, SpanBuilder, body, int, log_body, log_request, logs_to_json, text};
use sqlx::PgPool;

use crate::{NOON, Scene};

async fn send(scene: &Scene, bytes: impl Into<Bytes>, format: Format) -> Result<Accepted, Refusal> {
    scene.backend.ingest().logs(Payload { bytes: bytes.into(), compression: Compression::Identity, format }).await
}

async fn otlp(scene: &Scene, service: &str, records: Vec<LogBuilder>) {
    let records = records.into_iter().map(LogBuilder::build).collect();
    send(scene, log_body(service, records), Format::Protobuf).await.expect("accepted");
}

async fn page(scene: &Scene, query: &LogQuery) -> (Vec<LogRecord>, Option<LogQuery>) {
    let found = scene.backend.find_logs(query, scene.clock.now()).await.expect("the search succeeds");
    let next = found.next.map(|cursor| LogQuery { cursor: Some(cursor), ..query.clone() });
    (found.items, next)
}

/// What is said by those found, newest first.
async fn said(scene: &Scene, raw: &str) -> Vec<String> {
    let (query, faults) = LogQuery::parse(raw);
    assert_eq!(faults, []);
    page(scene, &query).await.0.iter().map(|record| record.body.to_string()).collect()
}

/// Twelve lines of three services, one a second until noon; the last one is the newest.
async fn feed(scene: &Scene) {
    for index in 0..12_u64 {
        let at = NOON.plus_seconds(index.cast_signed() - 12);
        let line = LogBuilder::new(at, &format!("line {index} card {}", if index % 4 == 0 { "declined" } else { "accepted" }));
        let line = line.severity(if index % 4 == 0 { 17 } else { 9 }).with(int("size", index.cast_signed()));
        let line = if index % 3 == 0 { line.with(text("correlation_id", "order-1")) } else { line };
        let line = if index % 2 == 0 { line.in_span(u128::from(index) + 1, 1) } else { line };
        otlp(scene, ["web", "pay", "mail"][(index % 3) as usize], vec![line]).await;
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a1_logs_of_every_form_are_stored_once_and_found_at_once(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let line = |text: &str| LogBuilder::new(NOON, text).build();
    let binary = log_body("pay", vec![line("binary")]);
    let json = logs_to_json(&log_request("pay", vec![line("json")])).to_string();
    let ecs = "{\"@timestamp\":\"2026-11-21T12:00:30Z\",\"message\":\"ecs\",\"service.name\":\"pay\"}\n";
    for _ in 0..2 {
        for (bytes, format) in [(binary.clone(), Format::Protobuf), (json.clone().into(), Format::Json), (ecs.into(), Format::Ecs)] {
            let accepted = send(&scene, bytes, format).await.expect("accepted");
            assert_eq!((accepted.accepted, accepted.rejected), (1, 0), "{format:?}");
        }
    }
    let found: BTreeSet<String> = said(&scene, "service=pay").await.into_iter().collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(said(&scene, "").await.len(), 3, "a request that comes twice is stored once");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a4_ecs_lines_are_read_nested_and_dotted_and_refused_one_by_one(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let lines = r#"
{"@timestamp":"2026-11-21T12:00:29.5Z","log.level":"WARN","message":"slow","ecs.version":"8.11","service":{"name":"pay","version":"2"},"trace.id":"000000000000000000000000000000aa","transaction.id":"00000000000000bb","labels":{"correlation_id":"order-1"},"error":{"type":"Timeout"},"log":{"logger":"db"}}
{"log.level":"info","message":"no time"}
not json
{"@timestamp":"2026-11-21T13:00:29Z","message":"from the future"}
{"@timestamp":1795262429000,"log.level":"loud","message":"in milliseconds"}
[1]
"#;
    let accepted = send(&scene, lines, Format::Ecs).await.expect("accepted");
    assert_eq!((accepted.accepted, accepted.rejected), (2, 4));
    let faults: Vec<(usize, &str)> = accepted.faults.iter().map(|fault| (fault.index, fault.field.as_str())).collect();
    assert_eq!(faults, [(1, "@timestamp"), (2, "line"), (3, "@timestamp"), (5, "line")]);
    let (found, _) = page(&scene, &LogQuery { service: Some("pay".to_owned()), ..LogQuery::default() }).await;
    let [record] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((record.severity.as_str(), record.severity_text.as_str()), ("warn", "WARN"));
    assert_eq!(record.trace_id.map(|id| id.to_string()).as_deref(), Some("000000000000000000000000000000aa"));
    assert_eq!(record.span_id.map(|id| id.to_string()).as_deref(), Some("00000000000000bb"));
    assert_eq!(record.correlation_id.as_deref(), Some("order-1"));
    assert!(record.attributes.contains(&("error.type".to_owned(), Value::String("Timeout".to_owned()))));
    assert_eq!(record.source.scope_name, "db");
    assert!(record.source.resource.contains(&("service.version".to_owned(), Value::String("2".to_owned()))));
    let whole = r#"[{"@timestamp":"2026-11-21T12:00:30Z","message":"one"},{"@timestamp":"x"}]"#;
    let accepted = send(&scene, whole, Format::Ecs).await.expect("accepted");
    assert_eq!((accepted.accepted, accepted.faults.len()), (1, 1));
    assert!(matches!(send(&scene, &b"\xff\xfe"[..], Format::Ecs).await, Err(Refusal::Malformed(_))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a7_secrets_are_replaced_in_bodies_and_attributes(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let line = LogBuilder::new(NOON, "sent Authorization: Bearer abcdefghijklmnop to the bank").with(text("db.password", "hunter2"));
    otlp(&scene, "pay", vec![line]).await;
    let (found, _) = page(&scene, &LogQuery::default()).await;
    let text = format!("{found:?}");
    assert!(!text.contains("abcdefghijklmnop") && !text.contains("hunter2"), "{text}");
    assert_eq!(said(&scene, "q=bank").await.len(), 1);
    assert_eq!(said(&scene, "q=abcdefghijklmnop").await.len(), 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_logs_are_found_by_everything_that_they_say_before_and_after_merging(pool: PgPool) {
    let scene = Scene::new(pool).await;
    feed(&scene).await;
    let trace = format!("trace_id={:032x}", 5);
    let searches = [
        ("", (0..12).rev().collect::<Vec<u64>>()),
        ("q=declined", vec![8, 4, 0]),
        ("q=card+-declined&service=pay", vec![10, 7, 1]),
        ("q=%22line+7%22", vec![7]),
        ("q=decl*&limit=1", vec![8]),
        ("severity=warn", vec![8, 4, 0]),
        ("service=mail", vec![11, 8, 5, 2]),
        ("correlation_id=order-1", vec![9, 6, 3, 0]),
        (trace.as_str(), vec![4]),
        ("filter=attributes.size+%3E+9", vec![11, 10]),
        ("filter=severity+%3D%3D+%22error%22+%26%26+service+%3D%3D+%22pay%22", vec![4]),
        ("filter=body.contains(%22line+1%22)", vec![11, 10, 1]),
        ("from=2026-11-21T12:00:28Z", vec![11, 10]),
        ("to=2026-11-21T12:00:20Z", vec![1, 0]),
        ("q=nowhere", vec![]),
    ];
    for round in ["as written", "merged"] {
        for (raw, expected) in &searches {
            let expected: Vec<String> = expected
                .iter()
                .map(|index| format!("line {index} card {}", if index % 4 == 0 { "declined" } else { "accepted" }))
                .collect();
            assert_eq!(said(&scene, raw).await, expected, "{raw}, {round}");
        }
        scene.clock.advance_seconds(3_600);
        if round == "as written" {
            assert_eq!(scene.backend.merge_all().await.expect("merged"), 12);
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_pages_of_logs_follow_each_other_without_gap_or_repeat(pool: PgPool) {
    let scene = Scene::new(pool).await;
    // Many share one instant, and some are alike in all that they say.
    for batch in 0..6 {
        let lines =
            (0..9).map(|index| LogBuilder::new(NOON.plus_seconds(-(index / 4)), &format!("line {}", index + 10 * (batch / 2)))).collect();
        otlp(&scene, if batch % 2 == 0 { "web" } else { "pay" }, lines).await;
        otlp(&scene, "noise", vec![LogBuilder::new(NOON, "noise").with(int("batch", batch))]).await;
    }
    for limit in [1, 4, 7, 50] {
        let mut seen = Vec::new();
        let (query, _) = LogQuery::parse(&format!("q=line&limit={limit}"));
        let mut next = Some(query);
        while let Some(query) = next {
            let (items, more) = page(&scene, &query).await;
            assert!(!items.is_empty() || more.is_none(), "an empty page with a next one");
            assert!(items.windows(2).all(|pair| pair[0].time >= pair[1].time));
            seen.extend(items.iter().map(|record| format!("{} {}", record.source.service, record.body)));
            next = more;
            // What comes later is for the next search.
            if limit == 4 {
                otlp(&scene, "web", vec![LogBuilder::new(NOON.plus_seconds(-1), "line late")]).await;
            }
        }
        seen.retain(|line| !line.ends_with("late"));
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (54, 54), "limit {limit}");
    }
}

/// An SLO over log lines of `pay`.
fn over_logs(name: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: pay
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: slowburn, spec: {{signal: logs, filter: 'severity == \"error\"'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: logs, filter: 'service == \"pay\" && body.contains(\"card\")'}}}}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.9}}]
"
    )
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_slis_over_logs_count_at_the_door_and_count_the_past(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&over_logs("from-the-start")).await;
    feed(&scene).await;
    // Lines 1, 4, 7 and 10 are pay's, and the fourth is bad.
    let expected = Counts { good: 3, total: 4 };
    let counts = async |name: &str| scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts;
    assert_eq!(counts("from-the-start").await, expected);
    let preview =
        scene.backend.preview_slo(&over_logs("draft"), scene.clock.now()).await.expect("previewed").expect("one").expect("of logs");
    assert_eq!(preview.counts, expected);
    scene.apply(&over_logs("later")).await;
    for _ in 0..3 {
        scene.backend.fold_all().await.expect("folded");
        scene.backend.backfill_all().await.expect("counted");
    }
    assert_eq!(counts("later").await, expected, "counted from stored segments");
    assert_eq!(counts("from-the-start").await, expected, "and not twice");
    let trace = SpanBuilder::new(5, 1, NOON.plus_seconds(-8)).build();
    scene.send(body("pay", vec![trace])).await.expect("accepted");
    let page = scene.backend.slo_page("later", None, None, scene.clock.now()).await.expect("known");
    let bad: Vec<u128> = page.bad_traces.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect();
    assert_eq!(bad, [5], "from the SLO to the trace in which the bad line was logged");
}

#[sqlx::test(migrations = "../../migrations")]
async fn c6_a_correlation_is_told_whole_across_spans_and_two_loggers(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let at = |millis: i64| NOON.plus_nanos(millis * 1_000_000);
    let marked = SpanBuilder::new(1, 1, at(0)).with(text("correlation_id", "order-1")).build();
    let unmarked = SpanBuilder::new(2, 1, at(500)).named("mail").build();
    scene.send(body("web", vec![marked])).await.expect("accepted");
    scene.send(body("mail", vec![unmarked])).await.expect("accepted");
    otlp(&scene, "web", vec![LogBuilder::new(at(5), "in the marked trace").in_span(1, 1)]).await;
    otlp(&scene, "other", vec![LogBuilder::new(at(6), "of somebody else").with(text("correlation_id", "order-2"))]).await;
    let ecs = r#"{"@timestamp":"2026-11-21T12:00:30.510Z","log.level":"error","message":"brings its trace","service.name":"mail","trace.id":"00000000000000000000000000000002","labels.correlation_id":"order-1"}"#;
    send(&scene, ecs, Format::Ecs).await.expect("accepted");
    otlp(&scene, "mail", vec![LogBuilder::new(at(520), "in the trace that the line brought").in_span(2, 1)]).await;
    let story = scene.backend.correlation_page("order-1", scene.clock.now()).await.expect("known");
    let traces: Vec<u128> = story.traces.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect();
    assert_eq!(traces, [1, 2]);
    let lines: Vec<String> = story.logs.iter().map(|log| log.said.clone()).collect();
    assert_eq!(lines, ["in the marked trace", "brings its trace", "in the trace that the line brought"]);
    let trace = scene.backend.trace_page(story.traces[1].trace_id, &TraceView::default(), scene.clock.now()).await.expect("known");
    assert_eq!(trace.logs.len(), 2);
    assert!(scene.backend.correlation_page("order-3", scene.clock.now()).await.is_err());
    let only_logged = scene.backend.correlation_page("order-2", scene.clock.now()).await.expect("a line alone is something");
    assert_eq!((only_logged.traces.len(), only_logged.logs.len()), (0, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_logged_in_bad_traces_outlives_retention(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&over_logs("pay-logs")).await;
    scene.backend.keep_slots().await.expect("slots");
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    scene.clock.advance_seconds(7 * 3_600);
    scene.backend.merge_all().await.expect("merged");
    scene.backend.keep_slots().await.expect("slots");
    let left = said(&scene, "").await;
    assert!(left.contains(&"line 4 card declined".to_owned()), "{left:?}");
    assert!(left.len() < 4, "the others go: {left:?}");
    assert_eq!(said(&scene, &format!("trace_id={:032x}", 5)).await, ["line 4 card declined"]);
    scene.clock.advance_seconds(50 * 86_400);
    scene.backend.keep_slots().await.expect("slots");
    assert_eq!(said(&scene, "").await.len(), 0);
}
