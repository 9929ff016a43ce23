//! Log lines below each other. A line opens to all that it says, and leads to its trace, its correlation and the record itself as
//! JSON; without WebAssembly too.

use leptos::prelude::*;
use leptos::web_sys::MouseEvent;
use slowburn_domain::log::LogLine;
use slowburn_domain::sentence;
use slowburn_domain::timeline::service_colours;
use slowburn_domain::url::{correlation_path, trace_path};

use crate::browser;
use crate::clock::use_watch;
use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// Writes more of a line than its body.
pub type Cells = Box<dyn Fn(&mut Markup, &LogLine) + Send + Sync>;

/// The lines.
#[component]
pub fn LogList(
    /// In the order in which they are shown.
    logs: Vec<LogLine>,
    /// What they are, for those who cannot see.
    caption: &'static str,
    /// Where they can be searched; empty where they are searched.
    #[prop(optional)]
    search: String,
    /// Whether there are more than these.
    #[prop(optional)]
    is_cut: bool,
    /// Keys of lines that have just arrived and slide in, and whether this is an odd time that some do.
    #[prop(optional)]
    arrived: (Vec<u128>, bool),
    /// Writes what stands beside the body of a line.
    #[prop(optional)]
    cells: Option<Cells>,
) -> impl IntoView {
    if logs.is_empty() {
        return view! { <p class="muted">"Nothing was logged."</p> }.erase();
    }
    let watch = use_watch();
    let written = move || {
        let mut markup = Markup::default();
        let class = if cells.is_some() { "log-list has-columns" } else { "log-list" };
        markup.open("ol", &[("class", Some(class)), ("aria-label", Some(caption))]);
        write(&mut markup, &logs, &arrived, cells.as_ref(), |log| watch.offset(log.time));
        markup.close("ol");
        if is_cut {
            markup.element("p", "muted", "More was logged than one page shows.");
        }
        if !search.is_empty() {
            markup.open("p", &[("class", Some("more"))]).link(&search, false, "Open in search").close("p");
        }
        markup.finish()
    };
    view! { <div on:click=move |event| clicked(&event) inner_html=written></div> }.erase()
}

fn clicked(event: &MouseEvent) {
    browser::copy_clicked(event);
    // With a key held the browser opens the link elsewhere.
    if !event.ctrl_key() && !event.meta_key() && !event.shift_key() && browser::ask_json(event) {
        event.prevent_default();
    }
}

fn write(
    markup: &mut Markup,
    logs: &[LogLine],
    (arrived, is_odd): &(Vec<u128>, bool),
    cells: Option<&Cells>,
    offset: impl Fn(&LogLine) -> i32,
) {
    let mut services: Vec<String> = Vec::new();
    for log in logs {
        if !services.contains(&log.service) {
            services.push(log.service.clone());
        }
    }
    let colours = service_colours(&services);
    for log in logs {
        let colour = services.iter().position(|known| *known == log.service).and_then(|index| colours.get(index)).copied();
        let word = if log.severity.is_empty() { "–" } else { &log.severity };
        let mut class = format!("log is-{}", if log.severity.is_empty() { "unknown" } else { word });
        if !arrived.is_empty() && arrived.contains(&log.key()) {
            // Two names for one movement, so that it begins anew.
            class.push_str(if *is_odd { " arrived odd" } else { " arrived" });
        }
        let offset = offset(log);
        markup.open("li", &[("class", Some(&class))]).open("details", &[]).open("summary", &[]);
        markup.open("time", &[("datetime", Some(&log.time.to_string())), ("title", Some(&sentence::instant(log.time, offset)))]);
        markup.text(&sentence::moment(log.time, offset)).close("time");
        markup.element("span", "log-level", word).service(&log.service, colour.unwrap_or_default());
        markup.element("span", "log-body", &log.said);
        if let Some(cells) = cells {
            cells(markup, log);
        }
        markup.close("summary");
        in_full(markup, log);
        markup.close("details").close("li");
    }
}

fn in_full(markup: &mut Markup, log: &LogLine) {
    markup.open("div", &[("class", Some("log-full"))]);
    markup.open("pre", &[("tabindex", Some("0"))]).text(&log.said).close("pre");
    markup.open("p", &[("class", Some("log-links"))]);
    if let Some(trace_id) = log.trace_id {
        markup.link(&trace_path(trace_id), false, "Its trace").text(" ");
    }
    if let Some(id) = &log.correlation_id {
        markup.link(&correlation_path(id), false, &format!("Everything of {id}")).text(" ");
    }
    let json = [("href", Some(log.record_path())), ("data-json", Some(String::new()))];
    markup.open("a", &json.each_ref().map(|(name, value)| (*name, value.as_deref()))).text("As JSON").close("a");
    // What is copied stands above; five hundred times once more would be half of the page.
    let copy = [("type", Some("button")), ("class", Some("link-button copy-above needs-script")), ("data-copy", Some(""))];
    markup.open("button", &copy).text("Copy what it says").close("button").close("p").open("dl", &[]);
    for (name, value) in &log.more {
        markup.term(name, "code", value);
    }
    markup.close("dl").close("div");
}
