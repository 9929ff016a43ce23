//! Kills at random moments: of the server, which is started again, and of PostgreSQL, which the server starts again.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use rand::Rng as _;
use rand::rngs::SmallRng;

use super::check::check;
use super::door::Doors;
use super::later::Running;
use super::sender::Senders;
use crate::report::Report;
use crate::say;
use crate::server::{Product, Server};

/// Longest time between two kills, milliseconds.
const APART: u64 = 2_500;

pub(super) async fn run(product: &Product, folder: &Path, kills: usize, rng: &mut SmallRng, report: &mut Report) -> Result<Running> {
    let mut server = Server::start(product, folder, "kills", false, &[]).await?;
    super::prepare(&server).await?;
    let mut senders = Senders::start(&[Doors::of(&server)])?;
    senders.wait_for(5).await?;
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..APART))).await;
        match rng.random_range(0..3) {
            0 => {
                say(&format!("kill {} of {kills}: PostgreSQL", kill + 1));
                server.kill_database();
            }
            1 => {
                say(&format!("kill {} of {kills}: the server", kill + 1));
                server.kill();
                server.start_again().await?;
            }
            _ => {
                say(&format!("kill {} of {kills}: both", kill + 1));
                server.kill_database();
                server.kill();
                server.start_again().await?;
            }
        }
        // Each fault meets a working system.
        senders.wait_for(3).await?;
    }
    let sent = senders.end().await?;
    let later = check(&server, &server.data, &sent, &format!("{kills} kills of server and PostgreSQL"), report).await?;
    Ok(Running { servers: vec![server], disk: None, later })
}
