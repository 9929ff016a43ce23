//! SLOs over REST: shapes that scripts rely on, exact counts, series, paging.

use serde_json::{Value, json};
use slowburn_test_support::{SpanBuilder, SpanKind, text};
use sqlx::PgPool;

use crate::app::{App, ago, availability, fields};

const SLO: &str = "alert backfill budgeting_method burn_rates coverage description display_name error_budget events good lints name service sli target tier \
                   time_to_exhaustion_range_seconds time_to_exhaustion_seconds window";

#[sqlx::test(migrations = "../migrations")]
async fn an_slo_is_told_with_every_field_of_the_contract_and_exact_counts(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    let fresh = app.get("/api/v1/slos/checkout").await.json();
    assert_eq!(fields(&fresh), SLO);
    assert_eq!(fields(&fresh["burn_rates"]), "1h 24h 2h 30m 3d 5m 6h window");
    assert!(fresh["burn_rates"].as_object().expect("rates").values().all(Value::is_null), "null without events: {fresh}");
    assert_eq!((&fresh["sli"], &fresh["tier"], &fresh["time_to_exhaustion_seconds"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&fresh["events"], &fresh["error_budget"]["remaining_ratio"]), (&json!(0), &Value::Null));

    let mut spans: Vec<_> = (1..=40).map(|id| SpanBuilder::new(id, 1, ago(30)).build()).collect();
    spans.extend((41..=43).map(|id| SpanBuilder::new(id, 1, ago(30)).failed().build()));
    app.store("checkout", spans).await;
    app.store("elsewhere", vec![SpanBuilder::new(99, 1, ago(30)).failed().build()]).await;
    // Counted as soon as they are acknowledged: no job has run.
    let slo = app.get("/api/v1/slos/checkout").await.json();
    assert_eq!(fields(&slo), SLO);
    for (field, expected) in [
        ("name", json!("checkout")),
        ("display_name", json!("Checkout works")),
        ("service", json!("checkout")),
        ("description", json!("Customers can pay.")),
        ("target", json!(0.9)),
        ("window", json!({"duration": "30d", "is_rolling": true})),
        ("budgeting_method", json!("Occurrences")),
        ("good", json!(40)),
        ("events", json!(43)),
    ] {
        assert_eq!(slo[field], expected, "{field}");
    }
    let budget = &slo["error_budget"];
    assert_eq!(fields(budget), "consumed remaining remaining_ratio total");
    let near = |value: &Value, expected: f64| (value.as_f64().expect("a number") - expected).abs() < 1e-9;
    assert!(near(&budget["total"], 4.3) && near(&budget["consumed"], 3.0) && near(&budget["remaining"], 1.3), "{budget}");
    assert!(near(&budget["remaining_ratio"], 1.3 / 4.3) && near(&slo["sli"], 40.0 / 43.0), "{slo}");
    assert!(slo["burn_rates"].as_object().expect("rates").values().all(|rate| near(rate, 3.0 / 4.3)), "{slo}");
    assert!(["healthy", "increasing", "recovering", "critical", "unmeasured"].contains(&slo["alert"].as_str().expect("a word")));
    assert!(near(&slo["coverage"], 1.0), "{slo}");
    assert!(slo["time_to_exhaustion_seconds"].as_f64().expect("it burns") > 0.0);
    assert_eq!(slo["time_to_exhaustion_range_seconds"].as_array().map(Vec::len), Some(2));

    let list = app.get("/api/v1/slos").await.json();
    assert_eq!((fields(&list).as_str(), list["items"].as_array().map(Vec::len), &list["next"]), ("items next", Some(1), &Value::Null));
    assert_eq!(fields(&list["items"][0]), SLO);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_list_of_slos_is_read_page_by_page(pool: PgPool) {
    let app = App::new(pool).await;
    let names: Vec<String> = (10..65).map(|number| format!("slo-{number}")).collect();
    let documents: Vec<String> = names.iter().map(|name| crate::app::availability(name, 0.99)).collect();
    assert_eq!(app.put("/api/v1/openslo", documents.join("---\n")).await.status, 200);
    for (limit, sizes) in [("", vec![50, 5]), ("limit=20", vec![20, 20, 15]), ("limit=55", vec![55]), ("limit=1000", vec![55])] {
        let (mut met, mut seen, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/api/v1/slos?{limit}{cursor}")).await.json();
            let items = page["items"].as_array().expect("a list");
            met.push(items.len());
            seen.extend(items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={}", slowburn_domain::url::encode(next));
        }
        assert_eq!((met, &seen), (sizes, &names), "{limit:?}");
    }
    for (query, field) in [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor")] {
        for list in ["slos", "services"] {
            let reply = app.get(&format!("/api/v1/{list}?{query}")).await;
            assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, field), "{list}?{query}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_series_has_steps_with_counts_burn_rate_and_remaining_budget(pool: PgPool) {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    app.store("checkout", vec![SpanBuilder::new(1, 1, ago(30)).build(), SpanBuilder::new(2, 1, ago(30)).failed().build()]).await;
    let series = app.get("/api/v1/slos/checkout/series?from=-1h&step=5m").await.json();
    assert_eq!((fields(&series).as_str(), &series["step_seconds"]), ("items next step_seconds", &json!(300)));
    let items = series["items"].as_array().expect("steps");
    assert!((12..=14).contains(&items.len()), "{}", items.len());
    assert!(items.iter().all(|item| fields(item) == "budget_remaining burn_rate good start total"));
    let sum = |field: &str| items.iter().map(|item| item[field].as_u64().expect("a count")).sum::<u64>();
    assert_eq!((sum("good"), sum("total")), (1, 2));
    assert!(items[0]["burn_rate"].is_null() && items[0]["budget_remaining"].is_null(), "no events, no rate: {}", items[0]);
    let default = app.get("/api/v1/slos/checkout/series").await;
    assert_eq!(default.status, 200);
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=x", "to"),
        ("step=x", "step"),
        ("step=7s", "step"),
        ("step=0", "step"),
        ("from=-1h&to=-2h", "from"),
        ("from=-90d&step=1m", "step"),
    ] {
        let reply = app.get(&format!("/api/v1/slos/checkout/series?{query}")).await;
        let faults = reply.faults();
        assert_eq!((reply.status, faults.first().map(|fault| fault.0.as_str())), (400, Some(field)), "{query}: {}", reply.text());
    }
    let both = app.get("/api/v1/slos/checkout/series?from=x&to=y&step=z").await;
    assert_eq!(both.faults().len(), 3, "all faults together");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_there_is_not_is_a_problem_document(pool: PgPool) {
    let app = App::new(pool).await;
    for path in [
        "/api/v1/slos/nope",
        "/api/v1/slos/nope/series",
        "/api/v1/slos/%2F",
        "/api/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736",
        "/api/v1/nothing",
        "/api/v2/slos",
        "/api/v1/slos/",
    ] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.faults(), []);
        let problem = reply.json();
        assert_eq!(fields(&problem), "detail status title type", "{path}");
        assert_eq!((&problem["status"], &problem["title"], &problem["type"]), (&json!(404), &json!("Not Found"), &json!("about:blank")));
    }
    let wrong = app.put("/api/v1/slos", "").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET,HEAD")));
    assert_eq!(wrong.faults(), []);
}

#[sqlx::test(migrations = "../migrations")]
async fn services_have_rate_errors_and_durations_of_each_operation(pool: PgPool) {
    let app = App::new(pool).await;
    let spans = vec![
        SpanBuilder::new(1, 1, ago(20)).named("GET /cart").lasting_ms(100).build(),
        SpanBuilder::new(2, 1, ago(20)).named("GET /cart").lasting_ms(100).failed().build(),
        SpanBuilder::new(3, 1, ago(20)).named("POST /pay").lasting_ms(200).build(),
    ];
    app.store("checkout", spans).await;
    let list = app.get("/api/v1/services").await.json();
    assert_eq!(fields(&list), "items next");
    let service = &list["items"][0];
    assert_eq!(fields(service), "count error_ratio errors name operations p50_ms p90_ms p99_ms rate_per_second");
    assert_eq!((&service["name"], &service["count"], &service["errors"]), (&json!("checkout"), &json!(3), &json!(1)));
    let operation = &service["operations"][0];
    assert_eq!(
        (fields(operation).as_str(), &operation["operation"], &operation["kind"]),
        ("kind operation red", &json!("GET /cart"), &json!("server"))
    );
    assert_eq!(fields(&operation["red"]), "count error_ratio errors p50_ms p90_ms p99_ms rate_per_second");
    let p99 = service["p99_ms"].as_f64().expect("a number");
    assert!((190.0..=210.0).contains(&p99), "{p99}");
    assert_eq!(app.get("/api/v1/services?to=-10m").await.json()["items"], json!([]));
    for (query, field) in [("from=x", "from"), ("to=x", "to"), ("from=-1h&to=-2h", "from"), ("from=-30d", "from")] {
        let reply = app.get(&format!("/api/v1/services?{query}")).await;
        assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, field), "{query}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn c7_the_service_map_is_told(pool: PgPool) {
    let app = App::new(pool).await;
    // Ended ten minutes ago, so that its minute is due.
    let client = SpanBuilder::new(1, 1, ago(600)).of_kind(SpanKind::Client).lasting_ms(100).with(text("db.system.name", "redis")).failed();
    app.store("cart", vec![client.build()]).await;
    app.backend.count_edges().await.expect("counted");
    let list = app.get("/api/v1/service-map").await.json();
    let edge = &list["items"][0];
    assert_eq!(fields(edge), "callee caller count error_ratio errors kind p95_ms rate_per_second");
    assert_eq!((&edge["caller"], &edge["callee"], &edge["kind"]), (&json!("cart"), &json!("redis"), &json!("database")));
    assert_eq!((&edge["count"], &edge["errors"], &edge["error_ratio"]), (&json!(1), &json!(1), &json!(1.0)));
    for (query, count) in [("service=cart", 1), ("service=redis", 1), ("service=other", 0), ("to=-30m", 0), ("from=-20m", 1)] {
        let items = app.get(&format!("/api/v1/service-map?{query}")).await.json()["items"].as_array().map(Vec::len);
        assert_eq!(items, Some(count), "{query}");
    }
    assert_eq!(app.get("/api/v1/service-map?from=-30d").await.faults()[0].0, "from");
}

#[sqlx::test(migrations = "../migrations")]
async fn b3_calendars_and_slices_are_told(pool: PgPool) {
    let app = App::new(pool).await;
    let yaml = availability("monthly", 0.9)
        .replace(
            "timeWindow: [{duration: 30d, isRolling: true}]",
            "timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}}]",
        )
        .replace("budgetingMethod: Occurrences", "budgetingMethod: Timeslices")
        .replace("target: 0.9", "target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 5m");
    assert!(yaml.contains("1M") && yaml.contains("Timeslices") && yaml.contains("timeSliceTarget"), "{yaml}");
    assert_eq!(app.put("/api/v1/openslo", yaml).await.status, 200);
    let slo = app.get("/api/v1/slos/monthly").await.json();
    assert_eq!(slo["budgeting_method"], "Timeslices");
    assert_eq!(slo["time_slice"], json!({"seconds": 300, "target": 0.95}));
    let calendar = &slo["window"]["calendar"];
    assert_eq!((&slo["window"]["duration"], &slo["window"]["is_rolling"]), (&json!("1M"), &json!(false)));
    assert_eq!((&calendar["start_time"], &calendar["time_zone"]), (&json!("2026-01-01 00:00:00"), &json!("Europe/Berlin")));
    assert!(calendar["renews_at"].as_str().is_some_and(|at| at.ends_with(":00:00Z")), "{calendar}");
}
