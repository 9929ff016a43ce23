//! The live tail. At the news of arrivals the page asks what its search finds now; the server runs that search once for all
//! who follow it. With the tail on, what is new slides in on top, unless the pointer rests on the list or the focus is in
//! it: then, and with the tail off, the number of new traces is told, and a click shows them.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::id::TraceId;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::tail::Fresh;
use slowburn_domain::view::TracesPage;

use crate::api::{Model as _, Question, load};
use crate::live::{Topic, use_live};

/// A page of results as it is shown, and what just came into it.
#[derive(Clone)]
pub struct Shown {
    /// The results.
    pub page: Arc<TracesPage>,
    /// Traces that slide in.
    pub arrived: Vec<TraceId>,
    /// Whether this is an odd time that some do.
    pub is_odd: bool,
}

/// The tail of the page's search.
#[derive(Clone, Copy)]
pub struct Tail {
    search: Memo<String>,
    /// The search as understood.
    query: Memo<TraceQuery>,
    /// What is shown; `None` until the page is there. The results that are on the page own it.
    shown: StoredValue<Option<RwSignal<Shown>>>,
    /// A newer answer, and what is new in it.
    waiting: RwSignal<Option<(Arc<TracesPage>, Fresh)>>,
    /// Whether the pointer rests on the list.
    pointed: RwSignal<bool>,
    /// Whether the focus is in the list.
    focused: RwSignal<bool>,
    /// Whether some were skipped since the tail was turned on.
    skipped: RwSignal<bool>,
}

impl Tail {
    /// Follows a search for as long as its page is shown.
    pub fn follow(search: Memo<String>) -> Self {
        let tail = Self {
            search,
            query: Memo::new(move |_| search.with(|raw| TraceQuery::parse(raw).0)),
            shown: StoredValue::new(None),
            waiting: RwSignal::new(None),
            pointed: RwSignal::new(false),
            focused: RwSignal::new(false),
            skipped: RwSignal::new(false),
        };
        provide_context(tail);
        let live = use_live();
        Effect::new(move |seen: Option<u32>| {
            let beat = live.beat(Topic::Arrived);
            if seen.is_some_and(|seen| seen != beat) && tail.query.with_untracked(TraceQuery::is_open) {
                tail.ask();
            }
            beat
        });
        Effect::new(move |_| {
            if tail.query.with(|query| query.live) && !tail.is_held() && tail.waiting.with(Option::is_some) {
                tail.show();
            }
        });
        tail
    }

    /// Shows the page that the server answered with, in place of everything before.
    pub fn begin(self, page: TracesPage) -> RwSignal<Shown> {
        let shown = RwSignal::new(Shown { page: Arc::new(page), arrived: Vec::new(), is_odd: false });
        self.shown.set_value(Some(shown));
        self.waiting.set(None);
        self.skipped.set(false);
        shown
    }

    /// Whether the reader is busy in the list, which then stays still.
    fn is_held(self) -> bool {
        self.pointed.get() || self.focused.get()
    }

    /// Whether the pointer rests on the list.
    pub fn set_pointed(self, pointed: bool) {
        self.pointed.set(pointed);
    }

    /// Whether the focus is in the list.
    pub fn set_focused(self, focused: bool) {
        self.focused.set(focused);
    }

    fn ask(self) {
        let search = self.search.get_untracked();
        leptos::task::spawn_local(async move {
            // A failure is told by the page's own question; the next news asks again.
            let Ok(answer) = load(Question::Tail(search.clone())).await else { return };
            let Some(newest) = TracesPage::of(answer) else { return };
            if self.search.try_get_untracked() != Some(search) {
                return;
            }
            let shown = self.shown.try_get_value().flatten().and_then(|shown| shown.try_get_untracked());
            if let Some(fresh) = shown.map(|shown| Fresh::between(&shown.page, &newest)) {
                self.waiting.set(Some((Arc::new(newest), fresh)));
            }
        });
    }

    /// Shows what waits.
    fn show(self) {
        let Some((page, fresh)) = self.waiting.try_update(Option::take).flatten() else { return };
        self.skipped.update(|skipped| *skipped |= fresh.has_skipped);
        if let Some(shown) = self.shown.get_value() {
            shown.try_update(|shown| *shown = Shown { page, arrived: fresh.traces, is_odd: !shown.is_odd });
        }
    }
}

/// The switch, and what waits to be shown. The switch is a link; without WebAssembly the page stays as it was found.
#[component]
pub fn TailBar(tail: Tail) -> impl IntoView {
    let is_live = Memo::new(move |_| tail.query.with(|query| query.live));
    let href = move || {
        let query = tail.query.get();
        let live = !query.live;
        // Following begins with the newest.
        let query = if live { TraceQuery { cursor: None, to: None, ..query } } else { query };
        TraceQuery { live, ..query }.href()
    };
    let word = move || match (is_live.get(), tail.is_held()) {
        (false, _) => "off",
        (true, false) => "on",
        (true, true) => "paused",
    };
    let told = move || tail.waiting.with(|waiting| waiting.as_ref().map(|(_, fresh)| fresh.told()).unwrap_or_default());
    let has_new = Memo::new(move |_| !told().is_empty());
    let show = move || {
        has_new.get().then(|| {
            view! { <button type="button" class="link-button" on:click=move |_| tail.show()>"Show them"</button> }
        })
    };
    let skipped = move || (is_live.get() && tail.skipped.get()).then_some("More came than are shown; some were skipped.");
    view! {
        <div class="tail" data-keep-scroll="">
            <a class="button tail-switch" href=href data-state=word>
                <span class="tail-dot" aria-hidden="true"></span>
                "Live tail "{word}
            </a>
            <span role="status">{told}" "{show}</span>
            <span class="muted">{skipped}</span>
        </div>
    }
}
