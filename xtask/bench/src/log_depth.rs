//! Five million log lines: how long searches for words take among them, the newest fifty that say them.
//!
//! The lines arrive one chunk after the other, each later than the one before, as time goes; partitions are days, and those
//! of thirty days are there. What each search must find is worked out while the lines are sent ([`crate::questions`]): an
//! answer counts only when it holds exactly these lines.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;

use crate::depth::add_days;
use crate::latency::first_byte_plain;
use crate::lines::Speech;
use crate::load::apply;
use crate::logs::LOG_SLOS;
use crate::questions::{Questions, WANTED};
use crate::report::{Bound, Report};
use crate::send::{self, connection};
use crate::server::{Product, Server};
use crate::statistics::Sample;
use crate::verify::counter;
use crate::verify_lines::time_ns;
use crate::{database, otlp_logs, say};

/// Lines of one chunk: its requests are in memory.
const CHUNK: usize = 400_000;
/// Time that a chunk's lines cover, seconds.
const CHUNK_SECONDS: u64 = 60;
/// Searches of one kind.
const SEARCHES: usize = 40;

/// Loads `lines` and searches among them.
pub(crate) async fn measure(product: &Product, folder: &Path, lines: usize, report: &mut Report) -> Result<()> {
    say("starting a server with daily slots for log lines");
    let server = Server::start(product, folder, "lines", false, &[("SLOWBURN_RETENTION", "30d")]).await?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    report.machine.postgres = database::version(&mut link).await?;
    add_days(&mut link).await?;
    let client = Client::builder().no_proxy().build()?;
    apply(&server, &client, LOG_SLOS).await?;
    let mut questions = Questions::new();
    let chunks = lines.div_ceil(CHUNK);
    let now = Timestamp::now().as_second().cast_unsigned();
    for chunk in 0..chunks {
        let from = now - (chunks - chunk) as u64 * CHUNK_SECONDS - 10;
        let second = 1_000_000_000;
        let speech = Speech {
            seed: 300 + chunk as u64,
            lines: CHUNK.min(lines - chunk * CHUNK),
            from_ns: from * second,
            until_ns: (from + CHUNK_SECONDS) * second,
        };
        say(&format!("loading chunk {} of {chunks}", chunk + 1));
        let (requests, heard) = tokio::task::spawn_blocking(move || {
            speech.lines().for_each(|line| questions.hear(&line));
            (otlp_logs::requests(&speech), questions)
        })
        .await?;
        questions = heard;
        send::send(&server.logs_url(), requests, None).await?;
    }
    database::settled(&mut link).await?;
    // As nearly all of so many lines lie after some time.
    database::few_waiting(&mut link).await?;
    let stored = counter(&server, &client, "slowburn_log_records_stored_total").await?;
    ensure!(stored == lines as u64, "slowburn_log_records_stored_total says {stored}, acknowledged were {lines}");
    let (segments, in_each): (i64, i64) =
        sqlx::query_as("SELECT count(*), coalesce(avg(records), 0)::bigint FROM segments").fetch_one(&mut link).await?;

    say(&format!("searching for words in {segments} segments of {in_each} lines"));
    let at = format!("{:.1} million log lines", lines as f64 / 1e6);
    let client = connection()?;
    let mut details = serde_json::Map::new();
    for kind in questions.kinds() {
        let mut sample = Vec::with_capacity(SEARCHES);
        let mut found = 0;
        for question in kind.questions.iter().cycle().take(SEARCHES) {
            let path = format!("/api/v1/logs?limit={WANTED}&{}", question.query);
            let (time, body) = first_byte_plain(&client, &server.url(&path)).await.with_context(|| path.clone())?;
            let items = body["items"].as_array().context("logs: no items")?;
            let times = items.iter().map(time_ns).collect::<Result<Vec<_>>>()?;
            let expected: Vec<u64> = question.newest.iter().rev().copied().collect();
            ensure!(times == expected, "{path} finds {} lines, or others than the newest {} that were sent", times.len(), expected.len());
            ensure!(question.is_cut() || body["next"].is_null(), "{path} was not searched to the end");
            sample.push(time);
            found += times.len();
        }
        let sample = Sample::of(sample);
        let mean = found as f64 / SEARCHES as f64;
        let bound = if kind.is_bound { Bound::AtMost { floor: 1_000.0, aim: 200.0 } } else { Bound::None };
        report.add("H11", format!("log lines by {}, {mean:.1} found, p95, {at}", kind.name), sample.p95, "ms", bound);
        details.insert(kind.name.to_owned(), json!({ "times": sample, "found": mean }));
    }
    report
        .detail("words at depth", json!({ "lines_stored": stored, "segments": segments, "lines_of_a_segment": in_each, "kinds": details }))
}
