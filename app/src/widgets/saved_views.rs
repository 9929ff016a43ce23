//! Searches that are kept under a name: links to them, and a form that keeps the present one. It is sent to the server, which
//! leads back to the page, so it works without WebAssembly.

use leptos::prelude::*;
use slowburn_domain::saved_view::{SavedView, SearchPage};

use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// The views of a page. `raw` is the query string of the page's URL.
pub fn saved_views(page: SearchPage, views: &[SavedView], raw: &str) -> AnyView {
    let current = page.href(raw);
    let query = current.split_once('?').map_or("", |(_, query)| query);
    let mut markup = Markup::default();
    if !views.is_empty() {
        markup.element("span", "muted", "Saved").open("ul", &[("class", Some("presets")), ("aria-label", Some("Saved views"))]);
        for view in views {
            markup.open("li", &[]).link(&view.href, view.href == current, &view.name).close("li");
        }
        markup.close("ul");
    }
    if !query.is_empty() {
        form(&mut markup, page, query, views.iter().find(|view| view.href == current));
    }
    let markup = markup.finish();
    if markup.is_empty() { ().erase() } else { view! { <div class="saved-views" inner_html=markup></div> }.erase() }
}

fn form(markup: &mut Markup, page: SearchPage, query: &str, shown: Option<&SavedView>) {
    let begin = |markup: &mut Markup| {
        markup.open("form", &[("method", Some("post")), ("action", Some("/views"))]);
        markup.hidden("page", page.as_str()).hidden("query", query);
    };
    if let Some(shown) = shown {
        begin(markup);
        markup.hidden("name", &shown.name);
        let button = [("class", Some("link-button")), ("name", Some("action")), ("value", Some("remove"))];
        markup.open("button", &button).text("Forget “").text(&shown.name).text("”").close("button").close("form");
        return;
    }
    markup.open("details", &[]).element("summary", "", "Save this search");
    begin(markup);
    markup.open("label", &[("for", Some("view-name"))]).text("Its name").close("label");
    let field = [
        ("id", Some("view-name")),
        ("name", Some("name")),
        ("type", Some("text")),
        ("required", Some("")),
        ("maxlength", Some("80")),
        ("autocomplete", Some("off")),
    ];
    markup.open("input", &field);
    let button = [("class", Some("button")), ("name", Some("action")), ("value", Some("save"))];
    markup.open("button", &button).text("Save").close("button");
    markup.element("p", "hint", "Everybody finds it here. A view of the same name is replaced.").close("form").close("details");
}
