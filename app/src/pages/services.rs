//! Services: how often they are asked, how often they fail, how long they take; and one service with its operations, its
//! objectives and what failed lately.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::number::percent;
use slowburn_domain::query::{Bound, TraceQuery};
use slowburn_domain::red::{Red, ServiceRed, duration, of_services, rate};
use slowburn_domain::service_map::Edge;
use slowburn_domain::span::{Kind, Status};
use slowburn_domain::url::{decode_query, encode_query, service_path};
use slowburn_domain::view;

use crate::api::{Question, ask};
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::pages::service_map::edge_table;
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;
use crate::widgets::slo_table::SloTable;
use crate::widgets::trace_list::TraceList;

/// Time ranges offered as links: words and seconds back from now.
pub(super) const PRESETS: [(&str, u64); 5] = [("15 min", 900), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400), ("7 d", 604_800)];
/// Without a range in the URL.
const DEFAULT_BACK: u64 = 3_600;
/// Path of the service map.
pub(super) const SERVICE_MAP: &str = "/service-map";
const COLUMNS: [&str; 5] = ["Rate", "Failed", "p50", "p90", "p99"];

/// The page at `/services`, over `from` of its query.
#[component]
pub fn ServicesPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || Question::Services(search.with(|raw| back_seconds(raw))));
    refetch_on(Topic::Evaluated, page);
    view! {
        <Title text="Services" />
        <h1>"Services"</h1>
        <div class="results">
            <Loadable resource=page content=|page: view::ServicesPage| view! { <Services page=page /> }.erase() />
        </div>
    }
}

/// The page at `/services/{name}`.
#[component]
pub fn ServicePage() -> impl IntoView {
    let url = raw_url();
    let name = url.name();
    let page = ask(move || Question::Service { name: name.get(), back_seconds: url.search.with(|raw| back_seconds(raw)) });
    refetch_on(Topic::Evaluated, page);
    view! { <Loadable resource=page content=|page: view::ServicePage| view! { <Service page=page /> }.erase() /> }
}

/// How far back a raw query looks: one of the ranges that are offered.
pub(super) fn back_seconds(raw: &str) -> u64 {
    let pairs = decode_query(raw);
    let from = pairs.iter().rev().find(|(name, _)| name == "from").and_then(|(_, value)| Bound::parse(value));
    match from {
        Some(Bound::Ago(seconds)) if PRESETS.iter().any(|(_, known)| *known == seconds) => seconds,
        _ => DEFAULT_BACK,
    }
}

/// A path with a range.
pub(super) fn with_range(path: &str, seconds: u64) -> String {
    if seconds == DEFAULT_BACK {
        path.to_owned()
    } else {
        format!("{path}?{}", encode_query([("from", Bound::Ago(seconds).to_string().as_str())]))
    }
}

pub(super) fn presets(markup: &mut Markup, path: &str, chosen: u64) {
    markup.open("nav", &[("class", Some("presets")), ("aria-label", Some("Time range"))]).element("span", "muted", "Last");
    for (label, seconds) in PRESETS {
        markup.link(&with_range(path, seconds), seconds == chosen, label);
    }
    markup.close("nav");
}

/// The two ways to look at all services.
pub(super) fn views(markup: &mut Markup, current: &str, back: u64) {
    markup.open("nav", &[("class", Some("presets")), ("aria-label", Some("View"))]).element("span", "muted", "As");
    for (path, label) in [("/services", "list"), (SERVICE_MAP, "map")] {
        markup.link(&with_range(path, back), path == current, label);
    }
    markup.close("nav");
}

fn head(markup: &mut Markup, caption: &str, first: &[&str]) {
    markup.open("table", &[("class", Some("rows part-table"))]).element("caption", "visually-hidden", caption);
    markup.open("thead", &[]).open("tr", &[]);
    for name in first {
        markup.open("th", &[("scope", Some("col"))]).text(name).close("th");
    }
    for name in COLUMNS {
        markup.open("th", &[("scope", Some("col")), ("class", Some("number"))]).text(name).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
}

fn figures(markup: &mut Markup, red: &Red) {
    markup.number("Rate", &rate(red.rate_per_second));
    markup.open("td", &[("class", Some("number")), ("data-label", Some("Failed"))]);
    markup.errors(&percent(red.error_ratio), red.errors > 0).close("td");
    for (label, ms) in [("p50", red.p50_ms), ("p90", red.p90_ms), ("p99", red.p99_ms)] {
        markup.number(label, &duration(ms));
    }
}

#[component]
fn Services(page: view::ServicesPage) -> impl IntoView {
    let back = page.back_seconds;
    let fails = page.services.iter().any(|service| service.red.errors > 0);
    let mut range = Markup::default();
    presets(&mut range, "/services", back);
    views(&mut range, "/services", back);
    let mut markup = Markup::default();
    if !page.services.is_empty() {
        head(&mut markup, "Services, those that fail most first", &["Service"]);
        for ServiceRed { name, red, .. } in &page.services {
            markup
                .open("tr", &[])
                .open("th", &[("scope", Some("row"))])
                .link(&with_range(&service_path(name), back), false, name)
                .close("th");
            figures(&mut markup, red);
            markup.close("tr");
        }
        markup.close("tbody").close("table");
    }
    view! {
        <p class="lead answer" class:is-trouble=fails>{of_services(&page.services)}</p>
        <div inner_html=range.finish()></div>
        <div inner_html=markup.finish()></div>
        <p class="muted">"Of the requests and messages that a service answers; of all its spans where it answers none."</p>
    }
    .erase()
}

#[component]
fn Service(page: view::ServicePage) -> impl IntoView {
    provide_now(page.now);
    let (name, back) = (page.name.clone(), page.back_seconds);
    let sentence = match &page.red {
        Some(ServiceRed { red, .. }) => format!(
            "{name} is asked {}; {} fails, and one in a hundred takes longer than {}.",
            rate(red.rate_per_second),
            percent(red.error_ratio),
            duration(red.p99_ms)
        ),
        None => format!("{name} has sent nothing in this time."),
    };
    let fails = page.red.as_ref().is_some_and(|service| service.red.errors > 0);
    let mut range = Markup::default();
    presets(&mut range, &service_path(&name), back);
    let calls = calls(&page.calls, back);
    let operations = page.red.map(|red| operations(&name, &red, page.more_operations, back));
    let from = Some(Bound::Ago(back));
    let traces = TraceQuery { service: Some(name.clone()), from, ..TraceQuery::default() }.href();
    let logs = LogQuery { service: Some(name.clone()), from, ..LogQuery::default() }.href();
    let slos = (!page.slos.is_empty()).then(|| {
        view! {
            <section aria-labelledby="objectives">
                <h2 id="objectives">"Its objectives"</h2>
                <SloTable slos=page.slos />
            </section>
        }
        .erase()
    });
    let promise = format!("/slo-editor?{}", encode_query([("service", name.as_str())]));
    let failed = if page.failed_traces.is_empty() {
        view! { <p class="muted">"No trace that is stored failed in it."</p> }.erase()
    } else {
        view! { <TraceList traces=page.failed_traces caption="Newest traces with a failure in it" /> }.erase()
    };
    view! {
        <Title text=name.clone() />
        <nav class="breadcrumb" aria-label="Breadcrumb"><a href="/services">"Services"</a>" / "<span aria-current="page">{name.clone()}</span></nav>
        <header class="page-head">
            <h1>{name}</h1>
            <a class="button" href=traces>"Its traces"</a>
            <a class="button" href=logs>"Its logs"</a>
            <a class="button" href=promise>"Promise something"</a>
        </header>
        <p class="lead answer" class:is-trouble=fails>{sentence}</p>
        <div inner_html=range.finish()></div>
        {slos}
        {operations}
        {calls}
        <section aria-labelledby="failed">
            <h2 id="failed">"Failed lately"</h2>
            {failed}
        </section>
    }
    .erase()
}

/// Each operation, as the way to its traces.
fn operations(service: &str, red: &ServiceRed, is_cut: bool, back: u64) -> AnyView {
    let mut markup = Markup::default();
    head(&mut markup, "Operations, busiest first", &["Operation", "Kind"]);
    for operation in &red.operations {
        let query = TraceQuery {
            service: Some(service.to_owned()),
            operation: Some(operation.operation.clone()),
            status: (operation.red.errors > 0).then_some(Status::Error),
            from: Some(Bound::Ago(back)),
            ..TraceQuery::default()
        };
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).link(&query.href(), false, &operation.operation).close("th");
        markup.open("td", &[("data-label", Some("Kind"))]).text(kind(operation.kind)).close("td");
        figures(&mut markup, &operation.red);
        markup.close("tr");
    }
    markup.close("tbody").close("table");
    if is_cut {
        markup.element("p", "muted", "Only the busiest are shown.");
    }
    view! {
        <section aria-labelledby="operations">
            <h2 id="operations">"Operations, busiest first"</h2>
            <div inner_html=markup.finish()></div>
        </section>
    }
    .erase()
}

/// Who asks it, and whom it asks.
fn calls(edges: &[Edge], back: u64) -> Option<AnyView> {
    (!edges.is_empty()).then(|| {
        view! {
            <section aria-labelledby="calls">
                <h2 id="calls">"Who asks it, and whom it asks"</h2>
                <div inner_html=edge_table(edges, back)></div>
            </section>
        }
        .erase()
    })
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Unspecified => "–",
        other => other.as_str(),
    }
}
