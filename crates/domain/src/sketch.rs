//! A histogram of durations that merges without loss: counts in logarithmic bins, each 2 % wide, so that a quantile is
//! off by 1 % at most (the idea of DDSketch, Masson et al., VLDB 2019). Bins are sparse; 1 ns to a day takes 1,620.

use std::collections::BTreeMap;

const GAMMA: f64 = 1.02;

/// Counts of durations by magnitude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    bins: BTreeMap<u16, u64>,
}

/// Bytes that are no sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a latency sketch")]
pub struct SketchError;

impl Sketch {
    /// Adds one duration in nanoseconds; less than 1 counts as 1.
    pub fn record(&mut self, nanos: i64) {
        self.record_times(nanos, 1);
    }

    /// Adds the same duration as often as said.
    pub fn record_times(&mut self, nanos: i64, times: u64) {
        *self.bins.entry(Self::bin(nanos)).or_default() += times;
    }

    fn bin(nanos: i64) -> u16 {
        ((nanos.max(1) as f64).ln() / GAMMA.ln()).ceil() as u16
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.bins {
            *self.bins.entry(*bin).or_default() += count;
        }
    }

    /// How many durations it holds.
    pub fn count(&self) -> u64 {
        self.bins.values().sum()
    }

    /// The duration in nanoseconds that a share `q` (0–1) of all do not exceed, within 1 %. `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        let rank = (q.clamp(0.0, 1.0) * (total.checked_sub(1)?) as f64).round() as u64;
        let mut below = 0;
        self.bins.iter().find_map(|(bin, count)| {
            below += count;
            // The middle of the bin (γ^(b−1), γ^b] that is equally far, relatively, from both ends.
            (below > rank).then(|| 2.0 * GAMMA.powi(i32::from(*bin)) / (GAMMA + 1.0))
        })
    }

    /// Writes (distance to the previous bin, count) pairs as LEB128.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bins.len() * 3);
        let mut previous = 0;
        for (bin, count) in &self.bins {
            put_varint(&mut bytes, u64::from(bin - previous));
            put_varint(&mut bytes, *count);
            previous = *bin;
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// Cut off or out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchError> {
        let mut rest = bytes;
        let mut bins = BTreeMap::new();
        let mut bin = 0_u16;
        while !rest.is_empty() {
            let step = u16::try_from(take_varint(&mut rest).ok_or(SketchError)?).map_err(|_| SketchError)?;
            bin = bin.checked_add(step).ok_or(SketchError)?;
            let count = take_varint(&mut rest).ok_or(SketchError)?;
            *bins.entry(bin).or_default() += count;
        }
        Ok(Self { bins })
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut sketch = Sketch::default();
        (1..=1_000).for_each(|ms| sketch.record(ms * 1_000_000));
        for (q, expected) in [(0.5, 500.5e6), (0.9, 900.1e6), (0.99, 990.0e6), (0.0, 1e6), (1.0, 1_000e6)] {
            let got = sketch.quantile(q).expect("not empty");
            assert!((got / expected - 1.0).abs() < 0.0125, "{q}: {got}");
        }
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn merging_parts_gives_the_whole(values in prop::collection::vec(0_i64..100_000_000_000, 0..200), cut in 0_usize..200) {
            let cut = cut.min(values.len());
            let of = |part: &[i64]| { let mut s = Sketch::default(); part.iter().for_each(|v| s.record(*v)); s };
            let mut merged = of(&values[..cut]);
            merged.merge(&of(&values[cut..]));
            prop_assert_eq!(&merged, &of(&values));
            prop_assert_eq!(Sketch::from_bytes(&merged.to_bytes()), Ok(merged));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Sketch::from_bytes(&bytes);
        }
    }
}
