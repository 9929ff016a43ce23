//! The list of keys, opened by `?`.

use leptos::prelude::*;

use super::topbar::HELP_ID;
use crate::browser;
use crate::erase::Erase;

const KEYS: [(&str, &str); 10] = [
    ("/", "Search"),
    ("g o", "Go to the overview"),
    ("g s", "Go to the SLOs"),
    ("g i", "Go to the incidents"),
    ("g t", "Go to the traces"),
    ("j  k", "Next and previous row"),
    ("Enter", "Open the row"),
    ("z  Z", "Zoom to the selected span, and out"),
    ("t", "Dark or light"),
    ("?", "This help"),
];

/// A dialog with every key.
#[component]
pub fn Help() -> impl IntoView {
    let row = |(key, meaning): (&'static str, &'static str)| {
        view! {
            <div>
                <dt><kbd>{key}</kbd></dt>
                <dd>{meaning}</dd>
            </div>
        }
    };
    view! {
        <dialog id=HELP_ID class="help" aria-labelledby="help-title">
            <h2 id="help-title">"Keyboard"</h2>
            <dl>{KEYS.map(row).collect_view()}</dl>
            <button class="button" r#type="button" on:click=|_| browser::toggle_dialog(HELP_ID)>"Close"</button>
        </dialog>
    }
    .erase()
}
