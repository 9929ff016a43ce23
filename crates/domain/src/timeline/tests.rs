use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn busy(intervals: &[(i64, i64)]) -> Axis {
    Axis::folded(intervals.iter().map(|(start, end)| (at(*start), at(*end))))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn a_linear_axis_maps_shares_and_clamps_what_lies_outside() {
    let axis = Axis::linear(at(0), at(1_000));
    for (millis, x) in [(-5, 0.0), (0, 0.0), (250, 0.25), (1_000, 1.0), (9_999, 1.0)] {
        assert!(close(axis.x(at(millis)), x), "{millis}");
    }
    assert_eq!(axis.extent(at(500), 250.0), (0.5, 0.25));
}

#[test]
fn gaps_are_folded_when_they_would_push_everything_else_together() {
    for (name, intervals, folds) in [
        ("one stretch has no gap", vec![(0, 100)], 0),
        ("what overlaps has no gap", vec![(0, 100), (50, 200)], 0),
        ("a short pause stays", vec![(0, 100), (110, 200)], 0),
        ("a pause of a fifth of the work stays", vec![(0, 100), (140, 240)], 0),
        ("a longer one folds", vec![(0, 100), (150, 250)], 1),
        ("a retry ten minutes later folds", vec![(0, 900), (600_000, 601_200)], 1),
        ("order does not matter", vec![(600_000, 601_200), (0, 900)], 1),
        ("instants fold whatever lies between", vec![(0, 0), (1, 1), (900, 900)], 2),
    ] {
        assert_eq!(busy(&intervals).folds().count(), folds, "{name}");
    }
}

#[test]
fn a_folded_gap_keeps_its_true_length_and_a_narrow_place() {
    let axis = busy(&[(0, 1_000), (601_000, 602_000)]);
    let fold = axis.folds().next().expect("folded");
    assert_eq!(fold.nanos(), 600_000_000_000);
    assert!(close(fold.width, 0.03));
    assert!(close(axis.x(at(1_000)), 0.485));
    assert!(close(axis.x(at(601_000)), 0.515));
    assert!(close(axis.x(at(301_000)), 0.5));
}

#[test]
fn many_folds_share_a_bounded_part_of_the_width() {
    let axis = Axis::folded((0..100).map(|n| (at(n * 10_000), at(n * 10_000 + 10))));
    let folded: f64 = axis.folds().map(|f| f.width).sum();
    assert_eq!(axis.folds().count(), 99);
    assert!(folded <= 0.3 + 1e-9, "{folded}");
}

#[test]
fn nothing_and_a_single_instant_have_an_axis_too() {
    assert!(close(Axis::folded([]).x(at(0)), 0.5));
    assert!(close(busy(&[(5, 5)]).x(at(5)), 0.5));
    assert_eq!(busy(&[(5, 5)]).ticks(at(5), 6), [Tick { at: at(5), x: 0.5 }]);
}

#[test]
fn steps_are_round() {
    for (least, step) in [
        (0.0, 1),
        (1.5, 2),
        (130e6, 200_000_000),
        (1e9, 1_000_000_000),
        (7e9, 10_000_000_000),
        (11e9, 15_000_000_000),
        (61e9, 120_000_000_000),
        (3_601e9, 7_200_000_000_000),
        (200_000e9, 259_200_000_000_000),
    ] {
        assert_eq!(round_step(least), step, "{least}");
    }
}

#[test]
fn ticks_are_round_and_apart() {
    let axis = Axis::linear(at(0), at(1_240));
    let millis: Vec<i64> = axis.ticks(at(0), 5).iter().map(|t| t.at.since(at(0)) / 1_000_000).collect();
    assert_eq!(millis, [0, 500, 1_000]);
    let folded = busy(&[(0, 1_000), (600_300, 600_301)]);
    let last = *folded.ticks(at(0), 5).last().expect("some");
    assert!(last.at <= at(600_301));
}

#[test]
fn bars_that_overlap_get_their_own_rows_until_there_are_none_left() {
    let extents = [(0.0, 0.5), (0.1, 0.1), (0.3, 0.1), (0.15, 0.4), (0.6, 0.0), (0.6, 0.0)];
    assert_eq!(stack(&extents, 0.01, 8), [0, 1, 1, 2, 0, 1]);
    assert_eq!(stack(&extents, 0.01, 2), [0, 1, 1, 1, 0, 1]);
    assert_eq!(stack(&[], 0.01, 8), Vec::<u16>::new());
}

#[test]
fn services_shown_together_differ_and_alone_keep_their_colour() {
    let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let shop = names(&["web", "checkout", "payment", "inventory", "mail", "cart", "search", "auth", "ledger", "ship", "risk", "tax"]);
    let mut colours = service_colours(&shop);
    colours.sort_unstable();
    assert_eq!(colours, (0..SERVICE_COLOURS).collect::<Vec<_>>());
    for name in &shop {
        assert_eq!(service_colours(std::slice::from_ref(name)), [service_colour(name)]);
    }
    assert_eq!(service_colours(&(0..40).map(|n| format!("s{n}")).collect::<Vec<_>>()).len(), 40);
}

#[test]
fn shares_are_written_as_svg_takes_them() {
    for (share, text) in [(0.0, "0%"), (0.123_456, "12.346%"), (0.5, "50%"), (1.0, "100%"), (0.100_1, "10.01%")] {
        assert_eq!(svg_percent(share), text);
    }
}

proptest! {
    #[test]
    fn a_place_leads_back_to_its_instant(intervals in prop::collection::vec((0_i64..10_000_000, 1_i64..50_000), 1..20), x in 0.0_f64..1.0) {
        let axis = Axis::folded(intervals.iter().map(|(start, length)| (at(*start), at(start + length))));
        prop_assert!((axis.x(axis.at(x)) - x).abs() < 1e-3);
    }

    #[test]
    fn later_never_stands_further_left(intervals in prop::collection::vec((0_i64..10_000_000, 0_i64..50_000), 1..40), probes in prop::collection::vec(-1_000_i64..11_000_000, 2..20)) {
        let axis = Axis::folded(intervals.iter().map(|(start, length)| (at(*start), at(start + length))));
        let mut probes = probes;
        probes.sort_unstable();
        let places: Vec<f64> = probes.iter().map(|p| axis.x(at(*p))).collect();
        prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9));
        prop_assert!(places.iter().all(|x| (-1e-9..=1.0 + 1e-9).contains(x)));
    }

    #[test]
    fn segments_fill_the_width_without_holes(intervals in prop::collection::vec((0_i64..10_000_000, 0_i64..50_000), 1..40)) {
        let axis = Axis::folded(intervals.iter().map(|(start, length)| (at(*start), at(start + length))));
        let segments = axis.segments();
        prop_assert!(segments.windows(2).all(|pair| pair[0].end == pair[1].start && close(pair[0].x + pair[0].width, pair[1].x)));
        prop_assert!(close(segments.iter().map(|s| s.width).sum::<f64>(), 1.0));
        prop_assert!(segments.windows(2).all(|pair| pair[0].folded != pair[1].folded));
    }

    #[test]
    fn everything_shown_has_one_scale(intervals in prop::collection::vec((0_i64..10_000_000, 1_i64..50_000), 1..40)) {
        let axis = Axis::folded(intervals.iter().map(|(start, length)| (at(*start), at(start + length))));
        let scales: Vec<f64> = axis.segments().iter().filter(|s| !s.folded).map(|s| s.width / s.nanos() as f64).collect();
        prop_assert!(scales.iter().all(|scale| (scale / scales[0] - 1.0).abs() < 1e-6));
    }

    #[test]
    fn ticks_are_few_ordered_and_never_crowd(intervals in prop::collection::vec((0_i64..10_000_000, 0_i64..50_000), 1..40), count in 2_u32..12) {
        let axis = Axis::folded(intervals.iter().map(|(start, length)| (at(*start), at(start + length))));
        let ticks = axis.ticks(axis.start(), count);
        prop_assert!(!ticks.is_empty());
        prop_assert!(ticks.len() as u32 <= count * 2);
        prop_assert!(ticks.windows(2).all(|pair| pair[0].x < pair[1].x && pair[0].at < pair[1].at));
    }

    #[test]
    fn stacked_bars_of_a_row_do_not_overlap(extents in prop::collection::vec((0.0_f64..1.0, 0.0_f64..0.3), 0..60)) {
        let rows = stack(&extents, 0.0, 1_000);
        for (i, a) in extents.iter().enumerate() {
            for (j, b) in extents.iter().enumerate().skip(i + 1) {
                prop_assert!(rows[i] != rows[j] || a.0 + a.1 <= b.0 || b.0 + b.1 <= a.0);
            }
        }
    }

    #[test]
    fn any_service_name_has_a_colour(name in ".*") {
        prop_assert!(service_colour(&name) < SERVICE_COLOURS);
    }
}
