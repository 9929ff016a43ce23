//! C4: completions of conditions, by what is stored.

use bytes::Bytes;
use slowburn_backend::events::EventForm;
use slowburn_backend::ingest::{Arriving, Compression, Format, Payload};
use slowburn_domain::signal::Signal;
use slowburn_test_support::{LogBuilder, SpanBuilder, body, gauge, int, int_point, log_body, metric_body, text};
use sqlx::PgPool;

use crate::{NOON, Scene};

/// Labels of the completions, and what the text becomes with the first.
async fn complete(scene: &Scene, signal: Signal, typed: &str) -> (Vec<String>, String) {
    let found = scene.backend.complete(typed, signal, scene.clock.now()).await.expect("answered");
    let units: Vec<u16> = typed.encode_utf16().collect();
    let kept = String::from_utf16(&units[..found.from]).expect("whole characters");
    let first = found.items.first().map(|item| format!("{kept}{}", item.insert)).unwrap_or_default();
    (found.items.into_iter().map(|item| item.label).collect(), first)
}

#[sqlx::test(migrations = "../../migrations")]
async fn c4_names_keys_and_values_of_what_is_stored_complete_a_condition(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let span = |id: u64| SpanBuilder::new(u128::from(id), id, NOON.plus_seconds(-60));
    let spans = vec![
        span(1).named("GET /").with(text("http.route", "/pay \"now\"")).with(int("code", 200)).build(),
        span(2).named("GET /").with(text("http.route", "/cart")).with(int("code", 200)).build(),
        span(3).named("POST /").with(text("http.route", "/cart")).build(),
    ];
    scene.send(body("shop", spans)).await.expect("accepted");
    let line = LogBuilder::new(NOON.plus_seconds(-60), "said").with(text("bank.code", "51")).build();
    let logs = Payload { bytes: Bytes::from(log_body("till", vec![line])), compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().logs(logs).await.expect("accepted");
    let depth = gauge("queue.depth", vec![int_point(NOON.plus_seconds(-60), 3, vec![text("queue", "mail")])]);
    let bytes = Bytes::from(metric_body("post", vec![depth]));
    let points = Payload { bytes, compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().metrics(points).await.expect("accepted");
    let mut arriving = Arriving::begin(scene.backend.ingest()).expect("room");
    arriving.push(br#"{"specversion":"1.0","id":"1","source":"/ci","type":"deployed","data":{"version":7}}"#).expect("room");
    scene.backend.receive_events(arriving, Compression::Identity, EventForm::Structured).await.expect("received");
    scene.backend.register_agent("night-batch", 30).await.expect("registered");

    let cases: [(Signal, &str, &[&str], &str); 16] = [
        (Signal::Spans, "ser", &["service"], "service"),
        (Signal::Spans, "service == \"shop\" && att", &["attributes"], "service == \"shop\" && attributes[\""),
        (Signal::Spans, "attributes[\"", &["http.route", "code"], "attributes[\"http.route\"]"),
        (Signal::Spans, "attributes['RO", &["http.route"], "attributes['http.route']"),
        (Signal::Spans, "attributes.", &["code"], "attributes.code"),
        (
            Signal::Spans,
            "attributes[\"http.route\"] == ",
            &["\"/cart\"", "\"/pay \\\"now\\\"\""],
            "attributes[\"http.route\"] == \"/cart\"",
        ),
        (
            Signal::Spans,
            "\"ä😀\" != attributes[\"http.route\"] && attributes.code == 2",
            &["200"],
            "\"ä😀\" != attributes[\"http.route\"] && attributes.code == 200",
        ),
        (Signal::Spans, "operation in [\"POST /\", \"", &["\"GET /\"", "\"POST /\""], "operation in [\"POST /\", \"GET /\""),
        (Signal::Spans, "service == \"x", &[], ""),
        (Signal::Logs, "attributes[\"bank", &["bank.code"], "attributes[\"bank.code\"]"),
        (Signal::Logs, "service == \"", &["\"till\""], "service == \"till\""),
        (Signal::Metrics, "name == ", &["\"queue.depth\""], "name == \"queue.depth\""),
        (Signal::Metrics, "attributes.queue == \"m", &["\"mail\""], "attributes.queue == \"mail\""),
        (Signal::Events, "data.version > ", &["7"], "data.version > 7"),
        (Signal::Events, "type == 'd", &["\"deployed\""], "type == 'deployed'"),
        (Signal::Heartbeats, "agent == ", &["\"night-batch\""], "agent == \"night-batch\""),
    ];
    for (signal, typed, labels, becomes) in cases {
        let (found, first) = complete(&scene, signal, typed).await;
        assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), first.as_str()), (labels, becomes), "{typed}");
    }

    // What comes later is known a minute later.
    let later = span(4).with(text("tenant", "a")).build();
    scene.send(body("shop", vec![later])).await.expect("accepted");
    assert_eq!(complete(&scene, Signal::Spans, "attributes[\"ten").await.0, [] as [String; 0]);
    scene.clock.advance_seconds(61);
    assert_eq!(complete(&scene, Signal::Spans, "attributes[\"ten").await.0, ["tenant"]);
}
