//! `make soak`: faults under load, with senders that try again as OTLP says. In the end every acknowledged span must be
//! there once, and every count exact.
//!
//! - [`kills`]: the server, and PostgreSQL, are killed at random moments.
//! - [`pair`]: two servers on one database, one is killed; the other takes over its leases.
//! - [`silence`]: PostgreSQL stands still for a while.
//! - [`overload`]: requests of more than twice the bytes that there is room for.
//! - [`full`]: the disk is full until room is made (as root, on a file system of its own).
//!
//! `make test` runs the same with fewer kills and shorter waits.

mod full;
mod kills;
mod overload;
mod pair;
mod sender;
mod silence;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use reqwest::Client;

use crate::report::{Bound, Report};
use crate::say;
use crate::server::{Product, Server};
use crate::spans::SPANS_PER_TRACE;
use crate::verify;

use sender::Sent;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Kills of servers and databases.
    pub(crate) kills: usize,
    /// How long PostgreSQL stands still, seconds.
    pub(crate) silence_seconds: u64,
    /// For the random moments.
    pub(crate) seed: u64,
}

/// Runs everything.
pub(crate) async fn run(product: &Product, folder: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    say(&format!("seed {}", extent.seed));
    let mut rng = SmallRng::seed_from_u64(extent.seed);
    kills::run(product, folder, extent.kills, &mut rng, report).await?;
    pair::run(product, folder, &mut rng, report).await?;
    silence::run(product, folder, extent.silence_seconds, report).await?;
    overload::run(product, folder, report).await?;
    full::run(product, folder, report).await
}

/// Everything acknowledged is there once, and the counts agree.
async fn check(server: &Server, sent: &Sent, what: &str, report: &mut Report) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let spans = sent.workloads.iter().map(crate::spans::Workload::spans).sum::<usize>();
    let traces = spans / SPANS_PER_TRACE;
    ensure!(traces > 0, "{what}: nothing was acknowledged");
    say(&format!(
        "{what}: {} requests with {spans} spans were acknowledged after {} retries; looking for them",
        sent.workloads.len(),
        sent.retries
    ));
    let found = verify::traces(server, &client, &sent.workloads).await.with_context(|| what.to_owned())?;
    ensure!(found == traces, "{what}: {found} of {traces} acknowledged traces are found");
    let counted = verify::counted_by_services(server, &client).await?;
    ensure!(counted == spans as u64, "{what}: the services count {counted} spans, acknowledged were {spans}");
    let failed = sent.workloads.iter().flat_map(crate::spans::Workload::traces).filter(|spans| spans[0].failed).count();
    let totals = [("slowburn_slo_events_total", traces), ("slowburn_slo_good_events_total", traces - failed)];
    for (name, expected) in totals {
        let told = verify::slo_counter(server, &client, name, "bench-gateway-availability").await?;
        ensure!(told == expected as u64, "{what}: {name} is {told} and should be {expected}");
    }
    // For whoever counts: a scenario that was left out is not among these lines.
    println!("passed: {what}");
    report.add("A2", format!("{what}: spans acknowledged, each there once, counts exact"), spans as f64, "", Bound::None);
    report.add("", format!("{what}: retries of senders"), sent.retries as f64, "", Bound::None);
    Ok(())
}
