//! One trace: a sentence, its figures, the waterfall, and beside it everything about the selected span. Which span that is
//! stands in the URL (`?span=`), so the server renders the same view a colleague was sent.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::story;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::url::{decode_query, trace_path};
use slowburn_domain::view;
use slowburn_domain::waterfall::{self, Waterfall as Geometry};

use crate::api::{Question, ask};
use crate::clock::{Instant, When, provide_now};
use crate::erase::Erase;
use crate::error::AppError;
use crate::url::raw_url;
use crate::widgets::copy::CopyId;
use crate::widgets::loadable::Loadable;
use crate::widgets::service::ServiceName;
use crate::widgets::span_details::SpanDetails;
use crate::widgets::trace_list::CorrelationIds;
use crate::widgets::waterfall::{Laid, Waterfall};

/// The page at `/traces/{trace_id}`.
#[component]
pub fn TracePage() -> impl IntoView {
    let id = raw_url().name();
    let trace = ask(move || Question::Trace(id.get()));
    view! { <Loadable resource=trace content=|page: view::TracePage| view! { <Trace page=page /> }.erase() missing=unknown /> }
}

#[component]
fn Trace(page: view::TracePage) -> impl IntoView {
    provide_now(page.now);
    let search = raw_url().search;
    let geometry = Geometry::of(&page);
    let laid = Arc::new(Laid { page, geometry });
    let parameter =
        move |name: &'static str| search.with(|raw| decode_query(raw).into_iter().rfind(|(key, _)| key == name).map(|(_, value)| value));
    let selected = {
        let laid = Arc::clone(&laid);
        Memo::new(move |_| waterfall::selected_row(&laid.page, parameter("span").and_then(|id| id.parse().ok())))
    };
    let first_row = untrack(|| parameter("row")).and_then(|row| row.parse().ok());
    let navigate = use_navigate();
    let select = {
        let laid = Arc::clone(&laid);
        Callback::new(move |row: u32| {
            let span = laid.page.rows.get(row as usize).and_then(|row| laid.page.spans.get(row.span as usize));
            if let Some(span) = span {
                let href = format!("{}?span={}", trace_path(laid.page.summary.trace_id), span.span_id);
                navigate(&href, NavigateOptions { replace: true, scroll: false, ..Default::default() });
            }
        })
    };
    let (summary, sentence) = (laid.page.summary.clone(), story::of_trace(&laid.page));
    view! {
        <Title text=format!("{} {}", summary.root.service, summary.root.operation) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/traces">"Traces"</a>
            " / "
            <span aria-current="page">{summary.trace_id.to_string()}</span>
        </nav>
        <h1 class="lead answer" class:is-trouble=summary.errors != 0>{sentence}</h1>
        <Figures summary=summary />
        <Legend laid=Arc::clone(&laid) />
        <div class="trace-split">
            <section aria-label="Waterfall">
                <Waterfall laid=Arc::clone(&laid) selected=selected first_row=first_row select=select />
            </section>
            <aside class="details" aria-label="Selected span">{move || details(&laid, selected.get())}</aside>
        </div>
    }
}

fn details(laid: &Laid, row: Option<u32>) -> impl IntoView + use<> {
    let index = row.and_then(|row| laid.page.rows.get(row as usize)).map(|row| row.span);
    index.and_then(|index| laid.page.spans.get(index as usize).map(|span| (index, span.clone()))).map(|(index, span)| {
        let colour = laid.geometry.colour(&span.service);
        let critical_ms = laid.page.critical_ms.iter().find(|(span, _)| *span == index).map(|(_, own)| *own);
        view! { <SpanDetails span=span colour=colour origin=laid.page.summary.start critical_ms=critical_ms /> }
    })
}

#[component]
fn Figures(summary: TraceSummary) -> impl IntoView {
    view! {
        <dl class="meta">
            <div><dt>"Started"</dt><dd><When at=summary.start />", "<Instant at=summary.start /></dd></div>
            <div><dt>"Duration"</dt><dd>{duration_nanos((summary.duration_ms * 1e6).round() as i64)}</dd></div>
            <div><dt>"Spans"</dt><dd>{grouped(u64::from(summary.spans))}</dd></div>
            <div><dt>"Errors"</dt><dd>{grouped(u64::from(summary.errors))}</dd></div>
            {(!summary.correlation_ids.is_empty())
                .then(|| view! { <div><dt>"Correlation ID"</dt><dd><CorrelationIds ids=summary.correlation_ids /></dd></div> })}
            <div><dt>"Trace ID"</dt><dd><CopyId id=summary.trace_id.to_string() /></dd></div>
        </dl>
    }
}

/// The services in their colours, and what the accent line means.
#[component]
fn Legend(laid: Arc<Laid>) -> impl IntoView {
    let services = laid.page.summary.services.iter().map(|name| {
        view! { <li><ServiceName name=name.clone() colour=laid.geometry.colour(name) /></li> }
    });
    view! {
        <ul class="legend" aria-label="Services">
            {services.collect_view()}
            <li class="legend-critical"><span aria-hidden="true"></span>"critical path"</li>
        </ul>
    }
}

/// There is no such trace, or not any more.
fn unknown(_error: AppError) -> AnyView {
    let id = raw_url().name().get_untracked();
    let is_id = id.parse::<slowburn_domain::id::TraceId>().is_ok();
    view! {
        <Title text="Unknown trace" />
        <section class="missing">
            <h1>"There is no such trace"</h1>
            <p class="lead">"Searched for trace "<code>{id}</code>"."</p>
            {if is_id {
                view! {
                    <p>
                        "Its spans have not arrived, or they are older than the retention: raw spans are dropped after it, "
                        "while SLOs keep what they counted."
                    </p>
                }
                    .erase()
            } else {
                view! { <p>"A trace ID has 32 hex digits. If this is a correlation ID, the search box above finds it."</p> }.erase()
            }}
            <p><a href="/traces">"Look at the newest traces"</a></p>
        </section>
    }
    .erase()
}
