//! Logs: what services said, found by words, severity, service, IDs or a condition. The whole search is in the URL; the form is
//! a GET form, so it works by itself.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::log::{LEVELS, Severity};
use slowburn_domain::log_query::{LogQuery, MOST_COLUMNS};
use slowburn_domain::query::Bound;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::sentence;
use slowburn_domain::story;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::url::decode_query;
use slowburn_domain::view::{self, LogBar};

use crate::api::{Question, ask};
use crate::browser;
use crate::clock::{provide_now, use_watch};
use crate::erase::Erase;
use crate::pages::search_form::submitted;
use crate::pages::tail::{Shown, Tail};
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::log_list::{Cells, LogList};
use crate::widgets::markup::Markup;
use crate::widgets::saved_views::saved_views;

/// Time ranges offered as links: words and seconds back from now.
const PRESETS: [(&str, u64); 5] = [("15 min", 900), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400), ("7 d", 604_800)];
/// What a filter looks like.
const FILTER_EXAMPLE: &str = r#"attributes["http.route"] == "/pay" && severity != "debug""#;
/// Attributes offered as columns.
const OFFERED_COLUMNS: usize = 40;
/// The fields of the form: parameter, label, placeholder, and how wide it is.
const FIELDS: [(&str, &str, &str, &str); 6] = [
    ("q", "Words", "declined \"card number\" -retry", "field wide"),
    ("correlation_id", "Correlation ID", "order-4711", "field"),
    ("filter", "Filter (CEL)", FILTER_EXAMPLE, "field wide"),
    ("trace_id", "Trace ID", "", "field"),
    ("from", "From", "-1h", "field"),
    ("to", "To", "now", "field"),
];

const FIRST_LINE: &str = r#"curl $SLOWBURN/api/v1/logs -H 'content-type: application/x-ndjson' -d \
  '{"@timestamp": "'$(date -u +%FT%TZ)'", "log.level": "warn", "message": "card declined", "service.name": "checkout", "correlation_id": "order-4711"}'"#;

/// After so many fields one chooses service and severity.
const CHOICES_AFTER: usize = 1;

/// The page at `/logs`.
#[component]
pub fn LogsPage() -> impl IntoView {
    let search = raw_url().search;
    let found = ask(move || Question::Logs(search.get()));
    Tail::<view::LogsPage>::follow(search);
    view! {
        <Title text="Logs" />
        <h1>"Logs"</h1>
        <div class="results" on:submit=submitted("/logs")>
            <Loadable resource=found content=|page: view::LogsPage| view! { <Found page=page /> }.erase() />
        </div>
    }
}

#[component]
fn Found(page: view::LogsPage) -> impl IntoView {
    provide_now(page.now);
    let head = format!("{}{}", form(&page), presets(&page.query));
    let views = saved_views(SearchPage::Logs, &page.views, &raw_url().search.get_untracked());
    let tail: Tail<view::LogsPage> = expect_context();
    let shown = tail.begin(page);
    view! {
        <div class="search-logs" inner_html=head></div>
        {views}
        {tail.bar()}
        {tail.frame((move || results(shown.get())).erase())}
    }
    .erase()
}

/// What was found, or found since.
fn results(shown: Shown<view::LogsPage>) -> AnyView {
    let Shown { page, arrived, is_odd } = shown;
    let page = Arc::unwrap_or_clone(page);
    let next = page.next.as_ref().map(LogQuery::href);
    let sentence = if page.items.is_empty() { nothing(&page) } else { story::of_logs(&page) };
    let (first, columns, chosen) = (first(&page), columns(&page), page.query.columns.clone());
    let bars = (!page.histogram.is_empty()).then(|| view! { <Histogram bars=page.histogram step_seconds=page.histogram_step_seconds /> });
    let is_cut = page.searched_to.is_some();
    let is_later = page.query.cursor.is_some();
    let newest = LogQuery { cursor: None, ..page.query }.href();
    let list = (!page.items.is_empty()).then(|| {
        let (logs, caption, arrived) = (page.items, "Log lines found, newest first", (arrived, is_odd));
        if chosen.is_empty() {
            view! { <LogList logs=logs caption=caption arrived=arrived /> }.erase()
        } else {
            view! { <LogList logs=logs caption=caption arrived=arrived cells=cells(chosen) /> }.erase()
        }
    });
    view! {
        <p class="lead" role="status">{sentence}</p>
        {bars}
        <div inner_html=columns></div>
        {list}
        {(!first.is_empty()).then(|| view! { <div on:click=move |event| browser::copy_clicked(&event) inner_html=first></div> })}
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

/// Links that put an attribute of the lines beside their bodies, or take it away; and the names of those that stand there.
fn columns(page: &view::LogsPage) -> String {
    let chosen = &page.query.columns;
    let mut known: Vec<(&str, usize)> = Vec::new();
    for (name, _) in page.items.iter().flat_map(|log| &log.more) {
        match known.iter_mut().find(|(other, _)| other == name) {
            Some((_, lines)) => *lines += 1,
            None => known.push((name, 1)),
        }
    }
    known.retain(|(name, _)| !chosen.iter().any(|column| column == name));
    known.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    if chosen.is_empty() && known.is_empty() {
        return String::new();
    }
    let mut markup = Markup::default();
    let link = |markup: &mut Markup, name: &str, is_chosen| {
        markup.link(&page.query.with_column(name).href(), is_chosen, name);
    };
    markup.open("nav", &[("class", Some("presets keys")), ("aria-label", Some("Columns"))]).element("span", "muted", "Columns");
    chosen.iter().for_each(|name| link(&mut markup, name, true));
    if chosen.len() < MOST_COLUMNS && !known.is_empty() {
        markup.open("details", &[]).element("summary", "", if chosen.is_empty() { "choose" } else { "more" });
        known.iter().take(OFFERED_COLUMNS).for_each(|(name, _)| link(&mut markup, name, false));
        markup.close("details");
    }
    markup.close("nav");
    if !chosen.is_empty() && !page.items.is_empty() {
        markup.open("div", &[("class", Some("log-head")), ("aria-hidden", Some("true"))]).open("span", &[("class", Some("log-columns"))]);
        for name in chosen {
            markup.element("span", "", name);
        }
        markup.close("span").close("div");
    }
    markup.finish()
}

/// What stands beside the body of a line.
fn cells(columns: Vec<String>) -> Cells {
    Box::new(move |markup, log| {
        markup.open("span", &[("class", Some("log-columns"))]);
        for name in &columns {
            let value = log.more.iter().find(|(own, _)| own == name).map_or("–", |(_, value)| value);
            markup.open("span", &[("data-label", Some(name)), ("title", Some(value))]).text(value).close("span");
        }
        markup.close("span");
    })
}

/// How to send the first line; empty where lines were searched for.
fn first(page: &view::LogsPage) -> String {
    if !page.items.is_empty() || !page.faults.is_empty() || page.query.is_search() {
        return String::new();
    }
    let mut markup = Markup::default();
    markup.open("section", &[("class", Some("empty"))]).element("h2", "", "To send one");
    markup.snippet(FIRST_LINE, "Command that sends a log line");
    let how = "$SLOWBURN is the address of this server. OTLP goes to /v1/logs of the OTLP port, as any OpenTelemetry SDK sends it.";
    markup.element("p", "muted", how).close("section");
    markup.finish()
}

/// Why there is nothing, and what to do about it.
fn nothing(page: &view::LogsPage) -> String {
    match (page.faults.is_empty(), page.query.is_search()) {
        (false, _) => "This search is not understood; what is wrong is said beside the field.",
        (true, true) if page.searched_to.is_some() => "Nothing found yet; the search can go further back.",
        (true, true) => "No log line matches. All conditions must hold.",
        (true, false) => "No log line yet. What is sent appears here within a second.",
    }
    .to_owned()
}

fn form(page: &view::LogsPage) -> String {
    // What was typed stays, also where it was not understood.
    let typed = decode_query(&raw_url().search.get_untracked());
    let value_of = |name: &str| typed.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
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
    markup.search_fields("logs", before, value_of, &page.faults);
    choices(&mut markup, page);
    markup.search_fields("logs", after, value_of, &page.faults);
    for name in ["project_id", "execution_id", "limit", "live", "columns"] {
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
