//! `make soak`: faults under load. Spans, log records over OTLP and in ECS, metric points, events and heartbeats are sent side by
//! side by senders that try again as their protocols say. In the end everything acknowledged must be there once, and every count
//! exact.
//!
//! - [`kills`]: the server, and PostgreSQL, are killed at random moments.
//! - [`pair`]: two servers on one database, one is killed; the other takes over its leases.
//! - [`silence`]: PostgreSQL stands still for a while.
//! - [`full`]: the disk is full until room is made (as root, on a file system of its own).
//! - [`overload`]: requests of more than twice the bytes that there is room for.
//!
//! `make test` runs the same with fewer kills and shorter waits.

mod check;
mod door;
mod full;
mod happened;
mod kills;
mod later;
mod overload;
mod pair;
mod sender;
mod sent;
mod silence;
mod writer;

use std::path::Path;

use anyhow::{Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use reqwest::Client;

use crate::load::{apply, apply_slos};
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

/// Objectives over lines of OTLP.
const LOG_SLOS: &str = include_str!("log_slos.yaml");
/// Objectives over the other signals.
const SLOS: &str = include_str!("soak/slos.yaml");

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
    let mut running = vec![
        kills::run(product, folder, extent.kills, &mut rng, report).await?,
        pair::run(product, folder, &mut rng, report).await?,
        silence::run(product, folder, extent.silence_seconds, report).await?,
    ];
    running.extend(full::run(product, folder, report).await?);
    running.push(overload::run(product, folder, report).await?);
    later::check(running, report).await
}

/// Makes known what counts, and who beats.
async fn prepare(server: &Server) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    apply_slos(server, &client).await?;
    for documents in [LOG_SLOS, SLOS] {
        apply(server, &client, documents).await?;
    }
    for (agent, interval) in door::AGENTS {
        let promise = serde_json::json!({"interval_seconds": interval});
        let answer = client.put(server.url(&format!("/api/v1/agents/{agent}"))).json(&promise).send().await?;
        ensure!(answer.status().is_success(), "an agent was refused with {}", answer.status());
    }
    Ok(())
}
