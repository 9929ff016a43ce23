//! `slowburn trace …`.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::Value;
use slowburn_domain::number;
use slowburn_domain::url::{encode, encode_query};

use super::client::Client;
use super::output;

#[derive(Subcommand)]
pub(super) enum TraceCommand {
    /// Traces that meet all conditions, newest first. With a correlation ID alone: then also what was logged and what happened with it.
    Find(Box<Find>),
    /// One trace with its spans.
    Get {
        /// Its id, 32 hex digits.
        trace_id: String,
    },
}

#[derive(Args)]
pub(super) struct Find {
    /// Traces marked with this correlation ID.
    #[arg(long)]
    correlation: Option<String>,
    /// A span of this service.
    #[arg(long)]
    service: Option<String>,
    /// A span of this operation.
    #[arg(long)]
    operation: Option<String>,
    /// A span with this status: ok, error or unset.
    #[arg(long)]
    status: Option<String>,
    /// At least this long.
    #[arg(long)]
    min_duration_ms: Option<String>,
    /// At most this long.
    #[arg(long)]
    max_duration_ms: Option<String>,
    /// A condition in CEL on one span.
    #[arg(long)]
    filter: Option<String>,
    /// Not earlier: a time, or -1h.
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// Earlier than this.
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// Where the previous page ended.
    #[arg(long)]
    cursor: Option<String>,
}

impl Find {
    /// The correlation ID, if nothing else is asked for.
    fn only_correlation(&self) -> Option<&str> {
        let Self { correlation, service, operation, status, min_duration_ms, max_duration_ms, filter, from, to, limit: _, cursor } = self;
        let others = [service, operation, status, min_duration_ms, max_duration_ms, filter, from, to, cursor];
        correlation.as_deref().filter(|_| others.into_iter().all(Option::is_none))
    }
}

pub(super) fn run(command: &TraceCommand, client: &Client) -> anyhow::Result<()> {
    match command {
        TraceCommand::Find(find) => self::find(find, client),
        TraceCommand::Get { trace_id } => {
            let trace = client.get(&format!("/api/v1/traces/{}", encode(trace_id)))?;
            output(&if client.json { trace.to_string() } else { serde_json::to_string_pretty(&trace)? });
            Ok(())
        }
    }
}

fn find(find: &Find, client: &Client) -> anyhow::Result<()> {
    let limit = find.limit.to_string();
    let of = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let pairs = [
        ("correlation_id", of(&find.correlation)),
        ("service", of(&find.service)),
        ("operation", of(&find.operation)),
        ("status", of(&find.status)),
        ("min_duration_ms", of(&find.min_duration_ms)),
        ("max_duration_ms", of(&find.max_duration_ms)),
        ("filter", of(&find.filter)),
        ("from", of(&find.from)),
        ("to", of(&find.to)),
        ("limit", limit),
        ("cursor", of(&find.cursor)),
    ];
    let query = encode_query(pairs.iter().map(|(key, value)| (*key, value.as_str())));
    let found = client.get(&format!("/api/v1/traces?{query}"))?;
    if client.json {
        output(&found.to_string());
        return Ok(());
    }
    let mut text = String::new();
    for trace in found["items"].as_array().into_iter().flatten() {
        let _ = writeln!(
            text,
            "{}  {}  {:>9}  {:>4} spans  {:>3} errors  {} {}",
            trace["start"].as_str().unwrap_or("?"),
            trace["trace_id"].as_str().unwrap_or("?"),
            number::duration_nanos((trace["duration_ms"].as_f64().unwrap_or(0.0) * 1e6) as i64),
            trace["spans"],
            trace["errors"],
            trace["root"]["service"].as_str().unwrap_or("?"),
            trace["root"]["operation"].as_str().unwrap_or("?"),
        );
    }
    if let Some(cursor) = found["next"].as_str() {
        let _ = writeln!(text, "more: --cursor {cursor}");
    }
    if let Some(id) = find.only_correlation() {
        text += &beside(&client.get(&format!("/api/v1/correlations/{}", encode(id)))?);
    }
    output(&text);
    Ok(())
}

/// Log records and events of a story, oldest first.
fn beside(story: &Value) -> String {
    let mut text = String::new();
    for item in story["items"].as_array().into_iter().flatten().filter(|item| item["kind"] != "trace") {
        let of = |name: &str| item[name].as_str().unwrap_or("?");
        let failed = if of("status") == "error" { "error: " } else { "" };
        let _ = writeln!(text, "{}  {:<5}  {}  {failed}{}", of("time"), of("kind"), of("service"), of("title"));
    }
    text
}
