//! The form by which a metric is found or asked. What was typed stays, also where it was not understood.

use slowburn_domain::metric::aggregate::Aggregate;
use slowburn_domain::metric::answer::MetricsPage;
use slowburn_domain::metric::told;
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::query::FieldFault;

use super::PATH;
use crate::widgets::markup::Markup;

/// Fields as [`Markup::search_fields`] takes them.
type Fields = [(&'static str, &'static str, &'static str, &'static str)];

const WORDS: &Fields = &[("q", "Words of name, unit or description", "duration http", "field wide")];
const RANGE: &Fields = &[("from", "From", "-1h", "field"), ("to", "To", "now", "field")];
const STEP: &Fields = &[("step", "Step", "as it fits", "field")];
const FILTER: &Fields = &[("filter", "Filter (CEL)", r#"attributes["http.route"] == "/pay""#, "field wide")];
/// What is offered while the metric's kind is not known.
const AGGREGATES: [&str; 10] = ["rate", "increase", "avg", "sum", "min", "max", "p50", "p90", "p95", "p99"];
/// Keys offered at once; the others unfold.
const MOST_KEYS: usize = 8;

/// The parameters that have a field, at which their faults are told.
pub(super) const fn fields(page: &MetricsPage) -> &'static [&'static str] {
    if page.query.name.is_some() { &["name", "aggregate", "service", "filter", "from", "to", "step"] } else { &["q", "from", "to"] }
}

/// Writes the form, and what lines can be grouped by. `typed` are the pairs of the URL.
pub(super) fn write(markup: &mut Markup, page: &MetricsPage, typed: &[(String, String)]) {
    let value_of = |name: &str| typed.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let is_question = page.query.name.is_some();
    let form = [
        ("class", Some("filters")),
        ("method", Some("get")),
        ("action", Some(PATH)),
        ("role", Some("search")),
        ("aria-label", Some(if is_question { "Question to the metric" } else { "Metrics" })),
    ];
    markup.open("form", &form);
    if is_question {
        name(markup, page, value_of("name"));
        aggregates(markup, page, value_of("aggregate"));
        let mut services: Vec<(String, String)> = page.services.iter().map(|name| (name.clone(), name.clone())).collect();
        if let Some(asked) = page.query.service.as_ref().filter(|asked| !page.services.contains(asked)) {
            services.push((asked.clone(), asked.clone()));
        }
        markup.select("service", "Service", Some("Any"), &services, page.query.service.as_deref());
        markup.search_fields("metrics", STEP, value_of, &page.faults);
        markup.search_fields("metrics", FILTER, value_of, &page.faults);
        if !page.query.group_by.is_empty() {
            markup.hidden("group_by", &page.query.group_by.join(","));
        }
    } else {
        markup.search_fields("metrics", WORDS, value_of, &page.faults);
    }
    markup.search_fields("metrics", RANGE, value_of, &page.faults);
    markup.search_button().close("form");
    if is_question {
        keys(markup, page);
    }
}

/// The metric's name, with those that there are.
fn name(markup: &mut Markup, page: &MetricsPage, typed: Option<&str>) {
    let fault = fault_of(page, "name");
    markup.open("div", &[("class", Some("field wide"))]).open("label", &[("for", Some("ask-name"))]).text("Metric").close("label");
    let field = [
        ("id", Some("ask-name")),
        ("name", Some("name")),
        ("type", Some("text")),
        ("value", Some(typed.unwrap_or_default())),
        ("list", Some("known-names")),
        ("autocomplete", Some("off")),
        ("spellcheck", Some("false")),
        ("aria-invalid", fault.map(|_| "true")),
    ];
    markup.open("input", &field).open("datalist", &[("id", Some("known-names"))]);
    for listed in &page.metrics {
        markup.open("option", &[("value", Some(&listed.metric.name))]).close("option");
    }
    markup.close("datalist");
    say(markup, fault);
    markup.close("div");
}

/// What the metric can be asked for.
fn aggregates(markup: &mut Markup, page: &MetricsPage, typed: Option<&str>) {
    let fault = fault_of(page, "aggregate");
    let mut words: Vec<&str> = page.choices.iter().map(String::as_str).collect();
    if words.is_empty() {
        words.extend(AGGREGATES);
    }
    let shown = page.answer.as_ref().map(|answer| answer.aggregate.as_str());
    let chosen = typed.filter(|typed| !typed.is_empty()).or(shown);
    if let Some(chosen) = chosen.filter(|chosen| !words.contains(chosen)) {
        words.push(chosen);
    }
    markup.open("div", &[("class", Some("field"))]).open("label", &[("for", Some("ask-aggregate"))]).text("Show").close("label");
    let field = [("id", Some("ask-aggregate")), ("name", Some("aggregate")), ("aria-invalid", fault.map(|_| "true"))];
    markup.open("select", &field);
    if chosen.is_none() {
        markup.open("option", &[("value", Some(""))]).text("what fits it").close("option");
    }
    for word in words {
        let selected = (chosen == Some(word)).then_some("");
        let said = word.parse::<Aggregate>().map_or_else(|()| word.to_owned(), told::aggregate);
        markup.open("option", &[("value", Some(word)), ("selected", selected)]).text(&said).close("option");
    }
    markup.close("select");
    say(markup, fault);
    markup.close("div");
}

/// Links that add a key to those that lines are grouped by, or take it away.
fn keys(markup: &mut Markup, page: &MetricsPage) {
    let chosen = &page.query.group_by;
    let known = page.answer.as_ref().map_or(&[][..], |answer| answer.keys.as_slice());
    let is_first = |(index, (key, values)): &(usize, &(String, usize))| chosen.contains(key) || (*values > 1 && *index < MOST_KEYS);
    let (mut first, rest): (Vec<_>, Vec<_>) = known.iter().enumerate().partition(is_first);
    let unknown: Vec<(String, usize)> =
        chosen.iter().filter(|key| known.iter().all(|(name, _)| name != *key)).map(|key| (key.clone(), 0)).collect();
    first.extend(unknown.iter().enumerate());
    if first.is_empty() && rest.is_empty() {
        return;
    }
    markup.open("nav", &[("class", Some("presets keys")), ("aria-label", Some("Group by"))]).element("span", "muted", "Group by");
    for (_, (key, values)) in first {
        toggle(markup, &page.query, key, *values);
    }
    if !rest.is_empty() {
        markup.open("details", &[]).element("summary", "", &format!("{} more", rest.len()));
        for (_, (key, values)) in rest {
            toggle(markup, &page.query, key, *values);
        }
        markup.close("details");
    }
    markup.close("nav");
}

fn toggle(markup: &mut Markup, query: &MetricQuery, key: &str, values: usize) {
    let is_chosen = query.group_by.iter().any(|own| own == key);
    let mut group_by = query.group_by.clone();
    if is_chosen {
        group_by.retain(|own| own != key);
    } else {
        group_by.push(key.to_owned());
    }
    let href = MetricQuery { group_by, ..query.clone() }.href();
    let title = if is_chosen { format!("Do not group by {key}") } else { format!("Group by {key}, which has {values} values") };
    let link = [("href", Some(&*href)), ("aria-current", is_chosen.then_some("true")), ("title", Some(&*title))];
    markup.open("a", &link).text(key);
    if values > 0 {
        markup.text(" ").element("small", "", &values.to_string());
    }
    markup.close("a");
}

fn fault_of<'p>(page: &'p MetricsPage, field: &str) -> Option<&'p FieldFault> {
    page.faults.iter().find(|fault| fault.field == field)
}

fn say(markup: &mut Markup, fault: Option<&FieldFault>) {
    if let Some(fault) = fault {
        markup.element("p", "fault", &fault.reason);
    }
}
