//! The left navigation; on a phone the bar at the bottom.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::erase::Erase;
use crate::widgets::icon::Icon;

/// Path, icon, name and keys of each page.
const ENTRIES: [(&str, &str, &str, &str); 9] = [
    ("/", "overview", "Overview", "g o"),
    ("/slos", "slos", "SLOs", "g s"),
    ("/incidents", "incidents", "Incidents", "g i"),
    ("/services", "services", "Services", "g v"),
    ("/traces", "traces", "Traces", "g t"),
    ("/logs", "logs", "Logs", "g l"),
    ("/metrics-explorer", "metrics", "Metrics", "g m"),
    ("/events", "events", "Events", "g e"),
    ("/settings", "settings", "Settings", "g c"),
];

/// Links to the pages; the current one says so.
#[component]
pub fn Nav() -> impl IntoView {
    let path = use_location().pathname;
    let entry = move |(href, icon, name, key): (&'static str, &'static str, &'static str, &'static str)| {
        // What is about one of them begins with the same word: `/service-map`, `/slo-editor`.
        let one = href.trim_end_matches('s');
        let current = move || path.with(|path| if href == "/" { path == "/" } else { path.starts_with(one) }).then_some("page");
        view! {
            <li>
                <a href=href aria-current=current data-key=key>
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
