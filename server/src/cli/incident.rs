//! `slowburn incident …`: budgets that burned too fast.

use std::fmt::Write as _;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use slowburn_domain::url::{encode, encode_query};

use super::client::Client;
use super::output;

#[derive(Subcommand)]
pub(super) enum IncidentCommand {
    /// Incidents, those that began last first.
    List(List),
    /// One incident with what happened to it.
    Get {
        /// Its id.
        id: String,
    },
    /// Take an incident on.
    Acknowledge {
        /// Its id.
        id: String,
        /// Who does.
        #[arg(long, env = "USER")]
        author: String,
    },
    /// Write a note into an incident.
    Note {
        /// Its id.
        id: String,
        /// What is worth remembering.
        text: String,
        /// Who writes it.
        #[arg(long, env = "USER")]
        author: String,
    },
}

#[derive(Args)]
pub(super) struct List {
    /// Only those in this state.
    #[arg(long)]
    state: Option<State>,
    /// Only those of this SLO.
    #[arg(long)]
    slo: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// Where the previous page ended.
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Open,
    Closed,
}

pub(super) fn run(command: &IncidentCommand, client: &Client) -> anyhow::Result<()> {
    let story = match command {
        IncidentCommand::List(list) => return self::list(list, client),
        IncidentCommand::Get { id } => client.get(&path(id)?)?,
        IncidentCommand::Acknowledge { id, author } => client.post(&format!("{}/acknowledge", path(id)?), &json!({"author": author}))?,
        IncidentCommand::Note { id, text, author } => {
            client.post(&format!("{}/notes", path(id)?), &json!({"author": author, "text": text}))?
        }
    };
    output(&if client.json { story.to_string() } else { told(&story) });
    Ok(())
}

fn path(id: &str) -> anyhow::Result<String> {
    if id.is_empty() || id.contains('/') {
        bail!("{id:?} is no id");
    }
    Ok(format!("/api/v1/incidents/{}", encode(id)))
}

fn list(list: &List, client: &Client) -> anyhow::Result<()> {
    let state = list.state.map_or("", |state| match state {
        State::Open => "open",
        State::Closed => "closed",
    });
    let limit = list.limit.to_string();
    let pairs = [
        ("state", state),
        ("slo", list.slo.as_deref().unwrap_or_default()),
        ("limit", &limit),
        ("cursor", list.cursor.as_deref().unwrap_or_default()),
    ];
    let found = client.get(&format!("/api/v1/incidents?{}", encode_query(pairs.into_iter().filter(|(_, value)| !value.is_empty()))))?;
    if client.json {
        output(&found.to_string());
        return Ok(());
    }
    let mut text: String = found["items"].as_array().into_iter().flatten().map(line).collect();
    if let Some(cursor) = found["next"].as_str() {
        let _ = writeln!(text, "more: --cursor {cursor}");
    }
    output(&text);
    Ok(())
}

fn line(incident: &Value) -> String {
    let text = |key: &str| incident[key].as_str().unwrap_or("?");
    let mut line = format!("{} {} {}, {}, since {}", text("id"), text("slo"), text("state"), text("tier"), text("opened_at"));
    if let Some(at) = incident["closed_at"].as_str() {
        let _ = write!(line, " until {at}");
    }
    if let Some(name) = incident["acknowledged_by"].as_str() {
        let _ = write!(line, ", taken on by {name}");
    }
    if incident["is_measured"] == Value::Bool(false) {
        line.push_str(", unmeasured");
    }
    line.push('\n');
    line
}

fn told(incident: &Value) -> String {
    let mut story = line(incident);
    for change in incident["changes"].as_array().into_iter().flatten() {
        let text = |key: &str| change[key].as_str().unwrap_or("?");
        let by = change["author"].as_str().map_or_else(String::new, |author| format!(" by {author}"));
        let _ = writeln!(story, "  {} {} ({}){by}: {}", text("at"), text("step"), text("tier"), text("reason"));
    }
    story
}
