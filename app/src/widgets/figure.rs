//! One large number with its name and what to hold it against.

use leptos::prelude::*;

/// A figure. `tone` is one of `ok`, `warn`, `crit` or empty.
#[component]
pub fn Figure(
    /// What it is.
    label: &'static str,
    /// The number with its unit.
    #[prop(into)]
    value: String,
    /// What to compare it with.
    #[prop(into)]
    note: String,
    /// Colour of the number.
    #[prop(optional)]
    tone: &'static str,
) -> impl IntoView {
    view! {
        <div class="figure" data-tone=tone>
            <dt>{label}</dt>
            <dd>
                <span class="figure-value">{value}</span>
                <span class="figure-note">{note}</span>
            </dd>
        </div>
    }
}
