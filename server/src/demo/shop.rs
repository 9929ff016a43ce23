//! The shop as a stream of spans in the order in which they end.
//!
//! Journeys are written whole when they begin; the shop keeps what has not ended yet and gives it out when its time has
//! come. History and live traffic are the same stream, read fast at first and then at the pace of the clock.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::time::{Duration, SystemTime};

use super::scenario;
use super::sink::{Finished, Sink};
use super::world::{World, unix_seconds};

/// The shop at one moment.
pub(super) struct Shop {
    world: World,
    /// The first second whose journeys have not been written.
    next_second: u64,
    pending: Pending,
    position: SystemTime,
}

impl Shop {
    /// A shop that is observed from `from` on: traces that began earlier are left out, but those who came earlier are in
    /// it already, so that orders, parcels and mails flow from the first minute.
    pub(super) fn observed_from(world: World, from: SystemTime) -> Self {
        let begun = unix_seconds(from).saturating_sub(scenario::LONGEST_VISIT.as_secs());
        Self { world, next_second: begun, pending: Pending { from, spans: BinaryHeap::new(), count: 0 }, position: from }
    }

    /// Up to when spans have been given out.
    pub(super) const fn position(&self) -> SystemTime {
        self.position
    }

    /// Goes on to `to` and gives out what has ended until then, in order of end.
    pub(super) fn advance(&mut self, to: SystemTime) -> Vec<Finished> {
        while SystemTime::UNIX_EPOCH + Duration::from_secs(self.next_second) <= to {
            scenario::play_second(&self.world, self.next_second, &mut self.pending);
            self.next_second += 1;
        }
        self.position = self.position.max(to);
        let mut ended = Vec::new();
        while let Some(first) = self.pending.spans.peek_mut()
            && first.0.finished.span.end_time <= to
        {
            ended.push(PeekMut::pop(first).0.finished);
        }
        ended
    }
}

/// Spans that have not ended, soonest first.
struct Pending {
    from: SystemTime,
    spans: BinaryHeap<Reverse<Ending>>,
    count: u64,
}

impl Sink for Pending {
    fn record(&mut self, finished: Finished) {
        if finished.trace_start >= self.from {
            self.spans.push(Reverse(Ending { number: self.count, finished }));
            self.count += 1;
        }
    }
}

/// A span by its end; the number keeps children before parents that end in the same instant.
struct Ending {
    number: u64,
    finished: Finished,
}

impl Ending {
    fn key(&self) -> (SystemTime, u64) {
        (self.finished.span.end_time, self.number)
    }
}

impl Ord for Ending {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Ending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ending {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Ending {}
