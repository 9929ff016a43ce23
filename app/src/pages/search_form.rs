//! Search forms: each is a GET form and works by itself; with WebAssembly the page goes to the search without being loaded anew.

use leptos::ev::SubmitEvent;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::url::{decode_query, encode_query};

use crate::browser;

/// What to do when a search form below is sent: empty fields do not go into the URL of the search at `path`.
pub(super) fn submitted(path: &'static str) -> impl Fn(SubmitEvent) {
    let navigate = use_navigate();
    move |event| {
        let Some(raw) = browser::search_query(&event) else { return };
        event.prevent_default();
        let pairs = decode_query(&raw);
        let given = pairs.iter().map(|(name, value)| (name.as_str(), value.trim())).filter(|(_, value)| !value.is_empty());
        let query = encode_query(given);
        let href = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        navigate(&href, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    }
}
