//! A thousand SLOs over thirty days with four pairs of windows each: how long judging all of them takes once.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;

use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::{database, otlp, say, send};

const SLOS: usize = 1_000;
/// Rounds that are looked at; one takes place every ten seconds.
const ROUNDS: f64 = 6.0;
const LIMIT: Duration = Duration::from_mins(3);
const METRIC: &str = "slowburn_evaluation_duration_seconds";
const MINUTE_NS: u64 = 60_000_000_000;

/// Adds the time of the first evaluation and of the later ones.
pub(crate) async fn measure(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    say(&format!("starting a server with {SLOS} SLOs"));
    let mut server = Server::start(product, folder, "evaluate", false, &[]).await?;
    let client = Client::builder().no_proxy().build()?;
    let documents = documents();
    let response = client.put(server.url("/api/v1/openslo")).header("content-type", "application/yaml").body(documents).send().await?;
    let status = response.status();
    ensure!(status.is_success(), "the SLOs were refused with {status}: {}", response.text().await.unwrap_or_default());
    say("writing a month of their counts");
    let mut link = database::connect(&server.data, "slowburn").await?;
    write_history(&mut link).await?;
    drop(link);
    // What was written beside the server it knows when it starts.
    server.kill();
    server.start_again().await?;
    let (first, _) = rounds(&server, &client, 1.0).await?;
    let before = totals(&server, &client).await?;
    let (sum, count) = rounds(&server, &client, before.1 + ROUNDS).await?;
    let mean = (sum - before.0) / (count - before.1);
    report.add(
        "H5",
        format!("one evaluation of {SLOS} SLOs with four window pairs each, mean of {}", count - before.1),
        mean * 1e3,
        "ms",
        Bound::AtMost { floor: 200.0, aim: 20.0 },
    );
    report.add("", "… the first one after a start, which reads all counts".to_owned(), first * 1e3, "ms", Bound::None);
    Ok(())
}

/// Waits for so many evaluations, with new telemetry every second. Seconds in all of them, and their number.
async fn rounds(server: &Server, client: &Client, wanted: f64) -> Result<(f64, f64)> {
    let begun = std::time::Instant::now();
    let mut last = (0.0, 0.0);
    for second in 1.. {
        // The page of metrics judges all SLOs itself, so it is not asked often.
        if second % 12 == 0 {
            last = totals(server, client).await?;
        }
        if last.1 >= wanted {
            break;
        }
        let now = last;
        ensure!(begun.elapsed() < LIMIT, "after {} s there were {} evaluations of {wanted}", LIMIT.as_secs(), now.1);
        let until_ns = Timestamp::now().as_nanosecond() as u64 - MINUTE_NS;
        let workload = Workload { seed: 1_000 + second, traces: 16, from_ns: until_ns - MINUTE_NS, until_ns, layout: Layout::Together };
        send::send(&server.traces_url(), otlp::requests_of(&workload, 64), None).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(last)
}

async fn totals(server: &Server, client: &Client) -> Result<(f64, f64)> {
    let text = client.get(server.url("/metrics")).send().await?.error_for_status()?.text().await?;
    let value = |suffix: &str| {
        let name = format!("{METRIC}_{suffix} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(Ok(0.0), |value| value.parse().context("a metric"))
    };
    Ok((value("sum")?, value("count")?))
}

/// Each SLO has an indicator of its own.
fn documents() -> String {
    let mut text = String::new();
    for index in 0..SLOS {
        let _ = write!(
            text,
            "---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: bench-{index}}}
spec:
  service: gateway
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  indicator:
    metadata: {{name: bench-{index}}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'duration_ms < {}'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'service == \"gateway\" && kind == \"server\"'}}}}}}
  objectives: [{{target: 0.99}}]
",
            index + 1
        );
    }
    text
}

/// A thousand events in every minute of thirty days, one in a thousand bad: all hours, and the minutes of the last days and of
/// those in which windows begin.
async fn write_history(connection: &mut sqlx::PgConnection) -> Result<()> {
    let now = i32::try_from(Timestamp::now().as_second() / 60)?;
    for (statement, from) in [
        (
            "INSERT INTO rollup_hour (bucket, sli_id, hour, good, total, seen)
             SELECT 0, sli_id, hour, 59940, 60000, (1::bigint << 60) - 1 FROM slos, generate_series($1, $2 / 60 - 1) hour",
            (now - 43_260) / 60,
        ),
        (
            "INSERT INTO rollup_minute (bucket, sli_id, minute, good, total)
             SELECT 0, sli_id, minute, 999, 1000 FROM slos, generate_series($1, $2 / 60 * 60 - 1) minute",
            (now - 4_500) / 60 * 60,
        ),
        (
            "INSERT INTO rollup_minute (bucket, sli_id, minute, good, total)
             SELECT 0, sli_id, minute, 999, 1000 FROM slos, generate_series($1, $1 + 119) minute WHERE $2 > 0",
            (now - 43_260) / 60 * 60,
        ),
    ] {
        sqlx::query(statement).bind(from).bind(now).execute(&mut *connection).await?;
    }
    sqlx::query("ANALYZE rollup_hour, rollup_minute").execute(connection).await?;
    Ok(())
}
