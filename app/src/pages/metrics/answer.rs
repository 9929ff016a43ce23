//! What a metric showed: a sentence, the chart, its lines in figures, and the traces behind it.

use leptos::prelude::*;
use slowburn_domain::chart::{self, Chart, Role};
use slowburn_domain::metric::aggregate::Aggregate;
use slowburn_domain::metric::answer::{ExemplarDot, MetricAnswer};
use slowburn_domain::metric::measure::Measure;
use slowburn_domain::metric::told::{self, LineFigures};
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::sentence;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::trace_path;

use crate::chart::{ChartView, share};
use crate::clock::use_watch;
use crate::erase::Erase;
use crate::widgets::copy::shorten;
use crate::widgets::markup::Markup;

/// Traces listed below the chart.
const MOST_TRACES: usize = 12;

/// The answer to a question, as of `now`.
pub(super) fn view(query: MetricQuery, answer: MetricAnswer, now: Timestamp) -> AnyView {
    let watch = use_watch();
    let answer = answer.without_unfinished(now);
    let measure = chart::measure(&answer);
    let title = answer.aggregate.parse().map_or_else(|()| answer.aggregate.clone(), |aggregate| told::capital(&told::aggregate(aggregate)));
    let drawn = (!answer.lines.is_empty()).then(|| {
        let chart = chart::lines(&answer);
        let links = dots(&chart);
        view! { <ChartView chart=chart title=title links=links /> }
    });
    let table = table(&answer, &measure);
    let traces = traces(&answer);
    let sentence = move || told::of_answer(&query, &answer, watch.offset(answer.from));
    view! {
        <p class="lead" role="status">{sentence}</p>
        <div class="metric-chart">{drawn}</div>
        <div inner_html=table></div>
        {traces}
    }
    .erase()
}

/// Single observations as links for the pointer; they are listed below as well.
fn dots(chart: &Chart) -> String {
    let mut markup = Markup::default();
    for dot in &chart.dots {
        let (x, y) = dot.at;
        markup.open("a", &[("href", Some(&dot.href)), ("tabindex", Some("-1"))]).element("title", "", &dot.label);
        markup.circle(if dot.is_beyond { "is-beyond" } else { "" }, &share(x), &share(1.0 - y)).close("a");
    }
    markup.finish()
}

/// The lines in figures, which are the chart's legend, and what is not among them.
fn table(answer: &MetricAnswer, measure: &Measure) -> String {
    let mut markup = Markup::default();
    if !answer.lines.is_empty() {
        let by = answer.lines.first().map(|line| line.labels.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(" · "));
        let by = by.filter(|by| !by.is_empty()).unwrap_or_else(|| "Line".to_owned());
        markup.open("table", &[("class", Some("rows part-table metric-lines"))]);
        markup.element("caption", "visually-hidden", "The lines of the chart, the largest first").open("thead", &[]).open("tr", &[]);
        markup.open("th", &[("scope", Some("col"))]).text(&by).close("th");
        for name in ["Last", "Mean", "Max"] {
            markup.open("th", &[("scope", Some("col")), ("class", Some("number"))]).text(name).close("th");
        }
        markup.close("tr").close("thead").open("tbody", &[]);
    }
    for (index, line) in answer.lines.iter().enumerate() {
        let title = line.title();
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).open("span", &[("class", Some("metric-line"))]);
        markup.swatch(Role::series(index)).element("span", "", if title.is_empty() { "all series" } else { &title });
        markup.close("span").close("th");
        if let Some(LineFigures { last, mean, max }) = LineFigures::of(line) {
            for (label, value) in [("Last", last), ("Mean", mean), ("Max", max)] {
                markup.number(label, &measure.say(value));
            }
        }
        markup.close("tr");
    }
    if !answer.lines.is_empty() {
        markup.close("tbody").close("table");
    }
    for words in told::left_out(answer) {
        markup.element("p", "muted", &words);
    }
    markup.finish()
}

/// The greatest observations with a trace, as links; the same as the dots on the chart.
fn traces(answer: &MetricAnswer) -> Option<AnyView> {
    let watch = use_watch();
    let mut greatest: Vec<ExemplarDot> = answer.exemplars.clone();
    greatest.sort_by(|a, b| b.value.total_cmp(&a.value));
    let is_cut = greatest.len() > MOST_TRACES;
    greatest.truncate(MOST_TRACES);
    // An observation has the metric's own unit, whatever the chart shows of it.
    let observed = Measure::new(&answer.metric, Aggregate::Maximum, 0.0);
    let items = move || {
        let mut markup = Markup::default();
        for ExemplarDot { time, value, trace_id } in &greatest {
            let id = trace_id.to_string();
            markup.open("li", &[]).open("a", &[("href", Some(&trace_path(*trace_id))), ("data-row", Some(""))]);
            markup.element("b", "", &observed.say(*value)).text(" ").element("code", "", &shorten(&id)).close("a");
            markup.text(" ").element("span", "muted", &sentence::moment(*time, watch.offset(*time))).close("li");
        }
        markup.finish()
    };
    (!answer.exemplars.is_empty()).then(|| {
        view! {
            <section aria-labelledby="exemplars">
                <h2 id="exemplars">"Traces behind it, the greatest values first"</h2>
                <ol class="exemplars" inner_html=items></ol>
                {is_cut.then(|| view! { <p class="muted">"Of each step the greatest is known; these are the greatest of all."</p> })}
            </section>
        }
        .erase()
    })
}
