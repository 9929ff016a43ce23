//! What was logged in some traces, or with one correlation ID.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogRecord;
use slowburn_storage::log;
use slowburn_storage::segment::decode_logs_where;
use slowburn_storage::trace::{IdKind, SegmentRef};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::segments::matching;
use crate::{Backend, Result};

impl Backend {
    /// What was logged in `trace_ids` or with a correlation ID, oldest first, `most` at most: those that are later are left out,
    /// and told of by the second value.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn logs_of(
        &self,
        connection: &mut PgConnection,
        trace_ids: &[TraceId],
        correlation_id: Option<&str>,
        most: usize,
    ) -> Result<(Vec<LogRecord>, bool)> {
        let mut keys: Vec<Uuid> = trace_ids.iter().map(|id| log::trace_key(*id)).collect();
        keys.extend(correlation_id.map(|id| log::id_key(IdKind::Correlation, id)));
        if keys.is_empty() {
            return Ok((Vec::new(), false));
        }
        let segments = log::mentioning(connection, &self.0.settings.bucket_numbers(), &keys, i64::MAX).await?;
        let segments: Vec<SegmentRef> = segments.into_iter().map(|extent| extent.segment).collect();
        let traces: Arc<HashSet<[u8; 16], RandomState>> = Arc::new(trace_ids.iter().map(|id| *id.as_bytes()).collect());
        let id: Option<Arc<str>> = correlation_id.map(Arc::from);
        let mut found: Vec<LogRecord> = matching(connection, &segments, move |body, segment_id| {
            let (traces, id) = (Arc::clone(&traces), id.clone());
            decode_logs_where(body, segment_id, move |trace_id, correlation_id| {
                trace_id.is_some_and(|trace_id| traces.contains(trace_id)) || id.is_some() && correlation_id == id.as_deref()
            })
        })
        .await?;
        found.sort_by_key(|record| record.time);
        let is_more = found.len() > most;
        found.truncate(most);
        Ok((found, is_more))
    }
}
