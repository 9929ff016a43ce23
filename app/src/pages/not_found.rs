//! What is said when there is nothing at a URL. The answer has status 404 and is a whole page all the same.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::erase::Erase;
use crate::widgets::loadable::set_status;

/// Where to go from here, written as text.
const PLACES: &str =
    r#"<li><a href="/slos">all SLOs</a></li><li><a href="/traces">the newest traces</a></li><li><a href="/">the overview</a></li>"#;

/// A path that no page has.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_status(404);
    view! { <Missing message="No page has this address." /> }
}

/// There is no such thing, and where to go from here.
#[component]
pub fn Missing(
    /// What there is not.
    #[prop(into)]
    message: String,
) -> impl IntoView {
    view! {
        <Title text="Not found" />
        <section class="missing">
            <h1>"Not found"</h1>
            <p class="lead">{message}</p>
            <p>"Raw traces are kept for a limited time; SLOs exist until they are removed. Look at "</p>
            <ul inner_html=PLACES></ul>
        </section>
    }
    .erase()
}
