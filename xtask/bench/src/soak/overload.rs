//! Overload: requests of more than twice the bytes that the server has room for, at once, from senders who soon ask again.
//! Of every signal some are told to try later, spans and log records with an error among them get in first, pages still answer, and
//! in the end everything is there once.
//!
//! The room is an eighth of the usual, so that the bodies of all senders fit this process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use tokio::task::JoinSet;

use super::check::check;
use super::door::{Doors, Post, SIGNALS, Signal};
use super::later::Running;
use super::sender::{deliver, settle};
use super::sent::{Sent, Spoken};
use super::writer::{self, Writer, now_ns};
use crate::lines::Speech;
use crate::report::{Bound, Report};
use crate::say;
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::statistics::Sample;

/// Senders of each signal but heartbeats and lines in ECS.
const SENDERS: [(Signal, u64); 4] = [(Signal::Spans, 100), (Signal::OtlpLogs, 60), (Signal::Points, 10), (Signal::Events, 30)];
/// Requests of each sender.
const ROUNDS: u64 = 3;
/// 512 spans; about every second request holds an error.
const TRACES: usize = 64;
/// Log records of a request; every second one is without errors.
const LINES: usize = 512;
/// Letters of ballast in an event: a request then takes room as those of the others do.
const BALLAST: usize = 40_000;
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

pub(super) async fn run(product: &Product, folder: &Path, report: &mut Report) -> Result<Running> {
    say("overload: requests of more than twice the bytes there is room for");
    let settings = [("SLOWBURN_REQUEST_BYTES", "4194304"), ("SLOWBURN_IN_FLIGHT_BYTES", "16777216")];
    let server = Arc::new(Server::start(product, folder, "overload", false, &settings).await?);
    super::prepare(&server).await?;
    let mut work = Vec::new();
    for (signal, count) in SENDERS {
        work.extend((0..count).map(|number| (signal, (0..ROUNDS).map(|round| prepared(signal, number << 8 | round)).collect::<Vec<_>>())));
    }
    let ended = Arc::new(AtomicBool::new(false));
    let client = Client::builder().no_proxy().build()?;
    let reader = tokio::spawn(read_pages(Arc::clone(&server), client, Arc::clone(&ended)));
    let mut senders = JoinSet::new();
    for (id, (signal, requests)) in work.into_iter().enumerate() {
        let doors = [Doors::of(&server)];
        senders.spawn(async move {
            let client = Client::builder().no_proxy().http1_only().timeout(Duration::from_mins(2)).build()?;
            let mut counters = Writer::new(Signal::Points, id as u64);
            let mut done = Vec::new();
            for request in requests {
                // A reading is made when it is sent.
                let (has_error, post, mut sent) = request.unwrap_or_else(|| {
                    let (post, sent) = counters.next();
                    (false, post, sent)
                });
                let put_off = deliver(&client, &doors, 0, &post, PAUSE, || ()).await?;
                settle(&mut sent, &post, put_off);
                done.push((signal, has_error, put_off, sent));
            }
            Ok::<_, anyhow::Error>(done)
        });
    }
    // Agents beat through it.
    let (mut sent, mut beats) = (Sent::default(), Writer::new(Signal::Heartbeats, 0));
    let (client, doors) = (Client::builder().no_proxy().build()?, [Doors::of(&server)]);
    let mut sound = [PutOff::default(); SIGNALS];
    let mut failed = sound;
    loop {
        let done = tokio::time::timeout(PAUSE, senders.join_next()).await;
        let (post, mut beat) = beats.next();
        let put_off = deliver(&client, &doors, 0, &post, PAUSE, || ()).await?;
        settle(&mut beat, &post, put_off);
        sent.add(beat);
        let Ok(done) = done else { continue };
        let Some(done) = done else { break };
        for (signal, has_error, put_off, own) in done?? {
            let kind = if has_error { &mut failed } else { &mut sound };
            kind[signal as usize].requests += 1;
            kind[signal as usize].times += put_off;
            sent.add(own);
        }
    }
    ended.store(true, Ordering::Relaxed);
    let pages = reader.await??;
    for (signal, _) in SENDERS {
        let (sound, failed) = (sound[signal as usize], failed[signal as usize]);
        let (name, times) = (signal.name(), sound.times + failed.times);
        ensure!(times > 0, "no request of {name} was put off: that was no overload");
        report.add(
            "A3",
            format!("overload: how often a request of {name} was put off, without an error in it"),
            sound.mean(),
            "times",
            Bound::None,
        );
        if failed.requests > 0 {
            let (failed, sound) = (failed.mean(), sound.mean());
            ensure!(failed < sound, "{name}: what holds an error was put off {failed:.1} times and the rest {sound:.1} times");
            report.add("A3", "… with one", failed, "times", Bound::None);
        }
    }
    report.add("", "overload: pages meanwhile, first byte, p95", pages.p95, "ms", Bound::None);
    let later = check(&server, &server.data, &sent, "overload", report).await?;
    let server = Arc::into_inner(server).context("somebody still reads")?;
    Ok(Running { servers: vec![server], disk: None, later })
}

/// A request with whether it holds an error; none of metric points, which are made when they are sent.
fn prepared(signal: Signal, seed: u64) -> Option<(bool, Post, Sent)> {
    let now = now_ns();
    let (from_ns, until_ns) = (now - 3_000_000_000, now - 2_000_000_000);
    match signal {
        Signal::Spans => {
            let workload = Workload { seed: 77 << 32 | seed, traces: TRACES, from_ns, until_ns, layout: Layout::Together };
            let has_error = workload.traces().flatten().any(|span| span.failed);
            let (post, sent) = writer::spans(workload);
            Some((has_error, post, sent))
        }
        Signal::OtlpLogs => {
            let speech = Speech { seed: 78 << 32 | seed, lines: LINES, from_ns, until_ns };
            let spoken = Spoken { speech, is_sound: seed.is_multiple_of(2) };
            let (post, sent) = writer::otlp_lines(spoken);
            Some((writer::has_error(spoken), post, sent))
        }
        Signal::Events => {
            let (post, sent) = writer::events(seed >> 8, seed & 0xff, BALLAST);
            Some((false, post, sent))
        }
        Signal::EcsLogs | Signal::Points | Signal::Heartbeats => None,
    }
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
