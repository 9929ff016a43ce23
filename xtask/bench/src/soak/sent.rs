//! What was acknowledged, to be looked for.

use std::collections::BTreeMap;

use crate::lines::{Line, Speech};
use crate::said::ERROR;
use crate::spans::Workload;

use super::door::SIGNALS;

/// What was acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) workloads: Vec<Workload>,
    pub(super) otlp: Vec<Spoken>,
    pub(super) ecs: Vec<Spoken>,
    pub(super) points: Points,
    /// Ids of events, and whether each tells of a failure.
    pub(super) events: Vec<(String, bool)>,
    /// By agent: heartbeats acknowledged, and attempts that were not and may yet have been counted.
    pub(super) beats: BTreeMap<&'static str, (u64, u64)>,
    /// Records by signal.
    pub(super) records: [u64; SIGNALS],
    /// Answers that were no acknowledgement, by signal.
    pub(super) retries: [u64; SIGNALS],
}

impl Sent {
    pub(super) fn add(&mut self, other: Self) {
        self.workloads.extend(other.workloads);
        self.otlp.extend(other.otlp);
        self.ecs.extend(other.ecs);
        self.points.add(&other.points);
        self.events.extend(other.events);
        for (agent, (heard, unsure)) in other.beats {
            let own = self.beats.entry(agent).or_default();
            own.0 += heard;
            own.1 += unsure;
        }
        for signal in 0..SIGNALS {
            self.records[signal] += other.records[signal];
            self.retries[signal] += other.retries[signal];
        }
    }
}

/// Lines of a speech.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) speech: Speech,
    /// Without those of severity error.
    pub(super) is_sound: bool,
}

impl Spoken {
    pub(super) fn lines(self) -> impl Iterator<Item = Line> {
        self.speech.lines().filter(move |line| !self.is_sound || line.severity < ERROR)
    }
}

/// Points of counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Points {
    /// Sum of all deltas.
    pub(super) deltas: u64,
    /// What the cumulative counters rose by.
    pub(super) rose: u64,
    /// The same of failures alone.
    pub(super) failed: u64,
    /// Acknowledged when the minute in which they lie had closed.
    pub(super) late: u64,
    /// Time of the last one, Unix nanoseconds.
    pub(super) last_ns: u64,
}

impl Points {
    fn add(&mut self, other: &Self) {
        self.deltas += other.deltas;
        self.rose += other.rose;
        self.failed += other.failed;
        self.late += other.late;
        self.last_ns = self.last_ns.max(other.last_ns);
    }
}
