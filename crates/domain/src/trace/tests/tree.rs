use proptest::prelude::*;

use super::super::{critical_path, rows};
use super::drawn;

/// (id, depth, children, descendants) from top to bottom.
fn waterfall(spans: &[(u64, u64, i64, i64)]) -> Vec<(u64, u16, u32, u32)> {
    let extents = drawn(spans);
    rows(&extents, &critical_path(&extents))
        .into_iter()
        .map(|row| (spans[row.span as usize].0, row.depth, row.children, row.descendants))
        .collect()
}

#[test]
fn children_stand_below_their_parents_by_start_then_id() {
    let spans = [(5, 2, 30, 40), (4, 2, 20, 25), (1, 0, 0, 100), (3, 1, 10, 90), (2, 1, 10, 50), (6, 3, 12, 13)];
    assert_eq!(waterfall(&spans), [(1, 0, 2, 5), (2, 1, 2, 2), (4, 2, 0, 0), (5, 2, 0, 0), (3, 1, 1, 1), (6, 2, 0, 0)]);
}

#[test]
fn what_is_no_tree_loses_nothing() {
    for (what, spans, wanted) in [
        ("nothing", vec![], vec![]),
        ("a missing parent makes a root", vec![(1, 0, 5, 9), (2, 7, 0, 3), (3, 2, 1, 2)], vec![(2, 0, 1, 1), (3, 1, 0, 0), (1, 0, 0, 0)]),
        ("its own parent is a root", vec![(1, 1, 0, 9), (2, 1, 1, 2)], vec![(1, 0, 1, 1), (2, 1, 0, 0)]),
        (
            "of a cycle the earliest is the root",
            vec![(1, 3, 5, 9), (2, 1, 3, 8), (3, 2, 4, 7), (4, 3, 6, 7)],
            vec![(2, 0, 1, 3), (3, 1, 2, 2), (1, 2, 0, 0), (4, 2, 0, 0)],
        ),
        (
            "two cycles and a root",
            vec![(1, 2, 0, 1), (2, 1, 1, 2), (3, 4, 2, 3), (4, 3, 3, 4), (5, 0, 9, 9)],
            vec![(1, 0, 1, 1), (2, 1, 0, 0), (3, 0, 1, 1), (4, 1, 0, 0), (5, 0, 0, 0)],
        ),
        (
            "of two spans with one id the first has the children",
            vec![(1, 0, 5, 9), (1, 0, 0, 9), (2, 1, 6, 7)],
            vec![(1, 0, 0, 0), (1, 0, 1, 1), (2, 1, 0, 0)],
        ),
    ] {
        assert_eq!(waterfall(&spans), wanted, "{what}");
    }
}

#[test]
fn spans_on_the_critical_path_are_marked() {
    let spans = drawn(&[(1, 0, 0, 100), (2, 1, 10, 90), (3, 1, 20, 30), (4, 2, 10, 90)]);
    let marked: Vec<_> = rows(&spans, &critical_path(&spans)).into_iter().map(|row| (row.span, row.on_critical_path)).collect();
    assert_eq!(marked, [(0, true), (1, true), (3, true), (2, false)]);
}

#[test]
fn a_chain_deeper_than_any_screen_is_walked_without_recursion() {
    let chain: Vec<_> = (1..=100_000_u64).map(|span| (span, span - 1, span as i64, 300_000 - span as i64)).collect();
    let rows = waterfall(&chain);
    assert_eq!(rows.len(), 100_000);
    assert_eq!(rows[9_999], (10_000, 9_999, 1, 90_000));
    assert_eq!(rows[99_999], (100_000, u16::MAX, 0, 0), "depth ends where its type does");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_span_is_shown_once_whatever_it_names_as_parent(spans in prop::collection::vec((1..40_u64, 0..45_u64, 0..100_i64, 0..200_i64), 0..60)) {
        let extents = drawn(&spans);
        let rows = rows(&extents, &critical_path(&extents));
        let mut shown: Vec<u32> = rows.iter().map(|row| row.span).collect();
        shown.sort_unstable();
        prop_assert_eq!(shown, (0..spans.len() as u32).collect::<Vec<_>>());
        for (at, row) in rows.iter().enumerate() {
            let below = rows[at + 1..].iter().take_while(|other| other.depth > row.depth);
            prop_assert_eq!(below.clone().count(), row.descendants as usize);
            prop_assert_eq!(below.filter(|other| other.depth == row.depth + 1).count(), row.children as usize);
        }
    }
}
