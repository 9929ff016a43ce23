//! Every objective, worst first.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::sentence;
use slowburn_domain::view::SlosPage as Page;

use crate::api::{Question, ask};
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::widgets::empty::FirstSlo;
use crate::widgets::loadable::Loadable;
use crate::widgets::slo_table::SloTable;

/// The page at `/slos`.
#[component]
pub fn SlosPage() -> impl IntoView {
    let page = ask(|| Question::Slos);
    refetch_on(Topic::Any, page);
    view! {
        <Title text="SLOs" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    let list = if page.slos.is_empty() {
        view! { <FirstSlo /> }.erase()
    } else {
        view! {
            <p class="lead">{sentence::overview(&page.slos)}</p>
            <SloTable slos=page.slos />
        }
        .erase()
    };
    view! {
        <h1>"SLOs"</h1>
        {list}
    }
    .erase()
}
