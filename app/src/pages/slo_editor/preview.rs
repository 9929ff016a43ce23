//! What an objective would have meant, beside its form: figures, alerts in words, advice, and some spans with their verdict.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, count, duration_nanos, percent};
use slowburn_domain::sentence;
use slowburn_domain::url::trace_path;
use slowburn_domain::view::{ExampleSpan, SloEditorPage, SloPreview};

use super::Editor;
use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// Everything beside the form.
#[component]
pub fn Aside(editor: Editor) -> impl IntoView {
    let markup = Memo::new(move |_| editor.shown.with(written));
    view! { <aside class="editor-preview" aria-label="Preview" aria-live="polite" inner_html=move || markup.get()></aside> }.erase()
}

fn written(page: &SloEditorPage) -> String {
    let mut markup = Markup::default();
    markup.element("h2", "", "What it would have meant");
    match &page.preview {
        Some(preview) => write(&mut markup, preview, page),
        None if page.faults.is_empty() && !page.changes.is_empty() => {
            markup.element("p", "muted", "What it counts is not read by this server, so there is nothing to preview.");
        }
        None => {
            markup.element("p", "muted", "As soon as nothing is wrong or missing, this says how the objective would stand today.");
        }
    }
    list(&mut markup, "Worth a second look", page.warnings.iter().map(String::as_str));
    list(&mut markup, "Saving it", page.changes.iter().map(String::as_str));
    markup.finish()
}

fn write(markup: &mut Markup, preview: &SloPreview, page: &SloEditorPage) {
    markup.element("p", &format!("lead preview-{}", preview.alert.as_str()), &preview.sentence);
    let ratio = |value: Option<f64>, words: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), words);
    markup.open("dl", &[("class", Some("preview-figures"))]);
    markup.figure("Good", &ratio(preview.sli, percent));
    markup.figure("Budget left", &ratio(preview.budget_left, budget_percent));
    markup.figure("Events", &count(preview.counts.total as f64));
    markup.figure("Bad", &count(preview.counts.bad() as f64));
    markup.close("dl");
    let since = sentence::ago(page.now, preview.back_to);
    let looked = match (preview.counts.total, preview.is_whole) {
        (0, true) => "No stored span counts. Look whether service, kind and operation are written as they arrive.".to_owned(),
        (_, true) => format!("From all that is stored of the window; the first event came {since}."),
        (_, false) => {
            format!("Looked at what came since {since}; going further back would take long. All of it is counted once it is saved.")
        }
    };
    markup.element("p", "muted", &looked);
    list(markup, "Its groups", Some(preview.groups.as_str()).filter(|groups| !groups.is_empty()).into_iter());
    list(markup, "Its alerts", preview.alerts.iter().map(String::as_str));
    if preview.alerts.is_empty() {
        let never = "None could ever fire: even an outage of everything burns too slowly.";
        markup.element("h3", "", "Its alerts").element("p", "fault", never);
    } else {
        let shown = "An alert is an incident: shown on these pages, in the API and in the event log. Nothing is sent anywhere.";
        markup.element("p", "muted", shown);
    }
    let lints: Vec<String> = preview.lints.iter().map(|lint| format!("{}. {}.", lint.reason, lint.proposal)).collect();
    list(markup, "What the numbers say against it", lints.iter().map(String::as_str));
    if !preview.examples.is_empty() {
        markup.element("h3", "", "Spans that count").open("ul", &[("class", Some("examples"))]);
        preview.examples.iter().for_each(|example| write_example(markup, example));
        markup.close("ul");
    }
}

fn write_example(markup: &mut Markup, example: &ExampleSpan) {
    let href = format!("{}?span={}", trace_path(example.trace_id), example.span_id);
    let (class, word) = if example.is_good { ("verdict is-good", "good") } else { ("verdict is-bad", "bad") };
    markup.open("li", &[]).element("span", class, word);
    markup.open("a", &[("href", Some(&href)), ("target", Some("_blank"))]).text(&example.operation).close("a");
    markup.element("span", "number", &duration_nanos((example.duration_ms * 1e6) as i64));
    markup.errors(if example.is_error { "error" } else { "" }, example.is_error).close("li");
}

/// A heading and sentences below it; nothing without sentences.
fn list<'a>(markup: &mut Markup, heading: &str, sentences: impl Iterator<Item = &'a str>) {
    let mut sentences = sentences.peekable();
    if sentences.peek().is_none() {
        return;
    }
    markup.element("h3", "", heading).open("ul", &[("class", Some("lints"))]);
    for sentence in sentences {
        markup.element("li", "", sentence);
    }
    markup.close("ul");
}
