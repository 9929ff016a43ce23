//! A1: OpenTelemetry's own SDK delivers over both protocols with its default settings, and what it delivered is found by
//! correlation ID.

use std::future::Future;
use std::pin::Pin;

use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use sqlx::PgPool;
use tokio::runtime::Handle;

use crate::app::{App, Port};

/// Makes requests on a Tokio runtime: the SDK's batch processor exports from a thread of its own, where `reqwest` alone
/// would find no reactor.
#[derive(Debug)]
struct OnRuntime {
    runtime: Handle,
    client: reqwest::Client,
}

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sending.await? })
    }
}

/// A request to a shop: an entry span, and below it one that carries `order`, which may fail. Gives the trace's id.
fn shop(provider: &SdkTracerProvider, order: &str, fails: bool) -> String {
    let tracer = provider.tracer("shop");
    let entry = tracer.span_builder("POST /orders").with_kind(SpanKind::Server).start(&tracer);
    let trace_id = entry.span_context().trace_id().to_string();
    let context = Context::new().with_span(entry);
    let mut charge = tracer.start_with_context("charge card", &context);
    charge.set_attribute(KeyValue::new("correlation_id", order.to_owned()));
    charge.add_event("asked the bank", vec![KeyValue::new("attempt", 1)]);
    if fails {
        charge.set_status(Status::error("declined"));
    }
    charge.end();
    context.span().end();
    trace_id
}

/// Sends three orders, two of them with one correlation ID, and looks them up.
async fn deliver_and_find(app: &App, exporter: SpanExporter, service: &str) {
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let order = format!("order of {service}");
    let mut wanted = vec![shop(&provider, &order, false), shop(&provider, &order, true)];
    shop(&provider, "another order", false);
    // Shutting down waits for the export, which this very runtime carries.
    tokio::task::spawn_blocking(move || provider.shutdown()).await.expect("no panic").expect("everything is delivered");

    let query = format!("/api/v1/traces?correlation_id={}", slowburn_domain::url::encode(&order));
    let list = app.get(&query).await.json();
    let mut found: Vec<String> =
        list["items"].as_array().expect("a list").iter().map(|t| t["trace_id"].as_str().expect("an id").to_owned()).collect();
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
    for item in list["items"].as_array().expect("a list") {
        assert_eq!((&item["root"], &item["spans"]), (&json!({"service": service, "operation": "POST /orders"}), &json!(2)));
    }
    assert_eq!(list["items"].as_array().expect("a list").iter().filter(|item| item["errors"] == 1).count(), 1);
    let trace = app.get(&format!("/api/v1/traces/{}", wanted[0])).await.json();
    let charge = trace["spans"].as_array().expect("spans").iter().find(|span| span["operation"] == "charge card").expect("delivered");
    assert_eq!((&charge["attributes"]["correlation_id"], &charge["events"][0]["name"]), (&json!(order), &json!("asked the bank")));
    assert_eq!(charge["resource"]["service.name"], service);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_rust_sdk_delivers_over_grpc_and_over_http(pool: PgPool) {
    let app = App::new(pool).await;
    let grpc = app.listen(Port::OtlpGrpc).await;
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(format!("http://{grpc}")).build().expect("an exporter");
    deliver_and_find(&app, exporter, "over gRPC").await;
    for port in [Port::OtlpHttp, Port::Main] {
        let addr = app.listen(port).await;
        let client = OnRuntime { runtime: Handle::current(), client: reqwest::Client::builder().no_proxy().build().expect("a client") };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("http://{addr}/v1/traces"))
            .build()
            .expect("an exporter");
        deliver_and_find(&app, exporter, &format!("over HTTP to {port:?}")).await;
    }
}
