//! One objective: what it promised and how it stands in one sentence and four figures; how the budget went and how fast it
//! burns; why its alert fires or does not; what went wrong, down to the traces; what it means. Its tabs are links, the open one
//! is in the URL.

pub mod figures;
pub mod groups;
pub mod history;
pub mod parts;
pub mod range;
pub mod tiers;

use leptos::prelude::*;
use leptos::text_prop::TextProp;
use leptos_meta::Title;
use slowburn_domain::chart;
use slowburn_domain::query::Bound;
use slowburn_domain::sentence;
use slowburn_domain::slo::{Lint, split_group};
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::{decode_query, encode_query, slo_path};
use slowburn_domain::view::{ExternalSource, SloPage as Page};

use crate::api::{Question, ask};
use crate::chart::{ChartView, provide_pointer};
use crate::clock::{Instant, When, provide_now};
use crate::erase::Erase;
use crate::live::{Topic, refetch_on};
use crate::url::raw_url;
use crate::widgets::copy::Snippet;
use crate::widgets::icon::Icon;
use crate::widgets::incident_list::IncidentList;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;
use crate::widgets::state::StateBadge;
use crate::widgets::trace_list::TraceList;
use figures::Figures;
use groups::Groups;
use history::History;
use parts::Parts;
use range::RangePicker;
use tiers::TierTable;

/// The page at `/slos/{name}`, over `from` and `to` of its query.
#[component]
pub fn SloPage() -> impl IntoView {
    let url = raw_url();
    let name = url.name();
    let bounds = Memo::new(move |_| url.search.with(|search| bounds(search)));
    let page = ask(move || {
        let (from, to) = bounds.get();
        Question::Slo { name: name.get(), from, to }
    });
    refetch_on(Topic::Any, page);
    provide_pointer();
    let tab = Memo::new(move |_| url.search.with(|search| Tab::of(search)));
    provide_context(tab);
    // On the server the title is written when the page's memos may be gone already.
    let title: TextProp = if cfg!(feature = "ssr") { name.get_untracked().into() } else { (move || name.get()).into() };
    view! {
        <Title text=title />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

/// `from` and `to` of a raw query; what is not understood is as if it were not there.
fn bounds(raw: &str) -> (Option<Bound>, Option<Bound>) {
    let pairs = decode_query(raw);
    let bound = |key: &str| pairs.iter().rev().find(|pair| pair.0 == key).and_then(|pair| Bound::parse(&pair.1));
    (bound("from"), bound("to"))
}

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    /// How it stands.
    Overview,
    /// When it burned too fast.
    Incidents,
    /// What became of it over time.
    History,
    /// What it means.
    Definition,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Overview, "", "Overview"),
        (Self::Incidents, "incidents", "Incidents"),
        (Self::History, "history", "History"),
        (Self::Definition, "definition", "Definition"),
    ];

    /// `tab` of a raw query.
    fn of(raw: &str) -> Self {
        let pairs = decode_query(raw);
        let word = pairs.iter().rev().find(|pair| pair.0 == "tab").map_or("", |pair| pair.1.as_str());
        Self::ALL.into_iter().find(|(_, known, _)| *known == word).map_or(Self::Overview, |(tab, ..)| tab)
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    provide_now(page.now);
    let evaluation = &page.row.evaluation;
    let objective = &page.row.objective;
    let sentence = match &page.backfill {
        Some(_) if evaluation.counts.total == 0 => {
            format!("{} is new: what is stored of its past is being counted.", sentence::title(objective))
        }
        _ => sentence::slo(objective, evaluation),
    };
    let badge = match evaluation.tier {
        Some(tier) => view! { <StateBadge alert=evaluation.alert tier=tier /> },
        None => view! { <StateBadge alert=evaluation.alert /> },
    };
    let description = (!objective.description.trim().is_empty()).then(|| view! { <p class="muted">{objective.description.clone()}</p> });
    // A group is edited as what it is a group of.
    let group = split_group(&objective.name);
    let edited = group.map_or(objective.name.as_str(), |(whole, _)| whole);
    let edit = format!("/slo-editor?{}", encode_query([("edit", edited)]));
    let place = match group {
        Some((whole, value)) => {
            let (href, whole, value) = (slo_path(whole), whole.to_owned(), value.to_owned());
            view! { <a href=href>{whole}</a> " / " <span aria-current="page">{value}</span> }.erase()
        }
        None => view! { <span aria-current="page">{objective.name.clone()}</span> }.erase(),
    };
    let tab: Memo<Tab> = expect_context();
    let name = objective.name.clone();
    let shown = page.clone();
    let open = move || {
        let page = shown.clone();
        match tab.get() {
            Tab::Overview => view! { <Overview page=page /> }.erase(),
            Tab::Incidents => view! { <Incidents page=page /> }.erase(),
            Tab::History => view! { <History slo=page.row.objective.name history=page.history /> }.erase(),
            Tab::Definition => view! { <Definition page=page /> }.erase(),
        }
    };
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb"><a href="/slos">"SLOs"</a> " / " {place}</nav>
        <header class="page-head slo-head">
            <h1>{sentence::title(objective).to_owned()}</h1>
            {badge}
            <span class="muted">"service " {objective.service.clone()}</span>
            <a class="button" href=edit>"Edit"</a>
        </header>
        <p class="lead answer" class:is-trouble=sentence::is_in_trouble(evaluation)>{sentence}</p>
        {description}
        {evaluation.renews_at.map(|at| view! {
            <p class="muted">"The next "{objective.window.adjective()}" budget begins "<When at=at />", "<Instant at=at />"."</p>
        })}
        {page.backfill.map(|backfill| view! {
            <p class="notice" role="status">
                {backfill.sentence()}
                <progress aria-label="Spans counted" max=backfill.stored value=backfill.stored.saturating_sub(backfill.remaining)></progress>
            </p>
        })}
        {page.estimated_to.map(|at| view! {
            <p class="notice">
                "Counts up to " <Instant at=at /> " are estimates: they were made from the sample of spans that was stored. Those since then are exact."
            </p>
        })}
        {page.source.as_ref().and_then(|source| remarks(source, page.now))}
        <Figures objective=objective.clone() evaluation=evaluation.clone() />
        <nav class="tabs" aria-label="Parts of this page" data-keep-scroll="">
            {Tab::ALL
                .map(|(known, word, label)| {
                    let query = encode_query([("tab", word)]);
                    let href = if query.is_empty() { slo_path(&name) } else { format!("{}?{query}", slo_path(&name)) };
                    view! { <a href=href aria-current=move || (tab.get() == known).then_some("page")>{label}</a> }
                })
                .collect_view()}
        </nav>
        {open}
    }
    .erase()
}

/// What to know about the source of its counts, and to look after.
fn remarks(source: &ExternalSource, now: Timestamp) -> Option<AnyView> {
    let remarks = source.remarks(now);
    let mut markup = Markup::default();
    for remark in &remarks {
        markup.element("p", "", remark);
    }
    (!remarks.is_empty()).then(|| view! { <div class="notice" role="status" inner_html=markup.finish() /> }.erase())
}

/// Where its counts come from.
fn source(source: &ExternalSource) -> AnyView {
    let mut markup = Markup::default();
    let counted_to = source.counted_to.map_or_else(|| "not counted yet".to_owned(), |at| sentence::instant(at, 0));
    markup.figure("Asked of", &source.told()).figure("Counted until", &counted_to);
    view! { <dl class="indicator" inner_html=markup.finish() /> }.erase()
}

/// How it stands, and why.
#[component]
fn Overview(page: Page) -> impl IntoView {
    let evaluation = &page.row.evaluation;
    let method = page.row.objective.budgeting_method;
    let open = page.incidents.iter().filter(|incident| incident.closed_at.is_none()).cloned().collect::<Vec<_>>();
    let now_open = (!open.is_empty()).then(|| {
        view! {
            <section aria-labelledby="open-incident">
                <h2 id="open-incident">"Open incident"</h2>
                <IncidentList incidents=open caption="The open incident of this objective" />
            </section>
        }
    });
    view! {
        <RangePicker />
        <Charts page=page.clone() />
        <Parts parts=evaluation.parts.clone() />
        <Groups slo=page.row.objective.name.clone() groups=page.groups.clone() />
        <section aria-labelledby="alerting">
            <h2 id="alerting">"Why it fires, or does not"</h2>
            {sentence::projection(&page.row.objective, evaluation).map(|words| view! { <p class="muted">{words}</p> })}
            <TierTable tiers=evaluation.tiers.clone() method=method />
        </section>
        {now_open}
        <Lints lints=evaluation.lints.clone() />
        <BadTraces page=page />
    }
    .erase()
}

#[component]
fn Charts(page: Page) -> impl IntoView {
    let charts = [(chart::budget(&page), "Error budget left"), (chart::burn_rate(&page), "Burn rate"), (chart::events(&page), "Events")];
    view! {
        <div class="charts">
            {charts
                .map(|(chart, title)| view! { <ChartView chart=chart.with_changes(&page.history) title=title /> })
                .collect_view()}
        </div>
    }
    .erase()
}

/// The newest traces with a bad event, and where the rest are.
#[component]
fn BadTraces(page: Page) -> impl IntoView {
    let service = page.row.objective.service.clone();
    let query = encode_query([("service", service.as_str()), ("status", "error")]);
    let list = if page.bad_traces.is_empty() {
        view! { <p class="muted">"No trace with a bad event is kept for this time."</p> }.erase()
    } else {
        view! { <TraceList traces=page.bad_traces caption="Newest traces with a bad event" /> }.erase()
    };
    view! {
        <section aria-labelledby="bad-traces">
            <h2 id="bad-traces">"Bad traces, newest first"</h2>
            {list}
            <p class="more"><a href=format!("/traces?{query}")>"All failed traces of " {service} <Icon name="arrow" /></a></p>
        </section>
    }
    .erase()
}

/// What its own numbers say against it.
#[component]
fn Lints(lints: Vec<Lint>) -> impl IntoView {
    let said = |Lint { reason, proposal, .. }: Lint| view! { <li>{reason}". "<span class="muted">{proposal}"."</span></li> };
    (!lints.is_empty()).then(|| {
        view! {
            <section aria-labelledby="lints">
                <h2 id="lints">"Worth a second look"</h2>
                <ul class="lints">{lints.into_iter().map(said).collect_view()}</ul>
            </section>
        }
        .erase()
    })
}

/// When it burned too fast before.
#[component]
fn Incidents(page: Page) -> impl IntoView {
    let list = if page.incidents.is_empty() {
        view! { <p class="muted">"None since it was applied."</p> }.erase()
    } else {
        view! { <IncidentList incidents=page.incidents caption="Incidents of this objective, those that began last first" /> }.erase()
    };
    view! {
        <section aria-labelledby="incidents">
            <h2 id="incidents">"Incidents"</h2>
            {list}
        </section>
    }
    .erase()
}

/// What counts, what is good, and the document it comes from.
#[component]
fn Definition(page: Page) -> impl IntoView {
    let mut indicator = Markup::default();
    if page.row.evaluation.parts.is_empty() {
        indicator.open("dl", &[("class", Some("indicator"))]).term("Counts", "code", &page.indicator.total);
        if let Some(slices) = sentence::slices(page.row.objective.budgeting_method) {
            indicator.term("Budget in", "span", &slices);
        }
        let part = if page.indicator.is_good { "Of these good" } else { "Of these bad" };
        indicator.term(part, "code", &page.indicator.part).close("dl");
    }
    let indicator = view! { <div class="what-counts" inner_html=indicator.finish()></div> };
    view! {
        <section aria-labelledby="definition">
            <h2 id="definition">"Definition"</h2>
            {indicator}
            {page.source.as_ref().map(source)}
            <h3>"OpenSLO document"</h3>
            <Snippet what="OpenSLO document" text=page.definition />
        </section>
    }
    .erase()
}
