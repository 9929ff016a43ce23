//! PostgreSQL stands still: its processes are stopped, so connections neither answer nor break. Nothing is acknowledged
//! meanwhile, the server says that it is not ready and yet alive, and afterwards everything goes on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;

use super::check::check;
use super::door::Doors;
use super::later::Running;
use super::sender::Senders;
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

pub(super) async fn run(product: &Product, folder: &Path, seconds: u64, report: &mut Report) -> Result<Running> {
    say(&format!("PostgreSQL stands still for {seconds} s"));
    let server = Server::start(product, folder, "silence", false, &[]).await?;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    super::prepare(&server).await?;
    let mut senders = Senders::start(&[Doors::of(&server)])?;
    senders.wait_for(10).await?;
    server.signal_database("STOP");
    // What was answered just then is still under way to the senders.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = senders.all_acknowledged();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let during = senders.all_acknowledged() - before;
    let ready = client.get(server.url("/ready")).send().await?.status();
    let alive = client.get(server.url("/livez")).send().await?.status();
    server.signal_database("CONT");
    ensure!(during == 0, "{during} requests were acknowledged while the database stood still");
    ensure!(ready == 503 && alive == 200, "meanwhile /ready said {ready} and /livez {alive}");
    senders.wait_for(10).await?;
    let sent = senders.end().await?;
    let later = check(&server, &server.data, &sent, &format!("PostgreSQL still for {seconds} s"), report).await?;
    Ok(Running { servers: vec![server], disk: None, later })
}
