use super::super::{LeftOutReason, Tier, TierRule, left_out_tiers, tiers_for};
use super::*;

fn rule(tier: Tier, long_minutes: u32, short_minutes: u32, burn_rate: f64, percent: f64) -> TierRule {
    TierRule { tier, long_minutes, short_minutes, burn_rate, budget_share: percent / 100.0 }
}

#[track_caller]
fn assert_tiers(window: Window, wanted: &[TierRule]) {
    let tiers = tiers_for(window, target(0.999));
    let shape = |rules: &[TierRule]| rules.iter().map(|r| (r.tier, r.long_minutes, r.short_minutes)).collect::<Vec<_>>();
    assert_eq!(shape(&tiers), shape(wanted), "{window}");
    for (got, wanted) in tiers.iter().zip(wanted) {
        assert_close(got.burn_rate, wanted.burn_rate, &format!("burn rate over {window}"));
        assert_close(got.budget_share, wanted.budget_share, &format!("budget share over {window}"));
    }
}

#[test]
fn thirty_days_are_the_workbooks_numbers() {
    // SRE Workbook, chapter 5, Table 5-8, and the third pair of its Prometheus rules.
    assert_tiers(
        Window::days(30),
        &[
            rule(Tier::Page, 60, 5, 14.4, 2.0),
            rule(Tier::Page, 360, 30, 6.0, 5.0),
            rule(Tier::Ticket, 1_440, 120, 3.0, 10.0),
            rule(Tier::Ticket, 4_320, 360, 1.0, 10.0),
        ],
    );
}

#[test]
fn other_presets_are_scaled_to_their_window() {
    // Sloth's google-28d.yaml has the first three; its fourth, 0.93, would alert while the promise is kept.
    assert_tiers(
        Window::days(28),
        &[
            rule(Tier::Page, 60, 5, 13.44, 2.0),
            rule(Tier::Page, 360, 30, 5.6, 5.0),
            rule(Tier::Ticket, 1_440, 120, 2.8, 10.0),
            rule(Tier::Ticket, 4_320, 360, 1.0, 300.0 / 28.0),
        ],
    );
    let tiers = [rule(Tier::Page, 60, 5, 16.8, 10.0), rule(Tier::Page, 360, 30, 5.6, 20.0), rule(Tier::Ticket, 1_440, 120, 2.8, 40.0)];
    assert_tiers(Window::days(7), &tiers);
    let tiers = [rule(Tier::Page, 60, 5, 21.6, 1.0), rule(Tier::Page, 360, 30, 10.8, 3.0), rule(Tier::Ticket, 1_440, 120, 4.5, 5.0)];
    assert_tiers(Window::days(90), &tiers);
}

#[test]
fn short_windows_keep_the_tiers_that_fit() {
    let day = [rule(Tier::Page, 60, 5, 2.4, 10.0), rule(Tier::Page, 360, 30, 1.0, 25.0), rule(Tier::Ticket, 1_440, 120, 1.0, 100.0)];
    assert_tiers(Window::days(1), &day);
    assert_tiers(Window { minutes: 6 * HOUR }, &[rule(Tier::Page, 60, 5, 1.0, 100.0 / 6.0), rule(Tier::Page, 360, 30, 1.0, 100.0)]);
    assert_tiers(Window { minutes: HOUR }, &[rule(Tier::Page, 60, 5, 1.0, 100.0)]);
    assert_tiers(Window { minutes: 30 }, &[rule(Tier::Page, 30, 2, 1.0, 100.0)]);
    assert_tiers(Window { minutes: 1 }, &[rule(Tier::Page, 1, 1, 1.0, 100.0)]);
}

#[test]
fn tiers_that_no_outage_reaches_are_left_out_with_the_reason() {
    for (ratio, days, kept) in [(0.999, 30, 4), (0.9306, 30, 4), (0.93, 30, 3), (0.83, 30, 2), (0.66, 30, 1), (0.5, 7, 0), (0.9, 90, 1)] {
        let (kept_tiers, left_out) = (tiers_for(Window::days(days), target(ratio)), left_out_tiers(Window::days(days), target(ratio)));
        assert_eq!(kept_tiers.len(), kept, "{ratio} over {days} d");
        for tier in left_out {
            let LeftOutReason::Unreachable { highest } = tier.reason else { panic!("{tier:?}") };
            assert_close(highest, 1.0 / (1.0 - ratio), "highest");
            assert!(tier.rule.burn_rate > highest);
        }
    }
    let tier = left_out_tiers(Window::days(30), target(0.9))[0];
    assert_eq!(tier.reason.to_string(), "a total outage burns at 10 ×, never faster");
    assert_eq!(left_out_tiers(Window { minutes: HOUR }, target(0.9)).len(), 2);
    assert_eq!(left_out_tiers(Window { minutes: HOUR }, target(0.9))[0].reason, LeftOutReason::LongerThanWindow);
}

#[test]
fn a_total_outage_is_detected_as_fast_as_the_workbook_says() {
    // (1 − SLO) × long × burn, chapter 5: 52 s, 2 m 10 s and 4 m 19 s after the start, rounded.
    let tiers = tiers_for(Window::days(30), target(0.999));
    for (tier, seconds) in tiers.iter().zip([51.84, 129.6, 259.2, 259.2]) {
        assert_close(tier.detection_seconds(target(0.999), 1.0), seconds, "detection");
        assert_close(tier.detection_seconds(target(0.999), 0.01), seconds * 100.0, "detection at 1 %");
    }
    assert!(tiers[0].detection_seconds(target(0.999), 0.0).is_infinite());
}

#[test]
fn one_minus_the_target_is_the_decimal_that_was_meant() {
    for (ratio, budget) in [(0.999, 1e-3), (0.9995, 5e-4), (0.9999, 1e-4), (0.999_999_9, 1e-7), (0.9, 0.1), (0.07, 0.93)] {
        assert_eq!(target(ratio).budget_ratio().to_bits(), f64::to_bits(budget), "{ratio}");
    }
    let third = 1.0 / 3.0;
    assert_eq!(target(third).budget_ratio().to_bits(), f64::to_bits(1.0 - third));
    assert!(target(1.0 - f64::EPSILON / 2.0).budget_ratio() > 0.0);
    for ratio in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(Target::new(ratio).is_err(), "{ratio}");
    }
}
