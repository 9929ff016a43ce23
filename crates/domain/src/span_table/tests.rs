use proptest::prelude::*;

use super::*;
use crate::outline::tests::{any_trace, outline};

fn trace() -> Outline {
    outline(&[
        (1, 0, "web GET", 0, 100),
        (2, 1, "pay charge!", 10, 30),
        (3, 1, "bank ask", 40, 90),
        (4, 3, "pay charge", 45, 70),
        (5, 1, "alpha z", 5, 5),
    ])
}

#[test]
fn spans_are_sorted_by_what_is_asked_for() {
    // Rows: web GET, alpha z, pay charge!, bank ask, pay charge.
    for (sort, rows) in [
        (Sort::Start, [0, 1, 2, 3, 4]),
        (Sort::Service, [1, 3, 2, 4, 0]),
        (Sort::Operation, [0, 3, 2, 4, 1]),
        (Sort::Duration, [0, 3, 4, 2, 1]),
        (Sort::SelfTime, [0, 3, 4, 2, 1]),
        (Sort::Count, [0, 3, 1, 2, 4]),
        (Sort::Errors, [2, 0, 1, 3, 4]),
    ] {
        assert_eq!(sorted_rows(&trace(), sort, false), rows, "{sort:?}");
    }
    assert_eq!(sorted_rows(&trace(), Sort::Duration, true), [2]);
}

#[test]
fn groups_sum_up_one_service_and_operation() {
    let trace = trace();
    let groups = sorted_groups(&trace, Sort::Duration, false);
    let told: Vec<_> = groups
        .iter()
        .map(|g| {
            (
                trace.operations[g.operation as usize].as_str(),
                g.spans,
                g.errors,
                g.total_nanos / 1_000_000,
                g.self_nanos / 1_000_000,
                g.longest,
            )
        })
        .collect();
    assert_eq!(told, [("GET", 1, 0, 100, 30, 0), ("ask", 1, 0, 50, 25, 3), ("charge", 2, 1, 45, 45, 4), ("z", 1, 0, 0, 0, 1)]);
    let failed = sorted_groups(&trace, Sort::Start, true);
    assert_eq!(failed.iter().map(|g| g.spans).collect::<Vec<_>>(), [2]);
    for (sort, first) in
        [(Sort::Service, "z"), (Sort::Count, "charge"), (Sort::Errors, "charge"), (Sort::SelfTime, "charge"), (Sort::Operation, "GET")]
    {
        let groups = sorted_groups(&trace, sort, false);
        assert_eq!(trace.operations[groups[0].operation as usize], first, "{sort:?}");
    }
}

#[test]
fn pages_cover_the_list_and_there_is_always_one() {
    assert_eq!(Page::of(0, 1), Page { number: 1, pages: 1, from: 0, to: 0 });
    assert_eq!(Page::of(250, 3), Page { number: 3, pages: 3, from: 200, to: 250 });
    assert_eq!(Page::of(250, 99).number, 3);
    assert_eq!(Page::of(250, 0).number, 1);
    assert_eq!(Page::holding(250, 100).number, 2);
}

#[test]
fn every_order_has_a_word_of_its_own() {
    for sort in Sort::ALL {
        assert_eq!(Sort::from_word(sort.as_str()), Some(sort));
    }
    assert_eq!(Sort::from_word("colour"), None);
}

proptest! {
    #[test]
    fn sorting_and_grouping_lose_no_span(spans in any_trace(), sort in 0..7_usize) {
        let outline = Outline::of(&spans);
        let mut rows = sorted_rows(&outline, Sort::ALL[sort], false);
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..spans.len() as u32).collect::<Vec<_>>());
        let groups = sorted_groups(&outline, Sort::ALL[sort], false);
        prop_assert_eq!(groups.iter().map(|group| group.spans).sum::<u32>() as usize, spans.len());
        let whole: i64 = outline.spans.iter().map(|span| span.self_nanos).sum();
        prop_assert_eq!(groups.iter().map(|group| group.self_nanos).sum::<i64>(), whole);
    }
}
