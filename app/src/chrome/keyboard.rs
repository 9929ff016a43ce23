//! Keys of the whole page, and links that open without a new document.
//!
//! What has a key bears it as `data-key`: pressing the key clicks it, or puts the focus there. The palette and the sheet of keys
//! (`public/hands.js`) list what bears one, so they name what works and nothing else. Fields that bear `data-complete` complete
//! conditions (`public/complete.js`).

use std::cell::Cell;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::KeyboardEvent;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::browser;

/// Listens from hydration on.
///
/// Clicks on links are taken here, before leptos' router sees them: it would write the decoded path into the address bar, and
/// the ID `%41` would be another one after a reload.
pub(super) fn listen() {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let go = navigate.clone();
        browser::on_document("click", move |event| {
            if let Some(target) = browser::inner_link(&event) {
                event.prevent_default();
                go(&target, NavigateOptions { scroll: !browser::keeps_scroll(&event), ..NavigateOptions::default() });
            }
        });
        let completes = Cell::new(false);
        browser::on_document("focusin", move |event| {
            if !completes.get() {
                completes.set(browser::complete(&event));
            }
        });
        let after_g = Cell::new(false);
        browser::on_document("keydown", move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
            let mut pressed = key.key();
            if (key.ctrl_key() || key.meta_key()) && pressed == "k" {
                "Ctrl K".clone_into(&mut pressed);
            } else if browser::is_typing(&event) || key.ctrl_key() || key.meta_key() || key.alt_key() {
                return;
            } else if after_g.replace(pressed == "g") {
                pressed.insert_str(0, "g ");
            }
            match pressed.as_str() {
                "j" => browser::step_row(1),
                "k" => browser::step_row(-1),
                _ => {
                    if browser::press(&pressed) {
                        event.prevent_default();
                    }
                }
            }
        });
    });
}
