//! SLIs over metrics: what their points tell, as whole events by the closed minute.
//!
//! One instance, the holder of a lease, counts. For each SLI it reads the points of closed minutes, makes events of them and writes
//! the counts with how far it has come in one transaction; whoever comes second finds the SLI moved on and writes nothing. A new SLI
//! begins with what is stored of its window. A minute is closed a minute after its end; a delta that arrives later is not counted,
//! and what a cumulative reading that arrives later tells is in the difference to the next.
//!
//! What is an event: of a counter each that it rose by; of a histogram each observation, with the upper bound of its bucket as its
//! `value`, so that a threshold on a bound is exact and one between two bounds takes the whole bucket for worse; of a gauge each
//! reading, with what was read as its `value`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use slowburn_domain::counter::Rest;
use slowburn_domain::metric::increase::{Amount, increases};
use slowburn_domain::metric::{Point, Series};
use slowburn_domain::signal::Signal;
use slowburn_domain::slo::{Counts, Lint};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_storage::metric;
use slowburn_storage::progress::{self, Progress};
use slowburn_storage::rollup::{self, Deltas};
use sqlx::PgConnection;

use super::{MOST_SERIES, advice};
use crate::filter::{Field, Filter, Operand, Record};
use crate::openslo::IndicatorSource;
use crate::slo::KnownSlo;
use crate::{Backend, Error, Result};

/// So long after its end a minute is closed, seconds.
const CLOSED_AFTER: i64 = 60;
/// Before the minutes asked for, the last reading of a series is looked for, minutes.
const LOOK_BACK: i32 = 15;
/// Minutes counted in one transaction.
const CHUNK: i32 = 60;
/// Chunks of one SLI in a round.
const CHUNKS_OF_A_ROUND: usize = 8;

/// An SLI to count.
struct Target {
    slo: Arc<KnownSlo>,
    total: Filter,
    part: Filter,
    is_good: bool,
}

impl Target {
    fn of(slo: &Arc<KnownSlo>) -> Option<Self> {
        match &slo.source {
            IndicatorSource::Records { total, part, is_good, .. } if total.signal() == Signal::Metrics => {
                Some(Self { slo: Arc::clone(slo), total: total.clone(), part: part.clone(), is_good: *is_good })
            }
            _ => None,
        }
    }
}

impl Backend {
    /// Counts the closed minutes of every SLI over metrics, if this instance holds or can take the lease. Gives how many minutes it
    /// counted.
    ///
    /// # Errors
    /// The database.
    pub async fn count_metric_slis(&self) -> Result<u64> {
        let targets: Vec<Target> = self.book().all().filter_map(Target::of).collect();
        if targets.is_empty() {
            return Ok(0);
        }
        let now = self.0.clock.now();
        let begins: Vec<(i32, Minute)> = targets.iter().map(|target| (target.slo.sli_id, self.begin(&target.slo, now))).collect();
        let mut connection = self.0.pool.acquire().await?;
        progress::forget_removed(&mut connection).await?;
        progress::begin(&mut connection, &begins).await?;
        drop(connection);
        let mut counted = 0;
        for target in &targets {
            for _ in 0..CHUNKS_OF_A_ROUND {
                if self.stopping().is_cancelled() || !self.holds("metric-slis").await? {
                    return Ok(counted);
                }
                match self.count_chunk(target, now).await? {
                    0 => break,
                    minutes => counted += minutes,
                }
            }
        }
        Ok(counted)
    }

    /// Where a new SLI begins: with its window, as far as points are kept.
    fn begin(&self, slo: &KnownSlo, now: Timestamp) -> Minute {
        let period = slo.period(now.minute());
        let wanted = period.first.min(period.trailing().first_minute(now.minute()));
        let kept = self.0.settings.retention_minutes.cast_signed() + self.0.settings.slot_minutes();
        wanted.max(now.minute().plus(-kept))
    }

    /// Counts some minutes of one SLI; 0 when there are none, or somebody else was faster.
    async fn count_chunk(&self, target: &Target, now: Timestamp) -> Result<u64> {
        let sli_id = target.slo.sli_id;
        let mut tx = self.snapshot().await?;
        let Some(before) = progress::progress(&mut tx, sli_id).await? else { return Ok(0) };
        let from = before.next_minute;
        let closed = now.plus_seconds(-CLOSED_AFTER).minute();
        let to = from.plus(CHUNK).min(closed);
        if from >= to {
            return Ok(0);
        }
        let Read { series, points } = self.read_of_metric(&mut tx, &target.total, from, to, now).await?;
        drop(tx);
        let question = (target.total.clone(), target.part.clone());
        let counting = tokio::task::spawn_blocking(move || {
            let (total, part) = question;
            count(&total, &part, &series, &points, from)
        });
        let rises = counting.await.map_err(|fault| Error::Internal(Box::new(fault)))?;
        let mut rest = before.rest;
        let mut deltas = Deltas::new();
        for (minute, Rise { total, part }) in rises {
            deltas.insert((sli_id, minute), rest.count(total, part, target.is_good));
        }
        let after = Progress { next_minute: to, rest, ..before };
        // Always the same one, so that the counts of an SLI lie together.
        let bucket = (sli_id.unsigned_abs() % u32::from(self.0.settings.buckets)) as i16;
        let mut tx = self.0.pool.begin().await?;
        // First, as it locks the row: whoever comes second waits here, and finds it moved on.
        if !progress::advance(&mut tx, from, &after).await? {
            return Ok(0);
        }
        rollup::append(&mut tx, bucket, &deltas).await?;
        tx.commit().await?;
        Ok(u64::from((to.0 - from.0).unsigned_abs()))
    }

    /// What was read of a metric in the minutes from `from` until before `to`, and what it takes to know what rose in the first of
    /// them.
    async fn read_of_metric(
        &self,
        connection: &mut PgConnection,
        total: &Filter,
        from: Minute,
        to: Minute,
        now: Timestamp,
    ) -> Result<Read> {
        let required = total.requirements();
        // Definitions that name no metric are refused.
        let (name, service) = (required.name.unwrap_or_default(), required.service);
        let (since, until) = (from.plus(-LOOK_BACK).start(), to.start().plus_nanos(-1));
        let buckets = self.0.settings.bucket_numbers();
        let most = MOST_SERIES as i64;
        let all = metric::series(connection, &buckets, self.slot_before(since), &name, service.as_deref(), most).await?;
        let series: HashMap<i64, Series> = all.into_iter().map(|series| (series.id, series)).collect();
        let wanted: HashSet<i64> = series.keys().copied().collect();
        let points = self.points_of(connection, &name, service.as_deref(), Arc::new(wanted), since, until, now).await?;
        Ok(Read { series, points })
    }

    /// What an SLI over a metric would have counted since `first`: newest minutes first, in stretches that double, until `most_time`
    /// or the points that one answer may take end it.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn try_metric_sli(
        &self,
        connection: &mut PgConnection,
        (total, part, is_good): (&Filter, &Filter, bool),
        first: Minute,
        most_time: Duration,
        now: Timestamp,
    ) -> Result<TriedSli> {
        let began = Instant::now();
        let kept = self.0.settings.retention_minutes.cast_signed() + self.0.settings.slot_minutes();
        let first = first.max(now.minute().plus(-kept));
        let mut to = now.plus_seconds(-CLOSED_AFTER).minute();
        let mut tried = TriedSli { minutes: BTreeMap::new(), back_to: to, is_whole: true, lint: None };
        let mut rises: BTreeMap<Minute, Rise> = BTreeMap::new();
        let mut stretch = CHUNK;
        while to > first {
            let from = first.max(to.plus(-stretch));
            let read = match self.read_of_metric(connection, total, from, to, now).await {
                Ok(read) if began.elapsed() < most_time => read,
                Ok(_) | Err(Error::Invalid(_)) => {
                    tried.is_whole = false;
                    break;
                }
                Err(error) => return Err(error),
            };
            let question = (total.clone(), part.clone());
            let counting = tokio::task::spawn_blocking(move || {
                let (total, part) = question;
                (count(&total, &part, &read.series, &read.points, from), advice::of(&total, &part, &read.series, &read.points))
            });
            let (mut counted, lint) = counting.await.map_err(|fault| Error::Internal(Box::new(fault)))?;
            counted.retain(|minute, _| *minute < to);
            rises.extend(counted);
            tried.lint = tried.lint.or(lint);
            tried.back_to = from;
            to = from;
            stretch = stretch.saturating_mul(2);
        }
        let mut rest = Rest::default();
        tried.minutes = rises.into_iter().map(|(minute, Rise { total, part })| (minute, rest.count(total, part, is_good))).collect();
        Ok(tried)
    }
}

/// Series of a metric, and their points in order of series and time.
struct Read {
    series: HashMap<i64, Series>,
    points: Vec<Point>,
}

/// What an SLI over a metric would have counted.
pub(crate) struct TriedSli {
    /// Counts of the minutes in which something was heard.
    pub(crate) minutes: BTreeMap<Minute, Counts>,
    /// The first minute that was looked at.
    pub(crate) back_to: Minute,
    /// Whether that is as far back as was asked for, or as anything is kept.
    pub(crate) is_whole: bool,
    /// Why it may not tell what was meant.
    pub(crate) lint: Option<Lint>,
}

/// What rose in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rise {
    total: f64,
    part: f64,
}

/// A series with a value that filters can look at.
pub(super) struct Event<'a> {
    pub(super) series: &'a Series,
    pub(super) value: Option<f64>,
}

impl Record for Event<'_> {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Value => self.value.map_or(Operand::Missing, Operand::Float),
            other => self.series.field(other),
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        self.series.attribute(key)
    }

    fn resource(&self, key: &str) -> Operand<'_> {
        self.series.resource(key)
    }
}

/// What points, in order of series and time, tell of the minutes from `from` on. Minutes in which a series was heard that may count
/// are there, with nothing if nothing happened.
fn count(total: &Filter, part: &Filter, series: &HashMap<i64, Series>, points: &[Point], from: Minute) -> BTreeMap<Minute, Rise> {
    let mut rises: BTreeMap<Minute, Rise> = BTreeMap::new();
    let looks_at_value = [total, part].iter().any(|filter| filter.reach().fields.contains(&Field::Value));
    for own in points.chunk_by(|a, b| a.series == b.series) {
        let Some(series) = series.get(&own[0].series) else { continue };
        let mut add = |at: Timestamp, value: Option<f64>, events: f64| {
            let event = Event { series, value };
            if at.minute() < from || !total.matches(&event) {
                return;
            }
            let rise = rises.entry(at.minute()).or_default();
            rise.total += events;
            rise.part += if part.matches(&event) { events } else { 0.0 };
        };
        if !series.metric.is_counting() {
            for point in own {
                if let Some(value) = point.value.number() {
                    add(point.time, Some(value), 1.0);
                }
            }
            continue;
        }
        // So late a first reading tells of too much that has no minute. By the reading, not by the minutes asked for: how they are cut
        // changes no count.
        let known_from = own[0].time.plus_seconds(i64::from(LOOK_BACK) * -60).max(from.plus(-LOOK_BACK).start());
        for increase in increases(own, series.metric.temporality, known_from) {
            match &increase.amount {
                Amount::Observations(distribution) if looks_at_value => {
                    // A minute without an observation was heard of.
                    add(increase.to, Some(0.0), 0.0);
                    for bucket in &distribution.buckets {
                        add(increase.to, Some(bucket.upper), bucket.count as f64);
                    }
                }
                amount => add(increase.to, None, amount.count()),
            }
        }
    }
    rises
}
