//! Two servers on one database. The one that holds the leases is killed; the other holds them within five seconds, and
//! nothing is folded or counted twice.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rand::Rng as _;
use rand::rngs::SmallRng;

use super::check::check;
use super::door::Doors;
use super::later::Running;
use super::sender::Senders;
use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::{database, say};

/// Longest wait for the leases before this gives up.
const LIMIT: Duration = Duration::from_mins(1);

pub(super) async fn run(product: &Product, folder: &Path, rng: &mut SmallRng, report: &mut Report) -> Result<Running> {
    say("two servers on one database");
    let mut first = Server::start(product, folder, "pair", false, &[]).await?;
    super::prepare(&first).await?;
    let url = first.database_url();
    let second = Server::start(product, folder, "second", false, &[("DATABASE_URL", &url)]).await?;
    let mut link = database::connect(&first.data, "slowburn").await?;
    let holders = "SELECT count(*), count(*) FILTER (WHERE holder = $1) FROM leases WHERE name LIKE 'fold/%' AND expires_at > now()";
    let mut senders = Senders::start(&[Doors::of(&first), Doors::of(&second)])?;
    senders.wait_for(10).await?;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..2_000))).await;
    // The first server came first and renews its leases in time.
    let holder: sqlx::types::Uuid = sqlx::query_scalar("SELECT holder FROM leases WHERE name = 'fold/0'").fetch_one(&mut link).await?;
    say("killing the server that folds");
    first.kill();
    let begun = Instant::now();
    loop {
        let (held, by_dead): (i64, i64) = sqlx::query_as(holders).bind(holder).fetch_one(&mut link).await?;
        if held == 2 && by_dead == 0 {
            break;
        }
        ensure!(begun.elapsed() < LIMIT, "the leases of the dead server were not taken over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let moved = begun.elapsed();
    senders.wait_for(10).await?;
    let sent = senders.end().await?;
    report.add(
        "D4",
        "two servers: leases of the killed one held by the other after",
        moved.as_secs_f64(),
        "s",
        Bound::AtMost { floor: 5.0, aim: 5.0 },
    );
    let later = check(&second, &first.data, &sent, "two servers, one killed", report).await?;
    // The cluster is of the first.
    Ok(Running { servers: vec![second, first], disk: None, later })
}
