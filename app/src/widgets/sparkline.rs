//! The burn of the last day in one line of text height.

use leptos::prelude::*;
use slowburn_domain::chart::sparkline;
use slowburn_domain::number::burn;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;
/// Burn rate at the top; the line at burn rate 1, where the budget lasts exactly as long as its window, is drawn.
const CEILING: f64 = 4.0;

/// Burn rates, oldest first.
#[component]
pub fn Sparkline(values: Vec<Option<f64>>) -> impl IntoView {
    let highest = values.iter().flatten().copied().fold(None, |most: Option<f64>, value| Some(most.map_or(value, |m| m.max(value))));
    let ceiling = highest.unwrap_or(0.0).max(CEILING);
    let even = sparkline(&[Some(1.0), Some(1.0)], WIDTH * 2.0, HEIGHT, ceiling);
    let words =
        highest.map_or_else(|| "no events in the last day".to_owned(), |most| format!("burn rate of the last day, {} at most", burn(most)));
    view! {
        <svg class="sparkline" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=words>
            <path class="spark-even" d=even></path>
            <path class="spark-line" d=sparkline(&values, WIDTH, HEIGHT, ceiling)></path>
        </svg>
    }
}
