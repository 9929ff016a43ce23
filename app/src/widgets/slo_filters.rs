//! The search form of the list of objectives. It is an ordinary GET form whose fields bear the parameters' names; with
//! WebAssembly it narrows while one types and chooses. What there is to choose from is the server's to tell.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use slowburn_domain::slo::{Alert, Tier};
use slowburn_domain::slo_query::{SloQuery, SloSort};
use slowburn_domain::url::{decode_query, encode_query};
use slowburn_domain::view::SlosPage;

use crate::api::{Model as _, PageResource};
use crate::browser;
use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// How long after the last letter the list follows.
const TYPING: Duration = Duration::from_millis(200);

/// The form.
#[component]
pub fn SloFilters(
    /// The page's raw query string.
    search: Memo<String>,
    /// The list, which tells what there is to choose from.
    page: PageResource,
) -> impl IntoView {
    let navigate = use_navigate();
    // What the form itself wrote last: its fields say it already, and letters typed since must stay.
    let written = StoredValue::new(search.get_untracked());
    let go = Callback::new(move |raw: String| {
        let pairs = decode_query(&raw);
        let query = encode_query(
            pairs.iter().map(|(name, value)| (name.as_str(), value.trim())).filter(|(name, value)| (*name, *value) != ("sort", "worst")),
        );
        if search.get_untracked() != query {
            written.set_value(query.clone());
            let href = if query.is_empty() { "/slos".to_owned() } else { format!("/slos?{query}") };
            navigate(&href, leptos_router::NavigateOptions { scroll: false, replace: true, ..Default::default() });
        }
    });
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let changed = move |event: leptos::ev::Event| {
        let Some(raw) = browser::form_query(&event) else { return };
        if let Some(before) = timer.get_value() {
            before.clear();
        }
        timer.set_value(set_timeout_with_handle(move || go.run(raw), TYPING).ok());
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        if let Some(raw) = browser::form_query(&event) {
            event.prevent_default();
            go.run(raw);
        }
    };
    let q = Memo::new(move |_| search.with(|raw| SloQuery::parse(raw).0.q.unwrap_or_default()));
    // A link changed what is asked for: the field shows it over what was typed.
    let field = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if search.get() != written.get_value() {
            written.set_value(search.get());
            if let Some(field) = field.get_untracked() {
                field.set_value(&q.get_untracked());
            }
        }
    });
    view! {
        <form class="slo-filters" method="get" action="/slos" role="search" aria-label="Objectives" on:input=changed on:submit=submit>
            <div class="field">
                <label for="slo-q">"Search"</label>
                <input
                    id="slo-q" name="q" type="search" node_ref=field placeholder="Name, service or label" value=move || q.get()
                    autocomplete="off" autocapitalize="off" spellcheck="false"
                />
            </div>
            <Transition>{move || Suspend::new(async move { page.await.ok().and_then(SlosPage::of).map(|page| choices(&page).erase()) })}</Transition>
            <button type="submit" class="button without-script">"Search"</button>
        </form>
    }
}

/// The fields to choose from. What the URL asks for is among them even when there is no such thing.
fn choices(page: &SlosPage) -> impl IntoView {
    let query = &page.query;
    let same = |text: &String| (text.clone(), text.clone());
    let or_asked = |mut known: Vec<(String, String)>, asked: Option<&String>| {
        if let Some(asked) = asked.filter(|asked| !known.iter().any(|(value, _)| value == *asked)) {
            known.push(same(asked));
        }
        known
    };
    let label = query.labels.first();
    let services = or_asked(page.services.iter().map(same).collect(), query.service.as_ref());
    let labels = or_asked(page.labels.iter().map(same).collect(), label);
    let tiers = [Tier::Page, Tier::Ticket].map(|tier| (tier.as_str().to_owned(), tier.as_str().to_owned())).to_vec();
    let sorts = SloSort::ALL.map(|(sort, words)| (sort.as_str().to_owned(), words.to_owned())).to_vec();
    let mut markup = Markup::default();
    markup.select("service", "Service", Some("All"), &services, query.service.as_deref());
    if !labels.is_empty() {
        markup.select("label", "Label", Some("Any"), &labels, label.map(String::as_str));
    }
    markup.select("tier", "Alerting by", Some("Any or none"), &tiers, query.tier.map(Tier::as_str));
    markup.select("sort", "Order", None, &sorts, Some(query.sort.as_str()));
    // What chips and links have asked for stays asked for.
    for value in query.labels.iter().skip(1) {
        markup.hidden("label", value);
    }
    if let Some(objective) = &query.group_of {
        markup.hidden("group_of", objective);
    }
    if let Some(state) = query.state {
        markup.hidden("state", state.as_str());
    }
    view! { <div class="choices-of-list" inner_html=markup.finish()></div> }
}

/// How many objectives are in each state, as links that show only those; the one chosen leads back to all.
#[component]
pub fn StateChips(query: SloQuery, states: Vec<(Alert, usize)>) -> impl IntoView {
    let mut markup = Markup::default();
    let all = states.iter().map(|(_, count)| count).sum::<usize>();
    let mut chip = |state: Option<Alert>, count: usize| {
        let is_chosen = query.state == state;
        if count == 0 && !is_chosen {
            return;
        }
        let href = SloQuery { state: if is_chosen { None } else { state }, ..query.clone() }.href();
        let word = state.map_or("all", Alert::as_str);
        let class = format!("state-chip is-{word}");
        markup.open("li", &[]).open("a", &[("class", Some(&class)), ("href", Some(&href)), ("aria-current", is_chosen.then_some("true"))]);
        if let Some(state) = state {
            markup.state_shape(state);
        }
        markup.element("span", "", word).text(" ").element("span", "number", &count.to_string()).close("a").close("li");
    };
    chip(None, all);
    for (state, count) in states {
        chip(Some(state), count);
    }
    view! { <ul class="state-chips" aria-label="States" data-keep-scroll="" inner_html=markup.finish()></ul> }.erase()
}
