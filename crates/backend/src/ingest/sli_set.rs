//! The SLIs that records are matched against at the door, of whatever signal they are (requirement B2), and the groups that
//! they are counted in (B4).
//!
//! A value without a group is not counted in any: who counts is told of it ([`Counted::unknown`]), has it admitted and counts
//! again with the set that knows it. So a group counts from its first event on, and counts nothing twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use slowburn_domain::slo::{Counts, NONE, OTHER, group_of};
use slowburn_domain::time::Minute;
use slowburn_storage::rollup::Deltas;

use crate::filter::{Expression, Field, Filter, Operand, Record, Signal};

/// One indicator: which records count, and which of them are good.
#[derive(Clone, Debug)]
pub struct Sli {
    /// Key of the counts of the whole; `None` when only its groups are to be counted.
    pub id: Option<i32>,
    /// Which records count. Its signal is the indicator's.
    pub total: Filter,
    /// Which of them are good.
    pub good: Filter,
    /// Its groups, if it has any.
    pub grouping: Option<Grouping>,
}

/// What an indicator is grouped by, and the groups that there are.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// The SLO's name.
    pub slo: Arc<str>,
    /// What tells the group of a record.
    pub by: Expression,
    /// Most groups that values get.
    pub cap: usize,
    /// Keys of their counts by value.
    pub groups: Arc<BTreeMap<String, i32>>,
}

/// Values that have no group yet, by SLO.
pub type Unknown = BTreeMap<Arc<str>, BTreeSet<String>>;

/// What was counted.
#[derive(Debug, Default)]
pub struct Counted {
    /// Good and all by SLI and minute.
    pub deltas: Deltas,
    /// Values that must get a group before this may be written.
    pub unknown: Unknown,
}

/// All SLIs of one version. Those that can only match one service are filed under it, so that a record meets few others.
#[derive(Clone, Debug, Default)]
pub struct SliSet {
    /// Version of the set; grows with every change.
    pub version: i32,
    by_signal: HashMap<Signal, Shelf>,
}

#[derive(Clone, Debug, Default)]
struct Shelf {
    by_service: HashMap<String, Vec<Sli>>,
    of_any_service: Vec<Sli>,
}

impl SliSet {
    /// Files `slis`.
    pub fn new(version: i32, slis: Vec<Sli>) -> Self {
        let mut set = Self { version, ..Self::default() };
        for sli in slis {
            let shelf = set.by_signal.entry(sli.total.signal()).or_default();
            match sli.total.requirements().service.clone() {
                Some(service) => shelf.by_service.entry(service).or_default().push(sli),
                None => shelf.of_any_service.push(sli),
            }
        }
        set
    }

    /// Counts a record of `signal` in the minute `at`, for every SLI and group that it belongs to, and tells `bad` of those for
    /// which it is bad.
    pub fn count<R: Record>(&self, signal: Signal, record: &R, at: Minute, counted: &mut Counted, mut bad: impl FnMut(i32)) {
        let Some(shelf) = self.by_signal.get(&signal) else { return };
        let of_service = match record.field(Field::Service) {
            Operand::Str(service) => shelf.by_service.get(service).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        for sli in of_service.iter().chain(&shelf.of_any_service).filter(|sli| sli.total.matches(record)) {
            let is_good = sli.good.matches(record);
            let group = sli.grouping.as_ref().and_then(|grouping| grouping.group(record, &mut counted.unknown));
            for id in sli.id.into_iter().chain(group) {
                let counts: &mut Counts = counted.deltas.entry((id, at)).or_default();
                counts.total += record.weight();
                if is_good {
                    counts.good += record.weight();
                } else {
                    bad(id);
                }
            }
        }
    }
}

impl Grouping {
    /// The key of the group that a record is counted in; `None` when there is none yet, which is noted.
    fn group<R: Record>(&self, record: &R, unknown: &mut Unknown) -> Option<i32> {
        let text = self.by.text(record);
        let value = group_of(text.as_deref());
        if let Some(id) = self.groups.get(value) {
            return Some(*id);
        }
        let is_own = |value: &str| value != OTHER && value != NONE;
        let value = if is_own(value) && self.own_groups() >= self.cap { OTHER } else { value };
        let known = self.groups.get(value).copied();
        if known.is_none() {
            let values = unknown.entry(Arc::clone(&self.slo)).or_default();
            // One more than fits, so that it is seen that not all fit.
            if values.len() <= self.cap {
                values.insert(value.to_owned());
            }
        }
        known
    }

    /// Groups of values of their own.
    fn own_groups(&self) -> usize {
        self.groups.len() - [OTHER, NONE].into_iter().filter(|value| self.groups.contains_key(*value)).count()
    }
}

#[cfg(test)]
mod tests;
