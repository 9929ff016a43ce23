//! The bar on top: one search box for every kind of name, live updates, zone and theme.

use leptos::prelude::*;

use super::theme::ThemeToggle;
use crate::browser;
use crate::clock::use_watch;
use crate::erase::Erase;
use crate::live::use_live;
use crate::widgets::icon::Icon;

const SEARCH_ID: &str = "search";

/// The bar. The search works without JavaScript: the server knows what kind of name it got.
#[component]
pub fn TopBar() -> impl IntoView {
    view! {
        <header class="topbar">
            <form class="search" role="search" action="/search" method="get">
                <label for=SEARCH_ID class="visually-hidden">"Correlation ID, trace ID, service or SLO"</label>
                <Icon name="search" />
                <input
                    id=SEARCH_ID
                    data-key="/"
                    data-does="Search"
                    name="q"
                    r#type="search"
                    placeholder="Correlation ID, trace ID, service or SLO"
                    autocomplete="off"
                    spellcheck="false"
                />
                <kbd aria-hidden="true">"/"</kbd>
            </form>
            <div class="tools">
                <button class="tool needs-script" r#type="button" data-key="Ctrl K" aria-label="Commands" title="Commands" on:click=|_| browser::show_hands("palette")>
                    <Icon name="commands" />
                </button>
                <LiveToggle />
                <ZoneToggle />
                <ThemeToggle />
                <button class="tool needs-script" r#type="button" data-key="?" aria-label="Keyboard help" title="Keyboard help" on:click=|_| browser::show_hands("sheet")>
                    <Icon name="help" />
                </button>
            </div>
        </header>
    }
    .erase()
}

/// Whether the page follows what happens. Before hydration it does not, and the button is hidden.
#[component]
fn LiveToggle() -> impl IntoView {
    let live = use_live();
    let word = move || match (live.is_wanted(), live.is_connected()) {
        (true, true) => "Live",
        (true, false) => "Connecting",
        (false, _) => "Paused",
    };
    view! {
        <button
            class="tool live needs-script"
            r#type="button"
            title="Live updates"
            data-key="p"
            data-does="Live updates"
            aria-pressed=move || live.is_wanted().to_string()
            data-connected=move || live.is_connected().to_string()
            on:click=move |_| live.toggle()
        >
            <span class="live-dot" aria-hidden="true"></span>
            <span>{word}</span>
        </button>
    }
}

/// UTC or the reader's own zone.
#[component]
fn ZoneToggle() -> impl IntoView {
    let watch = use_watch();
    view! {
        <button class="tool needs-script" r#type="button" data-key="u" title="Time zone of all times" on:click=move |_| watch.toggle_zone()>
            {move || if watch.is_local() { "Local" } else { "UTC" }}
        </button>
    }
}
