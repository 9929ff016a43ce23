//! Logs: what services said, found by words, severity, service, IDs or a condition. The whole search is in the URL; the form is
//! a GET form, so it works by itself.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use slowburn_domain::log::{LEVELS, Severity};
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::query::Bound;
use slowburn_domain::sentence;
use slowburn_domain::story;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::url::{decode_query, encode_query};
use slowburn_domain::view::{self, LogBar};

use crate::api::{Question, ask};
use crate::browser;
use crate::clock::{provide_now, use_watch};
use crate::erase::Erase;
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::LogList;
use crate::widgets::markup::Markup;

/// Time ranges offered as links: words and seconds back from now.
const PRESETS: [(&str, u64); 5] = [("15 min", 900), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400), ("7 d", 604_800)];
/// What a filter looks like.
const FILTER_EXAMPLE: &str = r#"attributes["http.route"] == "/pay" && severity != "debug""#;
/// The fields of the form: parameter, label, placeholder, and how wide it is.
const FIELDS: [(&str, &str, &str, &str); 6] = [
    ("q", "Words", "declined \"card number\" -retry", "field wide"),
    ("correlation_id", "Correlation ID", "order-4711", "field"),
    ("filter", "Filter (CEL)", FILTER_EXAMPLE, "field wide"),
    ("trace_id", "Trace ID", "", "field"),
    ("from", "From", "-1h", "field"),
    ("to", "To", "now", "field"),
];

/// After so many fields one chooses service and severity.
const CHOICES_AFTER: usize = 1;

/// The page at `/logs`.
#[component]
pub fn LogsPage() -> impl IntoView {
    let search = raw_url().search;
    let found = ask(move || Question::Logs(search.get()));
    let navigate = use_navigate();
    let submit = move |event: leptos::ev::SubmitEvent| {
        if let Some(raw) = browser::form_query(&event) {
            event.prevent_default();
            let pairs = decode_query(&raw);
            let given = pairs.iter().map(|(name, value)| (name.as_str(), value.trim())).filter(|(_, value)| !value.is_empty());
            let query = encode_query(given);
            let href = if query.is_empty() { "/logs".to_owned() } else { format!("/logs?{query}") };
            navigate(&href, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    };
    view! {
        <Title text="Logs" />
        <h1>"Logs"</h1>
        <div class="results" on:submit=submit>
            <Loadable resource=found content=|page: view::LogsPage| view! { <Found page=page /> }.erase() />
        </div>
    }
}

#[component]
fn Found(page: view::LogsPage) -> impl IntoView {
    provide_now(page.now);
    let query = page.query.clone();
    let next = page.next.as_ref().map(LogQuery::href);
    let head = format!("{}{}", form(&page), presets(&query));
    let sentence = if page.items.is_empty() { nothing(&page) } else { story::of_logs(&page) };
    let bars = (!page.histogram.is_empty()).then(|| view! { <Histogram bars=page.histogram step_seconds=page.histogram_step_seconds /> });
    let is_cut = page.searched_to.is_some();
    let is_later = query.cursor.is_some();
    let newest = LogQuery { cursor: None, ..query }.href();
    let list = (!page.items.is_empty()).then(|| view! { <LogList logs=page.items caption="Log lines found, newest first" /> });
    view! {
        <div class="search-logs" inner_html=head></div>
        <p class="lead" role="status">{sentence}</p>
        {bars}
        {list}
        <nav class="pager" aria-label="Result pages">
            {is_later.then(|| view! { <a href=newest>"Newest"</a> })}
            {next.map(|href| {
                let words = if is_cut { "Search further back" } else { "Older log lines" };
                view! { <a class="button" rel="next" href=href>{words}</a> }
            })}
        </nav>
    }
    .erase()
}

/// Why there is nothing, and what to do about it.
fn nothing(page: &view::LogsPage) -> String {
    let is_search = !LogQuery { limit: None, ..page.query.clone() }.pairs().is_empty();
    match (page.faults.is_empty(), is_search) {
        (false, _) => "This search is not understood; what is wrong is said beside the field.",
        (true, true) if page.searched_to.is_some() => "Nothing found yet; the search can go further back.",
        (true, true) => "No log line matches. All conditions must hold.",
        (true, false) => "No log line yet. Send OTLP to /v1/logs, or ECS JSON lines to /api/v1/logs, and they appear here within a second.",
    }
    .to_owned()
}

fn form(page: &view::LogsPage) -> String {
    let pairs = page.query.pairs();
    let value_of = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let mut markup = Markup::default();
    let form = [
        ("class", Some("filters")),
        ("method", Some("get")),
        ("action", Some("/logs")),
        ("role", Some("search")),
        ("aria-label", Some("Log lines")),
    ];
    markup.open("form", &form);
    let (before, after) = FIELDS.split_at(CHOICES_AFTER);
    markup.search_fields(before, value_of, &page.faults);
    choices(&mut markup, page);
    markup.search_fields(after, value_of, &page.faults);
    for name in ["project_id", "execution_id", "limit"] {
        if let Some(value) = value_of(name) {
            markup.hidden(name, value);
        }
    }
    markup.search_button().close("form");
    markup.finish()
}

/// The fields to choose from. What the URL asks for is among them even when there is no such thing.
fn choices(markup: &mut Markup, page: &view::LogsPage) {
    let same = |text: &String| (text.clone(), text.clone());
    let mut services: Vec<(String, String)> = page.services.iter().map(same).collect();
    if let Some(asked) = page.query.service.as_ref().filter(|asked| !page.services.contains(asked)) {
        services.push(same(asked));
    }
    let levels: Vec<(String, String)> = LEVELS.iter().skip(1).map(|level| ((*level).to_owned(), format!("{level} or worse"))).collect();
    markup.select("service", "Service", Some("Any"), &services, page.query.service.as_deref());
    markup.select("severity", "Severity", Some("Any"), &levels, page.query.severity.map(Severity::as_str));
}

/// Links that look back from now by a round time, and one without any range.
fn presets(query: &LogQuery) -> String {
    let mut markup = Markup::default();
    markup.open("nav", &[("class", Some("presets")), ("aria-label", Some("Time range"))]).element("span", "muted", "Last");
    let known = PRESETS.iter().map(|(label, seconds)| (*label, Some(Bound::Ago(*seconds))));
    for (label, from) in known.chain([("any time", None)]) {
        let is_current = query.from == from && query.to.is_none();
        markup.link(&LogQuery { from, to: None, cursor: None, ..query.clone() }.href(), is_current, label);
    }
    markup.close("nav");
    markup.finish()
}

/// How many of the lines shown came when, by severity, the worst at the foot.
#[component]
fn Histogram(bars: Vec<LogBar>, step_seconds: f64) -> impl IntoView {
    let watch = use_watch();
    let (Some(first), Some(last)) = (bars.first().map(|bar| bar.start), bars.last().map(|bar| bar.start)) else { return ().erase() };
    let end = last.plus_nanos((step_seconds * 1e9) as i64);
    let highest = bars.iter().map(|bar| bar.counts.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let mut markup = Markup::default();
    let share = |part: f64| svg_percent(part);
    for (index, bar) in bars.iter().enumerate() {
        let x = share((index as f64 + 0.08) / bars.len() as f64);
        let width = share(0.84 / bars.len() as f64);
        let mut foot = 1.0;
        for (level, count) in bar.counts.iter().enumerate().rev().filter(|(_, count)| **count > 0) {
            let height = *count as f64 / highest;
            foot -= height;
            markup.rect(&format!("log-bar is-{}", LEVELS[level]), &x, &width, &share(foot), &share(height));
        }
    }
    let time = move |at| move || sentence::instant(at, watch.offset(at));
    view! {
        <figure class="histogram" aria-label="Log lines of this page over time">
            <div class="histogram-plot"><svg aria-hidden="true" inner_html=markup.finish()></svg></div>
            <figcaption><span>{time(first)}</span><span class="muted">"The lines below, errors at the foot"</span><span>{time(end)}</span></figcaption>
        </figure>
    }
    .erase()
}
