//! The groups of an objective: how many there are, and the worst of them.

use leptos::prelude::*;
use slowburn_domain::slo::split_group;
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::story::plural;
use slowburn_domain::view::Groups as Shown;

use crate::erase::Erase;
use crate::widgets::icon::Icon;
use crate::widgets::markup::Markup;
use crate::widgets::slo_table::SloTable;

/// The worst groups and the way to the rest; nothing for an objective without groups.
#[component]
pub fn Groups(
    /// Name of the objective.
    slo: String,
    /// Its groups.
    groups: Option<Shown>,
) -> impl IntoView {
    let Some(Shown { by, cap, all, mut worst }) = groups else { return ().erase() };
    // Under the name of the whole its values say enough.
    for row in &mut worst {
        row.objective.display_name = split_group(&row.objective.name).map(|(_, value)| value.to_owned());
    }
    let mut lead = Markup::default();
    let said = match all {
        0 => "No event has come yet. Each value of ".to_owned(),
        all => format!("{} so far. Each value of ", plural(all as u64, "group")),
    };
    let rest = format!(" has a budget of its own, for {cap} values at most.");
    lead.open("p", &[("class", Some("muted"))]).text(&said).element("code", "", &by).text(&rest).close("p");
    let href = SloQuery { group_of: Some(slo), ..SloQuery::default() }.href();
    let more =
        (all > worst.len()).then(|| view! { <p class="more"><a href=href>{format!("All {all} groups ")} <Icon name="arrow" /></a></p> });
    view! {
        <section aria-labelledby="groups">
            <h2 id="groups">"Groups, worst first"</h2>
            <div inner_html=lead.finish()></div>
            {(!worst.is_empty()).then(|| view! { <SloTable slos=worst /> })}
            {more}
        </section>
    }
    .erase()
}
