//! SLIs that an external Prometheus knows about: its raw samples are fetched, and the differences are taken here, so that counts
//! stay whole numbers.
//!
//! One instance, the holder of a lease, counts (`round`). For each SLI it asks for the samples of closed minutes (`client`,
//! `answer`), makes counts of them (`tally`) and writes these with how far it has come in one transaction. A new SLI begins with
//! its window, so that its past is counted like an outage is caught up with: an hour at a time, oldest first. A minute is closed a
//! minute after its end, by our clock and by Prometheus's own. A sample that arrives later is not looked at; what its counter rose
//! by is in the difference to the next sample and counts there.
//!
//! What a silent Prometheus does not tell is not counted, and so the SLO becomes unmeasured by itself.

mod answer;
mod client;
mod connection;
mod query;
mod round;
mod standing;
mod tally;

use std::fmt;

pub use connection::Connection;
pub(crate) use connection::Credentials;
pub use query::CounterQuery;
pub(crate) use round::Memory;

/// What is counted, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Counters {
    /// The Prometheus.
    pub source: Connection,
    /// All events.
    pub total: CounterQuery,
    /// The good ones of them, or the bad ones.
    pub part: CounterQuery,
    /// Whether `part` says which are good.
    pub is_good: bool,
}

/// What is counted, in a form that changes when and only when the counting does. A source that has moved is the same.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, total, part, is_good } = self;
        write!(f, "prometheus {}\n{total}\n{} {part}", source.name, if *is_good { "good" } else { "bad" })
    }
}
