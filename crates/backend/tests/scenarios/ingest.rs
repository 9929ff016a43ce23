//! A1, A2, A3, A7, A9: what is acknowledged is stored once, what is refused says why.

use std::io::Write as _;

use bytes::Bytes;
use slowburn_backend::Error;
use slowburn_backend::ingest::{Arriving, Compression, Format, Payload, Refusal};
use slowburn_backend::settings::Settings;
use slowburn_domain::id::TraceId;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::Value;
use slowburn_test_support::{SpanBuilder, body, int, text};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{NOON, Scene};

#[sqlx::test(migrations = "../../migrations")]
async fn a_span_acknowledged_is_found_with_everything_it_came_with(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let spans = vec![
        SpanBuilder::new(1, 1, NOON).named("POST /pay").lasting_ms(120).with(text("http.route", "/pay")).with(int("n", 3)).build(),
        SpanBuilder::new(1, 2, NOON.plus_nanos(5_000_000)).parent(1).failed().build(),
    ];
    let accepted = scene.send(body("checkout", spans)).await.expect("accepted");
    assert_eq!((accepted.accepted, accepted.rejected), (2, 0));
    let trace = scene.backend.trace(TraceId::from_bytes(&1_u128.to_be_bytes()).expect("id")).await.expect("found");
    assert_eq!((trace.summary.spans, trace.summary.errors, trace.summary.duration_ms), (2, 1, 120.0));
    assert_eq!(trace.spans[0].operation, "POST /pay");
    assert!(trace.spans[0].attributes.contains(&("n".to_owned(), Value::Int(3))));
    assert_eq!(trace.spans[1].parent_span_id, Some(trace.spans[0].span_id));
    assert_eq!(trace.spans[1].status_message, "it failed");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_retry_stores_and_counts_nothing_twice_even_after_a_restart(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&crate::availability("retry", 0.99, "7d")).await;
    let request = body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()]);
    let (first, again) = tokio::join!(scene.send(request.clone()), scene.send(request.clone()));
    assert_eq!(first, again);
    scene.stop.cancel();
    scene.backend.ingest().drained().await;
    let second = Scene::new(pool).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&request).expect("memory");
    let payload = Payload { bytes: packed.finish().expect("memory").into(), compression: Compression::Gzip, format: Format::Protobuf };
    assert_eq!(second.backend.ingest().traces(payload).await.expect("answered as stored").accepted, 1);
    let slo = second.backend.slo("retry", second.clock.now()).await.expect("known");
    assert_eq!(slo.evaluation.counts.total, 1);
    assert_eq!(second.find("").await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_span_in_another_request_is_shown_once(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let span = SpanBuilder::new(1, 1, NOON).build();
    scene.send(body("checkout", vec![span.clone()])).await.expect("accepted");
    scene.send(body("checkout", vec![span, SpanBuilder::new(1, 2, NOON).parent(1).build()])).await.expect("accepted");
    let trace = scene.backend.trace(TraceId::from_bytes(&1_u128.to_be_bytes()).expect("id")).await.expect("found");
    assert_eq!(trace.spans.len(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn bad_spans_are_refused_by_name_and_their_neighbours_kept(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let mut no_trace = SpanBuilder::new(2, 1, NOON).build();
    no_trace.trace_id.clear();
    let old = SpanBuilder::new(3, 1, NOON.plus_seconds(-36 * 86_400)).build();
    let future = SpanBuilder::new(4, 1, NOON.plus_seconds(700)).build();
    let good = SpanBuilder::new(1, 1, NOON).build();
    let accepted = scene.send(body("checkout", vec![no_trace, old, good, future])).await.expect("accepted in part");
    assert_eq!((accepted.accepted, accepted.rejected), (1, 3));
    assert!(accepted.reason.contains("resource_spans[0].scope_spans[0].spans[0].trace_id"), "{}", accepted.reason);
    assert!(accepted.reason.contains("more than 35 days ago"), "{}", accepted.reason);
    assert!(accepted.reason.contains("more than 10 minutes ahead"), "{}", accepted.reason);
    assert_eq!(scene.find("").await, [1].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn json_has_hex_ids_numbers_as_text_and_faults_with_their_path(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let json = serde_json::json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
        "scopeSpans": [{"unknownField": 1, "spans": [
            {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "ok", "kind": 2,
             "startTimeUnixNano": NOON.nanos().to_string(), "endTimeUnixNano": NOON.nanos() + 1_000_000,
             "attributes": [{"key": "n", "value": {"intValue": "9007199254740993"}}, {"key": "b", "value": {"bytesValue": "AQI="}}]},
            {"traceId": "not hex", "spanId": "EEE19B7EC3C1B174", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        ]}]
    }]});
    let payload = Payload { bytes: Bytes::from(json.to_string()), compression: Compression::Identity, format: Format::Json };
    let accepted = scene.backend.ingest().traces(payload).await.expect("accepted in part");
    assert_eq!((accepted.accepted, accepted.rejected), (1, 1));
    assert_eq!(accepted.reason, "resourceSpans[0].scopeSpans[0].spans[1].traceId: expected hex digits");
    let trace = scene.backend.trace("5b8efff798038103d269b633813fc60c".parse().expect("id")).await.expect("found");
    assert!(trace.spans[0].attributes.contains(&("n".to_owned(), Value::Int(9_007_199_254_740_993))));
    assert!(trace.spans[0].attributes.contains(&("b".to_owned(), Value::String("AQI=".to_owned()))));
}

#[sqlx::test(migrations = "../../migrations")]
async fn secrets_are_replaced_before_anything_is_stored(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let span = SpanBuilder::new(1, 1, NOON)
        .with(text("http.request.header.authorization", "Bearer abcdefghijklmnop"))
        .with(text("db.password", "hunter2hunter2"))
        .with(text("userToken", "t0k3n-value-xyz"))
        .with(text("http.url", "https://ada:geheim99@example.org/"))
        .with(text("note", "paid with 4111 1111 1111 1111 today"))
        .with(text("gen_ai.usage.input_tokens", "512 tokens"))
        .with(text("order", "1234567890123"))
        .build();
    let mut request = slowburn_test_support::request("checkout", vec![span]);
    let resource = request.resource_spans[0].resource.as_mut().expect("built with one");
    resource.attributes.push(text("process.env.API_KEY", "k-123456"));
    scene.send(prost::Message::encode_to_vec(&request)).await.expect("accepted");
    let trace = scene.backend.trace(TraceId::from_bytes(&1_u128.to_be_bytes()).expect("id")).await.expect("found");
    assert!(trace.spans[0].source.resource.contains(&("process.env.API_KEY".to_owned(), Value::String("[redacted]".to_owned()))));
    let shown = |key: &str| trace.spans[0].attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value.to_string()).expect("there");
    assert_eq!(shown("http.request.header.authorization"), "[redacted]");
    assert_eq!(shown("db.password"), "[redacted]");
    assert_eq!(shown("userToken"), "[redacted]");
    assert_eq!(shown("http.url"), "https://[redacted]@example.org/");
    assert_eq!(shown("note"), "paid with [redacted] today");
    assert_eq!(shown("gen_ai.usage.input_tokens"), "512 tokens");
    assert_eq!(shown("order"), "1234567890123");
}

#[sqlx::test(migrations = "../../migrations")]
async fn hostile_and_oversized_bodies_are_refused(pool: PgPool) {
    let scene = Scene::with(pool, Settings { request_bytes: 1 << 16, in_flight_bytes: 1 << 20, ..Settings::default() }).await;
    let ingest = scene.backend.ingest();
    let bomb = zstd::encode_all(&vec![0_u8; 50 << 20][..], 3).expect("memory");
    let send =
        async |bytes: Vec<u8>, compression| ingest.traces(Payload { bytes: bytes.into(), compression, format: Format::Protobuf }).await;
    assert_eq!(send(bomb, Compression::Zstd).await, Err(Refusal::TooLarge { limit: 1 << 16 }));
    assert_eq!(send(vec![0; (1 << 16) + 1], Compression::Identity).await, Err(Refusal::TooLarge { limit: 1 << 16 }));
    assert!(matches!(send(b"no gzip".to_vec(), Compression::Gzip).await, Err(Refusal::Malformed(_))));
    assert!(matches!(send(b"\xff\xff\xff".to_vec(), Compression::Identity).await, Err(Refusal::Malformed(_))));
    assert_eq!(send(Vec::new(), Compression::Identity).await.expect("an empty request succeeds").accepted, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_full_lane_says_try_later_and_keeps_room_for_errors(pool: PgPool) {
    let settings = Settings { buckets: 1, lane_records: 8, ..Settings::default() };
    let scene = Scene::with(pool.clone(), settings).await;
    // The lane's flush waits for this lock, so what is sent stays in the lane.
    let mut blocker = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE request_keys IN ACCESS EXCLUSIVE MODE").execute(&mut *blocker).await.expect("locked");
    let spans = |trace: u128, failed: bool| -> Vec<_> {
        (1..=3)
            .map(|id| {
                let span = SpanBuilder::new(trace, id, NOON);
                if failed { span.failed().build() } else { span.build() }
            })
            .collect()
    };
    let (a, b) = (scene.backend.clone(), scene.backend.clone());
    let payload = |spans| Payload { bytes: body("checkout", spans).into(), compression: Compression::Identity, format: Format::Protobuf };
    let (p, q) = (payload(spans(1, false)), payload(spans(2, true)));
    let first = tokio::spawn(async move { a.ingest().traces(p).await });
    while scene.backend.ingest().waiting_records() < 3 {
        tokio::task::yield_now().await;
    }
    // Three of eight places are taken and two are kept: another three healthy spans still fit, three more do not.
    let healthy = tokio::spawn({
        let backend = scene.backend.clone();
        let p = payload(spans(3, false));
        async move { backend.ingest().traces(p).await }
    });
    while scene.backend.ingest().waiting_records() < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.send(body("checkout", vec![SpanBuilder::new(4, 1, NOON).build()])).await, Err(Refusal::Busy));
    let one_error = payload(vec![SpanBuilder::new(5, 1, NOON).failed().build()]);
    let error = tokio::spawn(async move { b.ingest().traces(one_error).await });
    while scene.backend.ingest().waiting_records() < 7 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.backend.ingest().traces(q).await, Err(Refusal::Busy), "no place for three, error or not");
    blocker.rollback().await.expect("released");
    for task in [first, healthy, error] {
        assert!(task.await.expect("no panic").is_ok());
    }
    assert_eq!(scene.find("").await, [1, 3, 5].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn while_room_is_scarce_what_holds_an_error_goes_first(pool: PgPool) {
    let scene = Scene::with(pool, Settings { in_flight_bytes: 4 << 20, request_bytes: 4 << 20, ..Settings::default() }).await;
    let healthy = body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()]);
    let failed = body("checkout", vec![SpanBuilder::new(2, 1, NOON).build(), SpanBuilder::new(2, 2, NOON).failed().build()]);
    let mut others = Arriving::begin(scene.backend.ingest()).expect("room");
    others.push(&vec![0; (3 << 20) + 8_192]).expect("room");
    assert_eq!(scene.send(healthy.clone()).await, Err(Refusal::Busy));
    scene.send(failed).await.expect("accepted");
    drop(others);
    scene.send(healthy).await.expect("accepted");
    assert_eq!(scene.find("").await, [1, 2].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn with_the_database_away_nothing_is_acknowledged(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    sqlx::query("ALTER TABLE request_keys RENAME TO gone").execute(&pool).await.expect("renamed");
    let request = body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()]);
    assert_eq!(scene.send(request.clone()).await, Err(Refusal::Unavailable));
    sqlx::query("ALTER TABLE gone RENAME TO request_keys").execute(&pool).await.expect("renamed");
    assert_eq!(scene.find("").await.len(), 0);
    assert!(scene.send(request).await.is_ok());
    assert_eq!(scene.find("").await, [1].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_statement_that_takes_too_long_is_given_up_and_nothing_is_lost(pool: PgPool) {
    let options = (*pool.connect_options()).clone().options([("statement_timeout", "300")]);
    let hasty = PgPoolOptions::new().max_connections(4).connect_with(options).await.expect("connected");
    let scene = Scene::new(hasty).await;
    let request = body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()]);
    let mut blocker = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE request_keys, trace_index IN ACCESS EXCLUSIVE MODE").execute(&mut *blocker).await.expect("locked");
    assert_eq!(scene.send(request.clone()).await, Err(Refusal::Unavailable));
    let page = scene.backend.find_traces(&TraceQuery::default(), NOON).await;
    assert!(matches!(page, Err(Error::Unavailable(_))), "{page:?}");
    blocker.rollback().await.expect("released");
    scene.send(request).await.expect("accepted");
    assert_eq!(scene.find("").await, [1].into());
}

#[sqlx::test(migrations = "../../migrations")]
async fn slots_past_retention_are_dropped_whole(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    scene.apply(&crate::availability("kept", 0.99, "7d")).await;
    scene.send(body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()])).await.expect("accepted");
    scene.backend.fold_all().await.expect("folded");
    scene.clock.advance_seconds(7 * 3_600);
    scene.backend.keep_slots().await.expect("kept");
    assert_eq!(scene.find("").await.len(), 0);
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM request_keys").fetch_one(&pool).await.expect("counted");
    assert_eq!(keys, 0);
    assert_eq!(
        scene.backend.slo("kept", scene.clock.now()).await.expect("known").evaluation.counts.total,
        1,
        "history outlives raw records"
    );
    scene.send(body("checkout", vec![SpanBuilder::new(2, 1, scene.clock.now()).build()])).await.expect("a new slot is there");
}
