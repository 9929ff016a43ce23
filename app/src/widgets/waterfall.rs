//! The waterfall of one trace: a row per span with its name on the left and its bar on the common time axis, the critical
//! path drawn through, errors and events as marks, an overview of the whole above.
//!
//! Every row is a link to the same page with that span selected, so all of it works without WebAssembly; a long trace is
//! then shown in parts. After hydration a long trace scrolls as a whole while only the rows near the visible ones exist
//! ([`scroll`]), rows fold, a drag over the axis zooms, and keys move the selection.

mod keys;
pub mod overview;
mod scroll;

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;
use slowburn_domain::outline::Outline;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::waterfall::{self, Connector, Waterfall as Geometry, Zoom};

use self::overview::{Head, Map};
use crate::widgets::markup::Markup;
use crate::widgets::waterfall_row::Row;

/// Height of a row in pixels; the style sheet's `--wf-row` says the same.
pub const ROW_HEIGHT: usize = 28;
/// Rows up to which a trace is shown whole, and rows of a part before hydration.
pub const PART: usize = 200;
/// A trace with fewer rows needs no overview.
const MAP_FROM: usize = 24;

/// One trace, laid out for a part of its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// Its spans.
    pub outline: Arc<Outline>,
    /// Where everything stands.
    pub geometry: Geometry,
}

impl Laid {
    /// Lays a trace out; `None` shows all of its time.
    pub fn new(outline: Arc<Outline>, zoom: Option<Zoom>) -> Self {
        let geometry = Geometry::of(&outline, zoom);
        Self { outline, geometry }
    }
}

/// What the parts of a waterfall share.
#[derive(Clone, Copy)]
pub struct Shared {
    /// The whole time, for the overview.
    whole: StoredValue<Arc<Laid>>,
    /// The time shown.
    laid: Memo<Arc<Laid>>,
    selected: Memo<Option<u32>>,
    collapsed: RwSignal<BTreeSet<u32>>,
    /// Rows that are not folded away.
    shown: Memo<Vec<u32>>,
    /// The vertical pieces of the critical path between them.
    pieces: Memo<Vec<Connector>>,
    /// First and last + 1 position in `shown` of the rows that exist.
    window: RwSignal<(usize, usize)>,
    /// First and last + 1 position in `shown` of the rows in view, once the whole scrolls.
    in_view: RwSignal<Option<(usize, usize)>>,
    /// Whether the whole scrolls, with room kept for rows that do not exist.
    scrolls: RwSignal<bool>,
    frame: NodeRef<Div>,
    select: Callback<u32>,
    zoom_to: Callback<Option<Zoom>>,
}

impl Shared {
    fn outline(self) -> Arc<Outline> {
        self.whole.with_value(|laid| Arc::clone(&laid.outline))
    }
}

/// The waterfall.
#[component]
pub fn Waterfall(
    outline: Arc<Outline>,
    /// The part of the time that is shown; `None`: all of it.
    zoom: Memo<Option<Zoom>>,
    /// Row of the selected span.
    selected: Memo<Option<u32>>,
    /// Row with which a long trace begins before hydration; the selected one otherwise.
    first_row: Option<usize>,
    /// Selects a row.
    select: Callback<u32>,
    /// Zooms to a part of the time; `None`: out again.
    zoom_to: Callback<Option<Zoom>>,
) -> impl IntoView {
    let count = outline.spans.len();
    let begin = first_row.or(selected.get_untracked().map(|row| row as usize)).filter(|row| *row < count).unwrap_or(0) / PART * PART;
    let whole = Arc::new(Laid::new(Arc::clone(&outline), None));
    let laid = {
        let (whole, outline) = (Arc::clone(&whole), Arc::clone(&outline));
        let lay_out = move |_: Option<&Arc<Laid>>| match zoom.get() {
            None => Arc::clone(&whole),
            zoom => Arc::new(Laid::new(Arc::clone(&outline), zoom)),
        };
        // Comparing all bars would cost more than drawing the visible ones.
        Memo::new_with_compare(lay_out, |_, _| true)
    };
    let collapsed = RwSignal::new(BTreeSet::new());
    let shown = Memo::new(move |_| collapsed.with(|collapsed| waterfall::visible(&outline, collapsed)));
    let pieces = Memo::new(move |_| shown.with(|shown| laid.with(|laid| waterfall::connectors(&laid.outline, shown, &laid.geometry))));
    let shared = Shared {
        whole: StoredValue::new(whole),
        laid,
        selected,
        collapsed,
        shown,
        pieces,
        window: RwSignal::new(if count <= PART { (0, count) } else { (begin, (begin + PART).min(count)) }),
        in_view: RwSignal::new(None),
        scrolls: RwSignal::new(false),
        frame: NodeRef::new(),
        select,
        zoom_to,
    };
    scroll::come_alive(shared, count);
    keys::listen(shared);
    view! {
        <div class="wf" data-keep-scroll="">
            {(count >= MAP_FROM).then(|| view! { <Map shared=shared /> })}
            <Head shared=shared />
            <div class="wf-frame" node_ref=shared.frame on:scroll=move |_| scroll::follow(shared)>
                <Body shared=shared />
            </div>
            {(count > PART).then(|| view! { <Parts shared=shared count=count zoom=zoom /> })}
        </div>
    }
}

/// The rows that exist now, with grid and critical path behind them.
#[component]
fn Body(shared: Shared) -> impl IntoView {
    // A row is made anew when the time shown changes.
    let rows = move || {
        let (first, last) = shared.window.get();
        let zoom = shared.laid.with(|laid| laid.geometry.zoom);
        let rows = shared.shown.with(|shown| shown.get(first..last.min(shown.len())).unwrap_or_default().to_vec());
        rows.into_iter().map(|row| (row, zoom)).collect::<Vec<_>>()
    };
    let above = move || if shared.scrolls.get() { shared.window.get().0 * ROW_HEIGHT } else { 0 };
    let below = move || {
        let missing = shared.shown.with(Vec::len).saturating_sub(shared.window.get().1);
        if shared.scrolls.get() { missing * ROW_HEIGHT } else { 0 }
    };
    let row = move |(index, _): (u32, Option<Zoom>)| {
        let is_selected = Signal::derive(move || shared.selected.get() == Some(index));
        let is_collapsed = Signal::derive(move || shared.collapsed.with(|c| c.contains(&index)));
        let toggle = Callback::new(move |()| scroll::fold(shared, index));
        let chosen = Callback::new(move |()| shared.select.run(index));
        let laid = shared.laid.get_untracked();
        view! { <Row laid=laid index=index is_selected=is_selected is_collapsed=is_collapsed toggle=toggle select=chosen /> }
    };
    view! {
        <div class="wf-body">
            <svg class="wf-over wf-grid" aria-hidden="true" inner_html=move || shared.laid.with(|laid| grid(laid))></svg>
            <svg class="wf-spacer" width="1" height=above aria-hidden="true"></svg>
            <ol class="wf-rows">
                <For each=rows key=|key| *key children=row />
            </ol>
            <svg class="wf-spacer" width="1" height=below aria-hidden="true"></svg>
            <svg class="wf-over wf-path" aria-hidden="true" inner_html=move || path(shared)></svg>
        </div>
    }
}

/// Lines at the axis' ticks, and stretches in which no span ran.
fn grid(laid: &Laid) -> String {
    let axis = &laid.geometry.axis;
    let mut markup = Markup::default();
    for tick in axis.ticks(laid.outline.start(), 5) {
        markup.upright("", &svg_percent(tick.x), "0", "100%");
    }
    for fold in axis.folds() {
        markup.rect("fold", &svg_percent(fold.x), &svg_percent(fold.width), "0", "100%");
    }
    markup.finish()
}

/// The vertical pieces of the critical path near the rows that exist.
fn path(shared: Shared) -> String {
    let (first, last) = shared.window.get();
    let origin = if shared.scrolls.get() { 0 } else { first };
    let y = |row: usize| ((row.max(first) - origin) * ROW_HEIGHT + ROW_HEIGHT - 5).to_string();
    let mut markup = Markup::default();
    shared.pieces.with(|pieces| {
        for piece in pieces.iter().filter(|piece| (piece.from as usize) < last && piece.to as usize >= first) {
            markup.upright("", &svg_percent(piece.x), &y(piece.from as usize), &y((piece.to as usize).min(last)));
        }
    });
    markup.finish()
}

/// Links to the parts of a long trace, until the whole of it scrolls.
#[component]
fn Parts(shared: Shared, count: usize, zoom: Memo<Option<Zoom>>) -> impl IntoView {
    let (first, last) = shared.window.get_untracked();
    let zoomed = zoom_suffix(zoom.get_untracked());
    let link = |label: &'static str, row: usize| view! { <a href=format!("?row={row}{zoomed}")>{label}</a> };
    let earlier = (first > 0).then(|| link("Earlier rows", first.saturating_sub(PART)));
    let later = (last < count).then(|| link("Later rows", last));
    view! {
        <nav class="pager" aria-label="Parts of the trace" hidden=move || shared.scrolls.get()>
            <span class="muted">{format!("Rows {} to {last} of {count}", first + 1)}</span>
            {earlier}
            {later}
        </nav>
    }
}

/// What a link within the waterfall ends with, so that the time shown stays.
pub(super) fn zoom_suffix(zoom: Option<Zoom>) -> String {
    zoom.map(|(from, until)| format!("&zoom={from}-{until}")).unwrap_or_default()
}
