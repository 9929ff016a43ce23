//! B6, B14: advice from an objective's own numbers.

use super::super::{LintKind, unreachable_tiers};
use super::*;

fn kinds(evaluation: &Evaluation) -> Vec<LintKind> {
    evaluation.lints.iter().filter_map(|lint| lint.kind).collect()
}

#[track_caller]
fn told(evaluation: &Evaluation, kind: LintKind) -> (String, String) {
    let lint = evaluation.lints.iter().find(|lint| lint.kind == Some(kind)).unwrap_or_else(|| panic!("{kind:?} in {:?}", evaluation.lints));
    (lint.reason.clone(), lint.proposal.clone())
}

#[test]
fn b14_a_sound_objective_has_none() {
    let sound = History::default().with(0, 30 * DAY, 1, 100, 0).with(0, 30 * DAY, 17, 0, 1);
    assert_eq!(kinds(&sound.evaluate(&three_nines(), NOW)), []);
    assert_eq!(kinds(&History::default().evaluate(&three_nines(), NOW)), [], "nothing counted, nothing to say");
}

#[test]
fn b14_what_never_burns_is_told_with_the_events_it_should_have_burned() {
    let spotless = History::default().with(0, 30 * DAY, 1, 100, 0).evaluate(&three_nines(), NOW);
    let (reason, _) = told(&spotless, LintKind::NeverBurns);
    assert_eq!(reason, "None of 4.32 M events was bad, where 4.32 k would be allowed");
    let young = History::default().with(0, 10, 1, 100, 0).evaluate(&three_nines(), NOW);
    assert!(!kinds(&young).contains(&LintKind::NeverBurns), "a thousand events of which one may be bad tell nothing");
}

#[test]
fn b14_what_burns_constantly_is_told_with_a_target_that_was_kept() {
    let broken = History::default().with(0, 30 * DAY, 1, 97, 3).evaluate(&three_nines(), NOW);
    let (reason, proposal) = told(&broken, LintKind::BurnsConstantly);
    assert!(reason.contains("the slowest at 30 ×"), "{reason}");
    assert!(proposal.starts_with("A target of 95 % would have been kept"), "{proposal}");
    let since_today =
        History::default().with(DAY, 29 * DAY, 1, 100, 0).with(0, DAY, 1, 97, 3).evaluate(&objective(0.98, Window::days(30)), NOW);
    assert!(!kinds(&since_today).contains(&LintKind::BurnsConstantly), "three days ago it did not");
    let new = History::default().with(0, DAY, 1, 97, 3).evaluate(&three_nines(), NOW);
    assert!(!kinds(&new).contains(&LintKind::BurnsConstantly), "a day is no habit");
}

#[test]
fn b6_a_budget_under_one_event_is_told_with_a_target_that_allows_one() {
    // Two events an hour are 1 440 in 30 days; 0.1 % of them is enough, 0.01 % is not.
    let thin = History::default().with(0, 30 * DAY, 30, 1, 0);
    let (reason, proposal) = told(&thin.evaluate(&objective(0.9999, Window::days(30)), NOW), LintKind::BudgetUnderOne);
    assert!(reason.contains("about 1.44 k events, of which 99.99 % allows 0.14"), "{reason}");
    assert!(proposal.starts_with("A target of 99.9 % at most"), "{proposal}");
    assert!(!kinds(&thin.evaluate(&three_nines(), NOW)).contains(&LintKind::BudgetUnderOne));
}

#[test]
fn b6_one_failure_that_is_as_much_as_a_page_allows_is_told() {
    let thin = History::default().with(0, 30 * DAY, 30, 1, 0).evaluate(&objective(0.99, Window::days(30)), NOW);
    let (reason, _) = told(&thin, LintKind::SingleFailurePages);
    assert!(reason.starts_with("The page over 1 h allows 0.29 of 14.4 bad events"), "{reason}");
    let busy = History::default().with(0, 30 * DAY, 1, 100, 1).evaluate(&three_nines(), NOW);
    assert!(!kinds(&busy).contains(&LintKind::SingleFailurePages));
}

#[test]
fn b5_a_tier_that_no_outage_reaches_is_told_before_anything_was_counted() {
    let lints = unreachable_tiers(&objective(0.9, Window::days(30)));
    let reasons: Vec<&str> = lints.iter().map(|lint| lint.reason.as_str()).collect();
    assert_eq!(reasons, ["The page at 14.4 × over 1 h is left out: with a target of 90 % a total outage burns at 10 ×, never faster"]);
    assert_eq!(lints[0].proposal, "A target of 95 % could reach it");
    assert_eq!(unreachable_tiers(&objective(0.99, Window::days(30))), []);
}

#[test]
fn b14_more_good_events_than_events_are_told() {
    let odd = Ledger::new(vec![Hour { hour: NOW.hour() - 1, counts: Counts { good: 12, total: 10 }, seen: 1 }], vec![], false);
    let evaluation = judge(&three_nines(), &odd, Period::rolling(Window::days(30), NOW), NOW);
    assert!(told(&evaluation, LintKind::GoodExceedsTotal).0.contains("12 events were good and only 10"), "{:?}", evaluation.lints);
}
