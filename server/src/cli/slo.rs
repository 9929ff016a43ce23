//! `slowburn slo …`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use slowburn_backend::openslo::Library;
use slowburn_domain::number;
use slowburn_domain::url::encode;

use super::client::Client;
use super::{output, progress};

#[derive(Subcommand)]
pub(super) enum SloCommand {
    /// Every SLO, worst first.
    List {
        /// The groups of this SLO instead.
        #[arg(long, value_name = "SLO")]
        group_of: Option<String>,
    },
    /// One SLO.
    Get {
        /// Its name.
        name: String,
    },
    /// Apply OpenSLO files, all documents or none; Sloth's and Pyrra's become OpenSLO.
    Apply {
        #[command(flatten)]
        signature: Signature,
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
    /// What applying the files would change, field by field and line by line.
    Diff {
        /// Files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// What an SLO was, newest first.
    Versions {
        /// Its name.
        name: String,
    },
    /// Remove an SLO with all objectives of its document, or another document.
    Delete {
        /// Its name.
        name: String,
        /// Its kind.
        #[arg(long, default_value = "SLO")]
        kind: String,
        #[command(flatten)]
        signature: Signature,
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

/// Who changes something, and why.
#[derive(Args)]
pub(super) struct Signature {
    /// Who does it, instead of the user's name.
    #[arg(long, env = "USER", hide_env_values = true)]
    author: Option<String>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

impl Signature {
    /// The path of a call that is signed so.
    fn sign(&self, path: &str) -> String {
        let words = [("author", &self.author), ("reason", &self.reason)];
        let given = words.into_iter().filter_map(|(key, words)| words.as_ref().map(|words| format!("{key}={}", encode(words))));
        let query = given.collect::<Vec<_>>().join("&");
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

pub(super) fn run(command: &SloCommand, client: impl Fn() -> anyhow::Result<Client>) -> anyhow::Result<()> {
    match command {
        SloCommand::List { group_of } => list(&client()?, group_of.as_deref()),
        SloCommand::Get { name } => get(&client()?, name),
        SloCommand::Lint { files } | SloCommand::Apply { offline: true, files, .. } => lint(files),
        SloCommand::Apply { dry_run, wait, files, signature, .. } => {
            let client = client()?;
            let path = if *dry_run { "/api/v1/openslo?dry_run=true".to_owned() } else { signature.sign("/api/v1/openslo") };
            let applied = apply(&client, files, &path, false)?;
            if *wait { progress::wait(&client, &applied) } else { Ok(()) }
        }
        SloCommand::Diff { files } => apply(&client()?, files, "/api/v1/openslo?dry_run=true", true).map(drop),
        SloCommand::Versions { name } => versions(&client()?, name),
        SloCommand::Delete { name, kind, signature } => {
            client()?.delete(&signature.sign(&format!("/api/v1/openslo/{}/{}", encode(kind), encode(name))))?;
            output(&format!("{kind} {name} removed"));
            Ok(())
        }
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
    let mut texts = Vec::new();
    for file in files {
        texts.push((file.display(), std::fs::read_to_string(file).with_context(|| file.display().to_string())?));
    }
    // Documents may refer to those of another file.
    let library = Library::new(texts.iter().map(|(_, text)| text.as_str()));
    let mut faults = Vec::new();
    for (file, text) in &texts {
        match library.parse(text) {
            Ok(parsed) => {
                for warning in parsed.warnings {
                    output(&format!("{file}: warning: {warning}"));
                }
                for definition in parsed.definitions {
                    output(&format!("{file}: {} is sound", definition.objective.name));
                }
                for document in parsed.documents.iter().filter(|document| document.kind != "SLO") {
                    output(&format!("{file}: {} {} is sound", document.kind, document.name));
                }
            }
            Err(found) => faults.extend(found.into_iter().map(|fault| format!("{file}: {fault}"))),
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n          ")) }
}

fn apply(client: &Client, files: &[PathBuf], path: &str, with_diff: bool) -> anyhow::Result<Value> {
    let applied = client.put(path, read(files)?)?;
    if client.json {
        output(&applied.to_string());
        return Ok(applied);
    }
    let mut text = String::new();
    for warning in items(&applied["warnings"]) {
        let _ = writeln!(text, "warning: {}: {}", word(&warning["field"]), word(&warning["reason"]));
    }
    for change in items(&applied["changes"]) {
        let _ = writeln!(text, "{} {}", word(&change["name"]), word(&change["change"]));
        for difference in items(&change["differences"]) {
            let _ = writeln!(text, "  {}", word(difference));
        }
    }
    for document in items(&applied["documents"]) {
        if document["kind"] != "SLO" {
            let _ = writeln!(text, "{} {} {}", word(&document["kind"]), word(&document["name"]), word(&document["change"]));
        }
        if with_diff {
            text.push_str(document["diff"].as_str().unwrap_or_default());
        }
    }
    output(&text);
    Ok(applied)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn versions(client: &Client, name: &str) -> anyhow::Result<()> {
    let versions = client.get(&format!("/api/v1/slos/{}/versions?limit=1000", encode(name)))?;
    if client.json {
        output(&versions.to_string());
        return Ok(());
    }
    let mut text = String::new();
    for version in items(&versions["items"]) {
        let by = version["author"].as_str().map_or_else(String::new, |author| format!(" by {author}"));
        let why = version["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
        let _ = writeln!(text, "{} {} {}{by}{why}", version["number"], word(&version["at"]), word(&version["change"]));
        for difference in items(&version["differences"]) {
            let _ = writeln!(text, "  {}", word(difference));
        }
    }
    output(&text);
    Ok(())
}

fn list(client: &Client, group_of: Option<&str>) -> anyhow::Result<()> {
    let query = group_of.map_or_else(String::new, |slo| format!("&group_of={}", encode(slo)));
    let slos = client.get(&format!("/api/v1/slos?limit=1000{query}"))?;
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
