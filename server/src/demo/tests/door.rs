//! The whole shop against an OTLP door that is busy at first: nothing is lost, nothing comes twice, the end is quick.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use prost::Message as _;
use tokio_util::sync::CancellationToken;

use super::super::{DemoConfig, run};

/// Trace id, span id, parent span id, end in nanoseconds.
type Arrived = (Vec<u8>, Vec<u8>, Vec<u8>, u64);

/// What the door has let in.
#[derive(Default)]
struct Received {
    refused: usize,
    services: HashSet<String>,
    spans: Vec<Arrived>,
}

/// Refuses the first requests, as a busy server would, then takes everything.
async fn export(State(received): State<Arc<Mutex<Received>>>, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut received = received.lock().unwrap();
    if received.refused < 6 {
        received.refused += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    for resource_spans in request.resource_spans {
        let resource = resource_spans.resource.unwrap();
        let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
        match name.value.as_ref().unwrap().value.as_ref().unwrap() {
            any_value::Value::StringValue(name) => received.services.insert(name.clone()),
            other => panic!("a service named {other:?}"),
        };
        for span in resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            received.spans.push((span.trace_id, span.span_id, span.parent_span_id, span.end_time_unix_nano));
        }
    }
    StatusCode::OK
}

fn nanos(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_live_traffic_arrive_once_and_the_end_is_quick() {
    let received = Arc::<Mutex<Received>>::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let otlp_http = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/traces", post(export)).with_state(Arc::clone(&received));
    let door = tokio::spawn(async move { axum::serve(listener, router).await });

    let shutdown = CancellationToken::new();
    let config = DemoConfig { otlp_http, history: Some(Duration::from_mins(30)), now: SystemTime::now, seed: 9 };
    let start = nanos(SystemTime::now());
    let shop = tokio::spawn(run(config, shutdown.clone()));
    // Live spans are batched for five seconds; the end of the shop sends what is waiting.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let ending = Instant::now();
    shutdown.cancel();
    shop.await.unwrap().unwrap();
    // A second, and another one for a busy machine.
    assert!(ending.elapsed() < Duration::from_secs(2), "{:?}", ending.elapsed());
    door.abort();

    let received = received.lock().unwrap();
    assert_eq!(received.refused, 6);
    assert_eq!(received.services.len(), 8, "{:?}", received.services);
    let ids: HashSet<_> = received.spans.iter().map(|(trace, span, ..)| (trace, span)).collect();
    assert_eq!(ids.len(), received.spans.len(), "a span came twice");
    assert!(received.spans.len() > 7_000, "{}", received.spans.len());
    let (past, live): (Vec<_>, Vec<_>) = received.spans.iter().partition(|(.., end)| *end <= start);
    assert!(past.len() > 7_000 && live.len() > 10, "{} and {}", past.len(), live.len());
    // A parent ends after its children: those of the last minute may still be missing.
    let settled = start - 60_000_000_000;
    for (trace, _, parent, _) in past.iter().filter(|(_, _, parent, end)| !parent.is_empty() && *end < settled) {
        assert!(ids.contains(&(trace, parent)), "a parent is missing");
    }
}
