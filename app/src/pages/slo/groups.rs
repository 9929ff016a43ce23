//! The groups of an objective: how many there are, and the worst of them.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, burn};
use slowburn_domain::sentence;
use slowburn_domain::slo::split_group;
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::story::plural;
use slowburn_domain::url::slo_path;
use slowburn_domain::view::{Groups as Shown, SloRow};

use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// The worst groups and the way to the rest; nothing for an objective without groups.
#[component]
pub fn Groups(
    /// Name of the objective.
    slo: String,
    /// Its groups.
    groups: Option<Shown>,
) -> impl IntoView {
    let Some(Shown { by, cap, all, worst }) = groups else { return ().erase() };
    let mut markup = Markup::default();
    let said = match all {
        0 => "No event has come yet. Each value of ".to_owned(),
        all => format!("{} so far. Each value of ", plural(all as u64, "group")),
    };
    let rest = format!(" has a budget of its own, for {cap} values at most.");
    markup.open("p", &[("class", Some("muted"))]).text(&said).element("code", "", &by).text(&rest).close("p");
    if !worst.is_empty() {
        write(&mut markup, &worst);
    }
    if all > worst.len() {
        let href = SloQuery { group_of: Some(slo), ..SloQuery::default() }.href();
        markup.open("p", &[("class", Some("more"))]).link(&href, false, &format!("All {all} groups")).close("p");
    }
    view! {
        <section aria-labelledby="groups">
            <h2 id="groups">"Groups, worst first"</h2>
            <div inner_html=markup.finish()></div>
        </section>
    }
    .erase()
}

/// A table; under the name of the whole the values of its groups say enough.
fn write(markup: &mut Markup, groups: &[SloRow]) {
    markup.open("table", &[("class", Some("rows part-table"))]).element("caption", "visually-hidden", "Groups, worst first");
    markup.open("thead", &[]).open("tr", &[]);
    for (head, class) in [("Group", ""), ("State", ""), ("Budget left", "number"), ("Burn now", "number"), ("Time left", "number")] {
        markup.open("th", &[("scope", Some("col")), ("class", (!class.is_empty()).then_some(class))]).text(head).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
    let none = || "–".to_owned();
    for SloRow { objective, evaluation, .. } in groups {
        let value = split_group(&objective.name).map_or("", |(_, value)| value);
        let word = evaluation.alert.as_str();
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).link(&slo_path(&objective.name), false, value).close("th");
        markup.open("td", &[]).open("span", &[("class", Some(&format!("state state-{word}")))]).state_shape(evaluation.alert);
        markup.element("span", "state-word", word).close("span").close("td");
        markup.number("Budget left", &evaluation.budget.remaining_ratio.map_or_else(none, budget_percent));
        markup.number("Burn now", &sentence::burn_now(evaluation).map_or_else(none, burn));
        markup.number("Time left", &sentence::time_left(evaluation)).close("tr");
    }
    markup.close("tbody").close("table");
}
