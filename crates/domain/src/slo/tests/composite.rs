//! B4: objectives made of others.

use super::*;
use crate::slo::{Alert, Basis, Part, Tier, TierState, WhenDelayed};

/// A composite of these histories, judged at `NOW` from no more rows than are said to be needed.
fn judged(target: f64, window: Window, parts: &[(&History, f64, WhenDelayed)]) -> Evaluation {
    judged_in(target, window, Period::rolling(window, NOW), parts)
}

fn judged_in(target: f64, window: Window, period: Period, parts: &[(&History, f64, WhenDelayed)]) -> Evaluation {
    let whole = composite(target, window);
    let own: Vec<Objective> = (0..parts.len()).map(|part| Objective { name: format!("part-{part}"), ..objective(0.9, window) }).collect();
    let as_asked = |own: &Objective| Objective { alerting: whole.alerting.clone(), ..own.clone() };
    let ledger = |(history, own): (&History, &Objective)| history.ledger(&Ledger::hours_needing_minutes(NOW, period, &as_asked(own)));
    let ledgers: Vec<Ledger> = parts.iter().zip(&own).map(|((history, ..), own)| ledger((history, own))).collect();
    let parts = parts.iter().zip(own.iter().zip(&ledgers)).map(|((_, weight, when_delayed), (objective, ledger))| Part {
        objective,
        weight: *weight,
        when_delayed: *when_delayed,
        basis: Basis::from(ledger),
    });
    judge(&whole, Basis::Composite(parts.collect()), period, NOW)
}

fn composite(target: f64, window: Window) -> Objective {
    Objective { name: "whole".to_owned(), budgeting_method: BudgetingMethod::Composite, ..objective(target, window) }
}

const WEEK: Window = Window::days(7);
const IGNORED: WhenDelayed = WhenDelayed::Ignored;

#[test]
fn b4_the_sli_is_the_weighted_mean_of_the_parts_whatever_their_traffic() {
    // 99.9 % of many and 98 % of few, the few three times as heavy: (0.999 + 3 × 0.98) ÷ 4.
    let many = History::default().with(0, 7 * DAY, 1, 999, 1);
    let few = History::default().with(0, 7 * DAY, 10, 49, 1);
    let evaluation = judged(0.98, WEEK, &[(&many, 1.0, IGNORED), (&few, 3.0, IGNORED)]);
    assert_close(evaluation.sli.expect("an SLI"), 0.984_75, "SLI");
    // Of 2 % that may be bad 1.525 % were: 0.1 ÷ 4 by the one, 3 × 2 ÷ 4 by the other.
    assert_close(evaluation.budget.total, 2.0, "budget in percent of the whole");
    assert_close(evaluation.budget.consumed, 1.525, "consumed");
    assert_close(evaluation.budget.remaining_ratio.expect("a ratio"), 1.0 - 1.525 / 2.0, "left");
    assert_close(evaluation.burn_rates["1h"].expect("a rate"), 1.525 / 2.0, "burn rate");
    let [light, heavy] = evaluation.parts.as_slice() else { panic!("two parts") };
    assert_close(light.weight, 0.25, "weight");
    assert_close(light.spent, 0.025 / 2.0, "spent by the light one");
    assert_close(heavy.spent, 1.5 / 2.0, "spent by the heavy one");
    assert_close(heavy.sli.expect("an SLI"), 0.98, "SLI of the heavy one");
    assert_eq!((heavy.slo.as_str(), heavy.coverage), ("part-1", Some(1.0)));
    assert_eq!(evaluation.counts.total, 7 * u64::from(DAY) * 1_000 + 1_008 * 50);
    assert_eq!(evaluation.alert, Alert::Healthy);
}

#[test]
fn b4_of_one_part_it_is_that_part() {
    let outage = History::default().with(0, 7 * DAY, 1, 200, 0).with(0, 30, 1, 0, 100);
    let at_night = History::default().with(0, 6 * HOUR, 60, 2, 1).with(6 * HOUR, 7 * DAY - 6 * HOUR, 1, 500, 0);
    let gone = History::default().with(3 * HOUR, 7 * DAY, 1, 500, 1);
    let young = History::default().with(0, DAY, 1, 98, 2);
    for (what, history) in [("outage", outage), ("night", at_night), ("gone", gone), ("young", young)] {
        let alone = history.evaluate(&objective(0.99, WEEK), NOW);
        let whole = judged(0.99, WEEK, &[(&history, 5.0, IGNORED)]);
        assert_eq!((whole.alert, whole.tier), (alone.alert, alone.tier), "{what}");
        assert_close(whole.sli.expect("an SLI"), alone.sli.expect("an SLI"), what);
        assert_close(whole.budget.remaining_ratio.expect("a ratio"), alone.budget.remaining_ratio.expect("a ratio"), what);
        for ((name, rate), (_, wanted)) in whole.burn_rates.0.iter().zip(&alone.burn_rates.0) {
            assert_close(rate.unwrap_or(-1.0), wanted.unwrap_or(-1.0), &format!("{what}, {name}"));
        }
        for (tier, wanted) in whole.tiers.iter().zip(&alone.tiers) {
            // Two bad events at least are asked of both, but only the one counts in them.
            if wanted.long_threshold > 2.0 {
                assert_close(reached(tier), reached(wanted), &format!("{what}, {:?}", tier.rule));
            }
            assert_eq!(tier.alert, wanted.alert, "{what}, {:?}", tier.rule);
            assert_close(tier.coverage.unwrap_or(-1.0), wanted.coverage.unwrap_or(-1.0), what);
        }
    }
}

fn reached(tier: &TierState) -> f64 {
    tier.long_bad / tier.long_threshold
}

#[test]
fn b4_what_a_delayed_part_counts_as_is_its_authors_to_say() {
    let steady = History::default().with(0, 7 * DAY, 1, 90, 10);
    // Silent for the last two of seven days, but for the five minutes that everyone is granted.
    let delayed = History::default().with(2 * DAY, 5 * DAY, 1, 80, 20);
    let silent = f64::from(2 * DAY - 5 - 1) / f64::from(7 * DAY);
    let known = 1.0 - silent;
    let sli = |when_delayed| judged(0.5, WEEK, &[(&steady, 1.0, IGNORED), (&delayed, 1.0, when_delayed)]);
    let close = |got: &Evaluation, wanted: f64, what: &str| {
        let sli = got.sli.expect("an SLI");
        // The running minute is never held against a source, so a minute may be seen either way.
        assert!((sli - wanted).abs() < 1e-4, "{what}: got {sli}, wanted {wanted}");
    };
    let (good, bad, ignored) = (sli(WhenDelayed::Good), sli(WhenDelayed::Bad), sli(WhenDelayed::Ignored));
    close(&good, f64::midpoint(0.9, known * 0.8 + silent), "good");
    close(&bad, f64::midpoint(0.9, known * 0.8), "bad");
    close(&ignored, (0.9 + known * 0.8) / (1.0 + known), "ignored");
    // 28 % of the time of half the weight is missing: coverage 0.86. Silence that counts as something is known.
    assert_eq!(ignored.alert, Alert::Unmeasured);
    assert_ne!(good.alert, Alert::Unmeasured);
    assert_ne!(bad.alert, Alert::Unmeasured);
    assert!(bad.parts[1].spent > ignored.parts[1].spent && ignored.parts[1].spent > good.parts[1].spent);
    let all: f64 = bad.parts.iter().map(|part| part.spent).sum();
    assert_close(all, bad.budget.consumed / bad.budget.total, "the parts make the whole");
}

#[test]
fn b4_silence_that_counts_as_bad_pages() {
    let steady = History::default().with(0, 7 * DAY, 1, 100, 0);
    let gone = History::default().with(2 * HOUR, 7 * DAY, 1, 100, 0);
    let verdict = |when_delayed| judged(0.99, WEEK, &[(&steady, 1.0, IGNORED), (&gone, 1.0, when_delayed)]).tier;
    assert_eq!(verdict(WhenDelayed::Bad), Some(Tier::Page));
    assert_eq!(verdict(WhenDelayed::Good), None);
}

#[test]
fn b4_a_part_that_never_sent_anything_is_unknown_whatever_its_silence_counts_as() {
    let steady = History::default().with(0, 7 * DAY, 1, 99, 1);
    for when_delayed in WhenDelayed::ALL {
        let evaluation = judged(0.9, WEEK, &[(&steady, 1.0, IGNORED), (&History::default(), 1.0, when_delayed)]);
        assert_close(evaluation.sli.expect("an SLI"), 0.99, "SLI");
        assert_eq!(evaluation.alert, Alert::Unmeasured, "{when_delayed:?}");
        assert_eq!((evaluation.parts[1].sli, evaluation.parts[1].coverage), (None, None));
    }
    assert_eq!(judged(0.9, WEEK, &[(&History::default(), 1.0, IGNORED)]).alert, Alert::Unmeasured);
}

#[test]
fn b4_nested_parts_weigh_as_their_share_of_their_whole() {
    let histories = [(98, 2), (96, 4), (90, 10)].map(|(good, bad)| History::default().with(0, 7 * DAY, 1, good, bad));
    let [a, b, c] = &histories;
    // a has half of the whole; b and c share the other half one to three.
    let flat = judged(0.95, WEEK, &[(a, 4.0, IGNORED), (b, 1.0, IGNORED), (c, 3.0, IGNORED)]);
    let period = Period::rolling(WEEK, NOW);
    let own = objective(0.9, WEEK);
    let inner = composite(0.5, WEEK);
    let ledgers: Vec<Ledger> = histories.iter().map(History::whole_ledger).collect();
    let leaf = |ledger, weight| Part { objective: &own, weight, when_delayed: IGNORED, basis: Basis::Counts(ledger) };
    let nested = Part {
        objective: &inner,
        weight: 2.0,
        when_delayed: IGNORED,
        basis: Basis::Composite(vec![leaf(&ledgers[1], 10.0), leaf(&ledgers[2], 30.0)]),
    };
    let deep = judge(&composite(0.95, WEEK), Basis::Composite(vec![leaf(&ledgers[0], 2.0), nested]), period, NOW);
    assert_close(deep.sli.expect("an SLI"), flat.sli.expect("an SLI"), "SLI");
    assert_close(deep.budget.remaining, flat.budget.remaining, "left");
    assert_eq!(deep.alert, flat.alert);
    for (tier, wanted) in deep.tiers.iter().zip(&flat.tiers) {
        assert_close(tier.long_bad, wanted.long_bad, "spent in the long window");
    }
    assert_close(deep.parts[1].spent, flat.parts[1].spent + flat.parts[2].spent, "spent by the nested ones");
}

#[test]
fn b4_a_failure_of_a_quiet_part_at_night_does_not_page() {
    let busy = History::default().with(0, 7 * DAY, 1, 1_000, 0);
    // Ten events an hour through the night, two of them bad in the last one; a thousand a minute by day.
    let quiet = History::default().with(12 * HOUR, 6 * DAY, 1, 1_000, 0).with(0, 12 * HOUR, 6, 1, 0).with(0, 12, 6, 0, 1);
    let evaluation = judged(0.999, WEEK, &[(&busy, 1.0, IGNORED), (&quiet, 1.0, IGNORED)]);
    assert!(evaluation.burn_rates["1h"].is_some_and(|rate| rate > 14.4), "{:?}", evaluation.burn_rates);
    assert_eq!((evaluation.alert, evaluation.tier), (Alert::Healthy, None));
}

#[test]
fn b4_in_a_period_of_the_calendar_it_spends_of_what_is_to_be_expected_until_its_end() {
    // Three of seven days have passed; 2 % were bad all the time, of 4 % that may be.
    let steady = History::default().with(0, 30 * DAY, 1, 98, 2);
    let period = Period { first: NOW.plus(-(3 * DAY as i32) + 1), minutes: 7 * DAY, is_rolling: false };
    let evaluation = judged_in(0.96, WEEK, period, &[(&steady, 1.0, IGNORED), (&steady, 1.0, IGNORED)]);
    assert_close(evaluation.budget.consumed, 2.0 * 3.0 / 7.0, "consumed");
    assert_close(evaluation.sli.expect("an SLI"), 0.98, "SLI");
    assert_close(evaluation.parts[0].spent, 1.0 * 3.0 / 7.0 / 4.0, "spent by a part");
}
