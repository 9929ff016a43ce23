//! Incidents in a list. The whole row is the link; on a phone rows become cards.

use leptos::prelude::*;
use slowburn_domain::incident::Incident;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::slo::Alert;
use slowburn_domain::url::incident_path;

use crate::clock::{When, use_now};
use crate::erase::Erase;
use crate::widgets::state::StateBadge;

/// Incidents in the order given. Needs the page's now above it.
#[component]
pub fn IncidentList(
    incidents: Vec<Incident>,
    /// What the list is of.
    #[prop(into)]
    caption: String,
) -> impl IntoView {
    view! {
        <table class="rows incident-list">
            <caption class="visually-hidden">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"State"</th>
                    <th scope="col">"Objective"</th>
                    <th scope="col">"Service"</th>
                    <th scope="col">"Began"</th>
                    <th scope="col">"Lasted"</th>
                    <th scope="col">"Worst tier"</th>
                    <th scope="col">"Taken on by"</th>
                </tr>
            </thead>
            <tbody>{incidents.into_iter().map(|incident| row(incident).erase()).collect_view()}</tbody>
        </table>
    }
    .erase()
}

fn row(incident: Incident) -> impl IntoView {
    let now = use_now();
    let href = incident_path(&incident.id);
    let (title, service, worst) = (incident.title.clone(), incident.service.clone(), incident.worst_tier.as_str());
    let taken_on = incident.acknowledged_by.clone().unwrap_or_else(|| "–".to_owned());
    view! {
        <tr>
            <td><IncidentBadge incident=incident.clone() /></td>
            <th scope="row"><a class="row-link" href=href data-row="">{title}</a></th>
            <td>{service}</td>
            <td><When at=incident.opened_at /></td>
            <td data-label="lasted">{move || duration_nanos(incident.duration_nanos(now.get()))}</td>
            <td data-label="worst">{worst}</td>
            <td data-label="taken on by">{taken_on}</td>
        </tr>
    }
}

/// How an incident stands: firing with its tier, unmeasured, or over.
#[component]
pub fn IncidentBadge(incident: Incident) -> impl IntoView {
    if incident.closed_at.is_some() {
        view! { <StateBadge alert=Alert::Healthy word="over" /> }
    } else if incident.is_measured {
        view! { <StateBadge alert=Alert::Critical tier=incident.tier word="burning" /> }
    } else {
        view! { <StateBadge alert=Alert::Unmeasured tier=incident.tier /> }
    }
}
