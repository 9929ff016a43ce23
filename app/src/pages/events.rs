//! Events: what others told as CloudEvents and what Slowburn tells of itself, newest first. The whole search is in the URL.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::event::EventQuery;
use slowburn_domain::story::plural;
use slowburn_domain::view;

use crate::api::{Question, ask};
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::LogList;
use crate::widgets::markup::Markup;

/// The fields of the form: parameter, label, placeholder, and how wide it is.
const FIELDS: [(&str, &str, &str, &str); 7] = [
    ("q", "Words", "deployed shop", "field wide"),
    ("type", "Type", "dev.slowburn.*", "field"),
    ("source", "Source", "/ci", "field"),
    ("subject", "Subject", "", "field"),
    ("correlation_id", "Correlation ID", "order-4711", "field wide"),
    ("from", "From", "-1h", "field"),
    ("to", "To", "now", "field"),
];

/// The page at `/events`.
#[component]
pub fn EventsPage() -> impl IntoView {
    let search = raw_url().search;
    let found = ask(move || Question::Events(search.get()));
    view! {
        <Title text="Events" />
        <header class="page-head">
            <h1>"Events"</h1>
            <a class="button" href="/agents">"Agents"</a>
        </header>
        <div class="results">
            <Loadable resource=found content=|page: view::EventsPage| view! { <Found page=page /> }.erase() />
        </div>
    }
}

#[component]
fn Found(page: view::EventsPage) -> impl IntoView {
    provide_now(page.now);
    let next = page.next.as_ref().map(EventQuery::href);
    let is_later = page.query.cursor.is_some();
    let newest = EventQuery { cursor: None, ..page.query.clone() }.href();
    let is_search = !EventQuery { limit: None, ..page.query.clone() }.pairs().is_empty();
    let sentence = match page.items.len() as u64 {
        0 if !page.faults.is_empty() => "This search is not understood; what is wrong is said beside the field.".to_owned(),
        0 if next.is_some() => "Nothing found yet; the search can go further back.".to_owned(),
        0 if is_search => "No event matches. All conditions must hold.".to_owned(),
        0 => "No event yet. Send CloudEvents to /api/v1/events; incidents are told here too.".to_owned(),
        all => format!("{}{}.", if next.is_some() { "The newest " } else { "" }, plural(all, "event")),
    };
    let form = form(&page);
    let list = (!page.items.is_empty()).then(|| view! { <LogList logs=page.items caption="Events found, newest first" /> });
    view! {
        <div class="search-logs" inner_html=form></div>
        <p class="lead" role="status">{sentence}</p>
        {list}
        <nav class="pager" aria-label="Result pages">
            {is_later.then(|| view! { <a href=newest>"Newest"</a> })}
            {next.map(|href| view! { <a class="button" rel="next" href=href>"Older events"</a> })}
        </nav>
    }
    .erase()
}

fn form(page: &view::EventsPage) -> String {
    let pairs = page.query.pairs();
    let value_of = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let mut markup = Markup::default();
    let form = [
        ("class", Some("filters")),
        ("method", Some("get")),
        ("action", Some("/events")),
        ("role", Some("search")),
        ("aria-label", Some("Events")),
    ];
    markup.open("form", &form);
    markup.search_fields(&FIELDS, value_of, &page.faults);
    if let Some(limit) = value_of("limit") {
        markup.hidden("limit", limit);
    }
    markup.search_button().close("form");
    markup.finish()
}
