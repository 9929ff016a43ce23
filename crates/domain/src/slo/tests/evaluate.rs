use super::super::{Alert, BURN_WINDOWS, Tier, burn_rate};
use super::*;

/// A tier's verdict by its long window.
fn alert_of(evaluation: &Evaluation, long_minutes: u32) -> Alert {
    evaluation.tiers.iter().find(|state| state.rule.long_minutes == long_minutes).expect("such a tier").alert
}

/// A month of 100 good events a minute.
fn busy() -> History {
    History::default().with(0, 30 * DAY, 1, 100, 0)
}

#[test]
fn figures_are_those_of_the_window() {
    let evaluation = History::default().with(0, 30 * DAY, 1, 999, 1).with(30 * DAY, 10, 1, 0, 1_000).evaluate(&three_nines(), NOW);
    assert_eq!(evaluation.counts, Counts { good: 999 * 43_200, total: 43_200_000 });
    assert_close(evaluation.sli.expect("events"), 0.999, "sli");
    assert_close(evaluation.budget.total, 43_200.0, "total");
    assert_close(evaluation.budget.consumed, 43_200.0, "consumed");
    assert_close(evaluation.budget.remaining, 0.0, "remaining");
    let mut names: Vec<&str> = BURN_WINDOWS.iter().map(|(name, _)| *name).chain(["window"]).collect();
    names.sort_unstable();
    let mut told: Vec<&str> = evaluation.burn_rates.0.iter().map(|(name, _)| name.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, names);
    for (name, burn) in &evaluation.burn_rates.0 {
        assert_close(burn.expect("events"), 1.0, name);
    }
}

#[test]
fn windows_end_with_the_running_minute() {
    let history = busy().with(4, 1, 1, 0, 100).with(5, 1, 1, 0, 1_000);
    let evaluation = history.evaluate(&three_nines(), NOW);
    assert_close(evaluation.burn_rates["5m"].expect("events"), 100.0 / 600.0 / 0.001, "the fifth minute back is out");
    let before = history.evaluate(&three_nines(), NOW.plus(-6));
    assert_close(before.burn_rates["5m"].expect("events"), 0.0, "later minutes are not looked at");
}

#[test]
fn b8_no_events_is_neither_good_nor_bad() {
    let evaluation = History::default().evaluate(&three_nines(), NOW);
    assert_eq!((evaluation.alert, evaluation.tier), (Alert::Unmeasured, None));
    assert_eq!((evaluation.sli, evaluation.coverage, evaluation.exhaustion), (None, None, None));
    assert_eq!(evaluation.budget.remaining_ratio, None);
    assert!(evaluation.burn_rates.0.iter().all(|(_, burn)| burn.is_none()));
    assert_eq!(burn_rate(Counts::default(), target(0.9)), None);
}

#[test]
fn b6_steady_traffic_fires_exactly_by_the_workbooks_rule() {
    // Errors spread evenly over the long window and dense enough for the short one: the rule is burn ≥ factor for both.
    for (long, factor, tier) in [(60, 14.4, Tier::Page), (360, 6.0, Tier::Page), (1_440, 3.0, Tier::Ticket), (4_320, 1.0, Tier::Ticket)] {
        for (what, per_minute, fires) in [("at the threshold", factor, true), ("just under it", factor - 0.1, false)] {
            let bad = (per_minute * 10.0_f64).round() as u64;
            let steady = History::default().with(long, 30 * DAY - long, 1, 10_000, 0).with(0, long, 1, 10_000 - bad, bad);
            let evaluation = steady.evaluate(&three_nines(), NOW);
            let state = evaluation.tiers.iter().find(|state| state.rule.long_minutes == long).expect("such a tier");
            let by_workbook = state.long_burn >= Some(factor * (1.0 - 1e-9)) && state.short_burn >= Some(factor * (1.0 - 1e-9));
            assert_eq!(by_workbook, fires, "{long} min, {what}: {state:?}");
            assert_eq!(state.alert == Alert::Critical, fires, "{long} min, {what}: {state:?}");
            assert!(!fires || state.rule.tier == tier && evaluation.alert == Alert::Critical, "{long} min");
        }
    }
}

#[test]
fn a_pairs_windows_tell_its_state() {
    let quiet = busy().without(0, 60);
    for (what, history, state, overall) in [
        ("no errors", busy(), Alert::Healthy, Alert::Healthy),
        ("a total outage for two minutes", busy().without(0, 2).with(0, 2, 1, 0, 100), Alert::Critical, Alert::Critical),
        (
            "nine errors a minute, over for the page but not for the ticket",
            quiet.clone().with(0, 40, 1, 100, 0).with(40, 20, 1, 91, 9),
            Alert::Recovering,
            Alert::Increasing,
        ),
        (
            "fifty errors this minute, too few for an hour",
            quiet.with(1, 59, 1, 100, 0).with(0, 1, 1, 50, 50),
            Alert::Increasing,
            Alert::Increasing,
        ),
    ] {
        let evaluation = history.evaluate(&three_nines(), NOW);
        assert_eq!(alert_of(&evaluation, 60), state, "{what}");
        assert_eq!(evaluation.alert, overall, "{what}: {evaluation:?}");
    }
}

#[test]
fn b7_the_most_urgent_tier_that_fires_is_told() {
    let burning = |bad| History::default().with(0, 30 * DAY, 1, 1_000 - bad, bad).evaluate(&three_nines(), NOW);
    assert_eq!((burning(20).alert, burning(20).tier), (Alert::Critical, Some(Tier::Page)));
    assert_eq!((burning(4).alert, burning(4).tier), (Alert::Critical, Some(Tier::Ticket)));
    assert_eq!((burning(0).alert, burning(0).tier), (Alert::Healthy, None));
}

#[test]
fn b6_one_failure_in_ten_requests_an_hour_does_not_page_but_two_do() {
    let hourly = History::default().with(0, 30 * DAY, 6, 1, 0);
    let one = hourly.clone().with(0, 1, 1, 0, 1).evaluate(&three_nines(), NOW);
    assert!(one.burn_rates["1h"].expect("events") > 14.4, "by burn rate alone it would");
    assert_eq!((one.alert, one.tier), (Alert::Increasing, None), "and ten requests an hour is alive");
    let two = hourly.with(0, 1, 1, 0, 2).evaluate(&three_nines(), NOW);
    assert_eq!((two.alert, two.tier), (Alert::Critical, Some(Tier::Page)), "two are a quarter of the month's budget");
}

#[test]
fn b6_a_failure_at_night_is_no_outage() {
    // 16 busy hours a day, a request every five minutes at night, and in the last hour three failures more.
    let mut history = History::default();
    for day in 0..30 {
        history = history.with(day * DAY, 8 * HOUR, 5, 1, 0).with(day * DAY + 8 * HOUR, 16 * HOUR, 1, 1_000, 0);
    }
    let night = history.with(3, 60, 20, 0, 1).evaluate(&three_nines(), NOW);
    assert!(night.burn_rates["1h"].expect("events") > 100.0);
    assert_eq!(night.alert, Alert::Healthy, "{night:?}");
}

#[test]
fn b5_half_an_hour_of_half_errors_after_three_quiet_days_pages() {
    for (what, per_minute) in [("busy", 100), ("two requests a minute", 2)] {
        let history = History::default().with(30, 3 * DAY - 30, 1, per_minute, 0).with(0, 30, 1, per_minute / 2, per_minute / 2);
        let evaluation = history.evaluate(&three_nines(), NOW);
        assert_eq!((evaluation.alert, evaluation.tier), (Alert::Critical, Some(Tier::Page)), "{what}");
        assert_close(evaluation.coverage.expect("records"), 1.0, what);
    }
}

#[test]
fn a_service_born_ten_minutes_ago_can_page() {
    let history = History::default().with(0, 10, 1, 0, 100);
    let evaluation = history.evaluate(&three_nines(), NOW);
    assert_eq!((evaluation.alert, evaluation.tier), (Alert::Critical, Some(Tier::Page)));
    let healthy = History::default().with(0, 10, 1, 100, 0).evaluate(&three_nines(), NOW);
    assert_eq!(healthy.alert, Alert::Healthy);
}

#[test]
fn b8_data_that_stop_become_unmeasured_and_come_back() {
    let at = |silent: u32| busy().without(0, silent).evaluate(&three_nines(), NOW);
    for (silent, alert) in [
        (0, Alert::Healthy),
        (6, Alert::Healthy),
        (11, Alert::Healthy),
        (13, Alert::Unmeasured),
        (90, Alert::Unmeasured),
        (20 * DAY, Alert::Unmeasured),
    ] {
        assert_eq!(at(silent).alert, alert, "silent for {silent} minutes: {:?}", at(silent));
    }
    assert_eq!(alert_of(&at(13), 4_320), Alert::Healthy, "three days are still covered");
    let back = busy().without(60, 30).evaluate(&three_nines(), NOW);
    assert_eq!((alert_of(&back, 60), back.alert), (Alert::Healthy, Alert::Healthy), "the hour is seen again, and of six hours nine tenths");
}

#[test]
fn b8_what_fires_is_told_although_another_tier_saw_too_little() {
    let history = busy().without(0, 5 * HOUR).with(0, 80, 1, 50, 50);
    let evaluation = history.evaluate(&three_nines(), NOW);
    assert_eq!(alert_of(&evaluation, 60), Alert::Critical);
    assert_eq!(alert_of(&evaluation, 360), Alert::Unmeasured);
    assert_eq!((evaluation.alert, evaluation.tier), (Alert::Critical, Some(Tier::Page)));
}

#[test]
fn b8_silences_are_measured_by_the_sources_own_habit() {
    let every_half_hour = History::default().with(25, 10 * DAY, 30, 5, 0);
    assert_eq!(every_half_hour.evaluate(&three_nines(), NOW).alert, Alert::Healthy);
    // Its first record has no habit yet: five minutes, unless the author said what to expect.
    let one = History::default().with(20, 1, 1, 5, 0);
    assert_eq!(one.evaluate(&three_nines(), NOW).alert, Alert::Unmeasured);
    let patient = Objective { expected_gap_minutes: Some(30), ..three_nines() };
    assert_eq!(one.evaluate(&patient, NOW).alert, Alert::Healthy);
    let endless = Objective { expected_gap_minutes: Some(u32::MAX), ..three_nines() };
    assert_eq!(one.evaluate(&endless, NOW).alert, Alert::Healthy);
}

#[test]
fn b8_the_running_minute_is_not_held_against_a_source() {
    // Three minutes with records, five more of grace, and the running one if it comes right after.
    for (silent, coverage) in [(0, 1.0), (1, 1.0), (5, 1.0), (6, 1.0), (7, 8.0 / 10.0), (8, 8.0 / 11.0)] {
        let evaluation = History::default().with(silent, 3, 1, 1, 0).evaluate(&three_nines(), NOW);
        assert_close(evaluation.coverage.expect("records"), coverage, &format!("last heard of {silent} minutes ago"));
    }
}

#[test]
fn b8_coverage_counts_from_the_first_record_or_the_windows_start() {
    let history = History::default().with(0, 60, 1, 1, 0);
    assert_close(history.evaluate(&three_nines(), NOW).coverage.expect("records"), 1.0, "since the first record");
    let hours: Vec<Hour> = (NOW.hour() - 1..=NOW.hour()).map(|hour| Hour { hour, counts: Counts::default(), seen: u64::MAX }).collect();
    let older = judge(
        &objective(0.9, Window { minutes: 6 * HOUR }),
        &Ledger::new(hours, vec![], true),
        Period::rolling(Window { minutes: 6 * HOUR }, NOW),
        NOW,
    );
    assert_close(older.coverage.expect("records"), (60.0 + 18.0) / 360.0, "a record before the loaded hours");
    assert_eq!(judge(&three_nines(), &Ledger::new(vec![], vec![], true), Period::rolling(Window::days(30), NOW), NOW).coverage, Some(0.0));
}

#[test]
fn b8_an_objective_without_tiers_is_judged_by_its_coverage() {
    let loose = objective(0.5, Window::days(7));
    let history = History::default().with(0, 7 * DAY, 1, 1, 1);
    let evaluation = history.evaluate(&loose, NOW);
    assert_eq!((evaluation.tiers.len(), evaluation.alert), (0, Alert::Healthy));
    assert_eq!(history.without(0, 2 * DAY).evaluate(&loose, NOW).alert, Alert::Unmeasured);
}

#[test]
fn b9_exhaustion_comes_from_what_is_left_at_the_last_hours_burn() {
    let history = History::default().with(HOUR, 30 * DAY - HOUR, 1, 1_000, 0).with(0, HOUR, 1, 990, 10);
    let evaluation = history.evaluate(&three_nines(), NOW);
    let exhaustion = evaluation.exhaustion.expect("it burns");
    let left = evaluation.budget.remaining_ratio.expect("events");
    assert_close(exhaustion.seconds, left * 2_592_000.0 / 10.0, "ten times too fast");
    let (earliest, latest) = (exhaustion.earliest_seconds.expect("known"), exhaustion.latest_seconds.expect("known"));
    // Of 72 slots 12 burn at 10: a mean near 1.67.
    assert!(earliest < left * 2_592_000.0 / 1.67 && left * 2_592_000.0 / 1.67 < latest, "{exhaustion:?}");
    assert_eq!(evaluation, history.evaluate(&three_nines(), NOW), "the draws are seeded");
}

#[test]
fn exhaustion_has_edges() {
    let at = |history: History| history.evaluate(&three_nines(), NOW).exhaustion;
    assert_eq!(at(busy()), None, "nothing burns");
    assert_eq!(at(busy().with(HOUR, 30, 1, 0, 10)), None, "nothing burns any more");
    let gone = at(History::default().with(HOUR, DAY, 1, 1, 1)).expect("told although nothing burns now");
    assert_eq!((gone.seconds, gone.earliest_seconds, gone.latest_seconds), (0.0, Some(0.0), Some(0.0)));
    let few = at(History::default().with(0, 30, 1, 99_999, 1)).expect("it burns");
    assert_eq!((few.earliest_seconds, few.latest_seconds), (None, None), "six slots are too few");
    let rare = at(busy().with(0, 1, 1, 0, 1)).expect("it burns");
    assert!(
        rare.earliest_seconds.is_some() && rare.latest_seconds.is_none(),
        "a third of the draws miss the one slot that burnt: {rare:?}"
    );
    let steady = at(History::default().with(0, 30 * DAY, 1, 9_995, 5)).expect("it burns");
    let range = (steady.earliest_seconds.expect("known"), steady.latest_seconds.expect("known"));
    assert_close(range.0, steady.seconds, "steady burns have no spread");
    assert_close(range.1, steady.seconds, "steady burns have no spread");
}
