use proptest::prelude::*;

use super::super::{Budget, burn_rate};
use super::*;

/// Up to eight hours of scattered minutes, some silent.
fn histories() -> impl Strategy<Value = History> {
    prop::collection::btree_map(0..480_i32, (0..50_u64, 0..5_u64), 0..200).prop_map(|minutes| History {
        minutes: minutes.into_iter().map(|(back, (good, bad))| (NOW.0 - back, Counts { good, total: good + bad })).collect(),
    })
}

fn ratios() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.9), Just(0.99), Just(0.999), Just(0.9999), 0.01..0.99_f64]
}

fn windows() -> impl Strategy<Value = u32> {
    prop_oneof![Just(HOUR), Just(6 * HOUR), Just(30 * DAY), 1..600_u32]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_sum_is_what_one_would_count_by_hand(history in histories(), from in -500..500_i32, length in -5..600_i32) {
        let (from, to) = (NOW.plus(-from), NOW.plus(length - from));
        let by_hand: Counts = history.minutes.iter().filter(|(minute, _)| (from.0..=to.0).contains(minute)).map(|(_, counts)| *counts).sum();
        prop_assert_eq!(history.whole_ledger().sum(from, to), by_hand);
    }

    #[test]
    fn splitting_a_range_and_adding_up_changes_nothing(history in histories(), ends in prop::array::uniform3(-500..500_i32)) {
        let ledger = history.whole_ledger();
        let mut ends = ends.map(|back| NOW.plus(-back));
        ends.sort_unstable();
        let [from, middle, to] = ends;
        prop_assert_eq!(ledger.sum(from, middle) + ledger.sum(middle.plus(1), to), ledger.sum(from, to));
    }

    #[test]
    fn splitting_rows_over_buckets_changes_nothing(history in histories(), shares in prop::collection::vec(0..=100_u64, 1..4)) {
        let (mut hours, mut minutes) = (Vec::new(), Vec::new());
        for (minute, counts) in &history.minutes {
            let mut rest = *counts;
            for share in &shares {
                let part = Counts { good: rest.good * share / 100, total: rest.good * share / 100 + rest.bad() * share / 100 };
                rest = Counts { good: rest.good - part.good, total: rest.total - part.total };
                minutes.push((Minute(*minute), part));
                hours.push(Hour { hour: minute.div_euclid(60), counts: part, seen: 0 });
            }
            minutes.insert(0, (Minute(*minute), rest));
            hours.insert(0, Hour { hour: minute.div_euclid(60), counts: rest, seen: 1 << minute.rem_euclid(60) });
        }
        prop_assert_eq!(Ledger::new(hours, minutes, false), history.whole_ledger());
    }

    #[test]
    fn more_errors_never_raise_the_budget(good in 0..1_000_000_u64, bad in 0..1_000_u64, more in 1..100_u64, ratio in ratios()) {
        let target = target(ratio);
        let before = Counts { good, total: good + bad };
        for worse in [
            Counts { good, total: good + bad + more },
            Counts { good: good.saturating_sub(more), total: good + bad },
        ] {
            let (less, more) = (Budget::of(worse, target), Budget::of(before, target));
            prop_assert!(less.remaining <= more.remaining);
            if let (Some(less), Some(more)) = (less.remaining_ratio, more.remaining_ratio) {
                prop_assert!(less <= more + 1e-9);
            }
            prop_assert!(burn_rate(before, target).unwrap_or(0.0) <= burn_rate(worse, target).unwrap_or(0.0) + 1e-9);
        }
    }

    #[test]
    fn budget_and_coverage_keep_their_bounds(history in histories(), ratio in ratios(), minutes in windows(), gap in prop::option::of(0..200_u32)) {
        let objective = Objective { expected_gap_minutes: gap, ..objective(ratio, Window { minutes }) };
        let evaluation = history.evaluate(&objective, NOW);
        let budget = evaluation.budget;
        prop_assert!((budget.consumed + budget.remaining - budget.total).abs() <= 1e-9 * budget.total.max(1.0));
        for coverage in evaluation.tiers.iter().map(|state| state.coverage).chain([evaluation.coverage]).flatten() {
            prop_assert!((0.0..=1.0).contains(&coverage), "{}", coverage);
        }
        for state in &evaluation.tiers {
            prop_assert!(state.long_threshold.is_finite() && state.short_threshold.is_finite());
            prop_assert!(state.rule.burn_rate >= 1.0);
        }
        if let Some(range) = evaluation.exhaustion {
            prop_assert!(range.seconds.is_finite() && range.seconds >= 0.0);
            if let (Some(earliest), Some(latest)) = (range.earliest_seconds, range.latest_seconds) {
                prop_assert!(earliest <= latest);
            }
        }
        let json = serde_json::to_string(&evaluation).expect("plain numbers");
        prop_assert!(serde_json::from_str::<Evaluation>(&json).is_ok());
    }

    #[test]
    fn an_expected_gap_never_lowers_coverage(history in histories(), gap in 0..300_u32) {
        let plain = history.evaluate(&three_nines(), NOW).coverage;
        let patient = history.evaluate(&Objective { expected_gap_minutes: Some(gap), ..three_nines() }, NOW).coverage;
        prop_assert!(plain <= patient);
    }
}
