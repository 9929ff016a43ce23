//! The trace beside another one: which one is a field and a list of traces with the same root; then a sentence that says where
//! the difference lies, and every path of both. The page's trace is A.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use slowburn_domain::comparison::Comparison;
use slowburn_domain::id::TraceId;
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::sentence::ago;
use slowburn_domain::story::plural;
use slowburn_domain::time::Timestamp;
use slowburn_domain::timeline::service_colours;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::trace_view::{TraceView, View};
use slowburn_domain::url::trace_path;
use slowburn_domain::view::OtherTrace;

use super::Shown;
use crate::widgets::comparison::comparison_table;
use crate::widgets::markup::Markup;

/// What the comparison is made of besides the trace.
pub struct Beside {
    /// When the page was read.
    pub now: Timestamp,
    /// The page's trace.
    pub summary: TraceSummary,
    /// Others with the same root.
    pub alike: Vec<TraceSummary>,
    /// The one it is compared with.
    pub other: Option<OtherTrace>,
}

/// The choice, and the comparison once there is one.
#[component]
pub fn Compare(shown: Shown, beside: StoredValue<Beside>) -> impl IntoView {
    let asked = shown.view.with_untracked(|view| view.compare.clone());
    let choice = beside.with_value(|beside| choice(shown, beside, asked.as_deref()));
    let compared = beside.with_value(|beside| beside.other.as_ref().map(|other| compared(shown, beside, other)));
    view! {
        <section class="compare-choice" aria-label="Trace to compare with" inner_html=choice></section>
        {compared.map(|compared| view! { <section aria-label="Comparison" inner_html=compared></section> })}
    }
}

/// The form, and what it may be filled with. It is an ordinary GET form.
fn choice(shown: Shown, beside: &Beside, asked: Option<&str>) -> String {
    let Beside { now, summary, alike, other } = beside;
    let fault = asked.filter(|_| other.is_none()).map(|asked| fault(asked, summary));
    let described = fault.map(|_| "fault-compare");
    let mut markup = Markup::default();
    let form = [("class", Some("filters compare-form")), ("method", Some("get")), ("action", Some(&*trace_path(shown.trace)))];
    markup.open("form", &form).open("div", &[("class", Some("field wide"))]);
    markup.open("label", &[("for", Some("field-compare"))]).text("Compare with trace ID").close("label");
    let field = [
        ("id", Some("field-compare")),
        ("name", Some("compare")),
        ("type", Some("text")),
        ("class", Some("mono")),
        ("autocomplete", Some("off")),
        ("spellcheck", Some("false")),
        ("placeholder", Some("32 hex digits")),
        ("value", asked),
        ("aria-invalid", described.map(|_| "true")),
        ("aria-describedby", described),
    ];
    markup.open("input", &field);
    if let Some(fault) = fault {
        markup.open("p", &[("class", Some("fault")), ("id", described)]).text(fault).close("p");
    }
    markup.close("div").open("div", &[("class", Some("filters-go"))]);
    markup.open("button", &[("type", Some("submit")), ("class", Some("button primary"))]).text("Compare").close("button");
    markup.close("div").close("form");
    if other.is_some() {
        let href = TraceView::default().switched_to(View::Compare).href(shown.trace);
        markup.open("p", &[]).link(&href, false, "Choose another trace").close("p");
    } else if alike.is_empty() {
        markup.element("p", "muted", "No other trace with the same root was found; its ID can be given above.");
    } else {
        markup.element("h2", "", &format!("Newest other traces of {} {}", summary.root.service, summary.root.operation));
        markup.open("ul", &[("class", Some("alike"))]);
        alike.iter().for_each(|other| offered(&mut markup, shown, *now, summary, other));
        markup.close("ul");
    }
    markup.finish()
}

fn fault(asked: &str, summary: &TraceSummary) -> &'static str {
    match asked.parse::<TraceId>() {
        Ok(id) if id == summary.trace_id => "This is the same trace.",
        Ok(_) => "There is no such trace, or it is older than the retention.",
        Err(_) => "A trace ID has 32 hex digits.",
    }
}

/// A trace with the same root.
fn offered(markup: &mut Markup, shown: Shown, now: Timestamp, summary: &TraceSummary, other: &TraceSummary) {
    let href = TraceView { compare: Some(other.trace_id.to_string()), ..TraceView::default() }.href(shown.trace);
    let word = if other.duration_ms > summary.duration_ms { "longer" } else { "shorter" };
    let difference = length((other.duration_ms - summary.duration_ms).abs());
    let rest = format!("{difference} {word}, {}, {}", plural(u64::from(other.spans), "span"), ago(now, other.start));
    markup.open("li", &[]).link(&href, false, &length(other.duration_ms)).text(" ").element("span", "muted", &rest);
    if other.errors > 0 {
        markup.text(" ").errors(&format!("{} failed", grouped(u64::from(other.errors))), true);
    }
    markup.close("li");
}

/// The comparison itself.
fn compared(shown: Shown, beside: &Beside, other: &OtherTrace) -> String {
    let (a, b) = (&beside.summary, &other.summary);
    let comparison = shown.outline.with_value(|own| Comparison::of(own, &other.outline));
    let names: BTreeSet<&String> = a.services.iter().chain(&b.services).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let colours: HashMap<String, u8> = names.iter().cloned().zip(service_colours(&names)).collect();
    let mut markup = Markup::default();
    markup.open("p", &[("class", Some("lead answer")), ("role", Some("status"))]).text(&comparison.sentence()).close("p");
    markup.open("dl", &[("class", Some("meta compared-traces"))]);
    for (letter, trace) in [("A", a), ("B", b)] {
        let rest = format!(
            ", {}, {}, {} failed, {}",
            length(trace.duration_ms),
            plural(u64::from(trace.spans), "span"),
            grouped(u64::from(trace.errors)),
            ago(beside.now, trace.start)
        );
        let name = format!("{} {}", trace.root.service, trace.root.operation);
        markup.open("div", &[]).element("dt", "", letter).open("dd", &[]);
        markup.link(&trace_path(trace.trace_id), false, &name).text(&rest).close("dd").close("div");
    }
    markup.close("dl");
    comparison_table(&mut markup, &comparison, &|service| colours.get(service).copied().unwrap_or_default());
    markup.finish()
}

fn length(duration_ms: f64) -> String {
    duration_nanos((duration_ms * 1e6).round() as i64)
}
