use proptest::prelude::*;

use super::*;
use crate::history::Happening;
use crate::slo::{
    Alert, Budget, BudgetingMethod, BurnRates, Counts, Evaluation, Objective, SeriesPoint, Target, Tier, TierRule, TierState, TimeWindow,
    Window,
};
use crate::view::{Indicator, SloPage, SloRow};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// A one-day SLO at 99 %, an hour a step, with the given (good, total) per hour, ending now.
fn page(hours: &[(u64, u64)]) -> SloPage {
    let now = at("2026-11-21T12:00:00Z");
    let first = now.plus_seconds(-3_600 * hours.len() as i64);
    let target = Target::new(0.99).unwrap();
    let (good, total) = hours.iter().fold((0, 0), |sum, hour| (sum.0 + hour.0, sum.1 + hour.1));
    let (allowed, bad) = (total as f64 * 0.01, (total - good) as f64);
    let series = hours.iter().enumerate().map(|(index, (good, total))| SeriesPoint {
        start: first.plus_seconds(index as i64 * 3_600),
        good: *good,
        total: *total,
        burn_rate: (*total > 0).then(|| (total - good) as f64 / *total as f64 / 0.01),
        budget_remaining: None,
    });
    SloPage {
        now,
        row: SloRow {
            objective: Objective {
                name: "a".to_owned(),
                display_name: None,
                service: "s".to_owned(),
                description: String::new(),
                target,
                window: TimeWindow::Rolling(Window { minutes: 60 * hours.len() as u32 }),
                budgeting_method: BudgetingMethod::Occurrences,
                expected_gap_minutes: None,
                alerting: crate::slo::Alerting::default(),
            },
            evaluation: Evaluation {
                counts: Counts { good, total },
                sli: Some(good as f64 / total as f64),
                budget: Budget { total: allowed, consumed: bad, remaining: allowed - bad, remaining_ratio: Some(1.0 - bad / allowed) },
                burn_rates: BurnRates::default(),
                tiers: vec![TierState {
                    rule: TierRule { tier: Tier::Page, long_minutes: 60, short_minutes: 5, burn_rate: 14.4, budget_share: 0.02 },
                    long_burn: None,
                    short_burn: None,
                    long_bad: 0.0,
                    long_threshold: 2.0,
                    short_bad: 0.0,
                    short_threshold: 1.0,
                    coverage: None,
                    alert: Alert::Healthy,
                }],
                alert: Alert::Healthy,
                tier: None,
                coverage: None,
                exhaustion: None,
                budgeting_method: BudgetingMethod::Occurrences,
                renews_at: None,
                parts: Vec::new(),
                lints: Vec::new(),
            },
            sparkline: Vec::new(),
            groups: None,
        },
        step_seconds: 3_600,
        series: series.collect(),
        indicator: Indicator { total: "true".to_owned(), part: "true".to_owned(), is_good: true },
        source: None,
        groups: None,
        backfill: None,
        estimated_to: None,
        incidents: vec![],
        history: Vec::new(),
        bad_traces: Vec::new(),
        definition: String::new(),
    }
}

#[test]
fn ticks_are_few_and_round() {
    assert_eq!(linear_ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.600_000_000_000_000_1, 0.8, 1.0]);
    assert_eq!(linear_ticks(-0.6, 1.0, 4), [-0.5, 0.0, 0.5, 1.0]);
    assert_eq!(linear_ticks(0.0, 3_700.0, 3), [0.0, 2_000.0]);
    assert_eq!(log_ticks(0.1, 150.0), [0.1, 1.0, 10.0, 100.0]);
}

#[test]
fn time_ticks_stand_at_round_times_of_the_zone_shown() {
    let axis = TimeAxis::new(at("2026-11-21T10:10:00Z"), at("2026-11-21T16:10:00Z"));
    let labels = |offset| time_ticks(axis, offset, 6).into_iter().map(|tick| tick.label).collect::<Vec<_>>();
    assert_eq!(labels(0), ["12:00", "14:00", "16:00"]);
    assert_eq!(labels(1_800), ["12:00", "14:00", "16:00"]);
    let month = TimeAxis::new(at("2026-10-22T12:00:00Z"), at("2026-11-21T12:00:00Z"));
    let ticks = time_ticks(month, 0, 7);
    assert_eq!(
        ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(),
        ["24 Oct", "29 Oct", "3 Nov", "8 Nov", "13 Nov", "18 Nov"]
    );
    assert!((ticks[0].position - 1.5 / 30.0).abs() < 1e-9);
}

#[test]
fn a_burn_down_falls_from_all_to_what_is_left_beside_the_even_line() {
    let chart = budget(&page(&[(0, 0), (100, 100), (99, 100), (100, 100)]));
    let line = chart.marks.iter().find_map(|mark| if let Mark::Line(Role::Line, runs) = mark { Some(runs) } else { None }).unwrap();
    let heights: Vec<f64> = line[0].iter().map(|point| (point.1 * 1e6).round() / 1e6).collect();
    assert_eq!(heights, [1.0, 0.666_667, 0.666_667]);
    assert!(chart.marks.contains(&Mark::Line(Role::Reference, vec![vec![(0.0, 1.0), (1.0, 0.0)]])));
    assert_eq!(chart.readings[0].text, "no data");
    assert_eq!(chart.readings[3].text, "67 % left");
}

#[test]
fn a_budget_that_events_do_not_make_is_drawn_as_it_was_left_at_each_step() {
    for method in [BudgetingMethod::Timeslices { minutes: 5, target: 0.9 }, BudgetingMethod::Composite] {
        let mut page = page(&[(90, 100), (100, 100), (100, 100)]);
        page.row.objective.budgeting_method = method;
        for (point, left) in page.series.iter_mut().zip([0.25, 0.5, 0.75]) {
            point.budget_remaining = Some(left);
        }
        let chart = budget(&page);
        let told: Vec<&str> = chart.readings.iter().map(|reading| reading.text.as_str()).collect();
        assert!(told[0].contains("25 %") && told[2].contains("75 %"), "{told:?}");
    }
}

#[test]
fn an_overspent_budget_goes_below_the_line_called_spent() {
    let chart = budget(&page(&[(100, 100), (90, 100)]));
    assert_eq!(chart.levels[0].label, "spent");
    assert!(chart.levels[0].position > 0.5);
    assert_eq!(chart.readings[1].text, "\u{2212}400 % left");
}

#[test]
fn burn_rates_have_gaps_and_thresholds() {
    let chart = burn_rate(&page(&[(99, 100), (0, 0), (0, 100), (100, 100)]));
    let runs = chart.marks.iter().find_map(|mark| if let Mark::Line(Role::Line, runs) = mark { Some(runs.len()) } else { None });
    assert_eq!(runs, Some(2));
    assert_eq!(chart.levels[0].label, "page 14.4 ×");
    assert_eq!(chart.readings.iter().map(|r| r.text.as_str()).collect::<Vec<_>>(), ["1 ×", "no events", "100 ×", "0 ×"]);
    assert!(chart.readings[3].height == Some(0.0));
}

#[test]
fn one_bad_event_among_many_is_seen() {
    let chart = events(&page(&[(999_999, 1_000_000)]));
    let bad = chart.marks.iter().find_map(|mark| if let Mark::Bars(Role::Bad, bars) = mark { bars.first() } else { None }).unwrap();
    assert!(bad.1.1 - bad.0.1 > 0.01);
    assert_eq!(chart.readings[0].text, "1 M good, 1 bad, 99.9999 %");
}

#[test]
fn b9_changes_are_marked_on_every_chart_and_told_at_their_step() {
    let page = page(&[(99, 100), (98, 100), (97, 100), (96, 100)]);
    let change = |at_text: &str, mark: &str, what: &str| Happening {
        at: at(at_text),
        mark: mark.to_owned(),
        what: what.to_owned(),
        ..Happening::default()
    };
    let told_more = Happening {
        more: vec!["target: 99 % → 98 %".to_owned()],
        ..change("2026-11-21T10:20:00Z", "version", "Version 2 applied by Grace")
    };
    let history = [
        change("2026-11-21T11:10:00Z", "closed", "An incident ended"),
        change("2026-11-21T10:40:00Z", "opened", "An incident began"),
        told_more,
        change("2026-11-20T10:20:00Z", "version", "Applied for the first time"),
    ];
    for chart in [budget(&page), burn_rate(&page), events(&page)] {
        let plain: Vec<String> = chart.readings.iter().map(|reading| reading.text.clone()).collect();
        let marked = chart.with_changes(&history);
        let lines: Vec<f64> = marked
            .marks
            .iter()
            .filter_map(|mark| if let Mark::Upright(Role::Change, x) = mark { Some((x * 240.0).round()) } else { None })
            .collect();
        assert_eq!(lines, [140.0, 160.0], "minutes after 08:00 of those that lie in the chart");
        let told: Vec<&str> =
            marked.readings.iter().zip(&plain).map(|(reading, plain)| reading.text.strip_prefix(plain.as_str()).unwrap()).collect();
        assert_eq!(told, ["", "", " · Version 2 applied by Grace: target: 99 % → 98 % · An incident began", ""]);
    }
}

#[test]
fn the_pointer_reads_the_nearest_step() {
    let chart = burn_rate(&page(&[(99, 100), (98, 100)]));
    assert_eq!(chart.reading(chart.time.from).unwrap().text, "1 ×");
    assert_eq!(chart.reading(chart.time.to).unwrap().text, "2 ×");
    assert_eq!(chart.reading(chart.time.at(0.49)).unwrap().text, "1 ×");
}

#[test]
fn a_sparkline_breaks_at_gaps() {
    assert_eq!(sparkline(&[Some(0.0), Some(1.0), None, Some(0.5)], 40.0, 12.0, 1.0), "M5.0 11.0L15.0 1.0M35.0 6.0h1");
    assert_eq!(sparkline(&[], 40.0, 12.0, 1.0), "");
}

proptest! {
    #[test]
    fn thinning_out_keeps_every_extreme_and_every_gap(values in prop::collection::vec(prop::option::weighted(0.9, 0.0..1.0_f64), 1..3_000), columns in 1_usize..200) {
        let count = values.len() as f64;
        let points: Vec<_> = values.iter().enumerate().map(|(i, v)| (i as f64 / count, *v)).collect();
        let runs = downsample(points.clone(), columns);
        let gaps = values.split(Option::is_none).filter(|run| !run.is_empty()).count();
        prop_assert_eq!(runs.len(), gaps);
        let known = || values.iter().flatten().copied();
        let kept = || runs.iter().flatten().map(|point| point.1);
        prop_assert_eq!(known().fold(f64::NAN, f64::max).to_bits(), kept().fold(f64::NAN, f64::max).to_bits());
        prop_assert_eq!(known().fold(f64::NAN, f64::min).to_bits(), kept().fold(f64::NAN, f64::min).to_bits());
        prop_assert!(runs.iter().all(|run| run.windows(2).all(|pair| pair[0].0 <= pair[1].0)));
        prop_assert!(runs.iter().map(Vec::len).sum::<usize>() <= (columns + gaps) * 4);
    }

    #[test]
    fn ticks_lie_inside_and_are_never_many(low in -1e6..1e6_f64, span in 1e-3..1e9_f64, wanted in 1_usize..12) {
        let ticks = linear_ticks(low, low + span, wanted);
        prop_assert!(ticks.len() <= wanted + 2);
        prop_assert!(ticks.iter().all(|t| *t >= low - span * 1e-6 && *t <= low + span * 1.000_001));
    }

    #[test]
    fn a_position_and_its_instant_agree(seconds in 1_i64..100_000_000, share in 0.0..1.0_f64) {
        let axis = TimeAxis::new(Timestamp::from_seconds(0), Timestamp::from_seconds(seconds));
        prop_assert!((axis.position(axis.at(share)) - share).abs() < 1e-6);
        let ticks = time_ticks(axis, 3_600, 8);
        prop_assert!(ticks.len() <= 9 && ticks.iter().all(|t| (-1e-9..=1.0 + 1e-9).contains(&t.position)));
    }
}
