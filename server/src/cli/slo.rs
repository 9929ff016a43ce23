//! `slowburn slo …`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::Value;
use slowburn_backend::openslo;
use slowburn_domain::number;
use slowburn_domain::url::encode;

use super::client::Client;
use super::{output, progress};

#[derive(Subcommand)]
pub(super) enum SloCommand {
    /// Every SLO, worst first.
    List,
    /// One SLO.
    Get {
        /// Its name.
        name: String,
    },
    /// Apply OpenSLO files, all documents or none.
    Apply {
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
        /// With --dry-run: only check the files, without a server.
        #[arg(long, requires = "dry_run")]
        offline: bool,
        /// Return only when what was stored before is counted too, with a progress bar.
        #[arg(long, conflicts_with = "dry_run")]
        wait: bool,
        /// Files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// What applying the files would change.
    Diff {
        /// Files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Check OpenSLO files, without a server.
    Lint {
        /// Files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Every document as YAML.
    Export {
        /// As recording and alerting rules for Prometheus instead.
        #[arg(long)]
        prometheus_rules: bool,
    },
}

pub(super) fn run(command: &SloCommand, client: impl Fn() -> anyhow::Result<Client>) -> anyhow::Result<()> {
    match command {
        SloCommand::List => list(&client()?),
        SloCommand::Get { name } => get(&client()?, name),
        SloCommand::Lint { files } | SloCommand::Apply { offline: true, files, .. } => lint(files),
        SloCommand::Apply { dry_run, wait, files, .. } => {
            let client = client()?;
            let applied = apply(&client, files, *dry_run)?;
            if *wait { progress::wait(&client, &applied) } else { Ok(()) }
        }
        SloCommand::Diff { files } => apply(&client()?, files, true).map(drop),
        SloCommand::Export { prometheus_rules } => {
            output(&client()?.get_text(if *prometheus_rules { "/api/v1/prometheus-rules" } else { "/api/v1/openslo" })?);
            Ok(())
        }
    }
}

fn read(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut documents = Vec::new();
    for file in files {
        documents.push(std::fs::read_to_string(file).with_context(|| file.display().to_string())?);
    }
    Ok(documents.join("\n---\n"))
}

fn lint(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        match openslo::parse(&text) {
            Ok(parsed) => {
                for warning in parsed.warnings {
                    output(&format!("{}: warning: {warning}", file.display()));
                }
                for definition in parsed.definitions {
                    output(&format!("{}: {} is sound", file.display(), definition.objective.name));
                }
            }
            Err(found) => faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", file.display()))),
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n          ")) }
}

fn apply(client: &Client, files: &[PathBuf], dry_run: bool) -> anyhow::Result<Value> {
    let path = if dry_run { "/api/v1/openslo?dry_run=true" } else { "/api/v1/openslo" };
    let applied = client.put(path, read(files)?)?;
    if client.json {
        output(&applied.to_string());
        return Ok(applied);
    }
    let mut text = String::new();
    for warning in applied["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "warning: {}: {}", warning["field"].as_str().unwrap_or("?"), warning["reason"].as_str().unwrap_or("?"));
    }
    for change in applied["changes"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "{} {}", change["name"].as_str().unwrap_or("?"), change["change"].as_str().unwrap_or("?"));
        for difference in change["differences"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "  {}", difference.as_str().unwrap_or("?"));
        }
    }
    output(&text);
    Ok(applied)
}

fn list(client: &Client) -> anyhow::Result<()> {
    let slos = client.get("/api/v1/slos?limit=1000")?;
    if client.json {
        output(&slos.to_string());
        return Ok(());
    }
    let mut text = format!("{:<36} {:<12} {:>9} {:>10} {:>8}  {}\n", "NAME", "ALERT", "TARGET", "LEFT", "BURN 1h", "GONE IN");
    for slo in slos["items"].as_array().into_iter().flatten() {
        text.push_str(&line(slo));
    }
    output(&text);
    Ok(())
}

fn line(slo: &Value) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    format!(
        "{:<36} {:<12} {:>9} {:>10} {:>8}  {}\n",
        slo["name"].as_str().unwrap_or("?"),
        slo["alert"].as_str().unwrap_or("?"),
        or_dash(slo["target"].as_f64().map(number::target_percent)),
        or_dash(slo["error_budget"]["remaining_ratio"].as_f64().map(number::budget_percent)),
        or_dash(slo["burn_rates"]["1h"].as_f64().map(number::burn)),
        or_dash(slo["time_to_exhaustion_seconds"].as_f64().map(number::long_duration)),
    )
}

fn get(client: &Client, name: &str) -> anyhow::Result<()> {
    let slo = client.get(&format!("/api/v1/slos/{}", encode(name)))?;
    output(&if client.json { slo.to_string() } else { serde_json::to_string_pretty(&slo)? });
    Ok(())
}
