//! One trace with its spans, read from the segments that hold its fragments.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use slowburn_domain::id::TraceId;
use slowburn_domain::span::{Span, Status};
use slowburn_domain::trace::{Fragment, TraceSummary, fold};
use slowburn_storage::segment::{LaneSpan, decode_trace, lane_spans};
use slowburn_storage::trace::{self, SegmentRef};
use sqlx::PgConnection;

use crate::segments::matching;
use crate::{Backend, Error, Result};

/// Segments decoded at the same time for one trace.
const AT_ONCE: usize = 2;

/// One trace.
#[derive(Clone, Debug)]
pub struct TraceDetail {
    /// The whole.
    pub summary: TraceSummary,
    /// Its spans, each once, by start.
    pub spans: Vec<Span>,
}

impl Backend {
    /// One trace with all its spans.
    ///
    /// # Errors
    /// It is unknown, or past retention; the database.
    pub async fn trace(&self, id: TraceId) -> Result<TraceDetail> {
        let mut tx = self.snapshot().await?;
        let fragments = trace::fragments(&mut tx, &self.0.settings.bucket_numbers(), &[id], i64::MAX).await?;
        let unknown = || Error::NotFound { kind: "trace", name: id.to_string() };
        let own = fragments.get(&id).ok_or_else(unknown)?;
        let detail = read(&mut tx, id, own).await?;
        tx.commit().await?;
        if detail.spans.is_empty() { Err(unknown()) } else { Ok(detail) }
    }
}

pub(super) async fn read(connection: &mut PgConnection, id: TraceId, fragments: &[(Fragment, SegmentRef)]) -> Result<TraceDetail> {
    let mut bodies = Vec::new();
    let mut seen_segments = HashSet::new();
    for (_, segment) in fragments {
        if seen_segments.insert(*segment)
            && let Some(body) = trace::segment_body(connection, *segment).await?
        {
            bodies.push((segment.id, body));
        }
    }
    let parts: Vec<Vec<Span>> = stream::iter(bodies)
        .map(|(segment_id, body)| async move {
            tokio::task::spawn_blocking(move || decode_trace(body, segment_id, id))
                .await
                .map_err(|fault| Error::Internal(Box::new(fault)))?
                .map_err(Error::from)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut seen = HashSet::new();
    // A span that came in two requests is shown once.
    let mut spans: Vec<Span> = parts.into_iter().flatten().filter(|span| seen.insert(span.span_id)).collect();
    spans.sort_by_key(|span| (span.start, span.span_id));
    let mut summary =
        fold(fragments.iter().map(|(fragment, _)| fragment)).ok_or_else(|| Error::NotFound { kind: "trace", name: id.to_string() })?;
    summary.spans = u32::try_from(spans.len()).unwrap_or(u32::MAX);
    summary.errors = u32::try_from(spans.iter().filter(|span| span.status == Status::Error).count()).unwrap_or(u32::MAX);
    Ok(TraceDetail { summary, spans })
}

/// What is drawn of the spans of several traces, each once and by its start. A segment is read once, however many of the traces it holds.
pub(super) async fn lanes_together(
    connection: &mut PgConnection,
    traces: &[TraceId],
    fragments: &HashMap<TraceId, Vec<(Fragment, SegmentRef)>>,
) -> Result<HashMap<TraceId, Vec<LaneSpan>>> {
    let mut segments: Vec<SegmentRef> = traces.iter().filter_map(|id| fragments.get(id)).flatten().map(|(_, segment)| *segment).collect();
    segments.sort_by_key(|segment| (segment.id, *segment));
    segments.dedup();
    let wanted: Arc<HashSet<[u8; 16], RandomState>> = Arc::new(traces.iter().map(|id| *id.as_bytes()).collect());
    let spans = matching(connection, &segments, move |body, segment_id| {
        let wanted = Arc::clone(&wanted);
        lane_spans(body, segment_id, move |id| wanted.contains(id))
    });
    let mut seen = HashSet::new();
    let mut by_trace: HashMap<TraceId, Vec<LaneSpan>> = HashMap::new();
    for span in spans.await? {
        if seen.insert((span.trace_id, span.span_id)) {
            by_trace.entry(span.trace_id).or_default().push(span);
        }
    }
    by_trace.values_mut().for_each(|spans| spans.sort_by_key(|span| (span.start, span.span_id)));
    Ok(by_trace)
}
