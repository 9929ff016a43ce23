//! Thin traffic: one request of ten spans after the other, each committed alone, and what a span costs on disk once the
//! small segments are merged.

use anyhow::Result;
use jiff::Timestamp;

use crate::report::{Bound, Report};
use crate::send;
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::{database, load, otlp, say};

/// Requests; an hour of thin traffic has 3,600.
const REQUESTS: usize = 3_600;
const SPANS: usize = 10;

/// Sends, waits for the merge, and adds the figure.
pub(crate) async fn measure(product: &Product, folder: &std::path::Path, report: &mut Report) -> Result<()> {
    say("starting a server for thin traffic");
    let server = Server::start(product, folder, "thin", false, &[]).await?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    load::apply_slos(&server, &reqwest::Client::builder().no_proxy().build()?).await?;
    let now = Timestamp::now().as_second().cast_unsigned();
    let (from_ns, until_ns) = ((now - 3_700) * 1_000_000_000, (now - 100) * 1_000_000_000);
    let workload =
        Workload { seed: 7, traces: REQUESTS * SPANS / crate::spans::SPANS_PER_TRACE, from_ns, until_ns, layout: Layout::Together };
    say(&format!("sending {REQUESTS} requests of {SPANS} spans, one after another"));
    let requests = tokio::task::spawn_blocking(move || otlp::requests_of(&workload, SPANS)).await?;
    let before = database::sizes(&mut link).await?;
    send::send_over(&server.traces_url(), requests, None, 1).await?;
    let unmerged = database::sizes(&mut link).await?.since(&before);
    database::settled(&mut link).await?;
    say("waiting for the merge");
    let (merged, _) = database::few_waiting(&mut link).await?;
    let per_span = database::sealed_bytes(&mut link).await? as f64 / merged as f64;
    let others = unmerged.tables.get("request_keys").copied().unwrap_or(0) as f64 / workload.spans() as f64;
    let all: i64 = unmerged.tables.values().sum();
    report.add(
        "H2",
        format!("disk per span of thin traffic, requests of {SPANS} spans, merged, request keys included"),
        per_span + others,
        "B",
        Bound::AtMost { floor: 280.0, aim: 170.0 },
    );
    report.add("", "the same before merging", all as f64 / workload.spans() as f64, "B", Bound::None);
    Ok(())
}
