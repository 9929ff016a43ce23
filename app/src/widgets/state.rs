//! How an objective or a tier stands: a colour, a shape and a word, so that none has to be told apart by colour alone.

use leptos::prelude::*;
use slowburn_domain::slo::{Alert, Tier};

/// The state with its shape and word.
#[component]
pub fn StateBadge(
    alert: Alert,
    #[prop(optional)] tier: Option<Tier>,
    /// Another word than the state's own.
    #[prop(optional)]
    word: Option<&'static str>,
) -> impl IntoView {
    let tier = tier.map(|tier| view! { <span class="tier">{tier.as_str()}</span> });
    view! {
        <span class=format!("state state-{}", alert.as_str())>
            <svg viewBox="0 0 12 12" aria-hidden="true" focusable="false"><path d=shape(alert)></path></svg>
            <span class="state-word">{word.unwrap_or(alert.as_str())}</span>
            {tier}
        </span>
    }
}

/// Full circle, triangle up, triangle down, octagon, ring.
pub const fn shape(alert: Alert) -> &'static str {
    match alert {
        Alert::Healthy => "M1.5 6a4.5 4.5 0 1 1 9 0 4.5 4.5 0 1 1-9 0z",
        Alert::Increasing => "M6 1 11.5 10.5h-11z",
        Alert::Recovering => "M6 11 .5 1.5h11z",
        Alert::Critical => "M3.7.5h4.6l3.2 3.2v4.6l-3.2 3.2H3.7L.5 8.3V3.7z",
        Alert::Unmeasured => "M.5 6a5.5 5.5 0 1 1 11 0 5.5 5.5 0 1 1-11 0zM2.5 6a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0z",
    }
}
