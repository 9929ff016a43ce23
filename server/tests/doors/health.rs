//! G1, G2: how the process is, and its figures for Prometheus.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::json;
use slowburn_test_support::SpanBuilder;
use slowburn_test_support::prometheus::{Prometheus, machine_now};
use sqlx::PgPool;

use crate::app::{App, Port, ago, fields};

#[sqlx::test(migrations = "../migrations")]
async fn a_sound_process_is_healthy_ready_and_alive(pool: PgPool) {
    let app = App::new(pool).await;
    let health = app.get("/health").await;
    assert_eq!((health.status, health.header("cache-control")), (200, Some("no-store")));
    let health = health.json();
    assert_eq!((fields(&health).as_str(), &health["status"]), ("components status version", &json!("healthy")));
    assert_eq!(fields(&health["components"]), "database ingest");
    assert_eq!(fields(&health["components"]["database"]), "latency_ms status");
    assert!(health["components"]["database"]["latency_ms"].as_f64().expect("a number") < 1_000.0);
    for (path, text) in
        [("/ready", "ready\n"), ("/livez", "ok\n"), ("/readyz", "ok\n"), ("/readyz?verbose", "[+]database ok\n[+]ingest ok\nok\n")]
    {
        let reply = app.get(path).await;
        assert_eq!((reply.status, reply.text()), (200, text), "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn without_its_database_it_is_unhealthy_and_not_ready_but_alive(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    pool.close().await;
    let health = app.get("/health").await;
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("unhealthy")));
    assert_eq!(health.json()["components"]["database"], json!({"status": "unhealthy"}));
    assert_eq!(app.get("/ready").await.status, 503);
    let readyz = app.get("/readyz").await;
    assert_eq!((readyz.status, readyz.text()), (503, "[-]database failed\n[+]ingest ok\nnot ready\n"));
    assert_eq!(app.get("/livez").await.status, 200);
    for path in ["/api/v1/slos/x/series", "/api/v1/traces", "/api/v1/services"] {
        let status = app.get(path).await.status;
        assert!([404, 503].contains(&status), "{path}: {status}");
    }
    let metrics = app.get("/metrics").await;
    assert_eq!(metrics.status, 200, "its own figures are wanted most when something is wrong");
    check_exposition(metrics.text());
}

#[sqlx::test(migrations = "../migrations")]
async fn without_its_database_pages_searches_completions_and_saved_views_say_so_and_nothing_hangs(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    pool.close().await;
    for path in [
        "/",
        "/slos",
        "/slo-editor",
        "/incidents",
        "/traces",
        "/logs",
        "/metrics-explorer",
        "/events",
        "/agents",
        "/services",
        "/service-map",
        "/c/order-1",
        "/search/completions?signal=spans&text=serv",
        "/api/v1/service-map",
        "/api/v1/views?page=logs",
        "/api/v1/logs",
        "/api/v1/events",
        "/api/v1/metrics",
        "/api/v1/correlations/order-1",
    ] {
        assert_eq!(app.get(path).await.status, 503, "{path}");
    }
    for (request, content_type, body) in [
        (Request::put("/api/v1/views/logs/mine"), "application/json", r#"{"query": "q=declined"}"#),
        (Request::post("/views"), "application/x-www-form-urlencoded", "page=logs&name=mine&query=q%3Ddeclined"),
    ] {
        let request = request.header("content-type", content_type).body(Body::from(body)).expect("a request");
        assert_eq!(app.send(Port::Main, request).await.status, 503, "{body}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn figures_are_in_prometheus_format_and_slos_are_there_once_applied(pool: PgPool) {
    let app = App::new(pool).await;
    check_exposition(app.get("/metrics").await.text());
    app.apply("checkout", 0.9).await;
    let labels = r#"{slo="checkout",service="checkout"}"#;
    let fresh = app.get("/metrics").await;
    assert_eq!(fresh.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for (name, value) in
        [("slowburn_slo_events_total", 0.0), ("slowburn_slo_good_events_total", 0.0), ("slowburn_slo_objective_ratio", 0.9)]
    {
        assert_eq!(check_exposition(fresh.text()).get(&format!("{name}{labels}")), Some(&value), "{name}");
    }
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(20)).build(), SpanBuilder::new(2, 1, ago(20)).failed().build()]).await;
    app.get("/api/v1/slos").await;
    let reply = app.get("/metrics").await;
    let samples = check_exposition(reply.text());
    assert_eq!(samples.get(&format!("slowburn_slo_events_total{labels}")), Some(&2.0));
    assert_eq!(samples.get(&format!("slowburn_slo_good_events_total{labels}")), Some(&1.0));
    let burn = samples.get(r#"slowburn_slo_burn_rate{slo="checkout",service="checkout",window="1h"}"#).expect("it burns");
    assert!((burn - 5.0).abs() < 1e-9, "{burn}");
    assert!(samples.keys().any(|name| name.starts_with("slowburn_http_request_duration_seconds_bucket{") && name.contains("le=\"+Inf\"")));
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_a_prometheus_of_debians_scrapes_our_figures(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(20)).build(), SpanBuilder::new(2, 1, ago(20)).failed().build()]).await;
    app.get("/api/v1/slos").await;
    let page = app.listen(Port::Main).await.port();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scrapes-our-figures");
    let prometheus = Prometheus::start(folder, None, Some(page)).await;
    let events = r#"slowburn_slo_events_total{slo="checkout"}"#;
    while prometheus.try_number(events, machine_now()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (query, expected) in [("up", 1.0), (events, 2.0), (r#"slowburn_slo_objective_ratio{slo="checkout"}"#, 0.9)] {
        let number = prometheus.number(query, machine_now()).await;
        assert!((number - expected).abs() < 1e-9, "{query}: {number}");
    }
    let scraped = prometheus.number("scrape_samples_scraped", machine_now()).await;
    assert!(scraped >= 30.0, "every line was understood: {scraped}");
}

/// Checks the text exposition format 0.0.4 and gives the samples by name and labels.
fn check_exposition(text: &str) -> BTreeMap<String, f64> {
    assert!(text.is_empty() || text.ends_with('\n') && !text.contains('\r'), "ends with a line feed");
    let (mut kinds, mut helped, mut samples) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let mut family = "";
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().expect("a name");
            assert!(!helped.contains(&family) && !kinds.contains_key(family), "HELP once, before TYPE: {line}");
            helped.push(family);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("name and kind");
            assert!(kinds.insert(name, kind).is_none(), "TYPE once: {line}");
            assert!(helped.contains(&name), "said what it is: {line}");
            family = name;
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} stands with {family}"));
            let allowed: &[&str] = if kinds[family] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(allowed.contains(&suffix), "{line}");
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "one sample a series: {line}");
        }
    }
    samples
}
