//! Objectives in a list, worst first. The whole row is the link; on a phone rows become cards.

use leptos::prelude::*;
use slowburn_domain::number::{burn, target_percent};
use slowburn_domain::sentence;
use slowburn_domain::story::plural;
use slowburn_domain::url::slo_path;
use slowburn_domain::view::{GroupCounts, SloRow};

use crate::erase::Erase;
use crate::widgets::budget_bar::BudgetBar;
use crate::widgets::sparkline::Sparkline;
use crate::widgets::state::StateBadge;

/// Objectives in the order given.
#[component]
pub fn SloTable(slos: Vec<SloRow>) -> impl IntoView {
    view! {
        <table class="rows slo-table">
            <caption class="visually-hidden">"Objectives, worst first"</caption>
            <thead>
                <tr>
                    <th scope="col">"State"</th>
                    <th scope="col">"Objective"</th>
                    <th scope="col">"Service"</th>
                    <th scope="col">"Target"</th>
                    <th scope="col">"Budget left"</th>
                    <th scope="col">"Burn, 24 h"</th>
                    <th scope="col">"Burn now"</th>
                    <th scope="col">"Time left"</th>
                </tr>
            </thead>
            <tbody>{slos.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
    .erase()
}

fn row(slo: SloRow) -> impl IntoView {
    let SloRow { objective, evaluation, sparkline, groups } = slo;
    let rate = sentence::burn_now(&evaluation).map_or_else(|| "–".to_owned(), burn);
    let left = sentence::time_left(&evaluation);
    let badge = match evaluation.tier {
        Some(tier) => view! { <StateBadge alert=evaluation.alert tier=tier /> },
        None => view! { <StateBadge alert=evaluation.alert /> },
    };
    view! {
        <tr>
            <td>{badge}</td>
            <th scope="row">
                <a class="row-link" href=slo_path(&objective.name) data-row="">{sentence::title(&objective).to_owned()}</a>
                {groups.map(told)}
            </th>
            <td>{objective.service.clone()}</td>
            <td>{target_percent(objective.target.ratio())} " / " {objective.window.to_string()}</td>
            <td><BudgetBar left=evaluation.budget.remaining_ratio /></td>
            <td><Sparkline values=sparkline /></td>
            <td>{rate}</td>
            <td>{left}</td>
        </tr>
    }
}

/// How many groups it has, and how many of them to look at.
fn told(GroupCounts { all, in_trouble }: GroupCounts) -> impl IntoView {
    let trouble = (in_trouble > 0).then(|| view! { <span class="is-trouble">{format!(", {in_trouble} in trouble")}</span> });
    view! { <span class="muted groups-told">{plural(all.into(), "group")} {trouble}</span> }
}
