//! From samples to counts: differences to the last value of each series, whole events by the minute.
//!
//! The last values are kept, so that a series which was silent for a while, or whose Prometheus was, goes on where it stopped.
//! One that is silent for [`REMEMBERED`] minutes in which others were heard is forgotten: its pod is gone. Minutes in which
//! nothing is heard at all forget nothing.

use std::collections::{BTreeMap, BTreeSet};

use slowburn_domain::counter::{Rest, Rises, Sample, add_rises};
use slowburn_domain::slo::Counts;
use slowburn_domain::time::Minute;

use super::answer::Series;

/// For how many minutes in which others of the query are heard a series is remembered.
const REMEMBERED: u32 = 1_440;
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 8;
const ENTRY_BYTES: usize = 28;

/// The last values of the series of one query.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    /// Minutes in which any of them was heard.
    heard: u32,
    /// By key: the last value, and what `heard` was then.
    last: BTreeMap<u128, (f64, u32)>,
}

/// What an SLI remembers between two readings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    total: Known,
    part: Known,
    pub(super) rest: Rest,
    /// The last minute in which the part was more than the total.
    pub(super) exceeded: Option<Minute>,
}

impl Tally {
    /// Counts what was read of the minutes from `from` on, before `to`. A minute in which the total was heard is there even if
    /// nothing happened in it: its source was alive.
    pub(super) fn count(&mut self, total: &[Series], part: &[Series], from: Minute, to: Minute, is_good: bool) -> Vec<(Minute, Counts)> {
        let total = self.total.rises(total, from, to);
        let part = self.part.rises(part, from, to);
        // Rounding may make a little more of the sum of some fractions than of the sum of all.
        let exceeds = |minute: Minute, part: f64| part > total.get(&minute).copied().unwrap_or_default() * (1.0 + 1e-9) + 1e-9;
        self.exceeded = part.iter().rev().find(|(minute, part)| exceeds(**minute, **part)).map(|(minute, _)| *minute).or(self.exceeded);
        let counted = total.iter().map(|(minute, total)| {
            let part = part.get(minute).copied().unwrap_or_default();
            (*minute, self.rest.count(*total, part, is_good))
        });
        counted.collect()
    }

    /// The last values as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for known in [&self.total, &self.part] {
            bytes.extend_from_slice(&known.heard.to_le_bytes());
            bytes.extend_from_slice(&(known.last.len() as u32).to_le_bytes());
            for (key, (value, heard)) in &known.last {
                bytes.extend_from_slice(&key.to_le_bytes());
                bytes.extend_from_slice(&value.to_le_bytes());
                bytes.extend_from_slice(&heard.to_le_bytes());
            }
        }
        bytes
    }

    /// The same again; no bytes are nothing known. `None` when they were written by another version.
    pub(super) fn from_bytes(bytes: &[u8], rest: Rest, exceeded: Option<Minute>) -> Option<Self> {
        let mut tally = Self { rest, exceeded, ..Self::default() };
        let Some((format, mut left)) = bytes.split_first() else { return Some(tally) };
        if *format != FORMAT {
            return None;
        }
        for known in [&mut tally.total, &mut tally.part] {
            let (head, entries) = left.split_at_checked(HEAD_BYTES)?;
            known.heard = u32::from_le_bytes(head[..4].try_into().ok()?);
            let count = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
            let (entries, after) = entries.split_at_checked(count.checked_mul(ENTRY_BYTES)?)?;
            for entry in entries.chunks_exact(ENTRY_BYTES) {
                let value = f64::from_le_bytes(entry[16..24].try_into().ok()?);
                let heard = u32::from_le_bytes(entry[24..].try_into().ok()?);
                known.last.insert(u128::from_le_bytes(entry[..16].try_into().ok()?), (value, heard));
            }
            left = after;
        }
        left.is_empty().then_some(tally)
    }
}

impl Known {
    fn rises(&mut self, all: &[Series], from: Minute, to: Minute) -> Rises {
        let mut rises = Rises::new();
        let mut heard = BTreeSet::new();
        let mut last = Vec::with_capacity(all.len());
        for Series { key, samples } in all {
            let begin = samples.partition_point(|sample| sample.at < from.start());
            let end = samples.partition_point(|sample| sample.at < to.start());
            let (before, within) = (&samples[..begin], &samples[begin..end.max(begin)]);
            let known = self.last.get(key).map(|(value, _)| *value).or_else(|| add_rises(None, before, &mut Rises::new()));
            heard.extend(within.iter().map(|Sample { at, .. }| at.minute()));
            if let Some(value) = add_rises(known, within, &mut rises)
                && !(before.is_empty() && within.is_empty())
            {
                last.push((*key, value));
            }
        }
        self.heard = self.heard.saturating_add(heard.len() as u32);
        for (key, value) in last {
            self.last.insert(key, (value, self.heard));
        }
        self.last.retain(|_, (_, heard)| self.heard - *heard <= REMEMBERED);
        rises
    }
}

#[cfg(test)]
mod tests {
    use slowburn_domain::time::Timestamp;

    use super::*;

    fn series(key: u128, samples: &[(i64, f64)]) -> Series {
        let samples = samples.iter().map(|(at, value)| Sample { at: Timestamp::from_seconds(*at), value: *value });
        Series { key, samples: samples.collect() }
    }

    fn count(tally: &mut Tally, total: &[Series], part: &[Series], minutes: std::ops::Range<i32>) -> Vec<(i32, u64, u64)> {
        let counted = tally.count(total, part, Minute(minutes.start), Minute(minutes.end), true);
        counted.into_iter().map(|(minute, counts)| (minute.0, counts.good, counts.total)).collect()
    }

    #[test]
    fn b2_series_are_added_up_and_go_on_where_they_stopped() {
        let mut tally = Tally::default();
        // The minute before is looked at for where to begin.
        let total = [series(1, &[(50, 10.0), (70, 14.0), (130, 15.0)]), series(2, &[(100, 7.0), (160, 8.0)])];
        let part = [series(3, &[(50, 1.0), (70, 4.0)])];
        assert_eq!(count(&mut tally, &total, &part, 1..3), [(1, 3, 4), (2, 0, 2)]);
        // A long silence, a reset of one of them; and samples counted before come again.
        let total = [series(1, &[(160, 999.0), (6_000, 20.0)]), series(2, &[(6_010, 3.0)])];
        assert_eq!(count(&mut tally, &total, &[series(3, &[(6_000, 9.0)])], 3..101), [(100, 5, 8)]);
        assert_eq!(count(&mut tally, &[], &[], 101..102), []);
    }

    #[test]
    fn b2_a_minute_without_events_in_which_the_source_was_heard_is_there() {
        let mut tally = Tally::default();
        assert_eq!(count(&mut tally, &[series(1, &[(5, 4.0), (65, 4.0)])], &[], 0..2), [(0, 0, 0), (1, 0, 0)]);
    }

    #[test]
    fn b14_a_part_of_more_than_the_total_is_noticed() {
        let mut tally = Tally::default();
        let total = [series(1, &[(0, 0.0), (10, 2.0), (70, 4.0)])];
        let part = [series(2, &[(0, 0.0), (10, 5.0), (70, 6.0), (130, 7.0)])];
        assert_eq!(count(&mut tally, &total, &part[..1], 0..2), [(0, 2, 2), (1, 1, 2)]);
        assert_eq!(tally.exceeded, Some(Minute(0)));
        assert_eq!(count(&mut tally, &[], &part, 2..3), []);
        assert_eq!(tally.exceeded, Some(Minute(2)));
    }

    #[test]
    fn b2_what_is_remembered_survives_as_bytes() {
        let mut tally = Tally::default();
        assert_eq!(Tally::from_bytes(&[], Rest::default(), None), Some(Tally::default()));
        count(&mut tally, &[series(1, &[(0, 1.5)]), series(u128::MAX, &[(1, 2.0), (61, 9.25)])], &[series(7, &[(1, 1.0)])], 0..2);
        let bytes = tally.to_bytes();
        assert_eq!(Tally::from_bytes(&bytes, tally.rest, tally.exceeded), Some(tally));
        for length in 1..bytes.len() {
            assert_eq!(Tally::from_bytes(&bytes[..length], Rest::default(), None), None, "{length}");
        }
    }

    #[test]
    fn b2_series_that_are_gone_are_forgotten_once_others_were_heard_for_long() {
        let mut tally = Tally::default();
        count(&mut tally, &[series(1, &[(0, 1.0)]), series(2, &[(0, 1.0)])], &[], 0..1);
        assert_eq!(count(&mut tally, &[], &[], 1..100_000), [], "silence of all forgets none");
        let minute = |at: i32| series(2, &[(i64::from(at) * 60, f64::from(at))]);
        for at in 0..1_440 {
            count(&mut tally, &[minute(100_000 + at)], &[], 100_000 + at..100_001 + at);
        }
        assert_eq!(tally.total.last.len(), 2);
        count(&mut tally, &[minute(200_000)], &[], 200_000..200_001);
        assert_eq!(tally.total.last.keys().copied().collect::<Vec<_>>(), [2]);
    }
}
