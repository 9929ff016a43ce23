//! What the Traces and Correlation pages show.

use std::collections::{BTreeSet, HashMap, HashSet};

use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogLine;
use slowburn_domain::query::{FieldFault, MAX_LIMIT, TraceQuery};
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::span::Status;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::view::{CorrelationPage, HistogramBar, LaneBar, TracesPage};
use slowburn_storage::event::{self, EventConditions};
use slowburn_storage::segment::LaneSpan;
use slowburn_storage::trace;
use sqlx::PgConnection;

use super::spans::lanes_together;
use crate::{Backend, Error, Result};

/// Intervals of the histogram over the list.
const HISTOGRAM_BARS: i64 = 60;
/// Most traces of one correlation ID whose spans are drawn.
const DRAWN_TRACES: usize = 200;
/// Their spans that are in memory at the same time, but for a trace that has more.
const SPANS_TOGETHER: u32 = 10_000;
/// Log records shown of one correlation ID.
const LOGS: usize = 500;
/// Events shown of one correlation ID.
const EVENTS: i64 = 200;

impl Backend {
    /// The Traces page. Faults of single parameters are shown beside what could be read.
    ///
    /// # Errors
    /// The database.
    pub async fn traces_page(&self, query: TraceQuery, mut faults: Vec<FieldFault>, now: Timestamp) -> Result<TracesPage> {
        let found = match self.find_traces(&query, now).await {
            Err(Error::Invalid(more)) => {
                faults.extend(more);
                super::Found::default()
            }
            other => other?,
        };
        let services = {
            let mut connection = self.0.pool.acquire().await?;
            trace::services(&mut connection, &self.0.settings.bucket_numbers()).await?
        };
        let next = found.next.map(|cursor| TraceQuery { cursor: Some(cursor), ..query.clone() });
        let (histogram_step_seconds, histogram) = histogram(&found.items);
        Ok(TracesPage {
            now,
            query,
            faults,
            searched_to: found.searched_to,
            items: found.items,
            next,
            histogram,
            histogram_step_seconds,
            services,
            views: self.saved_views(SearchPage::Traces).await?,
        })
    }

    /// All traces of one correlation ID, what was logged with it or in them, and its events, on one timeline. A record that bears the ID
    /// brings the trace that it was said in.
    ///
    /// # Errors
    /// Nothing has it; the database.
    pub async fn correlation_page(&self, id: &str, now: Timestamp) -> Result<CorrelationPage> {
        self.correlation(id, true, now).await
    }

    /// The same without what is drawn of its spans: neither `bars` nor `first_error`.
    ///
    /// # Errors
    /// As for [`Self::correlation_page`].
    pub async fn correlation_story(&self, id: &str, now: Timestamp) -> Result<CorrelationPage> {
        self.correlation(id, false, now).await
    }

    async fn correlation(&self, id: &str, is_drawn: bool, now: Timestamp) -> Result<CorrelationPage> {
        let query = TraceQuery { correlation_id: Some(id.to_owned()), limit: Some(MAX_LIMIT), ..TraceQuery::default() };
        let found = self.find_traces(&query, now).await?;
        let truncated = found.next.is_some();
        let mut traces = found.items;
        traces.reverse();
        let mut tx = self.snapshot().await?;
        let mut known: Vec<TraceId> = traces.iter().map(|summary| summary.trace_id).collect();
        let drawn = if is_drawn { DRAWN_TRACES } else { 0 };
        let first: Vec<TraceId> = known.iter().rev().take(drawn).copied().collect();
        // Spans and log records lie in segments of their own, so they are read at the same time.
        let ((mut logs, mut more_logs), mut bars) = match self.spare_snapshot().await? {
            Some(mut other) => tokio::try_join!(self.logs_of(&mut tx, &known, Some(id), LOGS), self.bars(&mut other, &first))?,
            None => (self.logs_of(&mut tx, &known, Some(id), LOGS).await?, self.bars(&mut tx, &first).await?),
        };
        let named: BTreeSet<TraceId> = logs.iter().filter_map(|record| record.trace_id).filter(|trace| !known.contains(trace)).collect();
        if !named.is_empty() {
            let named: Vec<TraceId> = named.into_iter().collect();
            traces.extend(self.summaries(&mut tx, &named).await?);
            traces.sort_by_key(|summary| (summary.start, summary.trace_id));
            let more: Vec<TraceId> = named.iter().rev().take(drawn - first.len()).copied().collect();
            bars.extend(self.bars(&mut tx, &more).await?);
            known.extend(named);
            (logs, more_logs) = self.logs_of(&mut tx, &known, Some(id), LOGS).await?;
        }
        let conditions = EventConditions { correlation_id: Some(id), ..EventConditions::default() };
        let events = event::list(&mut tx, &self.0.settings.bucket_numbers(), &conditions, EVENTS).await?;
        if traces.is_empty() && logs.is_empty() && events.is_empty() {
            let near = self.ids_near(&mut tx, id).await?;
            let searched_minutes = self.0.settings.retention_minutes;
            return Err(Error::UnknownId { id: id.chars().take(200).collect(), near, searched_minutes });
        }
        tx.commit().await?;
        bars.sort_by_key(|bar| (bar.start, bar.trace_id));
        let first_error = bars
            .iter()
            .filter(|bar| bar.status == Status::Error)
            .min_by_key(|bar| bar.start.plus_nanos((bar.duration_ms * 1e6) as i64))
            .cloned();
        let mut logs: Vec<LogLine> = logs.iter().map(LogLine::from).collect();
        logs.extend(events.iter().map(|(_, event)| LogLine::from(event)));
        logs.sort_by_key(|line| line.time);
        Ok(CorrelationPage { now, id: id.to_owned(), traces, truncated, bars, first_error, logs, more_logs })
    }

    /// What is drawn of some traces.
    async fn bars(&self, connection: &mut PgConnection, ids: &[TraceId]) -> Result<Vec<LaneBar>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let fragments = trace::fragments(connection, &self.0.settings.bucket_numbers(), ids, i64::MAX).await?;
        let mut bars = Vec::new();
        for some in together(ids, |id| fragments.get(&id).into_iter().flatten().map(|(fragment, _)| fragment.spans).sum()) {
            let spans = lanes_together(connection, some, &fragments).await?;
            bars.extend(spans.into_values().flat_map(entries));
        }
        Ok(bars)
    }

    /// Newest traces that failed.
    pub(crate) async fn failed_traces(&self, limit: u16, now: Timestamp) -> Result<Vec<TraceSummary>> {
        let query = TraceQuery { status: Some(Status::Error), limit: Some(limit), ..TraceQuery::default() };
        Ok(self.find_traces(&query, now).await?.items)
    }
}

/// Traces cut into runs that have [`SPANS_TOGETHER`] at most, or are one trace. `spans` tells how many one has.
fn together(ids: &[TraceId], spans: impl Fn(TraceId) -> u32) -> Vec<&[TraceId]> {
    let mut runs = Vec::new();
    let (mut first, mut sum) = (0, 0_u32);
    for (index, id) in ids.iter().enumerate() {
        let own = spans(*id);
        if index > first && sum.saturating_add(own) > SPANS_TOGETHER {
            runs.push(&ids[first..index]);
            (first, sum) = (index, 0);
        }
        sum = sum.saturating_add(own);
    }
    runs.extend((first < ids.len()).then(|| &ids[first..]));
    runs
}

/// The spans by which a trace enters a service: those whose parent ran in another one, or is not there. Of a service whose entries
/// all ended well the first span that failed stands beside, so that no failure goes unseen.
fn entries(spans: Vec<LaneSpan>) -> Vec<LaneBar> {
    let service_of: HashMap<_, &str> = spans.iter().map(|span| (span.span_id, span.service.as_str())).collect();
    let parent_of = |span: &LaneSpan| span.parent_span_id.and_then(|id| service_of.get(&id).copied());
    let mut are_shown: Vec<bool> = spans.iter().map(|span| parent_of(span) != Some(span.service.as_str())).collect();
    let failed = |(_, span): &(usize, &LaneSpan)| span.status == Status::Error;
    let mut told: HashSet<&str> =
        spans.iter().enumerate().filter(|(row, _)| are_shown[*row]).filter(failed).map(|(_, span)| span.service.as_str()).collect();
    for (row, span) in spans.iter().enumerate().filter(failed) {
        are_shown[row] |= told.insert(&span.service);
    }
    let bar = |span: LaneSpan| LaneBar {
        trace_id: span.trace_id,
        service: span.service,
        operation: span.operation,
        status: span.status,
        start: span.start,
        duration_ms: span.duration_nanos as f64 / 1e6,
    };
    spans.into_iter().zip(are_shown).filter(|(_, is_shown)| *is_shown).map(|(span, _)| bar(span)).collect()
}

/// Evenly spaced counts from the oldest to the newest trace of a list, with the length of an interval in seconds.
fn histogram(items: &[TraceSummary]) -> (f64, Vec<HistogramBar>) {
    let (Some(first), Some(last)) = (items.iter().map(|t| t.start).min(), items.iter().map(|t| t.start).max()) else {
        return (0.0, Vec::new());
    };
    let step = (last.since(first) / HISTOGRAM_BARS + 1).max(1_000_000_000);
    let mut bars: Vec<HistogramBar> =
        (0..=last.since(first) / step).map(|index| HistogramBar { start: first.plus_nanos(index * step), ok: 0, failed: 0 }).collect();
    for summary in items {
        if let Some(bar) = bars.get_mut((summary.start.since(first) / step) as usize) {
            *(if summary.errors > 0 { &mut bar.failed } else { &mut bar.ok }) += 1;
        }
    }
    (step as f64 / 1e9, bars)
}

#[cfg(test)]
mod tests {
    use slowburn_domain::id::SpanId;

    use super::*;

    #[test]
    fn c6_entries_of_services_are_shown_and_a_failure_that_no_entry_tells_of() {
        let span = |id: u8, parent: u8, service: &str, status: Status| LaneSpan {
            trace_id: TraceId::from_bytes(&[1; 16]).expect("an id"),
            span_id: SpanId::from_bytes(&[id; 8]).expect("an id"),
            parent_span_id: SpanId::from_bytes(&[parent; 8]).ok(),
            service: service.to_owned(),
            operation: id.to_string(),
            status,
            start: Timestamp::from_seconds(i64::from(id)),
            duration_nanos: 1,
        };
        let (fine, failed) = (Status::Unset, Status::Error);
        let spans = vec![
            span(1, 0, "web", failed),
            span(2, 1, "web", failed),
            span(3, 2, "pay", fine),
            span(4, 3, "pay", failed),
            span(5, 4, "pay", failed),
            span(6, 9, "pay", fine),
        ];
        let shown: Vec<String> = entries(spans).into_iter().map(|bar| bar.operation).collect();
        assert_eq!(shown, ["1", "3", "4", "6"]);
    }

    #[test]
    fn traces_are_read_together_as_long_as_their_spans_fit() {
        let ids: Vec<TraceId> = (1..=5).map(|number| TraceId::from_bytes(&[number; 16]).expect("an id")).collect();
        let of = |counts: [u32; 5]| -> Vec<usize> {
            let spans = |id: TraceId| counts[usize::from(id.as_bytes()[0]) - 1];
            together(&ids, spans).into_iter().map(<[TraceId]>::len).collect()
        };
        assert_eq!(of([8; 5]), [5]);
        assert_eq!(of([6_000, 4_000, 1, 9_999, 1]), [2, 2, 1]);
        assert_eq!(of([20_000, u32::MAX, u32::MAX, 1, 1]), [1, 1, 1, 2]);
        assert!(together(&[], |_| 1).is_empty());
    }
}
