//! Senders of every signal that do not give up: a request is sent again, the same bytes, until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use reqwest::Client;
use tokio::task::JoinSet;

use super::door::{Doors, Post, SIGNALS, Signal, is_acknowledged};
use super::sent::Sent;
use super::writer::{Writer, now_ns};

/// Longest wait for an answer, as SDKs have it.
const TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);
/// So long after its end a minute is closed for SLIs over metrics, nanoseconds.
const CLOSED_AFTER: u64 = 60_000_000_000;

/// How many senders a signal has, and how long each rests after an acknowledgement. Spans press; of the others there is less, as
/// in a shop.
const fn share(signal: Signal) -> (u64, Duration) {
    match signal {
        Signal::Spans => (4, Duration::ZERO),
        Signal::OtlpLogs | Signal::EcsLogs | Signal::Points | Signal::Events => (2, Duration::from_millis(50)),
        // One alone: a retry that comes after a later word would be another silence.
        Signal::Heartbeats => (1, Duration::from_millis(150)),
    }
}

/// What senders tell while they work, by signal.
#[derive(Debug, Default)]
struct Tally {
    acknowledged: [AtomicU64; SIGNALS],
    retries: [AtomicU64; SIGNALS],
    is_ending: AtomicBool,
}

/// Senders at work.
pub(super) struct Senders {
    tasks: JoinSet<Result<Sent>>,
    tally: Arc<Tally>,
}

impl Senders {
    /// Starts sending, in turn to each of the servers.
    pub(super) fn start(doors: &[Doors]) -> Result<Self> {
        let tally = Arc::new(Tally::default());
        let mut tasks = JoinSet::new();
        for signal in Signal::ALL {
            let (count, rest) = share(signal);
            for number in 0..count {
                let client = Client::builder().no_proxy().timeout(TIMEOUT).connect_timeout(Duration::from_secs(1)).build()?;
                let (doors, tally) = (doors.to_vec(), Arc::clone(&tally));
                let mut writer = Writer::new(signal, (signal as u64) << 8 | number);
                tasks.spawn(async move {
                    let mut all = Sent::default();
                    while !tally.is_ending.load(Ordering::Relaxed) {
                        let (post, mut sent) = writer.next();
                        let told = || {
                            tally.retries[signal as usize].fetch_add(1, Ordering::Relaxed);
                        };
                        let retries = deliver(&client, &doors, number as usize, &post, PAUSE, told).await?;
                        settle(&mut sent, &post, retries);
                        tally.acknowledged[signal as usize].fetch_add(1, Ordering::Relaxed);
                        all.add(sent);
                        tokio::time::sleep(rest).await;
                    }
                    Ok(all)
                });
            }
        }
        Ok(Self { tasks, tally })
    }

    /// Requests of a signal acknowledged so far.
    pub(super) fn acknowledged(&self, signal: Signal) -> u64 {
        self.tally.acknowledged[signal as usize].load(Ordering::Relaxed)
    }

    /// Requests acknowledged so far.
    pub(super) fn all_acknowledged(&self) -> u64 {
        Signal::ALL.into_iter().map(|signal| self.acknowledged(signal)).sum()
    }

    /// Answers so far that were no acknowledgement of a signal.
    pub(super) fn retries(&self, signal: Signal) -> u64 {
        self.tally.retries[signal as usize].load(Ordering::Relaxed)
    }

    /// Waits until of every signal `more` further requests are acknowledged. A sender that was told off ends the wait, and
    /// [`Self::end`] says why.
    pub(super) async fn wait_for(&mut self, more: u64) -> Result<()> {
        let until = Signal::ALL.map(|signal| self.acknowledged(signal) + more);
        while Signal::ALL.into_iter().any(|signal| self.acknowledged(signal) < until[signal as usize]) {
            if let Some(ended) = self.tasks.try_join_next() {
                ended??;
                anyhow::bail!("a sender ended before it was told to");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends when every request that was begun is acknowledged.
    pub(super) async fn end(mut self) -> Result<Sent> {
        self.tally.is_ending.store(true, Ordering::Relaxed);
        let mut sent = Sent::default();
        while let Some(ended) = self.tasks.join_next().await {
            sent.add(ended??);
        }
        Ok(sent)
    }
}

/// Sends a request until it is acknowledged, each time to the next server. Gives how often it was not.
pub(super) async fn deliver(
    client: &Client,
    doors: &[Doors],
    first: usize,
    post: &Post,
    pause: Duration,
    retried: impl Fn(),
) -> Result<u64> {
    let mut attempt = 0;
    while !is_acknowledged(client, &doors[(first + attempt) % doors.len()], post).await? {
        attempt += 1;
        retried();
        tokio::time::sleep(pause).await;
    }
    Ok(attempt as u64)
}

/// Notes how an acknowledgement came about.
pub(super) fn settle(sent: &mut Sent, post: &Post, retries: u64) {
    sent.retries[post.signal as usize] = retries;
    if let Some(beats) = sent.beats.get_mut(post.agent) {
        beats.1 += retries;
    }
    let minute_ends = sent.points.last_ns / 60_000_000_000 * 60_000_000_000 + 60_000_000_000;
    if post.signal == Signal::Points && now_ns() >= minute_ends + CLOSED_AFTER {
        sent.points.late += post.records as u64;
    }
}
