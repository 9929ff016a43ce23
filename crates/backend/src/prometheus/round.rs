//! Rounds of counting. Each SLI gets a turn of some requests, a few of them at the same time; rounds follow each other until all
//! are counted to the last closed minute.
//!
//! Losing the process at any moment loses nothing: the counts of a chunk and the minute they reach to are one transaction. Two
//! instances at once cost work and count nothing twice: who is slower finds the SLI moved on and writes nothing. A Prometheus that
//! is away is asked again after one second, then two, four, up to five minutes, each a little longer or shorter so that instances
//! and sources spread; so is a query that it refuses. A chunk whose answer is too large is halved.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use slowburn_domain::slo::Counts;
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_storage::progress::{self, Progress};
use slowburn_storage::rollup::{self, Deltas};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64;

use super::Counters;
use super::answer::Series;
use super::client::{Answered, Client, Failure};
use super::connection::Connection;
use super::query::CounterQuery;
use super::tally::Tally;
use crate::openslo::IndicatorSource;
use crate::slo::KnownSlo;
use crate::{Backend, Error, Result};

/// So long after its end a minute is closed, seconds.
const CLOSED_AFTER: i64 = 60;
/// Before the minutes asked for, the last value of a series that is not known yet is looked for, minutes.
const LOOK_BACK: i32 = 5;
/// Minutes counted at once: with the look back an hour of samples.
const CHUNK: i32 = 55;
/// Requests of one turn, for each selector.
const CHUNKS_OF_A_TURN: usize = 8;
/// SLIs whose turn it is at the same time.
const AT_ONCE: usize = 4;
const LONGEST_WAIT: i64 = 300;
const RENEW_LEASE_EVERY: Duration = Duration::from_secs(1);
/// More samples than this are counted off the async workers.
const FEW_SAMPLES: usize = 10_000;

/// What one instance remembers between rounds; forgetting it costs a request.
#[derive(Default)]
pub(crate) struct Memory {
    client: OnceLock<Client>,
    /// How often in a row a source or a query failed, and when it is asked again.
    waits: Mutex<HashMap<Asked, (u32, Timestamp)>>,
    /// SLIs whose chunks are shorter, minutes.
    chunks: Mutex<HashMap<i32, i32>>,
}

/// What may fail.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Asked {
    Source(String),
    Sli(i32),
}

/// An SLI to count.
struct Target {
    slo: Arc<KnownSlo>,
    counters: Arc<Counters>,
}

/// One round.
struct Round {
    targets: Vec<Target>,
    /// Of the SLI set that they are from.
    version: i32,
    /// Fires when the process ends, or the lease is another instance's.
    over: CancellationToken,
    /// Fires when everything is counted.
    done: CancellationToken,
}

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// There are closed minutes left.
    Unfinished,
    /// It is counted as far as it can be now.
    Finished,
}

impl Backend {
    /// Counts what every Prometheus has to tell, if this instance holds or can take the lease. Gives how many minutes it counted.
    ///
    /// # Errors
    /// The database.
    pub async fn count_prometheus(&self) -> Result<u64> {
        let book = self.book();
        let targets: Vec<Target> = book.all().filter_map(target).collect();
        if targets.is_empty() || !self.holds("prometheus").await? {
            return Ok(0);
        }
        let round = Round { targets, version: book.version(), over: self.stopping().child_token(), done: CancellationToken::new() };
        let counting = async {
            let counted = self.count_targets(&round).await;
            round.done.cancel();
            counted
        };
        let (counted, kept) = tokio::join!(counting, self.keep_lease(&round));
        kept?;
        counted
    }

    /// Renews the lease until the round is done, and ends the round when another instance has it.
    async fn keep_lease(&self, round: &Round) -> Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RENEW_LEASE_EVERY) => {}
                () = round.done.cancelled() => return Ok(()),
            }
            let is_held = self.holds("prometheus").await;
            if !matches!(is_held, Ok(true)) {
                round.over.cancel();
                return is_held.map(drop);
            }
        }
    }

    async fn count_targets(&self, round: &Round) -> Result<u64> {
        let targets = round.targets.as_slice();
        let now = self.0.clock.now();
        let mut connection = self.0.pool.acquire().await?;
        progress::forget_removed(&mut connection).await?;
        let begins: Vec<(i32, Minute)> = targets.iter().map(|target| (target.slo.sli_id, begin(&target.slo, now.minute()))).collect();
        progress::begin(&mut connection, &begins).await?;
        drop(connection);
        let mut counted = 0;
        loop {
            let turns: Vec<_> = targets.iter().map(|target| self.turn(target, round)).collect();
            // All of them to their end, also when one fails: see `turn`.
            let turns: Vec<Result<(u64, Turn)>> = stream::iter(turns).buffer_unordered(AT_ONCE).collect().await;
            let turns = turns.into_iter().collect::<Result<Vec<_>>>()?;
            counted += turns.iter().map(|(minutes, _)| minutes).sum::<u64>();
            self.tell_how_far(targets).await?;
            // Whoever was applied meanwhile need not wait until the past of others is counted.
            if self.book().version() != round.version || turns.iter().all(|(_, turn)| *turn == Turn::Finished) {
                counter!("slowburn_prometheus_minutes_counted_total").increment(counted);
                return Ok(counted);
            }
        }
    }

    /// Counts some chunks of one SLI. Gives how many minutes, and whether there may be more.
    async fn turn(&self, target: &Target, round: &Round) -> Result<(u64, Turn)> {
        let Target { slo, counters } = target;
        let memory = &self.0.prometheus;
        let mut counted = 0;
        if self.is_waiting(target) || round.over.is_cancelled() {
            return Ok((0, Turn::Finished));
        }
        let mut connection = self.0.pool.acquire().await?;
        let Some(mut progress) = progress::progress(&mut connection, slo.sli_id).await? else { return Ok((0, Turn::Finished)) };
        drop(connection);
        let mut tally = Tally::from_bytes(&progress.series, progress.rest, progress.exceeded).unwrap_or_else(|| {
            tracing::error!(slo.id = slo.sli_id, "last values of series cannot be read; counting begins anew from here");
            Tally::default()
        });
        for _ in 0..CHUNKS_OF_A_TURN {
            let now = self.0.clock.now();
            let from = progress.next_minute;
            let closed = first_open(now);
            if from >= closed {
                return Ok((counted, Turn::Finished));
            }
            let chunk = memory.chunks.lock().get(&slo.sli_id).copied().unwrap_or(CHUNK);
            // Only this is dropped: a statement that is dropped half-way leaves its connection in disorder.
            let read = tokio::select! {
                read = self.read_samples(counters, from, from.plus(chunk).min(closed)) => read,
                () = round.over.cancelled() => return Ok((counted, Turn::Finished)),
            };
            let read = match read {
                Ok(read) => read,
                Err(Failure::TooMuch) if chunk > 1 => {
                    memory.chunks.lock().insert(slo.sli_id, chunk / 2);
                    continue;
                }
                Err(failure) => {
                    self.note_failure(target, &round.targets, &failure, now).await?;
                    return Ok((counted, Turn::Finished));
                }
            };
            if read.to <= from {
                // Its clock is behind ours.
                return Ok((counted, Turn::Finished));
            }
            let minutes;
            let exceeded = tally.exceeded;
            let to = read.to;
            (tally, minutes) = count(tally, read, from, counters.is_good).await?;
            if tally.exceeded != exceeded {
                tracing::warn!(slo.name = slo.objective.name, "part exceeds total in prometheus; as many as there were events are taken");
            }
            progress =
                Progress { sli_id: slo.sli_id, next_minute: to, series: tally.to_bytes(), rest: tally.rest, exceeded: tally.exceeded };
            if !self.write_chunk(from, &progress, &minutes).await? {
                return Ok((counted, Turn::Finished));
            }
            counted += u64::from((to.0 - from.0).unsigned_abs());
            self.note_success(target);
        }
        Ok((counted, Turn::Unfinished))
    }

    /// Writes counts and how far they reach. `false` when somebody else was faster; then nothing is written.
    async fn write_chunk(&self, from: Minute, progress: &Progress, minutes: &[(Minute, Counts)]) -> Result<bool> {
        let sli_id = progress.sli_id;
        // Always the same one, so that the counts of an SLI lie together.
        let bucket = (sli_id.unsigned_abs() % u32::from(self.0.settings.buckets)) as i16;
        let mut tx = self.0.pool.begin().await?;
        // First, as it locks the row: whoever comes second waits here, and finds it moved on.
        if !progress::advance(&mut tx, from, progress).await? {
            return Ok(false);
        }
        let deltas: Deltas = minutes.iter().map(|(minute, counts)| ((sli_id, *minute), *counts)).collect();
        rollup::append(&mut tx, bucket, &deltas).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The samples of both queries, from some minutes before `from` on, until before `to` or what is closed by Prometheus's clock.
    async fn read_samples(&self, counters: &Counters, from: Minute, to: Minute) -> Answered<Read> {
        let client = self.0.prometheus.client.get_or_init(Client::new);
        let mut read = Read { total: Vec::new(), part: Vec::new(), to };
        for (query, series) in [(&counters.total, &mut read.total), (&counters.part, &mut read.part)] {
            *series = ask(client, &counters.source, query, from, to, &mut read.to).await?;
        }
        Ok(read)
    }

    fn is_waiting(&self, target: &Target) -> bool {
        let now = self.0.clock.now();
        let waits = self.0.prometheus.waits.lock();
        let asked = [Asked::Source(target.counters.source.name.clone()), Asked::Sli(target.slo.sli_id)];
        asked.iter().any(|asked| waits.get(asked).is_some_and(|(_, until)| now < *until))
    }

    async fn note_failure(&self, target: &Target, all: &[Target], failure: &Failure, now: Timestamp) -> Result<()> {
        let source = &target.counters.source.name;
        let (asked, failing): (Asked, Vec<i32>) = match failure {
            Failure::Away(_) => {
                let of_source = all.iter().filter(|other| other.counters.source.name == *source);
                (Asked::Source(source.clone()), of_source.map(|other| other.slo.sli_id).collect())
            }
            Failure::Query(_) | Failure::TooMuch => (Asked::Sli(target.slo.sli_id), vec![target.slo.sli_id]),
        };
        {
            let mut waits = self.0.prometheus.waits.lock();
            let (failures, until) = waits.entry(asked).or_insert((0, now));
            // Others of the same source may have failed at the same time.
            if *until <= now {
                *until = now.plus_nanos(wait_nanos(*failures, self.0.instance.as_bytes(), source));
                *failures += 1;
            }
        }
        tracing::warn!(
            slo.name = target.slo.objective.name,
            prometheus.name = source,
            reason = failure.words(),
            "prometheus cannot be counted"
        );
        let mut connection = self.0.pool.acquire().await?;
        progress::fail(&mut connection, &failing, now, failure.words()).await?;
        Ok(())
    }

    fn note_success(&self, target: &Target) {
        let mut waits = self.0.prometheus.waits.lock();
        waits.remove(&Asked::Source(target.counters.source.name.clone()));
        waits.remove(&Asked::Sli(target.slo.sli_id));
        drop(waits);
        let mut chunks = self.0.prometheus.chunks.lock();
        if let Some(chunk) = chunks.get_mut(&target.slo.sli_id) {
            // A step at a time: twice as much was too much.
            *chunk += 1;
        }
        chunks.retain(|_, chunk| *chunk < CHUNK);
    }

    async fn tell_how_far(&self, targets: &[Target]) -> Result<()> {
        let ids: Vec<i32> = targets.iter().map(|target| target.slo.sli_id).collect();
        let mut connection = self.0.pool.acquire().await?;
        let standings = progress::standings(&mut connection, &ids).await?;
        let closed = first_open(self.0.clock.now());
        let behind = standings.iter().map(|standing| closed.0.saturating_sub(standing.next_minute.0).max(0)).max().unwrap_or(0);
        gauge!("slowburn_prometheus_behind_seconds").set(f64::from(behind) * 60.0);
        gauge!("slowburn_prometheus_failing_slos").set(standings.iter().filter(|standing| standing.failure.is_some()).count() as f64);
        Ok(())
    }
}

/// What was read of an SLI.
struct Read {
    total: Vec<Series>,
    part: Vec<Series>,
    /// The first minute that it does not cover.
    to: Minute,
}

fn target(slo: &Arc<KnownSlo>) -> Option<Target> {
    let IndicatorSource::Prometheus(counters) = &slo.source else { return None };
    Some(Target { slo: Arc::clone(slo), counters: Arc::clone(counters) })
}

/// Where a new SLI begins: with its window, or with the windows that its alerts look back over.
fn begin(slo: &KnownSlo, now: Minute) -> Minute {
    let period = slo.period(now);
    period.first.min(period.trailing().first_minute(now))
}

/// The first minute that is not closed yet.
fn first_open(now: Timestamp) -> Minute {
    now.plus_seconds(-CLOSED_AFTER).minute()
}

async fn ask(
    client: &Client,
    source: &Connection,
    query: &CounterQuery,
    from: Minute,
    asked_to: Minute,
    to: &mut Minute,
) -> Answered<Vec<Series>> {
    let mut all = Vec::new();
    // An evaluation takes samples of its own instant too, which begins the next minute.
    let end = asked_to.start().plus_nanos(-1_000_000);
    let seconds = i64::from(asked_to.0 - from.0 + LOOK_BACK) * 60;
    for selector in query.selectors() {
        let samples = client.samples(source, selector, end, seconds).await?;
        all.extend(samples.series);
        if let Some(at) = samples.at {
            *to = first_open(at).min(*to);
        }
    }
    Ok(all)
}

async fn count(mut tally: Tally, read: Read, from: Minute, is_good: bool) -> Result<(Tally, Vec<(Minute, Counts)>)> {
    let samples: usize = read.total.iter().chain(&read.part).map(|series| series.samples.len()).sum();
    let work = move || {
        let minutes = tally.count(&read.total, &read.part, from, read.to, is_good);
        (tally, minutes)
    };
    if samples < FEW_SAMPLES {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|fault| Error::Internal(Box::new(fault)))
}

/// How long to wait after so many failures: twice as long each time, from three quarters to five quarters of it.
fn wait_nanos(failures: u32, instance: &[u8], source: &str) -> i64 {
    let seconds = (1_i64 << failures.min(16)).min(LONGEST_WAIT);
    let seed = [instance, source.as_bytes(), &failures.to_le_bytes()].concat();
    let share = (xxh3_64(&seed) % 501) as i64 + 750;
    seconds * share * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b2_waiting_doubles_up_to_five_minutes_and_spreads() {
        let seconds = |failures: u32| wait_nanos(failures, b"one", "shop") as f64 / 1e9;
        for (failures, wanted) in [(0, 1.0), (1, 2.0), (5, 32.0), (9, 300.0), (u32::MAX, 300.0)] {
            let got = seconds(failures);
            assert!((wanted * 0.75..=wanted * 1.25).contains(&got), "{failures}: {got}");
        }
        assert_ne!(wait_nanos(3, b"one", "shop"), wait_nanos(3, b"two", "shop"));
    }

    #[test]
    fn b2_a_minute_is_closed_a_minute_after_its_end() {
        assert_eq!(first_open(Timestamp::from_seconds(179)), Minute(1));
        assert_eq!(first_open(Timestamp::from_seconds(180)), Minute(2), "minute 1 ended at 120");
    }
}
