//! Budgets counted in slices of time (B3).

use super::super::Alert;
use super::*;

/// 95 % of the slices over a day, a slice good from 90 % on.
fn sliced(minutes: u32) -> Objective {
    Objective { budgeting_method: BudgetingMethod::Timeslices { minutes, target: 0.9 }, ..objective(0.95, Window::days(1)) }
}

fn ratio_sliced(minutes: u32) -> Objective {
    Objective { budgeting_method: BudgetingMethod::RatioTimeslices { minutes }, ..sliced(minutes) }
}

/// Two days of a good event a minute.
fn quiet() -> History {
    History::default().with(0, 2 * DAY, 1, 1, 0)
}

#[test]
fn b3_every_slice_weighs_the_same_however_many_events_it_has() {
    // NOW is 02:17. A day of slices of ten minutes, of which the running one is not judged: 144 that ended until 02:10, less
    // the one that the day covers only in part.
    let history = quiet().without(60, 10).with(60, 10, 1, 0, 10_000);
    let evaluation = history.evaluate(&sliced(10), NOW);
    // The 10 minutes that end at 01:17 lie in the slices of 01:00 and 01:10.
    assert_close(evaluation.budget.total, 0.05 * 143.0, "total");
    assert_close(evaluation.budget.consumed, 2.0, "consumed");
    assert_close(evaluation.sli.expect("slices"), 141.0 / 143.0, "sli");
    assert_eq!(evaluation.counts.bad(), 100_000, "events are told as they are");
}

#[test]
fn b3_a_slice_at_its_target_is_good_and_below_it_bad() {
    for (good, bad, lost) in [(90, 10, 0.0), (899, 101, 1.0), (0, 1, 1.0), (1, 0, 0.0)] {
        let history = quiet().without(58, 20).with(58, 20, 1, good, bad);
        assert_close(history.evaluate(&sliced(20), NOW).budget.consumed, lost, "the slice of 01:00");
    }
}

#[test]
fn b3_ratio_slices_lose_the_share_that_was_bad() {
    let history = quiet().without(58, 20).with(58, 10, 1, 3, 1).with(68, 10, 1, 1, 0);
    let evaluation = history.evaluate(&ratio_sliced(20), NOW);
    assert_close(evaluation.budget.consumed, 10.0 / 50.0, "ten of fifty in one slice");
    assert_close(evaluation.sli.expect("slices"), 1.0 - 0.2 / 71.0, "of 71 whole slices");
}

#[test]
fn b3_a_running_slice_is_not_judged() {
    // The slice of 02:10 runs until 02:20.
    let history = quiet().with(0, 7, 1, 0, 1_000);
    assert_close(history.evaluate(&sliced(10), NOW).budget.consumed, 0.0, "02:17");
    assert_close(history.evaluate(&sliced(10), NOW.plus(2)).budget.consumed, 0.0, "02:19, its last minute still runs");
    assert_close(history.evaluate(&sliced(10), NOW.plus(3)).budget.consumed, 1.0, "02:20");
}

#[test]
fn b3_silence_makes_no_slices() {
    let history = quiet().without(2 * HOUR, 12 * HOUR);
    let evaluation = history.evaluate(&sliced(10), NOW);
    // From 12:18 to 00:17 nothing came; five minutes of it are granted, so the slices of 12:30 to 00:00 are none.
    assert_close(evaluation.budget.total, 0.05 * (143.0 - 70.0), "total");
    let thin = History::default().with(0, 2 * DAY, 4, 1, 0);
    assert_close(thin.evaluate(&sliced(1), NOW).budget.total, 0.05 * 1_439.0, "slices without an event of a source that lives are good");
}

#[test]
fn b3_one_bad_slice_pages_nobody_and_an_outage_does() {
    let month = |minutes| Objective { window: TimeWindow::days(30), target: target(0.999), ..sliced(minutes) };
    let busy = || History::default().with(0, 30 * DAY, 1, 100, 0);
    let burst = busy().with(1, 1, 1, 0, 5_000).evaluate(&month(1), NOW);
    assert_eq!(burst.tier, None, "{:?}", burst.tiers);
    let outage = busy().without(1, 4).with(1, 4, 1, 0, 100).evaluate(&month(1), NOW);
    assert_eq!(outage.alert, Alert::Critical, "{:?}", outage.tiers[0]);
    assert_close(outage.tiers[0].long_bad, 4.0, "slices");
    let ratio = Objective { budgeting_method: BudgetingMethod::RatioTimeslices { minutes: 1 }, ..month(1) };
    let half = busy().without(1, 10).with(1, 10, 1, 50, 50).evaluate(&ratio, NOW);
    assert_eq!(half.alert, Alert::Critical, "{:?}", half.tiers[0]);
    assert_close(half.tiers[0].long_bad, 5.0, "ten halves");
    let single = History::default().with(0, 30 * DAY, 6, 1, 0).with(6, 1, 1, 0, 1).evaluate(&ratio, NOW);
    assert_eq!(single.tier, None, "one bad event is an accident, whatever share of its slice it is: {:?}", single.tiers[0]);
}

#[test]
fn a_loader_is_told_every_hour_that_slices_need() {
    let history = History::default().with(0, 3 * DAY, 7, 5, 1).with(300, 200, 1, 1, 5);
    for minutes in [1, 5, 12, 60, 120, 1_440] {
        for now in (0..60).step_by(7).map(|back| NOW.plus(-back)) {
            for objective in [sliced(minutes), ratio_sliced(minutes)] {
                let period = Period::rolling(Window::days(1), now);
                let whole = judge(&objective, &history.whole_ledger(), period, now);
                assert_eq!(history.evaluate(&objective, now), whole, "slices of {minutes} minutes at {now:?}");
            }
        }
    }
}
