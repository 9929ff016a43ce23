//! Log lines below each other. A line opens to all that it says, and leads to its trace and its correlation; without
//! WebAssembly too.

use leptos::prelude::*;
use slowburn_domain::log::LogLine;
use slowburn_domain::sentence;
use slowburn_domain::span::Value;
use slowburn_domain::timeline::service_colours;
use slowburn_domain::url::{correlation_path, trace_path};

use crate::browser;
use crate::clock::use_watch;
use crate::erase::Erase;
use crate::widgets::markup::Markup;

/// The lines.
#[component]
pub fn LogList(
    /// In the order in which they are shown.
    logs: Vec<LogLine>,
    /// What they are, for those who cannot see.
    caption: &'static str,
) -> impl IntoView {
    if logs.is_empty() {
        return view! { <p class="muted">"Nothing was logged."</p> }.erase();
    }
    let watch = use_watch();
    let written = move || write(&logs, |log| watch.offset(log.time));
    view! { <ol class="log-list" aria-label=caption on:click=move |event| browser::copy_clicked(&event) inner_html=written></ol> }.erase()
}

fn write(logs: &[LogLine], offset: impl Fn(&LogLine) -> i32) -> String {
    let mut services: Vec<String> = Vec::new();
    for log in logs {
        if !services.contains(&log.service) {
            services.push(log.service.clone());
        }
    }
    let colours = service_colours(&services);
    let mut markup = Markup::default();
    for log in logs {
        let colour = services.iter().position(|known| *known == log.service).and_then(|index| colours.get(index)).copied();
        let word = match log.severity.as_str() {
            _ if log.is_event => "event",
            "" => "–",
            word => word,
        };
        let class = format!("log is-{}", if word == "–" { "unknown" } else { word });
        let offset = offset(log);
        markup.open("li", &[("class", Some(&class))]).open("details", &[]).open("summary", &[]);
        markup.open("time", &[("datetime", Some(&log.time.to_string())), ("title", Some(&sentence::instant(log.time, offset)))]);
        markup.text(&sentence::moment(log.time, offset)).close("time");
        markup.element("span", "log-level", word).service(&log.service, colour.unwrap_or_default());
        markup.element("span", "log-body", &said(log)).close("summary");
        in_full(&mut markup, log);
        markup.close("details").close("li");
    }
    markup.finish()
}

/// What a line says, in words.
fn said(log: &LogLine) -> String {
    match &log.body {
        Value::Null if log.is_event => log.event_name.clone(),
        body if log.is_event => format!("{} {body}", log.event_name),
        Value::Null if log.event_name.is_empty() => "(no body)".to_owned(),
        Value::Null => log.event_name.clone(),
        body => body.to_string(),
    }
}

fn in_full(markup: &mut Markup, log: &LogLine) {
    markup.open("div", &[("class", Some("log-full"))]);
    let text = said(log);
    markup.open("pre", &[("tabindex", Some("0"))]).text(&text).close("pre");
    markup.open("p", &[("class", Some("log-links"))]);
    if let Some(trace_id) = log.trace_id {
        markup.link(&trace_path(trace_id), false, "Its trace").text(" ");
    }
    for id in &log.correlation_ids {
        markup.link(&correlation_path(id), false, &format!("Everything of {id}")).text(" ");
    }
    markup.copy(&text, "Copy what it says").close("p").open("dl", &[]);
    if !log.severity_text.is_empty() && log.severity_text != log.severity {
        markup.term("severity as sent", "code", &log.severity_text);
    }
    if !log.event_name.is_empty() {
        markup.term(if log.is_event { "type" } else { "event" }, "code", &log.event_name);
    }
    if let Some(span_id) = log.span_id {
        markup.term("span", "code", &span_id.to_string());
    }
    for (key, value) in &log.attributes {
        markup.term(key, "code", &value.to_string());
    }
    for (key, value) in &log.resource {
        markup.term(key, "span", &value.to_string());
    }
    markup.close("dl").close("div");
}
