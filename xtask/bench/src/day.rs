//! Three days in a quarter of an hour: an hour's worth of telemetry after the other, each with its folds, merges and page reads, and
//! how the server's memory grows over it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use reqwest::Client;

use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::{database, load, machine, otlp, say, send};

/// Three days: the memory of one hour swings by more than a day could grow.
const HOURS: u64 = 72;
/// Hours before the first that counts: caches fill.
const WARM_UP: usize = 6;
/// Traces of an hour: 11 spans a second.
const TRACES: usize = 5_000;
const HOUR_NS: u64 = 3_600_000_000_000;
const PAGES: [&str; 5] = ["/", "/slos", "/slos/bench-gateway-availability", "/traces", "/settings"];
/// Rounds over the pages in each hour.
const READS: usize = 20;

/// Adds the slope.
pub(crate) async fn measure(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    say("starting a server for a simulated day");
    let server = Server::start(product, folder, "day", false, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    load::apply_slos(&server, &client).await?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    let first_ns = Timestamp::now().as_nanosecond() as u64 - HOURS * HOUR_NS;
    let mut memory = Vec::new();
    for hour in 0..HOURS {
        let from_ns = first_ns + hour * HOUR_NS;
        let workload = Workload { seed: 90 + hour, traces: TRACES, from_ns, until_ns: from_ns + HOUR_NS, layout: Layout::Together };
        let requests = tokio::task::spawn_blocking(move || otlp::requests_of(&workload, 64)).await?;
        send::send(&server.traces_url(), requests, None).await?;
        for path in PAGES.iter().cycle().take(READS * PAGES.len()) {
            client.get(server.url(path)).send().await?.error_for_status()?.bytes().await?;
        }
        database::settled(&mut link).await?;
        memory.push(at_rest(&server).await?);
    }
    let slope = slope(&memory[WARM_UP..]);
    report.add(
        "",
        format!("memory of the server, growth an hour at rest over {HOURS} simulated hours"),
        slope,
        "MiB",
        Bound::AtMost { floor: 1.0, aim: 0.0 },
    );
    report.detail("day_memory_mib", serde_json::json!(memory))
}

/// The least memory within some seconds: merges come and go meanwhile, what stays is what counts.
async fn at_rest(server: &Server) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        least = least.min(machine::memory_mib(server.pid())?.0);
    }
    Ok(least)
}

/// Least squares: growth from one value to the next.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (mean_x, mean_y) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let x = index as f64 - mean_x;
        covariance += x * (value - mean_y);
        variance += x * x;
    }
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_noise_around_a_level_none() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-9);
        assert!(slope(&[4.0, 5.0, 5.0, 4.0]).abs() < 1e-9);
    }
}
