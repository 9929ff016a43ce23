//! The way to the OTLP door: `opentelemetry-otlp`'s exporters over one HTTP client.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::trace::SpanExporter as _;
use tokio::runtime::Handle;

use super::fleet::Process;

/// Time for one export with the exporter's own retries.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes exporters that share their connections.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    endpoint: String,
    client: Arc<dyn HttpClient>,
}

impl Transport {
    /// A way to the OTLP/HTTP door at `base`, for example `http://127.0.0.1:4318`. Its requests are made by the runtime
    /// in which this is called.
    pub(super) fn to(base: &str) -> anyhow::Result<Self> {
        // Settings of a proxy are not meant for a server next door.
        let client = reqwest::Client::builder().no_proxy().timeout(EXPORT_TIMEOUT).build().context("cannot make an HTTP client")?;
        let endpoint = format!("{}/v1/traces", base.trim_end_matches('/'));
        Ok(Self { endpoint, client: Arc::new(OnRuntime { runtime: Handle::current(), client }) })
    }

    /// An exporter that speaks for one process.
    pub(super) fn exporter(&self, process: Process) -> anyhow::Result<SpanExporter> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(&self.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT_TIMEOUT)
            .with_shared_http_client(Arc::clone(&self.client))
            .build()
            .context("cannot make an OTLP exporter")?;
        exporter.set_resource(&process.resource());
        Ok(exporter)
    }
}

/// Makes requests on a Tokio runtime, whoever asks: the SDK's batch processor exports from a thread of its own, where
/// `reqwest` alone would find no reactor.
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
