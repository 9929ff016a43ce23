//! The command line against a running server, as the program that people start: B1, B3, B5–B9, B14 in the terminal.

use std::process::Command;

use ::http::Request;
use axum::body::Body;
use serde_json::{Value, json};
use slowburn_test_support::{SpanBuilder, text};
use sqlx::PgPool;

use crate::app::{App, Port, ago, availability};

/// A terminal of somebody called Grace.
struct Terminal {
    server: String,
}

impl Terminal {
    async fn open(app: &App) -> Self {
        Self { server: format!("http://{}", app.listen(Port::Main).await) }
    }

    /// Runs the program; gives its exit code and what it said, faults after results.
    async fn try_run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slowburn"));
        command.env_clear().env("USER", "Grace").current_dir(env!("CARGO_TARGET_TMPDIR"));
        command.args(["--server", &self.server]).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("the program runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().expect("it ended by itself"), String::from_utf8(said).expect("UTF-8"))
    }

    async fn run(&self, arguments: &[&str]) -> String {
        let (code, said) = self.try_run(arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&said).unwrap_or_else(|fault| panic!("{fault}: {said}"))
    }
}

/// An outage of the last half hour, judged once.
async fn outage(app: &App) {
    app.apply("checkout", 0.999).await;
    let spans = (1..=600).map(|id| {
        let span = SpanBuilder::new(id, 1, ago(5 + i64::try_from(id).expect("small") * 3));
        if id % 2 == 0 { span.failed().build() } else { span.build() }
    });
    app.store("checkout", spans.collect()).await;
    app.backend.judge_all().await.expect("judged");
}

#[sqlx::test(migrations = "../migrations")]
async fn b7_b8_an_incident_is_listed_told_taken_on_and_noted_in_the_terminal(pool: PgPool) {
    let app = App::new(pool).await;
    outage(&app).await;
    let terminal = Terminal::open(&app).await;

    let listed = terminal.json(&["incident", "list", "--state", "open", "--slo", "checkout"]).await;
    let id = listed["items"][0]["id"].as_str().expect("an incident").to_owned();
    let line = terminal.run(&["incident", "list"]).await;
    assert!(line.starts_with(&format!("{id} checkout open, page, since 20")), "{line}");
    assert_eq!(terminal.run(&["incident", "list", "--state", "closed"]).await.trim(), "");

    let story = terminal.run(&["incident", "get", &id]).await;
    assert!(story.contains(" opened (page): "), "{story}");
    let story = terminal.run(&["incident", "acknowledge", &id]).await;
    assert!(story.contains("taken on by Grace") && story.contains("acknowledged (page) by Grace"), "{story}");
    let story = terminal.json(&["incident", "note", &id, "the mail server is down", "--author", "Ada"]).await;
    let last = story["changes"].as_array().and_then(|changes| changes.last()).expect("a change");
    assert_eq!((&last["step"], &last["author"], &last["reason"]), (&json!("noted"), &json!("Ada"), &json!("the mail server is down")));

    let (code, said) = terminal.try_run(&["incident", "get", "nobody"]).await;
    assert!(code == 1 && said.contains("404"), "{said}");
    let (code, said) = terminal.try_run(&["incident", "list", "--state", "ajar"]).await;
    assert!(code == 2 && said.contains("open, closed"), "{said}");
    let (code, said) = terminal.try_run(&["incident", "note", &id, ""]).await;
    assert!(code == 1 && said.contains("text: "), "{said}");
}

#[sqlx::test(migrations = "../migrations")]
async fn b1_b3_b5_b6_b9_b14_an_slo_lives_its_life_in_the_terminal(pool: PgPool) {
    let app = App::new(pool).await;
    outage(&app).await;
    let terminal = Terminal::open(&app).await;

    let listed = terminal.run(&["slo", "list"]).await;
    let line = listed.lines().find(|line| line.starts_with("checkout ")).expect("listed");
    assert!(line.contains("critical") && line.contains("99.9 %"), "{line}");
    let slo = terminal.json(&["slo", "get", "checkout"]).await;
    assert_eq!((&slo["alert"], &slo["events"]), (&json!("critical"), &json!(600)));
    assert!(slo["lints"].is_array() && slo["burn_rates"]["1h"] == json!(500.0), "{slo}");

    let file = format!("{}/terminal.yaml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, availability("checkout", 0.5)).expect("written");
    let diff = terminal.run(&["slo", "diff", &file]).await;
    assert!(diff.contains("checkout changed") && diff.contains("target"), "{diff}");
    terminal.run(&["slo", "apply", &file, "--reason", "it was too strict"]).await;
    let versions = terminal.run(&["slo", "versions", "checkout"]).await;
    assert!(versions.contains("by Grace: it was too strict"), "{versions}");

    let (from, to) = (ago(3_600).to_string(), ago(60).to_string());
    let added = terminal.json(&["exclusion", "add", "--slo", "checkout", "--from", &from, "--to", &to, "--reason", "load test"]).await;
    assert_eq!((&added["author"], &added["effects"][0]["slo"]), (&json!("Grace"), &json!("checkout")));
    let listed = terminal.run(&["exclusion", "list", "--slo", "checkout"]).await;
    assert!(listed.contains("load test (Grace)"), "{listed}");

    assert!(terminal.run(&["slo", "export"]).await.contains("kind: SLO"));
    assert!(terminal.run(&["slo", "export", "--prometheus-rules"]).await.contains("record: "));
    terminal.run(&["slo", "delete", "checkout", "--reason", "no longer sold"]).await;
    let (code, said) = terminal.try_run(&["slo", "get", "checkout"]).await;
    assert!(code == 1 && said.contains("404"), "{said}");
}

#[sqlx::test(migrations = "../migrations")]
async fn c6_a_correlation_id_is_told_whole_in_the_terminal(pool: PgPool) {
    let app = App::new(pool).await;
    let terminal = Terminal::open(&app).await;
    let (code, said) = terminal.try_run(&["trace", "find", "--correlation", "order-1"]).await;
    assert!(code == 1 && said.contains("order-1"), "{said}");

    app.store("web", vec![SpanBuilder::new(7, 1, ago(30)).named("POST /orders").with(text("correlation_id", "order-1")).build()]).await;
    let line = json!({"@timestamp": ago(29).to_string(), "log.level": "error", "message": "card declined", "service.name": "pay",
        "labels": {"correlation_id": "order-1"}});
    let event = json!({"specversion": "1.0", "id": "1", "source": "/ship", "type": "order.shipped", "time": ago(28).to_string(),
        "correlationid": "order-1"});
    let sent = [("/api/v1/logs", "application/x-ndjson", line), ("/api/v1/events", "application/cloudevents+json", event)];
    for (path, content_type, body) in sent {
        let request = Request::post(path).header("content-type", content_type).body(Body::from(body.to_string())).expect("a request");
        assert_eq!(app.send(Port::Main, request).await.status, 200, "{path}");
    }
    let said = terminal.run(&["trace", "find", "--correlation", "order-1"]).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].contains("00000000000000000000000000000007") && lines[0].ends_with("web POST /orders"), "{said}");
    assert!(lines[1].ends_with("  log    pay  error: card declined"), "{said}");
    assert!(lines[2].contains("  event  /ship  order.shipped"), "{said}");
    assert_eq!(terminal.run(&["trace", "find", "--correlation", "order-1", "--service", "web"]).await.lines().count(), 1);
    assert_eq!(terminal.json(&["trace", "find", "--correlation", "order-1"]).await["items"].as_array().map(Vec::len), Some(1));
}
