//! Metrics at the doors (A1, A9, C1): every form over three wires, the guard of cardinality, and the answers of the API.

use ::http::Request;
use axum::body::Body;
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Metric, Summary, SummaryDataPoint, exponential_histogram_data_point,
    summary_data_point,
};
use prost::Message as _;
use serde_json::{Value, json};
use slowburn_backend::settings::Settings;
use slowburn_domain::time::Timestamp;
use slowburn_server::doors::otlp_grpc::EXPORT_METRICS;
use slowburn_test_support::{
    CUMULATIVE, DELTA, counter, gauge, histogram, histogram_point, int_point, metric_body, metric_request, metrics_to_json, text,
};
use sqlx::PgPool;

use crate::app::{App, JSON, PROTOBUF, Port, Reply, ago};
use crate::otlp::{call, frame, grpc_code, gzip, zstd};

async fn post(app: &App, content_type: &str, encoding: &str, body: impl Into<Body>) -> Reply {
    let mut request = Request::post("/v1/metrics").header("content-type", content_type);
    if !encoding.is_empty() {
        request = request.header("content-encoding", encoding);
    }
    app.send(Port::OtlpHttp, request.body(body.into()).expect("a request")).await
}

async fn store(app: &App, service: &str, metrics: Vec<Metric>) {
    let reply = post(app, PROTOBUF, "", metric_body(service, metrics)).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0), "{reply:?}");
}

/// Values of every line of an answer that are known, by labels.
async fn lines(app: &App, query: &str) -> Vec<(Value, Vec<f64>)> {
    let reply = app.get(&format!("/api/v1/metrics/query?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let known = |line: &Value| line["values"].as_array().expect("values").iter().filter_map(Value::as_f64).collect();
    reply.json()["items"].as_array().expect("lines").iter().map(|line| (line["labels"].clone(), known(line))).collect()
}

/// The beginning of a step of a minute, so many minutes ago.
fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp::from_seconds((ago(0).seconds() / 60 - minutes) * 60)
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_metrics_come_over_every_wire_packed_in_every_way(pool: PgPool) {
    let app = App::new(pool).await;
    let with = |name: &str| metric_request("shop", vec![gauge(name, vec![int_point(ago(2), 7, Vec::new())])]);
    for (port, name, encoding) in [(Port::Main, "one", ""), (Port::OtlpHttp, "two", "gzip"), (Port::OtlpHttp, "three", "zstd")] {
        let message = with(name).encode_to_vec();
        let packed = match encoding {
            "gzip" => gzip(&message),
            "zstd" => zstd(&message),
            _ => message,
        };
        let mut request = Request::post("/v1/metrics").header("content-type", PROTOBUF);
        if !encoding.is_empty() {
            request = request.header("content-encoding", encoding);
        }
        let reply = app.send(port, request.body(Body::from(packed)).expect("a request")).await;
        assert_eq!((reply.status, reply.header("content-type"), reply.body.len()), (200, Some(PROTOBUF), 0), "{reply:?}");
    }
    let reply = post(&app, JSON, "", metrics_to_json(&with("four")).to_string()).await;
    assert_eq!((reply.status, reply.text()), (200, "{}"));
    let reply = call(&app, EXPORT_METRICS, "gzip", frame(1, &gzip(&with("five").encode_to_vec()))).await;
    assert_eq!(grpc_code(&reply), 0);
    let reply = post(&app, PROTOBUF, "", Vec::new()).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0), "nothing is a good request");
    let listed = app.get("/api/v1/metrics").await.json();
    let names: Vec<&str> = listed["items"].as_array().expect("a list").iter().filter_map(|item| item["name"].as_str()).collect();
    assert_eq!(names, ["five", "four", "one", "three", "two"]);
    for name in names {
        assert_eq!(lines(&app, &format!("name={name}")).await[0].1.first(), Some(&7.0), "{name}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_every_form_answers_what_suits_it(pool: PgPool) {
    let app = App::new(pool).await;
    let (then, now) = (minutes_ago(3), minutes_ago(2));
    let exponential = |at: Timestamp, counts: &[u64]| ExponentialHistogramDataPoint {
        time_unix_nano: at.nanos().cast_unsigned(),
        start_time_unix_nano: minutes_ago(600).nanos().cast_unsigned(),
        count: counts.iter().sum(),
        positive: Some(exponential_histogram_data_point::Buckets { offset: 0, bucket_counts: counts.to_vec() }),
        ..ExponentialHistogramDataPoint::default()
    };
    let quantile = summary_data_point::ValueAtQuantile { quantile: 0.95, value: 0.25 };
    let summary = SummaryDataPoint {
        time_unix_nano: now.nanos().cast_unsigned(),
        count: 10,
        quantile_values: vec![quantile],
        ..SummaryDataPoint::default()
    };
    let points = vec![exponential(then, &[1, 0]), exponential(now, &[1, 4])];
    let data = Data::ExponentialHistogram(ExponentialHistogram { data_points: points, aggregation_temporality: CUMULATIVE });
    store(
        &app,
        "shop",
        vec![
            gauge("depth", vec![int_point(then, 4, Vec::new()), int_point(now, 8, Vec::new())]),
            counter("orders", vec![int_point(then, 100, Vec::new()), int_point(now, 160, Vec::new())]),
            histogram("latency", DELTA, vec![histogram_point(now, &[0.1, 1.0], &[0, 10, 0], &[(7, 0.9)], Vec::new())]),
            Metric { name: "sizes".to_owned(), data: Some(data), ..Metric::default() },
            Metric { name: "old".to_owned(), data: Some(Data::Summary(Summary { data_points: vec![summary] })), ..Metric::default() },
        ],
    )
    .await;
    let range = format!("from={}&to={}&step=60s", minutes_ago(4), minutes_ago(2));
    let values = async |question: &str| lines(&app, &format!("{question}&{range}")).await.remove(0).1;
    assert_eq!(values("name=depth").await, [4.0, 8.0]);
    assert_eq!(values("name=depth&aggregate=sum").await, [4.0, 8.0]);
    assert_eq!(values("name=orders").await, [1.0], "a rate, over the minute before the second reading");
    assert_eq!(values("name=orders&aggregate=increase").await, [60.0]);
    assert_eq!(values("name=latency&aggregate=p50").await, [0.55]);
    assert_eq!(values("name=latency&aggregate=increase").await, [10.0]);
    assert_eq!(values("name=sizes&aggregate=p50").await, [3.0], "half of what lies between 2 and 4");
    assert_eq!(values("name=old&aggregate=p95").await, [0.25]);
    let answer = app.get(&format!("/api/v1/metrics/query?name=latency&{range}")).await.json();
    assert_eq!((&answer["aggregate"], &answer["kind"], &answer["unit"]), (&json!("p95"), &json!("histogram"), &json!("s")));
    assert_eq!(answer["exemplars"], json!([{"time": now.to_string(), "value": 0.9, "trace_id": format!("{:032x}", 7)}]));

    let named = async |question: &str| app.get(&format!("/api/v1/metrics/query?{question}")).await.faults()[0].0.clone();
    assert_eq!(named("name=depth&aggregate=rate").await, "aggregate");
    assert_eq!(named("name=depth&aggregate=median").await, "aggregate");
    assert_eq!(named("name=depth&filter=operation+%3D%3D+%221%22").await, "filter");
    assert_eq!(named("from=-1h").await, "name");
    assert_eq!(app.get("/api/v1/metrics/query?name=nothing").await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn c1_series_are_narrowed_and_grouped_by_their_attributes(pool: PgPool) {
    let app = App::new(pool).await;
    let at = minutes_ago(2);
    let points = |values: &[(&str, i64)]| values.iter().map(|(route, value)| int_point(at, *value, vec![text("route", route)])).collect();
    store(&app, "shop", vec![gauge("depth", points(&[("/a", 1), ("/b", 2)]))]).await;
    store(&app, "bank", vec![gauge("depth", points(&[("/a", 10)]))]).await;
    let range = format!("name=depth&aggregate=sum&from={}&to={}&step=60s", minutes_ago(3), minutes_ago(2));
    let told = async |more: &str| {
        let lines = lines(&app, &format!("{range}{more}")).await;
        lines.into_iter().map(|(labels, values)| (labels, values[0])).collect::<Vec<_>>()
    };
    assert_eq!(told("").await, [(json!({}), 13.0)]);
    assert_eq!(told("&group_by=route").await, [(json!({"route": "/a"}), 11.0), (json!({"route": "/b"}), 2.0)]);
    assert_eq!(told("&service=shop").await, [(json!({}), 3.0)]);
    assert_eq!(
        told("&filter=attributes.route+%3D%3D+%22/a%22&group_by=service").await,
        [(json!({"service": "bank"}), 10.0), (json!({"service": "shop"}), 1.0),]
    );
    assert_eq!(told("&group_by=resource.service.name,route").await.len(), 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn a9_a_bad_point_is_named_and_its_neighbours_are_kept(pool: PgPool) {
    let app = App::new(pool).await;
    let request = |metrics| metric_request("shop", metrics);
    let points = || vec![int_point(ago(2), 7, Vec::new()), int_point(ago(40 * 86_400), 8, vec![text("old", "yes")])];
    let reply = post(&app, JSON, "", metrics_to_json(&request(vec![counter("orders", points())])).to_string()).await;
    let partial = reply.json()["partialSuccess"].clone();
    assert_eq!(partial["rejectedDataPoints"], json!("1"));
    let reason = partial["errorMessage"].as_str().expect("a text").to_owned();
    assert!(reason.starts_with("resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[1].timeUnixNano: "), "{reason}");

    let refused = async |request: &ExportMetricsServiceRequest| {
        let reply = post(&app, PROTOBUF, "", request.encode_to_vec()).await;
        assert_eq!(reply.status, 200);
        let answer = ExportMetricsServiceResponse::decode(reply.body.clone()).expect("an answer");
        answer.partial_success.map_or((0, String::new()), |partial| (partial.rejected_data_points, partial.error_message))
    };
    let (count, reason) = refused(&request(vec![gauge("", points()), gauge("depth", points())])).await;
    assert_eq!(count, 3, "{reason}");
    assert!(reason.starts_with("resource_metrics[0].scope_metrics[0].metrics[0].name: missing; "), "{reason}");
    assert!(reason.contains("metrics[1].gauge.data_points[1].time_unix_nano: "), "{reason}");
    let wrong = histogram("latency", 0, vec![histogram_point(ago(2), &[1.0], &[1, 2], &[], Vec::new())]);
    assert!(refused(&request(vec![wrong])).await.1.contains("histogram.aggregation_temporality: expected delta"));
    for (bounds, counts, field) in [(&[1.0][..], &[1][..], "bucket_counts"), (&[2.0, 1.0], &[1, 1, 1], "explicit_bounds")] {
        let wrong = histogram("latency", DELTA, vec![histogram_point(ago(2), bounds, counts, &[], Vec::new())]);
        let (count, reason) = refused(&request(vec![wrong])).await;
        assert!(count == 1 && reason.contains(&format!("histogram.data_points[0].{field}: ")), "{reason}");
    }
    let mut torn = histogram_point(ago(2), &[1.0], &[1, 2], &[], Vec::new());
    torn.count = 4;
    assert!(refused(&request(vec![histogram("latency", DELTA, vec![torn])])).await.1.contains("count: 4, and the buckets hold 3"));
    let reply = post(&app, JSON, "", "{\"resourceMetrics\": 7}").await;
    assert!(reply.status == 400 && reply.text().contains("resourceMetrics"), "{reply:?}");

    // One point that cannot be decoded, between two that can: its attribute is no UTF-8.
    let three: Vec<_> = (1..=3).map(|n| int_point(ago(2), n, vec![text("n", &"n".repeat(n as usize))])).collect();
    let mut message = request(vec![counter("torn", three)]).encode_to_vec();
    let at = message.windows(2).position(|pair| pair == b"nn").expect("the second");
    message[at] = 0xff;
    let reply = post(&app, PROTOBUF, "", message).await;
    let answer = ExportMetricsServiceResponse::decode(reply.body.clone()).expect("an answer").partial_success.expect("one was refused");
    assert_eq!(answer.rejected_data_points, 1, "{answer:?}");
    assert!(answer.error_message.contains("metrics[0]: point 1: "), "{answer:?}");
    assert_eq!(lines(&app, "name=torn&group_by=n&aggregate=increase").await.len(), 0, "first readings of counters");
    let listed = app.get("/api/v1/metrics?q=torn").await.json();
    assert_eq!(listed["items"][0]["series"], json!(2));
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_too_many_series_are_refused_by_name_also_after_a_restart(pool: PgPool) {
    let settings = || Settings { series_per_metric: 2, ..Settings::default() };
    let app = App::with(pool.clone(), settings()).await;
    let user = |user: &str| gauge("logins", vec![int_point(ago(1), 1, vec![text("user", user)])]);
    store(&app, "shop", vec![user("ada"), user("grace")]).await;
    for app in [app, App::with(pool, settings()).await] {
        store(&app, "shop", vec![user("ada")]).await;
        store(&app, "bank", vec![user("ada")]).await;
        let reply = post(&app, JSON, "", metrics_to_json(&metric_request("shop", vec![user("eve"), user("grace")])).to_string()).await;
        let partial = reply.json()["partialSuccess"].clone();
        assert_eq!(partial["rejectedDataPoints"], json!("1"));
        assert_eq!(
            partial["errorMessage"],
            json!(
                "resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0]: a new series of logins of shop, which has 2 already; new ones are refused"
            )
        );
        let (overflow, points) = app.backend.ingest().overflows().remove(0);
        assert_eq!((overflow.service.as_str(), overflow.metric.as_str(), points), ("shop", "logins", 1));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a3_secrets_in_attributes_of_metrics_are_not_stored(pool: PgPool) {
    let app = App::new(pool).await;
    store(&app, "shop", vec![gauge("logins", vec![int_point(ago(1), 1, vec![text("user.password", "hunter2")])])]).await;
    let line = lines(&app, "name=logins&group_by=user.password").await.remove(0);
    assert_eq!(line.0, json!({"user.password": "[redacted]"}));
}

#[sqlx::test(migrations = "../migrations")]
async fn a1_a_series_is_the_same_in_whatever_order_its_attributes_come(pool: PgPool) {
    let app = App::new(pool).await;
    let pairs = || vec![text("a", "1"), text("b", "2"), text("c", "3")];
    for turn in 0..3 {
        let mut own = pairs();
        own.rotate_left(turn);
        let mut request = metric_request("shop", vec![gauge("depth", vec![int_point(ago(9 - turn as i64), 1, own.clone())])]);
        if let Some(resource) = &mut request.resource_metrics[0].resource {
            own.reverse();
            resource.attributes.extend(own);
            resource.attributes.rotate_left(turn);
        }
        assert_eq!(post(&app, PROTOBUF, "", request.encode_to_vec()).await.status, 200);
    }
    assert_eq!(app.get("/api/v1/metrics?q=depth").await.json()["items"][0]["series"], json!(1));
}
