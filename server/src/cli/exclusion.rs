//! `slowburn exclusion …`: time left out of budgets.

use std::fmt::Write as _;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use slowburn_domain::number;
use slowburn_domain::url::encode;

use super::client::Client;
use super::output;

#[derive(Subcommand)]
pub(super) enum ExclusionCommand {
    /// The newest exclusions, those taken back too.
    List {
        /// Only those that concern this SLO.
        #[arg(long)]
        slo: Option<String>,
    },
    /// Leave time out of the budget of an SLO, or of all SLOs of a service.
    Add(Box<New>),
    /// Take an exclusion back: its time counts again.
    End {
        /// Its id.
        id: String,
        /// Who says so.
        #[arg(long, env = "USER")]
        author: String,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// The SLO.
    #[arg(long, required_unless_present = "service", conflicts_with = "service")]
    slo: Option<String>,
    /// All SLOs of this service.
    #[arg(long)]
    service: Option<String>,
    /// When it begins, RFC 3339; with a rule, for the first time.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// When it ends.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// How it comes again, such as FREQ=WEEKLY;BYDAY=SU (RFC 5545).
    #[arg(long, value_name = "RRULE")]
    rrule: Option<String>,
    /// By which clocks it comes again, such as Europe/Berlin; UTC unless given.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Who says so.
    #[arg(long, env = "USER")]
    author: String,
    /// Only say what it would do to the budgets.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(command: &ExclusionCommand, client: &Client) -> anyhow::Result<()> {
    match command {
        ExclusionCommand::List { slo } => {
            let filter = slo.as_ref().map_or_else(String::new, |name| format!("&slo={}", encode(name)));
            let list = client.get(&format!("/api/v1/exclusions?limit=1000{filter}"))?;
            let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
            output(&if client.json { list.to_string() } else { items.iter().map(told).collect() });
        }
        ExclusionCommand::Add(new) => {
            let body = json!({
                "slo": new.slo, "service": new.service, "from": new.from, "to": new.to, "rrule": new.rrule,
                "time_zone": new.time_zone, "reason": new.reason, "author": new.author,
            });
            let made = client.post(&format!("/api/v1/exclusions?dry_run={}", new.dry_run), &body)?;
            output(&if client.json { made.to_string() } else { told(&made) });
        }
        ExclusionCommand::End { id, author } => {
            if id.contains('/') {
                bail!("{id} is no id");
            }
            let answer = client.delete(&format!("/api/v1/exclusions/{}?author={}", encode(id), encode(author)))?;
            let ended: Value = serde_json::from_str(&answer)?;
            output(&if client.json { ended.to_string() } else { told(&ended) });
        }
    }
    Ok(())
}

fn told(exclusion: &Value) -> String {
    let text = |key: &str| exclusion[key].as_str().unwrap_or_default();
    let whose = exclusion["slo"].as_str().map_or_else(|| format!("service {}", text("service")), str::to_owned);
    let mut lines = format!("{} {whose}: {} to {}", text("id"), text("from"), text("to"));
    if let Some(rule) = exclusion["rrule"].as_str() {
        let _ = write!(lines, ", {rule} in {}", text("time_zone"));
    }
    let _ = write!(lines, "\n  {} ({})", text("reason"), text("author"));
    if let Some(at) = exclusion["removed_at"].as_str() {
        let _ = write!(lines, ", taken back {at} by {}", text("removed_by"));
    }
    lines.push('\n');
    let percent = |value: &Value| value.as_f64().map_or_else(|| "–".to_owned(), number::budget_percent);
    for effect in exclusion["effects"].as_array().into_iter().flatten() {
        let (before, after) = (percent(&effect["remaining_ratio_before"]), percent(&effect["remaining_ratio_after"]));
        let _ = writeln!(lines, "  {}: {before} of the budget left before, {after} after", effect["slo"].as_str().unwrap_or("?"));
    }
    lines
}
