//! Everything about one span: what it was, what it said about its failure, its attributes, events and links. Every value
//! can be copied, and a click on an attribute searches for traces that have it.

use leptos::prelude::*;
use slowburn_domain::filter::attribute_equals;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::outline::Outline;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::sentence;
use slowburn_domain::span::{Event, Link, Status, Value};
use slowburn_domain::story::{error_message, offset};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::trace_path;
use slowburn_domain::view::SpanView;

use crate::browser;
use crate::clock::Watch;
use crate::widgets::copy::shorten;
use crate::widgets::markup::Markup;

/// What the outline knows of the span at `row`: there at once, whichever is selected. `href` is the link to a span of this
/// trace by its row, `zoom_href` shows this one in the waterfall, zoomed to it.
pub fn span_head(outline: &Outline, row: u32, colour: u8, href: &dyn Fn(u32) -> String, zoom_href: &str, watch: Watch) -> String {
    let Some(span) = outline.spans.get(row as usize) else { return String::new() };
    let id = span.span_id.to_string();
    let mut markup = Markup::default();
    markup.open("div", &[("class", Some("details-head"))]).service(outline.service(span), colour);
    markup.element("h2", "", outline.operation(span)).open("span", &[("class", Some("copy-id"))]);
    markup.open("code", &[("title", Some(&id))]).text(&shorten(&id)).close("code").copy(&id, "Copy ID").close("span");
    markup.open("a", &[("class", Some("zoom-link")), ("href", Some(zoom_href))]).text("Zoom to it").close("a").close("div");
    markup.open("dl", &[("class", Some("meta"))]).figure("Duration", &duration_nanos(span.nanos));
    markup.figure("Self time", &duration_nanos(span.self_nanos));
    if let Some(own) = span.critical_nanos {
        markup.figure("On critical path", &duration_nanos(own));
    }
    markup.figure("Starts", &offset(span.start, outline.start()));
    markup.figure("Kind", span.kind.as_str()).figure("Status", span.status.as_str());
    if let Some(parent) = span.parent {
        let name = outline.spans.get(parent as usize).map_or("", |parent| outline.operation(parent));
        markup.open("div", &[]).element("dt", "", "Parent").open("dd", &[]).link(&href(parent), false, name).close("dd").close("div");
    }
    markup.figure("At", &sentence::instant(span.start, watch.offset(span.start))).close("dl");
    markup.finish()
}

/// What the span itself says: its failure, attributes, events and links.
#[component]
pub fn SpanDetails(
    span: SpanView,
    /// Start of the trace, from which times are counted.
    origin: Timestamp,
) -> impl IntoView {
    view! { <div on:click=move |event| browser::copy_clicked(&event) inner_html=said(&span, origin)></div> }
}

fn said(span: &SpanView, origin: Timestamp) -> String {
    let mut markup = Markup::default();
    if span.status == Status::Error {
        let message = error_message(span);
        markup.open("div", &[("class", Some("details-error"))]).open("p", &[]);
        markup.open("span", &[("aria-hidden", Some("true"))]).text("✕ ").close("span").text("Failed").close("p");
        if !message.is_empty() {
            markup.open("p", &[("class", Some("details-message"))]).text(message).text(" ").copy(message, "Copy message").close("p");
        }
        markup.close("div");
    }
    attributes(&mut markup, "Attributes", "attributes", &span.attributes, true);
    events(&mut markup, &span.events, origin);
    links(&mut markup, &span.links);
    attributes(&mut markup, "Resource", "resource", &span.resource, false);
    markup.finish()
}

/// A part that can be closed, with how much is in it.
fn open_part(markup: &mut Markup, title: &str, count: usize, open: bool) {
    markup.open("details", &[("class", Some("attributes")), ("open", open.then_some(""))]).open("summary", &[]).text(title).text(" ");
    markup.element("span", "muted", &count.to_string()).close("summary");
}

/// Attributes by name; nothing without any. `scope` is what the filter language calls them.
fn attributes(markup: &mut Markup, title: &str, scope: &str, pairs: &[(String, Value)], open: bool) {
    if pairs.is_empty() {
        return;
    }
    open_part(markup, title, pairs.len(), open);
    markup.open("dl", &[]);
    for (key, value) in pairs {
        let text = value.to_string();
        markup.open("div", &[("class", Some("attribute"))]).element("dt", "mono", key).open("dd", &[]);
        match attribute_equals(scope, key, value) {
            Some(filter) => {
                let href = TraceQuery { filter: Some(filter), ..TraceQuery::default() }.href();
                markup.open("a", &[("class", Some("mono")), ("href", Some(&href)), ("title", Some("Find traces with this value"))]);
                markup.text(&text).close("a");
            }
            None => {
                markup.element("span", "mono", &text);
            }
        }
        markup.copy(&text, "Copy value").close("dd").close("div");
    }
    markup.close("dl").close("details");
}

/// What happened during the span, in order.
fn events(markup: &mut Markup, events: &[Event], origin: Timestamp) {
    if events.is_empty() {
        return;
    }
    open_part(markup, "Events", events.len(), true);
    markup.open("ol", &[("class", Some("events"))]);
    for event in events {
        let time = event.time.to_string();
        markup.open("li", &[]).open("p", &[]).open("span", &[("class", Some("muted number")), ("title", Some(&time))]);
        markup.text(&offset(event.time, origin)).close("span").text(" ").element("strong", "", &event.name).close("p");
        plain(markup, &event.attributes);
        markup.close("li");
    }
    markup.close("ol").close("details");
}

/// References to spans elsewhere.
fn links(markup: &mut Markup, links: &[Link]) {
    if links.is_empty() {
        return;
    }
    open_part(markup, "Links", links.len(), true);
    markup.open("ul", &[("class", Some("events"))]);
    for link in links {
        let href = format!("{}?span={}", trace_path(link.trace_id), link.span_id);
        markup.open("li", &[]).open("a", &[("class", Some("mono")), ("href", Some(&href))]);
        markup.text(&format!("{} / {}", link.trace_id, link.span_id)).close("a");
        plain(markup, &link.attributes);
        markup.close("li");
    }
    markup.close("ul").close("details");
}

/// Attributes of an event or a link. Searches do not reach them, so they are text.
fn plain(markup: &mut Markup, pairs: &[(String, Value)]) {
    if pairs.is_empty() {
        return;
    }
    markup.open("dl", &[]);
    for (key, value) in pairs {
        let text = value.to_string();
        markup.open("div", &[("class", Some("attribute"))]).element("dt", "mono", key).open("dd", &[]);
        markup.element("span", "mono pre", &text).copy(&text, "Copy value").close("dd").close("div");
    }
    markup.close("dl");
}
