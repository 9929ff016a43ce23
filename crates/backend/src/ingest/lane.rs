//! Lanes: one bounded queue and one writer per bucket.
//!
//! A lane starts its next flush as soon as the previous one has ended and something waits; while a flush runs, the next
//! batch gathers by itself. An idle lane waits a moment for company. Waiting records are bounded, and a quarter of the
//! room is kept for requests that hold an error, so that an overload does not hide what went wrong.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::Refusal;
use super::flush::Writer;
use super::records::Records;
use super::room::Room;
use crate::settings::Settings;

/// How long an idle lane waits for more before it writes.
const COMPANY: Duration = Duration::from_millis(5);

/// A decoded request on its way to a lane.
pub(super) struct Work {
    pub(super) key: Uuid,
    pub(super) records: Records,
    pub(super) bytes: usize,
    pub(super) has_error: bool,
    pub(super) room: Room,
}

/// A request in a lane, and who waits for it.
pub(super) struct Waiting {
    pub(super) key: Uuid,
    pub(super) records: Records,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Result<(), Refusal>>,
    /// Given back when the request is answered.
    _room: Room,
    _place: OwnedSemaphorePermit,
}

struct Lane {
    queue: mpsc::UnboundedSender<Waiting>,
    places: Arc<Semaphore>,
}

pub(super) struct Lanes {
    lanes: Vec<Lane>,
    places: usize,
    tasks: TaskTracker,
}

impl Lanes {
    pub(super) fn start(settings: &Settings, writer: &Writer, stop: &CancellationToken) -> Self {
        let tasks = TaskTracker::new();
        let lanes = (0..settings.buckets)
            .map(|bucket| {
                // The semaphore bounds what the queue holds.
                let (queue, receiver) = mpsc::unbounded_channel();
                tasks.spawn(run(
                    writer.clone(),
                    bucket.cast_signed(),
                    receiver,
                    settings.flush_records,
                    settings.flush_bytes,
                    stop.clone(),
                ));
                Lane { queue, places: Arc::new(Semaphore::new(settings.lane_records)) }
            })
            .collect();
        tasks.close();
        Self { lanes, places: settings.lane_records, tasks }
    }

    /// Queues a request in the lane of its bucket and waits for the commit.
    pub(super) async fn submit(&self, work: Work) -> Result<(), Refusal> {
        let bucket = (work.key.as_u128() % self.lanes.len() as u128) as usize;
        let lane = &self.lanes[bucket];
        // A request larger than the lane takes the whole of it.
        let wanted = work.records.len().min(self.places);
        let kept = if work.has_error || wanted == self.places { 0 } else { self.places / 4 };
        if lane.places.available_permits() < wanted + kept {
            return Err(Refusal::Busy);
        }
        let wanted = u32::try_from(wanted).map_err(|_| Refusal::Busy)?;
        let place = Arc::clone(&lane.places).try_acquire_many_owned(wanted).map_err(|_| Refusal::Busy)?;
        let (answer, stored) = oneshot::channel();
        let waiting = Waiting { key: work.key, records: work.records, bytes: work.bytes, answer, _room: work.room, _place: place };
        lane.queue.send(waiting).map_err(|_| Refusal::Unavailable)?;
        stored.await.unwrap_or(Err(Refusal::Unavailable))
    }

    pub(super) fn waiting_records(&self) -> usize {
        self.lanes.iter().map(|lane| self.places - lane.places.available_permits()).sum()
    }

    pub(super) async fn drained(&self) {
        self.tasks.wait().await;
    }
}

async fn run(
    writer: Writer,
    bucket: i16,
    mut queue: mpsc::UnboundedReceiver<Waiting>,
    most_records: usize,
    most_bytes: usize,
    stop: CancellationToken,
) {
    let mut carried: Option<Waiting> = None;
    loop {
        let first = match carried.take() {
            Some(waiting) => waiting,
            None => match queue.try_recv() {
                Ok(waiting) => waiting,
                Err(_) => {
                    let next = tokio::select! {
                        next = queue.recv() => next,
                        () = stop.cancelled() => {
                            // Whoever got in before the end is still written.
                            queue.close();
                            queue.recv().await
                        }
                    };
                    let Some(waiting) = next else { return };
                    if !stop.is_cancelled() {
                        tokio::time::sleep(COMPANY).await;
                    }
                    waiting
                }
            },
        };
        let (mut records, mut bytes) = (first.records.len(), first.bytes);
        let mut batch = vec![first];
        while let Ok(waiting) = queue.try_recv() {
            if records + waiting.records.len() > most_records || bytes + waiting.bytes > most_bytes {
                carried = Some(waiting);
                break;
            }
            records += waiting.records.len();
            bytes += waiting.bytes;
            batch.push(waiting);
        }
        writer.write(bucket, batch).await;
    }
}
