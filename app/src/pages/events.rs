//! Events: what others told as CloudEvents and what Slowburn tells of itself, newest first. The whole search is in the URL.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::event::EventQuery;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::story::plural;
use slowburn_domain::url::decode_query;
use slowburn_domain::view;

use crate::api::{Question, ask};
use crate::browser;
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::pages::search_form::submitted;
use crate::pages::tail::{Shown, Tail};
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::LogList;
use crate::widgets::markup::Markup;
use crate::widgets::saved_views::saved_views;

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

const FIRST_EVENT: &str = r#"curl $SLOWBURN/api/v1/events -H 'content-type: application/cloudevents+json' -d \
  '{"specversion": "1.0", "id": "1", "source": "/ci", "type": "com.example.deployed", "subject": "shop"}'"#;

/// The page at `/events`.
#[component]
pub fn EventsPage() -> impl IntoView {
    let search = raw_url().search;
    let found = ask(move || Question::Events(search.get()));
    Tail::<view::EventsPage>::follow(search);
    view! {
        <Title text="Events" />
        <header class="page-head">
            <h1>"Events"</h1>
            <a class="button" href="/agents">"Agents"</a>
        </header>
        <div class="results" on:submit=submitted("/events")>
            <Loadable resource=found content=|page: view::EventsPage| view! { <Found page=page /> }.erase() />
        </div>
    }
}

#[component]
fn Found(page: view::EventsPage) -> impl IntoView {
    provide_now(page.now);
    let form = form(&page);
    let views = saved_views(SearchPage::Events, &page.views, &raw_url().search.get_untracked());
    let tail: Tail<view::EventsPage> = expect_context();
    let shown = tail.begin(page);
    view! {
        <div class="search-logs" inner_html=form></div>
        {views}
        {tail.bar()}
        {tail.frame((move || results(shown.get())).erase())}
    }
    .erase()
}

/// What was found, or found since.
fn results(shown: Shown<view::EventsPage>) -> AnyView {
    let Shown { page, arrived, is_odd } = shown;
    let page = Arc::unwrap_or_clone(page);
    let next = page.next.as_ref().map(EventQuery::href);
    let is_later = page.query.cursor.is_some();
    let sentence = match page.items.len() as u64 {
        0 if !page.faults.is_empty() => "This search is not understood; what is wrong is said beside the field.".to_owned(),
        0 if next.is_some() => "Nothing found yet; the search can go further back.".to_owned(),
        0 if page.query.is_search() => "No event matches. All conditions must hold.".to_owned(),
        0 => "No event yet. Incidents, agents and exclusions are told here too.".to_owned(),
        all => format!("{}{}.", if next.is_some() { "The newest " } else { "" }, plural(all, "event")),
    };
    let first = first(&page);
    let newest = EventQuery { cursor: None, ..page.query }.href();
    let list = (!page.items.is_empty())
        .then(|| view! { <LogList logs=page.items caption="Events found, newest first" arrived=(arrived, is_odd) /> });
    view! {
        <p class="lead" role="status">{sentence}</p>
        {list}
        {(!first.is_empty()).then(|| view! { <div on:click=move |event| browser::copy_clicked(&event) inner_html=first></div> })}
        <nav class="pager" aria-label="Result pages">
            {is_later.then(|| view! { <a href=newest>"Newest"</a> })}
            {next.map(|href| view! { <a class="button" rel="next" href=href>"Older events"</a> })}
        </nav>
    }
    .erase()
}

/// How to send the first event; empty where events were searched for.
fn first(page: &view::EventsPage) -> String {
    if !page.items.is_empty() || !page.faults.is_empty() || page.query.is_search() {
        return String::new();
    }
    let mut markup = Markup::default();
    markup.open("section", &[("class", Some("empty"))]).element("h2", "", "To send one");
    markup.snippet(FIRST_EVENT, "Command that sends a CloudEvent");
    markup.element("p", "muted", "$SLOWBURN is the address of this server. Binary mode and batches of CloudEvents 1.0 are taken too.");
    markup.close("section");
    markup.finish()
}

fn form(page: &view::EventsPage) -> String {
    // What was typed stays, also where it was not understood.
    let typed = decode_query(&raw_url().search.get_untracked());
    let value_of = |name: &str| typed.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut markup = Markup::default();
    let form = [
        ("class", Some("filters")),
        ("method", Some("get")),
        ("action", Some("/events")),
        ("role", Some("search")),
        ("aria-label", Some("Events")),
    ];
    markup.open("form", &form);
    markup.search_fields("events", &FIELDS, value_of, &page.faults);
    for name in ["limit", "live"] {
        if let Some(value) = value_of(name) {
            markup.hidden(name, value);
        }
    }
    markup.search_button().close("form");
    markup.finish()
}
