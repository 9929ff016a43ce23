//! Dark or light. The system decides until the reader does; the choice is a cookie, so that the server's first paint is right.

use leptos::prelude::*;

use crate::browser;
use crate::widgets::icon::Icon;

const COOKIE: &str = "theme";

/// Tells charts, which copy colours from the style sheet, that these have changed.
#[derive(Clone, Copy)]
pub struct Theme(RwSignal<u32>);

impl Theme {
    /// Changes with every change of theme.
    pub fn track(self) {
        self.0.track();
    }

    /// Changes from dark to light or back.
    pub fn toggle(self) {
        let theme = if browser::shows_dark() { "light" } else { "dark" };
        browser::set_root_attribute("data-theme", theme);
        browser::set_cookie(COOKIE, theme);
        self.0.update(|changes| *changes += 1);
    }
}

/// Call it once, at the root.
pub fn provide_theme() {
    let theme = Theme(RwSignal::new(0));
    provide_context(theme);
    Effect::new(move |_| browser::on_scheme_change(move || theme.0.update(|changes| *changes += 1)));
}

/// The theme of this page.
pub fn use_theme() -> Theme {
    expect_context()
}

/// The theme chosen earlier, from the request's cookie; `None` leaves it to the system.
pub fn chosen_theme() -> Option<&'static str> {
    #[cfg(feature = "ssr")]
    {
        let parts = use_context::<http::request::Parts>()?;
        let cookies = parts.headers.get(http::header::COOKIE)?.to_str().ok()?;
        let value = cookies.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        ["dark", "light"].into_iter().find(|theme| *theme == value)
    }
    #[cfg(not(feature = "ssr"))]
    None
}

/// The button that changes it.
#[component]
pub fn ThemeToggle() -> impl IntoView {
    let theme = use_theme();
    view! {
        <button class="tool needs-script" r#type="button" data-key="t" aria-label="Dark or light" title="Dark or light" on:click=move |_| theme.toggle()>
            <Icon name="theme" />
        </button>
    }
}
