use proptest::prelude::*;

use super::super::{CriticalPath, critical_path};
use super::drawn;

/// (id, from, to) of the segments in milliseconds.
fn segments(spans: &[(u64, u64, i64, i64)]) -> Vec<(u64, i64, i64)> {
    let CriticalPath { segments, .. } = critical_path(&drawn(spans));
    segments.iter().map(|segment| (spans[segment.span as usize].0, segment.start.millis(), segment.end.millis())).collect()
}

#[test]
fn golden_traces() {
    for (what, spans, wanted) in [
        ("a root alone", vec![(1, 0, 0, 10)], vec![(1, 0, 10)]),
        (
            // 1 ├────────────────────┤
            // 2   ├────┤
            // 3            ├────┤
            "sequential children each hold it up in turn",
            vec![(1, 0, 0, 100), (2, 1, 10, 40), (3, 1, 60, 90)],
            vec![(1, 0, 10), (2, 10, 40), (1, 40, 60), (3, 60, 90), (1, 90, 100)],
        ),
        (
            // 1 ├────────────────────┤
            // 2   ├──────┤
            // 3   ├──────────────┤
            "of parallel children the one that ends last",
            vec![(1, 0, 0, 100), (2, 1, 10, 50), (3, 1, 10, 90)],
            vec![(1, 0, 10), (3, 10, 90), (1, 90, 100)],
        ),
        (
            // 1 ├────────────────────┤
            // 2 ├───────┤
            // 3     ├──────────────┤
            "a child still running when the later one began ran beside it",
            vec![(1, 0, 0, 100), (2, 1, 0, 40), (3, 1, 20, 90)],
            vec![(1, 0, 20), (3, 20, 90), (1, 90, 100)],
        ),
        (
            "a child that ends as the next begins was waited for",
            vec![(1, 0, 0, 100), (2, 1, 0, 40), (3, 1, 40, 100)],
            vec![(2, 0, 40), (3, 40, 100)],
        ),
        (
            "grandchildren take their parents' time",
            vec![(1, 0, 0, 100), (2, 1, 10, 90), (3, 2, 20, 50), (4, 2, 45, 80), (5, 4, 50, 60)],
            vec![(1, 0, 10), (2, 10, 45), (4, 45, 50), (5, 50, 60), (4, 60, 80), (2, 80, 90), (1, 90, 100)],
        ),
        (
            // 1 ├───────────────┤
            // 2     ├────────────────┤
            "a child outliving its parent is cut at the parent's end",
            vec![(1, 0, 0, 100), (2, 1, 30, 150), (3, 2, 120, 140)],
            vec![(1, 0, 30), (2, 30, 100)],
        ),
        (
            // 1 ├───────────┤
            // 2                ├────┤
            "an asynchronous child after its parent's end was not waited for",
            vec![(1, 0, 0, 100), (2, 1, 120, 200), (3, 1, 10, 20)],
            vec![(1, 0, 10), (3, 10, 20), (1, 20, 100)],
        ),
        (
            // 1      ├───────────┤
            // 2   ├─────────┤
            // 3 ├─┤
            "clocks that go slow put children before their parents",
            vec![(1, 0, 50, 100), (2, 1, 40, 80), (3, 1, 10, 50), (4, 2, 42, 60)],
            vec![(4, 50, 60), (2, 60, 80), (1, 80, 100)],
        ),
        ("of children that end together the longest", vec![(1, 0, 0, 10), (2, 1, 5, 10), (3, 1, 2, 10)], vec![(1, 0, 2), (3, 2, 10)]),
        ("a child without length holds nothing up", vec![(1, 0, 0, 10), (2, 1, 5, 5), (3, 1, 10, 10)], vec![(1, 0, 10)]),
        ("the span without parent is the root, not an orphan", vec![(1, 0, 5, 10), (2, 9, 0, 20), (3, 2, 1, 4)], vec![(1, 5, 10)]),
        ("the earliest orphan stands in for a root", vec![(2, 9, 3, 20), (3, 9, 1, 4)], vec![(3, 1, 4)]),
    ] {
        assert_eq!(segments(&spans), wanted, "{what}");
    }
}

#[test]
fn own_time_is_told_for_every_span_on_the_path() {
    let path = critical_path(&drawn(&[(1, 0, 0, 100), (2, 1, 0, 100), (3, 2, 10, 40), (4, 2, 50, 60), (5, 1, 10, 20)]));
    assert_eq!(path.own_nanos, [(0, 0), (1, 60_000_000), (2, 30_000_000), (3, 10_000_000)]);
    assert_eq!(critical_path(&[]), CriticalPath::default());
    assert_eq!(critical_path(&drawn(&[(1, 0, 7, 7)])).own_nanos, [(0, 0)]);
}

#[test]
fn ten_thousand_spans_side_by_side_or_in_a_chain() {
    let wide: Vec<_> = (1..=10_000_i64)
        .map(|at| (at as u64, u64::from(at > 1), if at == 1 { 0 } else { at }, if at == 1 { 20_000 } else { at + 1 }))
        .collect();
    assert_eq!(critical_path(&drawn(&wide)).own_nanos.len(), 10_000);
    let deep: Vec<_> = (1..=10_000_i64).map(|at| (at as u64, at as u64 - 1, at, 30_000 - at)).collect();
    assert_eq!(critical_path(&drawn(&deep)).segments.len(), 19_999);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn segments_fill_the_root_without_gap_or_overlap(spans in prop::collection::vec((2..40_u64, 0..45_u64, 0..100_i64, 0..60_i64), 0..60)) {
        // Any spans at all below one root, as long as none ends before it starts.
        let mut all = vec![(1, 0, 20, 90)];
        all.extend(spans.into_iter().map(|(span, parent, start, length)| (span, parent.max(1), start, start + length)));
        let mut at = 20;
        for (_, from, to) in segments(&all) {
            prop_assert_eq!(from, at);
            prop_assert!(to > from);
            at = to;
        }
        prop_assert_eq!(at, 90);
        let own: i64 = critical_path(&drawn(&all)).own_nanos.iter().map(|(_, nanos)| nanos).sum();
        prop_assert_eq!(own, 70_000_000);
    }
}
