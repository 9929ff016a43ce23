//! The frame around every page: navigation, top bar, and keyboard. The page's content is its one `<main>`.

mod keyboard;
pub mod nav;
pub mod theme;
pub mod topbar;

use leptos::prelude::*;

use nav::Nav;
use topbar::TopBar;

/// Navigation at the left (below on a phone), the bar on top, and the page.
#[component]
pub fn Chrome(children: Children) -> impl IntoView {
    keyboard::listen();
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <Nav />
        <TopBar />
        <main id="main" tabindex="-1">{children()}</main>
    }
}
