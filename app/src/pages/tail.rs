//! The live tail of a search. At the news of arrivals the page asks what its search finds now; the server runs that search once
//! for all who follow it. With the tail on, what is new slides in on top, unless the pointer rests on the list or the focus is
//! in it: then, and with the tail off, the number of what is new is told, and a click shows it.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::event::EventQuery;
use slowburn_domain::log::LogLine;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::tail::Fresh;
use slowburn_domain::view::{EventsPage, LogsPage, TracesPage};

use crate::api::{Model, Question, Searched, load};
use crate::erase::Erase;
use crate::live::{Topic, use_live};

/// How a search stands to the tail.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// Whether the tail is on.
    is_live: bool,
    /// Whether what arrives can be among what it finds.
    is_open: bool,
    /// The same search with the tail turned the other way.
    other: String,
}

/// A page of results that can be followed.
pub(super) trait Followed: Model + Clone + Send + Sync {
    /// What is searched.
    const SEARCHED: Searched;
    /// One of what is found, when it is new.
    const NEW: &'static str;
    /// How a raw query string stands to the tail.
    fn standing(raw: &str) -> Standing;
    /// Keys of what was found, newest first.
    fn keys(&self) -> Vec<u128>;
    /// Whether more was found than is on the page.
    fn has_more(&self) -> bool;
}

/// The queries have no type in common, and the same fields.
macro_rules! standing {
    ($query:ident, $raw:expr) => {{
        let (query, _) = $query::parse($raw);
        let (is_live, is_open) = (query.live, query.is_open());
        // Following begins with the newest.
        let query = if is_live { query } else { $query { cursor: None, to: None, ..query } };
        let other = $query { live: !is_live, ..query }.href();
        Standing { is_live, is_open, other }
    }};
}

impl Followed for TracesPage {
    const SEARCHED: Searched = Searched::Traces;
    const NEW: &'static str = "new trace";

    fn standing(raw: &str) -> Standing {
        standing!(TraceQuery, raw)
    }

    fn keys(&self) -> Vec<u128> {
        self.items.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect()
    }

    fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

impl Followed for LogsPage {
    const SEARCHED: Searched = Searched::Logs;
    const NEW: &'static str = "new log line";

    fn standing(raw: &str) -> Standing {
        standing!(LogQuery, raw)
    }

    fn keys(&self) -> Vec<u128> {
        self.items.iter().map(LogLine::key).collect()
    }

    fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

impl Followed for EventsPage {
    const SEARCHED: Searched = Searched::Events;
    const NEW: &'static str = "new event";

    fn standing(raw: &str) -> Standing {
        standing!(EventQuery, raw)
    }

    fn keys(&self) -> Vec<u128> {
        self.items.iter().map(LogLine::key).collect()
    }

    fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

/// A page of results as it is shown, and what just came into it.
#[derive(Clone)]
pub(super) struct Shown<P> {
    /// The results.
    pub(super) page: Arc<P>,
    /// Keys of what slides in.
    pub(super) arrived: Vec<u128>,
    /// Whether this is an odd time that something does.
    pub(super) is_odd: bool,
}

/// The tail of the page's search.
pub(super) struct Tail<P: Followed> {
    search: Memo<String>,
    standing: Memo<Standing>,
    /// What is shown; `None` until the page is there. The results that are on the page own it.
    shown: StoredValue<Option<RwSignal<Shown<P>>>>,
    /// A newer answer, and what is new in it.
    waiting: RwSignal<Option<(Arc<P>, Fresh)>>,
    /// Whether the pointer rests on the list.
    pointed: RwSignal<bool>,
    /// Whether the focus is in the list.
    focused: RwSignal<bool>,
    /// Whether some were skipped since the tail was turned on.
    skipped: RwSignal<bool>,
}

#[expect(clippy::expl_impl_clone_on_copy, reason = "a derived one would want the page to be copied")]
impl<P: Followed> Clone for Tail<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Followed> Copy for Tail<P> {}

impl<P: Followed> Tail<P> {
    /// Follows a search for as long as its page is shown.
    pub(super) fn follow(search: Memo<String>) -> Self {
        let tail = Self {
            search,
            standing: Memo::new(move |_| search.with(|raw| P::standing(raw))),
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
            if seen.is_some_and(|seen| seen != beat) && tail.standing.with_untracked(|standing| standing.is_open) {
                tail.ask();
            }
            beat
        });
        Effect::new(move |_| {
            if tail.is_live() && !tail.is_held() && tail.waiting.with(Option::is_some) {
                tail.show();
            }
        });
        tail
    }

    /// Shows the page that the server answered with, in place of everything before.
    pub(super) fn begin(self, page: P) -> RwSignal<Shown<P>> {
        let shown = RwSignal::new(Shown { page: Arc::new(page), arrived: Vec::new(), is_odd: false });
        self.shown.set_value(Some(shown));
        self.waiting.set(None);
        self.skipped.set(false);
        shown
    }

    fn is_live(self) -> bool {
        self.standing.with(|standing| standing.is_live)
    }

    /// Whether the reader is busy in the list, which then stays still.
    fn is_held(self) -> bool {
        self.pointed.get() || self.focused.get()
    }

    /// The list, in a frame that notices the reader in it.
    pub(super) fn frame(self, list: AnyView) -> AnyView {
        view! {
            <div
                class="results"
                on:pointerenter=move |_| self.pointed.set(true)
                on:pointerleave=move |_| self.pointed.set(false)
                on:focusin=move |_| self.focused.set(true)
                on:focusout=move |_| self.focused.set(false)
            >
                {list}
            </div>
        }
        .erase()
    }

    fn ask(self) {
        let search = self.search.get_untracked();
        leptos::task::spawn_local(async move {
            // A failure is told by the page's own question; the next news asks again.
            let Ok(answer) = load(Question::Tail(P::SEARCHED, search.clone())).await else { return };
            let Some(newest) = P::of(answer) else { return };
            if self.search.try_get_untracked() != Some(search) {
                return;
            }
            let shown = self.shown.try_get_value().flatten().and_then(|shown| shown.try_get_untracked());
            if let Some(fresh) = shown.map(|shown| Fresh::between(&shown.page.keys(), &newest.keys(), newest.has_more())) {
                self.waiting.set(Some((Arc::new(newest), fresh)));
            }
        });
    }

    /// Shows what waits.
    fn show(self) {
        let Some((page, fresh)) = self.waiting.try_update(Option::take).flatten() else { return };
        self.skipped.update(|skipped| *skipped |= fresh.has_skipped);
        if let Some(shown) = self.shown.get_value() {
            shown.try_update(|shown| *shown = Shown { page, arrived: fresh.keys, is_odd: !shown.is_odd });
        }
    }

    /// The switch, and what waits to be shown. The switch is a link; without WebAssembly the page stays as it was found.
    pub(super) fn bar(self) -> AnyView {
        let href = move || self.standing.with(|standing| standing.other.clone());
        let word = move || match (self.is_live(), self.is_held()) {
            (false, _) => "off",
            (true, false) => "on",
            (true, true) => "paused",
        };
        let told = move || self.waiting.with(|waiting| waiting.as_ref().map(|(_, fresh)| fresh.told(P::NEW)).unwrap_or_default());
        let has_new = Memo::new(move |_| !told().is_empty());
        let show = move || {
            has_new.get().then(|| {
                view! { <button type="button" class="link-button" on:click=move |_| self.show()>"Show them"</button> }
            })
        };
        let skipped = move || (self.is_live() && self.skipped.get()).then_some("More came than are shown; some were skipped.");
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
        .erase()
    }
}
