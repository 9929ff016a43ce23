//! The browser's entry: wakes up the page that the server has rendered.
// Views are types, and a page's type is deep.
#![recursion_limit = "256"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page. Called once by the script in the document's head.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(slowburn_app::App);
}
