//! The SLIs that spans are matched against at the door.

use std::collections::HashMap;

use slowburn_domain::slo::Counts;
use slowburn_domain::span::Span;
use slowburn_storage::rollup::Deltas;

use crate::filter::Filter;

/// One indicator: which spans count, and which of them are good.
#[derive(Clone, Debug)]
pub struct Sli {
    /// Key of its counts.
    pub id: i32,
    /// Which spans count.
    pub total: Filter,
    /// Which of them are good.
    pub good: Filter,
}

/// All SLIs of one version. Those that can only match one service are filed under it, so that a span meets few others.
#[derive(Clone, Debug, Default)]
pub struct SliSet {
    /// Version of the set; grows with every change.
    pub version: i32,
    by_service: HashMap<String, Vec<Sli>>,
    of_any_service: Vec<Sli>,
}

impl SliSet {
    /// Files `slis`.
    pub fn new(version: i32, slis: Vec<Sli>) -> Self {
        let mut set = Self { version, ..Self::default() };
        for sli in slis {
            match sli.total.requirements().service.clone() {
                Some(service) => set.by_service.entry(service).or_default().push(sli),
                None => set.of_any_service.push(sli),
            }
        }
        set
    }

    /// Counts a span in the minute of its end, for every SLI that it belongs to. Gives the SLIs for which it is bad.
    pub fn count(&self, span: &Span, deltas: &mut Deltas) -> impl Iterator<Item = i32> {
        let mut bad = Vec::new();
        let of_service = self.by_service.get(&span.source.service).map_or(&[][..], Vec::as_slice);
        for sli in of_service.iter().chain(&self.of_any_service) {
            if sli.total.matches(span) {
                let is_good = sli.good.matches(span);
                let counts: &mut Counts = deltas.entry((sli.id, span.end.minute())).or_default();
                counts.good += u64::from(is_good);
                counts.total += 1;
                if !is_good {
                    bad.push(sli.id);
                }
            }
        }
        bad.into_iter()
    }
}
