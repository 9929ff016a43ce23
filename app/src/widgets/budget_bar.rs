//! How much of an error budget is left, as a bar and a percentage.

use leptos::prelude::*;
use slowburn_domain::number::budget_percent;

/// The share left, 0–1; negative when overspent, `None` without events.
#[component]
pub fn BudgetBar(left: Option<f64>) -> impl IntoView {
    let shown = left.unwrap_or(0.0).clamp(0.0, 1.0);
    let level = match left {
        None => "none",
        Some(left) if left <= 0.0 => "spent",
        Some(left) if left < 0.25 => "low",
        Some(_) => "fine",
    };
    view! {
        <span class="budget-bar">
            <svg class=format!("budget-{level}") viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect class="budget-all" x="0" y="0" width="100" height="8" />
                <rect class="budget-left" x="0" y="0" width=format!("{:.1}", shown * 100.0) height="8" />
            </svg>
            <span class="number">{left.map_or_else(|| "–".to_owned(), budget_percent)}</span>
        </span>
    }
}
