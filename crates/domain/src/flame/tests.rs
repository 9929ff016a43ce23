use proptest::prelude::*;

use super::*;
use crate::outline::tests::{any_trace, outline};

const MS: i64 = 1_000_000;

/// web GET ── pay charge (3, one failed) ── db query (2)
///         └─ mail send
fn flame() -> (Outline, Flame) {
    let outline = outline(&[
        (1, 0, "web GET", 0, 100),
        (2, 1, "pay charge", 10, 30),
        (3, 2, "db query", 15, 20),
        (4, 1, "pay charge!", 30, 60),
        (5, 4, "db query", 40, 50),
        (6, 1, "mail send", 60, 70),
        (7, 1, "pay charge", 70, 75),
    ]);
    let flame = Flame::of(&outline);
    (outline, flame)
}

#[test]
fn spans_with_one_path_are_one_frame_with_their_sums() {
    let (outline, flame) = flame();
    let told: Vec<_> = flame
        .frames
        .iter()
        .map(|f| {
            let name = format!("{} {}", outline.services[f.service as usize], outline.operations[f.operation as usize]);
            (name, f.parent, f.spans, f.errors, f.self_nanos / MS, f.time_nanos / MS, f.total_nanos / MS)
        })
        .collect();
    let wanted = [
        ("web GET", None, 1, 0, 35, 100, 100),
        ("pay charge", Some(0), 3, 1, 40, 55, 55),
        ("db query", Some(1), 2, 0, 15, 15, 15),
        ("mail send", Some(0), 1, 0, 10, 10, 10),
    ];
    assert_eq!(told, wanted.map(|(name, a, b, c, d, e, f)| (name.to_owned(), a, b, c, d, e, f)));
    let charge = &flame.frames[1];
    assert_eq!((charge.first_nanos / MS, charge.last_nanos / MS, charge.longest), (10, 75, 3));
    assert_eq!(flame.frames.iter().map(|f| f.critical_nanos).sum::<i64>(), 100 * MS);
}

#[test]
fn a_frame_zoomed_to_fills_the_width_and_what_it_stands_on_lies_below() {
    let (_, flame) = flame();
    let whole = flame.picture(None);
    assert_eq!((whole.zoomed, whole.below.len(), whole.levels, whole.left_out), (None, 0, 3, 0));
    assert_eq!(whole.placed.iter().map(|p| (p.frame, p.level)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2), (3, 1)]);
    assert!((whole.placed[3].x - 0.55).abs() < 1e-9 && (whole.placed[3].width - 0.1).abs() < 1e-9);
    let part = flame.picture(Some(flame.frames[1].id));
    assert_eq!((part.zoomed, part.below), (Some(1), vec![0, 1]));
    assert_eq!(part.placed, [PlacedFrame { frame: 2, x: 0.0, width: 15.0 / 55.0, level: 0 }]);
    assert_eq!(flame.picture(Some(FrameId(7))), whole);
}

#[test]
fn what_runs_side_by_side_makes_the_whole_wider_than_the_trace_was_long() {
    let flame =
        Flame::of(&outline(&[(1, 0, "web GET", 0, 100), (2, 1, "pay a", 0, 100), (3, 1, "pay b", 0, 100), (4, 1, "late c", 150, 170)]));
    assert_eq!(flame.time_nanos() / MS, 220);
    assert_eq!(flame.frames[0].self_nanos, 0);
}

#[test]
fn narrow_and_deep_frames_are_counted_and_left_to_the_zoom() {
    let deep: Vec<_> = (1..=200_u64).map(|n| (n, n - 1, "a x", 0, 1_000 - n as i64)).collect();
    let flame = Flame::of(&outline(&deep));
    let picture = flame.picture(None);
    assert_eq!((picture.levels, picture.placed.len(), picture.left_out), (MOST_LEVELS, MOST_LEVELS as usize, 200 - MOST_LEVELS as usize));
    assert_eq!(flame.picture(Some(flame.frames[180].id)).placed.len(), 19);
    let narrow = Flame::of(&outline(&[(1, 0, "a x", 0, 100_000), (2, 1, "b y", 5, 6)]));
    assert_eq!(narrow.picture(None).left_out, 1);
}

#[test]
fn a_path_has_one_name_in_every_trace_and_is_no_other() {
    let (_, flame) = flame();
    let other = Flame::of(&outline(&[(8, 0, "web GET", 5, 6), (9, 8, "pay charge", 5, 6), (7, 8, "paycharge ", 5, 6)]));
    assert!(flame.find(other.frames[1].id).is_some() != flame.find(other.frames[2].id).is_some());
    let id = flame.frames[1].id;
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in ["", "1", "zzzzzzzzzzzzzzzz", "+000000000000001"] {
        assert_eq!(wrong.parse::<FrameId>(), Err(()), "{wrong}");
    }
}

proptest! {
    #[test]
    fn frames_on_a_frame_and_its_self_time_are_as_wide_as_it(spans in any_trace()) {
        let outline = Outline::of(&spans);
        let flame = Flame::of(&outline);
        let whole: i64 = outline.spans.iter().map(|span| span.self_nanos).sum();
        prop_assert_eq!(flame.time_nanos(), whole);
        prop_assert_eq!(flame.frames.iter().map(|frame| frame.self_nanos).sum::<i64>(), whole);
        prop_assert_eq!(flame.frames.iter().map(|frame| frame.spans).sum::<u32>() as usize, spans.len());
        for (index, frame) in flame.frames.iter().enumerate() {
            let on_it: i64 = flame.frames.iter().filter(|other| other.parent == Some(index as u32)).map(|other| other.time_nanos).sum();
            prop_assert_eq!(frame.time_nanos, frame.self_nanos + on_it);
            prop_assert!(frame.errors <= frame.spans && frame.self_nanos <= frame.total_nanos);
        }
    }

    #[test]
    fn no_frame_is_drawn_beyond_the_one_it_stands_on_or_over_its_neighbour(spans in any_trace(), zoom in 0..40_usize) {
        let flame = Flame::of(&Outline::of(&spans));
        let picture = flame.picture(flame.frames.get(zoom).map(|frame| frame.id));
        for (at, placed) in picture.placed.iter().enumerate() {
            prop_assert!(placed.x >= 0.0 && placed.x + placed.width <= 1.0 + 1e-9);
            let parent = flame.frames[placed.frame as usize].parent;
            if let Some(under) = picture.placed.iter().find(|other| Some(other.frame) == parent) {
                prop_assert!(placed.x >= under.x - 1e-9 && placed.x + placed.width <= under.x + under.width + 1e-9);
                prop_assert_eq!(placed.level, under.level + 1);
            }
            for other in &picture.placed[..at] {
                let apart = other.x + other.width <= placed.x + 1e-9 || placed.x + placed.width <= other.x + 1e-9;
                prop_assert!(other.level != placed.level || apart);
            }
        }
    }
}
