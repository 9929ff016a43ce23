//! Budgets of a period of the calendar (B3).

use super::super::{Alert, CalendarUnit, CalendarWindow};
use super::*;

/// A period that began so many minutes ago and lasts 30 days.
fn begun(minutes_ago: i32) -> Period {
    Period { first: NOW.plus(-minutes_ago), minutes: 30 * DAY, is_rolling: false }
}

#[test]
fn b3_a_budget_begins_whole_and_is_that_of_the_whole_period() {
    let steady = History::default().with(0, 60 * DAY, 1, 99, 1);
    for minutes_ago in [0, 10, 1_440, 20 * 1_440] {
        let evaluation = steady.evaluate_in(&three_nines(), begun(minutes_ago), NOW);
        assert_close(evaluation.budget.total, 0.001 * 100.0 * 43_200.0, "as much traffic to come as there was");
        assert_close(evaluation.budget.consumed, f64::from(minutes_ago + 1), "since it began");
        assert_eq!(evaluation.renews_at, Some(NOW.plus(30 * 1_440 - minutes_ago).start()));
        assert_close(evaluation.burn_rates["window"].expect("events"), 10.0, "of the period so far");
    }
}

#[test]
fn b3_at_its_end_the_budget_is_that_of_what_came() {
    let last = Period { first: NOW.plus(1 - 43_200), minutes: 43_200, is_rolling: false };
    let history = History::default().with(0, 20 * DAY, 1, 99, 1).with(20 * DAY, 20 * DAY, 1, 10, 0);
    let (calendar, rolling) = (history.evaluate_in(&three_nines(), last, NOW), history.evaluate(&three_nines(), NOW));
    assert_close(calendar.budget.total, rolling.budget.total, "total");
    assert_eq!(calendar.counts, rolling.counts);
}

#[test]
fn b3_alerts_go_on_over_the_border() {
    let outage = History::default().with(20, 30 * DAY, 1, 100, 0).with(0, 20, 1, 50, 50);
    let before = outage.evaluate_in(&three_nines(), begun(10_000), NOW);
    let after = outage.evaluate_in(&three_nines(), begun(0), NOW);
    assert_eq!((before.alert, after.alert), (Alert::Critical, Alert::Critical));
    assert_eq!(before.tiers, after.tiers);
    assert_close(after.budget.consumed, 50.0, "one minute of it");
}

#[test]
fn b3_a_pace_that_lasts_until_the_period_ends_is_told_so() {
    let steady = |bad| History::default().with(0, 60 * DAY, 1, 10_000 - bad, bad);
    let exhaustion = |bad, minutes_ago| steady(bad).evaluate_in(&three_nines(), begun(minutes_ago), NOW).exhaustion.expect("it burns");
    assert!(exhaustion(20, 1_440).is_before_renewal, "twice too fast, a day after it began");
    assert!(!exhaustion(5, 1_440).is_before_renewal, "half of what is allowed");
}

#[test]
fn b3_before_the_first_record_of_a_young_source_nothing_is_projected() {
    let young = History::default().with(0, DAY, 1, 100, 0);
    let evaluation = young.evaluate_in(&three_nines(), begun(10 * 1_440), NOW);
    let expected = 100.0 * (1_440.0 + 20.0 * 1_440.0 - 1.0);
    assert_close(evaluation.budget.total, 0.001 * expected, "a day that was and twenty to come");
    let silent = History::default().evaluate_in(&three_nines(), begun(10), NOW);
    assert_eq!((silent.budget.remaining_ratio, silent.alert), (None, Alert::Unmeasured));
}

#[test]
fn windows_have_words() {
    let calendar = |count, unit| {
        TimeWindow::Calendar(CalendarWindow { count, unit, start: "2026-01-01 00:00:00".to_owned(), time_zone: "UTC".to_owned() })
    };
    for (window, text, adjective, days) in [
        (TimeWindow::days(30), "30d", "30-day", 30),
        (calendar(1, CalendarUnit::Month), "1M", "monthly", 30),
        (calendar(2, CalendarUnit::Week), "2w", "2-weekly", 14),
        (calendar(1, CalendarUnit::Quarter), "1Q", "quarterly", 90),
    ] {
        assert_eq!((window.to_string().as_str(), window.adjective().as_str(), window.nominal()), (text, adjective, Window::days(days)));
    }
    for window in [TimeWindow::days(30), calendar(2, CalendarUnit::Quarter)] {
        let told = serde_json::to_string(&window).expect("JSON");
        assert_eq!(serde_json::from_str::<TimeWindow>(&told).expect("the same"), window);
    }
    for method in [
        BudgetingMethod::Occurrences,
        BudgetingMethod::Timeslices { minutes: 5, target: 0.9 },
        BudgetingMethod::RatioTimeslices { minutes: 60 },
    ] {
        let told = serde_json::to_string(&method).expect("JSON");
        assert_eq!(serde_json::from_str::<BudgetingMethod>(&told).expect("the same"), method);
    }
    assert_eq!(TimeWindow::Rolling(Window { minutes: 90 }).adjective(), "90-minute");
    assert_eq!(CalendarUnit::of_letter('h'), None);
}
