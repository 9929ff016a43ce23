//! The waterfall of one trace: a row per span with its name on the left and its bar on the common time axis, the critical
//! path drawn through, errors and events as marks, an overview of the whole above.
//!
//! Every row is a link to the same page with that span selected, so all of it works without WebAssembly; a long trace is
//! then shown in parts. After hydration a long trace scrolls as a whole while only the rows near the visible ones exist,
//! rows fold, and `j`/`k` move the selection.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;
use slowburn_domain::story;
use slowburn_domain::timeline::svg_percent;
use slowburn_domain::view::TracePage;
use slowburn_domain::waterfall::{self, Connector, Waterfall as Geometry};

use crate::widgets::waterfall_row::Row;

/// Height of a row in pixels; the style sheet's `--wf-row` says the same.
pub const ROW_HEIGHT: usize = 28;
/// Rows up to which a trace is shown whole, and rows of a part before hydration.
pub const PART: usize = 200;
/// Height in pixels that the frame does not exceed; the style sheet says the same.
const MOST_FRAME_HEIGHT: usize = 900;
/// Rows kept ready above and below the visible ones.
const MARGIN: usize = 24;
/// Strips of the overview.
const STRIPS: usize = 120;
/// A trace with fewer rows needs no overview.
const MAP_FROM: usize = 24;

/// One trace, laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// The trace.
    pub page: TracePage,
    /// Where everything stands.
    pub geometry: Geometry,
}

/// What the parts of a waterfall share.
#[derive(Clone, Copy)]
struct Shared {
    laid: StoredValue<Arc<Laid>>,
    selected: Memo<Option<u32>>,
    collapsed: RwSignal<BTreeSet<u32>>,
    /// Indices of rows that are not folded away.
    shown: Memo<Vec<u32>>,
    /// The vertical pieces of the critical path between them.
    pieces: Memo<Vec<Connector>>,
    /// First and last + 1 position in `shown` of the rows that exist.
    window: RwSignal<(usize, usize)>,
    /// Whether the whole scrolls, with room kept for rows that do not exist.
    scrolls: RwSignal<bool>,
    frame: NodeRef<Div>,
    select: Callback<u32>,
}

/// The waterfall.
#[component]
pub fn Waterfall(
    laid: Arc<Laid>,
    /// Row of the selected span.
    selected: Memo<Option<u32>>,
    /// Row with which a long trace begins before hydration; the selected one otherwise.
    first_row: Option<usize>,
    /// Selects a row.
    select: Callback<u32>,
) -> impl IntoView {
    let count = laid.page.rows.len();
    let begin = first_row.or(selected.get_untracked().map(|row| row as usize)).filter(|row| *row < count).unwrap_or(0) / PART * PART;
    let stored = StoredValue::new(Arc::clone(&laid));
    let collapsed = RwSignal::new(BTreeSet::new());
    let shown = Memo::new(move |_| collapsed.with(|collapsed| stored.with_value(|l| waterfall::visible(&l.page.rows, collapsed))));
    let pieces =
        Memo::new(move |_| shown.with(|shown| stored.with_value(|l| waterfall::connectors(&l.page.rows, shown, &l.geometry.bars))));
    let shared = Shared {
        laid: stored,
        selected,
        collapsed,
        shown,
        pieces,
        window: RwSignal::new(if count <= PART { (0, count) } else { (begin, (begin + PART).min(count)) }),
        scrolls: RwSignal::new(false),
        frame: NodeRef::new(),
        select,
    };
    come_alive(shared, count);
    listen_for_keys(shared);
    view! {
        <div class="wf">
            {(count >= MAP_FROM).then(|| view! { <Map shared=shared /> })}
            <Head shared=shared />
            <div class="wf-frame" node_ref=shared.frame on:scroll=move |_| follow_scroll(shared)>
                <Body shared=shared />
            </div>
            {(count > PART).then(|| view! { <Parts shared=shared count=count /> })}
        </div>
    }
}

/// The axis above the bars.
#[component]
fn Head(shared: Shared) -> impl IntoView {
    let laid = shared.laid.get_value();
    let axis = &laid.geometry.axis;
    let labels = axis.ticks(axis.start(), 5).into_iter().enumerate().map(|(index, tick)| {
        let anchor = if tick.x > 0.92 {
            "end"
        } else if tick.x < 0.02 {
            "start"
        } else {
            "middle"
        };
        view! {
            <text class=if index % 2 == 0 { "tick" } else { "tick minor" } x=svg_percent(tick.x) y="14" text-anchor=anchor>
                {story::offset(tick.at, axis.start())}
            </text>
        }
    });
    view! {
        <div class="wf-head" aria-hidden="true">
            <span class="muted">"Service and operation"</span>
            <svg class="wf-axis">{labels.collect_view()}</svg>
        </div>
    }
}

/// The rows that exist now, with grid and critical path behind them.
#[component]
fn Body(shared: Shared) -> impl IntoView {
    let rows = move || {
        let (first, last) = shared.window.get();
        shared.shown.with(|shown| shown.get(first..last.min(shown.len())).unwrap_or_default().to_vec())
    };
    let above = move || if shared.scrolls.get() { shared.window.get().0 * ROW_HEIGHT } else { 0 };
    let below = move || {
        let missing = shared.shown.with(Vec::len).saturating_sub(shared.window.get().1);
        if shared.scrolls.get() { missing * ROW_HEIGHT } else { 0 }
    };
    let row = move |index: u32| {
        let is_selected = Signal::derive(move || shared.selected.get() == Some(index));
        let is_collapsed = Signal::derive(move || shared.collapsed.with(|c| c.contains(&index)));
        let toggle = Callback::new(move |()| fold(shared, index));
        let chosen = Callback::new(move |()| shared.select.run(index));
        let laid = shared.laid.get_value();
        view! { <Row laid=laid index=index is_selected=is_selected is_collapsed=is_collapsed toggle=toggle select=chosen /> }
    };
    view! {
        <div class="wf-body">
            <svg class="wf-over wf-grid" aria-hidden="true">{grid(&shared.laid.get_value())}</svg>
            <svg class="wf-spacer" width="1" height=above aria-hidden="true"></svg>
            <ol class="wf-rows">
                <For each=rows key=|index| *index children=row />
            </ol>
            <svg class="wf-spacer" width="1" height=below aria-hidden="true"></svg>
            <svg class="wf-over wf-path" aria-hidden="true">{move || path(shared)}</svg>
        </div>
    }
}

/// Lines at the axis' ticks, and stretches in which no span ran.
fn grid(laid: &Laid) -> impl IntoView + use<> {
    let axis = &laid.geometry.axis;
    let lines = axis.ticks(axis.start(), 5).into_iter().map(|tick| {
        let x = svg_percent(tick.x);
        view! { <line x1=x.clone() x2=x y1="0" y2="100%"></line> }
    });
    let folds = axis
        .folds()
        .map(|fold| view! { <rect class="fold" x=svg_percent(fold.x) width=svg_percent(fold.width) y="0" height="100%"></rect> });
    (lines.collect_view(), folds.collect_view())
}

/// The vertical pieces of the critical path near the rows that exist.
fn path(shared: Shared) -> impl IntoView {
    let (first, last) = shared.window.get();
    let origin = if shared.scrolls.get() { 0 } else { first };
    let y = |row: usize| (row.max(first) - origin) * ROW_HEIGHT + ROW_HEIGHT - 5;
    shared.pieces.with(|pieces| {
        let near = pieces.iter().filter(|piece| (piece.from as usize) < last && piece.to as usize >= first);
        near.map(|piece| {
            let x = svg_percent(piece.x);
            view! { <line x1=x.clone() x2=x y1=y(piece.from as usize) y2=y((piece.to as usize).min(last))></line> }
        })
        .collect_view()
    })
}

/// The whole trace in a strip; a click scrolls there.
#[component]
fn Map(shared: Shared) -> impl IntoView {
    let laid = shared.laid.get_value();
    let strips = laid.geometry.strips(&laid.page.rows, STRIPS);
    let view_box = format!("0 0 1000 {}", strips.len());
    let rects = strips.into_iter().enumerate().map(|(index, strip)| {
        let class = if strip.failed { "wf-bar failed" } else { "wf-bar" };
        view! {
            <g class=crate::widgets::service::service_class(strip.colour)>
                <rect class=class x=(strip.x * 1e3).round() y=index width=(strip.width * 1e3).round().max(2.0) height="1"></rect>
            </g>
        }
    });
    let jump = move |event: leptos::ev::MouseEvent| {
        if let Some(frame) = shared.frame.get_untracked() {
            let share = f64::from(event.offset_y()) / MAP_HEIGHT;
            frame.set_scroll_top((share * f64::from(frame.scroll_height())) as i32 - frame.client_height() / 2);
        }
    };
    view! {
        <div class="wf-map" aria-hidden="true" on:click=jump>
            <svg viewBox=view_box preserveAspectRatio="none">{rects.collect_view()}</svg>
        </div>
    }
}

/// Height of the overview in pixels, as in the style sheet.
const MAP_HEIGHT: f64 = 56.0;

/// Links to the parts of a long trace, until the whole of it scrolls.
#[component]
fn Parts(shared: Shared, count: usize) -> impl IntoView {
    let (first, last) = shared.window.get_untracked();
    let link = |label: &'static str, row: usize| view! { <a href=format!("?row={row}")>{label}</a> };
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

/// After hydration: lets a long trace scroll as a whole, and keeps the selected row in view.
fn come_alive(shared: Shared, count: usize) {
    Effect::new(move |seen: Option<()>| {
        let selected = shared.selected.get();
        if seen.is_none() && count > PART {
            shared.scrolls.set(true);
        }
        let Some(row) = selected else { return };
        if seen.is_some() || count > PART {
            let above = shared.laid.with_value(|l| waterfall::ancestors(&l.page.rows, row));
            if shared.collapsed.with_untracked(|c| above.iter().any(|a| c.contains(a))) {
                shared.collapsed.update(|c| c.retain(|row| !above.contains(row)));
            }
            request_animation_frame(move || bring_into_view(shared, row));
        }
    });
}

fn bring_into_view(shared: Shared, row: u32) {
    let Some(frame) = shared.frame.get_untracked() else { return };
    let Ok(position) = shared.shown.with_untracked(|shown| shown.binary_search(&row)) else { return };
    let (top, height) = (frame.scroll_top(), frame.client_height());
    let (row_top, row_height) = ((position * ROW_HEIGHT) as i32, ROW_HEIGHT as i32);
    if row_top < top || row_top + row_height > top + height {
        frame.set_scroll_top(row_top - height / 2);
    }
    follow_scroll(shared);
}

/// Chooses the rows that exist by where the frame stands.
fn follow_scroll(shared: Shared) {
    let Some(frame) = shared.frame.get_untracked().filter(|_| shared.scrolls.get_untracked()) else { return };
    let count = shared.shown.with_untracked(Vec::len);
    let top = (frame.scroll_top().max(0) as usize / ROW_HEIGHT).min(count);
    // As many as the frame may hold: it is lower while rows are folded away, and grows without a scroll event.
    let visible = MOST_FRAME_HEIGHT / ROW_HEIGHT + 1;
    // In steps of half the margin, so that most scroll events change nothing.
    let first = top.saturating_sub(MARGIN) / (MARGIN / 2) * (MARGIN / 2);
    let window = (first, (top + visible + MARGIN).next_multiple_of(MARGIN / 2).min(count));
    if shared.window.get_untracked() != window {
        shared.window.set(window);
    }
}

/// Folds or unfolds what is below a row.
fn fold(shared: Shared, row: u32) {
    shared.collapsed.update(|collapsed| {
        if !collapsed.remove(&row) {
            collapsed.insert(row);
        }
    });
    if shared.scrolls.get_untracked() {
        follow_scroll(shared);
    } else {
        shared.window.set((0, shared.shown.with_untracked(Vec::len)));
    }
}

/// `j` and `k` select the next and the previous row.
fn listen_for_keys(shared: Shared) {
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            let step: i64 = match event.key().as_str() {
                "j" => 1,
                "k" => -1,
                _ => return,
            };
            if event.ctrl_key() || event.meta_key() || event.alt_key() || crate::browser::is_typing(&event) {
                return;
            }
            let next = shared.shown.with_untracked(|shown| {
                let at = shared.selected.get_untracked().and_then(|row| shown.binary_search(&row).ok()).unwrap_or(0);
                shown.get(usize::try_from(at as i64 + step).ok()?).copied()
            });
            if let Some(row) = next {
                shared.select.run(row);
            }
        });
        on_cleanup(move || handle.remove());
    });
}
