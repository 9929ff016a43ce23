use proptest::prelude::*;

use super::super::{Alert, hours_excluded_in_part, united};
use super::*;

fn range(until: u32, minutes: u32) -> (Minute, Minute) {
    let end = NOW.plus(-(until as i32));
    (end.plus(1 - minutes as i32), end)
}

/// The verdict from no more minute rows than are said to be needed.
fn evaluate_without(history: &History, objective: &Objective, excluded: &[(Minute, Minute)]) -> Evaluation {
    let period = Period::rolling(objective.window.nominal(), NOW);
    let mut hours = Ledger::hours_needing_minutes(NOW, period, objective);
    hours.extend(hours_excluded_in_part(excluded));
    judge(objective, &history.ledger(&hours).leaving_out(excluded), period, NOW)
}

#[test]
fn b9_excluded_minutes_count_neither_as_good_nor_as_bad() {
    let history = History::default().with(0, 30 * DAY, 1, 100, 0).with(130, 90, 1, 0, 50);
    let evaluation = evaluate_without(&history, &three_nines(), &[range(130, 90)]);
    assert_eq!(evaluation.counts, Counts { good: 100 * (43_200 - 90), total: 100 * (43_200 - 90) });
    assert_close(evaluation.budget.consumed, 0.0, "consumed");
    assert_eq!((evaluation.alert, evaluation.coverage), (Alert::Healthy, Some(1.0)));
    let before = history.evaluate(&three_nines(), NOW);
    assert_close(before.budget.consumed, 4_500.0, "consumed before");
}

#[test]
fn b9_silence_is_not_held_against_a_source_while_it_is_excluded() {
    let history = History::default().with(0, 30 * DAY, 1, 10, 0).without(60, 8 * DAY);
    assert_eq!(history.evaluate(&three_nines(), NOW).alert, Alert::Unmeasured);
    let evaluation = evaluate_without(&history, &three_nines(), &[range(60, 8 * DAY)]);
    assert_eq!((evaluation.alert, evaluation.coverage), (Alert::Healthy, Some(1.0)));
}

#[test]
fn b9_an_exclusion_before_the_first_record_makes_no_source() {
    let nothing = evaluate_without(&History::default(), &three_nines(), &[range(0, 600)]);
    assert_eq!((nothing.alert, nothing.coverage), (Alert::Unmeasured, None));
    let young = History::default().with(0, 100, 1, 1, 0);
    let evaluation = evaluate_without(&young, &three_nines(), &[range(90, 1_000)]);
    assert_eq!((evaluation.counts.total, evaluation.coverage), (90, Some(1.0)));
}

#[test]
fn b9_excluded_slices_are_good_ones() {
    let mut sliced = objective(0.99, Window::days(7));
    sliced.budgeting_method = BudgetingMethod::Timeslices { minutes: 5, target: 0.99 };
    let history = History::default().with(0, 7 * DAY, 1, 10, 0).with(158, 60, 1, 0, 10);
    let before = history.evaluate(&sliced, NOW);
    assert_close(before.budget.consumed, 12.0, "an hour of bad slices");
    let after = evaluate_without(&history, &sliced, &[range(158, 60)]);
    assert_close(after.budget.consumed, 0.0, "none of them is left");
    assert_close(after.budget.total, before.budget.total, "and as many slices as before");
}

proptest! {
    /// Rows of hours from which parts were taken say what whole minutes say.
    #[test]
    fn leaving_out_equals_never_having_counted(
        ranges in prop::collection::vec((0_u32..20_000, 1_u32..3_000), 0..6),
        bad in prop::collection::vec((0_u32..20_000, 1_u64..50), 0..20),
    ) {
        let mut history = History::default().with(0, 14 * DAY, 1, 20, 0);
        for (until, count) in bad {
            history = history.with(until, 1, 1, 0, count);
        }
        let excluded = united(ranges.into_iter().map(|(until, minutes)| range(until, minutes)).collect());
        let mut without = history.clone();
        without.minutes.retain(|minute, _| !excluded.iter().any(|(from, to)| (from.0..=to.0).contains(minute)));
        let objective = objective(0.99, Window::days(7));
        let got = evaluate_without(&history, &objective, &excluded);
        let wanted = without.evaluate(&objective, NOW);
        prop_assert_eq!(got.counts, wanted.counts);
        prop_assert_eq!(got.burn_rates, wanted.burn_rates);
        prop_assert!(excluded.windows(2).all(|pair| pair[0].1.plus(1) < pair[1].0));
    }
}
