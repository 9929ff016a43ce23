use super::super::{Alert, AlertPair, AlertPairs, Alerting, Threshold, Tier, is_preset, tiers_for, unreachable_tiers};
use super::*;

fn pair(long_minutes: u32, short_minutes: u32, threshold: Threshold) -> AlertPair {
    AlertPair { tier: Tier::Page, long_minutes, short_minutes, threshold }
}

fn made(pairs: &[AlertPair]) -> Objective {
    Objective { alerting: Alerting { pairs: AlertPairs::Made(pairs.to_vec()), fewest_bad: 2 }, ..three_nines() }
}

#[test]
fn b5_each_way_to_type_a_threshold_comes_to_a_burn_rate() {
    let month = Window::days(30);
    for (threshold, left, burn) in [
        (Threshold::BurnRate(14.4), None, 14.4),
        // 2 % of a month's budget within an hour.
        (Threshold::BudgetShare(0.02), None, 14.4),
        // 720 hours of budget gone in 6, and a quarter of it.
        (Threshold::HoursLeft(6.0), Some(1.0), 120.0),
        (Threshold::HoursLeft(6.0), Some(0.25), 30.0),
        (Threshold::HoursLeft(6.0), None, 120.0),
        (Threshold::HoursLeft(6.0), Some(-3.0), 0.0),
    ] {
        let rule = pair(60, 5, threshold).rule(month, left);
        assert_close(rule.burn_rate, burn, &format!("{threshold:?} with {left:?}"));
        assert_close(rule.budget_share, burn / 720.0, &format!("{threshold:?} with {left:?}"));
    }
}

#[test]
fn b5_a_typed_threshold_is_out_of_reach_above_the_burn_of_a_total_outage() {
    let month = Window::days(30);
    for (threshold, ratio, beyond) in [
        (Threshold::BurnRate(100.0), 0.99, None),
        (Threshold::BurnRate(100.1), 0.99, Some(100.0)),
        (Threshold::BudgetShare(0.2), 0.99, Some(100.0)),
        (Threshold::BudgetShare(0.13), 0.99, None),
        (Threshold::HoursLeft(1.0), 0.99, None),
    ] {
        let highest = pair(60, 5, threshold).out_of_reach(month, target(ratio));
        assert_eq!(highest.map(f64::round), beyond, "{threshold:?}");
    }
}

#[test]
fn b5_made_pairs_stand_in_place_of_the_preset_and_none_is_silence() {
    let objective = made(&[pair(90, 7, Threshold::BurnRate(10.0))]);
    let outage = History::default().with(0, 30 * DAY, 1, 100, 0).without(0, 90).with(0, 90, 1, 50, 50);
    let told = outage.evaluate(&objective, NOW);
    assert_eq!(told.tiers.iter().map(|state| (state.rule.long_minutes, state.alert)).collect::<Vec<_>>(), [(90, Alert::Critical)]);
    let silent = outage.evaluate(&made(&[]), NOW);
    assert_eq!((silent.tiers.len(), silent.alert, silent.tier), (0, Alert::Healthy, None));
    let low = Objective { target: target(0.9), ..made(&[]) };
    assert_eq!(unreachable_tiers(&low), [], "no preset, so none of its tiers is missed");
}

#[test]
fn b5_hours_left_fire_sooner_the_less_is_left() {
    let objective = made(&[pair(60, 5, Threshold::HoursLeft(24.0))]);
    // Burning at 20: a whole month's budget is gone in 36 hours, a half of it in 18.
    let fires = |spent_minutes: u32| {
        let history = History::default().with(0, 30 * DAY, 1, 1_000, 0);
        let spent = history.without(DAY, spent_minutes).with(DAY, spent_minutes, 1, 0, 1_000);
        let evaluation = spent.without(0, 60).with(0, 60, 1, 980, 20).evaluate(&objective, NOW);
        (evaluation.tiers[0].alert == Alert::Critical, evaluation.budget.remaining_ratio.expect("events"))
    };
    let (whole, half) = (fires(0), fires(20));
    assert!(!whole.0 && whole.1 > 0.95, "{whole:?}");
    assert!(half.0 && half.1 < 0.6, "{half:?}");
}

#[test]
fn b5_the_floor_of_bad_events_can_be_moved() {
    let failures = |bad: u64| History::default().with(0, 30 * DAY, 60, 1, 0).with(0, 1, 1, 0, bad);
    for (floor, bad, fires) in [(1, 1, true), (2, 1, false), (2, 2, true), (5, 4, false), (5, 5, true)] {
        let objective = Objective { alerting: Alerting { fewest_bad: floor, ..Alerting::default() }, ..three_nines() };
        assert_eq!(failures(bad).evaluate(&objective, NOW).tier.is_some(), fires, "{bad} bad events with a floor of {floor}");
    }
}

#[test]
fn b5_another_preset_is_scaled_to_the_window() {
    let month = Window::days(30);
    let alerting = Alerting { pairs: AlertPairs::Preset(Window::days(90)), fewest_bad: 2 };
    let longs: Vec<_> = alerting.tiers(month, target(0.999), None).iter().map(|rule| (rule.long_minutes, rule.burn_rate)).collect();
    assert_eq!(longs.iter().map(|rule| rule.0).collect::<Vec<_>>(), [60, 360, 1_440]);
    assert_close(longs[0].1, 7.2, "1 % of a month's budget within an hour");
    assert_eq!(Alerting::default().tiers(month, target(0.999), None), tiers_for(month, target(0.999)));
    assert!(is_preset(Window::days(28)) && !is_preset(Window::days(29)));
}

#[test]
fn a_loader_is_told_the_hours_of_made_windows() {
    let objective = made(&[pair(97, 13, Threshold::BurnRate(2.0)), pair(3_333, 111, Threshold::BurnRate(1.0))]);
    let history = History::default().with(0, 40 * DAY, 7, 5, 1);
    for now in (0..60).map(|back| NOW.plus(-back)) {
        let period = Period::rolling(Window::days(30), now);
        let hours = Ledger::hours_needing_minutes(now, period, &objective);
        assert_eq!(judge(&objective, &history.ledger(&hours), period, now), judge(&objective, &history.whole_ledger(), period, now));
    }
}
