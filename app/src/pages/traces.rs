//! Traces: find them by correlation ID, or by whatever else is known, and follow what arrives. The whole search is in the
//! URL; the form writes it, chips and the histogram narrow it, and without WebAssembly all of it works by links and a GET
//! form.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::query::{FieldFault, TraceQuery};
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::story;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view;

use crate::api::{Answer, Model as _, Question, ask};
use crate::clock::{Instant, provide_now};
use crate::erase::Erase;
use crate::error::AppError;
use crate::pages::tail::{Shown, Tail};
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::saved_views::saved_views;
use crate::widgets::trace_filters::{FilterChips, SERVICES_LIST, TraceFilters};
use crate::widgets::trace_histogram::TraceHistogram;
use crate::widgets::trace_list::TraceList;

/// The page at `/traces`.
#[component]
pub fn TracesPage() -> impl IntoView {
    let search = raw_url().search;
    let found = ask(move || Question::Traces(search.get()));
    let tail = Tail::<view::TracesPage>::follow(search);
    view! {
        <Title text="Traces" />
        <h1>"Traces"</h1>
        <div class="search-traces">
            <TraceFilters search=search>
                <Transition>{move || Suspend::new(async move { view! { <WhatTheServerKnows found=found.await /> } })}</Transition>
            </TraceFilters>
        </div>
        {tail.bar()}
        {tail.frame(view! { <Loadable resource=found content=|page: view::TracesPage| view! { <Results page=page /> }.erase() /> }.erase())}
    }
}

/// The services to choose from, and what is wrong with the filter: only the server can read it.
#[component]
fn WhatTheServerKnows(found: Result<Answer, AppError>) -> impl IntoView {
    let (services, faults) = match found {
        Ok(answer) => view::TracesPage::of(answer).map(|page| (page.services, page.faults)).unwrap_or_default(),
        Err(error) => (Vec::new(), error.faults),
    };
    let of_filter = faults.into_iter().filter(|fault| fault.field == "filter").map(|FieldFault { reason, .. }| view! { <p>{reason}</p> });
    view! {
        <div class="fault filters-fault" role="status">{of_filter.collect_view()}</div>
        <datalist id=SERVICES_LIST>{services.into_iter().map(|name| view! { <option value=name></option> }).collect_view()}</datalist>
    }
}

/// What the server found, or found since.
#[component]
fn Results(page: view::TracesPage) -> impl IntoView {
    let tail: Tail<view::TracesPage> = expect_context();
    let views = saved_views(SearchPage::Traces, &page.views, &raw_url().search.get_untracked());
    let shown = tail.begin(page);
    view! {
        {views}
        {move || view! { <Found shown=shown.get() /> }}
    }
}

#[component]
fn Found(shown: Shown<view::TracesPage>) -> impl IntoView {
    let Shown { page, arrived, is_odd } = shown;
    let page = Arc::unwrap_or_clone(page);
    provide_now(page.now);
    let sentence = story::of_results(&page);
    let next = page.next.as_ref().map(TraceQuery::href);
    let searched_to = page.searched_to;
    let (query, is_later_page) = (page.query.clone(), page.query.cursor.is_some());
    if let (true, Some(to), Some(next)) = (page.items.is_empty(), searched_to, next.clone()) {
        return view! {
            <FilterChips query=query />
            <NothingYet to=to next=next />
        }
        .erase();
    }
    if page.items.is_empty() {
        return view! {
            <FilterChips query=query.clone() />
            <Nothing query=query has_services=!page.services.is_empty() is_understood=page.faults.is_empty() />
        }
        .erase();
    }
    view! {
        <p class="lead" role="status">{sentence}</p>
        <FilterChips query=query.clone() />
        <TraceHistogram page=page.clone() />
        <TraceList traces=page.items caption="Traces found, newest first" arrived=(arrived, is_odd) />
        <nav class="pager" aria-label="Result pages">
            {is_later_page.then(|| view! { <a href=TraceQuery { cursor: None, ..query }.href()>"Newest"</a> })}
            {match next {
                Some(href) if searched_to.is_some() => view! { <a class="button" rel="next" href=href>"Search further back"</a> }.erase(),
                Some(href) => view! { <a class="button" rel="next" href=href>"Older traces"</a> }.erase(),
                None => view! { <span class="muted">"These are all."</span> }.erase(),
            }}
        </nav>
    }
    .erase()
}

/// Nothing was found in what was searched so far.
#[component]
fn NothingYet(to: Timestamp, next: String) -> impl IntoView {
    view! {
        <section class="empty">
            <h2>"Nothing found yet"</h2>
            <p>"Everything back to " <Instant at=to /> " was searched, and no trace in it matches."</p>
            <p><a class="button" rel="next" href=next>"Search further back"</a></p>
        </section>
    }
}

/// Nothing was found: why that may be, and the next step.
#[component]
fn Nothing(
    query: TraceQuery,
    /// Has anything been received?
    has_services: bool,
    /// Could all of the search be read?
    is_understood: bool,
) -> impl IntoView {
    let has_range = query.from.is_some() || query.to.is_some();
    let wider = TraceQuery { from: None, to: None, cursor: None, ..query.clone() };
    let is_search = !TraceQuery { limit: None, live: false, ..query }.pairs().is_empty();
    if !is_understood {
        return view! {
            <section class="empty">
                <h2>"This search is not understood"</h2>
                <p>"What is wrong is said beside the field above; correct it there. " <a href="/traces">"Show the newest traces"</a></p>
            </section>
        }
        .erase();
    }
    view! {
        <section class="empty">
            <h2>{if is_search { "No trace matches this search" } else { "No trace yet" }}</h2>
            {has_range
                .then(|| {
                    view! {
                        <p>"The search looks at a part of the time only. " <a href=wider.href()>"Look at any time"</a></p>
                    }
                })}
            {is_search
                .then(|| {
                    view! {
                        <p>
                            "All conditions must hold; service, operation, status and filter for one and the same span. "
                            <a href="/traces">"Show the newest traces"</a>
                        </p>
                    }
                })}
            {(!is_search && !has_services)
                .then(|| {
                    view! {
                        <p>
                            "Point an OpenTelemetry SDK at this server and its traces appear here within a second. "
                            <a href="/">"How to send the first telemetry"</a>
                        </p>
                    }
                })}
        </section>
    }
    .erase()
}
