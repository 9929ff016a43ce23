//! What only a browser can do. On the server every function does nothing, so that components need no conditions; they are
//! called from effects and event handlers, which do not run there.

#[cfg(feature = "hydrate")]
pub use real::*;
#[cfg(not(feature = "hydrate"))]
pub use silent::*;

#[cfg(not(feature = "hydrate"))]
mod silent {
    #![expect(clippy::missing_const_for_fn, reason = "the signatures follow the browser's")]

    pub fn now_nanos() -> i64 {
        0
    }
    pub fn local_offset_seconds(_at_millis: i64) -> i32 {
        0
    }
    pub fn set_root_attribute(_name: &str, _value: &str) {}
    pub fn recall(_key: &str) -> Option<String> {
        None
    }
    pub fn remember(_key: &str, _value: &str) {}
    pub fn set_cookie(_name: &str, _value: &str) {}
    pub fn shows_dark() -> bool {
        false
    }
    pub fn on_scheme_change(_handler: impl Fn() + 'static) {}
    pub fn is_hidden() -> bool {
        false
    }
    pub fn on_document(_event: &str, _handler: impl Fn(leptos::web_sys::Event) + 'static) {}
    pub fn show_hands(_what: &str) {}
    pub fn complete(_event: &leptos::web_sys::Event) -> bool {
        false
    }
    pub fn ask_json(_event: &leptos::web_sys::Event) -> bool {
        false
    }
    pub fn press(_key: &str) -> bool {
        false
    }
    pub fn step_row(_by: i32) {}
    pub fn is_typing(_event: &leptos::web_sys::Event) -> bool {
        false
    }
    pub fn inner_link(_event: &leptos::web_sys::Event) -> Option<String> {
        None
    }
    pub fn keeps_scroll(_event: &leptos::web_sys::Event) -> bool {
        false
    }
    pub fn copy(_text: &str) {}
    pub fn copy_clicked(_event: &leptos::web_sys::Event) {}
    pub fn go_back() {}
    pub fn form_query(_event: &leptos::web_sys::Event) -> Option<String> {
        None
    }
    pub fn search_query(_event: &leptos::web_sys::Event) -> Option<String> {
        None
    }
    pub fn place(_event: &leptos::web_sys::PointerEvent) -> Option<f64> {
        None
    }
    pub fn part_in_window(_element: &leptos::web_sys::HtmlDivElement, _covered: i32) -> (i32, i32) {
        (0, 0)
    }
}

#[cfg(feature = "hydrate")]
mod real {
    use crate::pages::lazy::module_of;
    use leptos::prelude::{document, window};
    use wasm_bindgen::prelude::Closure;
    use wasm_bindgen::{JsCast, JsValue};

    use web_sys::{
        Element, Event, FormData, HtmlAnchorElement, HtmlDocument, HtmlElement, HtmlFormElement, MouseEvent, PointerEvent, UrlSearchParams,
    };

    /// The browser's clock, nanoseconds since the epoch. Only differences are used: its clock may be wrong.
    pub fn now_nanos() -> i64 {
        (js_sys::Date::now() * 1e6) as i64
    }

    /// How far the reader's zone is ahead of UTC at an instant, seconds.
    pub fn local_offset_seconds(at_millis: i64) -> i32 {
        -(js_sys::Date::new(&JsValue::from_f64(at_millis as f64)).get_timezone_offset() as i32) * 60
    }

    /// Sets an attribute of `<html>`.
    pub fn set_root_attribute(name: &str, value: &str) {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute(name, value);
        }
    }

    /// Reads a preference of this browser.
    pub fn recall(key: &str) -> Option<String> {
        window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
    }

    /// Keeps a preference in this browser; without storage it lasts as long as the page.
    pub fn remember(key: &str, value: &str) {
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item(key, value);
        }
    }

    /// Sets a cookie for a year; the server reads it, so that the first paint is right.
    pub fn set_cookie(name: &str, value: &str) {
        if let Some(document) = document().dyn_ref::<HtmlDocument>() {
            let _ = document.set_cookie(&format!("{name}={value}; path=/; max-age=31536000; samesite=lax"));
        }
    }

    /// Whether the page is dark now, by choice or by the system.
    pub fn shows_dark() -> bool {
        let chosen = document().document_element().and_then(|root| root.get_attribute("data-theme"));
        chosen.map_or_else(
            || window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches()),
            |theme| theme == "dark",
        )
    }

    /// Listens to the system changing between dark and light for as long as the page lives.
    pub fn on_scheme_change(handler: impl Fn() + 'static) {
        if let Ok(Some(query)) = window().match_media("(prefers-color-scheme: dark)") {
            let closure = Closure::<dyn Fn()>::new(handler);
            let _ = query.add_event_listener_with_callback("change", closure.as_ref().unchecked_ref());
            closure.forget();
        }
    }

    /// Whether the tab is in the background.
    pub fn is_hidden() -> bool {
        document().hidden()
    }

    /// Listens to an event of the document for as long as the page lives.
    pub fn on_document(event: &str, handler: impl Fn(Event) + 'static) {
        let closure = Closure::<dyn Fn(Event)>::new(handler);
        let _ = document().add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        closure.forget();
    }

    /// Shows the palette of commands or the sheet of keys (`palette`, `sheet`), or closes it. Its code is fetched now.
    pub fn show_hands(what: &str) {
        run("/hands.js", what);
    }

    /// Has a field that gets the focus complete what is typed, if it bears `data-complete`. The code for it is fetched for the first
    /// one; from then on it listens itself. Whether this was such a field.
    pub fn complete(event: &Event) -> bool {
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let completes = field.is_some_and(|field| field.has_attribute("data-complete"));
        if completes {
            run("/complete.js", "");
        }
        completes
    }

    /// Shows in place of an open line what it says as JSON, if the link to that was clicked; once more shows the line again. The
    /// code for it is fetched each time. Whether it was such a link.
    pub fn ask_json(event: &Event) -> bool {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(link) = target.filter(|target| target.has_attribute("data-json")) else { return false };
        let _ = link.set_attribute("data-json", "asked");
        run("/json.js", "");
        true
    }

    fn run(source: &str, what: &str) {
        if let (Some(body), Ok(script)) = (document().body(), document().create_element("script")) {
            let _ = script.set_attribute("data-open", what);
            let _ = script.set_attribute("src", source);
            let _ = body.append_child(&script);
        }
    }

    /// Does what a key is for: clicks what bears it as `data-key`, or goes there if it is a field. Whether there is such a thing.
    pub fn press(key: &str) -> bool {
        // A key that cannot stand in a selector is nobody's.
        let found = document().query_selector(&format!("[data-key=\"{key}\"]")).ok().flatten();
        let Some(target) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) else { return false };
        if target.matches("input").unwrap_or(false) {
            let _ = target.focus();
        } else {
            target.click();
        }
        true
    }

    /// Moves the focus `by` rows among the links marked `data-row`, starting at the focused one or before the first.
    pub fn step_row(by: i32) {
        let Ok(rows) = document().query_selector_all("main [data-row]") else { return };
        let focused = document().active_element();
        let rows: Vec<HtmlElement> = (0..rows.length()).filter_map(|i| rows.item(i)?.dyn_into().ok()).collect();
        let at = rows.iter().position(|row| focused.as_ref().is_some_and(|f| f.is_same_node(Some(row))));
        let next = at.map_or(0, |at| (at as i32 + by).clamp(0, rows.len() as i32 - 1));
        if let Some(row) = rows.get(next as usize) {
            let _ = row.focus();
            row.scroll_into_view_with_bool(false);
        }
    }

    /// Whether the key went into a field.
    pub fn is_typing(event: &Event) -> bool {
        event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|element| element.closest("input, textarea, select, [contenteditable]").is_ok_and(|found| found.is_some()))
    }

    /// The raw path, search and hash of a clicked link that stays inside the app and should open here.
    pub fn inner_link(event: &Event) -> Option<String> {
        let click = event.dyn_ref::<MouseEvent>()?;
        if click.default_prevented() || click.button() != 0 || click.meta_key() || click.alt_key() || click.ctrl_key() || click.shift_key()
        {
            return None;
        }
        let link = click.target()?.dyn_into::<Element>().ok()?.closest("a[href]").ok()??.dyn_into::<HtmlAnchorElement>().ok()?;
        let elsewhere = !link.target().is_empty() || link.has_attribute("download") || link.rel().contains("external");
        if elsewhere || link.origin() != window().location().origin().ok()? {
            return None;
        }
        let path = link.pathname();
        module_of(&path)?;
        Some(path + &link.search() + &link.hash())
    }

    /// Whether what was clicked lies in a part of the page, marked `data-keep-scroll`, whose links change that part only.
    pub fn keeps_scroll(event: &Event) -> bool {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        target.is_some_and(|element| element.closest("[data-keep-scroll]").is_ok_and(|found| found.is_some()))
    }

    /// Puts a text on the clipboard.
    pub fn copy(text: &str) {
        let _ = window().navigator().clipboard().write_text(text);
    }

    /// Puts on the clipboard what a clicked button bears as `data-copy`, or the `pre` beside it where that is empty, and marks the
    /// button `data-copied`.
    pub fn copy_clicked(event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(button) = target.and_then(|target| target.closest("[data-copy]").ok().flatten()) {
            let text = button.get_attribute("data-copy").filter(|text| !text.is_empty());
            let above = || button.closest("div").ok()??.query_selector("pre").ok()??.text_content();
            copy(&text.or_else(above).unwrap_or_default());
            let _ = button.set_attribute("data-copied", "");
        }
    }

    /// The browser's “back”.
    pub fn go_back() {
        if let Ok(history) = window().history() {
            let _ = history.back();
        }
    }

    /// The fields of the form in which something happened, as it would send them. `None` leaves it to the browser.
    pub fn form_query(event: &Event) -> Option<String> {
        let form = event.target()?.dyn_into::<Element>().ok()?.closest("form").ok()??.dyn_into::<HtmlFormElement>().ok()?;
        let data = FormData::new_with_form(&form).ok()?;
        Some(String::from(UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?.to_string()))
    }

    /// The same of a form that asks; one that changes something is the server's.
    pub fn search_query(event: &Event) -> Option<String> {
        let form = event.target()?.dyn_into::<HtmlFormElement>().ok()?;
        if form.method() == "get" { form_query(event) } else { None }
    }

    /// Where the pointer is, as a share of the width of the element that listens.
    pub fn place(event: &PointerEvent) -> Option<f64> {
        let stage = event.current_target()?.dyn_into::<Element>().ok()?.get_bounding_client_rect();
        (stage.width() > 0.0).then(|| ((f64::from(event.client_x()) - stage.left()) / stage.width()).clamp(0.0, 1.0))
    }

    /// The part of an element that the window shows below its first `covered` pixels, in pixels from the element's upper edge.
    /// Empty or turned round when it shows none.
    pub fn part_in_window(element: &web_sys::HtmlDivElement, covered: i32) -> (i32, i32) {
        let window_height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(f64::MAX);
        let top = element.get_bounding_client_rect().top();
        ((f64::from(covered) - top).max(0.0) as i32, (window_height - top).min(f64::from(element.client_height())) as i32)
    }
}
