//! Readers: a server with the demo shop and thirty days of history, and how long its pages take.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;

use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::verify::counter;
use crate::{database, latency, load, otlp, say, send};

/// One trace in every minute of thirty days.
const HISTORY_MINUTES: u64 = 30 * 1_440;
const MINUTE_NS: u64 = 60_000_000_000;
/// An SLO of [`crate::SLOS`], over thirty days.
const SLO: &str = "bench-gateway-availability";
/// The demo has sent its past when it stores fewer spans a second than this.
const LIVE_SPANS: u64 = 300;
const LOOK_EVERY: Duration = Duration::from_secs(2);
const HISTORY_LIMIT: Duration = Duration::from_mins(10);

/// Adds the figures H4, H6 and H9.
pub(crate) async fn measure(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    say("starting a server with the demo and thirty days of history");
    let server = Server::start(product, folder, "demo", true, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    let visited = read_pages(&server, &client, report).await;
    visited.with_context(|| format!("the server complained:\n{}", server.complaints()))
}

async fn read_pages(server: &Server, client: &Client, report: &mut Report) -> Result<()> {
    load::apply_slos(server, client).await?;
    until_live(server, client).await?;
    let now = Timestamp::now().as_nanosecond() as u64;
    let (from_ns, until_ns) = (now - (HISTORY_MINUTES - 1) * MINUTE_NS, now - MINUTE_NS);
    let history = Workload { seed: 9, traces: HISTORY_MINUTES as usize, from_ns, until_ns, layout: Layout::Together };
    let requests = tokio::task::spawn_blocking(move || otlp::requests(&history)).await?;
    send::send(&server.traces_url(), requests, None).await?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    database::merged(&mut link).await?;
    let spans = counter(server, client, "slowburn_spans_stored_total").await?;

    say("reading pages");
    let slo_page = format!("/slos/{SLO}");
    let paths = [slo_page, "/traces".to_owned(), format!("/api/v1/slos/{SLO}"), "/api/v1/traces".to_owned()];
    let mut alone = Vec::new();
    for path in &paths {
        alone.push(latency::one_after_another(server, path).await?);
    }
    report.add("H4", format!("{}, 30 days, first byte, p95", paths[0]), alone[0].p95, "ms", Bound::AtMost { floor: 50.0, aim: 15.0 });
    for (path, sample) in paths.iter().zip(&alone).skip(1) {
        report.add("", format!("{path}, first byte, p95"), sample.p95, "ms", Bound::None);
    }
    let (crowded, all) = latency::crowd(server, paths.iter().map(|path| vec![path.clone()]).collect()).await?;
    let name = format!("pages and API under {} clients, first byte, p95", latency::CLIENTS);
    report.add("H9", name, all.p95, "ms", Bound::AtMost { floor: 200.0, aim: 50.0 });
    for (path, sample) in paths.iter().zip(&crowded) {
        report.add("", format!("{path} under {} clients, p95", latency::CLIENTS), sample.p95, "ms", Bound::None);
    }
    let (apart, all_apart) = latency::crowd(server, asked_apart(now)).await?;
    let name = format!("… {} clients who all ask something else, p95", latency::CLIENTS);
    report.add("H9", name, all_apart.p95, "ms", Bound::AtMost { floor: 200.0, aim: 50.0 });
    for (path, sample) in paths.iter().zip(&apart) {
        report.add("", format!("… {path}, p95"), sample.p95, "ms", Bound::None);
    }
    let first_page = latency::first_page_bytes(server).await? as f64 / 1_024.0;
    report.add("H6", "first page and its files, compressed", first_page, "KiB", Bound::AtMost { floor: 350.0, aim: 250.0 });

    let samples = |samples: &[crate::statistics::Sample]| -> serde_json::Map<String, serde_json::Value> {
        paths.iter().cloned().zip(samples.iter().map(|sample| json!(sample))).collect()
    };
    report.detail(
        "pages",
        json!({ "spans_stored": spans, "alone": samples(&alone), "crowded": samples(&crowded), "crowd": all,
        "apart": samples(&apart), "crowd_apart": all_apart }),
    )
}

/// The same four with ends of time of their own, so that no two readers at one time ask the same: for each a path for every
/// request of the crowd.
fn asked_apart(now: u64) -> Vec<Vec<String>> {
    let time = |seconds_ago: u64| {
        let ns = i128::from(now - seconds_ago * 1_000_000_000);
        Timestamp::from_nanosecond(ns).map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
    };
    let begin = time(HISTORY_MINUTES * 60);
    let ends: Vec<String> = (0..latency::CROWD as u64).map(time).collect();
    let paths = |path: &str| ends.iter().map(|end| format!("{path}?from={begin}&to={end}")).collect();
    vec![paths(&format!("/slos/{SLO}")), paths("/traces"), paths(&format!("/api/v1/slos/{SLO}")), paths("/api/v1/traces")]
}

/// Waits until the demo's past has been stored and only its visitors of now send.
async fn until_live(server: &Server, client: &Client) -> Result<()> {
    let begun = Instant::now();
    let (mut before, mut quiet) = (0, 0);
    while quiet < 2 {
        ensure!(begun.elapsed() < HISTORY_LIMIT, "the demo still sends its past after {} s", HISTORY_LIMIT.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
        let stored = counter(server, client, "slowburn_spans_stored_total").await?;
        let is_quiet = stored > 0 && stored - before < LIVE_SPANS * LOOK_EVERY.as_secs();
        quiet = if is_quiet { quiet + 1 } else { 0 };
        before = stored;
    }
    Ok(())
}
