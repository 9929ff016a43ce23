//! CloudEvents at the door (A5, D1): three forms, stored once, in order, found by all that they say, part of a correlation.

use ::http::Request;
use axum::body::Body;
use serde_json::{Value, json};
use slowburn_test_support::{LogBuilder, SpanBuilder, log_body, text};
use sqlx::PgPool;

use crate::app::{App, PROBLEM, PROTOBUF, Port, Reply, ago, fields};
use crate::otlp::gzip;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=utf-8";

async fn post(app: &App, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut request = Request::post("/api/v1/events");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(Port::Main, request.body(body.into()).expect("a request")).await
}

fn event(id: &str, kind: &str, subject: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/ci", "type": kind, "subject": subject, "time": ago(60).to_string(), "data": data})
}

async fn ids(app: &App, query: &str) -> Vec<String> {
    let list = app.get(&format!("/api/v1/events?{query}")).await.json();
    list["items"].as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("a text").to_owned()).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a5_events_come_in_three_forms_and_are_stored_once(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    for _ in 0..2 {
        let one = event("1", "build.done", "shop", &json!({"ok": true, "password": "hunter2"})).to_string();
        let reply = post(&app, &[("content-type", STRUCTURED)], one).await;
        assert_eq!((reply.status, reply.json()), (200, json!({"accepted": 1, "rejected": []})));
        let many = json!([event("2", "build.done", "cart", &json!(null)), {"id": "3"}, event("2", "build.done", "cart", &json!(null))]);
        let reply = post(&app, &[("content-type", BATCH), ("content-encoding", "gzip")], gzip(many.to_string().as_bytes())).await;
        let rejected = json!([{"index": 1, "field": "specversion", "reason": "missing"}]);
        assert_eq!((reply.status, reply.json()), (200, json!({"accepted": 2, "rejected": rejected})));
        let binary = [
            ("content-type", "text/plain"),
            ("ce-specversion", "1.0"),
            ("ce-id", "4"),
            ("ce-source", "/ci"),
            ("ce-type", "deploy.started"),
            ("ce-subject", "caf%C3%A9"),
        ];
        let reply = post(&app, &binary, "version 7").await;
        assert_eq!((reply.status, reply.json()), (200, json!({"accepted": 1, "rejected": []})));
    }
    let list = app.get("/api/v1/events?source=/ci").await.json();
    let items = list["items"].as_array().expect("a list");
    assert_eq!((items.len(), fields(&items[0]).as_str()), (3, "correlation_id data extensions id source subject time trace_id type"));
    let binary = items.iter().find(|item| item["id"] == "4").expect("stored");
    assert_eq!((&binary["subject"], &binary["data"]), (&json!("café"), &json!("version 7")));
    assert!(!list.to_string().contains("hunter2"), "{list}");
    let holes: i64 = sqlx::query_scalar("SELECT count(*) FROM (SELECT position - row_number() OVER (PARTITION BY bucket ORDER BY position) AS gap FROM events) AS p WHERE gap <> 0")
        .fetch_one(&pool)
        .await
        .expect("counted");
    assert_eq!(holes, 0, "positions have no gaps");
}

#[sqlx::test(migrations = "../migrations")]
async fn a9_what_is_no_event_is_refused_by_its_field(pool: PgPool) {
    let app = App::new(pool).await;
    for (name, headers, body, field) in [
        ("no form", vec![("content-type", "text/plain")], "x", "content-type"),
        ("no JSON", vec![("content-type", STRUCTURED)], "{", "body"),
        ("no list", vec![("content-type", BATCH)], "{}", "body"),
        ("an encoding that is none", vec![("content-type", STRUCTURED), ("content-encoding", "br")], "{}", "content-encoding"),
    ] {
        let reply = post(&app, &headers, body).await;
        assert_eq!((reply.status, reply.header("content-type")), (400, Some(PROBLEM)), "{name}: {reply:?}");
        assert_eq!(reply.faults()[0].0, field, "{name}");
    }
    assert_eq!(ids(&app, "").await, [] as [String; 0]);
    assert_eq!(app.get("/api/v1/events?limit=0&from=x").await.faults().len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn d1_events_are_found_by_all_that_they_say_page_by_page(pool: PgPool) {
    let app = App::new(pool).await;
    let events: Vec<Value> = (0..23)
        .map(|n| {
            let kind = if n % 2 == 0 { "build.done" } else { "deploy.done" };
            event(&format!("{n:02}"), kind, if n % 3 == 0 { "shop" } else { "cart" }, &json!({"words": format!("number {n}")}))
        })
        .collect();
    let reply = post(&app, &[("content-type", BATCH)], json!(events).to_string()).await;
    assert_eq!(reply.json()["accepted"], 23);
    assert_eq!(ids(&app, "type=build.done&subject=shop").await.len(), 4);
    assert_eq!(ids(&app, "type=deploy.*").await.len(), 11);
    assert_eq!(ids(&app, "q=%22number+7%22").await, ["07"]);
    assert_eq!(ids(&app, "to=-1h").await.len(), 0);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/api/v1/events?limit=5&cursor={cursor}")).await.json();
        seen.extend(page["items"].as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("a text").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    seen.sort();
    assert_eq!(seen, (0..23).map(|n| format!("{n:02}")).collect::<Vec<_>>());
}

/// One ID in spans of three services, in lines of two loggers and in an event (C6).
#[sqlx::test(migrations = "../migrations")]
async fn c6_the_story_of_an_id_is_whole_and_in_order(pool: PgPool) {
    let app = App::new(pool).await;
    let start = ago(30);
    let at = |millis: i64| start.plus_nanos(millis * 1_000_000);
    for (number, service) in [(1, "web"), (2, "shop"), (3, "bank")] {
        let span = SpanBuilder::new(1, number, at(number.cast_signed() * 10)).with(text("correlation_id", "order-7"));
        app.store(service, vec![if number == 1 { span } else { span.parent(number - 1) }.build()]).await;
    }
    let line = LogBuilder::new(at(15), "otlp line").in_span(1, 1).build();
    let request =
        Request::post("/v1/logs").header("content-type", PROTOBUF).body(Body::from(log_body("web", vec![line]))).expect("a request");
    assert_eq!(app.send(Port::Main, request).await.status, 200);
    let ecs = json!({"@timestamp": at(25).to_string(), "message": "ecs line", "service.name": "shop", "labels.correlation_id": "order-7"});
    let request =
        Request::post("/api/v1/logs").header("content-type", "application/json").body(Body::from(ecs.to_string())).expect("a request");
    assert_eq!(app.send(Port::Main, request).await.status, 200);
    let mut told = event("9", "order.shipped", "order-7", &json!({"by": "van"}));
    told["time"] = json!(at(500).to_string());
    told["correlationid"] = json!("order-7");
    assert_eq!(post(&app, &[("content-type", STRUCTURED)], told.to_string()).await.status, 200);
    let story = app.get("/api/v1/correlations/order-7").await.json();
    assert_eq!(story["counts"], json!({"trace": 1, "log": 2, "event": 1}));
    let told: Vec<(&str, &str)> = story["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| (item["kind"].as_str().unwrap_or(""), item["title"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(told, [("trace", "GET /"), ("log", "otlp line"), ("log", "ecs line"), ("event", "order.shipped {\"by\": \"van\"}")]);
    assert_eq!((&story["from"], &story["to"]), (&json!(at(10).to_string()), &json!(at(500).to_string())));
    let page = app.get("/c/order-7").await;
    let places: Vec<Option<usize>> = ["otlp line", "ecs line", "order.shipped"].into_iter().map(|words| page.text().find(words)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert!(page.text().contains("1 trace, 3 spans, 2 log lines, 1 event over 490 ms"), "the sentence");
}

#[sqlx::test(migrations = "../migrations")]
async fn e3_agents_are_registered_heard_and_forgotten(pool: PgPool) {
    let app = App::new(pool).await;
    let path = "/api/v1/agents/night%2Fbatch";
    let put = |body: &'static str| Request::put(path).header("content-type", "application/json").body(Body::from(body)).expect("a request");
    let heartbeat = || Request::post(format!("{path}/heartbeat")).body(Body::empty()).expect("a request");
    assert_eq!(app.send(Port::Main, heartbeat()).await.status, 404, "nobody promised it");
    for (body, field) in [
        ("{}", "interval_seconds"),
        (r#"{"interval": "soon"}"#, "interval"),
        (r#"{"interval_seconds": 0}"#, "interval_seconds"),
        (r#"{"interval_seconds": 604801}"#, "interval_seconds"),
        (r#"{"interval_seconds": 30, "interval": "30s"}"#, "interval_seconds"),
        ("{", "body"),
    ] {
        let reply = app.send(Port::Main, put(body)).await;
        assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, field), "{body}: {reply:?}");
    }
    let reply = app.send(Port::Main, put(r#"{"interval": "5m"}"#)).await.json();
    assert_eq!(fields(&reply), "due interval_seconds last_heartbeat name registered_at state");
    assert_eq!((&reply["name"], &reply["interval_seconds"], &reply["state"]), (&json!("night/batch"), &json!(300), &json!("waiting")));
    let reply = app.send(Port::Main, heartbeat()).await;
    assert_eq!((reply.status, &reply.json()["state"]), (200, &json!("alive")));
    assert_eq!(app.get("/api/v1/agents").await.json()["items"][0]["name"], "night/batch");
    assert_eq!(ids(&app, "type=dev.slowburn.agent.registered&subject=night/batch").await.len(), 1);
    let remove = || Request::delete(path).body(Body::empty()).expect("a request");
    assert_eq!(app.send(Port::Main, remove()).await.status, 204);
    assert_eq!(app.send(Port::Main, remove()).await.status, 404);
    assert_eq!(app.get("/api/v1/agents").await.json()["items"], json!([]));
}

/// An SLO over builds of the shop.
const BUILDS: &str = "apiVersion: openslo/v1
kind: SLO
metadata: {name: builds}
spec:
  service: ci
  indicator:
    metadata: {name: builds-sli}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: slowburn, spec: {signal: events, filter: 'data.ok'}}}
        total: {metricSource: {type: slowburn, spec: {signal: events, filter: 'type == \"build.done\" && subject == \"shop\"'}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
";

#[sqlx::test(migrations = "../migrations")]
async fn b2_slis_over_events_count_each_event_once(pool: PgPool) {
    let app = App::new(pool).await;
    let reply = app.put("/api/v1/openslo", BUILDS).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let many = json!([
        event("1", "build.done", "shop", &json!({"ok": true})),
        event("2", "build.done", "shop", &json!({"ok": false})),
        event("3", "build.done", "shop", &json!({"ok": true})),
        event("4", "build.done", "cart", &json!({"ok": true})),
        event("5", "build.begun", "shop", &json!({"ok": true})),
    ]);
    for _ in 0..2 {
        let reply = post(&app, &[("content-type", BATCH)], many.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let slo = app.get("/api/v1/slos/builds").await.json();
    assert_eq!((&slo["good"], &slo["events"]), (&json!(2), &json!(3)));
}
