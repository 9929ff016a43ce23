//! The sender: eight connections that are kept open, each with one request under way at a time.
//!
//! A request counts when it is answered with full success, which Slowburn gives after the commit. "Try later" is obeyed
//! as OTLP says and counted; every other answer ends the benchmark.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};

use crate::otlp::Request;
use crate::statistics::Sample;

/// Connections that send at the same time.
pub(crate) const CONNECTIONS: usize = 8;
/// How long one request is tried again before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// What became of the requests.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Spans or log records in them.
    pub(crate) records: usize,
    pub(crate) seconds: f64,
    /// Answers that said "try later".
    pub(crate) refusals: usize,
    /// From sending a request to its acknowledgement, retries included.
    pub(crate) acknowledged: Sample,
}

impl Sent {
    pub(crate) fn rate(&self) -> f64 {
        self.records as f64 / self.seconds
    }
}

/// A client that opens one connection and keeps it.
pub(crate) fn connection() -> Result<Client> {
    Ok(Client::builder().no_proxy().http1_only().pool_max_idle_per_host(1).timeout(PATIENCE).build()?)
}

/// Sends everything as fast as it is taken, or at `pace` records per second.
pub(crate) async fn send(url: &str, requests: Vec<Request>, pace: Option<f64>) -> Result<Sent> {
    send_over(url, requests, pace, CONNECTIONS).await
}

/// The same over another number of connections.
pub(crate) async fn send_over(url: &str, requests: Vec<Request>, pace: Option<f64>, count: usize) -> Result<Sent> {
    let records = requests.iter().map(|request| request.records).sum();
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (client, url, requests, next) = (connection()?, url.to_owned(), Arc::clone(&requests), Arc::clone(&next));
        connections.spawn(async move {
            let (mut times, mut refusals) = (Vec::new(), 0);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else { return Ok::<_, anyhow::Error>((times, refusals)) };
                if let Some(pace) = pace {
                    let due = begun + Duration::from_secs_f64((index * request.records) as f64 / pace);
                    tokio::time::sleep_until(due.into()).await;
                }
                let sent = Instant::now();
                refusals += deliver(&client, &url, request).await?;
                times.push(sent.elapsed());
            }
        });
    }
    let (mut times, mut refusals) = (Vec::new(), 0);
    while let Some(ended) = connections.join_next().await {
        let (own_times, own_refusals) = ended??;
        times.extend(own_times);
        refusals += own_refusals;
    }
    Ok(Sent { records, seconds: begun.elapsed().as_secs_f64(), refusals, acknowledged: Sample::of(times) })
}

/// Sends one request until it is stored; gives how often it was put off.
async fn deliver(client: &Client, url: &str, request: &Request) -> Result<usize> {
    let begun = Instant::now();
    let mut refusals = 0;
    loop {
        let response = client.post(url).header(CONTENT_TYPE, "application/x-protobuf").body(request.body.clone()).send().await?;
        let status = response.status().as_u16();
        if status == 200 {
            // That for logs has the same bytes.
            let message = ExportTraceServiceResponse::decode(response.bytes().await?).context("the answer is no OTLP")?;
            ensure!(message.partial_success.is_none(), "records were refused: {:?}", message.partial_success);
            return Ok(refusals);
        }
        ensure!(
            matches!(status, 429 | 502 | 503 | 504),
            "a request was refused with {status}: {}",
            response.text().await.unwrap_or_default()
        );
        ensure!(begun.elapsed() < PATIENCE, "a request was put off for {} s", PATIENCE.as_secs());
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(1);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        refusals += 1;
    }
}
