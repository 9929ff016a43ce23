//! A long trace scrolls as a whole while only the rows near the visible ones exist. Nothing here happens before hydration.

use leptos::prelude::*;
use leptos::web_sys::HtmlDivElement;
use slowburn_domain::waterfall;

use super::{PART, ROW_HEIGHT, Shared};
use crate::browser;

/// Height in pixels that the frame does not exceed; the style sheet says the same.
const MOST_FRAME_HEIGHT: usize = 900;
/// Height in pixels of the bar at the window's top, which covers what scrolls below it.
const HEADER: i32 = 52;
/// Rows kept ready above and below the visible ones.
const MARGIN: usize = 24;

/// Lets a long trace scroll as a whole, and keeps the selected row in view.
pub(super) fn come_alive(shared: Shared, count: usize) {
    Effect::new(move |seen: Option<()>| {
        let selected = shared.selected.get();
        if seen.is_none() && count > PART {
            shared.scrolls.set(true);
        }
        let Some(row) = selected else { return };
        if seen.is_some() || count > PART {
            let above = waterfall::ancestors(&shared.outline(), row);
            if shared.collapsed.with_untracked(|c| above.iter().any(|a| c.contains(a))) {
                shared.collapsed.update(|c| c.retain(|row| !above.contains(row)));
            }
            request_animation_frame(move || bring_into_view(shared, row));
        }
    });
}

fn bring_into_view(shared: Shared, row: u32) {
    let Some(frame) = shared.frame.get_untracked() else { return };
    let Ok(position) = shared.shown.with_untracked(|shown| shown.binary_search(&row)) else { return };
    let (top, (from, until)) = (frame.scroll_top(), in_window(&frame));
    let (row_top, row_height) = ((position * ROW_HEIGHT) as i32, ROW_HEIGHT as i32);
    if row_top < top + from || row_top + row_height > top + until {
        frame.set_scroll_top(row_top - i32::midpoint(from, until));
    }
    follow(shared);
}

/// The part of the frame that the window shows, in pixels from the frame's upper edge; all of it when that is less than a few
/// rows, as on a page scrolled elsewhere.
fn in_window(frame: &HtmlDivElement) -> (i32, i32) {
    let (from, until) = browser::part_in_window(frame, HEADER);
    if until - from < 4 * ROW_HEIGHT as i32 { (0, frame.client_height()) } else { (from, until) }
}

/// Chooses the rows that exist by where the frame stands.
pub(super) fn follow(shared: Shared) {
    let Some(frame) = shared.frame.get_untracked().filter(|_| shared.scrolls.get_untracked()) else { return };
    let count = shared.shown.with_untracked(Vec::len);
    let top = (frame.scroll_top().max(0) as usize / ROW_HEIGHT).min(count);
    // As many as the frame may hold: it is lower while rows are folded away, and grows without a scroll event.
    let visible = MOST_FRAME_HEIGHT / ROW_HEIGHT + 1;
    // In steps of half the margin, so that most scroll events change nothing.
    let first = top.saturating_sub(MARGIN) / (MARGIN / 2) * (MARGIN / 2);
    let window = (first, (top + visible + MARGIN).next_multiple_of(MARGIN / 2).min(count));
    if shared.window.get_untracked() != window {
        shared.window.set(window);
    }
    let in_view = Some((top, (top + frame.client_height().max(0) as usize / ROW_HEIGHT).min(count)));
    if shared.in_view.get_untracked() != in_view {
        shared.in_view.set(in_view);
    }
}

/// Folds or unfolds what is below a row.
pub(super) fn fold(shared: Shared, row: u32) {
    shared.collapsed.update(|collapsed| {
        if !collapsed.remove(&row) {
            collapsed.insert(row);
        }
    });
    if shared.scrolls.get_untracked() {
        follow(shared);
    } else {
        shared.window.set((0, shared.shown.with_untracked(Vec::len)));
    }
}
