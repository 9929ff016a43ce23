//! One incident: how it stands, what happened when and why, what failed meanwhile, and who has taken it on.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::incident::{Change, Incident};
use slowburn_domain::story;
use slowburn_domain::url::{encode_query, incident_path, slo_path};
use slowburn_domain::view::IncidentPage as Page;

use crate::api::{Question, ask};
use crate::clock::{Instant, When, provide_now};
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::url::raw_url;
use crate::widgets::icon::Icon;
use crate::widgets::incident_list::IncidentBadge;
use crate::widgets::loadable::Loadable;
use crate::widgets::slo_table::SloTable;
use crate::widgets::trace_list::TraceList;

/// The page at `/incidents/:id`.
#[component]
pub fn IncidentPage() -> impl IntoView {
    let id = raw_url().name();
    let page = ask(move || Question::Incident(id.get()));
    refetch_on(Topic::Evaluated, page);
    view! {
        <Title text="Incident" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    provide_now(page.now);
    let incident = page.incident;
    let is_open = incident.closed_at.is_none();
    let objective = page.row.map(|row| {
        view! {
            <section aria-labelledby="objective">
                <h2 id="objective">"Its objective now"</h2>
                <SloTable slos=vec![row] />
            </section>
        }
    });
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb"><a href="/incidents">"Incidents"</a></nav>
        <header class="incident-head">
            <h1>{incident.title.clone()}</h1>
            <IncidentBadge incident=incident.clone() />
        </header>
        <p class="lead answer" class:is-trouble=is_open>{story::of_incident(&incident, page.now)}</p>
        <Story changes=incident.changes.clone() />
        <Hands incident=incident.clone() />
        {objective}
        <section aria-labelledby="bad-traces">
            <h2 id="bad-traces">"Bad traces meanwhile"</h2>
            {if page.bad_traces.is_empty() {
                view! { <p class="muted">"No trace with a bad event is kept of that time."</p> }.erase()
            } else {
                view! { <TraceList traces=page.bad_traces caption="Newest traces with a bad event during the incident" /> }.erase()
            }}
            <p class="more"><a href=charts_of(&incident)>"The objective's charts of that time " <Icon name="arrow" /></a></p>
        </section>
    }
    .erase()
}

/// The SLO's page from an hour before the incident to its end.
fn charts_of(incident: &Incident) -> String {
    let from = incident.opened_at.plus_seconds(-3_600).to_string();
    let to = incident.closed_at.map(|at| at.plus_seconds(600).to_string());
    let pairs = [("from", Some(from)), ("to", to)];
    let pairs: Vec<(&str, &str)> = pairs.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
    format!("{}?{}", slo_path(&incident.slo), encode_query(pairs))
}

/// What happened, oldest first.
#[component]
fn Story(changes: Vec<Change>) -> impl IntoView {
    let step = |change: Change| {
        let who = change.author.map(|author| view! { <span class="muted">" by " {author}</span> });
        view! {
            <li class=format!("step step-{} tier-{}", change.step.as_str(), change.tier.as_str())>
                <p class="step-head">
                    <strong>{story::step(change.step, change.tier)}</strong> {who}
                    " " <span class="muted"><Instant at=change.at /> ", " <When at=change.at /></span>
                </p>
                <p>{change.reason}</p>
            </li>
        }
        .erase()
    };
    view! {
        <section aria-labelledby="story">
            <h2 id="story">"What happened"</h2>
            <ol class="story">{changes.into_iter().map(step).collect_view()}</ol>
        </section>
    }
    .erase()
}

/// Taking it on, and notes. Plain forms, so that they work before anything else does.
#[component]
fn Hands(incident: Incident) -> impl IntoView {
    let path = incident_path(&incident.id);
    let take_on = incident.acknowledged_by.is_none().then(|| {
        view! {
            <form class="hand" method="post" action=format!("{path}/acknowledge")>
                <label>"Your name " <input name="author" required=true maxlength="100" autocomplete="name" /></label>
                <button class="button">"Take it on"</button>
            </form>
        }
    });
    view! {
        <section class="hands" aria-label="What people do about it">
            {take_on}
            <form class="hand" method="post" action=format!("{path}/notes")>
                <label>"Your name " <input name="author" required=true maxlength="100" autocomplete="name" /></label>
                <label class="wide">"Note " <input name="text" required=true maxlength="4000" /></label>
                <button class="button">"Add the note"</button>
            </form>
        </section>
    }
    .erase()
}
