//! Who calls whom: the services, what they use, and what passes between them, drawn and as a list.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::number::percent;
use slowburn_domain::red::{duration, rate};
use slowburn_domain::service_map::layout::{LABEL_HEIGHT, LABEL_WIDTH, Layout, NODE_HEIGHT, NODE_WIDTH};
use slowburn_domain::service_map::{Edge, Node, NodeKind, of_edges};
use slowburn_domain::story::plural;
use slowburn_domain::url::service_path;
use slowburn_domain::view;

use super::services::{SERVICE_MAP, back_seconds, presets, views, with_range};
use crate::api::{Question, ask};
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;

/// The page at `/service-map`, over `from` of its query.
#[component]
pub fn ServiceMapPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || Question::ServiceMap(search.with(|raw| back_seconds(raw))));
    refetch_on(Topic::Evaluated, page);
    view! {
        <Title text="Service map" />
        <h1>"Service map"</h1>
        <div class="results">
            <Loadable resource=page content=|page: view::ServiceMapPage| view! { <Map page=page /> }.erase() />
        </div>
    }
}

#[component]
fn Map(page: view::ServiceMapPage) -> impl IntoView {
    let back = page.back_seconds;
    let is_unhealthy = page.edges.iter().any(Edge::is_unhealthy);
    let mut range = Markup::default();
    presets(&mut range, SERVICE_MAP, back);
    views(&mut range, SERVICE_MAP, back);
    let drawing = (!page.edges.is_empty()).then(|| view! { <div inner_html=drawing(&page.drawing, back)></div> }.erase());
    let left_out = (page.left_out > 0).then(|| {
        let told = format!("{} more, which are asked least, stand in the list alone.", page.left_out);
        view! { <p class="muted">{told}</p> }.erase()
    });
    let list = (!page.edges.is_empty()).then(|| {
        view! {
            <section aria-labelledby="calls">
                <h2 id="calls">"Calls, those that fail most first"</h2>
                <div inner_html=edge_table(&page.edges, back)></div>
            </section>
        }
        .erase()
    });
    let waiting = (page.waiting_minutes > 0).then(|| {
        let minutes = plural(page.waiting_minutes.into(), "minute");
        let told = format!("{minutes} of this time wait to be counted, the newest first; until they are, rates are too low.");
        view! { <p class="notice" role="status">{told}</p> }.erase()
    });
    let first = page.edges.is_empty().then(|| {
        view! {
            <section class="empty">
                <h2>"Where calls are seen"</h2>
                <p>
                    "In spans whose parent ran in another service, so the SDKs have to pass the context on (W3C trace context), and in spans of \
                    clients and producers that name a database, a queue or a server."
                </p>
                <p><a href=with_range("/services", back)>"Look at the services"</a>" · "<a href="/">"How to send the first telemetry"</a></p>
            </section>
        }
        .erase()
    });
    view! {
        <p class="lead answer" class:is-trouble=is_unhealthy>{of_edges(&page.edges)}</p>
        <div inner_html=range.finish()></div>
        {waiting}
        {drawing}
        {left_out}
        {list}
        {first}
        <p class="muted">
            "On each line stand its rate, the share that fails, and the 95th percentile of its duration. Counted from the stored spans by the \
            minute in which a call ended, within a minute after it."
        </p>
    }
    .erase()
}

/// Lines from caller to callee, and on them how often, how slow, and how much fails.
fn drawing(layout: &Layout, back: u64) -> String {
    let number = |length: f64| format!("{length:.1}");
    let (width, height) = (number(layout.width), number(layout.height));
    let mut markup = Markup::default();
    markup.open(
        "div",
        &[("class", Some("map")), ("tabindex", Some("0")), ("role", Some("region")), ("aria-label", Some("Drawing of the calls"))],
    );
    markup.open("svg", &[("width", Some(&width)), ("height", Some(&height)), ("viewBox", Some(&format!("0 0 {width} {height}")))]);
    markup.open("defs", &[]);
    for (id, class) in [("arrow", ""), ("arrow-bad", "is-bad")] {
        let marker = [("id", Some(id)), ("class", Some(class)), ("viewBox", Some("0 0 6 6")), ("refX", Some("5")), ("refY", Some("3"))];
        markup.open("marker", &marker).open("path", &[("d", Some("M0 0 6 3 0 6z"))]).close("path").close("marker");
    }
    markup.close("defs");
    for placed in &layout.edges {
        let is_bad = placed.edge.is_unhealthy();
        // Ten times as many are twice as thick.
        let thickness = number((1.0 + placed.edge.rate_per_second.max(0.0)).log10().mul_add(1.5, 1.0).min(6.0));
        let line = [
            ("class", Some(if is_bad { "edge is-bad" } else { "edge" })),
            ("d", Some(&*placed.path())),
            ("stroke-width", Some(&*thickness)),
            ("marker-end", Some(if is_bad { "url(#arrow-bad)" } else { "url(#arrow)" })),
        ];
        markup.open("path", &line).close("path");
    }
    for placed in &layout.edges {
        let edge = &placed.edge;
        let (x, y) = (number(placed.label.0 - LABEL_WIDTH / 2.0), number(placed.label.1 - LABEL_HEIGHT / 2.0));
        foreign(&mut markup, &x, &y, LABEL_WIDTH, LABEL_HEIGHT);
        let class = if edge.is_unhealthy() { "edge-label is-bad" } else { "edge-label" };
        let failed = if edge.errors > 0 { format!(" · {}", percent(edge.error_ratio)) } else { String::new() };
        let what = format!("{} to {}", edge.caller, edge.callee);
        markup.open("a", &[("class", Some(class)), ("href", Some(&edge.traces(back).href())), ("title", Some(&what))]);
        markup.element("span", "visually-hidden", &format!("{what}: "));
        markup.element("span", "", &format!("{}{failed}", rate(edge.rate_per_second)));
        markup.element("small", "", &format!("p95 {}", duration(edge.p95_ms))).close("a").close("foreignObject");
    }
    for placed in &layout.nodes {
        foreign(&mut markup, &number(placed.x), &number(placed.y), NODE_WIDTH, NODE_HEIGHT);
        let Node { kind, name } = &placed.node;
        let class = if *kind == NodeKind::Service { "node is-service" } else { "node" };
        let tag = if *kind == NodeKind::Service { "a" } else { "div" };
        let href = (*kind == NodeKind::Service).then(|| with_range(&service_path(name), back));
        markup.open(tag, &[("class", Some(class)), ("href", href.as_deref()), ("title", Some(name))]);
        // A database or queue is known by its own name; what system it is of stands below.
        let (system, own) = name.split_once(' ').filter(|_| matches!(kind, NodeKind::Database | NodeKind::Queue)).unwrap_or(("", name));
        let what = [system, kind.as_str()].join(" ");
        markup.element("span", "", own).element("small", "", what.trim_start()).close(tag).close("foreignObject");
    }
    markup.close("svg").close("div");
    markup.finish()
}

fn foreign(markup: &mut Markup, x: &str, y: &str, width: f64, height: f64) {
    let (width, height) = (width.to_string(), height.to_string());
    markup.open("foreignObject", &[("x", Some(x)), ("y", Some(y)), ("width", Some(&width)), ("height", Some(&height))]);
}

/// Every edge, as the way to its traces.
pub(super) fn edge_table(edges: &[Edge], back: u64) -> String {
    let mut markup = Markup::default();
    markup.open("table", &[("class", Some("rows part-table"))]).element("caption", "visually-hidden", "Calls, those that fail most first");
    markup.open("thead", &[]).open("tr", &[]);
    for name in ["From", "To", "What"] {
        markup.open("th", &[("scope", Some("col"))]).text(name).close("th");
    }
    for name in ["Rate", "Failed", "p95", "Traces"] {
        markup.open("th", &[("scope", Some("col")), ("class", Some("number"))]).text(name).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
    for edge in edges {
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]);
        end(&mut markup, &edge.from(), back);
        markup.close("th").open("td", &[("data-label", Some("To"))]);
        end(&mut markup, &edge.to(), back);
        markup.close("td").open("td", &[("data-label", Some("What"))]).text(edge.kind.as_str()).close("td");
        markup.number("Rate", &rate(edge.rate_per_second));
        markup.open("td", &[("class", Some("number")), ("data-label", Some("Failed"))]);
        markup.errors(&percent(edge.error_ratio), edge.errors > 0).close("td");
        markup.number("p95", &duration(edge.p95_ms));
        markup.open("td", &[("class", Some("number")), ("data-label", Some("Traces"))]);
        let words = if edge.errors > 0 { "those that failed" } else { "look" };
        markup.open("a", &[("href", Some(&edge.traces(back).href()))]).text(words);
        markup.element("span", "visually-hidden", &format!(" at {} to {}", edge.caller, edge.callee)).close("a").close("td").close("tr");
    }
    markup.close("tbody").close("table");
    markup.finish()
}

/// A service leads to its page; of others there is none.
fn end(markup: &mut Markup, node: &Node, back: u64) {
    if node.kind == NodeKind::Service {
        markup.link(&with_range(&service_path(&node.name), back), false, &node.name);
    } else {
        markup.text(&node.name);
    }
}
