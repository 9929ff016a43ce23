//! Room on disk: what takes it, and how much will be taken once as much is dropped as arrives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::number::{bytes, count, long_duration};
use crate::time::Timestamp;

/// Bytes on disk by what they hold, indexes included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUse {
    /// Raw records within retention.
    pub segments: u64,
    /// What finds them.
    pub indexes: u64,
    /// Records kept beyond retention.
    pub kept: u64,
    /// Counts of SLOs, operations and calls.
    pub counts: u64,
    /// The whole database.
    pub database: u64,
}

/// How much raw records will take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Bytes that arrive in a day at the pace of the last closed slots.
    pub bytes_per_day: u64,
    /// Bytes of the database once the oldest raw records are as old as the retention; after that it stays.
    pub database_bytes: u64,
}

impl Forecast {
    /// Slots whose pace counts: with twenty to forty in a retention, about the last tenth of it.
    const SLOTS: usize = 4;

    /// From the bytes of closed slots, oldest first; a slot may come several times, once for each part. `None` before a
    /// slot has closed.
    pub fn of(closed: &[(i32, u64)], slot_minutes: u32, retention_minutes: u32, usage: &StorageUse) -> Option<Self> {
        let mut by_slot: BTreeMap<i32, u64> = BTreeMap::new();
        for (slot, bytes) in closed {
            *by_slot.entry(*slot).or_default() += bytes;
        }
        // The first slot was open for a part of its time only.
        let newest: Vec<u64> = by_slot.values().skip(usize::from(by_slot.len() > 1)).rev().take(Self::SLOTS).copied().collect();
        if newest.is_empty() || slot_minutes == 0 {
            return None;
        }
        let per_minute = newest.iter().sum::<u64>() as f64 / (newest.len() as f64 * f64::from(slot_minutes));
        let raw_then = per_minute * f64::from(retention_minutes + slot_minutes);
        let others = usage.database.saturating_sub(usage.segments + usage.indexes);
        Some(Self { bytes_per_day: (per_minute * 1_440.0).round() as u64, database_bytes: others + raw_then.round() as u64 })
    }
}

/// What is stored, how much room it takes, and for how long it stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageReport {
    /// When it was read.
    pub now: Timestamp,
    /// How long raw records stay, minutes.
    pub retention_minutes: u32,
    /// Width of an arrival slot, minutes.
    pub slot_minutes: u32,
    /// Number of segments.
    pub segment_count: u64,
    /// Number of spans, those kept beyond retention included.
    pub span_count: u64,
    /// Bytes by what they hold.
    pub usage: StorageUse,
    /// What will be; `None` before the first slot has closed.
    pub forecast: Option<Forecast>,
}

impl StorageReport {
    /// How long raw records stay, how much room is taken and how much will be.
    pub fn sentence(&self) -> String {
        let retention = long_duration(f64::from(self.retention_minutes) * 60.0);
        let taken = bytes(self.usage.database);
        match self.forecast {
            None => format!(
                "Raw spans stay for {retention}. The database takes {taken}; how much it will take is known once the first {} minutes are over.",
                self.slot_minutes
            ),
            Some(forecast) if forecast.database_bytes <= self.usage.database => {
                format!("Raw spans stay for {retention}. The database takes {taken} and does not grow: as much is dropped as arrives.")
            }
            Some(forecast) => {
                format!(
                    "Raw spans stay for {retention}. The database takes {taken}; at the present pace it grows to {} and stays there.",
                    bytes(forecast.database_bytes)
                )
            }
        }
    }
}

/// How far counting the past of an SLO has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// Stored spans not looked at yet.
    pub remaining: u64,
    /// Stored spans in all.
    pub stored: u64,
}

impl Backfill {
    /// What it means for who reads the numbers.
    pub fn sentence(self) -> String {
        let done = self.stored.saturating_sub(self.remaining);
        format!(
            "Counting the past: {} of {} stored spans so far. The numbers below grow until all are counted.",
            count(done as f64),
            count(self.stored as f64)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_whether_it_grows() {
        let report = |forecast| StorageReport {
            now: Timestamp::from_seconds(0),
            retention_minutes: 360,
            slot_minutes: 20,
            segment_count: 1,
            span_count: 1,
            usage: usage(),
            forecast,
        };
        let growing = report(Some(Forecast { bytes_per_day: 1, database_bytes: 2_000_000 })).sentence();
        assert_eq!(growing, "Raw spans stay for 6 h. The database takes 1 kB; at the present pace it grows to 2 MB and stays there.");
        assert!(report(Some(Forecast { bytes_per_day: 1, database_bytes: 900 })).sentence().contains("does not grow"));
        assert!(report(None).sentence().contains("first 20 minutes"));
        let backfill = Backfill { remaining: 900_000, stored: 4_000_000 };
        assert!(backfill.sentence().starts_with("Counting the past: 3.1 M of 4 M stored spans"));
    }

    fn usage() -> StorageUse {
        StorageUse { segments: 600, indexes: 300, kept: 50, counts: 40, database: 1_000 }
    }

    #[test]
    fn steady_slots_fill_the_retention() {
        // Four closed slots of 20 minutes with 200 bytes each, the first one begun late.
        let closed = [(0, 10), (20, 150), (20, 50), (40, 200), (60, 200)];
        let forecast = Forecast::of(&closed, 20, 360, &usage()).expect("slots have closed");
        assert_eq!(forecast.bytes_per_day, 200 * 72);
        assert_eq!(forecast.database_bytes, 100 + 200 * 19);
    }

    #[test]
    fn nothing_is_said_before_a_slot_has_closed() {
        assert_eq!(Forecast::of(&[], 20, 360, &usage()), None);
    }
}
