//! What the Trace page shows: the outline of the whole, and one span in full. Ten thousand spans in full would weigh
//! megabytes, so what the others say is asked for one span at a time.

use std::collections::HashSet;

use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::log::LogLine;
use slowburn_domain::outline::Outline;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::Span;
use slowburn_domain::story::error_message;
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::trace_view::{TraceView, View};
use slowburn_domain::view::{Failure, OtherTrace, SpanView, TracePage};

use super::spans::TraceDetail;
use crate::{Backend, Error, Result};

/// Traces offered to compare with.
const ALIKE: usize = 8;
/// Traces looked at for them: some have the root's operation on an inner span only.
const ALIKE_CANDIDATES: u16 = 40;
/// Log records shown of one trace.
const LOGS: usize = 200;

impl Backend {
    /// One trace, with what `view` needs of it. Of the trace to compare with an unknown one is left out.
    ///
    /// # Errors
    /// It is unknown, or past retention; the database.
    pub async fn trace_page(&self, id: TraceId, view: &TraceView, now: Timestamp) -> Result<TracePage> {
        let TraceDetail { summary, spans } = self.trace(id).await?;
        let outline = Outline::of(&spans);
        let in_full = |row: u32| {
            let wanted = outline.spans.get(row as usize)?.span_id;
            spans.iter().find(|span| span.span_id == wanted).map(span_view)
        };
        let failure = outline.first_error().map(|row| {
            let message = in_full(row).map(|span| error_message(&span).to_owned()).unwrap_or_default();
            Failure { row, message }
        });
        let selected = outline.selected(view.span).and_then(in_full);
        let other = match view.compare.as_deref().and_then(|other| other.parse().ok()).filter(|other| *other != id) {
            Some(other) => self.other_trace(other).await?,
            None => None,
        };
        let (logs, more_logs) = {
            let mut tx = self.snapshot().await?;
            self.logs_of(&mut tx, &[id], None, LOGS).await?
        };
        let logs = logs.iter().map(LogLine::from).collect();
        let alike = if view.view == View::Compare && other.is_none() { self.alike(&summary, now).await? } else { Vec::new() };
        let sampling = left_out(&spans, !self.0.settings.sampling.is_empty());
        Ok(TracePage { now, summary, outline, sampling, failure, selected, logs, more_logs, alike, other })
    }

    /// One span of a trace, in full.
    ///
    /// # Errors
    /// The trace is unknown, or past retention, or has no such span; the database.
    pub async fn span(&self, trace: TraceId, id: SpanId) -> Result<SpanView> {
        let TraceDetail { spans, .. } = self.trace(trace).await?;
        let found = spans.iter().find(|span| span.span_id == id).map(span_view);
        found.ok_or_else(|| Error::NotFound { kind: "span", name: id.to_string() })
    }

    async fn other_trace(&self, id: TraceId) -> Result<Option<OtherTrace>> {
        match self.trace(id).await {
            Ok(TraceDetail { summary, spans }) => Ok(Some(OtherTrace { summary, outline: Outline::of(&spans) })),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Newest other traces with the same root.
    async fn alike(&self, summary: &TraceSummary, now: Timestamp) -> Result<Vec<TraceSummary>> {
        let query = TraceQuery {
            service: Some(summary.root.service.clone()),
            operation: Some(summary.root.operation.clone()),
            limit: Some(ALIKE_CANDIDATES),
            ..TraceQuery::default()
        };
        let mut alike = self.find_traces(&query, now).await?.items;
        alike.retain(|other| other.root == summary.root && other.trace_id != summary.trace_id);
        alike.truncate(ALIKE);
        Ok(alike)
    }
}

/// What sampling left out of a trace, in a sentence; empty when nothing shows that it did.
fn left_out(spans: &[Span], is_sampling: bool) -> String {
    let weight = spans.iter().map(|span| span.weight).max().unwrap_or(1);
    let known: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let has_orphans = spans.iter().any(|span| span.parent_span_id.is_some_and(|parent| !known.contains(&parent)));
    match (weight, is_sampling && has_orphans) {
        (2.., _) => format!("Sampled: it stands for {weight} traces of its kind, of which one is stored. Objectives count all of them."),
        (_, true) => {
            "Spans of it are missing. Sampling is on: of a trace that turned out to be bad late, what came before may be left out."
                .to_owned()
        }
        _ => String::new(),
    }
}

fn span_view(span: &Span) -> SpanView {
    SpanView {
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        service: span.source.service.clone(),
        operation: span.operation.clone(),
        kind: span.kind,
        status: span.status,
        status_message: span.status_message.clone(),
        start: span.start,
        duration_ms: span.duration_nanos() as f64 / 1e6,
        attributes: span.attributes.clone(),
        resource: span.source.resource.clone(),
        events: span.events.clone(),
        links: span.links.clone(),
    }
}
