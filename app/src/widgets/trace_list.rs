//! Traces as rows; as cards on a phone. The whole row leads to the trace, its correlation IDs to their own pages.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::timeline::service_colours;
use slowburn_domain::trace::TraceSummary;
use slowburn_domain::url::{correlation_path, trace_path};

use crate::clock::When;
use crate::widgets::service::ServiceDots;

/// A list of traces. Needs the page's now above it.
#[component]
pub fn TraceList(
    /// Rows in the order shown.
    traces: Vec<TraceSummary>,
    /// What the list is of.
    #[prop(into)]
    caption: String,
    /// The ID that all of them have, which the rows then need not say.
    #[prop(optional, into)]
    common_id: Option<String>,
    /// Ids of traces that have just arrived and slide in, and whether this is an odd time that some do.
    #[prop(optional)]
    arrived: (Vec<u128>, bool),
) -> impl IntoView {
    let (arrived, is_odd) = arrived;
    let mut traces = traces;
    for trace in &mut traces {
        trace.correlation_ids.retain(|id| common_id.as_ref() != Some(id));
    }
    let has_ids = common_id.is_none() || traces.iter().any(|trace| !trace.correlation_ids.is_empty());
    let id_heading = if common_id.is_none() { "Correlation ID" } else { "Other IDs" };
    let services: Vec<String> = traces.iter().flat_map(|t| &t.services).collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let colours: HashMap<String, u8> = services.iter().cloned().zip(service_colours(&services)).collect();
    let longest = traces.iter().map(|t| t.duration_ms).fold(0.0, f64::max);
    let row = |trace: TraceSummary| {
        let services = trace.services.iter().map(|name| (name.clone(), colours.get(name).copied().unwrap_or_default())).collect();
        // Two names for one movement, so that it begins anew in a row that is used again.
        let movement = if !arrived.contains(&u128::from_be_bytes(*trace.trace_id.as_bytes())) {
            ""
        } else if is_odd {
            "arrived odd"
        } else {
            "arrived"
        };
        view! { <TraceRow trace=trace services=services longest=longest has_ids=has_ids movement=movement /> }
    };
    view! {
        <table class="traces">
            <caption class="visually-hidden">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"Started"</th>
                    <th scope="col">"Root"</th>
                    <th scope="col">"Duration"</th>
                    <th scope="col" class="number">"Spans"</th>
                    <th scope="col" class="number">"Errors"</th>
                    <th scope="col">"Services"</th>
                    {has_ids.then(|| view! { <th scope="col">{id_heading}</th> })}
                </tr>
            </thead>
            <tbody>{traces.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

#[component]
fn TraceRow(trace: TraceSummary, services: Vec<(String, u8)>, longest: f64, has_ids: bool, movement: &'static str) -> impl IntoView {
    let failed = trace.errors > 0;
    view! {
        <tr class=movement class:failed=failed>
            <td class="t-when"><When at=trace.start/></td>
            <td class="t-root">
                <a class="row-link" data-row="" href=trace_path(trace.trace_id)>
                    <span class="t-service">{trace.root.service}</span>" "<span class="t-operation">{trace.root.operation}</span>
                </a>
            </td>
            <td class="t-duration"><DurationBar duration_ms=trace.duration_ms longest failed/></td>
            <td class="t-spans number" data-label="spans">{grouped(u64::from(trace.spans))}</td>
            <td class="t-errors number" data-label="errors">
                <span class=if failed { "error-count" } else { "muted" }>
                    {failed.then(|| view! { <span aria-hidden="true">"✕ "</span> })}
                    {grouped(u64::from(trace.errors))}
                </span>
            </td>
            <td class="t-services"><ServiceDots services=services/></td>
            {has_ids.then(|| view! { <td class="t-ids"><CorrelationIds ids=trace.correlation_ids/></td> })}
        </tr>
    }
}

/// A duration and its bar against the longest one shown.
#[component]
fn DurationBar(duration_ms: f64, longest: f64, failed: bool) -> impl IntoView {
    let view_box = format!("0 0 {} 1", if longest > 0.0 { longest } else { 1.0 });
    view! {
        <span class="duration">
            <span class="duration-text">{duration_nanos((duration_ms * 1e6).round() as i64)}</span>
            <svg class="duration-bar" viewBox=view_box preserveAspectRatio="none" aria-hidden="true">
                <rect class=if failed { "bar-failed" } else { "bar-ok" } x="0" y="0" width=duration_ms height="1"></rect>
            </svg>
        </span>
    }
}

/// Correlation IDs as links; beyond three a number stands for the rest.
#[component]
pub fn CorrelationIds(ids: Vec<String>) -> impl IntoView {
    const MOST: usize = 3;
    let rest = ids.len().saturating_sub(MOST);
    let all = ids.join(", ");
    let links = ids.into_iter().take(MOST).map(|id| {
        view! { <a class="id mono" href=correlation_path(&id) title=id.clone()>{id.clone()}</a> }
    });
    view! {
        <span class="ids">
            {links.collect_view()}
            {(rest > 0).then(|| view! { <span class="muted" title=all>"+"{rest}" more"</span> })}
        </span>
    }
}
