//! Which time the charts show: links, so that they work without JavaScript and a colleague sees the same.

use leptos::prelude::*;
use slowburn_domain::url::decode_query;

use crate::erase::Erase;
use crate::url::raw_url;

const RANGES: [(&str, &str); 5] = [("-1h", "1 h"), ("-6h", "6 h"), ("-1d", "24 h"), ("-7d", "7 d"), ("", "Window")];

/// The choice of ranges; the shown one says so.
#[component]
pub fn RangePicker() -> impl IntoView {
    let url = raw_url();
    let shown = Memo::new(move |_| {
        let pairs = url.search.with(|search| decode_query(search));
        let value = |key: &str| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1.clone()).unwrap_or_default();
        (value("from"), value("to"))
    });
    let link = move |(from, name): (&'static str, &'static str)| {
        let href = move || url.path.with(|path| if from.is_empty() { path.clone() } else { format!("{path}?from={from}") });
        let current = move || shown.with(|(f, t)| f == from && t.is_empty()).then_some("true");
        view! { <li><a href=href aria-current=current>{name}</a></li> }
    };
    let zoomed = move || shown.with(|(from, to)| !to.is_empty() || (!from.is_empty() && !RANGES.iter().any(|range| range.0 == from)));
    view! {
        <nav class="ranges" aria-label="Time range of the charts">
            <ul>{RANGES.map(link).collect_view()}</ul>
            <span class="muted">{move || if zoomed() { "Zoomed in; double click goes back" } else { "Drag over a chart to zoom in" }}</span>
        </nav>
    }
    .erase()
}
