//! The list of keys, opened by `?`.

use leptos::prelude::*;

use super::topbar::HELP_ID;
use crate::browser;
use crate::erase::Erase;

/// Written as text, which weighs less in the module of every page.
const KEYS: &str = "\
<div><dt><kbd>/</kbd></dt><dd>Search</dd></div>\
<div><dt><kbd>g o</kbd></dt><dd>Go to the overview</dd></div>\
<div><dt><kbd>g s</kbd></dt><dd>Go to the SLOs</dd></div>\
<div><dt><kbd>g i</kbd></dt><dd>Go to the incidents</dd></div>\
<div><dt><kbd>g t</kbd></dt><dd>Go to the traces</dd></div>\
<div><dt><kbd>j  k</kbd></dt><dd>Next and previous row</dd></div>\
<div><dt><kbd>Enter</kbd></dt><dd>Open the row</dd></div>\
<div><dt><kbd>z  Z</kbd></dt><dd>Zoom to the selected span, and out</dd></div>\
<div><dt><kbd>t</kbd></dt><dd>Dark or light</dd></div>\
<div><dt><kbd>?</kbd></dt><dd>This help</dd></div>";

/// A dialog with every key.
#[component]
pub fn Help() -> impl IntoView {
    view! {
        <dialog id=HELP_ID class="help" aria-labelledby="help-title">
            <h2 id="help-title">"Keyboard"</h2>
            <dl inner_html=KEYS></dl>
            <button class="button" r#type="button" on:click=|_| browser::toggle_dialog(HELP_ID)>"Close"</button>
        </dialog>
    }
    .erase()
}
