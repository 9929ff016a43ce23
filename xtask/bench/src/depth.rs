//! Ten million spans: how long a trace by its id, a correlation ID, its whole story and searches of what spans hold take among
//! them.
//!
//! The spans arrive one chunk after the other, each chunk's traces later than those of the chunk before, as time goes; half a
//! million log lines arrive with them, and the stories of some IDs ([`crate::story`]). Each
//! search is asked again and again, with another value where it has one; the server's and PostgreSQL's caches
//! are as they are after such a load. Partitions are days, and those of thirty days are there, most of them empty.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::latency::{self, first_byte_plain};
use crate::lines::Speech;
use crate::load::apply_slos;
use crate::otlp::Request;
use crate::report::{Bound, Report};
use crate::send::{self, connection};
use crate::server::{Product, Server};
use crate::spans::{Layout, SPANS_PER_TRACE, Workload};
use crate::statistics::Sample;
use crate::story::{self, Stories, TRACES};
use crate::{database, otlp, otlp_logs, say};

/// Spans of one chunk: its requests are in memory.
const CHUNK: usize = 400_000;
/// Time that a chunk's traces cover, seconds.
const CHUNK_SECONDS: u64 = 60;
/// Log lines beside the spans.
const LINES: usize = 500_000;
/// Searches of one kind.
const SEARCHES: usize = 40;
/// Searches that look at everything.
const WHOLE_SEARCHES: usize = 5;
/// Days whose partitions are there before the first span.
const DAYS: i64 = 30;

/// One kind of search: its name, the query for each turn, how many traces must be found at least, its bound.
struct Kind {
    name: &'static str,
    query: fn(usize) -> String,
    least: usize,
    bound: Bound,
    times: usize,
}

const NEWEST: Bound = Bound::AtMost { floor: 1_000.0, aim: 200.0 };
const NOTHING: Bound = Bound::AtMost { floor: 5_000.0, aim: 2_000.0 };

fn filter(text: &str) -> String {
    let mut query = "filter=".to_owned();
    for byte in text.bytes() {
        let _ = write!(query, "%{byte:02X}");
    }
    query
}

const KINDS: [Kind; 10] = [
    Kind { name: "newest, no condition", query: |_| String::new(), least: 50, bound: NEWEST, times: SEARCHES },
    Kind {
        name: "service and operation",
        query: |turn| format!("service=payment&operation={}", ["GET%20%2Fsearch", "POST%20%2Freviews", "POST%20%2Fcheckouts"][turn % 3]),
        least: 50,
        bound: NEWEST,
        times: SEARCHES,
    },
    Kind { name: "status error", query: |_| "status=error".to_owned(), least: 50, bound: NEWEST, times: SEARCHES },
    Kind {
        name: "an attribute that one span in 12 has",
        query: |turn| filter(&format!("attributes[\"http.route\"] == \"{}\"", ["/search", "/reviews", "/checkouts"][turn % 3])),
        least: 50,
        bound: NEWEST,
        times: SEARCHES,
    },
    Kind {
        name: "an attribute that one trace in 20,000 has",
        query: |turn| filter(&format!("attributes[\"user.id\"] == \"customer-{}\"", turn * 397 % 20_000)),
        least: 1,
        bound: NEWEST,
        times: SEARCHES,
    },
    Kind {
        name: "attribute, status and duration together",
        query: |turn| {
            format!(
                "{}&status=error&min_duration_ms=80",
                filter(&format!("attributes[\"server.address\"].startsWith(\"payment-{}\")", turn % 4))
            )
        },
        least: 1,
        bound: NEWEST,
        times: SEARCHES,
    },
    Kind { name: "longer than 150 ms", query: |turn| format!("min_duration_ms={}", 150 + turn), least: 50, bound: NEWEST, times: SEARCHES },
    Kind {
        name: "matches nothing, an equality",
        query: |turn| filter(&format!("attributes[\"user.id\"] == \"nobody-{turn}\"")),
        least: 0,
        bound: NOTHING,
        times: WHOLE_SEARCHES,
    },
    Kind {
        name: "matches nothing, a comparison",
        query: |turn| filter(&format!("attributes[\"http.response.body.size\"] > {}", 1_000_000 + turn)),
        least: 0,
        bound: NOTHING,
        times: WHOLE_SEARCHES,
    },
    Kind {
        name: "matches nothing, a regular expression",
        query: |turn| filter(&format!("attributes[\"url.path\"].matches(\"^/nowhere/{turn}$\")")),
        least: 0,
        bound: NOTHING,
        times: WHOLE_SEARCHES,
    },
];

/// Loads `spans` and searches among them.
pub(crate) async fn measure(product: &Product, folder: &std::path::Path, spans: usize, report: &mut Report) -> Result<()> {
    say("starting a server with daily slots");
    let server = Server::start(product, folder, "depth", false, &[("SLOWBURN_RETENTION", "30d")]).await?;
    let mut link = database::connect(&server.data, "slowburn").await?;
    report.machine.postgres = database::version(&mut link).await?;
    add_days(&mut link).await?;
    apply_slos(&server, &Client::builder().no_proxy().build()?).await?;
    let chunks = spans.div_ceil(CHUNK);
    let now = Timestamp::now().as_second().cast_unsigned();
    let mut workloads = Vec::with_capacity(chunks);
    let mut stories = Stories::new();
    for chunk in 0..chunks {
        let from = now - (chunks - chunk) as u64 * CHUNK_SECONDS - 10;
        let second = 1_000_000_000;
        let workload = Workload {
            seed: 100 + chunk as u64,
            traces: CHUNK.min(spans - chunk * CHUNK) / SPANS_PER_TRACE,
            from_ns: from * second,
            until_ns: (from + CHUNK_SECONDS) * second,
            layout: Layout::Together,
        };
        say(&format!("loading chunk {} of {chunks}", chunk + 1));
        let speech = Speech { seed: 500 + chunk as u64, lines: LINES / chunks, from_ns: workload.from_ns, until_ns: workload.until_ns };
        let made = tokio::task::spawn_blocking(move || (otlp::requests(&workload), otlp_logs::requests(&speech)));
        let (mut spans, mut lines) = made.await?;
        for turn in turns(chunk, chunks) {
            let (of_spans, of_lines) = stories.go_on(workload.from_ns + turn * 2 * second);
            insert(&mut spans, of_spans);
            insert(&mut lines, of_lines);
        }
        send::send(&server.traces_url(), spans, None).await?;
        send::send(&server.logs_url(), lines, None).await?;
        workloads.push(workload);
    }
    database::settled(&mut link).await?;
    let stored: usize = workloads.iter().map(Workload::spans).sum();
    let at = format!("{:.1} million spans, partitions of {DAYS} days", stored as f64 / 1e6);
    say("searching");
    let (by_id, by_correlation) = latency::searches(&server, &workloads).await?;
    report.add("H3", format!("trace by id over HTTP, p99, {at}"), by_id.p99, "ms", Bound::AtMost { floor: 20.0, aim: 5.0 });
    report.add("H3", format!("correlation ID over HTTP, p99, {at}"), by_correlation.p99, "ms", Bound::AtMost { floor: 20.0, aim: 5.0 });
    story::measure(&server, &stories, &format!("{at}, {:.1} million log lines", LINES as f64 / 1e6), report).await?;
    let client = connection()?;
    let mut details = serde_json::Map::new();
    for Kind { name, query, least, bound, times } in KINDS {
        let mut sample = Vec::with_capacity(times);
        for turn in 0..times {
            let path = format!("/api/v1/traces?limit=50&{}", query(turn));
            let (time, body) = first_byte_plain(&client, &server.url(&path)).await.with_context(|| path.clone())?;
            let found = body["items"].as_array().map_or(0, Vec::len);
            ensure!(found >= least && (least > 0 || found == 0), "{path} finds {found} traces");
            ensure!(least > 0 || body["next"].is_null(), "{path} was not searched to the end");
            sample.push(time);
        }
        let sample = Sample::of(sample);
        report.add("H11", format!("{name}, p95, {at}"), sample.p95, "ms", bound);
        details.insert(name.to_owned(), json!(sample));
    }
    report.detail("search at depth", json!({ "spans_stored": stored, "trace": by_id, "correlation_id": by_correlation, "kinds": details }))
}

/// Turns of the stories that fall into a chunk.
fn turns(chunk: usize, chunks: usize) -> impl Iterator<Item = u64> {
    let bound = move |chunk: usize| (chunk as u64 * TRACES).div_ceil(chunks as u64);
    bound(chunk)..bound(chunk + 1)
}

/// Puts some requests among others, far from one another.
fn insert(requests: &mut Vec<Request>, others: Vec<Request>) {
    let step = requests.len() / (others.len() + 1);
    for (index, other) in others.into_iter().enumerate() {
        requests.insert((index + 1) * step + index, other);
    }
}

/// Partitions of the days before, as they are after a month: sealed, their open parts merged and gone.
pub(crate) async fn add_days(link: &mut PgConnection) -> Result<()> {
    let today = Timestamp::now().as_second().div_euclid(86_400);
    for day in today - DAYS + 1..today {
        let slot = day * 1_440;
        for table in ["segments", "trace_index", "correlation_index", "bad_index", "log_index"] {
            for statement in [
                format!("CREATE TABLE {table}_{slot}_sealed (LIKE {table} INCLUDING ALL)"),
                format!("ALTER TABLE {table} ATTACH PARTITION {table}_{slot}_sealed FOR VALUES FROM ({slot}, 1) TO ({slot}, 2)"),
            ] {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *link).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_falls_into_one_chunk_however_many_there_are() {
        for chunks in [1, 3, 20, 25] {
            let all: Vec<u64> = (0..chunks).flat_map(|chunk| turns(chunk, chunks)).collect();
            assert_eq!(all, (0..TRACES).collect::<Vec<_>>(), "{chunks}");
        }
    }
}
