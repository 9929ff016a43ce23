//! The guard of cardinality: how many series each metric of a service may have at the same time.
//!
//! An attribute with a value for each user or request makes a new series with nearly every point. Such a metric keeps the series that
//! it had first; points of further ones are refused, with the reason, and told on the Metrics page. A series counts as active in the
//! arrival slot in which it was seen, so a metric that was mended has its room again when the next slot begins. Each instance
//! counts what it was sent itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use metrics::counter;
use parking_lot::Mutex;

/// A metric of a service that had too many series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overflow {
    /// The service.
    pub service: String,
    /// Name of the metric.
    pub metric: String,
}

/// Which series are active.
pub(super) struct SeriesGuard {
    most_of_metric: usize,
    most: usize,
    active: Mutex<Active>,
}

#[derive(Default)]
struct Active {
    slot: i32,
    count: usize,
    series: HashMap<String, HashMap<String, HashSet<i64>>>,
    /// Points refused.
    overflows: BTreeMap<Overflow, u64>,
}

impl SeriesGuard {
    /// A guard that lets so many series of each metric of a service pass, and so many in all.
    pub(super) fn new(most_of_metric: usize, most: usize) -> Self {
        Self { most_of_metric, most, active: Mutex::default() }
    }

    /// Lets a series of a slot pass, or gives the reason why not.
    ///
    /// # Errors
    /// Why it does not pass.
    pub(super) fn admit(&self, slot: i32, service: &str, metric: &str, series: i64) -> Result<(), String> {
        let mut active = self.active.lock();
        if slot > active.slot {
            *active = Active { slot, ..Active::default() };
        }
        let Active { count, series: known, overflows, .. } = &mut *active;
        // Asked with borrowed names first: nearly always they are known.
        if !known.get(service).is_some_and(|metrics| metrics.contains_key(metric)) {
            known.entry(service.to_owned()).or_default().insert(metric.to_owned(), HashSet::new());
        }
        let Some(own) = known.get_mut(service).and_then(|metrics| metrics.get_mut(metric)) else { return Ok(()) };
        if own.contains(&series) {
            return Ok(());
        }
        if own.len() < self.most_of_metric && *count < self.most {
            own.insert(series);
            *count += 1;
            return Ok(());
        }
        counter!("slowburn_metric_series_refused_total").increment(1);
        *overflows.entry(Overflow { service: service.to_owned(), metric: metric.to_owned() }).or_default() += 1;
        Err(if own.len() < self.most_of_metric {
            format!("a new series of {metric}, and {} series are active already; new ones are refused", self.most)
        } else {
            format!("a new series of {metric} of {service}, which has {} already; new ones are refused", self.most_of_metric)
        })
    }

    /// Counts series that another process of this place let pass in a slot.
    pub(super) fn know(&self, slot: i32, known: Vec<(String, String, i64)>) {
        for (service, metric, series) in known {
            let _ = self.admit(slot, &service, &metric, series);
        }
    }

    /// Metrics of which points were refused in the running slot, with how many.
    pub(super) fn overflows(&self) -> Vec<(Overflow, u64)> {
        self.active.lock().overflows.iter().map(|(overflow, points)| (overflow.clone(), *points)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a1_a_metric_keeps_the_series_it_had_first_and_has_its_room_again_in_the_next_slot() {
        let guard = SeriesGuard::new(2, 5);
        let pass = |slot, metric, series| guard.admit(slot, "shop", metric, series).is_ok();
        assert!(pass(20, "a", 1) && pass(20, "a", 2));
        assert!(!pass(20, "a", 3) && !pass(20, "a", 3));
        assert!(pass(20, "a", 1) && pass(20, "b", 3));
        assert!(guard.admit(20, "other", "a", 3).is_ok(), "another service has room of its own");
        assert!(pass(20, "c", 1) && !pass(20, "d", 1), "the room of all is bounded too");
        let told: Vec<(String, u64)> = guard.overflows().into_iter().map(|(overflow, points)| (overflow.metric, points)).collect();
        assert_eq!(told, [("a".to_owned(), 2), ("d".to_owned(), 1)]);
        assert!(pass(40, "a", 3) && pass(20, "a", 4) && !pass(40, "a", 5));
        assert_eq!(guard.overflows().len(), 1);
    }
}
