//! Traces over REST: shapes, faults by field, pages that neither repeat nor skip.

use serde_json::{Value, json};
use slowburn_test_support::{SpanBuilder, int, text};
use sqlx::PgPool;

use crate::app::{App, ago, fields, trace_numbers};

#[sqlx::test(migrations = "../migrations")]
async fn a_trace_is_told_in_the_list_and_whole(pool: PgPool) {
    let app = App::new(pool).await;
    let start = ago(10);
    let spans = vec![
        SpanBuilder::new(1, 1, start).named("POST /pay").lasting_ms(120).with(text("correlation_id", "order-7")).with(int("n", 3)).build(),
        SpanBuilder::new(1, 2, start.plus_nanos(5_000_000)).parent(1).failed().with(text("project_id", "shop")).build(),
    ];
    app.store("checkout", spans).await;
    let list = app.get("/api/v1/traces").await.json();
    assert_eq!((fields(&list).as_str(), &list["next"]), ("items next", &Value::Null));
    let expected = json!({
        "trace_id": "00000000000000000000000000000001", "correlation_ids": ["order-7"], "project_ids": ["shop"], "execution_ids": [],
        "start": start.to_string(), "duration_ms": 120.0, "root": {"service": "checkout", "operation": "POST /pay"},
        "services": ["checkout"], "spans": 2, "errors": 1,
    });
    assert_eq!(list["items"], json!([expected]));

    let trace = app.get("/api/v1/traces/00000000000000000000000000000001").await.json();
    for (field, value) in expected.as_object().expect("fields").iter().filter(|(field, _)| *field != "spans") {
        assert_eq!(trace[field], *value, "{field}");
    }
    let spans = trace["spans"].as_array().expect("spans");
    let span = "attributes correlation_id duration_ms events kind links operation parent_span_id resource service span_id start status status_message";
    assert!(spans.len() == 2 && spans.iter().all(|item| fields(item) == span), "{}", fields(&spans[0]));
    assert_eq!(spans[0]["attributes"], json!({"correlation_id": "order-7", "n": 3}));
    assert_eq!((&spans[0]["parent_span_id"], &spans[0]["kind"], &spans[0]["status"]), (&Value::Null, &json!("server"), &json!("unset")));
    assert_eq!((&spans[1]["parent_span_id"], &spans[1]["status"]), (&json!("0000000000000001"), &json!("error")));
    assert_eq!((&spans[1]["status_message"], &spans[1]["resource"]), (&json!("it failed"), &json!({"service.name": "checkout"})));
}

#[sqlx::test(migrations = "../migrations")]
async fn filters_hold_together_and_faults_are_named_together(pool: PgPool) {
    let app = App::new(pool).await;
    let ids = |trace: u128| {
        SpanBuilder::new(trace, 1, ago(20)).with(text("project_id", "shop")).with(text("execution_id", &format!("run-{trace}")))
    };
    app.store("checkout", vec![ids(1).build(), ids(2).failed().lasting_ms(900).build()]).await;
    app.store("cart", vec![ids(3).named("GET /cart").with(int("items", 12)).build()]).await;
    for (query, expected) in [
        ("service=checkout&status=error", vec![2]),
        ("service=cart&status=error", vec![]),
        ("operation=GET%20%2Fcart", vec![3]),
        ("operation=GET+/cart&service=", vec![3]),
        ("project_id=shop&execution_id=run-2", vec![2]),
        ("min_duration_ms=500", vec![2]),
        ("max_duration_ms=500&service=checkout", vec![1]),
        ("filter=attributes%5B%22items%22%5D%20%3E%2010", vec![3]),
        ("to=-1h", vec![]),
        ("from=-1m&service=cart", vec![3]),
        ("service=cart&theme=dark", vec![3]),
    ] {
        assert_eq!(app.find(query).await, expected, "{query}");
    }
    let all = app.get("/api/v1/traces?status=bad&limit=0&min_duration_ms=-1&from=yesterday&cursor=x").await;
    let named: Vec<String> = all.faults().into_iter().map(|(field, _)| field).collect();
    assert_eq!((all.status, named), (400, ["status", "limit", "min_duration_ms", "from", "cursor"].map(str::to_owned).to_vec()));
    for (query, field) in [("filter=1%20%2B", "filter"), ("limit=1001", "limit"), ("filter=service", "filter")] {
        let reply = app.get(&format!("/api/v1/traces?{query}")).await;
        assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, field), "{query}: {}", reply.text());
    }
    let reply = app.get("/api/v1/traces/xyz").await;
    assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, "trace_id"));
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_neither_repeat_nor_skip_and_late_comers_wait_for_the_next_search(pool: PgPool) {
    let app = App::new(pool).await;
    let start = ago(60);
    // Two begin in the same instant: the trace id decides between them.
    let begin = |trace: u128| start.plus_seconds(if trace == 4 { 3 } else { trace as i64 });
    app.store("checkout", (1..=7).map(|trace| SpanBuilder::new(trace, 1, begin(trace)).build()).collect()).await;
    let first = app.get("/api/v1/traces?limit=3").await.json();
    // It arrives between two pages and would stand on the second.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    app.store("checkout", vec![SpanBuilder::new(99, 1, start.plus_seconds(2)).build()]).await;
    let mut pages = vec![trace_numbers(&first)];
    let mut next = first["next"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let page = app.get(&format!("/api/v1/traces?limit=3&cursor={cursor}")).await.json();
        pages.push(trace_numbers(&page));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(pages, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    assert_eq!(app.find("").await.len(), 8);
}

/// Nothing an ID may consist of gets lost or taken for something else on the way through a query string.
#[sqlx::test(migrations = "../migrations")]
async fn difficult_ids_are_found_exactly(pool: PgPool) {
    let app = App::new(pool).await;
    let long = "é".repeat(1_500);
    let ids = ["%41", "A", "a+b", "a b", "a/b", "a&b=c", "a", "ü", "u", "a%2Fb", "?#", "日本", "'; --", long.as_str()];
    for (number, id) in (1..).zip(ids) {
        app.store("checkout", vec![SpanBuilder::new(number, 1, ago(20)).with(text("correlation_id", id)).build()]).await;
    }
    for (number, id) in (1..).zip(ids) {
        let encoded = slowburn_domain::url::encode(id);
        assert_eq!(app.find(&format!("correlation_id={encoded}")).await, [number], "{id}");
    }
    assert_eq!(app.find("correlation_id=a+b").await, [4], "a plus is a space, as forms write it");
}
