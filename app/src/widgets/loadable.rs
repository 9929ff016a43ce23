//! The four looks of anything that is loaded: its shape while waiting, its content (a list says itself when it is empty),
//! what failed with a way to try again, and *not found*, which also sets the status of the answer.

use leptos::prelude::*;

use crate::api::{Answer, Model, PageResource};
use crate::erase::Erase;
use crate::error::{AppError, ErrorKind};
use crate::pages::not_found::Missing;
use crate::url::raw_url;
use crate::widgets::icon::Icon;

/// Shows `content` of what `resource` brings. While it is read again, and when that fails only for lack of an answer, the old
/// content stays.
#[component]
pub fn Loadable<M>(
    /// What is loaded.
    resource: PageResource,
    /// Its view.
    content: fn(M) -> AnyView,
    /// What is said when there is no such thing; a general page otherwise.
    #[prop(optional)]
    missing: Option<fn(AppError) -> AnyView>,
) -> impl IntoView
where
    M: Model,
{
    let show = move |answer| M::of(answer).map_or_else(|| ().erase(), content);
    view! { <Looks resource=resource content=Box::new(show) missing=missing /> }
}

type Content = Box<dyn Fn(Answer) -> AnyView + Send + Sync>;

/// The one implementation for all pages.
#[component]
fn Looks(resource: PageResource, content: Content, missing: Option<fn(AppError) -> AnyView>) -> impl IntoView {
    let url = raw_url();
    let content = StoredValue::new(content);
    let last = StoredValue::new(None::<(String, Answer)>);
    let show = move |result: Result<Answer, AppError>| -> AnyView {
        let path = url.path.get_untracked();
        match result {
            Ok(answer) => {
                if cfg!(feature = "hydrate") {
                    last.set_value(Some((path, answer.clone())));
                }
                content.with_value(|content| content(answer))
            }
            Err(error) => {
                let old = last.get_value().filter(|(shown, _)| *shown == path && error.kind == ErrorKind::Network);
                let retry = Callback::new(move |()| resource.refetch());
                match old {
                    Some((_, answer)) => {
                        view! { <Stale error=error retry=retry /> {content.with_value(|content| content(answer))} }.erase()
                    }
                    None => view! { <Failure error=error retry=retry missing=missing /> }.erase(),
                }
            }
        }
    };
    view! {
        <Transition fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move { show(resource.await) })}
        </Transition>
    }
}

/// Written as text, which weighs less in the module of every page.
const SHAPES: &str = "<p class=\"visually-hidden\" role=\"status\">Loading</p>\
<div class=\"skeleton-title\"></div><div class=\"skeleton-line\"></div>\
<div class=\"skeleton-figures\"><div></div><div></div><div></div><div></div></div><div class=\"skeleton-block\"></div>";

/// The shape of a page to come.
#[component]
pub fn Skeleton() -> impl IntoView {
    view! { <div class="skeleton" aria-busy="true" inner_html=SHAPES></div> }.erase()
}

/// Says that what is shown is not the newest.
#[component]
fn Stale(error: AppError, retry: Callback<()>) -> impl IntoView {
    view! {
        <p class="notice" role="status">
            <Icon name="warn" />
            {error.message} " What you see is from before. "
            <button type="button" class="link-button" on:click=move |_| retry.run(())>"Try again"</button>
        </p>
    }
    .erase()
}

/// Says what failed and what can be done; sets the status of the answer.
#[component]
fn Failure(error: AppError, retry: Callback<()>, missing: Option<fn(AppError) -> AnyView>) -> impl IntoView {
    set_status(error.kind.status());
    if error.kind == ErrorKind::NotFound {
        return missing.map_or_else(|| view! { <Missing message=error.message.clone() /> }.erase(), |missing| missing(error.clone()));
    }
    let href = raw_url().href();
    view! {
        <section class="failure" role="alert">
            <h1>"This page could not be read"</h1>
            <p>{error.message}</p>
            <ul>{error.faults.into_iter().map(|fault| view! { <li><code>{fault.field}</code> ": " {fault.reason}</li> }).collect_view()}</ul>
            <p>"Receiving telemetry goes on without this page. "</p>
            <p>
                <a
                    class="button"
                    href=href
                    rel="external"
                    on:click=move |event| {
                        event.prevent_default();
                        retry.run(());
                    }
                >
                    "Try again"
                </a>
            </p>
        </section>
    }
    .erase()
}

/// Sets the status of the answer; in the browser nothing.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status)) {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}
