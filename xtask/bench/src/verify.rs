//! Nothing counts that cannot be found again: every acknowledged trace is met on the pages of a search, once and with all
//! its spans, and the counts of services and metrics agree to the span.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use serde_json::Value;

use crate::server::Server;
use crate::spans::{SPANS_PER_TRACE, Workload};

/// Checks that the server holds exactly the traces of `workloads`.
pub(crate) async fn verify(server: &Server, client: &Client, workloads: &[Workload]) -> Result<()> {
    let expected: HashSet<u128> = workloads.iter().flat_map(Workload::trace_ids).collect();
    let traces: usize = workloads.iter().map(|workload| workload.traces).sum();
    ensure!(expected.len() == traces, "the generator repeats trace ids");
    let spans: usize = workloads.iter().map(Workload::spans).sum();

    let stored = counter(server, client, "slowburn_spans_stored_total").await?;
    ensure!(stored == spans as u64, "slowburn_spans_stored_total says {stored}, acknowledged were {spans}");
    let counted = counted_by_services(server, client).await?;
    ensure!(counted == spans as u64, "the services count {counted} spans, acknowledged were {spans}");
    let found = walk(server, client, &expected).await?;
    ensure!(found == traces, "{found} of {traces} acknowledged traces are found");
    Ok(())
}

/// How many of the traces are found, each once and whole; one that was never sent is a fault.
pub(crate) async fn traces(server: &Server, client: &Client, workloads: &[Workload]) -> Result<usize> {
    let expected: HashSet<u128> = workloads.iter().flat_map(Workload::trace_ids).collect();
    walk(server, client, &expected).await
}

/// A counter of one SLO from the server's own page.
pub(crate) async fn slo_counter(server: &Server, client: &Client, name: &str, slo: &str) -> Result<u64> {
    let page = client.get(server.url("/metrics")).send().await?.error_for_status()?.text().await?;
    let start = format!("{name}{{slo=\"{slo}\"");
    let line = page.lines().find(|line| line.starts_with(&start)).with_context(|| format!("{start} is not on the page"))?;
    let value = line.rsplit(' ').next().unwrap_or_default();
    value.parse().with_context(|| line.to_owned())
}

/// A counter without labels from the server's own page; 0 before it was first counted.
pub(crate) async fn counter(server: &Server, client: &Client, name: &str) -> Result<u64> {
    let page = client.get(server.url("/metrics")).send().await?.error_for_status()?.text().await?;
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(Ok(0), |value| value.trim().parse().with_context(|| format!("{name} {value}")))
}

/// An answer as JSON.
pub(crate) async fn get(server: &Server, client: &Client, path: &str) -> Result<Value> {
    let answer = client.get(server.url(path)).send().await?.error_for_status()?.bytes().await?;
    serde_json::from_slice(&answer).with_context(|| format!("{path} answers no JSON"))
}

/// Sum over all operations of all services; a service's own count leaves inner spans out.
pub(crate) async fn counted_by_services(server: &Server, client: &Client) -> Result<u64> {
    let list = get(server, client, "/api/v1/services?from=-6h").await?;
    let services = list["items"].as_array().context("services: no items")?;
    let operations = services.iter().flat_map(|service| service["operations"].as_array().into_iter().flatten());
    Ok(operations.filter_map(|operation| operation["count"].as_u64().or_else(|| operation["red"]["count"].as_u64())).sum())
}

/// Walks all pages of the search for everything; gives how many of the expected traces are there, each with its spans.
async fn walk(server: &Server, client: &Client, expected: &HashSet<u128>) -> Result<usize> {
    let mut met = HashSet::with_capacity(expected.len());
    let mut cursor = String::new();
    loop {
        let page = get(server, client, &format!("/api/v1/traces?limit=1000&cursor={cursor}")).await?;
        for item in page["items"].as_array().context("traces: no items")? {
            let id = item["trace_id"].as_str().and_then(|id| u128::from_str_radix(id, 16).ok()).context("a trace without id")?;
            ensure!(expected.contains(&id), "trace {id:032x} was never sent");
            ensure!(met.insert(id), "trace {id:032x} is shown twice");
            ensure!(item["spans"].as_u64() == Some(SPANS_PER_TRACE as u64), "trace {id:032x} has {} spans", item["spans"]);
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(met.len()),
        }
    }
}
