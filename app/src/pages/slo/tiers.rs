//! The pairs of windows an alert rests on, each with what it saw, what it takes, and its verdict.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, burn, percent};
use slowburn_domain::sentence;
use slowburn_domain::slo::{BudgetingMethod, TierState};
use slowburn_domain::time::format_duration;

use crate::erase::Erase;
use crate::widgets::state::StateBadge;

/// Pairs, most urgent first.
#[component]
pub fn TierTable(tiers: Vec<TierState>, method: BudgetingMethod) -> impl IntoView {
    view! {
        <table class="rows tier-table">
            <caption class="visually-hidden">"Window pairs of the alert"</caption>
            <thead>
                <tr>
                    <th scope="col">"State"</th>
                    <th scope="col">"Tier"</th>
                    <th scope="col">"Threshold"</th>
                    <th scope="col">"Long window"</th>
                    <th scope="col">"Short window"</th>
                    <th scope="col">"Coverage"</th>
                    <th scope="col">"Why"</th>
                </tr>
            </thead>
            <tbody>{tiers.into_iter().map(|state| row(state, method)).collect_view()}</tbody>
        </table>
    }
    .erase()
}

fn row(state: TierState, method: BudgetingMethod) -> impl IntoView {
    let rule = state.rule;
    view! {
        <tr>
            <td><StateBadge alert=state.alert /></td>
            <th scope="row">{rule.tier.as_str()}</th>
            <td>
                {burn(rule.burn_rate)} <small>{budget_percent(rule.budget_share)} " of the budget"</small>
            </td>
            <td>{window(rule.long_minutes, state.long_burn, state.long_bad, state.long_threshold, method)}</td>
            <td>{window(rule.short_minutes, state.short_burn, state.short_bad, state.short_threshold, method)}</td>
            <td>{state.coverage.map_or_else(|| "–".to_owned(), percent)}</td>
            <td>{sentence::tier(&state, method)}</td>
        </tr>
    }
}

/// Length, burn rate, and what was bad against the amount at which it fires.
fn window(minutes: u32, rate: Option<f64>, bad: f64, threshold: f64, method: BudgetingMethod) -> impl IntoView {
    view! {
        <span class="window-name">{format_duration(u64::from(minutes) * 60)}</span>
        " "
        {rate.map_or_else(|| "–".to_owned(), burn)}
        <small>{sentence::amount(bad)} " of " {sentence::at_which(threshold, method)} {bad_of(method)}</small>
    }
}

const fn bad_of(method: BudgetingMethod) -> &'static str {
    if let BudgetingMethod::Composite = method { " % bad" } else { " bad" }
}
