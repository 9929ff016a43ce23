//! B9 over REST: time left out of budgets.

use serde_json::{Value, json};
use slowburn_test_support::SpanBuilder;
use sqlx::PgPool;

use crate::app::{App, ago, fields};

const EXCLUSION: &str = "author created_at effects from id reason removed_at removed_by rrule service slo time_zone to";

#[sqlx::test(migrations = "../migrations")]
async fn b9_an_exclusion_is_tried_made_listed_and_taken_back(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    let mut spans: Vec<_> = (1..=40).map(|id| SpanBuilder::new(id, 1, ago(30)).build()).collect();
    spans.extend((41..=50).map(|id| SpanBuilder::new(id, 1, ago(600)).failed().build()));
    app.store("checkout", spans).await;
    let asked = json!({
        "slo": "checkout", "from": ago(660).to_string(), "to": ago(540).to_string(), "reason": "load test", "author": "Ada",
    });
    let tried = app.post_json("/api/v1/exclusions?dry_run=true", &asked).await;
    assert_eq!(tried.status, 200);
    assert_eq!(app.get("/api/v1/slos/checkout").await.json()["events"], json!(50), "a dry run changes nothing");
    let made = app.post_json("/api/v1/exclusions", &asked).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((fields(&made).as_str(), &made["slo"], &made["service"]), (EXCLUSION, &json!("checkout"), &Value::Null));
    let effect = &made["effects"][0];
    assert_eq!(effect["remaining_ratio_before"], json!(-1.0));
    assert_eq!((&effect["slo"], &effect["remaining_ratio_after"]), (&json!("checkout"), &json!(1.0)));
    let slo = app.get("/api/v1/slos/checkout").await.json();
    assert_eq!((&slo["events"], &slo["error_budget"]["remaining_ratio"]), (&json!(40), &json!(1.0)));

    let id = made["id"].as_str().expect("an id");
    let nameless = app.delete(&format!("/api/v1/exclusions/{id}")).await;
    assert_eq!((nameless.status, nameless.faults()[0].0.as_str()), (400, "author"));
    let ended = app.delete(&format!("/api/v1/exclusions/{id}?author=Grace")).await;
    assert_eq!((ended.status, &ended.json()["removed_by"]), (200, &json!("Grace")));
    assert_eq!(app.delete(&format!("/api/v1/exclusions/{id}?author=Grace")).await.status, 404);
    assert_eq!(app.get("/api/v1/slos/checkout").await.json()["events"], json!(50));
    let listed = app.get("/api/v1/exclusions?slo=checkout").await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.get("/api/v1/exclusions?slo=nobody").await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn b9_a_faulty_exclusion_is_refused_field_by_field(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    let faults = async |body: Value| -> Vec<String> {
        let reply = app.post_json("/api/v1/exclusions", &body).await;
        assert_eq!(reply.status, 400, "{body}");
        reply.faults().into_iter().map(|(field, _)| field).collect()
    };
    let times = |from: &str, to: &str| json!({"slo": "checkout", "from": from, "to": to, "reason": "r", "author": "a"});
    assert_eq!(faults(times("yesterday", "today")).await, ["from", "to"]);
    assert_eq!(faults(times("2026-11-01T11:00:00Z", "2026-11-01T10:00:00Z")).await, ["to"]);
    let mut both = times("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z");
    both["service"] = json!("checkout");
    assert_eq!(faults(both).await, ["slo"]);
}
