//! Copying by a click. Without JavaScript the text is there to be selected.

use leptos::prelude::*;

use crate::browser;
use crate::erase::Erase;
use crate::widgets::icon::Icon;

/// A text in fixed width, its long middle shortened for the eye, copied whole by the button.
#[component]
pub fn CopyId(#[prop(into)] id: String) -> impl IntoView {
    view! {
        <span class="copy-id">
            <code title=id.clone()>{shorten(&id)}</code>
            <CopyButton text=id what="Copy ID" />
        </span>
    }
}

/// A block of text in fixed width with a button that copies it.
#[component]
pub fn Snippet(
    #[prop(into)] text: String,
    /// What it is, for the button's name.
    what: &'static str,
) -> impl IntoView {
    view! {
        <div class="snippet">
            <pre role="region" aria-label=what><code>{text.clone()}</code></pre>
            <CopyButton text=text what="Copy" />
        </div>
    }
    .erase()
}

/// Copies a text and says so for as long as the page is shown.
#[component]
pub fn CopyButton(#[prop(into)] text: String, what: &'static str) -> impl IntoView {
    let copied = RwSignal::new(false);
    view! {
        <button
            r#type="button"
            class="copy needs-script"
            aria-label=what
            title=what
            on:click=move |_| {
                browser::copy(&text);
                copied.set(true);
            }
        >
            {move || if copied.get() { view! { <Icon name="check" /> } } else { view! { <Icon name="copy" /> } }}
        </button>
    }
    .erase()
}

/// The first and last characters of a long text.
pub fn shorten(id: &str) -> String {
    let length = id.chars().count();
    if length <= 20 {
        return id.to_owned();
    }
    let (head, tail): (String, String) = (id.chars().take(10).collect(), id.chars().skip(length - 6).collect());
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn long_ids_lose_their_middle_and_short_ones_nothing() {
        assert_eq!(shorten("ord-7f2a"), "ord-7f2a");
        assert_eq!(shorten("4bf92f3577b34da6a3ce929d0e0e4736"), "4bf92f3577…0e4736");
        assert_eq!(shorten("üüüüüüüüüüüüüüüüüüüüü"), "üüüüüüüüüü…üüüüüü");
    }
}
