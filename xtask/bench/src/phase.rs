//! One load: requests sent at a pace or as fast as they are taken, and what that cost in time, processor, memory and disk.

use anyhow::Result;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::database::{self, Sizes};
use crate::machine::{self, Meter, Spent};
use crate::otlp::Request;
use crate::say;
use crate::send::{self, Sent};
use crate::server::Server;

/// What came of it.
pub(crate) struct Phase {
    pub(crate) sent: Sent,
    pub(crate) spent: Spent,
    pub(crate) grown: Sizes,
    pub(crate) peak_mib: f64,
}

impl Phase {
    /// Sends the requests to `url` and waits until the server's background work is done. `what` tells of them.
    pub(crate) async fn run(
        server: &Server,
        link: &mut PgConnection,
        url: &str,
        requests: Vec<Request>,
        pace: Option<f64>,
        what: &str,
    ) -> Result<Self> {
        let bytes: usize = requests.iter().map(|request| request.body.len()).sum();
        let records: usize = requests.iter().map(|request| request.records).sum();
        let how = pace.map_or_else(|| "as fast as they are taken".to_owned(), |pace| format!("at {pace:.0} a second"));
        say(&format!("sending {records} {what} ({} B each on the wire), {how}", bytes / records.max(1)));
        let before = database::sizes(link).await?;
        machine::forget_peak(server.pid());
        let meter = Meter::start(&server.watched())?;
        let sent = send::send(url, requests, pace).await?;
        let spent = meter.stop()?;
        let (_, peak_mib) = machine::memory_mib(server.pid())?;
        say(&format!("acknowledged {:.0} a second", sent.rate()));
        database::settled(link).await?;
        let grown = database::sizes(link).await?.since(&before);
        Ok(Self { sent, spent, grown, peak_mib })
    }

    pub(crate) fn disk_per_record(&self) -> f64 {
        self.grown.tables.values().sum::<i64>() as f64 / self.sent.records as f64
    }

    pub(crate) fn wal_per_record(&self) -> f64 {
        self.grown.wal as f64 / self.sent.records as f64
    }

    pub(crate) fn microseconds_per_record(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.sent.records as f64
    }

    /// For the name of a figure: what became of the pace, if it was not kept.
    pub(crate) fn shortfall(&self, pace: f64) -> String {
        if self.sent.rate() < pace * 0.97 { format!(" (only {:.0}/s)", self.sent.rate()) } else { String::new() }
    }

    pub(crate) fn detail(&self) -> Value {
        let Self { sent, spent, grown, peak_mib } = self;
        json!({
            "records": sent.records, "seconds": sent.seconds, "refusals": sent.refusals, "acknowledged_ms": sent.acknowledged,
            "processor_seconds": spent, "database_bytes": grown.database, "wal_bytes": grown.wal, "table_bytes": grown.tables,
            "peak_mib": peak_mib,
        })
    }
}
