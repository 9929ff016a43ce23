//! The routes. In the browser each page, or two that are much alike, is a WebAssembly module beside the main one, with what it
//! shares with others in modules of their own; packs bring them. A pack is fetched when a page of it is first opened, and in
//! advance for the page that a visit begins with: hydration starts once `load` is done, so it never has to wait. A pack that
//! cannot be fetched leaves the page as the server rendered it, or says so after a click on a link.

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;
#[cfg(feature = "hydrate")]
use leptos_router::hooks::use_location;

use crate::erase::Erase;
use crate::pages::agents::AgentsPage;
use crate::pages::correlation::CorrelationPage;
use crate::pages::events::EventsPage;
use crate::pages::incident::IncidentPage;
use crate::pages::incidents::IncidentsPage;
use crate::pages::logs::LogsPage;
use crate::pages::metrics::MetricsPage;
use crate::pages::overview::OverviewPage;
use crate::pages::service_map::ServiceMapPage;
use crate::pages::services::{ServicePage, ServicesPage};
use crate::pages::settings::SettingsPage;
use crate::pages::slo::SloPage;
use crate::pages::slo_editor::SloEditorPage;
use crate::pages::slos::SlosPage;
use crate::pages::trace::TracePage;
use crate::pages::traces::TracesPage;
#[cfg(feature = "hydrate")]
use crate::url::raw_url;

macro_rules! routes {
    ($($(#[$doc:meta])* $route:ident, $page:ident, $view:ident, $module:ident, $load:ident;)*) => {
        $(
            $(#[$doc])*
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                #[cfg(feature = "hydrate")]
                async fn view(_: Self) -> AnyView {
                    $view().await.unwrap_or_else(|_| not_fetched())
                }

                #[cfg(not(feature = "hydrate"))]
                async fn view(_: Self) -> AnyView {
                    $view()
                }
            }

            #[cfg(feature = "hydrate")]
            #[wasm_split($module, wasm_split_path = leptos::wasm_split, preload($load), fallible)]
            fn $view() -> Result<AnyView, SplitLoaderError> {
                Ok(if is_wanted(stringify!($page)) { view! { <$page /> }.erase() } else { ().erase() })
            }

            #[cfg(not(feature = "hydrate"))]
            fn $view() -> AnyView {
                view! { <$page /> }.erase()
            }
        )*

        /// Name of the module of the page at a path; `None` where there is no page.
        pub fn module_of(path: &str) -> Option<&'static str> {
            match page_at(path)? {
                $(stringify!($page) => Some(stringify!($module)),)*
                _ => None,
            }
        }

        /// Fetches what the page at `path` needs.
        ///
        /// # Errors
        /// It could not be fetched.
        #[cfg(feature = "hydrate")]
        pub async fn load(path: &str) -> Result<(), SplitLoaderError> {
            // Each page asks by itself, though two may share a module: a page that did not ask would have to wait.
            match page_at(path) {
                $(Some(stringify!($page)) => $load().await,)*
                _ => Ok(()),
            }
        }
    };
}

routes! {
    /// `/`
    OverviewRoute, OverviewPage, overview, overview, load_overview;
    /// `/slos`
    SlosRoute, SlosPage, slos, objectives, load_slos;
    /// `/slos/:name`
    SloRoute, SloPage, slo, objective, load_slo;
    /// `/slo-editor`
    SloEditorRoute, SloEditorPage, slo_editor, editor, load_slo_editor;
    /// `/incidents`
    IncidentsRoute, IncidentsPage, incidents, incidents, load_incidents;
    /// `/incidents/:id`
    IncidentRoute, IncidentPage, incident, incidents, load_incident;
    /// `/settings`
    SettingsRoute, SettingsPage, settings, settings, load_settings;
    /// `/traces`
    TracesRoute, TracesPage, traces, traces, load_traces;
    /// `/traces/:trace_id`
    TraceRoute, TracePage, trace, spans, load_trace;
    /// `/logs`
    LogsRoute, LogsPage, logs, logs, load_logs;
    /// `/metrics-explorer`, in the module of a light page that visits seldom begin with: one more module would cut what all share
    /// into more pieces, which every page pays for.
    MetricsRoute, MetricsPage, metrics, settings, load_metrics;
    /// `/events`
    EventsRoute, EventsPage, events, logs, load_events;
    /// `/agents`
    AgentsRoute, AgentsPage, agents, logs, load_agents;
    /// `/services`
    ServicesRoute, ServicesPage, services, services, load_services;
    /// `/service-map`
    ServiceMapRoute, ServiceMapPage, service_map, services, load_service_map;
    /// `/services/:name`
    ServiceRoute, ServicePage, service, services, load_service;
    /// `/c/:id`
    CorrelationRoute, CorrelationPage, correlation, correlation, load_correlation;
}

/// The page at a path, as the router finds it.
fn page_at(path: &str) -> Option<&'static str> {
    let mut segments = path.trim_matches('/').split('/');
    let found = match (segments.next().unwrap_or_default(), segments.next()) {
        ("", None) => "OverviewPage",
        ("slos", None) => "SlosPage",
        ("slos", Some(_)) => "SloPage",
        ("slo-editor", None) => "SloEditorPage",
        ("incidents", None) => "IncidentsPage",
        ("incidents", Some(_)) => "IncidentPage",
        ("settings", None) => "SettingsPage",
        ("traces", None) => "TracesPage",
        ("traces", Some(_)) => "TracePage",
        ("logs", None) => "LogsPage",
        ("metrics-explorer", None) => "MetricsPage",
        ("events", None) => "EventsPage",
        ("agents", None) => "AgentsPage",
        ("service-map", None) => "ServiceMapPage",
        ("services", None) => "ServicesPage",
        ("services", Some(_)) => "ServicePage",
        ("c", Some(_)) => "CorrelationPage",
        _ => return None,
    };
    segments.next().is_none().then_some(found)
}

/// Whether a page is still the one to be shown. Its pack may come after the reader has gone on; made then it would take another
/// page's URL for its own.
#[cfg(feature = "hydrate")]
fn is_wanted(page: &str) -> bool {
    use_location().pathname.with_untracked(|path| page_at(path).is_none_or(|at| at == page))
}

/// Instead of a page whose module did not come: the server has it whole.
#[cfg(feature = "hydrate")]
fn not_fetched() -> AnyView {
    let href = raw_url().href();
    view! {
        <section class="failure" role="alert">
            <h1>"This page could not be loaded"</h1>
            <p>"The server cannot be reached, or it runs another version now."</p>
            <p><a class="button" href=href rel="external">"Load it again"</a></p>
        </section>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_module() {
        let cases = [
            ("/", Some("overview")),
            ("/slos", Some("objectives")),
            ("/slos/", Some("objectives")),
            ("/slos/checkout%2Fpay", Some("objective")),
            ("/slo-editor", Some("editor")),
            ("/incidents", Some("incidents")),
            ("/incidents/0199", Some("incidents")),
            ("/settings", Some("settings")),
            ("/traces", Some("traces")),
            ("/traces/0af7651916cd43dd8448eb211c80319c", Some("spans")),
            ("/logs", Some("logs")),
            ("/metrics-explorer", Some("settings")),
            ("/metrics", None),
            ("/events", Some("logs")),
            ("/agents", Some("logs")),
            ("/service-map", Some("services")),
            ("/services", Some("services")),
            ("/services/a%2Fb", Some("services")),
            ("/c/ORDER-1", Some("correlation")),
            ("/c", None),
            ("/slos/a/b", None),
            ("/nowhere", None),
        ];
        for (path, module) in cases {
            assert_eq!(module_of(path), module, "{path}");
        }
    }
}
