//! How long readers wait: time to the first byte, as a browser asks (compressed), one after another and fifty at once.
//! Every answer is read to its end and must be a success, but only the first byte is timed: pages are rendered completely
//! before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use reqwest::header::ACCEPT_ENCODING;
use serde_json::Value;

use crate::send::connection;
use crate::server::Server;
use crate::spans::{SPANS_PER_TRACE, Workload, correlation_id};
use crate::statistics::Sample;

/// Requests of a sequence.
const SEQUENCE: usize = 200;
/// Requests before it, which are not counted.
const WARM_UP: usize = 20;
/// Readers at the same time.
pub(crate) const CLIENTS: usize = 50;
/// Requests that they send together.
pub(crate) const CROWD: usize = 4_000;
/// Searches of one kind.
const SEARCHES: usize = 500;

/// Compressed, as a browser asks.
pub(crate) async fn first_byte(client: &Client, url: &str) -> Result<(Duration, bytes::Bytes)> {
    let begun = Instant::now();
    let response = client.get(url).header(ACCEPT_ENCODING, "gzip, deflate, br, zstd").send().await?;
    let time = begun.elapsed();
    let response = response.error_for_status()?;
    Ok((time, response.bytes().await?))
}

/// The same page again and again over one connection.
pub(crate) async fn one_after_another(server: &Server, path: &str) -> Result<Sample> {
    let (client, url) = (connection()?, server.url(path));
    let mut times = Vec::with_capacity(SEQUENCE);
    for index in 0..WARM_UP + SEQUENCE {
        let (time, _) = first_byte(&client, &url).await?;
        if index >= WARM_UP {
            times.push(time);
        }
    }
    Ok(Sample::of(times))
}

/// Fifty readers without a pause between their requests, who take the pages in turn, and of each page its paths in turn.
/// Gives a sample for each page, in their order, and one over all.
pub(crate) async fn crowd(server: &Server, pages: Vec<Vec<String>>) -> Result<(Vec<Sample>, Sample)> {
    let count = pages.len();
    let urls: Arc<Vec<Vec<String>>> =
        Arc::new(pages.into_iter().map(|paths| paths.iter().map(|path| server.url(path)).collect()).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, urls, next) = (connection()?, Arc::clone(&urls), Arc::clone(&next));
        readers.spawn(async move {
            let mut times = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= CROWD {
                    return Ok::<_, anyhow::Error>(times);
                }
                let page = index % urls.len();
                let paths = &urls[page];
                times.push((page, first_byte(&client, &paths[index % paths.len()]).await?.0));
            }
        });
    }
    let mut all = Vec::with_capacity(CROWD);
    while let Some(ended) = readers.join_next().await {
        all.extend(ended??);
    }
    let of_page = |page: usize| all.iter().filter(|(own, _)| *own == page).map(|(_, time)| *time).collect();
    let samples = (0..count).map(|page| Sample::of(of_page(page))).collect();
    Ok((samples, Sample::of(all.iter().map(|(_, time)| *time).collect())))
}

/// Traces by their id and by their correlation ID, without a time range, spread evenly over all that is stored. What
/// comes back must be the trace meant.
pub(crate) async fn searches(server: &Server, workloads: &[Workload]) -> Result<(Sample, Sample)> {
    let all: Vec<u128> = workloads.iter().flat_map(Workload::trace_ids).collect();
    ensure!(!all.is_empty(), "there are no traces to search for");
    let chosen: Vec<u128> = (0..WARM_UP + SEARCHES).map(|index| all[index * 7_919 % all.len()]).collect();
    let client = connection()?;
    let (mut by_id, mut by_correlation) = (Vec::new(), Vec::new());
    for (index, id) in chosen.into_iter().enumerate() {
        let (time, body) = first_byte_plain(&client, &server.url(&format!("/api/v1/traces/{id:032x}"))).await?;
        ensure!(body["spans"].as_array().map(Vec::len) == Some(SPANS_PER_TRACE), "trace {id:032x} is not whole");
        let correlation = correlation_id(id);
        let path = format!("/api/v1/traces?correlation_id={correlation}");
        let (correlated, body) = first_byte_plain(&client, &server.url(&path)).await?;
        let found = body["items"].as_array().with_context(|| format!("{path}: no items"))?;
        ensure!(found.len() == 1 && found[0]["trace_id"] == format!("{id:032x}"), "{path} finds {} traces", found.len());
        if index >= WARM_UP {
            by_id.push(time);
            by_correlation.push(correlated);
        }
    }
    Ok((Sample::of(by_id), Sample::of(by_correlation)))
}

/// Not compressed, because we read it.
pub(crate) async fn first_byte_plain(client: &Client, url: &str) -> Result<(Duration, Value)> {
    let begun = Instant::now();
    let response = client.get(url).send().await?;
    let time = begun.elapsed();
    let body = response.error_for_status()?.bytes().await?;
    Ok((time, serde_json::from_slice(&body)?))
}

/// Bytes of the first page and of every file it names, compressed as a browser gets them, without headers.
pub(crate) async fn first_page_bytes(server: &Server) -> Result<usize> {
    let client = connection()?;
    let html = client.get(server.url("/")).send().await?.error_for_status()?.text().await?;
    let mut total = first_byte(&client, &server.url("/")).await?.1.len();
    for file in files_of(&html) {
        total += first_byte(&client, &server.url(&file)).await?.1.len();
    }
    Ok(total)
}

/// Files that a document names, each once.
fn files_of(html: &str) -> Vec<String> {
    let mut files: Vec<String> =
        html.split(['"', '\'']).filter(|word| word.starts_with("/pkg/") || *word == "/favicon.svg").map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_once_whatever_names_them() {
        let html = r#"<link href="/pkg/a.css"><link rel=icon href="/favicon.svg"><script>import x from "/pkg/a.js"; x("/pkg/a.js")</script>
            <a href="/slos">SLOs</a>"#;
        assert_eq!(files_of(html), ["/favicon.svg", "/pkg/a.css", "/pkg/a.js"]);
    }
}
