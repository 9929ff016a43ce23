//! What the Logs page shows.

use slowburn_domain::log::{LEVELS, LogLine, LogRecord};
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::query::FieldFault;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{LogBar, LogsPage};
use slowburn_storage::trace;

use super::FoundLogs;
use crate::{Backend, Error, Result};

/// Intervals of the histogram over the list.
const HISTOGRAM_BARS: i64 = 60;

impl Backend {
    /// The Logs page. Faults of single parameters are shown beside what could be read.
    ///
    /// # Errors
    /// The database.
    pub async fn logs_page(&self, query: LogQuery, mut faults: Vec<FieldFault>, now: Timestamp) -> Result<LogsPage> {
        let found = match self.find_logs(&query, now).await {
            Err(Error::Invalid(more)) => {
                faults.extend(more);
                FoundLogs::default()
            }
            other => other?,
        };
        let services = {
            let mut connection = self.0.pool.acquire().await?;
            trace::services(&mut connection, &self.0.settings.bucket_numbers()).await?
        };
        let next = found.next.map(|cursor| LogQuery { cursor: Some(cursor), ..query.clone() });
        let (histogram_step_seconds, histogram) = histogram(&found.items);
        let items = found.items.iter().map(LogLine::from).collect();
        let views = self.saved_views(SearchPage::Logs).await?;
        let searched_to = found.searched_to;
        Ok(LogsPage { now, query, faults, searched_to, items, next, histogram, histogram_step_seconds, services, views })
    }
}

/// Evenly spaced counts from the oldest to the newest record of a list, with the length of an interval in seconds.
fn histogram(items: &[LogRecord]) -> (f64, Vec<LogBar>) {
    let (Some(first), Some(last)) = (items.iter().map(|r| r.time).min(), items.iter().map(|r| r.time).max()) else {
        return (0.0, Vec::new());
    };
    let step = (last.since(first) / HISTOGRAM_BARS + 1).max(1_000_000);
    let mut bars: Vec<LogBar> =
        (0..=last.since(first) / step).map(|index| LogBar { start: first.plus_nanos(index * step), counts: [0; LEVELS.len()] }).collect();
    for record in items {
        if let Some(bar) = bars.get_mut((record.time.since(first) / step) as usize) {
            bar.counts[record.severity.level().unwrap_or(DEFAULT_LEVEL)] += 1;
        }
    }
    (step as f64 / 1e9, bars)
}

/// Records without a severity are counted as `info`.
const DEFAULT_LEVEL: usize = 2;
