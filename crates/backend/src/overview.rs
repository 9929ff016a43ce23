//! What the Overview page shows.

use slowburn_domain::service_map::Edge;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{Arrivals, OverviewPage};
use slowburn_storage::trace;

use crate::{Backend, Result};

/// Failed traces shown.
const FAILED_TRACES: u16 = 8;

/// Open incidents shown.
const OPEN_INCIDENTS: u16 = 10;

/// Calls shown that fail.
const FAILING_CALLS: usize = 5;
/// Over which time, seconds.
const CALLS_SECONDS: i64 = 3_600;

impl Backend {
    /// How everything stands: every SLO worst first, what arrived in the last sixty seconds, the newest failures.
    ///
    /// # Errors
    /// The database.
    pub async fn overview(&self, now: Timestamp) -> Result<OverviewPage> {
        let slos = self.slo_rows(None, now).await?.into_iter().map(|(_, row)| row).collect();
        let from = now.plus_seconds(-60);
        let mut connection = self.0.pool.acquire().await?;
        let buckets = self.0.settings.bucket_numbers();
        let from_slot = self.0.settings.slot_of(from.minute());
        let [(spans, errors), (logs, error_logs)] = trace::arrived(&mut connection, &buckets, from, from_slot).await?;
        let has_telemetry = spans + logs > 0 || trace::any_stored(&mut connection).await?;
        drop(connection);
        let (refused, redacted) = self.0.ingest.since(from);
        let failed_traces = if has_telemetry { self.failed_traces(FAILED_TRACES, now).await? } else { Vec::new() };
        let incidents = self.incidents(None, Some(true), None, OPEN_INCIDENTS).await?;
        let mut failing_calls = self.service_map(None, now.plus_seconds(-CALLS_SECONDS), now).await?;
        failing_calls.retain(Edge::is_unhealthy);
        failing_calls.truncate(FAILING_CALLS);
        Ok(OverviewPage {
            now,
            slos,
            incidents,
            failing_calls,
            arrivals: Arrivals { spans, errors, logs, error_logs, refused, redacted },
            failed_traces,
            otlp_http: self.0.otlp_http.clone(),
            has_telemetry,
        })
    }

    /// Whether anything is stored.
    ///
    /// # Errors
    /// The database.
    pub async fn has_telemetry(&self) -> Result<bool> {
        let mut connection = self.0.pool.acquire().await?;
        Ok(trace::any_stored(&mut connection).await?)
    }
}
