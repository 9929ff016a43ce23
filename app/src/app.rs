//! The document, and the app inside it: contexts of the whole page, the frame around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, SsrMode, path};

use crate::browser;
use crate::chrome::Chrome;
use crate::chrome::theme::{chosen_theme, provide_theme};
use crate::clock::provide_watch;
use crate::context::Assets;
use crate::live::provide_live;
use crate::pages::lazy::{
    AgentsRoute, CorrelationRoute, EventsRoute, IncidentRoute, IncidentsRoute, LogsRoute, MetricsRoute, OverviewRoute, ServiceMapRoute,
    ServiceRoute, ServicesRoute, SettingsRoute, SloEditorRoute, SloRoute, SlosRoute, TraceRoute, TracesRoute, module_of,
};
use crate::pages::not_found::NotFoundPage;

/// The whole document. Sets the Content-Security-Policy of the answer, with this answer's nonce.
pub fn shell(assets: Assets) -> impl IntoView {
    let nonce = leptos::nonce::use_nonce();
    #[cfg(feature = "ssr")]
    set_policy(nonce.as_deref());
    // Everything at once, and not one after the other.
    let packs = module_of(&request_path()).and_then(|module| assets.packs.get(module)).cloned().unwrap_or_default();
    let start =
        format!("import init, {{ hydrate }} from {:?};\ninit({{ module_or_path: {:?} }}).then(() => hydrate());", assets.js, assets.wasm);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen_theme()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=assets.css />
                <link rel="modulepreload" href=assets.js />
                <link rel="modulepreload" href=assets.loader />
                <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                {packs.into_iter().map(|href| view! { <link rel="preload" href=href r#as="fetch" crossorigin="anonymous" /> }).collect_view()}
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml" />
                <script r#type="module" nonce=nonce>
                    {start}
                </script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

#[cfg(feature = "ssr")]
fn request_path() -> String {
    use_context::<http::request::Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn request_path() -> String {
    String::new()
}

#[cfg(feature = "ssr")]
fn set_policy(nonce: Option<&str>) {
    use http::HeaderValue;
    use http::header::CONTENT_SECURITY_POLICY;

    let policy = nonce.and_then(|nonce| HeaderValue::from_str(&crate::context::content_security_policy(nonce)).ok());
    if let Some((response, policy)) = use_context::<leptos_axum::ResponseOptions>().zip(policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Everything inside `<body>`. `<html>` gets `data-hydrated` once it answers.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_watch();
    provide_theme();
    provide_live();
    Effect::new(|_| browser::set_root_attribute("data-hydrated", ""));
    view! {
        <Title formatter=|text: String| if text.is_empty() { "Slowburn".to_owned() } else { format!("{text} · Slowburn") } />
        <Router>
            <Chrome>
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=path!("/") view={Lazy::<OverviewRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/slos") view={Lazy::<SlosRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/slos/:name") view={Lazy::<SloRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/slo-editor") view={Lazy::<SloEditorRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/traces") view={Lazy::<TracesRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/traces/:trace_id") view={Lazy::<TraceRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/logs") view={Lazy::<LogsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/metrics-explorer") view={Lazy::<MetricsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/agents") view={Lazy::<AgentsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/events") view={Lazy::<EventsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/services") view={Lazy::<ServicesRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/service-map") view={Lazy::<ServiceMapRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/services/:name") view={Lazy::<ServiceRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/incidents") view={Lazy::<IncidentsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/incidents/:id") view={Lazy::<IncidentRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings") view={Lazy::<SettingsRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/c/:id") view={Lazy::<CorrelationRoute>::new()} ssr=SsrMode::Async />
                </FlatRoutes>
            </Chrome>
        </Router>
    }
}
