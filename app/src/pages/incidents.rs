//! Which incidents are open, and which were.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::story;
use slowburn_domain::url::{decode_query, encode_query};
use slowburn_domain::view::IncidentsPage as Page;

use crate::api::{Question, ask};
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::url::raw_url;
use crate::widgets::incident_list::IncidentList;
use crate::widgets::loadable::Loadable;

/// The page at `/incidents`.
#[component]
pub fn IncidentsPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || {
        let pairs = search.with(|search| decode_query(search));
        Question::Incidents(pairs.into_iter().find(|(key, _)| key == "cursor").map(|(_, cursor)| cursor))
    });
    refetch_on(Topic::Evaluated, page);
    view! {
        <Title text="Incidents" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    provide_now(page.now);
    let is_open = !page.open.is_empty();
    let open = is_open.then(|| {
        view! {
            <section aria-labelledby="open">
                <h2 id="open">"Open"</h2>
                <IncidentList incidents=page.open.clone() caption="Open incidents, those that began last first" />
            </section>
        }
    });
    let closed = if page.closed.is_empty() {
        view! { <p class="muted">"None has ended yet. An incident ends when no pair of windows is above its threshold any more."</p> }
            .erase()
    } else {
        view! { <IncidentList incidents=page.closed caption="Ended incidents, those that began last first" /> }.erase()
    };
    let older = page.next.map(|cursor| {
        let href = format!("/incidents?{}", encode_query([("cursor", cursor.as_str())]));
        view! { <nav class="pager" aria-label="Incident pages"><a class="button" rel="next" href=href>"Older incidents"</a></nav> }
    });
    view! {
        <h1>"Incidents"</h1>
        <p class="lead answer" class:is-trouble=is_open>{story::of_incidents(&page.open, page.now)}</p>
        {open}
        <section aria-labelledby="ended">
            <h2 id="ended">"Ended"</h2>
            {closed}
        </section>
        {older}
    }
    .erase()
}
