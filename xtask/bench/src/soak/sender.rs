//! Senders that do not give up: a request is sent again, the same bytes, until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinSet;

use crate::otlp;
use crate::spans::{Layout, Workload};

/// Senders at the same time.
const SENDERS: usize = 6;
/// Longest wait for an answer, as SDKs have it.
const TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// What was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) retries: u64,
}

/// Senders at work.
pub(crate) struct Senders {
    tasks: JoinSet<Result<Vec<Workload>>>,
    ending: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    retries: Arc<AtomicU64>,
}

impl Senders {
    /// Starts sending, in turn to each of the OTLP doors. Two requests of one sender never hold the same spans.
    pub(crate) fn start(urls: &[String], seed: u64) -> Result<Self> {
        let (ending, acknowledged, retries) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for sender in 0..SENDERS {
            let client = Client::builder().no_proxy().timeout(TIMEOUT).connect_timeout(Duration::from_secs(1)).build()?;
            let (urls, ending) = (urls.to_vec(), Arc::clone(&ending));
            let (acknowledged, retries) = (Arc::clone(&acknowledged), Arc::clone(&retries));
            tasks.spawn(async move {
                let mut workloads = Vec::new();
                let mut number = 0;
                while !ending.load(Ordering::Relaxed) {
                    number += 1;
                    let now = Timestamp::now().as_nanosecond() as u64;
                    // Small requests and large ones, so that both parts of a slot are used.
                    let traces = if number % 3 == 0 { 300 } else { 2 };
                    let workload = Workload {
                        seed: seed << 32 | (sender as u64) << 24 | number,
                        traces,
                        from_ns: now - 3_000_000_000,
                        until_ns: now - 2_000_000_000,
                        layout: Layout::Together,
                    };
                    for request in otlp::requests_of(&workload, traces * crate::spans::SPANS_PER_TRACE) {
                        let mut attempt = 0;
                        while !is_acknowledged(&client, &urls[(sender + attempt) % urls.len()], &request).await? {
                            attempt += 1;
                            retries.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(PAUSE).await;
                        }
                    }
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    workloads.push(workload);
                }
                Ok(workloads)
            });
        }
        Ok(Self { tasks, ending, acknowledged, retries })
    }

    /// Requests acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Answers so far that were no acknowledgement.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Waits until `more` further requests are acknowledged.
    pub(crate) async fn wait_for(&self, more: u64) {
        let until = self.acknowledged() + more;
        while self.acknowledged() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends when every request that was begun is acknowledged.
    pub(crate) async fn end(mut self) -> Result<Sent> {
        self.ending.store(true, Ordering::Relaxed);
        let mut sent = Sent::default();
        while let Some(ended) = self.tasks.join_next().await {
            sent.workloads.extend(ended??);
        }
        sent.retries = self.retries();
        Ok(sent)
    }
}

/// `false` when it should be tried again.
pub(super) async fn is_acknowledged(client: &Client, url: &str, request: &otlp::Request) -> Result<bool> {
    let answer = client.post(url).header(CONTENT_TYPE, "application/x-protobuf").body(request.body.clone()).send().await;
    match answer {
        Ok(response) if response.status() == 200 => {
            // Read to the end, for an answer that breaks off is none.
            Ok(response.bytes().await.is_ok())
        }
        Ok(response) if matches!(response.status().as_u16(), 429 | 502 | 503 | 504) => Ok(false),
        Ok(response) => anyhow::bail!("a sender was told {} and would have lost its spans", response.status()),
        Err(_) => Ok(false),
    }
}
