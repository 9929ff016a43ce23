//! The whole story of one correlation ID: a sentence, every service's lane on one time axis, errors first, and all traces.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::lanes::Lanes;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::number::duration_nanos;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::span::Status;
use slowburn_domain::story;
use slowburn_domain::url::{correlation_path, trace_path};
use slowburn_domain::view::{self, LaneBar};

use crate::api::{Model as _, Question, ask};
use crate::clock::{When, provide_now};
use crate::erase::Erase;
use crate::error::AppError;
use crate::pages::follow::follow_arrivals;
use crate::url::raw_url;
use crate::widgets::copy::CopyButton;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::LogList;
use crate::widgets::markup::Markup;
use crate::widgets::service::ServiceName;
use crate::widgets::timeline::timeline;
use crate::widgets::trace_list::TraceList;

/// The page at `/c/{id}`.
#[component]
pub fn CorrelationPage() -> impl IntoView {
    let id = raw_url().name();
    let found = ask(move || Question::Correlation(id.get()));
    // A story that ended long ago is told; only a running one is read again.
    follow_arrivals(found, move || {
        let page = found.get().and_then(Result::ok).and_then(view::CorrelationPage::of);
        page.is_none_or(|page| story::may_go_on(&page))
    });
    view! { <Loadable resource=found content=|page: view::CorrelationPage| view! { <Story page=page /> }.erase() missing=unknown /> }
}

#[component]
fn Story(page: view::CorrelationPage) -> impl IntoView {
    provide_now(page.now);
    let lanes = Lanes::of(&page);
    let sentence = story::of_correlation(&page);
    let all_logs = LogQuery { correlation_id: Some(page.id.clone()), ..LogQuery::default() }.href();
    let all = TraceQuery { correlation_id: Some(page.id.clone()), ..TraceQuery::default() }.href();
    view! {
        <Title text=page.id.clone() />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/traces">"Traces"</a>
            " / "
            <span aria-current="page">"Correlation"</span>
        </nav>
        <header class="page-head">
            <h1 class="correlation-id">{page.id.clone()}</h1>
            <CopyButton text=page.id.clone() what="Copy ID" />
        </header>
        <p class="lead answer" class:is-trouble=page.first_error.is_some()>{sentence}</p>
        {page
            .truncated
            .then(|| view! { <p class="notice">"There are more traces than one page shows. " <a href=all.clone()>"Search them all"</a></p> })}
            <section aria-label="Timeline">{timeline(&lanes, &page.bars, &page.logs)}</section>
            <div class="correlation-split">
                <section class="correlation-traces">
                    <h2>"Traces"</h2>
                    <TraceList traces=page.traces caption="Traces with this correlation ID, oldest first" common_id=page.id />
                    <p class="more"><a href=all>"Open in search"</a></p>
                    <h2 id="logs">"Log lines and events"</h2>
                    <LogList logs=page.logs caption="Log lines and events with this correlation ID or in its traces, oldest first" search=all_logs is_cut=page.more_logs />
                </section>
                <aside aria-labelledby="failures"><h2 id="failures">"Failures"</h2><Failures bars=page.bars lanes=lanes /></aside>
            </div>
    }
}

/// Every failed entry, oldest first, with the number of its attempt.
#[component]
fn Failures(bars: Vec<LaneBar>, lanes: Lanes) -> impl IntoView {
    let mut failed: Vec<_> = lanes
        .lanes
        .iter()
        .flat_map(|lane| lane.bars.iter().map(|placed| (lane.colour, *placed)))
        .filter_map(|(colour, placed)| Some((colour, placed.attempt, bars.get(placed.bar as usize)?.clone())))
        .filter(|(.., bar)| bar.status == Status::Error)
        .collect();
    failed.sort_by_key(|(.., bar)| bar.start);
    if failed.is_empty() {
        return view! { <p class="muted">"Nothing failed."</p> }.erase();
    }
    let start = lanes.axis.start();
    let entry = move |(colour, attempt, bar): (u8, u16, LaneBar)| {
        view! {
            <li>
                <a href=trace_path(bar.trace_id)>
                    <span class="error-mark" aria-hidden="true">"✕"</span>
                    <ServiceName name=bar.service colour=colour />
                    " "
                    {bar.operation}
                </a>
                <p class="muted">
                    {story::offset(bar.start, start)}" · "{duration_nanos((bar.duration_ms * 1e6).round() as i64)}
                    {(attempt > 1).then(|| format!(" · attempt {attempt}"))}
                    " · "<When at=bar.start />
                </p>
            </li>
        }
    };
    view! { <ol class="failures">{failed.into_iter().map(entry).collect_view()}</ol> }.erase()
}

/// Nothing has this ID: what was searched, and the next step.
fn unknown(error: AppError) -> AnyView {
    let mut near = Markup::default();
    if !error.near.is_empty() {
        near.element("p", "", "Was it one of these?").open("ul", &[("class", Some("near-ids"))]);
        for id in &error.near {
            near.open("li", &[]).link(&correlation_path(id), false, id).close("li");
        }
        near.close("ul");
    }
    view! {
        <Title text="Unknown correlation ID" />
        <section class="missing">
            <h1>"Nothing has this correlation ID"</h1>
            <p class="lead">{error.message}</p>
            <div inner_html=near.finish()></div>
            <p>
                "IDs are compared letter by letter. Spans, log lines and events carry one in an attribute such as "<code>"correlation_id"</code>", "
                <code>"session.id"</code>" or "<code>"http.request.header.x-request-id"</code>
                "; raw spans are dropped after the retention. What arrives from now on is shown here on reload."
            </p>
            <p><a href="/traces">"Look at the newest traces"</a></p>
        </section>
    }
    .erase()
}
