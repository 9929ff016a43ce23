//! Keys of the waterfall: `j` and `k` select the next and the previous row, `h` and `l` fold and unfold the selected one, `z`
//! zooms to it, `Z` zooms out.

use leptos::prelude::*;
use slowburn_domain::waterfall;

use super::{Shared, scroll};
use crate::browser;

/// Listens for as long as the waterfall is shown.
pub(super) fn listen(shared: Shared) {
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() || browser::is_typing(&event) {
                return;
            }
            match event.key().as_str() {
                "j" => step(shared, 1),
                "k" => step(shared, -1),
                "h" => fold(shared, true),
                "l" => fold(shared, false),
                "z" => {
                    if let Some(row) = shared.selected.get_untracked() {
                        shared.zoom_to.run(waterfall::zoom_to(&shared.outline(), row));
                    }
                }
                "Z" => shared.zoom_to.run(None),
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    });
}

fn step(shared: Shared, by: i64) {
    let next = shared.shown.with_untracked(|shown| {
        let at = shared.selected.get_untracked().and_then(|row| shown.binary_search(&row).ok()).unwrap_or(0);
        shown.get(usize::try_from(at as i64 + by).ok()?).copied()
    });
    if let Some(row) = next {
        shared.select.run(row);
    }
}

fn fold(shared: Shared, wanted: bool) {
    let Some(row) = shared.selected.get_untracked() else { return };
    let has_rows_below = shared.outline().spans.get(row as usize).is_some_and(|span| span.descendants > 0);
    if has_rows_below && shared.collapsed.with_untracked(|collapsed| collapsed.contains(&row)) != wanted {
        scroll::fold(shared, row);
    }
}
