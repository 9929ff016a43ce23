//! Overload: requests of more than twice the bytes that the server has room for, at once, from senders who soon ask again.
//! They are told to try later, what holds an error gets in first, pages still answer, and in the end everything is there once.
//!
//! The room is an eighth of the usual, so that the bodies of all senders fit this process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use tokio::task::JoinSet;

use super::check;
use super::sender::{Sent, is_acknowledged};
use crate::load::apply_slos;
use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::statistics::Sample;
use crate::{otlp, say};

const SENDERS: u64 = 160;
/// Requests of each sender.
const ROUNDS: u64 = 3;
/// 512 spans; about every second request holds an error.
const TRACES: usize = 64;
/// Short, so that there are always more waiting than there is room for.
const PAUSE: Duration = Duration::from_millis(100);
const PAGES: [&str; 3] = ["/slos/bench-gateway-availability", "/traces", "/api/v1/slos"];

/// How often requests of one kind were put off before they were stored.
#[derive(Clone, Copy, Debug, Default)]
struct PutOff {
    requests: u64,
    times: u64,
}

impl PutOff {
    fn mean(self) -> f64 {
        self.times as f64 / self.requests.max(1) as f64
    }
}

pub(super) async fn run(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    say("overload: requests of more than twice the bytes there is room for");
    let settings = [("SLOWBURN_REQUEST_BYTES", "4194304"), ("SLOWBURN_IN_FLIGHT_BYTES", "16777216")];
    let server = Arc::new(Server::start(product, folder, "overload", false, &settings).await?);
    let client = Client::builder().no_proxy().build()?;
    apply_slos(&server, &client).await?;
    let now = Timestamp::now().as_nanosecond() as u64;
    let work =
        (0..SENDERS).map(|sender| (0..ROUNDS).map(|round| prepared(sender << 8 | round, now)).collect::<Vec<_>>()).collect::<Vec<_>>();
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read_pages(Arc::clone(&server), client, Arc::clone(&ended)));
    let mut senders = JoinSet::new();
    for requests in work {
        let url = server.traces_url();
        senders.spawn(async move {
            let client = Client::builder().no_proxy().http1_only().timeout(Duration::from_mins(2)).build()?;
            let mut done = Vec::new();
            for (workload, has_error, request) in requests {
                let mut put_off = 0;
                while !is_acknowledged(&client, &url, &request).await? {
                    put_off += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                done.push((workload, has_error, put_off));
            }
            Ok::<_, anyhow::Error>(done)
        });
    }
    let (mut sent, mut sound, mut failed) = (Sent::default(), PutOff::default(), PutOff::default());
    while let Some(done) = senders.join_next().await {
        for (workload, has_error, put_off) in done?? {
            let kind = if has_error { &mut failed } else { &mut sound };
            kind.requests += 1;
            kind.times += put_off;
            sent.retries += put_off;
            sent.workloads.push(workload);
        }
    }
    ended.store(true, Ordering::Relaxed);
    let pages = reader.await??;
    ensure!(sent.retries > SENDERS, "only {} requests were put off: that was no overload", sent.retries);
    ensure!(
        failed.mean() < sound.mean(),
        "what holds an error was put off {:.1} times and the rest {:.1} times",
        failed.mean(),
        sound.mean()
    );
    check(&server, &sent, "overload", report).await?;
    report.add("A3", "overload: how often a request was put off, without an error in it", sound.mean(), "times", Bound::None);
    report.add("A3", "… with one", failed.mean(), "times", Bound::None);
    report.add("", "overload: pages meanwhile, first byte, p95", pages.p95, "ms", Bound::None);
    Ok(())
}

fn prepared(seed: u64, now: u64) -> (Workload, bool, otlp::Request) {
    let workload = Workload {
        seed: 77 << 32 | seed,
        traces: TRACES,
        from_ns: now - 3_000_000_000,
        until_ns: now - 2_000_000_000,
        layout: Layout::Together,
    };
    let has_error = workload.traces().flatten().any(|span| span.failed);
    let mut requests = otlp::requests_of(&workload, workload.spans());
    (workload, has_error, requests.remove(0))
}

/// Pages in turn, each answered with success.
async fn read_pages(server: Arc<Server>, client: Client, ended: Arc<AtomicBool>) -> Result<Sample> {
    let mut times = Vec::new();
    for path in PAGES.iter().cycle() {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let begun = Instant::now();
        let answer = client.get(server.url(path)).send().await?;
        times.push(begun.elapsed());
        answer.error_for_status()?.bytes().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Sample::of(times))
}
