//! Commands that work on this machine: serving, migrating, checking.

use std::fmt::Write as _;

use serde_json::{Value, json};
use slowburn_domain::number;
use slowburn_storage::database;
use sqlx::Connection as _;

use super::client::Client;
use super::output;
use crate::config::{self, Checked, Overrides};
use crate::doors::site::Site;
use crate::{postgres, serve as serving};

fn checked(overrides: &Overrides) -> anyhow::Result<Checked> {
    config::read(overrides)?.check().map_err(|faults| anyhow::anyhow!("settings:\n  {}", faults.join("\n  ")))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

pub(super) fn serve(overrides: &Overrides, demo: bool) -> anyhow::Result<()> {
    let checked = checked(overrides)?;
    runtime()?.block_on(serving::serve(checked, demo))
}

pub(super) fn migrate(overrides: &Overrides) -> anyhow::Result<()> {
    let checked = checked(overrides)?;
    runtime()?.block_on(async {
        let (options, cluster) = serving::database(&checked).await?;
        let outcome = database::migrate(&options).await;
        if let Some(cluster) = cluster {
            cluster.stop()?;
        }
        outcome?;
        output("the schema is up to date");
        Ok(())
    })
}

pub(super) fn check(overrides: &Overrides) -> anyhow::Result<()> {
    checked(overrides)?;
    output("settings are sound");
    Ok(())
}

/// Looks at everything that serving needs, and reports all of it.
pub(super) fn doctor(overrides: &Overrides, as_json: bool) -> anyhow::Result<()> {
    let mut findings: Vec<(&str, Result<String, String>)> = Vec::new();
    let settings =
        config::read(overrides).map_err(|fault| format!("{fault:#}")).and_then(|config| config.check().map_err(|faults| faults.join("; ")));
    findings.push(("settings", settings.as_ref().map(|_| "sound".to_owned()).map_err(Clone::clone)));
    if let Ok(checked) = &settings {
        let url = checked.config.database_url.expose();
        if url.is_empty() {
            let programs = postgres::find_programs(&checked.config.postgres_bin_dir, &config::search_path());
            findings.push(("postgresql programs", programs.map(|folder| folder.display().to_string()).map_err(|fault| fault.to_string())));
            findings.push(("data folder", Ok(checked.data_folder().display().to_string())));
        } else {
            let answer = runtime()?.block_on(async {
                let options = url.parse::<sqlx::postgres::PgConnectOptions>()?;
                let connection =
                    tokio::time::timeout(std::time::Duration::from_secs(5), sqlx::PgConnection::connect_with(&options)).await??;
                connection.close().await?;
                Ok::<_, anyhow::Error>("answers".to_owned())
            });
            findings.push(("database", answer.map_err(|fault| fault.to_string())));
        }
        let site = Site::find(&checked.config.site_dir);
        findings.push(("browser's files", site.map(|site| site.folder.display().to_string()).map_err(|fault| fault.to_string())));
        for (name, addr) in [("addr", checked.addr), ("otlp_http_addr", checked.otlp_http_addr), ("otlp_grpc_addr", checked.otlp_grpc_addr)]
        {
            let free = std::net::TcpListener::bind(addr).map(|_| format!("{addr} is free")).map_err(|fault| format!("{addr}: {fault}"));
            findings.push((name, free));
        }
    }
    let failed = findings.iter().filter(|(_, outcome)| outcome.is_err()).count();
    if as_json {
        let items: Vec<Value> = findings
            .iter()
            .map(|(name, outcome)| json!({"check": name, "ok": outcome.is_ok(), "detail": outcome.as_ref().unwrap_or_else(|fault| fault)}))
            .collect();
        output(&json!({"items": items}).to_string());
    } else {
        let mut text = String::new();
        for (name, outcome) in &findings {
            let (mark, detail) = match outcome {
                Ok(detail) => ("ok    ", detail),
                Err(detail) => ("FAILED", detail),
            };
            let _ = writeln!(text, "{mark}  {name}: {detail}");
        }
        output(&text);
    }
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

pub(super) fn status(client: &Client) -> anyhow::Result<()> {
    let mut health = client.get("/health")?;
    let storage = client.get("/api/v1/storage").ok();
    if client.json {
        health["storage"] = storage.unwrap_or_default();
        output(&health.to_string());
    } else {
        let mut text = format!("{} {}\n", health["status"].as_str().unwrap_or("unknown"), health["version"].as_str().unwrap_or_default());
        for (name, component) in health["components"].as_object().into_iter().flatten() {
            let _ = write!(text, "  {name}: {}", component["status"].as_str().unwrap_or("unknown"));
            if let Some(latency) = component["latency_ms"].as_f64() {
                let _ = write!(text, ", answers in {latency:.1} ms");
            }
            if let Some(waiting) = component["waiting_records"].as_u64() {
                let _ = write!(text, ", {waiting} records waiting");
            }
            text.push('\n');
        }
        if let Some(storage) = storage {
            text.push_str(&storage_lines(&storage));
        }
        output(&text);
    }
    anyhow::ensure!(health["status"] != "unhealthy", "the server is unhealthy");
    Ok(())
}

fn storage_lines(storage: &Value) -> String {
    let size = |key: &str| storage[key].as_u64().map_or_else(|| "–".to_owned(), number::bytes);
    let mut text = format!(
        "  storage: {} in all; {} segments, {} indexes, {} kept beyond retention, {} counts\n",
        size("database_bytes"),
        size("segment_bytes"),
        size("index_bytes"),
        size("kept_bytes"),
        size("count_bytes")
    );
    let spans = storage["spans"].as_u64().unwrap_or(0);
    let retention = number::long_duration(storage["retention_seconds"].as_f64().unwrap_or(0.0));
    let _ = write!(text, "  spans: {}, raw ones stay for {retention}", number::grouped(spans));
    if storage["forecast_database_bytes"].is_u64() {
        let _ = write!(text, "; {} a day arrive, the database grows to {}", size("bytes_per_day"), size("forecast_database_bytes"));
    }
    text.push('\n');
    text
}
