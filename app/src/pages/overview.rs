//! How many objectives are in trouble, which first, how long is left; what fails now; what arrived in the last minute.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::number::{grouped, percent};
use slowburn_domain::red::rate;
use slowburn_domain::sentence;
use slowburn_domain::service_map::Edge;
use slowburn_domain::view::{Arrivals, OverviewPage as Page};

use crate::api::{Question, ask};
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::widgets::empty::{FirstSlo, FirstTelemetry};
use crate::widgets::icon::Icon;
use crate::widgets::incident_list::IncidentList;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;
use crate::widgets::slo_table::SloTable;
use crate::widgets::trace_list::TraceList;

/// The page at `/`.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let page = ask(|| Question::Overview);
    refetch_on(Topic::Any, page);
    view! {
        <Title text="Overview" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    provide_now(page.now);
    let in_trouble = page.slos.iter().any(|row| sentence::is_in_trouble(&row.evaluation));
    let failed = (!page.failed_traces.is_empty()).then(|| {
        view! {
            <section aria-labelledby="failed-traces">
                <h2 id="failed-traces">"Failed lately"</h2>
                <TraceList traces=page.failed_traces caption="Newest failed traces" />
                <p class="more"><a href="/traces?status=error">"All failed traces" <Icon name="arrow" /></a></p>
            </section>
        }
    });
    let calls = (!page.failing_calls.is_empty()).then(|| {
        view! {
            <section aria-labelledby="failing-calls">
                <h2 id="failing-calls">"Calls that fail"</h2>
                <div inner_html=failing_calls(&page.failing_calls)></div>
                <p class="more"><a href="/service-map">"The service map" <Icon name="arrow" /></a></p>
            </section>
        }
    });
    let incidents = (!page.incidents.is_empty()).then(|| {
        view! {
            <section aria-labelledby="incidents">
                <h2 id="incidents">"Open incidents"</h2>
                <IncidentList incidents=page.incidents caption="Open incidents, those that began last first" />
            </section>
        }
    });
    let first_telemetry = (!page.has_telemetry).then(|| view! { <FirstTelemetry endpoint=page.otlp_http /> });
    let objectives = if page.slos.is_empty() {
        view! { <FirstSlo /> }.erase()
    } else {
        view! {
            <section aria-labelledby="objectives">
                <h2 id="objectives">"Objectives"</h2>
                <SloTable slos=page.slos.clone() />
            </section>
        }
        .erase()
    };
    view! {
        <h1 class="visually-hidden">"Overview"</h1>
        <p class="lead answer" class:is-trouble=in_trouble>{sentence::overview(&page.slos)}</p>
        <ArrivalsStrip arrivals=page.arrivals />
        {first_telemetry}
        {objectives}
        {incidents}
        {calls}
        {failed}
    }
    .erase()
}

/// The worst corner of the service map, as the way to the traces of each call. Of the last hour.
fn failing_calls(edges: &[Edge]) -> String {
    let mut markup = Markup::default();
    markup.open("ul", &[("class", Some("failing-calls"))]);
    for edge in edges {
        let failed = format!("{} of {}", percent(edge.error_ratio), rate(edge.rate_per_second));
        markup.open("li", &[]).link(&edge.traces(3_600).href(), false, &format!("{} → {}", edge.caller, edge.callee));
        markup.errors(&failed, true).close("li");
    }
    markup.close("ul");
    markup.finish()
}

/// What came in during the last minute.
#[component]
fn ArrivalsStrip(arrivals: Arrivals) -> impl IntoView {
    let item = |value: u64, what: &'static str, wrong: bool| {
        view! {
            <li class:is-wrong=wrong && value != 0>
                <strong>{grouped(value)}</strong> " " {what}
            </li>
        }
    };
    view! {
        <section class="arrivals" aria-label="Arrived in the last minute">
            <h2>"Last minute"</h2>
            <ul>
                {item(arrivals.spans, "spans", false)}
                {item(arrivals.errors, "errors", true)}
                {item(arrivals.logs, "log lines", false)}
                {item(arrivals.refused, "refused", true)}
                {item(arrivals.redacted, "values redacted", false)}
            </ul>
        </section>
    }
    .erase()
}
