//! What was logged in some traces, or with one correlation ID.

use std::collections::HashSet;

use slowburn_domain::id::TraceId;
use slowburn_domain::log::LogRecord;
use slowburn_storage::log;
use slowburn_storage::segment::decode_logs;
use slowburn_storage::trace::{self, Extent, IdKind};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Backend, Error, Result};

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
        let traces: HashSet<TraceId> = trace_ids.iter().copied().collect();
        let id = correlation_id.map(str::to_owned);
        let mut found: Vec<LogRecord> = Vec::new();
        for Extent { segment, .. } in segments {
            let Some(body) = trace::segment_body(connection, segment).await? else { continue };
            let records = tokio::task::spawn_blocking(move || decode_logs(body, segment.id));
            let records = records.await.map_err(|fault| Error::Internal(Box::new(fault)))??;
            found.extend(records.into_iter().filter(|record| {
                record.trace_id.is_some_and(|trace_id| traces.contains(&trace_id)) || id.is_some() && record.correlation_id == id
            }));
        }
        found.sort_by_key(|record| record.time);
        let is_more = found.len() > most;
        found.truncate(most);
        Ok((found, is_more))
    }
}
