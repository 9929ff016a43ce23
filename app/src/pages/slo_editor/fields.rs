//! The fields of the editor. What does not belong to a choice is hidden by the style sheet, so that it is also hidden without
//! WebAssembly; what is hidden is sent and not looked at.

use leptos::prelude::*;
use slowburn_domain::slo_form::WINDOWS;

use super::Editor;
use crate::erase::Erase;
use crate::widgets::markup::Markup;

const KINDS: [(&str, &str); 6] = [
    ("server", "Requests it answers (server)"),
    ("client", "Calls it makes (client)"),
    ("consumer", "Messages it takes (consumer)"),
    ("producer", "Messages it sends (producer)"),
    ("internal", "Work inside (internal)"),
    ("any", "Every span"),
];
const SIGNALS: [(&str, &str); 5] = [
    ("spans", "Spans: requests, calls, work"),
    ("logs", "Log lines"),
    ("metrics", "What a metric shows"),
    ("events", "Events"),
    ("heartbeats", "Heartbeats of an agent"),
];
/// Values of a choice with their words.
type Options = &'static [(&'static str, &'static str)];

const OWN: (&str, &str) = ("own", "A condition of my own says what is good");
const BAD: (&str, &str) = ("bad", "A condition of my own says what is bad");
/// What is good, by signal: class, field, choices.
const GOOD: [(&str, &str, Options); 5] = [
    (
        "of-spans",
        "good",
        &[
            ("no_error", "It ends without an error"),
            ("faster", "It is fast enough"),
            ("both", "It is fast enough and ends without an error"),
            OWN,
            BAD,
        ],
    ),
    ("of-logs", "good_logs", &[("not_severe", "Its severity is neither error nor fatal"), OWN, BAD]),
    ("of-metrics", "good_metrics", &[("at_most", "Its value is at most"), ("at_least", "Its value is at least"), OWN, BAD]),
    ("of-events", "good_events", &[OWN, BAD]),
    ("of-heartbeats", "good_heartbeats", &[("in_time", "It comes in time"), OWN, BAD]),
];
const COUNTED: &str = "Of a counter each that it rose by counts, of a histogram each observation, of a gauge each reading.";
const METHODS: [(&str, &str); 3] = [
    ("Occurrences", "Every event weighs the same"),
    ("Timeslices", "Every slice of time is good or bad"),
    ("RatioTimeslices", "Every slice of time loses its share of bad events"),
];

/// A field of one line.
struct Line {
    name: &'static str,
    label: &'static str,
    placeholder: &'static str,
    hint: &'static str,
    list: Option<&'static str>,
    class: &'static str,
}

impl Line {
    const fn new(name: &'static str, label: &'static str, placeholder: &'static str) -> Self {
        Self { name, label, placeholder, hint: "", list: None, class: "field" }
    }

    fn view(self, editor: Editor) -> AnyView {
        let Self { name, label, placeholder, hint, list, class } = self;
        let (id, fault_id) = (format!("edit-{name}"), format!("fault-{name}"));
        let fault = editor.fault(name);
        // The name follows the other fields while nobody gives one.
        let placeholder = move || if name == "name" { editor.shown.with(|page| page.name.clone()) } else { placeholder.to_owned() };
        let is_number = matches!(name, "target" | "faster_ms" | "limit" | "slice_target" | "group_cap");
        view! {
            <div class=class>
                <label for=id.clone()>{label}</label>
                <input
                    id=id name=name type="text" value=editor.value(name) placeholder=placeholder list=list inputmode=is_number.then_some("decimal")
                    autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby=fault_id.clone()
                    aria-invalid=move || fault.get().map(|_| "true") data-complete=(name == "group_by").then_some("form")
                />
                {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> })}
                <p class="fault" id=fault_id>{move || fault.get()}</p>
            </div>
        }
        .erase()
    }
}

/// Who saves it, and why.
pub(super) fn signature(editor: Editor) -> [AnyView; 2] {
    [Line::new("author", "Your name, kept with this version", "").view(editor), Line::new("reason", "Why", "").view(editor)]
}

/// A field of several lines.
fn area(editor: Editor, name: &'static str, label: &'static str, class: &'static str, rows: &'static str) -> AnyView {
    let (id, fault_id) = (format!("edit-{name}"), format!("fault-{name}"));
    let fault = editor.fault(name);
    let mut text = Markup::default();
    text.text(&editor.value(name));
    view! {
        <div class=class>
            <label for=id.clone()>{label}</label>
            <textarea
                id=id name=name rows=rows autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby=fault_id.clone()
                aria-invalid=move || fault.get().map(|_| "true") inner_html=text.finish() data-complete=(name != "description" && name != "yaml").then_some("form")
            ></textarea>
            <p class="fault" id=fault_id>{move || fault.get()}</p>
        </div>
    }
    .erase()
}

/// A field to choose from; a value that is not offered is offered as well.
fn choice(editor: Editor, name: &'static str, label: &'static str, options: &[(&str, &str)]) -> AnyView {
    let chosen = editor.value(name);
    let mut options: Vec<(String, String)> = options.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    if !chosen.is_empty() && !options.iter().any(|(value, _)| *value == chosen) {
        options.push((chosen.clone(), chosen.clone()));
    }
    let mut markup = Markup::default();
    markup.select(name, label, None, &options, Some(&chosen));
    let fault = editor.fault(name);
    view! {
        <div class="choice">
            <div inner_html=markup.finish()></div>
            <p class="fault">{move || fault.get()}</p>
        </div>
    }
    .erase()
}

/// Alternatives of which one is taken, all to be seen at once.
fn radios(editor: Editor, name: &'static str, options: &[(&str, &str)]) -> AnyView {
    let chosen = editor.value(name);
    let mut markup = Markup::default();
    for (value, words) in options {
        let checked = (chosen == *value).then_some("");
        markup.open("label", &[]);
        markup.open("input", &[("type", Some("radio")), ("name", Some(name)), ("value", Some(value)), ("checked", checked)]);
        markup.text(words).close("label");
    }
    view! { <div class="radios" inner_html=markup.finish()></div> }.erase()
}

/// The list of suggestions behind a field.
fn suggestions(id: &'static str, names: impl Fn() -> Vec<String> + Send + 'static) -> AnyView {
    let options = move || {
        let mut markup = Markup::default();
        for name in names() {
            markup.open("option", &[("value", Some(&name))]).close("option");
        }
        markup.finish()
    };
    view! { <datalist id=id inner_html=options></datalist> }.erase()
}

/// The form.
#[component]
pub fn Fields(editor: Editor) -> impl IntoView {
    let shown = editor.shown;
    view! {
        <fieldset>
            <legend>"What it is about"</legend>
            {Line { list: Some("editor-services"), ..Line::new("service", "Service", "checkout") }.view(editor)}
            {suggestions("editor-services", move || shown.with(|page| page.services.clone()))}
            {Line { hint: "Left empty, it gets the name shown.", ..Line::new("name", "Name", "") }.view(editor)}
            {Line::new("display_name", "Title, for people", "Checkout answers").view(editor)}
        </fieldset>
        <fieldset class="what-counts">
            <legend>"What counts"</legend>
            {choice(editor, "signal", "Records", &SIGNALS)}
            {radios(editor, "counting", &[("picked", "Chosen by name"), ("own", "By a condition of my own")])}
            <div class="if-picked">
                <div class="of-spans row">
                    {choice(editor, "kind", "Kind", &KINDS)}
                    {Line { list: Some("editor-choices"), ..Line::new("operation", "Operation", "all of them") }.view(editor)}
                </div>
                <p class="of-logs hint">"Every log line of the service."</p>
                <div class="of-metrics">
                    {Line { list: Some("editor-choices"), hint: COUNTED, ..Line::new("metric", "Metric of the service", "http.server.request.duration") }.view(editor)}
                </div>
                <div class="of-events">
                    {Line { list: Some("editor-choices"), ..Line::new("event_type", "Type of the events", "com.example.order.placed") }.view(editor)}
                </div>
                <div class="of-heartbeats">{Line { list: Some("editor-choices"), ..Line::new("agent", "Agent", "night-batch") }.view(editor)}</div>
            </div>
            {suggestions("editor-choices", move || shown.with(|page| page.choices.clone()))}
            <div class="if-own">{area(editor, "total", "Condition in CEL", "field mono", "3")}</div>
            <div class="row">
                {Line { hint: "Left empty, all of it is one budget. Each value gets budget and incidents of its own.", ..Line::new("group_by", "A budget for each value of", "attributes[\"http.route\"]") }.view(editor)}
                {Line::new("group_cap", "For at most, values", "100").view(editor)}
            </div>
        </fieldset>
        <fieldset class="what-is-good">
            <legend>"What is good"</legend>
            {GOOD.map(|(class, name, options)| view! { <div class=class>{radios(editor, name, options)}</div> }.erase())}
            <div class="if-faster">{Line::new("faster_ms", "Faster than, ms", "300").view(editor)}</div>
            <div class="if-limit">{Line::new("limit", "Limit, in the metric's unit", "0.25").view(editor)}</div>
            <div class="if-own">{area(editor, "good_filter", "Condition in CEL", "field mono", "3")}</div>
        </fieldset>
        <fieldset class="what-is-promised">
            <legend>"What is promised"</legend>
            <div class="row">
                {Line::new("target", "Good, percent", "99.9").view(editor)}
                {choice(editor, "window", "Over", &WINDOWS)}
                <div class="if-month">{Line::new("time_zone", "In the zone", "Europe/Berlin").view(editor)}</div>
            </div>
            {choice(editor, "method", "The budget is counted so", &METHODS)}
            <div class="if-slices row">
                {Line::new("slice", "Length of a slice", "5m").view(editor)}
                <div class="if-timeslices">{Line::new("slice_target", "A slice is good from, percent", "95").view(editor)}</div>
            </div>
        </fieldset>
        <fieldset>
            <legend>"For whoever reads it later"</legend>
            {Line::new("labels", "Labels", "team: shop, tier: gold").view(editor)}
            {area(editor, "description", "Description", "field", "2")}
        </fieldset>
        <details class="amounts-to">
            <summary>"As an OpenSLO document"</summary>
            <pre tabindex="0" role="region" aria-label="OpenSLO document"><code>{move || shown.with(|page| page.document.clone())}</code></pre>
        </details>
    }
    .erase()
}

/// The document alone.
#[component]
pub fn DocumentFields(editor: Editor) -> impl IntoView {
    area(editor, "yaml", "OpenSLO document", "field mono document", "34")
}
