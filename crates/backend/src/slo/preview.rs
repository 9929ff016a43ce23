//! What an objective would have meant for the records that are stored, before it is saved.
//!
//! What service, operation, kind and status decide is counted from the RED rollup over the whole window. Anything else is
//! counted from stored segments, newest first, until the window, [`MOST_TIME`] or [`MOST_RECORDS`] ends it; then it is told how
//! far back was looked. The counts are judged by the same function that judges objectives in force.

mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slowburn_domain::sentence;
use slowburn_domain::signal::{Signal, Telemetry};
use slowburn_domain::slo::{Counts, Evaluation, Hour, Ledger, Objective, Period, TimeWindow, evaluate_briefly};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::view::{Example, SloPreview};
use slowburn_storage::event::{self, EventConditions};
use slowburn_storage::partition::Part;
use slowburn_storage::segment::{decode, decode_logs};
use slowburn_storage::trace::{self, Extent, SegmentQuery};
use slowburn_storage::{red, slo};
use sqlx::PgConnection;

use super::calendar::Calendar;
use super::{KnownSlo, Past, plan};
use crate::events::OWN_TYPES;
use crate::openslo::{CompositePart, Definition, IndicatorSource};
use crate::{Backend, Error, Result};
use walk::Walk;

/// How long records are counted for one preview.
const MOST_TIME: Duration = Duration::from_secs(2);
/// How many records are looked at for one preview.
const MOST_RECORDS: u64 = 200_000;
/// How long examples alone are looked for.
const EXAMPLES_TIME: Duration = Duration::from_millis(300);
/// Events read at once.
const EVENTS_AT_ONCE: i64 = 1_000;

/// What was counted, and since when.
struct Seen {
    minutes: BTreeMap<Minute, Counts>,
    back_to: Timestamp,
    is_whole: bool,
}

impl Seen {
    /// Without the minute that is known in part: it would be judged by half its records. If all was looked at, it goes back to
    /// the first record.
    fn cut(mut self) -> Self {
        if !self.is_whole {
            self.minutes = self.minutes.split_off(&self.back_to.minute().plus(1));
        } else if let Some(first) = self.minutes.keys().next() {
            self.back_to = first.start();
        }
        self
    }
}

/// What an objective would have meant, or why that cannot be said, in a sentence.
pub(super) type Previewed = std::result::Result<SloPreview, &'static str>;

impl Backend {
    /// What the first objective of a text of documents would have meant, or why that cannot be said; `None` when there is none.
    ///
    /// # Errors
    /// The documents' faults; the database.
    pub async fn preview_slo(&self, yaml: &str, now: Timestamp) -> Result<Option<Previewed>> {
        let stored = {
            let mut connection = self.0.pool.acquire().await?;
            slo::documents(&mut connection).await?
        };
        let parsed = plan::library(&stored).parse(yaml).map_err(Error::Invalid)?;
        let Some(definition) = parsed.definitions.into_iter().next() else { return Ok(None) };
        let Definition { objective, source, group_by, .. } = definition;
        let past = Past::of(&source);
        let (total, good, part, is_good) = match source {
            IndicatorSource::Records { total, good, part, is_good } => (total, good, part, is_good),
            IndicatorSource::Composite { parts } => {
                let preview = self.preview_composite(objective, &parts, now).await?;
                return Ok(Some(preview.ok_or("One of the objectives that it is made of is not in force.")));
            }
            IndicatorSource::Prometheus(_) | IndicatorSource::Unknown { .. } => {
                return Ok(Some(Err("What it counts is not stored here, so there is nothing to preview.")));
            }
        };
        let signal = total.signal();
        let period = period_of(&objective, now.minute())?;
        let mut tx = self.snapshot().await?;
        let mut walk = Walk { total, good, from: period.first.start(), examples: Vec::new(), group_by, groups: BTreeMap::new() };
        let mut lint = None;
        let seen = match signal {
            Signal::Spans if past == Past::Red => {
                let seen = self.count_rollup(&mut tx, &walk).await?;
                // What tells groups apart the rollup does not know.
                let examples_only = walk.group_by.is_none();
                self.walk(&mut tx, &mut walk, EXAMPLES_TIME, examples_only, now).await?;
                seen
            }
            Signal::Spans | Signal::Logs => self.walk(&mut tx, &mut walk, MOST_TIME, false, now).await?,
            Signal::Events => self.walk_events(&mut tx, &mut walk).await?,
            Signal::Metrics => {
                let tried = self.try_metric_sli(&mut tx, (&walk.total, &part, is_good), period.first, MOST_TIME, now).await?;
                lint = tried.lint;
                let back_to = tried.minutes.keys().next().copied().filter(|_| tried.is_whole).unwrap_or(tried.back_to);
                Seen { minutes: tried.minutes, back_to: back_to.start(), is_whole: tried.is_whole }
            }
            Signal::Heartbeats => {
                return Ok(Some(Err("Heartbeats are counted from when it is saved on; those of before are not stored one by one.")));
            }
        };
        tx.rollback().await?;
        let evaluation = judge(&objective, period, &seen.minutes, now.minute());
        let (groups, too_many) = walk.groups_told();
        let mut preview = told(&objective, evaluation, seen, walk.examples);
        preview.looked = looked(signal, &preview, now);
        preview.groups = groups;
        preview.lints.extend(too_many.into_iter().chain(lint));
        Ok(Some(Ok(preview)))
    }

    /// What an objective made of others in force would have meant, by their counts; `None` when one of them is not in force.
    async fn preview_composite(&self, objective: Objective, parts: &[CompositePart], now: Timestamp) -> Result<Option<SloPreview>> {
        let book = self.book();
        let Some(parts) = book.parts(parts) else { return Ok(None) };
        let period = period_of(&objective, now.minute())?;
        let calendar = match &objective.window {
            TimeWindow::Rolling(_) => None,
            TimeWindow::Calendar(window) => Calendar::new(window).ok(),
        };
        let known = KnownSlo::unsaved(objective, calendar, parts);
        let Some(report) = self.judged(vec![Arc::new(known)], now).await?.into_iter().next() else { return Ok(None) };
        let seen = Seen { minutes: BTreeMap::new(), back_to: period.first.start(), is_whole: true };
        let mut preview = told(&report.slo.objective, report.evaluation, seen, Vec::new());
        "From the counts of what it is made of.".clone_into(&mut preview.looked);
        Ok(Some(preview))
    }

    /// Counts of the window from the RED rollup.
    async fn count_rollup(&self, connection: &mut PgConnection, walk: &Walk) -> Result<Seen> {
        let buckets = self.0.settings.bucket_numbers();
        let read = async {
            let mut minutes: BTreeMap<Minute, Counts> = BTreeMap::new();
            for bucket in buckets {
                let known = red::operations(connection, bucket).await?.into_iter().filter(|operation| walk.total.matches(operation));
                let operations: Vec<_> = known
                    .map(|operation| {
                        let is_good = walk.good.matches(&operation);
                        (operation, is_good)
                    })
                    .collect();
                for (minute, counts) in red::counts(connection, bucket, &operations).await? {
                    *minutes.entry(minute).or_default() += counts;
                }
            }
            Ok::<_, Error>(minutes)
        };
        let read = tokio::time::timeout(MOST_TIME, read).await;
        let mut minutes = read.map_err(|_| Error::Unavailable("counting the past takes too long at the moment"))??;
        minutes.retain(|minute, _| minute.start() >= walk.from);
        let back_to = minutes.keys().next().map_or(walk.from, |minute| minute.start());
        Ok(Seen { minutes, back_to, is_whole: true })
    }

    /// Counts events of the log, newest first, and keeps examples.
    async fn walk_events(&self, connection: &mut PgConnection, walk: &mut Walk) -> Result<Seen> {
        let began = Instant::now();
        let mut seen = Seen { minutes: BTreeMap::new(), back_to: walk.from, is_whole: true };
        let mut conditions = EventConditions { from: Some(walk.from), ..EventConditions::default() };
        let mut looked_at = 0;
        loop {
            let events = event::list(connection, &self.0.settings.bucket_numbers(), &conditions, EVENTS_AT_ONCE).await?;
            let is_last = (events.len() as i64) < EVENTS_AT_ONCE;
            looked_at += events.len() as u64;
            conditions.before = events.last().map(|(cursor, _)| *cursor);
            let received = events.iter().filter(|(_, event)| !event.kind.starts_with(OWN_TYPES));
            received.for_each(|(_, event)| walk.count_event(event, &mut seen.minutes));
            if is_last {
                break;
            }
            if began.elapsed() > MOST_TIME || looked_at >= MOST_RECORDS {
                seen.back_to = conditions.before.map_or(walk.from, |cursor| cursor.time);
                seen.is_whole = false;
                break;
            }
        }
        Ok(seen.cut())
    }

    /// Counts records of stored segments, those that end last first, and keeps examples; with `examples_only` it ends as soon
    /// as there are enough of them.
    async fn walk(
        &self,
        connection: &mut PgConnection,
        walk: &mut Walk,
        most_time: Duration,
        examples_only: bool,
        now: Timestamp,
    ) -> Result<Seen> {
        let began = Instant::now();
        let required = walk.total.requirements();
        let Some(signal) = walk.total.signal().telemetry() else {
            return Ok(Seen { minutes: BTreeMap::new(), back_to: walk.from, is_whole: true });
        };
        let conditions = SegmentQuery {
            signal,
            service: required.service.as_deref(),
            errors_only: required.errors_only,
            from: Some(walk.from),
            to: None,
            up_to_segment: trace::last_segment_id(now),
        };
        let mut extents = trace::segments(connection, &self.0.settings.bucket_numbers(), &conditions).await?;
        // What is kept beyond its time is chosen for being bad.
        extents.retain(|extent| extent.segment.part != Part::Kept as i16);
        let mut seen = Seen { minutes: BTreeMap::new(), back_to: walk.from, is_whole: true };
        let mut looked_at = 0;
        for Extent { segment, end, records } in extents {
            let is_enough = examples_only && walk.has_examples();
            if is_enough || began.elapsed() > most_time || looked_at >= MOST_RECORDS {
                // No record of this segment or of those after it ends later.
                seen = Seen { back_to: end, is_whole: false, ..seen };
                break;
            }
            let Some(body) = trace::segment_body(connection, segment).await? else { continue };
            looked_at += u64::from(records);
            match signal {
                Telemetry::Spans => {
                    let spans = read(body, segment.id, decode).await?;
                    spans.iter().for_each(|span| walk.count_span(span, &mut seen.minutes));
                }
                Telemetry::Logs => {
                    let records = read(body, segment.id, decode_logs).await?;
                    records.iter().for_each(|record| walk.count_log(record, &mut seen.minutes));
                }
                // Counted by the minute.
                Telemetry::Metrics => {}
            }
        }
        Ok(seen.cut())
    }
}

async fn read<T: Send + 'static>(
    body: Bytes,
    id: i64,
    decode: fn(Bytes, i64) -> std::result::Result<Vec<T>, slowburn_storage::Error>,
) -> Result<Vec<T>> {
    let decoded = tokio::task::spawn_blocking(move || decode(body, id)).await.map_err(|fault| Error::Internal(Box::new(fault)))?;
    Ok(decoded.unwrap_or_else(|fault| {
        tracing::error!(segment = id, error = %crate::ingest::chain(&fault), "segment cannot be read; a preview goes without it");
        Vec::new()
    }))
}

fn period_of(objective: &Objective, now: Minute) -> Result<Period> {
    Ok(match &objective.window {
        TimeWindow::Rolling(window) => Period::rolling(*window, now),
        TimeWindow::Calendar(window) => {
            Calendar::new(window).map_err(|_| Error::field("spec.timeWindow[0].calendar", "cannot be understood"))?.period(now)
        }
    })
}

fn judge(objective: &Objective, period: Period, minutes: &BTreeMap<Minute, Counts>, now: Minute) -> Evaluation {
    let mut hours: Vec<Hour> = Vec::new();
    for (minute, counts) in minutes {
        let seen = 1_u64 << minute.0.rem_euclid(60);
        match hours.last_mut().filter(|hour| hour.hour == minute.hour()) {
            Some(hour) => {
                hour.counts += *counts;
                hour.seen |= seen;
            }
            None => hours.push(Hour { hour: minute.hour(), counts: *counts, seen }),
        }
    }
    let minutes = minutes.iter().map(|(minute, counts)| (*minute, *counts)).collect();
    evaluate_briefly(objective, &Ledger::new(hours, minutes, false), period, now)
}

fn told(objective: &Objective, evaluation: Evaluation, seen: Seen, mut examples: Vec<Example>) -> SloPreview {
    examples.sort_by_key(|example| example.is_good);
    let alerts = objective.alerting.tiers(objective.window.nominal(), objective.target, evaluation.budget.remaining_ratio);
    SloPreview {
        sentence: sentence::slo(objective, &evaluation),
        counts: evaluation.counts,
        sli: evaluation.sli,
        budget_left: evaluation.budget.remaining_ratio,
        alert: evaluation.alert,
        back_to: seen.back_to,
        is_whole: seen.is_whole,
        looked: String::new(),
        groups: String::new(),
        alerts: alerts.iter().map(|rule| sentence::alert_rule(rule, &objective.window, objective.target)).collect(),
        lints: evaluation.lints,
        examples,
    }
}

/// How far was looked and what follows once it is saved, in sentences.
fn looked(signal: Signal, preview: &SloPreview, now: Timestamp) -> String {
    let since = sentence::ago(now, preview.back_to);
    let far = match (preview.counts.total, preview.is_whole) {
        (0, true) => {
            let look = match signal {
                Signal::Spans => "Look whether service, kind and operation are written as they arrive.",
                Signal::Logs => "Look whether the service is written as it arrives.",
                Signal::Metrics => "Look whether metric and service are written as they arrive; a metric may also have stood still.",
                Signal::Events | Signal::Heartbeats => "Look whether the type is written as it arrives.",
            };
            format!("Nothing that is stored counts. {look}")
        }
        (_, true) => format!("From all that is stored of the window; the first of it came {since}."),
        (_, false) if signal == Signal::Events => format!("Looked at what came since {since}; going further back would take long."),
        (_, false) => {
            format!("Looked at what came since {since}; going further back would take long. All of it is counted once it is saved.")
        }
    };
    if signal == Signal::Events { format!("{far} Once saved, it counts what comes from then on.") } else { far }
}
