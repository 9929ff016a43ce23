//! The left navigation; on a phone the bar at the bottom.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::erase::Erase;
use crate::widgets::icon::Icon;

const ENTRIES: [(&str, &str, &str); 9] = [
    ("/", "overview", "Overview"),
    ("/slos", "slos", "SLOs"),
    ("/incidents", "incidents", "Incidents"),
    ("/services", "services", "Services"),
    ("/traces", "traces", "Traces"),
    ("/logs", "logs", "Logs"),
    ("/metrics-explorer", "metrics", "Metrics"),
    ("/events", "events", "Events"),
    ("/settings", "settings", "Settings"),
];

/// Links to the pages; the current one says so.
#[component]
pub fn Nav() -> impl IntoView {
    let path = use_location().pathname;
    let entry = move |(href, icon, name): (&'static str, &'static str, &'static str)| {
        let current = move || path.with(|path| if href == "/" { path == "/" } else { path.starts_with(href) }).then_some("page");
        view! {
            <li>
                <a href=href aria-current=current>
                    <Icon name=icon />
                    <span>{name}</span>
                </a>
            </li>
        }
    };
    view! {
        <nav class="nav" aria-label="Pages">
            <div class="nav-inner">
            <a class="brand" href="/" aria-label="Slowburn, overview">
                <Icon name="brand" />
                <span aria-hidden="true">"Slowburn"</span>
            </a>
            <ul>{ENTRIES.map(entry).collect_view()}</ul>
            </div>
        </nav>
    }
    .erase()
}
