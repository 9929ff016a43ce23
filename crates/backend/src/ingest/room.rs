//! Bytes in flight: one budget for the whole process, so that however many senders come at once, they cost no more memory
//! than the setting says. A request takes room as its bytes arrive, before it is known how many there will be, and gives
//! it back when it is answered or given up.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Ingest, Refusal};

/// Bytes are counted in these units, so that the count fits a semaphore.
const UNIT: usize = 1_024;

/// The budget.
#[derive(Clone)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    units: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let units = bytes / UNIT;
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// Less than a quarter is free.
    pub(super) fn is_scarce(&self) -> bool {
        self.free.available_permits() < self.units / 4
    }

    fn room(&self) -> Result<Room, Refusal> {
        Arc::clone(&self.free).try_acquire_many_owned(0).map(Room).map_err(|_| Refusal::Busy)
    }
}

/// What one request has taken of the budget.
pub(crate) struct Room(OwnedSemaphorePermit);

impl Room {
    /// Takes what is missing to `bytes` in all.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let missing = bytes.div_ceil(UNIT).saturating_sub(self.0.num_permits());
        if missing > 0 {
            let missing = u32::try_from(missing).map_err(|_| Refusal::Busy)?;
            self.0.merge(Arc::clone(self.0.semaphore()).try_acquire_many_owned(missing).map_err(|_| Refusal::Busy)?);
        }
        Ok(())
    }
}

/// A request whose bytes are still arriving.
pub struct Arriving {
    bytes: BytesMut,
    room: Room,
    limit: usize,
}

impl Arriving {
    /// Nothing has come yet.
    ///
    /// # Errors
    /// The server is at its end.
    pub fn begin(ingest: &Ingest) -> Result<Self, Refusal> {
        Ok(Self { bytes: BytesMut::new(), room: ingest.budget().room()?, limit: ingest.request_bytes() })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// They would be more than a request may have, or more than there is room for now.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        let length = self.bytes.len() + chunk.len();
        if length > self.limit {
            return Err(Refusal::TooLarge { limit: self.limit });
        }
        self.room.grow(length)?;
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// How many bytes have come.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True as long as nothing has come.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn into_parts(self) -> (Bytes, Room) {
        (self.bytes.freeze(), self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_by_the_unit_never_twice_and_given_back() {
        let budget = Budget::new(4 * UNIT);
        let (mut first, mut second) = (budget.room().expect("room"), budget.room().expect("room"));
        for bytes in [1, UNIT, UNIT + 1, 3 * UNIT, 10] {
            assert_eq!(first.grow(bytes), Ok(()), "{bytes}");
        }
        assert_eq!(second.grow(UNIT), Ok(()));
        assert_eq!(second.grow(UNIT + 1), Err(Refusal::Busy));
        assert_eq!(first.grow(4 * UNIT), Err(Refusal::Busy));
        drop(second);
        assert!(!budget.is_scarce());
        assert_eq!(first.grow(4 * UNIT), Ok(()));
        assert!(budget.is_scarce());
    }
}
