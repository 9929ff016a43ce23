//! The application under test: use cases on a test's own database, and the routers of the three ports. Requests go
//! through the routers in process; where a protocol is tested on the wire, the same routers get real listeners.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use slowburn_app::Answers;
use slowburn_backend::Backend;
use slowburn_backend::clock::Clock;
use slowburn_backend::settings::Settings;
use slowburn_domain::time::Timestamp;
use slowburn_server::doors::guard::Hosts;
use slowburn_server::doors::listen::{self, Patience};
use slowburn_server::doors::router::{self, Doors};
use slowburn_server::doors::sharing::ApiTurns;
use slowburn_server::doors::site::Site;
use slowburn_server::telemetry;
use slowburn_test_support::body;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";
pub(crate) const PROBLEM: &str = "application/problem+json";

/// One of the three ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Main,
    OtlpHttp,
    OtlpGrpc,
}

pub(crate) struct App {
    pub(crate) backend: Backend,
    main: Router,
    otlp_http: Router,
    otlp_grpc: Router,
    patience: Patience,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers of ours are text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    /// The faults of a problem document, as (field, reason).
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        assert_eq!(self.header("content-type"), Some(PROBLEM), "{self:?}");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let problem = self.json();
        let faults = problem["errors"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| (text(&fault["field"]), text(&fault["reason"]))).collect()
    }
}

impl App {
    pub(crate) async fn new(pool: PgPool) -> Self {
        Self::with(pool, Settings::default()).await
    }

    pub(crate) async fn with(pool: PgPool, settings: Settings) -> Self {
        Self::with_patience(pool, settings, Patience::default()).await
    }

    pub(crate) async fn with_patience(pool: PgPool, settings: Settings, patience: Patience) -> Self {
        // Once per process; later tests find it done.
        let _ = any_spawner::Executor::init_tokio();
        let otlp_http = "http://127.0.0.1:4318".to_owned();
        let backend = Backend::start(pool, settings, Clock::new(telemetry::now), otlp_http, CancellationToken::new())
            .await
            .expect("the backend starts");
        let doors = Doors {
            backend: backend.clone(),
            site: site(),
            answers: Answers::default(),
            api_turns: ApiTurns::default(),
            hosts: Hosts::new(&["slo.example.org".to_owned()]),
            patience,
            metrics: metrics(),
            closing: CancellationToken::new(),
        };
        Self {
            backend,
            main: router::main(doors.clone()),
            otlp_http: router::otlp_http(doors.clone()),
            otlp_grpc: router::otlp_grpc(doors),
            patience,
        }
    }

    fn router(&self, port: Port) -> Router {
        match port {
            Port::Main => &self.main,
            Port::OtlpHttp => &self.otlp_http,
            Port::OtlpGrpc => &self.otlp_grpc,
        }
        .clone()
    }

    /// Sends a request as it is.
    pub(crate) async fn send_raw(&self, port: Port, request: Request<Body>) -> Reply {
        let response = self.router(port).oneshot(request).await.expect("routers do not fail");
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.expect("the body is whole");
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: collected.to_bytes(), trailers }
    }

    /// Sends a request to loopback, unless it names another host.
    pub(crate) async fn send(&self, port: Port, mut request: Request<Body>) -> Reply {
        request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("127.0.0.1:3000"));
        self.send_raw(port, request).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Reply {
        self.send(Port::Main, Request::get(uri).body(Body::empty()).expect(uri)).await
    }

    pub(crate) async fn put(&self, uri: &str, text: impl Into<Body>) -> Reply {
        self.send(Port::Main, Request::put(uri).header(CONTENT_TYPE, "application/yaml").body(text.into()).expect(uri)).await
    }

    /// Sends one OTLP/HTTP request; `encoding` is left out when empty.
    pub(crate) async fn post_json(&self, uri: &str, body: &Value) -> Reply {
        let request = Request::post(uri).header("content-type", "application/json").body(Body::from(body.to_string()));
        self.send(Port::Main, request.expect("a request")).await
    }

    pub(crate) async fn delete(&self, uri: &str) -> Reply {
        self.send(Port::Main, Request::delete(uri).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn export(&self, port: Port, content_type: &str, encoding: &str, body: impl Into<Body>) -> Reply {
        let mut request = Request::post("/v1/traces").header(CONTENT_TYPE, content_type);
        if !encoding.is_empty() {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        self.send(port, request.body(body.into()).expect("a request")).await
    }

    /// Stores spans of a service.
    pub(crate) async fn store(&self, service: &str, spans: Vec<Span>) {
        let reply = self.export(Port::OtlpHttp, PROTOBUF, "", body(service, spans)).await;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{reply:?}");
    }

    /// Applies an availability SLO over the server spans of `checkout`.
    pub(crate) async fn apply(&self, name: &str, target: f64) {
        let reply = self.put("/api/v1/openslo", availability(name, target)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Traces that a search over the API finds, as the numbers they were built from, newest first.
    pub(crate) async fn find(&self, query: &str) -> Vec<u128> {
        let reply = self.get(&format!("/api/v1/traces?{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        trace_numbers(&reply.json())
    }

    /// Gives a port of the loopback address to a router, until the test's runtime ends.
    pub(crate) async fn listen(&self, port: Port) -> SocketAddr {
        self.listen_until(port, CancellationToken::new()).await.0
    }

    /// Gives a port of the loopback address to a router, until `closing` and the end of the requests that are open then.
    pub(crate) async fn listen_until(&self, port: Port, closing: CancellationToken) -> (SocketAddr, JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        (addr, tokio::spawn(listen::serve(listener, self.router(port), self.patience, closing)))
    }
}

/// Trace ids of a list, as the numbers they were built from.
pub(crate) fn trace_numbers(list: &Value) -> Vec<u128> {
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| u128::from_str_radix(item["trace_id"].as_str().expect("an id"), 16).expect("hex")).collect()
}

/// Some seconds ago: pages and API go by the wall clock.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    telemetry::now().plus_seconds(-seconds)
}

/// The names of an object's fields, sorted, in one line.
pub(crate) fn fields(value: &Value) -> String {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

/// An OpenSLO document: server spans of `checkout` that do not fail.
pub(crate) fn availability(name: &str, target: f64) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, displayName: Checkout works}}
spec:
  description: Customers can pay.
  service: checkout
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'status != \"error\"'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'service == \"checkout\" && kind == \"server\"'}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: {target}}}]
"
    )
}

/// A site whose files exist by name only: pages link to them, nothing reads them.
fn site() -> Site {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("doors-site");
        std::fs::create_dir_all(&folder).expect("a folder for tests");
        std::fs::write(folder.join("manifest.json"), r#"{"js":"/pkg/a.js","loader":"/pkg/b.js","wasm":"/pkg/a.wasm","packs":{"objectives":["/pkg/b.pack"],"traces":["/pkg/c.pack"]},"css":"/pkg/a.css"}"#).expect("written");
        folder
    });
    Site::find(folder.to_str().expect("UTF-8")).expect("the manifest was just written")
}

/// The process's own metrics, as in production.
fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| telemetry::start_metrics().expect("started once")).clone()
}
