//! What an objective would have meant, beside its form: figures, alerts in words, advice, and some records with their verdict.

use leptos::prelude::*;
use slowburn_domain::number::{budget_percent, count, percent};
use slowburn_domain::view::{Example, SloEditorPage, SloPreview};

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
        Some(preview) => write(&mut markup, preview),
        None if !page.no_preview.is_empty() => {
            markup.element("p", "muted", &page.no_preview);
        }
        None => {
            markup.element("p", "muted", "As soon as nothing is wrong or missing, this says how the objective would stand today.");
        }
    }
    list(&mut markup, "Worth a second look", page.warnings.iter().map(String::as_str));
    list(&mut markup, "Saving it", page.changes.iter().map(String::as_str));
    markup.finish()
}

fn write(markup: &mut Markup, preview: &SloPreview) {
    markup.element("p", &format!("lead preview-{}", preview.alert.as_str()), &preview.sentence);
    let ratio = |value: Option<f64>, words: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), words);
    markup.open("dl", &[("class", Some("preview-figures"))]);
    markup.figure("Good", &ratio(preview.sli, percent));
    markup.figure("Budget left", &ratio(preview.budget_left, budget_percent));
    markup.figure("Events", &count(preview.counts.total as f64));
    markup.figure("Bad", &count(preview.counts.bad() as f64));
    markup.close("dl");
    markup.element("p", "muted", &preview.looked);
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
        markup.element("h3", "", "Some of what counts").open("ul", &[("class", Some("examples"))]);
        preview.examples.iter().for_each(|example| write_example(markup, example));
        markup.close("ul");
    }
}

fn write_example(markup: &mut Markup, example: &Example) {
    let (class, word) = if example.is_good { ("verdict is-good", "good") } else { ("verdict is-bad", "bad") };
    markup.open("li", &[]).element("span", class, word);
    if example.href.is_empty() {
        markup.element("span", "said", &example.said);
    } else {
        markup.open("a", &[("href", Some(&example.href)), ("target", Some("_blank"))]).text(&example.said).close("a");
    }
    markup.element("span", "number", &example.figure);
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
