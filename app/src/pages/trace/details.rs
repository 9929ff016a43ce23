//! Everything about the selected span, beside the trace. What the outline knows is there at once. What the span itself says
//! came with the page for the first one; for others it is asked for once the selection rests.

use std::time::Duration;

use leptos::prelude::*;
use slowburn_domain::id::SpanId;
use slowburn_domain::trace_view::{TraceView, View};
use slowburn_domain::view::SpanView;
use slowburn_domain::waterfall::zoom_to;

use super::Shown;
use crate::api::{Model as _, Question, load};
use crate::browser;
use crate::clock::use_watch;
use crate::erase::Erase;
use crate::error::AppError;
use crate::widgets::span_details::{SpanDetails, span_head};

/// How long a selection rests before more is asked for: a key held down passes many spans.
const REST: Duration = Duration::from_millis(80);

/// The last span read, or why it could not be.
type Known = Option<(SpanId, Result<SpanView, AppError>)>;

/// The panel.
#[component]
pub fn Details(
    shown: Shown,
    /// The span that came with the page.
    first: Option<SpanView>,
) -> impl IntoView {
    let known: RwSignal<Known> = RwSignal::new(first.map(|span| (span.span_id, Ok(span))));
    let wanted = Memo::new(move |_| {
        let row = shown.selected.get()?;
        shown.outline.with_value(|outline| outline.spans.get(row as usize).map(|span| span.span_id))
    });
    read_when_rested(shown, wanted, known);
    let watch = use_watch();
    let head = move || {
        shown.selected.get().map_or_else(String::new, |row| {
            let outline = shown.outline();
            let colour = outline.spans.get(row as usize).map_or(0, |span| shown.colour(outline.service(span)));
            let id = move |row: u32| shown.outline.with_value(|outline| outline.spans.get(row as usize).map(|span| span.span_id));
            let view = shown.view.get_untracked();
            let zoomed = TraceView { view: View::Waterfall, span: id(row), zoom: zoom_to(&outline, row), ..TraceView::default() };
            let href = |row: u32| TraceView { span: id(row), row: None, page: None, ..view.clone() }.href(shown.trace);
            span_head(&outline, row, colour, &href, &zoomed.href(shown.trace), watch)
        })
    };
    let rest = move || {
        let id = wanted.get()?;
        let view = match known.get().filter(|(known, _)| *known == id) {
            Some((_, Ok(span))) => {
                let origin = shown.outline.with_value(|outline| outline.start());
                view! { <SpanDetails span=span origin=origin /> }.erase()
            }
            Some((_, Err(error))) => {
                let again = move |_| read(shown, id, wanted, known);
                view! {
                    <p class="notice" role="status">
                        {error.message}" "<button type="button" class="link-button" on:click=again>"Try again"</button>
                    </p>
                }
                .erase()
            }
            None => view! { <div class="skeleton" aria-busy="true"><p class="visually-hidden" role="status">"Reading the span"</p><div class="skeleton-line"></div><div class="skeleton-line"></div></div> }.erase(),
        };
        Some(view)
    };
    view! {
        <aside class="details" aria-label="Selected span" data-keep-scroll="">
            <div on:click=move |event| browser::copy_clicked(&event) inner_html=head></div>
            {rest}
        </aside>
    }
}

fn read_when_rested(shown: Shown, wanted: Memo<Option<SpanId>>, known: RwSignal<Known>) {
    Effect::new(move |_| {
        let Some(id) = wanted.get() else { return };
        if known.with_untracked(|known| known.as_ref().is_some_and(|(known, _)| *known == id)) {
            return;
        }
        let rests = move || {
            if wanted.try_get_untracked() == Some(Some(id)) {
                read(shown, id, wanted, known);
            }
        };
        set_timeout(rests, REST);
    });
}

/// Asks for a span; what comes for one that is no longer wanted is dropped.
fn read(shown: Shown, id: SpanId, wanted: Memo<Option<SpanId>>, known: RwSignal<Known>) {
    leptos::task::spawn_local(async move {
        let answer = load(Question::Span { trace: shown.trace, span: id }).await;
        let span = answer.and_then(|answer| SpanView::of(answer).ok_or_else(AppError::internal));
        if wanted.try_get_untracked() == Some(Some(id)) {
            known.set(Some((id, span)));
        }
    });
}
