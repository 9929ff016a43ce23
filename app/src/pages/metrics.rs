//! Metrics: which there are, found by words, and what one of them showed: its lines, the traces behind them, and the ways to ask
//! differently. The whole question is in the URL; forms are GET forms and everything else is a link, so it works by itself.

mod answer;
mod first;
mod form;
mod list;

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::metric::answer::{MetricsPage as Page, MetricsView};
use slowburn_domain::metric::told;
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::query::Bound;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::url::decode_query;

use crate::api::{Question, ask};
use crate::browser;
use crate::chart::provide_pointer;
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::pages::search_form::submitted;
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;
use crate::widgets::saved_views::saved_views;

const PATH: &str = "/metrics-explorer";
/// Time ranges offered as links: words and seconds back from now.
const PRESETS: [(&str, u64); 5] = [("15 min", 900), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400), ("7 d", 604_800)];
/// Without a range in the URL.
const DEFAULT_BACK: u64 = 3_600;

/// The page at `/metrics-explorer`.
#[component]
pub fn MetricsPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || Question::Metrics(search.get()));
    provide_pointer();
    view! {
        <div class="results" on:submit=submitted(PATH) on:click=move |event| browser::copy_clicked(&event)>
            <Loadable resource=page content=|view: MetricsView| view! { <Found view=view /> }.erase() />
        </div>
    }
}

#[component]
fn Found(view: MetricsView) -> impl IntoView {
    provide_now(view.page.now);
    let typed = decode_query(&raw_url().search.get_untracked());
    let MetricsView { page, otlp_http } = view;
    let title = page.query.name.clone().unwrap_or_else(|| "Metrics".to_owned());
    let mut head = Markup::default();
    if page.query.name.is_some() {
        let all = MetricQuery { from: page.query.from, to: page.query.to, ..MetricQuery::default() }.href();
        head.open("nav", &[("class", Some("breadcrumb")), ("aria-label", Some("Breadcrumb"))]);
        head.link(&all, false, "Metrics").text(" / ");
        head.open("span", &[("aria-current", Some("page"))]).text(&title).close("span").close("nav");
    }
    head.element("h1", "metric-name", &title);
    let description = page.answer.as_ref().map(|answer| answer.metric.description.as_str()).filter(|text| !text.is_empty());
    if let Some(description) = description {
        head.element("p", "muted", description);
    }
    let mut ask = Markup::default();
    form::write(&mut ask, &page, &typed);
    presets(&mut ask, &page.query);
    let notices = notices(&page);
    let views = saved_views(SearchPage::Metrics, &page.views, &raw_url().search.get_untracked());
    let body = match otlp_http {
        Some(endpoint) => first::markup(&endpoint),
        None if page.query.name.is_none() => list::markup(&page),
        None => String::new(),
    };
    let answer = page.answer.clone().map(|shown| answer::view(page.query.clone(), shown, page.now));
    let sentence = answer.is_none().then(|| {
        let text = if page.faults.is_empty() {
            told::of_list(&page)
        } else {
            "This question has no answer; what is wrong is said beside the field.".to_owned()
        };
        view! { <p class="lead" role="status">{text}</p> }
    });
    view! {
        <Title text=title />
        <div class="metric-head" inner_html=head.finish()></div>
        <div class="search-logs search-metrics" inner_html=ask.finish()></div>
        {views}
        {notices}
        {sentence}
        {answer}
        <div inner_html=body></div>
    }
    .erase()
}

/// Links that look back from now by a round time.
fn presets(markup: &mut Markup, query: &MetricQuery) {
    markup.open("nav", &[("class", Some("presets")), ("aria-label", Some("Time range"))]).element("span", "muted", "Last");
    for (label, seconds) in PRESETS {
        let is_current = query.to.is_none() && query.from.unwrap_or(Bound::Ago(DEFAULT_BACK)) == Bound::Ago(seconds);
        let from = (seconds != DEFAULT_BACK).then_some(Bound::Ago(seconds));
        let there = MetricQuery { from, to: None, step_seconds: None, ..query.clone() };
        markup.link(&there.href(), is_current, label);
    }
    markup.close("nav");
}

/// What no field shows: faults of parameters that have none, and metrics of which series were refused.
fn notices(page: &Page) -> Option<AnyView> {
    let fields = form::fields(page);
    let mut markup = Markup::default();
    for fault in page.faults.iter().filter(|fault| !fields.contains(&fault.field.as_str())) {
        markup.element("p", "", &format!("{}: {}", fault.field, fault.reason));
    }
    let about = |metric: &str| page.query.name.as_deref().is_none_or(|name| name == metric);
    for (service, metric, points) in page.overflows.iter().filter(|(_, metric, _)| about(metric)) {
        markup.element("p", "", &told::refused(service, metric, *points));
    }
    let markup = markup.finish();
    (!markup.is_empty()).then(|| view! { <div class="notice" role="status" inner_html=markup></div> }.erase())
}
