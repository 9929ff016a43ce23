//! What the server does with what it gets: how long it stays, how much room that takes and will take, what is read as a
//! correlation ID, what is never stored. Values are changed in `slowburn.toml` or by environment, so they are only shown.

use leptos::prelude::*;
use leptos_meta::Title;
use slowburn_domain::number::{bytes, grouped, long_duration};
use slowburn_domain::storage::StorageReport;
use slowburn_domain::view::SettingsPage as Page;

use crate::api::{Question, ask};
use crate::clock::provide_now;
use crate::erase::Erase;
use crate::widgets::figure::Figure;
use crate::widgets::loadable::Loadable;

/// The page at `/settings`.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let page = ask(|| Question::Settings);
    view! {
        <Title text="Settings" />
        <Loadable resource=page content=|page: Page| view! { <Content page=page /> }.erase() />
    }
}

#[component]
fn Content(page: Page) -> impl IntoView {
    provide_now(page.now);
    let emails = if page.redacts_emails { "E-mail addresses are replaced too." } else { "E-mail addresses are left as they are." };
    view! {
        <h1>"Settings"</h1>
        <p class="lead answer">{page.storage.sentence()}</p>
        <Storage report=page.storage />
        <section aria-labelledby="correlation">
            <h2 id="correlation">"Correlation"</h2>
            <p class="muted">"The first of these attributes that a span has is its correlation ID; members of baggage go by the same names."</p>
            <ol class="names">{names(page.correlation_attributes)}</ol>
        </section>
        <section aria-labelledby="redaction">
            <h2 id="redaction">"Never stored"</h2>
            <p class="muted">"Values of attributes whose key holds one of these words, bearer tokens, card numbers and private keys. " {emails}</p>
            <ul class="names">{names(page.redacted_keys)}</ul>
        </section>
        <Sampling rules=page.sampling />
        <section aria-labelledby="senders">
            <h2 id="senders">"Senders"</h2>
            <p>"OpenTelemetry SDKs send to " <code>{page.otlp_http}</code> "."</p>
            <p class="muted">"All of this is set in " <code>"slowburn.toml"</code> " or by environment; " <code>"slowburn config defaults"</code> " lists every setting."</p>
        </section>
    }
    .erase()
}

/// What is left out of what is stored.
#[component]
fn Sampling(rules: Vec<String>) -> impl IntoView {
    let told = if rules.is_empty() {
        "Off: every span that is accepted is stored."
    } else {
        "Of traces without an error or a bad event a share is stored, by the first of these rules that one of their spans meets. Objectives and rates count all spans."
    };
    view! {
        <section aria-labelledby="sampling">
            <h2 id="sampling">"Sampling"</h2>
            <p class="muted">{told}</p>
            <ol class="names">{names(rules)}</ol>
        </section>
    }
    .erase()
}

fn names(names: Vec<String>) -> impl IntoView {
    names.into_iter().map(|name| view! { <li><code>{name}</code></li> }).collect_view()
}

/// The figures, and what takes the room as a table.
#[component]
fn Storage(report: StorageReport) -> impl IntoView {
    let usage = report.usage;
    let per_span = usage.segments.saturating_add(usage.indexes).checked_div(report.span_count);
    let forecast = report.forecast.map_or_else(
        || ("–".to_owned(), "known once the first slot has closed".to_owned()),
        |forecast| (bytes(forecast.database_bytes), format!("{} a day arrive", bytes(forecast.bytes_per_day))),
    );
    let rows = [
        ("Segments", usage.segments, "spans, in columns and compressed"),
        ("Indexes", usage.indexes, "what finds them by trace, time and ID"),
        ("Kept", usage.kept, "bad traces and a sample, for five weeks beyond retention"),
        ("Counts", usage.counts, "of SLOs, operations and calls: minutes for 97 days, hours for 13 months, days for five years"),
    ];
    let all = usage.database.max(1) as f64;
    view! {
        <dl class="figures">
            <Figure label="Database now" value=bytes(usage.database) note=format!("{} segments", grouped(report.segment_count)) />
            <Figure label="Database later" value=forecast.0 note=forecast.1 />
            <Figure
                label="Spans"
                value=grouped(report.span_count)
                note=per_span.map_or_else(String::new, |size| format!("{size} B each, indexes included"))
            />
            <Figure
                label="Raw spans stay"
                value=long_duration(f64::from(report.retention_minutes) * 60.0)
                note=format!("dropped in slots of {} min", report.slot_minutes)
            />
        </dl>
        <section aria-labelledby="room">
            <h2 id="room">"What takes the room"</h2>
            <table class="rows room">
                <thead><tr><th scope="col">"Part"</th><th scope="col" class="number">"Size"</th><th scope="col">"Share"</th><th scope="col">"Holds"</th></tr></thead>
                <tbody>
                    {rows
                        .into_iter()
                        .map(|(part, size, holds)| {
                            view! {
                                <tr>
                                    <th scope="row">{part}</th>
                                    <td class="number">{bytes(size)}</td>
                                    <td>
                                        <svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=format!("{:.0} %", size as f64 / all * 100.0)>
                                            <rect class="share-track" width="100" height="8"></rect>
                                            <rect class="share-fill" width=format!("{:.1}", size as f64 / all * 100.0) height="8"></rect>
                                        </svg>
                                    </td>
                                    <td class="muted">{holds}</td>
                                </tr>
                            }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </section>
    }
    .erase()
}
