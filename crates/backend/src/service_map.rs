//! The service map: what passes between services, from the edges counted by minute.

use slowburn_domain::service_map::layout::layout;
use slowburn_domain::service_map::{Edge, busiest, sort_worst_first};
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::ServiceMapPage;
use slowburn_storage::edge;

use crate::services::back;
use crate::{Backend, Result};

/// Services, and what they use, that are drawn: more than a screen can show legibly are listed alone.
const DRAWN: usize = 40;

impl Backend {
    /// What passed between `from` and `to`, in whole minutes, worst first; only what begins or ends at `service` if given.
    ///
    /// # Errors
    /// The database.
    pub async fn service_map(&self, service: Option<&str>, from: Timestamp, to: Timestamp) -> Result<Vec<Edge>> {
        let (first, last) = (from.minute(), to.minute());
        let seconds = f64::from(last.0 - first.0 + 1) * 60.0;
        let sums = {
            let mut connection = self.0.pool.acquire().await?;
            edge::between(&mut connection, &self.0.settings.bucket_numbers(), service, first, last).await?
        };
        let mut edges: Vec<Edge> = sums
            .into_iter()
            .map(|(key, sum)| {
                let count = sum.sketch.count();
                Edge {
                    kind: key.kind,
                    caller: key.caller,
                    callee: key.callee,
                    count,
                    rate_per_second: count as f64 / seconds,
                    errors: sum.errors,
                    error_ratio: sum.errors as f64 / count.max(1) as f64,
                    p95_ms: sum.sketch.quantile(0.95).map_or(0.0, |nanos| nanos / 1e6),
                }
            })
            .collect();
        sort_worst_first(&mut edges);
        Ok(edges)
    }

    /// The Service map page, over the last `back_seconds`.
    ///
    /// # Errors
    /// The database.
    pub async fn service_map_page(&self, back_seconds: u64, now: Timestamp) -> Result<ServiceMapPage> {
        let edges = self.service_map(None, back(now, back_seconds), now).await?;
        let waiting = {
            let mut connection = self.0.pool.acquire().await?;
            let (first, last) = (back(now, back_seconds).minute(), now.minute());
            edge::waiting(&mut connection, &self.0.settings.bucket_numbers(), first, last).await?
        };
        // The running minute and the one before it always wait.
        let waiting_minutes = waiting.saturating_sub(2);
        let (drawn, left_out) = busiest(&edges, DRAWN);
        Ok(ServiceMapPage { now, back_seconds, drawing: layout(&drawn), edges, left_out, waiting_minutes })
    }
}
