//! Agents: who promised to be heard of, and who is overdue. Rows cannot be more than were registered by hand or by deployment.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::agent::{of_agents, promise};
use slowburn_domain::event::EventQuery;
use slowburn_domain::sentence::ago;
use slowburn_domain::slo::Alert;
use slowburn_domain::view;

use crate::api::{Question, ask};
use crate::browser;
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;

const REGISTER: &str = r#"curl -X PUT $SLOWBURN/api/v1/agents/my-worker \
  -H 'content-type: application/json' -d '{"interval": "30s"}'"#;
const HEARTBEAT: &str = "curl -X POST $SLOWBURN/api/v1/agents/my-worker/heartbeat";

/// The page at `/agents`.
#[component]
pub fn AgentsPage() -> impl IntoView {
    let page = ask(|| Question::Agents);
    refetch_on(Topic::Evaluated, page);
    view! {
        <Title text="Agents" />
        <h1>"Agents"</h1>
        <Loadable resource=page content=|page: view::AgentsPage| view! { <Agents page=page /> }.erase() />
    }
}

#[component]
fn Agents(page: view::AgentsPage) -> impl IntoView {
    provide_now(page.now);
    let is_overdue = page.agents.iter().any(|agent| agent.is_overdue);
    let sentence = of_agents(&page.agents, page.now);
    let rows = (!page.agents.is_empty()).then(|| view! { <div inner_html=table(&page)></div> });
    let mut markup = Markup::default();
    markup.open("section", &[("class", Some("empty"))]).element("h2", "", "To register one, and to be heard of");
    for (command, what) in [(REGISTER, "Command that registers an agent"), (HEARTBEAT, "Command that sends a heartbeat")] {
        markup.snippet(command, what);
    }
    markup.element("p", "muted", "$SLOWBURN is the address of this server. A silence is an event, and so is its end.").close("section");
    view! {
        <p class="lead answer" class:is-trouble=is_overdue role="status">{sentence}</p>
        {rows}
        <div on:click=move |event| browser::copy_clicked(&event) inner_html=markup.finish()></div>
    }
    .erase()
}

fn table(page: &view::AgentsPage) -> String {
    let mut markup = Markup::default();
    markup.open("table", &[("class", Some("rows part-table"))]).element(
        "caption",
        "visually-hidden",
        "Agents, those that are overdue first",
    );
    markup.open("thead", &[]).open("tr", &[]);
    for name in ["Agent", "State", "Heard of", "Promise"] {
        markup.open("th", &[("scope", Some("col"))]).text(name).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
    for agent in &page.agents {
        let events =
            EventQuery { kind: Some("dev.slowburn.agent.*".to_owned()), subject: Some(agent.name.clone()), ..EventQuery::default() };
        let (alert, class) = match (agent.is_overdue, agent.heartbeat_at) {
            (true, _) => (Alert::Critical, "state state-critical"),
            (false, Some(_)) => (Alert::Healthy, "state state-healthy"),
            (false, None) => (Alert::Unmeasured, "state state-unmeasured"),
        };
        let heard = agent.heartbeat_at.map_or_else(|| "never".to_owned(), |at| ago(page.now, at));
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).link(&events.href(), false, &agent.name).close("th");
        markup.open("td", &[("data-label", Some("State"))]).open("span", &[("class", Some(class))]).state_shape(alert);
        markup.element("span", "state-word", agent.state()).close("span").close("td");
        for (label, text) in [("Heard of", heard.as_str()), ("Promise", promise(agent).as_str())] {
            markup.open("td", &[("data-label", Some(label))]).text(text).close("td");
        }
        markup.close("tr");
    }
    markup.close("tbody").close("table");
    markup.finish()
}
