//! The four figures of an SLO's page.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, burn, percent, target_percent};
use slowburn_domain::sentence;
use slowburn_domain::slo::{Evaluation, Objective};

use crate::erase::Erase;
use crate::widgets::figure::Figure;

/// SLI now, budget left, burn now, time left.
#[component]
pub fn Figures(objective: Objective, evaluation: Evaluation) -> impl IntoView {
    let none = || "–".to_owned();
    let budget = evaluation.budget;
    let rate = sentence::burn_now(&evaluation);
    let meets = evaluation.sli.is_none_or(|sli| sli >= objective.target.ratio());
    let range = evaluation.exhaustion.filter(|e| e.is_before_renewal).and_then(sentence::time_left_range);
    let rest = match (range, evaluation.exhaustion) {
        // The one figure is the last hour's pace, so it may lie outside.
        (Some(range), _) => format!("{range} at the pace of 6 h"),
        (None, Some(e)) if e.seconds <= 0.0 => "of this window's budget nothing is left".to_owned(),
        (None, Some(e)) if !e.is_before_renewal => "the next budget begins first".to_owned(),
        (None, Some(_)) => "at the pace of the last hour".to_owned(),
        (None, None) => "nothing burns now".to_owned(),
    };
    view! {
        <dl class="figures">
            <Figure
                label="SLI"
                value=evaluation.sli.map_or_else(none, percent)
                note=format!("target {} over {}", target_percent(objective.target.ratio()), objective.window)
                tone=if meets { "" } else { "crit" }
            />
            <Figure
                label="Budget left"
                value=budget.remaining_ratio.map_or_else(none, budget_percent)
                note=sentence::spent(&budget, objective.budgeting_method)
                tone=match budget.remaining_ratio {
                    Some(left) if left <= 0.0 => "crit",
                    Some(left) if left < 0.25 => "warn",
                    _ => "",
                }
            />
            <Figure
                label="Burn now"
                value=rate.map_or_else(none, burn)
                note="last hour; 1 × lasts the window"
                tone=if rate.is_some_and(|rate| rate > 1.0) { "warn" } else { "" }
            />
            <Figure label="Time left" value=sentence::time_left(&evaluation) note=rest />
        </dl>
    }
    .erase()
}
