//! What only closed minutes tell: objectives over metrics are counted a minute after the minute of their points.

use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;

use super::check::counted;
use super::full::Disk;
use super::sent::Points;
use super::writer::now_ns;
use crate::report::{Bound, Report};
use crate::server::Server;

/// A minute and the one in which it is closed, a few rounds of the job, and a slow machine; nanoseconds.
const LIMIT: u64 = 180_000_000_000;
const SLO: &str = "soak-orders";

/// What an objective over metrics should have counted.
#[derive(Clone, Debug)]
pub(super) struct Later {
    pub(super) what: String,
    pub(super) points: Points,
}

/// Servers that run on until their minutes have closed, and what is expected of the first of them. Dropped in this order.
pub(super) struct Running {
    pub(super) servers: Vec<Server>,
    pub(super) disk: Option<Disk>,
    pub(super) later: Later,
}

/// Waits for the minutes of all of them.
pub(super) async fn check(running: Vec<Running>, report: &mut Report) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    for Running { servers, disk, later: Later { what, points } } in &running {
        let expected = (points.rose, points.rose - points.failed);
        let told = loop {
            let told = counted(&servers[0], &client, SLO).await?;
            if told == expected || now_ns() > points.last_ns + LIMIT {
                break told;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        ensure!(
            told == expected,
            "{what}: {SLO} counts {} good of {}; they should be {} of {} ({} points were late)",
            told.1,
            told.0,
            expected.1,
            expected.0,
            points.late
        );
        report.add("B2", format!("{what}: rise of counters counted by an objective over metrics"), told.0 as f64, "", Bound::None);
        // For whoever counts: a scenario that was left out is not among these lines.
        println!("passed: {what}");
        let _ = disk;
    }
    // All have been counted to their end: what came twice would have come by now.
    for Running { servers, later: Later { what, points }, .. } in &running {
        let told = counted(&servers[0], &client, SLO).await?;
        ensure!(told.0 == points.rose, "{what}: {SLO} went on to {}", told.0);
    }
    Ok(())
}
