//! What an objective would have meant for the records that are stored, before it is saved.
//!
//! What service, operation, kind and status decide is counted from the RED rollup over the whole window. Anything else is
//! counted from stored segments, newest first, until the window, [`MOST_TIME`] or [`MOST_SPANS`] ends it; then it is told how
//! far back was looked. The counts are judged by the same function that judges objectives in force.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use slowburn_domain::number::count;
use slowburn_domain::sentence;
use slowburn_domain::signal::{Signal, Telemetry};
use slowburn_domain::slo::{
    Counts, Evaluation, Hour, Ledger, Lint, Objective, Period, TimeWindow, evaluate_briefly, group_of, too_many_values,
};
use slowburn_domain::span::{Span, Status};
use slowburn_domain::story::plural;
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::view::{ExampleSpan, SloPreview};
use slowburn_storage::partition::Part;
use slowburn_storage::segment::{decode, decode_logs};
use slowburn_storage::trace::{self, Extent, SegmentQuery};
use slowburn_storage::{red, slo};
use sqlx::PgConnection;

use super::calendar::Calendar;
use super::{KnownSlo, Past, plan};
use crate::filter::{Filter, Record};
use crate::openslo::{CompositePart, Definition, GroupBy, IndicatorSource};
use crate::{Backend, Error, Result};

/// How long spans are counted for one preview.
const MOST_TIME: Duration = Duration::from_secs(2);
/// How many spans are looked at for one preview.
const MOST_SPANS: u64 = 200_000;
/// How long examples alone are looked for.
const EXAMPLES_TIME: Duration = Duration::from_millis(300);
/// Groups named.
const GROUPS_NAMED: usize = 8;
/// Examples of each verdict.
const EXAMPLES: usize = 4;

/// What was counted, and since when.
struct Seen {
    minutes: BTreeMap<Minute, Counts>,
    back_to: Timestamp,
    is_whole: bool,
}

impl Backend {
    /// What the first objective of a text of documents would have meant; `None` when there is none, or when its source is
    /// not read here.
    ///
    /// # Errors
    /// The documents' faults; the database.
    pub async fn preview_slo(&self, yaml: &str, now: Timestamp) -> Result<Option<SloPreview>> {
        let stored = {
            let mut connection = self.0.pool.acquire().await?;
            slo::documents(&mut connection).await?
        };
        let parsed = plan::library(&stored).parse(yaml).map_err(Error::Invalid)?;
        let Some(definition) = parsed.definitions.into_iter().next() else { return Ok(None) };
        let Definition { objective, source, group_by, .. } = definition;
        let past = Past::of(&source);
        let (total, good) = match source {
            // Counted by a job, like a Prometheus, or not in segments.
            IndicatorSource::Records { total, .. } if !matches!(total.signal(), Signal::Spans | Signal::Logs) => return Ok(None),
            IndicatorSource::Records { total, good, .. } => (total, good),
            IndicatorSource::Composite { parts } => return self.preview_composite(objective, &parts, now).await,
            IndicatorSource::Prometheus(_) | IndicatorSource::Unknown { .. } => return Ok(None),
        };
        let period = period_of(&objective, now.minute())?;
        let mut tx = self.snapshot().await?;
        let mut walk = Walk { total, good, from: period.first.start(), examples: Vec::new(), group_by, groups: BTreeMap::new() };
        let seen = if past == Past::Red {
            let seen = self.count_rollup(&mut tx, &walk).await?;
            // What tells groups apart the rollup does not know.
            let examples_only = walk.group_by.is_none();
            self.walk(&mut tx, &mut walk, EXAMPLES_TIME, examples_only, now).await?;
            seen
        } else {
            self.walk(&mut tx, &mut walk, MOST_TIME, false, now).await?
        };
        tx.rollback().await?;
        let evaluation = judge(&objective, period, &seen.minutes, now.minute());
        let (groups, lint) = walk.groups_told();
        let mut preview = told(&objective, evaluation, seen, walk.examples);
        preview.groups = groups;
        preview.lints.extend(lint);
        Ok(Some(preview))
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
        Ok(Some(told(&report.slo.objective, report.evaluation, seen, Vec::new())))
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
            if is_enough || began.elapsed() > most_time || looked_at >= MOST_SPANS {
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
                    for record in &records {
                        walk.count(record, record.time, &mut seen.minutes);
                    }
                }
                // Not previewed.
                Telemetry::Metrics => {}
            }
        }
        if !seen.is_whole {
            // A minute that is known in part would be judged by half its spans.
            seen.minutes = seen.minutes.split_off(&seen.back_to.minute().plus(1));
        } else if let Some(first) = seen.minutes.keys().next() {
            seen.back_to = first.start();
        }
        Ok(seen)
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

/// Which records count since when, and some of them.
struct Walk {
    total: Filter,
    good: Filter,
    from: Timestamp,
    examples: Vec<ExampleSpan>,
    group_by: Option<GroupBy>,
    /// Events of each group, of one more at most than may be.
    groups: BTreeMap<String, u64>,
}

impl Walk {
    /// Counts a record that happened at `at`. Gives whether it is good; `None` when it does not count.
    fn count<R: Record>(&mut self, record: &R, at: Timestamp, minutes: &mut BTreeMap<Minute, Counts>) -> Option<bool> {
        if at < self.from || !self.total.matches(record) {
            return None;
        }
        if let Some(group_by) = &self.group_by {
            let text = group_by.by.text(record);
            let value = group_of(text.as_deref());
            let is_full = self.groups.len() > group_by.cap as usize;
            match self.groups.get_mut(value) {
                Some(events) => *events += record.weight(),
                None if is_full => {}
                None => drop(self.groups.insert(value.to_owned(), record.weight())),
            }
        }
        let is_good = self.good.matches(record);
        *minutes.entry(at.minute()).or_default() += Counts { good: u64::from(is_good) * record.weight(), total: record.weight() };
        Some(is_good)
    }

    /// The same of a span, which may become an example.
    fn count_span(&mut self, span: &Span, minutes: &mut BTreeMap<Minute, Counts>) {
        let Some(is_good) = self.count(span, span.end, minutes) else { return };
        if self.examples_of(is_good) < EXAMPLES {
            self.examples.push(ExampleSpan {
                trace_id: span.trace_id,
                span_id: span.span_id,
                operation: span.operation.clone(),
                duration_ms: span.duration_nanos() as f64 / 1e6,
                is_error: span.status == Status::Error,
                is_good,
            });
        }
    }

    fn examples_of(&self, is_good: bool) -> usize {
        self.examples.iter().filter(|example| example.is_good == is_good).count()
    }

    /// The groups that were seen, in a sentence, and what to say of very many.
    fn groups_told(&self) -> (String, Option<Lint>) {
        let Some(GroupBy { by, cap }) = &self.group_by else { return (String::new(), None) };
        let lint = (self.groups.len() > *cap as usize).then(|| too_many_values(by.source(), *cap));
        let mut groups: Vec<(&String, &u64)> = self.groups.iter().collect();
        groups.sort_by_key(|(value, events)| (std::cmp::Reverse(**events), *value));
        let named: Vec<String> =
            groups.iter().take(GROUPS_NAMED).map(|(value, events)| format!("{value} ({})", count(**events as f64))).collect();
        let sentence = match groups.len() {
            0 => "No value was seen yet to group by.".to_owned(),
            all if all > *cap as usize => format!("More than {cap} groups, among them {}.", named.join(", ")),
            all if all > GROUPS_NAMED => format!("{} seen, most events in {}.", plural(all as u64, "group"), named.join(", ")),
            all => format!("{} seen: {}.", plural(all as u64, "group"), named.join(", ")),
        };
        (sentence, lint)
    }

    fn has_examples(&self) -> bool {
        self.examples_of(true) == EXAMPLES && self.examples_of(false) == EXAMPLES
    }
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

fn told(objective: &Objective, evaluation: Evaluation, seen: Seen, mut examples: Vec<ExampleSpan>) -> SloPreview {
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
        groups: String::new(),
        alerts: alerts.iter().map(|rule| sentence::alert_rule(rule, &objective.window, objective.target)).collect(),
        lints: evaluation.lints,
        examples,
    }
}
