//! Telemetry in.
//!
//! A request is decompressed and decoded on a codec thread ([`payload`], `otlp`), cleaned ([`redaction`]) and read for
//! the IDs people search by ([`correlation`]), and waits in the lane of its bucket (`lane`). The lane writes what has
//! gathered in one transaction (`flush`); only then is the request answered. What was answered is in the database;
//! what was not, the sender still has. A crash loses no acknowledged record, and a retry is recognised by its key.

pub mod correlation;
pub(crate) mod flush;
mod json;
mod lane;
mod otlp;
pub mod payload;
pub(crate) mod prepare;
pub mod redaction;
mod sli_set;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics::counter;
use slowburn_domain::span::{Span, Status};
use slowburn_domain::time::Timestamp;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use flush::chain;
pub use payload::{Compression, Format, Payload};
pub use sli_set::{Sli, SliSet};

use crate::clock::Clock;
use crate::settings::Settings;
use correlation::IdReader;
use lane::{Lanes, Work};
use redaction::Redactor;

/// What became of an accepted request. Every record not named as rejected is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Records stored, or stored before under the same key.
    pub accepted: u64,
    /// Records refused for a fault of their own.
    pub rejected: u64,
    /// Why, with the path of each of the first faults.
    pub reason: String,
}

/// Why a request as a whole was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read; sending it again will not help.
    #[error("{0}")]
    Malformed(String),
    /// Larger than allowed after decompression.
    #[error("the request is larger than {limit} bytes after decompression")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
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
    in_flight: Arc<Semaphore>,
    redactor: Redactor,
    ids: IdReader,
    lanes: Lanes,
    writer: flush::Writer,
    slis: Arc<RwLock<Arc<SliSet>>>,
}

/// Bytes in flight are counted in these units, so that the count fits a semaphore.
const UNIT: usize = 1_024;

impl Ingest {
    /// Starts the lanes. They end, with everything that waits written, when `stop` is cancelled.
    pub fn start(pool: PgPool, settings: Arc<Settings>, clock: Clock, slis: SliSet, stop: &CancellationToken) -> Self {
        let slis = Arc::new(RwLock::new(Arc::new(slis)));
        let codec = Arc::new(Semaphore::new(settings.codec_threads.max(1)));
        let writer = flush::Writer::new(pool, Arc::clone(&settings), clock.clone(), Arc::clone(&slis));
        Self(Arc::new(Inner {
            codec,
            lately: parking_lot::Mutex::default(),
            in_flight: Arc::new(Semaphore::new(settings.in_flight_bytes / UNIT)),
            redactor: Redactor::new(&settings.redacted_keys, settings.redact_emails),
            ids: IdReader::new(&settings.correlation_attributes),
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
        let outcome = self.store(payload).await;
        match &outcome {
            Ok(accepted) => {
                counter!("slowburn_ingest_requests_total", "outcome" => "accepted").increment(1);
                counter!("slowburn_spans_accepted_total").increment(accepted.accepted);
                counter!("slowburn_spans_rejected_total").increment(accepted.rejected);
            }
            Err(refusal) => {
                let outcome = match refusal {
                    Refusal::Malformed(_) => "malformed",
                    Refusal::TooLarge { .. } => "too_large",
                    Refusal::Busy => "busy",
                    Refusal::Unavailable => "unavailable",
                };
                counter!("slowburn_ingest_requests_total", "outcome" => outcome).increment(1);
            }
        }
        outcome
    }

    async fn store(&self, payload: Payload) -> Result<Accepted, Refusal> {
        let inner = &self.0;
        // Room for the message as it came is taken before anything is read, for what decompression adds afterwards.
        let mut room = inner.room(payload.bytes.len())?;
        let turn = inner.codec.acquire().await.map_err(|_| Refusal::Unavailable)?;
        let this = Arc::clone(inner);
        let (decoded, room) = tokio::task::spawn_blocking(move || {
            let compressed = payload.bytes.len();
            let message = payload.decompress(this.settings.request_bytes)?;
            room.merge(this.room(message.len().saturating_sub(compressed))?);
            Ok::<_, Refusal>((this.decode(&message, payload.format)?, room))
        })
        .await
        .map_err(|_| Refusal::Unavailable)??;
        drop(turn);
        let accepted = Accepted { accepted: decoded.spans.len() as u64, rejected: decoded.rejected, reason: decoded.reason };
        if decoded.spans.is_empty() {
            return Ok(accepted);
        }
        let has_error = decoded.spans.iter().any(|span| span.status == Status::Error);
        inner.lanes.submit(Work { key: decoded.key, spans: decoded.spans, bytes: decoded.bytes, has_error, room }).await?;
        Ok(accepted)
    }

    /// Replaces the SLIs that records are matched against. When this returns, no flush of this process uses older ones.
    pub async fn use_slis(&self, slis: SliSet) {
        let mut current = self.0.slis.write().await;
        if slis.version >= current.version {
            *current = Arc::new(slis);
        }
    }

    /// Version of the SLIs in use.
    pub async fn sli_version(&self) -> i32 {
        self.0.slis.read().await.version
    }

    /// Waits until everything that was waiting when `stop` was cancelled has been written.
    pub async fn drained(&self) {
        self.0.lanes.drained().await;
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

struct Decoded {
    key: Uuid,
    bytes: usize,
    spans: Vec<Span>,
    rejected: u64,
    reason: String,
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

    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| Refusal::TooLarge { limit: self.settings.request_bytes })?;
        Arc::clone(&self.in_flight).try_acquire_many_owned(units).map_err(|_| Refusal::Busy)
    }

    fn decode(&self, message: &[u8], format: Format) -> Result<Decoded, Refusal> {
        let request = match format {
            Format::Protobuf => otlp::from_protobuf(message)?,
            Format::Json => json::from_json(message)?,
        };
        let mut faults = request.faults;
        let mut redacted = 0;
        let mut spans =
            otlp::spans(request.message, self.clock.now(), &mut faults, |resource| redacted += self.redactor.attributes(resource));
        for span in &mut spans {
            redacted += self.redactor.clean(span);
            self.ids.read(span);
        }
        counter!("slowburn_redacted_values_total").increment(redacted);
        self.note(faults.count(), redacted);
        Ok(Decoded {
            key: payload::key(b"traces", message),
            bytes: message.len(),
            spans,
            rejected: faults.count(),
            reason: faults.into_reason(),
        })
    }
}
