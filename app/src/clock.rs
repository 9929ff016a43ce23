//! Times as people read them. The first render shows the instant at which the server read the page, in UTC, on both sides;
//! after hydration relative times begin to move, and the reader may prefer their own zone.

use std::time::Duration;

use leptos::prelude::*;
use slowburn_domain::sentence;
use slowburn_domain::time::Timestamp;

use crate::browser;

const ZONE_KEY: &str = "slowburn-zone";
const BEAT: Duration = Duration::from_secs(5);

/// How long the page has been looked at, and in which zone times are shown.
#[derive(Clone, Copy)]
pub struct Watch {
    /// Nanoseconds since hydration, moving every few seconds.
    elapsed: RwSignal<i64>,
    /// The reader's zone instead of UTC?
    local: RwSignal<bool>,
}

impl Watch {
    /// Seconds ahead of UTC for an instant, in the zone shown.
    pub fn offset(self, at: Timestamp) -> i32 {
        if self.local.get() { browser::local_offset_seconds(at.millis()) } else { 0 }
    }

    /// Whether times are shown in the reader's zone.
    pub fn is_local(self) -> bool {
        self.local.get()
    }

    /// Changes between UTC and the reader's zone, and remembers it.
    pub fn toggle_zone(self) {
        self.local.update(|local| *local = !*local);
        browser::remember(ZONE_KEY, if self.local.get_untracked() { "local" } else { "utc" });
    }
}

/// The instant at which the page's content was read, and when that was on this page's watch.
#[derive(Clone, Copy)]
struct PageNow {
    now: Timestamp,
    elapsed: i64,
}

/// Starts the watch. Call it once, at the root.
pub fn provide_watch() -> Watch {
    let watch = Watch { elapsed: RwSignal::new(0), local: RwSignal::new(false) };
    provide_context(watch);
    Effect::new(move |_| {
        let start = browser::now_nanos();
        watch.local.set(browser::recall(ZONE_KEY).as_deref() == Some("local"));
        let beat = set_interval_with_handle(move || watch.elapsed.set(browser::now_nanos() - start), BEAT);
        on_cleanup(move || {
            if let Ok(beat) = beat {
                beat.clear();
            }
        });
    });
    watch
}

/// The watch of this page.
pub fn use_watch() -> Watch {
    expect_context()
}

/// Says when the content below was read, so that its relative times start there.
pub fn provide_now(now: Timestamp) {
    provide_context(PageNow { now, elapsed: use_watch().elapsed.get_untracked() });
}

/// The present as the page knows it: when its content was read, plus the time since.
pub fn use_now() -> Signal<Timestamp> {
    let watch = use_watch();
    let page: PageNow = expect_context();
    Signal::derive(move || page.now.plus_nanos(watch.elapsed.get() - page.elapsed))
}

/// An instant: relative in the text, absolute on hover and for machines. Needs [`provide_now`] above it.
#[component]
pub fn When(at: Timestamp) -> impl IntoView {
    let (watch, now) = (use_watch(), use_now());
    view! {
        <time class="when" datetime=at.to_string() title=move || sentence::instant(at, watch.offset(at))>
            {move || sentence::ago(now.get(), at)}
        </time>
    }
}

/// An instant in full, in the zone shown.
#[component]
pub fn Instant(at: Timestamp) -> impl IntoView {
    let watch = use_watch();
    view! { <time class="instant" datetime=at.to_string()>{move || sentence::instant(at, watch.offset(at))}</time> }
}
