//! Telemetry in.
//!
//! A request takes room as its bytes arrive ([`room`]). It is decompressed and decoded on a codec thread ([`payload`],
//! [`decode`]), cleaned ([`redaction`]) and read for the IDs people search by ([`correlation`]), and waits in the lane of
//! its bucket (`lane`). The lane writes what has gathered in one transaction (`flush`); only then is the request answered. What was answered is in the database;
//! what was not, the sender still has. A crash loses no acknowledged record, and a retry is recognised by its key.

pub mod correlation;
pub mod decode;
mod ecs;
pub(crate) mod flush;
mod intake;
mod json;
mod json_log;
mod json_metric;
mod json_span;
pub(crate) mod json_tree;
mod lane;
mod log;
mod metric;
pub mod payload;
pub(crate) mod prepare;
mod protobuf;
mod records;
pub mod redaction;
pub mod room;
mod sampling;
mod series;
mod sli_set;
mod span;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::counter;
use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::time::Timestamp;
use sqlx::PgPool;
use tokio::sync::{OwnedRwLockReadGuard, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;

pub(crate) use flush::chain;
pub(crate) use flush::{ADMISSIONS, Admit};
pub use payload::{Compression, Format, Payload};
pub use records::{Points, Records};
pub use room::Arriving;
pub use sampling::SamplingRule;
pub use series::Overflow;
pub use sli_set::{Counted, Grouping, Sli, SliSet, Unknown};

use crate::clock::Clock;
use crate::settings::Settings;
use decode::{Decoded, Decoder};
use lane::{Lanes, Work};
use room::{Budget, Room};

/// What became of an accepted request. Every record not named as rejected is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Records stored, or stored before under the same key.
    pub accepted: u64,
    /// Records refused for a fault of their own.
    pub rejected: u64,
    /// Why, with the path of each of the first faults.
    pub reason: String,
    /// The first faults one by one, of a form whose answer has a place for them.
    pub faults: Vec<Rejected>,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Which one of the request, from 0.
    pub index: usize,
    /// The field that is wrong.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a request as a whole was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read; sending it again will not help.
    #[error("{0}")]
    Malformed(FieldFault),
    /// Larger than allowed after decompression.
    #[error("the request is larger than {limit} bytes after decompression")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Small on the wire and beyond bounds in memory.
    #[error("the records of the request would take more than {heaviest} bytes of memory, {} times what a request may have; send fewer at once", heaviest / limit.max(&1))]
    TooHeavy {
        /// Most bytes of a request.
        limit: usize,
        /// Most bytes of memory.
        heaviest: usize,
    },
    /// It stopped coming.
    #[error("the body stood still for too long; try again")]
    Stalled,
    /// Too much waits already; the sender should try again.
    #[error("too much is waiting to be stored; try again in a second")]
    Busy,
    /// The database did not take it; the sender should try again.
    #[error("the database did not take the records; try again in a second")]
    Unavailable,
}

/// The door of telemetry. Cheap to clone.
#[derive(Clone)]
pub struct Ingest(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    clock: Clock,
    lately: parking_lot::Mutex<BTreeMap<i64, (u64, u64)>>,
    codec: Arc<Semaphore>,
    in_flight: Budget,
    decoder: Decoder,
    lanes: Lanes,
    writer: flush::Writer,
    slis: Arc<RwLock<Arc<SliSet>>>,
}

impl Ingest {
    /// Starts the lanes. They end, with everything that waits written, when `stop` is cancelled.
    pub fn start(pool: PgPool, settings: Arc<Settings>, clock: Clock, slis: SliSet, stop: &CancellationToken) -> Self {
        let slis = Arc::new(RwLock::new(Arc::new(slis)));
        let codec = Arc::new(Semaphore::new(settings.codec_threads.max(1)));
        let writer = flush::Writer::new(pool, Arc::clone(&settings), clock.clone(), Arc::clone(&slis));
        Self(Arc::new(Inner {
            codec,
            lately: parking_lot::Mutex::default(),
            in_flight: Budget::new(settings.in_flight_bytes),
            decoder: Decoder::new(&settings),
            lanes: Lanes::start(&settings, &writer, stop),
            writer,
            slis,
            settings,
            clock,
        }))
    }

    /// Stores the spans of one OTLP request. Returns after the commit.
    ///
    /// # Errors
    /// The request as a whole could not be stored; nothing of it was.
    pub async fn traces(&self, payload: Payload) -> Result<Accepted, Refusal> {
        self.take(Telemetry::Spans, payload).await
    }

    /// Stores the log records of one request. Returns after the commit.
    ///
    /// # Errors
    /// As for [`Self::traces`].
    pub async fn logs(&self, payload: Payload) -> Result<Accepted, Refusal> {
        self.take(Telemetry::Logs, payload).await
    }

    /// Stores the points of one OTLP request of metrics. Returns after the commit.
    ///
    /// # Errors
    /// As for [`Self::traces`].
    pub async fn metrics(&self, payload: Payload) -> Result<Accepted, Refusal> {
        self.take(Telemetry::Metrics, payload).await
    }

    /// Metrics of which points were refused because they had too many series, with how many points, since the slot began.
    pub fn overflows(&self) -> Vec<(Overflow, u64)> {
        self.0.decoder.series().overflows()
    }

    /// Counts series that were active in the running slot when this process started.
    pub(crate) fn know_series(&self, slot: i32, known: Vec<(String, String, i64)>) {
        self.0.decoder.series().know(slot, known);
    }

    async fn take(&self, signal: Telemetry, payload: Payload) -> Result<Accepted, Refusal> {
        let mut arriving = Arriving::begin(self)?;
        self.counted(arriving.push(&payload.bytes))?;
        self.arrived(signal, arriving, payload.compression, payload.format).await
    }

    /// The same of a request that has arrived to its end.
    ///
    /// # Errors
    /// As for [`Self::traces`].
    pub async fn arrived(
        &self,
        signal: Telemetry,
        arrived: Arriving,
        compression: Compression,
        format: Format,
    ) -> Result<Accepted, Refusal> {
        let (bytes, room) = arrived.into_parts();
        let outcome = self.counted(self.store(signal, Payload { bytes, compression, format }, room).await);
        if let Ok(accepted) = &outcome {
            counter!("slowburn_ingest_requests_total", "outcome" => "accepted").increment(1);
            let (taken, refused) = match signal {
                Telemetry::Spans => ("slowburn_spans_accepted_total", "slowburn_spans_rejected_total"),
                Telemetry::Logs => ("slowburn_log_records_accepted_total", "slowburn_log_records_rejected_total"),
                Telemetry::Metrics => ("slowburn_metric_points_accepted_total", "slowburn_metric_points_rejected_total"),
            };
            counter!(taken).increment(accepted.accepted);
            counter!(refused).increment(accepted.rejected);
        }
        outcome
    }

    /// Counts a request that was refused, wherever on its way.
    ///
    /// # Errors
    /// Those of `outcome`.
    pub fn counted<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        if let Err(refusal) = &outcome {
            let outcome = match refusal {
                Refusal::Malformed(_) => "malformed",
                Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => "too_large",
                Refusal::Stalled => "stalled",
                Refusal::Busy => "busy",
                Refusal::Unavailable => "unavailable",
            };
            counter!("slowburn_ingest_requests_total", "outcome" => outcome).increment(1);
        }
        outcome
    }

    async fn store(&self, signal: Telemetry, payload: Payload, mut room: Room) -> Result<Accepted, Refusal> {
        let inner = &self.0;
        let turn = Arc::clone(&inner.codec).acquire_owned().await.map_err(|_| Refusal::Unavailable)?;
        let this = Arc::clone(inner);
        let now = inner.clock.now();
        let (decoded, room) = tokio::task::spawn_blocking(move || {
            // Held by the work and not by who waits for it: a sender that hangs up must not make place for the next one
            // before the work for it has ended.
            let _turn = turn;
            let message = payload.decompress(this.settings.request_bytes)?;
            room.grow(message.len())?;
            // Senders come faster than we decode. What holds an error goes first, and the rest is put off before it costs
            // a decoding; of JSON that is known only afterwards, by its lane.
            if this.in_flight.is_scarce() && payload.format == Format::Protobuf && !protobuf::holds_error(&message, signal) {
                return Err(Refusal::Busy);
            }
            let decoded = this.decoder.decode(&message, signal, payload.format, now)?;
            room.grow(decoded.cost)?;
            Ok::<_, Refusal>((decoded, room))
        })
        .await
        .map_err(|_| Refusal::Unavailable)??;
        counter!("slowburn_redacted_values_total").increment(decoded.redacted);
        inner.note(decoded.rejected, decoded.redacted);
        let Decoded { key, records, rejected, reason, faults, cost, .. } = decoded;
        let accepted = Accepted { accepted: records.len() as u64, rejected, reason, faults };
        if records.is_empty() {
            return Ok(accepted);
        }
        let has_error = records.hold_error();
        inner.lanes.submit(Work { key, records, bytes: cost, has_error, room }).await?;
        Ok(accepted)
    }

    /// Does work for which one waits for a codec's turn.
    pub(crate) async fn on_codec<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Decoder) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.0.codec).acquire_owned().await.map_err(|_| Refusal::Unavailable)?;
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&inner.decoder)
        });
        done.await.map_err(|_| Refusal::Unavailable)?
    }

    fn budget(&self) -> &Budget {
        &self.0.in_flight
    }

    /// Most bytes of one request after decompression.
    pub fn request_bytes(&self) -> usize {
        self.0.settings.request_bytes
    }

    /// Replaces the SLIs that records are matched against. When this returns, no flush of this process uses older ones.
    pub async fn use_slis(&self, slis: SliSet) {
        let mut current = self.0.slis.write().await;
        if slis.version >= current.version {
            *current = Arc::new(slis);
        }
    }

    /// Says who gives values their groups.
    pub(crate) fn use_admission(&self, admit: Admit) {
        self.0.writer.use_admission(admit);
    }

    /// The SLIs in use, for whoever counts in a transaction of his own: held to the end of its commit, and taken before it begins, so
    /// that nobody waits for them who holds a row.
    pub(crate) async fn hold_slis(&self) -> OwnedRwLockReadGuard<Arc<SliSet>> {
        Arc::clone(&self.0.slis).read_owned().await
    }

    /// Has values given their groups, for whoever counts in a transaction of his own. Call it without holding the SLIs.
    pub(crate) async fn admit(&self, unknown: Unknown) -> std::result::Result<(), slowburn_storage::Error> {
        self.0.writer.admit(unknown).await
    }

    /// Version of the SLIs in use.
    pub async fn sli_version(&self) -> i32 {
        self.0.slis.read().await.version
    }

    /// Waits until everything that was waiting when `stop` was cancelled has been written.
    pub async fn drained(&self) {
        self.0.lanes.drained().await;
    }

    /// Tells of records that were stored elsewhere than in segments.
    pub(crate) fn add_stored(&self, records: u64) {
        self.0.writer.add_stored(records);
    }

    /// Records stored by this process since this was last asked.
    pub(crate) fn take_stored(&self) -> u64 {
        self.0.writer.take_stored()
    }

    /// Spans refused and values redacted by this process since an instant of the last minute.
    pub fn since(&self, from: Timestamp) -> (u64, u64) {
        self.0.lately.lock().range(from.seconds()..).fold((0, 0), |sum, (_, counts)| (sum.0 + counts.0, sum.1 + counts.1))
    }

    /// Records that wait to be written.
    pub fn waiting_records(&self) -> usize {
        self.0.lanes.waiting_records()
    }
}

impl Inner {
    /// Remembers what was refused and redacted, second by second for the last minute.
    fn note(&self, refused: u64, redacted: u64) {
        let second = self.clock.now().seconds();
        let mut lately = self.lately.lock();
        let counts = lately.entry(second).or_default();
        counts.0 += refused;
        counts.1 += redacted;
        lately.retain(|known, _| known + 60 >= second);
    }
}
