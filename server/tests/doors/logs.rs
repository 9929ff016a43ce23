//! Logs at the doors (A1, A4, A9): OTLP over three wires, ECS lines, and the answers of the API.

use ::http::Request;
use axum::body::Body;
use prost::Message as _;
use serde_json::{Value, json};
use slowburn_backend::settings::Settings;
use slowburn_server::doors::otlp_grpc::EXPORT_LOGS;
use slowburn_test_support::{LogBuilder, log_body, log_request, logs_to_json, text};
use sqlx::PgPool;

use crate::app::{App, JSON, PROBLEM, PROTOBUF, Port, Reply, ago, fields};
use crate::otlp::{call, frame, grpc_code, gzip, zstd};

async fn post(app: &App, port: Port, path: &str, content_type: &str, encoding: &str, body: impl Into<Body>) -> Reply {
    let mut request = Request::post(path).header("content-type", content_type);
    if !encoding.is_empty() {
        request = request.header("content-encoding", encoding);
    }
    app.send(port, request.body(body.into()).expect("a request")).await
}

async fn bodies(app: &App, query: &str) -> Vec<String> {
    let list = app.get(&format!("/api/v1/logs?{query}")).await.json();
    list["items"].as_array().expect("a list").iter().map(|item| item["body"].as_str().expect("a text").to_owned()).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_logs_come_over_every_wire_packed_in_every_way(pool: PgPool) {
    let app = App::new(pool).await;
    let line = |body: &str| log_request("pay", vec![LogBuilder::new(ago(2), body).build()]);
    for (port, body, encoding) in [(Port::Main, "one", ""), (Port::OtlpHttp, "two", "gzip"), (Port::OtlpHttp, "three", "zstd")] {
        let message = line(body).encode_to_vec();
        let packed = match encoding {
            "gzip" => gzip(&message),
            "zstd" => zstd(&message),
            _ => message,
        };
        let reply = post(&app, port, "/v1/logs", PROTOBUF, encoding, packed).await;
        assert_eq!((reply.status, reply.header("content-type"), reply.body.len()), (200, Some(PROTOBUF), 0), "{reply:?}");
    }
    let reply = post(&app, Port::OtlpHttp, "/v1/logs", JSON, "", logs_to_json(&line("four")).to_string()).await;
    assert_eq!((reply.status, reply.text()), (200, "{}"));
    let reply = call(&app, EXPORT_LOGS, "gzip", frame(1, &gzip(&line("five").encode_to_vec()))).await;
    assert_eq!(grpc_code(&reply), 0);
    let mut found = bodies(&app, "").await;
    found.sort();
    assert_eq!(found, ["five", "four", "one", "three", "two"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a9_a_bad_record_is_named_and_its_neighbours_are_kept(pool: PgPool) {
    let app = App::new(pool).await;
    let old = LogBuilder::new(ago(40 * 86_400), "too old").build();
    let request = log_request("pay", vec![LogBuilder::new(ago(1), "good").build(), old]);
    let reply = post(&app, Port::OtlpHttp, "/v1/logs", JSON, "", logs_to_json(&request).to_string()).await;
    let partial = &reply.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], json!("1"));
    let reason = partial["errorMessage"].as_str().expect("a text");
    assert!(reason.starts_with("resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: "), "{reason}");
    let reply = post(&app, Port::OtlpHttp, "/v1/logs", PROTOBUF, "", request.encode_to_vec()).await;
    let answer = opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse::decode(reply.body.clone()).expect("an answer");
    let partial = answer.partial_success.expect("one was refused");
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.starts_with("resource_logs[0].scope_logs[0].log_records[1].time_unix_nano: "), "{partial:?}");
    let reply = post(&app, Port::OtlpHttp, "/v1/logs", JSON, "", "{\"resourceLogs\": 7}").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("resourceLogs"), "{reply:?}");
    assert_eq!(bodies(&app, "").await, ["good", "good"], "two requests, two records");
}

#[sqlx::test(migrations = "../migrations")]
async fn a4_ecs_lines_are_answered_line_by_line(pool: PgPool) {
    let app = App::with(pool, Settings { request_bytes: 4_096, ..Settings::default() }).await;
    let at = ago(3).to_string();
    let lines = format!("{{\"@timestamp\":\"{at}\",\"message\":\"kept\",\"service.name\":\"pay\"}}\n{{\"message\":\"timeless\"}}\n");
    let reply = post(&app, Port::Main, "/api/v1/logs", "application/x-ndjson", "gzip", gzip(lines.as_bytes())).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(JSON)));
    assert_eq!(reply.json(), json!({"accepted": 1, "rejected": [{"index": 1, "field": "@timestamp", "reason": "missing"}]}));
    for (name, encoding, body, status) in [
        ("an encoding that is none", "brotli", b"{}".to_vec(), 400),
        ("no text", "", b"\xff".to_vec(), 400),
        ("too long", "", vec![b' '; 5_000], 413),
        ("no gzip", "gzip", b"{}".to_vec(), 400),
        ("nothing", "", Vec::new(), 200),
    ] {
        let reply = post(&app, Port::Main, "/api/v1/logs", JSON, encoding, body).await;
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        assert!(status == 200 || reply.header("content-type") == Some(PROBLEM), "{name}: {reply:?}");
    }
    assert_eq!(bodies(&app, "service=pay").await, ["kept"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn c4_a_log_is_told_whole_and_faults_of_a_search_together(pool: PgPool) {
    let app = App::new(pool).await;
    let at = ago(5);
    let record = LogBuilder::new(at, "card declined").severity(17).in_span(7, 9).with(text("correlation_id", "order-7")).build();
    let reply = post(&app, Port::OtlpHttp, "/v1/logs", PROTOBUF, "", log_body("pay", vec![record])).await;
    assert_eq!(reply.status, 200);
    let list = app.get("/api/v1/logs?q=declined").await.json();
    assert_eq!((fields(&list).as_str(), &list["next"]), ("items next", &Value::Null));
    let expected = json!({
        "time": at.to_string(), "severity": "error", "severity_text": "", "service": "pay", "body": "card declined", "event_name": "",
        "trace_id": format!("{:032x}", 7), "span_id": format!("{:016x}", 9), "correlation_ids": ["order-7"],
        "attributes": {"correlation_id": "order-7"}, "resource": {"service.name": "pay"},
    });
    assert_eq!(list["items"], json!([expected]));
    let story = app.get("/api/v1/correlations/order-7").await.json();
    assert_eq!(fields(&story), "counts from id items to");
    assert_eq!((&story["id"], &story["counts"]), (&json!("order-7"), &json!({"trace": 0, "log": 1, "event": 0})));
    let item = &story["items"][0];
    assert_eq!(fields(item), "duration_ms href kind service status time title");
    assert_eq!((&item["kind"], &item["status"], &item["title"]), (&json!("log"), &json!("error"), &json!("card declined")));
    let reply = app.get("/api/v1/logs?severity=loud&limit=0&filter=1+%2B").await;
    let named: Vec<String> = reply.faults().into_iter().map(|(field, _)| field).collect();
    assert_eq!((reply.status, named), (400, vec!["severity".to_owned(), "limit".to_owned()]));
    assert_eq!(app.get("/api/v1/logs?filter=operation+%3D%3D+%221%22").await.faults()[0].0, "filter");
    assert_eq!(app.get("/api/v1/correlations/order-8").await.status, 404);
}
