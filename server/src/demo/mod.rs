//! A small shop that sends real OTLP: something to look at before one's own services are connected.
//!
//! Eight services in twelve processes serve visitors, whose number follows the hour of the day. [`world`] knows what goes
//! wrong when, [`scenario`] what people do and which spans that leaves, [`shop`] puts the spans in order of time, [`said`]
//! what is logged, [`measured`] what is counted. On the first start [`history`] sends the past hours through the OTLP door as
//! fast as it takes them; then [`live`] goes on at the pace of the clock, through the OpenTelemetry SDK like any other service.
//! Nothing is kept: what happens in a minute follows from seed and time, so a restarted shop goes on as if nothing had been.

mod fleet;
mod history;
mod live;
mod measured;
mod said;
mod scenario;
mod shop;
mod sink;
#[cfg(test)]
mod tests;
mod transport;
mod world;

use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use self::measured::Figures;
use self::said::Lines;
use self::shop::Shop;
use self::transport::Transport;
use self::world::World;

/// The shop's five objectives, as OpenSLO documents.
pub const SLOS: &str = include_str!("slos.yaml");

/// How the shop runs.
#[derive(Clone, Debug)]
pub struct DemoConfig {
    /// The OTLP/HTTP door, for example `http://127.0.0.1:4318`.
    pub otlp_http: String,
    /// How much of the past to send first: some hours on the first start, nothing later.
    pub history: Option<Duration>,
    /// The clock.
    pub now: fn() -> SystemTime,
    /// What chance depends on.
    pub seed: u64,
}

/// Sends the past if asked to, then live traffic until `shutdown`; ends within about a second of it.
///
/// # Errors
/// The endpoint is no URL, or the OTLP door refuses the history for minutes.
pub async fn run(config: DemoConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let DemoConfig { otlp_http, history, now, seed } = config;
    let (transport, lines) = (Transport::to(&otlp_http)?, Lines::to(&otlp_http)?);
    let start = now();
    let (world, from) = match history {
        Some(length) => (World::opening_at(seed, start), start.checked_sub(length).unwrap_or(SystemTime::UNIX_EPOCH)),
        None => (World::new(seed), start),
    };
    let mut shop = Shop::observed_from(world, from);
    let mut figures = Figures::to(&otlp_http, from)?;
    if history.is_some() {
        history::send(&mut shop, &transport, &lines, &mut figures, now, &shutdown).await?;
    }
    live::run(shop, world, &transport, &lines, figures, now, shutdown).await
}
