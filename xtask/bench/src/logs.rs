//! Log lines in, at several paces, and what they cost in time, processor, memory and disk. Five SLOs over log lines are applied
//! before, so the counting of SLIs is in every figure; afterwards every line must be found ([`verify_lines`]).

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;
use sqlx::PgConnection;

use crate::lines::Speech;
use crate::load::apply;
use crate::phase::Phase;
use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::{database, otlp_logs, say, verify_lines};

/// The SLOs that every line is matched against.
pub(crate) const LOG_SLOS: &str = include_str!("log_slos.yaml");

/// Floor of H8 for log lines, a second.
const FLOOR: f64 = 30_000.0;
const AIM: f64 = 100_000.0;
/// How long the paced loads last.
const PACED: Duration = Duration::from_secs(10);

/// Runs all loads against one server and adds the figures of H8 for log lines.
pub(crate) async fn measure(product: &Product, folder: &Path, lines: usize, report: &mut Report) -> Result<()> {
    say("starting a server for log lines");
    let server = Server::start(product, folder, "logs", false, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    report.machine.postgres = database::version(&mut link).await?;
    apply(&server, &client, LOG_SLOS).await?;
    let empty = database::sizes(&mut link).await?;

    let paced = |pace: f64| (pace * PACED.as_secs_f64()) as usize;
    let (first, half) = phase(&server, &mut link, 1, paced(FLOOR / 2.0), Some(FLOOR / 2.0)).await?;
    let (second, floor) = phase(&server, &mut link, 2, paced(FLOOR), Some(FLOOR)).await?;
    let (third, full) = phase(&server, &mut link, 3, lines, None).await?;
    say("looking for every line");
    verify_lines::verify(&server, &client, &[first, second, third]).await?;
    let keys = database::sizes(&mut link).await?.since(&empty).tables.get("request_keys").copied().unwrap_or(0);
    say("waiting for the merge");
    let (merged, waiting) = database::few_waiting(&mut link).await?;
    let all = (merged + waiting) as f64;
    let per_line = database::sealed_bytes(&mut link).await? as f64 / merged as f64 + keys as f64 / all;

    report.add(
        "H8",
        format!("log lines acknowledged, {} of them, every one found", full.sent.records),
        full.sent.rate(),
        "/s",
        Bound::AtLeast { floor: FLOOR, aim: AIM },
    );
    report.add("", "acknowledgement of a request of 512 lines, p50", full.sent.acknowledged.p50, "ms", Bound::None);
    report.add("", "acknowledgement of a request of 512 lines, p99", full.sent.acknowledged.p99, "ms", Bound::None);
    let refusals: usize = [&half, &floor, &full].map(|phase| phase.sent.refusals).iter().sum();
    report.add("", "requests of lines put off by 503", refusals as f64, "", Bound::None);
    report.add("", "processor per line, server", full.microseconds_per_record(full.spent.server), "us", Bound::None);
    report.add("", "processor per line, PostgreSQL", full.microseconds_per_record(full.spent.postgres), "us", Bound::None);
    report.add("", "processor per line, sender", full.microseconds_per_record(full.spent.sender), "us", Bound::None);
    report.add("", "processors busy meanwhile, with lines", full.spent.machine_ratio() * 100.0, "%", Bound::None);
    report.add("", "disk per line, merged, indexes and request keys included", per_line, "B", Bound::None);
    report.add("", "disk per line as fast as taken, before merging", full.disk_per_record(), "B", Bound::None);
    report.add("", "disk per line at H8's floor, before merging", floor.disk_per_record(), "B", Bound::None);
    report.add("", "write-ahead log per line", full.wal_per_record(), "B", Bound::None);
    report.add("", format!("server memory at H8's floor, peak{}", floor.shortfall(FLOOR)), floor.peak_mib, "MiB", Bound::None);
    report.add("", "server memory with lines as fast as taken, peak", full.peak_mib, "MiB", Bound::None);
    let busy = half.spent.machine_ratio() * 100.0;
    report.add("", format!("processors busy at half of H8's floor{}", half.shortfall(FLOOR / 2.0)), busy, "%", Bound::None);
    for (name, phase) in [("half of H8's floor", half), ("H8's floor", floor), ("lines as fast as taken", full)] {
        report.detail(name, phase.detail())?;
    }
    report.detail("lines merged", json!({ "merged": merged, "waiting": waiting, "bytes_per_line": per_line }))
}

/// Makes the requests and sends them.
async fn phase(server: &Server, link: &mut PgConnection, seed: u64, lines: usize, pace: Option<f64>) -> Result<(Speech, Phase)> {
    let now = Timestamp::now().as_nanosecond() as u64;
    let speech = Speech { seed, lines, from_ns: now - 90_000_000_000, until_ns: now - 2_000_000_000 };
    let requests = tokio::task::spawn_blocking(move || otlp_logs::requests(&speech)).await?;
    let phase = Phase::run(server, link, &server.logs_url(), requests, pace, "log lines").await?;
    Ok((speech, phase))
}
