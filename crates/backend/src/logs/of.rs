//! What was logged in some traces, or with one correlation ID.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogRecord;
use slowburn_storage::log;
use slowburn_storage::segment::{LogColumns, Wanted, decode_log_rows, log_columns};
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
        let said = Arc::new(Said { traces: trace_ids.iter().copied().collect(), id: correlation_id.map(str::to_owned) });
        let mut found: Vec<LogRecord> = matching(connection, &segments, move |body, id| said.find(body, id)).await?;
        found.sort_by_key(|record| record.time);
        let is_more = found.len() > most;
        found.truncate(most);
        Ok((found, is_more))
    }
}

/// Which records are wanted.
struct Said {
    traces: HashSet<TraceId>,
    id: Option<String>,
}

impl Said {
    /// Those of a segment: few among many, so only their rows are read whole.
    fn find(&self, body: Bytes, id: i64) -> std::result::Result<Vec<LogRecord>, slowburn_storage::Error> {
        let wanted = Wanted { ids: self.id.is_some(), attributes: Some(Vec::new()), ..Wanted::default() };
        let (mut rows, mut first) = (Vec::new(), 0);
        for columns in log_columns(body.clone(), id, &wanted)? {
            rows.extend((0..columns.len()).filter(|row| self.is_wanted(&columns, *row)).map(|row| first + row));
            first += columns.len();
        }
        if rows.is_empty() { Ok(Vec::new()) } else { decode_log_rows(body, id, &rows) }
    }

    fn is_wanted(&self, columns: &LogColumns, row: usize) -> bool {
        columns.trace_id(row).is_some_and(|trace_id| self.traces.contains(&trace_id))
            || self.id.is_some() && columns.id(0, row) == self.id.as_deref()
    }
}
