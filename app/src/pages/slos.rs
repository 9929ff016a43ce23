//! Objectives: all of them worst first, or those that are looked for. What is asked for is in the URL; the form writes it at
//! once, and without WebAssembly when it is sent.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::story::plural;
use slowburn_domain::view::SlosPage as Page;

use crate::api::{Question, ask};
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::url::raw_url;
use crate::widgets::empty::FirstSlo;
use crate::widgets::loadable::Loadable;
use crate::widgets::slo_filters::{SloFilters, StateChips};
use crate::widgets::slo_table::SloTable;

/// The page at `/slos`.
#[component]
pub fn SlosPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || Question::Slos(search.get()));
    refetch_on(Topic::Any, page);
    view! {
        <Title text="SLOs" />
        <header class="page-head list-head">
            <h1>"SLOs"</h1>
            <a class="button primary" href="/slo-editor">"New objective"</a>
        </header>
        <SloFilters search=search page=page />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    if page.total == 0 && page.query.group_of.is_none() {
        return view! { <FirstSlo /> }.erase();
    }
    let faults = page.faults.iter().map(|fault| format!("{}: {}.", fault.field, fault.reason)).collect::<Vec<_>>().join(" ");
    let found = match &page.query.group_of {
        Some(objective) => Some(format!("{} of {} of {objective}.", page.slos.len(), plural(page.total as u64, "group"))),
        None => page.query.is_narrow().then(|| format!("{} of {} objectives.", page.slos.len(), page.total)),
    };
    let list = if page.slos.is_empty() {
        view! { <Nothing query=page.query.clone() total=page.total /> }.erase()
    } else {
        view! { <SloTable slos=page.slos /> }.erase()
    };
    view! {
        <p class="lead">{page.sentence}</p>
        <p class="fault">{faults}</p>
        <StateChips query=page.query states=page.states />
        <p class="muted found" role="status">{found}</p>
        {list}
    }
    .erase()
}

/// None is as asked for: what was looked for, and the way back.
#[component]
fn Nothing(query: SloQuery, total: usize) -> impl IntoView {
    let all = SloQuery { sort: query.sort, ..SloQuery::default() };
    view! {
        <section class="empty">
            <h2>"No objective matches"</h2>
            <p>"Looked for " {query.words()} ", all of it together, among " {plural(total as u64, "objective")} "."</p>
            <p><a class="button" href=all.href()>"Show them all"</a></p>
        </section>
    }
    .erase()
}
