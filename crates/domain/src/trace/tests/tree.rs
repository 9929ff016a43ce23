use proptest::prelude::*;

use super::super::rows;
use super::drawn;

/// (id, depth, children, descendants) from top to bottom.
fn waterfall(spans: &[(u64, u64, i64, i64)]) -> Vec<(u64, u32, usize, usize)> {
    let rows = rows(&drawn(spans));
    let told = rows.iter().enumerate().map(|(at, row)| {
        let below = rows[at + 1..].iter().take_while(|other| other.depth > row.depth);
        (spans[row.span as usize].0, row.depth, below.clone().filter(|other| other.depth == row.depth + 1).count(), below.count())
    });
    told.collect()
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
fn a_chain_deeper_than_any_screen_is_walked_without_recursion() {
    let chain: Vec<_> = (1..=100_000_u64).map(|span| (span, span - 1, span as i64, 300_000 - span as i64)).collect();
    let rows = rows(&drawn(&chain));
    assert_eq!(rows.len(), 100_000);
    assert!(rows.iter().zip(0..).all(|(row, at)| row.span == at && row.depth == at));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_span_is_shown_once_whatever_it_names_as_parent(spans in prop::collection::vec((1..40_u64, 0..45_u64, 0..100_i64, 0..200_i64), 0..60)) {
        let rows = rows(&drawn(&spans));
        let mut shown: Vec<u32> = rows.iter().map(|row| row.span).collect();
        shown.sort_unstable();
        prop_assert_eq!(shown, (0..spans.len() as u32).collect::<Vec<_>>());
        prop_assert!(rows.first().is_none_or(|row| row.depth == 0));
        prop_assert!(rows.windows(2).all(|pair| pair[1].depth <= pair[0].depth + 1));
    }
}
