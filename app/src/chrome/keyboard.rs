//! Keys of the whole page, and links that open without a new document.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::KeyboardEvent;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::theme::use_theme;
use super::topbar::{HELP_ID, SEARCH_ID};
use crate::browser;

/// Listens from hydration on.
///
/// Clicks on links are taken here, before leptos' router sees them: it would write the decoded path into the address bar, and
/// the ID `%41` would be another one after a reload.
pub(super) fn listen() {
    let (navigate, theme) = (use_navigate(), use_theme());
    Effect::new(move |_| {
        let go = navigate.clone();
        browser::on_document("click", move |event| {
            if let Some(target) = browser::inner_link(&event) {
                event.prevent_default();
                go(&target, NavigateOptions { scroll: !browser::keeps_scroll(&event), ..NavigateOptions::default() });
            }
        });
        let go = navigate.clone();
        let after_g = Cell::new(false);
        browser::on_document("keydown", move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
            if browser::is_typing(&event) || key.ctrl_key() || key.meta_key() || key.alt_key() {
                return;
            }
            let pressed = key.key();
            if after_g.replace(pressed == "g") {
                let page = match pressed.as_str() {
                    "o" => "/",
                    "s" => "/slos",
                    "i" => "/incidents",
                    "t" => "/traces",
                    _ => return,
                };
                go(page, NavigateOptions::default());
                return;
            }
            match pressed.as_str() {
                "/" => {
                    event.prevent_default();
                    browser::focus(SEARCH_ID);
                }
                "?" => browser::toggle_dialog(HELP_ID),
                "j" => browser::step_row(1),
                "k" => browser::step_row(-1),
                "t" => theme.toggle(),
                _ => {}
            }
        });
    });
}
