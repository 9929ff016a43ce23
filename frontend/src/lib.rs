//! The browser's entry: wakes up the page that the server has rendered.
// Views are types, and a page's type is deep.
#![recursion_limit = "256"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page once the module of its own is there. Called once by the script in the document's head.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let path = leptos::prelude::window().location().pathname().unwrap_or_default();
    // Without it the page stays as the server rendered it: complete, and its links work.
    if slowburn_app::pages::lazy::load(&path).await.is_ok() {
        leptos::mount::hydrate_body(slowburn_app::App);
    }
}
