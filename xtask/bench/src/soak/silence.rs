//! PostgreSQL stands still: its processes are stopped, so connections neither answer nor break. Nothing is acknowledged
//! meanwhile, the server says that it is not ready and yet alive, and afterwards everything goes on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;

use super::check;
use super::sender::Senders;
use crate::load::apply_slos;
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

pub(super) async fn run(product: &Product, folder: &Path, seconds: u64, report: &mut Report) -> Result<()> {
    say(&format!("PostgreSQL stands still for {seconds} s"));
    let server = Server::start(product, folder, "silence", false, &[]).await?;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    apply_slos(&server, &client).await?;
    let senders = Senders::start(&[server.traces_url()], 3)?;
    senders.wait_for(10).await;
    server.signal_database("STOP");
    // What was answered just then is still under way to the senders.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = senders.acknowledged();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let during = senders.acknowledged() - before;
    let ready = client.get(server.url("/ready")).send().await?.status();
    let alive = client.get(server.url("/livez")).send().await?.status();
    server.signal_database("CONT");
    ensure!(during == 0, "{during} requests were acknowledged while the database stood still");
    ensure!(ready == 503 && alive == 200, "meanwhile /ready said {ready} and /livez {alive}");
    senders.wait_for(10).await;
    let sent = senders.end().await?;
    check(&server, &sent, &format!("PostgreSQL still for {seconds} s"), report).await
}
