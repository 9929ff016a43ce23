//! Traces and correlations told in one sentence: what happened, how long it took, where it failed.

use crate::incident::{Incident, Step};
use crate::number::{duration_nanos, grouped};
use crate::sentence::time_of_day;
use crate::slo::Tier;
use crate::span::Value;
use crate::time::Timestamp;
use crate::trace::TraceSummary;
use crate::view::{CorrelationPage, LogsPage, SpanView, TracePage, TracesPage};

/// What a failed span says about its failure: its status message, else the message or type of its exception. Empty when it
/// says nothing.
pub fn error_message(span: &SpanView) -> &str {
    if !span.status_message.is_empty() {
        return &span.status_message;
    }
    let exception = span.events.iter().find(|event| event.name == "exception");
    let text = |key: &str| exception.and_then(|e| e.attributes.iter().find(|(k, _)| k == key)).and_then(|(_, v)| Value::as_str(v));
    text("exception.message").filter(|m| !m.is_empty()).or_else(|| text("exception.type")).unwrap_or_default()
}

/// `checkout POST /pay took 1.24 s over 5 services; failed in payment: card declined.`
pub fn of_trace(page: &TracePage) -> String {
    let summary = &page.summary;
    let took = duration_nanos((summary.duration_ms * 1e6).round() as i64);
    let over = match summary.services.len() {
        0 | 1 => "in one service".to_owned(),
        n => format!("over {n} services"),
    };
    let failed = page.failure.as_ref().and_then(|failure| Some((failure, page.outline.spans.get(failure.row as usize)?)));
    let outcome = match failed {
        None => "nothing failed".to_owned(),
        Some((failure, span)) => {
            let what = if failure.message.is_empty() { page.outline.operation(span).to_owned() } else { first_line(&failure.message) };
            format!("failed in {}: {what}", page.outline.service(span))
        }
    };
    format!("{} {} took {took} {over}; {outcome}.", summary.root.service, summary.root.operation)
}

/// `3 traces, 41 spans, 12 log lines over 12.4 s; failed in payment at 14:03:07 UTC.`
pub fn of_correlation(page: &CorrelationPage) -> String {
    let spans: u64 = page.traces.iter().map(|trace| u64::from(trace.spans)).sum();
    let (start, end) = page.span();
    let traces = plural(page.traces.len() as u64, "trace");
    let first = if page.truncated { format!("The first {traces}") } else { traces };
    let bad_log = page.logs.iter().find(|log| log.is_error());
    let outcome = match (&page.first_error, bad_log) {
        (Some(bar), _) => format!("failed in {} at {} UTC", bar.service, time_of_day(bar.start, 0)),
        (None, Some(log)) => format!("{} logged an error at {} UTC", log.service, time_of_day(log.time, 0)),
        // Not all of its traces may be drawn.
        (None, None) => match page.traces.iter().filter(|trace| trace.errors > 0).count() as u64 {
            0 => "nothing failed".to_owned(),
            failed => format!("{} failed", plural(failed, "trace")),
        },
    };
    let more = if page.more_logs { "the first " } else { "" };
    let events = page.logs.iter().filter(|log| log.is_event()).count() as u64;
    let lines = page.logs.len() as u64 - events;
    let parts = [
        (!page.traces.is_empty()).then_some(first),
        (spans > 0).then(|| plural(spans, "span")),
        (lines > 0).then(|| format!("{more}{}", plural(lines, "log line"))),
        (events > 0).then(|| plural(events, "event")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{} over {}; {outcome}.", parts.join(", "), duration_nanos(end.since(start)))
}

/// `The newest 50 traces; 3 failed, the longest took 1.24 s.`
pub fn of_results(page: &TracesPage) -> String {
    let more = if page.next.is_some() { "The newest " } else { "" };
    let older = if page.query.cursor.is_some() { "Older traces: " } else { more };
    let so_far = if page.searched_to.is_some() { " found so far" } else { "" };
    let failed = page.items.iter().filter(|trace| trace.errors > 0).count() as u64;
    let outcome = if failed == 0 { "none failed".to_owned() } else { format!("{} failed", grouped(failed)) };
    let longest = page.items.iter().map(|trace| trace.duration_ms).fold(0.0, f64::max);
    let longest = duration_nanos((longest * 1e6).round() as i64);
    format!("{older}{}{so_far}; {outcome}, the longest took {longest}.", plural(page.items.len() as u64, "trace"))
}

/// `The newest 50 log lines; 3 tell of errors.`
pub fn of_logs(page: &LogsPage) -> String {
    let more = if page.next.is_some() { "The newest " } else { "" };
    let older = if page.query.cursor.is_some() { "Older: " } else { more };
    let so_far = if page.searched_to.is_some() { " found so far" } else { "" };
    let errors = page.items.iter().filter(|log| log.is_error()).count() as u64;
    let outcome = match errors {
        0 => "none tells of an error".to_owned(),
        1 => "one tells of an error".to_owned(),
        several => format!("{} tell of errors", grouped(several)),
    };
    format!("{older}{}{so_far}; {outcome}.", plural(page.items.len() as u64, "log line"))
}

/// How many incidents are open, and which the newest is.
pub fn of_incidents(open: &[Incident], now: Timestamp) -> String {
    let lasts = |incident: &Incident| format!("{} for {}", incident.title, duration_nanos(incident.duration_nanos(now)));
    match open {
        [] => "No incident is open.".to_owned(),
        [one] => format!("One incident is open: {}.", lasts(one)),
        [newest, ..] => format!("{} are open, the newest: {}.", plural(open.len() as u64, "incident"), lasts(newest)),
    }
}

/// How long an incident has lasted, how urgent it is, and who does something about it.
pub fn of_incident(incident: &Incident, now: Timestamp) -> String {
    let lasted = duration_nanos(incident.duration_nanos(now));
    let worst = incident.worst_tier.as_str();
    let hands =
        incident.acknowledged_by.as_ref().map_or_else(|| "nobody has taken it on".to_owned(), |who| format!("{who} has taken it on"));
    match (incident.closed_at, incident.is_measured) {
        (Some(_), _) => format!("It is over after {lasted}; its worst tier was {worst}."),
        (None, true) => format!("It has burned for {lasted} and is a {} now; {hands}.", incident.tier.as_str()),
        (None, false) => format!("It began {lasted} ago, and too little is heard to say whether it goes on; {hands}."),
    }
}

/// A step of an incident in words.
pub const fn step(step: Step, tier: Tier) -> &'static str {
    match (step, tier) {
        (Step::Opened, Tier::Page) => "Began as a page",
        (Step::Opened, Tier::Ticket) => "Began as a ticket",
        (Step::Escalated, _) => "Became a page",
        (Step::Deescalated, _) => "Became a ticket",
        (Step::Unmeasured, _) => "Unmeasured",
        (Step::Measured, _) => "Measured again",
        (Step::Closed, _) => "Over",
        (Step::Acknowledged, _) => "Taken on",
        (Step::Noted, _) => "Note",
    }
}

/// Whether more of a correlation may well arrive: its last span ended within a quarter of an hour before it was read.
pub fn may_go_on(page: &CorrelationPage) -> bool {
    let end = page.traces.iter().map(TraceSummary::end).max();
    end.is_none_or(|end| page.now.since(end) < 900_000_000_000)
}

/// `1 span`, `12 408 spans`.
pub fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A distance from the beginning: `+312 ms`, `0`.
pub fn offset(at: Timestamp, origin: Timestamp) -> String {
    match at.since(origin) {
        0 => "0".to_owned(),
        nanos if nanos < 0 => format!("−{}", duration_nanos(-nanos)),
        nanos => format!("+{}", duration_nanos(nanos)),
    }
}

/// A sentence holds one line; stack traces that senders put into messages follow in the details.
fn first_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim_end_matches('.');
    if line.chars().count() > 120 { line.chars().take(119).chain(['…']).collect() } else { line.to_owned() }
}

#[cfg(test)]
mod tests;
