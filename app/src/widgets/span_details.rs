//! Everything about one span: what it was, what it said about its failure, its attributes, events and links. Every value
//! can be copied, and a click on an attribute searches for traces that have it.

use leptos::prelude::*;
use slowburn_domain::filter::attribute_equals;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::{Event, Link, Status, Value};
use slowburn_domain::story::{error_message, offset};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::trace_path;
use slowburn_domain::view::SpanView;

use crate::clock::Instant;
use crate::erase::Erase;
use crate::widgets::copy::{CopyButton, CopyId};
use crate::widgets::service::ServiceName;

/// The panel beside the waterfall.
#[component]
pub fn SpanDetails(
    span: SpanView,
    /// Colour of its service.
    colour: u8,
    /// Start of the trace, from which times are counted.
    origin: Timestamp,
    /// Its own share of the critical path, milliseconds.
    critical_ms: Option<f64>,
) -> impl IntoView {
    let failed = span.status == Status::Error;
    let message = error_message(&span).to_owned();
    let parent = span.parent_span_id.map(|id| view! { <a href=format!("?span={id}") class="mono">{id.to_string()}</a> });
    view! {
        <div class="details-head">
            <ServiceName name=span.service colour=colour />
            <h2>{span.operation}</h2>
            <CopyId id=span.span_id.to_string() />
        </div>
        {failed
            .then(|| {
                view! {
                    <div class="details-error">
                        <p><span aria-hidden="true">"✕ "</span>"Failed"</p>
                        {(!message.is_empty())
                            .then(|| {
                                view! { <p class="details-message">{message.clone()} <CopyButton text=message what="Copy message" /></p> }
                            })}
                    </div>
                }
            })}
        <dl class="meta">
            <div><dt>"Duration"</dt><dd>{length(span.duration_ms)}</dd></div>
            <div><dt>"Starts"</dt><dd title=span.start.to_string()>{offset(span.start, origin)}</dd></div>
            {critical_ms.map(|own| view! { <div><dt>"On critical path"</dt><dd>{length(own)}</dd></div> })}
            <div><dt>"Kind"</dt><dd>{span.kind.as_str()}</dd></div>
            <div><dt>"Status"</dt><dd>{span.status.as_str()}</dd></div>
            {parent.map(|parent| view! { <div><dt>"Parent"</dt><dd>{parent}</dd></div> })}
            <div><dt>"At"</dt><dd><Instant at=span.start /></dd></div>
        </dl>
        <Attributes title="Attributes" scope="attributes" pairs=span.attributes open=true />
        <Events events=span.events origin=origin />
        <Links links=span.links />
        <Attributes title="Resource" scope="resource" pairs=span.resource open=false />
    }
}

fn length(duration_ms: f64) -> String {
    duration_nanos((duration_ms * 1e6).round() as i64)
}

/// Attributes by name; nothing without any.
#[component]
fn Attributes(
    title: &'static str,
    /// What the filter language calls them.
    scope: &'static str,
    pairs: Vec<(String, Value)>,
    open: bool,
) -> impl IntoView {
    (!pairs.is_empty()).then(|| {
        let count = pairs.len();
        view! {
            <details class="attributes" open=open>
                <summary>{title}" "<span class="muted">{count}</span></summary>
                <dl>{pairs.into_iter().map(|(key, value)| view! { <Attribute scope=scope key=key value=value /> }).collect_view()}</dl>
            </details>
        }
    })
}

#[component]
fn Attribute(scope: &'static str, key: String, value: Value) -> impl IntoView {
    let text = value.to_string();
    let search = attribute_equals(scope, &key, &value).map(|filter| TraceQuery { filter: Some(filter), ..TraceQuery::default() }.href());
    let shown = match search {
        Some(href) => view! { <a class="mono" href=href title="Find traces with this value">{text.clone()}</a> }.erase(),
        None => view! { <span class="mono">{text.clone()}</span> }.erase(),
    };
    view! {
        <div class="attribute">
            <dt class="mono">{key}</dt>
            <dd>{shown}<CopyButton text=text what="Copy value" /></dd>
        </div>
    }
}

/// What happened during the span, in order.
#[component]
fn Events(events: Vec<Event>, origin: Timestamp) -> impl IntoView {
    (!events.is_empty()).then(|| {
        let count = events.len();
        let event = move |event: Event| {
            view! {
                <li>
                    <p>
                        <span class="muted number" title=event.time.to_string()>{offset(event.time, origin)}</span>
                        " "
                        <strong>{event.name}</strong>
                    </p>
                    <EventAttributes pairs=event.attributes />
                </li>
            }
        };
        view! {
            <details class="attributes" open=true>
                <summary>"Events "<span class="muted">{count}</span></summary>
                <ol class="events">{events.into_iter().map(event).collect_view()}</ol>
            </details>
        }
    })
}

/// Attributes of an event or a link. Searches do not reach them, so they are text.
#[component]
fn EventAttributes(pairs: Vec<(String, Value)>) -> impl IntoView {
    (!pairs.is_empty()).then(|| {
        let pair = |(key, value): (String, Value)| {
            let text = value.to_string();
            view! {
                <div class="attribute">
                    <dt class="mono">{key}</dt>
                    <dd><span class="mono pre">{text.clone()}</span><CopyButton text=text what="Copy value" /></dd>
                </div>
            }
        };
        view! { <dl>{pairs.into_iter().map(pair).collect_view()}</dl> }
    })
}

/// References to spans elsewhere.
#[component]
fn Links(links: Vec<Link>) -> impl IntoView {
    (!links.is_empty()).then(|| {
        let count = links.len();
        let link = |link: Link| {
            let href = format!("{}?span={}", trace_path(link.trace_id), link.span_id);
            let name = format!("{} / {}", link.trace_id, link.span_id);
            view! { <li><a class="mono" href=href>{name}</a><EventAttributes pairs=link.attributes /></li> }
        };
        view! {
            <details class="attributes" open=true>
                <summary>"Links "<span class="muted">{count}</span></summary>
                <ul class="events">{links.into_iter().map(link).collect_view()}</ul>
            </details>
        }
    })
}
