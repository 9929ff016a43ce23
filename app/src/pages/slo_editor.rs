//! Promising something: an objective as a form, or as the OpenSLO document that the form amounts to, and beside it what it
//! would have meant for the spans that are stored. The form is sent to the server, which answers with the objective's page or
//! with this one and all that was typed; so it works before and without WebAssembly. With it the preview follows the typing.

pub mod fields;
pub mod preview;

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::slo_form::SloForm;
use slowburn_domain::url::{decode_query, slo_path};
use slowburn_domain::view::SloEditorPage as Page;

use crate::api::{Model as _, Question, ask, load};
use crate::browser;
use crate::erase::Erase;
use crate::url::raw_url;
use crate::widgets::loadable::Loadable;
use crate::widgets::markup::Markup;
use fields::{DocumentFields, Fields, signature};
use preview::Aside;

/// How long after the last letter the preview follows.
const TYPING: Duration = Duration::from_millis(500);

/// What is typed, and what the server says about it.
#[derive(Clone, Copy)]
pub struct Editor {
    /// The newest answer.
    shown: RwSignal<Page>,
    /// What the fields hold to begin with, by name.
    begun: StoredValue<Vec<(String, String)>>,
}

impl Editor {
    /// What a field holds to begin with.
    fn value(self, name: &str) -> String {
        self.begun.with_value(|pairs| pairs.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap_or_default())
    }

    /// Why a field is refused; several reasons stand one after the other.
    fn fault(self, name: &'static str) -> Memo<Option<String>> {
        Memo::new(move |_| {
            self.shown.with(|page| {
                let reasons: Vec<&str> =
                    page.faults.iter().filter(|fault| fault.field == name).map(|fault| fault.reason.as_str()).collect();
                (!reasons.is_empty()).then(|| reasons.join("\n"))
            })
        })
    }
}

/// The page at `/slo-editor`, with `?edit=` for an objective that there is.
#[component]
pub fn SloEditorPage() -> impl IntoView {
    let search = raw_url().search;
    let page = ask(move || Question::SloEditor { raw: search.get(), typed: None });
    view! {
        <Title text="Objective" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    let begun = decode_query(&page.form);
    let notice = page.notice.as_ref().map(|notice| told(notice, &page));
    let editor = Editor { shown: RwSignal::new(page), begun: StoredValue::new(begun) };
    let original = editor.value("original");
    let is_yaml = editor.value("face") == "yaml";
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // An answer to what was typed before the last letter tells nothing any more.
    let asked = StoredValue::new(0_u32);
    let typed = move |event: leptos::ev::Event| {
        let Some(typed) = browser::form_query(&event) else { return };
        if let Some(before) = timer.get_value() {
            before.clear();
        }
        asked.update_value(|asked| *asked += 1);
        let number = asked.get_value();
        let follow = move || {
            leptos::task::spawn_local(async move {
                let answer = load(Question::SloEditor { raw: String::new(), typed: Some(typed) }).await;
                if let (Some(page), true) = (answer.ok().and_then(Page::of), asked.try_get_value() == Some(number)) {
                    editor.shown.set(page);
                }
            });
        };
        timer.set_value(set_timeout_with_handle(follow, TYPING).ok());
    };
    let (title, parent) = if original.is_empty() {
        ("New objective".to_owned(), None)
    } else {
        (format!("Edit {original}"), Some(view! { " / " <a href=slo_path(&original)>{original.clone()}</a> }))
    };
    let fields = if is_yaml { view! { <DocumentFields editor=editor /> }.erase() } else { view! { <Fields editor=editor /> }.erase() };
    let (other, words) = if is_yaml { ("to_form", "Edit as a form") } else { ("to_yaml", "Edit as OpenSLO") };
    let is_refused = move || editor.shown.with(|page| !page.faults.is_empty());
    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb"><a href="/slos">"SLOs"</a>{parent}</nav>
        <h1>{title}</h1>
        {notice.map(|notice| view! { <div class="notice" role="status" inner_html=notice></div> })}
        <form class="editor" method="post" action="/slo-editor" on:input=typed aria-label="Objective">
            <div class="editor-fields">
                <input type="hidden" name="original" value=original.clone() />
                <input type="hidden" name="face" value=if is_yaml { "yaml" } else { "form" } />
                // Enter in a field means this button, the first of the form.
                <div class="editor-head">
                    <button class="visually-hidden" name="action" value="preview" tabindex="-1" aria-hidden="true">"Preview"</button>
                    <button class="link-button" name="action" value=other>{words}</button>
                </div>
                {fields}
                <p class="fault" role="status">{move || is_refused().then_some("Something is wrong or missing yet; it is said at its field.")}</p>
                <div class="row">{signature(editor)}</div>
                <div class="editor-go">
                    <button class="button primary" name="action" value="save">{if original.is_empty() { "Create objective" } else { "Save changes" }}</button>
                    <button class="button" name="action" value="preview">"Preview"</button>
                    <a href=if original.is_empty() { "/slos".to_owned() } else { slo_path(&original) }>"Cancel"</a>
                </div>
            </div>
            <Aside editor=editor />
        </form>
    }
    .erase()
}

/// What to know before anything else, and the way to each field that is wrong.
fn told(notice: &str, page: &Page) -> String {
    let mut markup = Markup::default();
    markup.element("p", "", notice);
    if notice.ends_with(':') {
        markup.open("ul", &[("class", Some("lints"))]);
        for fault in &page.faults {
            let href = format!("#edit-{}", fault.field);
            markup.open("li", &[]).link(&href, false, SloForm::label(&fault.field)).text(": ").text(&fault.reason).close("li");
        }
        markup.close("ul");
    }
    markup.finish()
}
