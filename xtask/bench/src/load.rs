//! The load: spans in, at several paces, and what they cost in time, processor, memory and disk.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;
use sqlx::PgConnection;

use crate::phase::Phase;
use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, SPANS_PER_TRACE, Workload};
use crate::verify::verify;
use crate::{SLOS, database, latency, machine, otlp, rows, say, send};

/// Floor of H1, spans per second.
const FLOOR: f64 = 30_000.0;
/// How long the paced loads last.
const PACED: Duration = Duration::from_secs(10);
/// How long the server is left alone before its idle memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// What was sent, and what came of it.
type Loaded = (Workload, Phase);

/// Runs all loads against one server and adds the figures H1, H2, H3 (at this size) and H7.
pub(crate) async fn measure(product: &Product, folder: &Path, spans: usize, report: &mut Report) -> Result<()> {
    say("starting a server with a fresh cluster");
    let server = Server::start(product, folder, "load", false, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    report.machine.postgres = database::version(&mut link).await?;
    apply_slos(&server, &client).await?;
    tokio::time::sleep(IDLE).await;
    let (idle_mib, _) = machine::memory_mib(server.pid())?;
    let empty = database::sizes(&mut link).await?;

    let paced = |pace: f64| (pace * PACED.as_secs_f64()) as usize;
    let half = phase(&server, &mut link, 1, paced(FLOOR / 2.0), Layout::Together, Some(FLOOR / 2.0)).await?;
    let floor = phase(&server, &mut link, 2, paced(FLOOR), Layout::Together, Some(FLOOR)).await?;
    let full = phase(&server, &mut link, 3, spans, Layout::Together, None).await?;
    let spread = phase(&server, &mut link, 4, spans, Layout::Spread, None).await?;
    let loaded = [half, floor, full, spread];
    let workloads = loaded.each_ref().map(|(workload, _)| *workload);
    say("looking for every trace");
    verify(&server, &client, &workloads).await?;
    let stored: usize = workloads.iter().map(Workload::spans).sum();
    say("searching by trace and correlation ID");
    let (by_id, by_correlation) = latency::searches(&server, &workloads).await?;
    say("copying the same spans as plain rows");
    let one = rows::copy(&server.data, &server.watched(), &workloads[2], 1).await?;
    let eight = rows::copy(&server.data, &server.watched(), &workloads[2], send::CONNECTIONS).await?;

    let [half, floor, full, spread] = loaded.map(|(_, phase)| phase);
    let rate = full.sent.rate();
    report.add(
        "H1",
        format!("spans acknowledged, {} of them, every trace found", full.sent.records),
        rate,
        "/s",
        Bound::AtLeast { floor: FLOOR, aim: 80_000.0 },
    );
    for copied in [one, eight] {
        let name = format!("times the rate of plain COPY over {} connection(s), {:.0} rows/s", copied.connections, copied.rows_per_second);
        report.add("H1", name, rate / copied.rows_per_second, "x", Bound::AtLeast { floor: 1.0, aim: 2.0 });
    }
    report.add("H1", "spans acknowledged, every trace in six requests", spread.sent.rate(), "/s", Bound::None);
    report.add("", "acknowledgement of a request of 512, p50", full.sent.acknowledged.p50, "ms", Bound::None);
    report.add("", "acknowledgement of a request of 512, p99", full.sent.acknowledged.p99, "ms", Bound::None);
    let refusals: usize = [&half, &floor, &full, &spread].map(|phase| phase.sent.refusals).iter().sum();
    report.add("", "requests put off by 503", refusals as f64, "", Bound::None);
    report.add("", "processor per span, server", full.microseconds_per_record(full.spent.server), "us", Bound::None);
    report.add("", "processor per span, PostgreSQL", full.microseconds_per_record(full.spent.postgres), "us", Bound::None);
    report.add("", "processor per span, sender", full.microseconds_per_record(full.spent.sender), "us", Bound::None);
    report.add("", "processors busy meanwhile", full.spent.machine_ratio() * 100.0, "%", Bound::None);
    report.add("", "processor taken by the host meanwhile", full.spent.stolen / full.spent.wall * 100.0, "%", Bound::None);
    report.add("", "processor per row of plain COPY, PostgreSQL", one.spent.postgres * 1e6 / full.sent.records as f64, "us", Bound::None);
    report.add("H2", "disk per span, indexes included", full.disk_per_record(), "B", Bound::AtMost { floor: 140.0, aim: 85.0 });
    report.add("H2", "disk per span, every trace in six requests", spread.disk_per_record(), "B", Bound::None);
    report.add("", "disk per span at H1's floor (smaller segments)", floor.disk_per_record(), "B", Bound::None);
    report.add("", "disk per row of plain COPY", one.disk_bytes_per_row, "B", Bound::None);
    report.add("", "write-ahead log per span", full.wal_per_record(), "B", Bound::None);
    report.add("", "write-ahead log per row of plain COPY", one.wal_bytes_per_row, "B", Bound::None);
    let at = format!("{:.1} million spans stored", stored as f64 / 1e6);
    report.add("H3", format!("trace by id over HTTP, p99, {at}"), by_id.p99, "ms", Bound::AtMost { floor: 20.0, aim: 5.0 });
    report.add("H3", format!("correlation ID over HTTP, p99, {at}"), by_correlation.p99, "ms", Bound::AtMost { floor: 20.0, aim: 5.0 });
    report.add("H7", "server memory, idle", idle_mib, "MiB", Bound::AtMost { floor: 100.0, aim: 50.0 });
    report.add(
        "H7",
        format!("server memory at H1's floor, peak{}", floor.shortfall(FLOOR)),
        floor.peak_mib,
        "MiB",
        Bound::AtMost { floor: 400.0, aim: 250.0 },
    );
    report.add("H7", "server memory as fast as taken, peak", full.peak_mib, "MiB", Bound::None);
    let busy = half.spent.machine_ratio() * 100.0;
    report.add(
        "H7",
        format!("processors busy at half of H1's floor{}", half.shortfall(FLOOR / 2.0)),
        busy,
        "%",
        Bound::AtMost { floor: 70.0, aim: 40.0 },
    );

    for (name, phase) in [("half of H1's floor", half), ("H1's floor", floor), ("as fast as taken", full), ("in six requests", spread)] {
        report.detail(name, phase.detail())?;
    }
    report.detail("empty database", json!({ "database_bytes": empty.database, "table_bytes": empty.tables }))?;
    report.detail("plain COPY", [one, eight])?;
    report.detail("search", json!({ "trace": by_id, "correlation_id": by_correlation, "spans_stored": stored }))
}

/// Makes the requests and sends them.
async fn phase(server: &Server, link: &mut PgConnection, seed: u64, spans: usize, layout: Layout, pace: Option<f64>) -> Result<Loaded> {
    let traces = spans / SPANS_PER_TRACE;
    // They began over the last minute and a half, and the last of them has ended.
    let now = Timestamp::now().as_nanosecond() as u64;
    let workload = Workload { seed, traces, from_ns: now - 90_000_000_000, until_ns: now - 2_000_000_000, layout };
    let requests = tokio::task::spawn_blocking(move || otlp::requests(&workload)).await?;
    let phase = Phase::run(server, link, &server.traces_url(), requests, pace, &format!("spans, {layout:?}")).await?;
    Ok((workload, phase))
}

/// Applies the SLOs that every span is matched against.
pub(crate) async fn apply_slos(server: &Server, client: &Client) -> Result<()> {
    apply(server, client, SLOS).await
}

/// Applies some SLOs.
pub(crate) async fn apply(server: &Server, client: &Client, documents: &'static str) -> Result<()> {
    let response = client.put(server.url("/api/v1/openslo")).header("content-type", "application/yaml").body(documents).send().await?;
    let status = response.status();
    ensure!(status.is_success(), "the SLOs were refused with {status}: {}", response.text().await.unwrap_or_default());
    Ok(())
}
