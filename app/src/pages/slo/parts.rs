//! The objectives that one is made of, and what each took of its budget.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, percent};
use slowburn_domain::slo::PartState;
use slowburn_domain::url::slo_path;

use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// The parts, those first that spent most; nothing for an objective that counts events of its own.
#[component]
pub fn Parts(mut parts: Vec<PartState>) -> impl IntoView {
    if parts.is_empty() {
        return ().erase();
    }
    parts.sort_by(|a, b| b.spent.total_cmp(&a.spent));
    let mut markup = Markup::default();
    markup.open("table", &[("class", Some("rows part-table"))]);
    markup.element("caption", "visually-hidden", "The objectives that it is made of").open("thead", &[]).open("tr", &[]);
    for (head, class) in
        [("Objective", ""), ("Weight", "number"), ("SLI", "number"), ("Of the budget spent", "number"), ("Coverage", "number")]
    {
        markup.open("th", &[("scope", Some("col")), ("class", (!class.is_empty()).then_some(class))]).text(head).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
    let none = || "–".to_owned();
    for part in &parts {
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).link(&slo_path(&part.slo), false, &part.slo).close("th");
        markup.number("Weight", &percent(part.weight));
        markup.number("SLI", &part.sli.map_or_else(none, percent));
        markup.number("Of the budget spent", &budget_percent(part.spent));
        markup.number("Coverage", &part.coverage.map_or_else(none, percent)).close("tr");
    }
    markup.close("tbody").close("table");
    view! {
        <section aria-labelledby="parts">
            <h2 id="parts">"What it is made of"</h2>
            <div inner_html=markup.finish()></div>
        </section>
    }
    .erase()
}
