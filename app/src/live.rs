//! Live updates: one `EventSource` for the page, closed while the tab is hidden or the reader wants quiet. Its events carry
//! no data; they say that asking again is worth it. However many come, a page asks at most every two seconds.

use leptos::prelude::*;

use crate::api::PageResource;

/// What a page waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// SLOs were judged again.
    Evaluated,
    /// Records were committed.
    Arrived,
    /// Either.
    Any,
}

/// The page's live connection.
#[derive(Clone, Copy)]
pub struct Live {
    wanted: RwSignal<bool>,
    connected: RwSignal<bool>,
    evaluated: RwSignal<u32>,
    arrived: RwSignal<u32>,
}

impl Live {
    /// Whether the reader wants updates.
    pub fn is_wanted(self) -> bool {
        self.wanted.get()
    }

    /// Whether the server is heard.
    pub fn is_connected(self) -> bool {
        self.connected.get()
    }

    /// Turns updates on or off.
    pub fn toggle(self) {
        self.wanted.update(|wanted| *wanted = !*wanted);
    }

    /// A number that changes when something happened on `topic`.
    pub fn beat(self, topic: Topic) -> u32 {
        match topic {
            Topic::Evaluated => self.evaluated.get(),
            Topic::Arrived => self.arrived.get(),
            Topic::Any => self.evaluated.get().wrapping_add(self.arrived.get()),
        }
    }
}

/// Provides the connection and opens it in the browser. Call it once, at the root.
pub fn provide_live() -> Live {
    let live =
        Live { wanted: RwSignal::new(true), connected: RwSignal::new(false), evaluated: RwSignal::new(0), arrived: RwSignal::new(0) };
    provide_context(live);
    #[cfg(feature = "hydrate")]
    connection::keep(live);
    live
}

/// The page's live connection.
pub fn use_live() -> Live {
    expect_context()
}

/// Reads `resource` again when something happens on `topic`. Shown content stays until the new one is there.
pub fn refetch_on(topic: Topic, resource: PageResource) {
    let live = use_live();
    Effect::new(move |seen: Option<u32>| {
        let beat = live.beat(topic);
        if seen.is_some_and(|seen| seen != beat) {
            resource.refetch();
        }
        beat
    });
}

#[cfg(feature = "hydrate")]
mod connection {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::Closure;
    use web_sys::EventSource;

    use super::Live;
    use crate::browser;

    const PAUSE: Duration = Duration::from_secs(2);

    pub(super) fn keep(live: Live) {
        let hidden = RwSignal::new(false);
        let source = StoredValue::new_local(None::<Open>);
        Effect::new(move |first: Option<()>| {
            if first.is_none() {
                browser::on_document("visibilitychange", move |_| hidden.set(browser::is_hidden()));
            }
            let wanted = live.wanted.get() && !hidden.get();
            source.update_value(|open| {
                if !wanted {
                    *open = None;
                    live.connected.set(false);
                } else if open.is_none() {
                    *open = Open::new(live);
                }
            });
        });
    }

    /// An open connection; dropping it closes it.
    struct Open {
        source: EventSource,
        pace: Option<IntervalHandle>,
        _handlers: Vec<Closure<dyn Fn()>>,
    }

    impl Open {
        fn new(live: Live) -> Option<Self> {
            let source = EventSource::new("/api/v1/live").ok()?;
            let evaluated = Rc::new(Cell::new(false));
            let arrived = Rc::new(Cell::new(false));
            let on = |name: &str, handler: Box<dyn Fn()>| {
                let closure = Closure::<dyn Fn()>::wrap(handler);
                let _ = source.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
                closure
            };
            let handlers = vec![
                on("open", Box::new(move || live.connected.set(true))),
                on("error", Box::new(move || live.connected.set(false))),
                on("evaluated", flag(&evaluated)),
                on("arrived", flag(&arrived)),
            ];
            let pace = set_interval_with_handle(
                move || {
                    if evaluated.take() {
                        live.evaluated.update(|n| *n = n.wrapping_add(1));
                    }
                    if arrived.take() {
                        live.arrived.update(|n| *n = n.wrapping_add(1));
                    }
                },
                PAUSE,
            );
            Some(Self { source, pace: pace.ok(), _handlers: handlers })
        }
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.source.close();
            if let Some(pace) = self.pace {
                pace.clear();
            }
        }
    }

    fn flag(cell: &Rc<Cell<bool>>) -> Box<dyn Fn()> {
        let cell = Rc::clone(cell);
        Box::new(move || cell.set(true))
    }
}
