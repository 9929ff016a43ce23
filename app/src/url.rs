//! The page's URL as it was written. leptos decodes parameters twice, which turns the ID `%41` into `A`, so pages read the
//! raw path and search string and decode them once, with `slowburn_domain::url`.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use slowburn_domain::url::decode_segment;

/// The URL of the page that asked, following navigation as long as the same kind of page is shown: while the next page is
/// on its way, the leaving one keeps its URL and does not fetch for nothing.
#[derive(Clone, Copy)]
pub struct RawUrl {
    /// Raw path, `/slos/checkout%2Fpay`.
    pub path: Memo<String>,
    /// Raw search string without its `?`.
    pub search: Memo<String>,
}

impl RawUrl {
    /// The last segment of the path, decoded once: the name or id a page is about.
    pub fn name(self) -> Memo<String> {
        Memo::new(move |_| self.path.with(|path| decode_segment(path.rsplit('/').next().unwrap_or_default())))
    }

    /// Path and search as a link to this very view.
    pub fn href(self) -> String {
        let (path, search) = (self.path.get(), self.search.get());
        if search.is_empty() { path } else { format!("{path}?{search}") }
    }
}

/// Reads the raw URL. Call it in a page or below.
pub fn raw_url() -> RawUrl {
    if let Some((path, search)) = of_request() {
        return RawUrl { path: Memo::new(move |_| path.clone()), search: Memo::new(move |_| search.clone()) };
    }
    let location = use_location();
    let page = location.pathname.with_untracked(|path| kind_of_page(path));
    let current = Memo::new(move |previous: Option<&(String, String)>| {
        let path = location.pathname.get();
        match previous {
            Some(previous) if kind_of_page(&path) != page => previous.clone(),
            _ => (path, location.search.get()),
        }
    });
    RawUrl { path: Memo::new(move |_| current.with(|c| c.0.clone())), search: Memo::new(move |_| current.with(|c| c.1.clone())) }
}

/// First segment and number of segments: pages of one kind differ only in the last.
fn kind_of_page(path: &str) -> (String, usize) {
    let mut segments = path.trim_matches('/').split('/');
    (segments.next().unwrap_or_default().to_owned(), segments.count())
}

#[cfg(feature = "ssr")]
fn of_request() -> Option<(String, String)> {
    let parts = use_context::<http::request::Parts>()?;
    Some((parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned()))
}

#[cfg(not(feature = "ssr"))]
const fn of_request() -> Option<(String, String)> {
    None
}

#[cfg(test)]
mod tests {
    use super::kind_of_page;

    #[test]
    fn pages_of_one_kind_differ_in_their_last_segment_only() {
        assert_eq!(kind_of_page("/slos/a"), kind_of_page("/slos/b%2Fc"));
        assert_ne!(kind_of_page("/slos/a"), kind_of_page("/slos"));
        assert_ne!(kind_of_page("/slos"), kind_of_page("/traces"));
        assert_eq!(kind_of_page("/"), kind_of_page(""));
    }
}
