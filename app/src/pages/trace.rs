//! One trace: a sentence, its figures, and the trace as waterfall, flame graph or table of spans, or beside another one. How it
//! is looked at stands in the URL ([`TraceView`]), so the server renders the same view a colleague was sent.

pub mod compare;
pub mod details;
pub mod flame;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::id::TraceId;
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::outline::Outline;
use slowburn_domain::story;
use slowburn_domain::timeline::service_colours;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::trace_view::{TraceView, View};
use slowburn_domain::view;
use slowburn_domain::waterfall::Zoom;

use self::compare::{Beside, Compare};
use self::details::Details;
use self::flame::Flame;
use crate::api::{Question, ask};
use crate::clock::{Instant, When, provide_now};
use crate::erase::Erase;
use crate::error::AppError;
use crate::url::raw_url;
use crate::widgets::copy::CopyId;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::LogList;
use crate::widgets::markup::Markup;
use crate::widgets::span_table::SpanTable;
use crate::widgets::trace_list::CorrelationIds;
use crate::widgets::waterfall::Waterfall;

/// The page at `/traces/{trace_id}`.
#[component]
pub fn TracePage() -> impl IntoView {
    let url = raw_url();
    let id = url.name();
    // Another span, frame or order needs nothing new from the server; what is beside another trace does.
    let beside = Memo::new(move |_| {
        let TraceView { view, compare, .. } = url.search.with(|raw| TraceView::parse(raw));
        (view == View::Compare, compare)
    });
    let trace = ask(move || {
        // `track` alone would leave the memo unread, and its first reading would count as a change.
        beside.with(|_| ());
        Question::Trace { id: id.get(), view: url.search.get_untracked() }
    });
    view! { <Loadable resource=trace content=|page: view::TracePage| view! { <Trace page=page /> }.erase() missing=unknown /> }
}

/// What the ways of looking at a trace share.
#[derive(Clone, Copy)]
pub struct Shown {
    trace: TraceId,
    outline: StoredValue<Arc<Outline>>,
    /// Colours of the outline's services.
    colours: StoredValue<Vec<u8>>,
    view: Memo<TraceView>,
    /// Row of the selected span.
    selected: Memo<Option<u32>>,
    /// Goes to the same trace, looked at in some way, without leaving a step in the history.
    go: Callback<TraceView>,
}

impl Shown {
    fn outline(self) -> Arc<Outline> {
        self.outline.get_value()
    }

    /// The link to this trace, looked at in some way.
    fn link(self) -> Callback<TraceView, String> {
        Callback::new(move |view: TraceView| view.href(self.trace))
    }

    fn colour(self, service: &str) -> u8 {
        let index = self.outline.with_value(|outline| outline.services.iter().position(|known| known == service));
        index.and_then(|index| self.colours.with_value(|colours| colours.get(index).copied())).unwrap_or_default()
    }
}

#[component]
fn Trace(page: view::TracePage) -> impl IntoView {
    provide_now(page.now);
    let sentence = story::of_trace(&page);
    let view::TracePage { now, summary, outline, sampling, selected: first, logs, more_logs, alike, other, .. } = page;
    // A trace id needs no escapes, and the codec of log searches is no part of this page.
    let all_logs = format!("/logs?trace_id={}", summary.trace_id);
    let said = (!logs.is_empty()).then(|| {
        view! {
            <section aria-labelledby="logs">
                <h2 id="logs">"What was logged in it"</h2>
                <LogList logs=logs caption="Log lines of this trace, oldest first" search=all_logs is_cut=more_logs />
            </section>
        }
        .erase()
    });
    let search = raw_url().search;
    let view = Memo::new(move |_| search.with(|raw| TraceView::parse(raw)));
    let way = Memo::new(move |_| view.with(|view| view.view));
    let outline = StoredValue::new(Arc::new(outline));
    let selected = Memo::new(move |_| outline.with_value(|outline| outline.selected(view.with(|view| view.span))));
    let trace = summary.trace_id;
    let navigate = use_navigate();
    let go = Callback::new(move |view: TraceView| {
        navigate(&view.href(trace), NavigateOptions { replace: true, scroll: false, ..Default::default() });
    });
    let colours = StoredValue::new(outline.with_value(|outline| service_colours(&outline.services)));
    let shown = Shown { trace, outline, colours, view, selected, go };
    let (first, beside) = (StoredValue::new(first), StoredValue::new(Beside { now, summary: summary.clone(), alike, other }));
    let body = move || {
        match way.get() {
        View::Waterfall => {
            view! { <div class="trace-split"><section aria-label="Waterfall"><Bars shown=shown /></section><Details shown=shown first=first.get_value() /></div> }
                .erase()
        }
        View::Table => {
            view! { <div class="trace-split"><section aria-label="Spans"><Table shown=shown /></section><Details shown=shown first=first.get_value() /></div> }
                .erase()
        }
        View::Flame => view! { <Flame shown=shown /> }.erase(),
        View::Compare => view! { <Compare shown=shown beside=beside /> }.erase(),
    }
    };
    view! {
        <Title text=format!("{} {}", summary.root.service, summary.root.operation) />
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <a href="/traces">"Traces"</a>
            " / "
            <span aria-current="page">{trace.to_string()}</span>
        </nav>
        <h1 class="lead answer" class:is-trouble=summary.errors != 0>{sentence}</h1>
        {(!sampling.is_empty()).then(|| view! { <p class="notice">{sampling}</p> })}
        <Figures summary=summary />
        <Tabs shown=shown />
        <Legend shown=shown way=way />
        {body}
        {said}
    }
}

/// The ways of looking at the trace, as links.
#[component]
fn Tabs(shown: Shown) -> impl IntoView {
    let tab = move |way: View, label: &'static str| {
        let href = move || shown.view.with(|view| view.switched_to(way).href(shown.trace));
        let current = move || shown.view.with(|view| view.view == way).then_some("page");
        view! { <a href=href aria-current=current>{label}</a> }
    };
    view! {
        <nav class="tabs" aria-label="Ways of looking at this trace" data-keep-scroll="">
            {tab(View::Waterfall, "Waterfall")}
            {tab(View::Flame, "Flame graph")}
            {tab(View::Table, "Spans")}
            {tab(View::Compare, "Compare")}
        </nav>
    }
}

/// The waterfall, and how much of the time it shows.
#[component]
fn Bars(shown: Shown) -> impl IntoView {
    let zoom = Memo::new(move |_| shown.view.with(|view| view.zoom));
    let first_row = shown.view.with_untracked(|view| view.row);
    let select = Callback::new(move |row: u32| {
        let span = shown.outline.with_value(|outline| outline.spans.get(row as usize).map(|span| span.span_id));
        shown.go.run(TraceView { span, row: None, ..shown.view.get_untracked() });
    });
    let zoom_to = Callback::new(move |zoom: Option<Zoom>| {
        if zoom != shown.view.with_untracked(|view| view.zoom) {
            shown.go.run(TraceView { zoom, row: None, ..shown.view.get_untracked() });
        }
    });
    let zoomed = move || {
        zoom.get().map(|(from, until)| {
            let href = TraceView { zoom: None, ..shown.view.get() }.href(shown.trace);
            let part = format!("+{} to +{}", duration_nanos(from), duration_nanos(until));
            view! { <p class="zoomed">"Zoomed to "{part}". "<a href=href>"Show the whole trace"</a></p> }
        })
    };
    view! {
        <div data-keep-scroll="">{zoomed}</div>
        <Waterfall outline=shown.outline() zoom=zoom selected=shown.selected first_row=first_row select=select zoom_to=zoom_to />
    }
}

#[component]
fn Table(shown: Shown) -> impl IntoView {
    move || {
        let (view, selected) = (shown.view.get(), shown.selected.get());
        let colours = shown.colours.get_value();
        view! { <SpanTable outline=shown.outline() colours=colours view=view selected=selected href=shown.link() /> }
    }
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

/// The services in their colours, and what the lines of the waterfall mean.
#[component]
fn Legend(shown: Shown, way: Memo<View>) -> impl IntoView {
    let entries = move || {
        let mut markup = Markup::default();
        shown.outline.with_value(|outline| {
            for service in &outline.services {
                markup.open("li", &[]).service(service, shown.colour(service)).close("li");
            }
        });
        if way.get() == View::Waterfall {
            markup.open("li", &[("class", Some("legend-critical"))]).open("span", &[("aria-hidden", Some("true"))]).close("span");
            markup.text("critical path").close("li");
        }
        markup.finish()
    };
    view! { <ul class="legend" aria-label="Services" inner_html=entries></ul> }
}

/// There is no such trace, or not any more.
fn unknown(_error: AppError) -> AnyView {
    let id = raw_url().name().get_untracked();
    let is_id = id.parse::<TraceId>().is_ok();
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
