use proptest::prelude::*;

use super::*;
use crate::outline::tests::{any_trace, outline};

/// web ── checkout ── payment
///     └─ mail
fn trace() -> Outline {
    outline(&[
        (1, 0, "web GET!", 0, 1_000),
        (2, 1, "checkout pay", 100, 700),
        (3, 2, "payment charge!", 200, 600),
        (4, 1, "mail send", 750, 750),
    ])
}

/// Whether bars are at (left, width).
fn stand_at(bars: &[Bar], wanted: &[(f64, f64)]) -> bool {
    bars.len() == wanted.len() && bars.iter().zip(wanted).all(|(b, (x, width))| (b.x - x).abs() < 1e-9 && (b.width - width).abs() < 1e-9)
}

const MS: i64 = 1_000_000;

#[test]
fn bars_stand_on_one_axis_and_services_differ_in_colour() {
    let fall = Waterfall::of(&trace(), None);
    assert!(stand_at(&fall.bars, &[(0.0, 1.0), (0.1, 0.6), (0.2, 0.4), (0.75, 0.0)]), "{:?}", fall.bars);
    let colours: BTreeSet<u8> = fall.bars.iter().map(|b| b.colour).collect();
    assert_eq!(colours.len(), 4);
    assert!(fall.bars.iter().all(|bar| bar.is_shown));
}

#[test]
fn zooming_stretches_a_part_of_the_time_and_hides_what_ran_outside() {
    let fall = Waterfall::of(&trace(), Some((200 * MS, 700 * MS)));
    assert_eq!(fall.zoom, Some((200 * MS, 700 * MS)));
    assert!(stand_at(&fall.bars[..3], &[(0.0, 1.0), (0.0, 1.0), (0.0, 0.8)]), "{:?}", fall.bars);
    assert_eq!(fall.bars.iter().map(|bar| bar.is_shown).collect::<Vec<_>>(), [true, true, true, false]);
}

#[test]
fn a_zoom_to_nothing_or_to_everything_is_none() {
    for zoom in
        [(0, 1_000 * MS), (-5, 2_000 * MS), (300 * MS, 300 * MS), (500 * MS, 100 * MS), (2_000 * MS, 3_000 * MS), (i64::MIN, i64::MAX)]
    {
        assert_eq!(Waterfall::of(&trace(), Some(zoom)), Waterfall::of(&trace(), None), "{zoom:?}");
    }
    assert_eq!(Waterfall::of(&outline(&[]), Some((0, 5))).zoom, None);
    assert_eq!(Waterfall::of(&outline(&[(1, 0, "a x", 5, 5)]), Some((0, 5))).zoom, None);
}

#[test]
fn a_span_is_zoomed_to_with_room_on_either_side() {
    assert_eq!(zoom_to(&trace(), 2), Some((160 * MS, 640 * MS)));
    assert_eq!(zoom_to(&trace(), 0), Some((0, 1_000 * MS)));
    assert_eq!(zoom_to(&trace(), 3), Some((750 * MS - LEAST_ZOOM_NANOS, 750 * MS + LEAST_ZOOM_NANOS)));
    assert_eq!(zoom_to(&trace(), 9), None);
}

#[test]
fn collapsing_hides_what_is_below_and_nothing_else() {
    for (collapsed, shown) in
        [(vec![], vec![0, 1, 2, 3]), (vec![1], vec![0, 1, 3]), (vec![0], vec![0]), (vec![0, 1], vec![0]), (vec![3], vec![0, 1, 2, 3])]
    {
        assert_eq!(visible(&trace(), &collapsed.iter().copied().collect()), shown, "{collapsed:?}");
    }
}

#[test]
fn the_critical_path_runs_past_spans_that_are_not_on_it() {
    let mut trace = trace();
    trace.spans[1].critical_nanos = None;
    let fall = Waterfall::of(&trace, None);
    let pieces = |shown: &[u32], fall: &Waterfall| connectors(&trace, shown, fall);
    assert_eq!(pieces(&[0, 1, 2, 3], &fall), [Connector { x: fall.bars[2].x, from: 0, to: 2 }]);
    assert_eq!(pieces(&[0, 1, 3], &fall), []);
    assert_eq!(pieces(&[0, 1, 2, 3], &Waterfall::of(&trace, Some((300 * MS, 900 * MS)))), []);
}

#[test]
fn pieces_of_the_critical_path_that_would_run_together_are_one() {
    let mut spans = vec![(1, 0, "web GET", 0, 1_000)];
    spans.extend((0..100_i64).map(|n| (n as u64 + 2, 1, "db query", n, n + 1)));
    spans.push((200, 1, "mail send", 500, 1_000));
    let trace = outline(&spans);
    let rows: Vec<u32> = (0..102).collect();
    let fall = Waterfall::of(&trace, None);
    let pieces = connectors(&trace, &rows, &fall);
    assert!(pieces.len() < 20, "{pieces:?}");
    assert_eq!(pieces.last().map(|piece| (piece.x, piece.to)), Some((0.5, 101)));
    assert_eq!(pieces[pieces.len() - 2].to, 100, "the last query is reached");
    assert_eq!(connectors(&trace, &rows, &Waterfall::of(&trace, Some((0, 100 * MS)))).len(), 100, "zoomed in they stand apart");
}

#[test]
fn ancestors_lead_to_the_root() {
    assert_eq!(ancestors(&trace(), 2), [1, 0]);
    assert_eq!(ancestors(&trace(), 3), [0]);
    assert_eq!(ancestors(&trace(), 0), Vec::<u32>::new());
    assert_eq!(ancestors(&trace(), 99), Vec::<u32>::new());
}

#[test]
fn strips_cover_every_row_whatever_their_number() {
    let fall = Waterfall::of(&trace(), None);
    assert_eq!(fall.strips(10), fall.bars);
    let two = fall.strips(2);
    assert_eq!(two.len(), 2);
    assert!(two[0].failed && two[0].x == 0.0 && (two[0].width - 1.0).abs() < 1e-9);
    assert_eq!(Waterfall::of(&outline(&[]), None).strips(5), []);
}

proptest! {
    #[test]
    fn no_bar_leaves_the_picture(spans in any_trace(), from in -50..300_i64, length in 0..300_i64) {
        let outline = Outline::of(&spans);
        for zoom in [None, Some((from * MS, (from + length) * MS))] {
            let fall = Waterfall::of(&outline, zoom);
            for bar in &fall.bars {
                prop_assert!(bar.x >= 0.0 && bar.width >= 0.0 && bar.x + bar.width <= 1.0 + 1e-9, "{bar:?}");
            }
            prop_assert!(outline.spans.is_empty() || fall.bars.iter().any(|bar| bar.is_shown));
        }
    }
}
