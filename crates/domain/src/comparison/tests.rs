use proptest::prelude::*;

use super::*;
use crate::outline::tests::{Drawn, any_trace, outline};

const MS: i64 = 1_000_000;

const QUICK: [Drawn<'_>; 4] =
    [(1, 0, "web GET", 0, 100), (2, 1, "cart load", 10, 40), (3, 1, "payment charge-card", 40, 80), (4, 1, "mail send", 80, 90)];
const SLOW: [Drawn<'_>; 4] =
    [(1, 0, "web GET", 0, 412), (2, 1, "cart load", 32, 62), (3, 1, "payment charge-card", 62, 392), (5, 1, "audit log!", 395, 400)];

#[test]
fn paths_are_aligned_and_told_in_both() {
    let comparison = Comparison::of(&outline(&QUICK), &outline(&SLOW));
    let told: Vec<_> = comparison
        .paths
        .iter()
        .map(|p| (format!("{} {}", p.service, p.operation), p.depth, p.a.spans, p.b.spans, p.difference_nanos() / MS, p.b.errors))
        .collect();
    let wanted = [
        ("web GET", 0, 1, 1, 312, 0),
        ("payment charge-card", 1, 1, 1, 290, 0),
        ("cart load", 1, 1, 1, 0, 0),
        ("mail send", 1, 1, 0, -10, 0),
        ("audit log", 1, 0, 1, 5, 1),
    ];
    assert_eq!(told, wanted.map(|(name, a, b, c, d, e)| (name.to_owned(), a, b, c, d, e)));
    assert_eq!((comparison.a_nanos / MS, comparison.b_nanos / MS, comparison.axis_nanos / MS), (100, 412, 412));
    assert_eq!(comparison.paths[1].ratio(), Some(8.25));
    assert_eq!(comparison.paths[3].ratio(), None);
}

#[test]
fn the_difference_is_told_in_one_sentence() {
    let (quick, slow) = (outline(&QUICK), outline(&SLOW));
    for (a, b, sentence) in [
        (&quick, &slow, "B took 312 ms longer (4.12 ×); 290 ms of it in payment charge-card."),
        (&slow, &quick, "B took 312 ms less (0.24 ×); 290 ms of it in payment charge-card."),
        (&quick, &quick, "Both took equally long."),
        (
            &outline(&[(1, 0, "web GET", 0, 10)]),
            &outline(&[(1, 0, "web GET", 0, 40), (2, 1, "pay charge", 5, 25)]),
            "B took 30 ms longer (4.00 ×); 20 ms of it in pay charge, which only B has, 10 ms in web GET.",
        ),
    ] {
        assert_eq!(Comparison::of(a, b).sentence(), sentence);
    }
}

#[test]
fn a_difference_in_many_small_pieces_is_said_to_be_one() {
    let spread = |length: i64| {
        let calls = (0..30_i64).map(|n| {
            (
                n as u64 + 2,
                1,
                ["a a", "b b", "c c", "d d", "e e", "f f", "g g", "h h", "i i", "j j", "k k", "l l"][n as usize % 12],
                n * 20,
                n * 20 + length,
            )
        });
        outline(&std::iter::once((1, 0, "web GET", 0, 590 + length)).chain(calls).collect::<Vec<_>>())
    };
    let sentence = Comparison::of(&spread(1), &spread(2)).sentence();
    assert!(sentence.starts_with("B took 1 ms longer"), "{sentence}");
}

#[test]
fn ratios_have_the_precision_that_helps() {
    for (ratio, text) in [(0.834, "0.83 ×"), (2.4, "2.40 ×"), (14.02, "14.0 ×"), (140.3, "140 ×")] {
        assert_eq!(times(ratio), text);
    }
}

proptest! {
    #[test]
    fn what_paths_gained_and_lost_is_what_the_whole_did(a in any_trace(), b in any_trace()) {
        let (a, b) = (Outline::of(&a), Outline::of(&b));
        let comparison = Comparison::of(&a, &b);
        let gained: i64 = comparison.paths.iter().map(|p| p.b.critical_nanos - p.a.critical_nanos).sum();
        prop_assert_eq!(gained, comparison.b_nanos - comparison.a_nanos);
        prop_assert_eq!(comparison.paths.iter().map(|p| p.a.spans as usize).sum::<usize>(), a.spans.len());
        prop_assert_eq!(comparison.paths.iter().map(|p| p.b.spans as usize).sum::<usize>(), b.spans.len());
        prop_assert!(!comparison.sentence().is_empty());
        for pair in comparison.paths.windows(2) {
            prop_assert!(pair[1].depth <= pair[0].depth + 1);
        }
        let back = Comparison::of(&b, &a);
        prop_assert_eq!(back.paths.len(), comparison.paths.len());
    }
}
