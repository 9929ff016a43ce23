//! What only closed minutes tell: objectives over metrics are counted a minute after the minute of their points, and what passed
//! between services twenty seconds after the minute of the spans.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;

use super::check::counted;
use super::full::Disk;
use super::sent::Points;
use super::writer::now_ns;
use crate::report::{Bound, Report};
use crate::server::Server;
use crate::verify::get;

/// A minute and the one in which it is closed, a few rounds of the job, and a slow machine; nanoseconds.
const LIMIT: u64 = 180_000_000_000;
const SLO: &str = "soak-orders";

/// What an objective over metrics and the service map should have counted.
#[derive(Clone, Debug)]
pub(super) struct Later {
    pub(super) what: String,
    pub(super) points: Points,
    /// Traces, in each of which [`CALLER`] calls [`CALLEE`] once.
    pub(super) traces: u64,
}

const CALLER: &str = "gateway";
const CALLEE: &str = "cart";

/// Servers that run on until their minutes have closed, and what is expected of the first of them. Dropped in this order.
pub(super) struct Running {
    pub(super) servers: Vec<Server>,
    pub(super) disk: Option<Disk>,
    pub(super) later: Later,
}

/// Waits for the minutes of all of them.
pub(super) async fn check(running: Vec<Running>, report: &mut Report) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    for Running { servers, disk, later: Later { what, points, traces } } in &running {
        let expected = ((points.rose, points.rose - points.failed), *traces);
        let (told, called) = loop {
            let all = (counted(&servers[0], &client, SLO).await?, called(&servers[0], &client).await?);
            if all == expected || now_ns() > points.last_ns + LIMIT {
                break all;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        ensure!(
            told == expected.0,
            "{what}: {SLO} counts {} good of {}; they should be {} of {} ({} points were late)",
            told.1,
            told.0,
            expected.0.1,
            expected.0.0,
            points.late
        );
        ensure!(called == *traces, "{what}: the service map knows {called} calls of {CALLER} to {CALLEE}; there were {traces}");
        report.add("B2", format!("{what}: rise of counters counted by an objective over metrics"), told.0 as f64, "", Bound::None);
        report.add("C7", format!("{what}: calls of one service to another on the service map"), called as f64, "", Bound::None);
        // For whoever counts: a scenario that was left out is not among these lines.
        println!("passed: {what}");
        let _ = disk;
    }
    // All have been counted to their end: what came twice would have come by now.
    for Running { servers, later: Later { what, points, .. }, .. } in &running {
        let told = counted(&servers[0], &client, SLO).await?;
        ensure!(told.0 == points.rose, "{what}: {SLO} went on to {}", told.0);
    }
    Ok(())
}

/// Calls that the service map shows.
async fn called(server: &Server, client: &Client) -> Result<u64> {
    let list = get(server, client, &format!("/api/v1/service-map?service={CALLER}&from=-2h")).await?;
    let edges = list["items"].as_array().context("a service map without items")?;
    let wanted = edges.iter().filter(|edge| edge["kind"] == "call" && edge["caller"] == CALLER && edge["callee"] == CALLEE);
    Ok(wanted.filter_map(|edge| edge["count"].as_u64()).sum())
}
