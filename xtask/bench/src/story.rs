//! Stories: twenty traces and five hundred log lines with one correlation ID, told over the whole time that a load covers, and
//! how long the page that tells one takes.
//!
//! A trace and its lines come in requests of their own while the load goes on, as SDKs send them, and lie in segments among all
//! others. One line of five carries the ID; the others belong to the story through their trace.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde_json::{Value as Json, json};

use crate::latency::{first_byte, first_byte_plain};
use crate::lines::{Line, line};
use crate::machine::Meter;
use crate::otlp::{self, Request};
use crate::otlp_logs;
use crate::report::{Bound, Report};
use crate::say;
use crate::send::connection;
use crate::server::Server;
use crate::spans::{Layout, Span, Value, Workload};
use crate::statistics::Sample;
use crate::verify_lines::time_ns;

/// Stories told at the same time; they are read in turn.
const STORIES: u64 = 5;
/// Traces of each.
pub(crate) const TRACES: u64 = 20;
/// Lines in each of its traces.
const LINES: u64 = 25;
const CARRIES_ID_EVERY: u64 = 5;
/// How often each story is read through each door.
const READS: usize = 40;

/// One story.
#[derive(Debug)]
struct Story {
    id: String,
    trace_ids: HashSet<String>,
    times: Vec<u64>,
    bodies: Vec<String>,
}

/// What has been told so far.
#[derive(Debug)]
pub(crate) struct Stories(Vec<Story>);

impl Stories {
    pub(crate) fn new() -> Self {
        let of = |story| Story { id: format!("saga-{story}"), trace_ids: HashSet::new(), times: Vec::new(), bodies: Vec::new() };
        Self((0..STORIES).map(of).collect())
    }

    /// The next trace of each story, which begins at `from_ns`, and its lines: a request of spans and one of lines each.
    pub(crate) fn go_on(&mut self, from_ns: u64) -> (Vec<Request>, Vec<Request>) {
        self.0.iter_mut().enumerate().map(|(story, own)| own.go_on(story as u64, from_ns)).unzip()
    }
}

impl Story {
    fn go_on(&mut self, story: u64, from_ns: u64) -> (Request, Request) {
        let seed = 10_000 + story * TRACES + self.trace_ids.len() as u64;
        let workload = Workload { seed, traces: 1, from_ns, until_ns: from_ns + 1_000_000, layout: Layout::Together };
        let mut spans: Vec<Span> = workload.traces().flatten().collect();
        let trace_id = spans[0].trace_id;
        for (key, value) in &mut spans[0].attributes {
            if *key == "correlation_id" {
                *value = Value::Text(self.id.clone().into());
            }
        }
        let mut rng = SmallRng::seed_from_u64(seed);
        let lines: Vec<Line> = (0..LINES)
            .map(|index| {
                let id = index.is_multiple_of(CARRIES_ID_EVERY).then(|| self.id.clone());
                line(&mut rng, from_ns + story + index * 1_000_000, Some(trace_id), id)
            })
            .collect();
        self.trace_ids.insert(format!("{trace_id:032x}"));
        self.times.extend(lines.iter().map(|line| line.time_ns));
        self.bodies.extend(lines.iter().map(|line| line.body.clone()));
        (otlp::request(spans), otlp_logs::request(lines))
    }

    /// Checks that the API tells the whole story and nothing else.
    fn check_answer(&self, answer: &Json) -> Result<()> {
        let items = answer["items"].as_array().context("no items")?;
        let of_kind = |kind: &'static str| items.iter().filter(move |item| item["kind"] == kind);
        let traces: HashSet<String> =
            of_kind("trace").filter_map(|item| item["href"].as_str()?.rsplit('/').next().map(str::to_owned)).collect();
        ensure!(traces == self.trace_ids, "{} tells of {} traces, or of others", self.id, traces.len());
        let times = of_kind("log").map(time_ns).collect::<Result<Vec<_>>>()?;
        ensure!(times == self.times, "{} tells of {} lines, or of others", self.id, times.len());
        ensure!(items.len() == traces.len() + times.len(), "{} tells of {} things", self.id, items.len());
        Ok(())
    }

    /// Checks that the page says all that was said.
    fn check_page(&self, page: &str) -> Result<()> {
        let missing = self.trace_ids.iter().chain(&self.bodies).find(|text| !page.contains(text.as_str()));
        ensure!(missing.is_none(), "the page of {} does not say {missing:?}", self.id);
        Ok(())
    }
}

/// Reads the stories and adds the figures.
pub(crate) async fn measure(server: &Server, stories: &Stories, at: &str, report: &mut Report) -> Result<()> {
    let client = connection()?;
    for story in &stories.0 {
        ensure!(story.trace_ids.len() as u64 == TRACES && story.times.len() as u64 == TRACES * LINES, "{} is not complete", story.id);
        let page = client.get(server.url(&format!("/c/{}", story.id))).send().await?.error_for_status()?.text().await?;
        story.check_page(&page)?;
    }
    let (mut pages, mut answers) = (Vec::new(), Vec::new());
    let meter = Meter::start(&server.watched())?;
    for _ in 0..READS {
        for story in &stories.0 {
            pages.push(first_byte(&client, &server.url(&format!("/c/{}", story.id))).await?.0);
            let (time, answer) = first_byte_plain(&client, &server.url(&format!("/api/v1/correlations/{}", story.id))).await?;
            story.check_answer(&answer)?;
            answers.push(time);
        }
    }
    let spent = meter.stop()?;
    let (page, answer) = (Sample::of(pages), Sample::of(answers));
    let what = format!("{TRACES} traces and {} log lines, first byte, p95, {at}", TRACES * LINES);
    let bound = Bound::AtMost { floor: 100.0, aim: 100.0 };
    report.add("C6", format!("page of a correlation ID with {what}"), page.p95, "ms", bound);
    report.add("C6", format!("API's answer for a correlation ID with {what}"), answer.p95, "ms", bound);
    say(&format!("told a story of {TRACES} traces: page {:.0} ms, API {:.0} ms at p95", page.p95, answer.p95));
    let reads = (page.count + answer.count) as f64;
    report.add("", "processor per reading of such a story, server", spent.server * 1e3 / reads, "ms", Bound::None);
    report.add("", "processor per reading of such a story, PostgreSQL", spent.postgres * 1e3 / reads, "ms", Bound::None);
    report.detail("stories", json!({ "page": page, "api": answer, "processor_seconds": spent }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_has_its_traces_and_lines_in_order() {
        let mut stories = Stories::new();
        for turn in 0..TRACES {
            let (spans, lines) = stories.go_on(1_000_000_000 * (turn + 1));
            assert_eq!(spans.iter().map(|request| request.records).sum::<usize>() as u64, STORIES * 8);
            assert_eq!(lines.iter().map(|request| request.records).sum::<usize>() as u64, STORIES * LINES);
        }
        for story in &stories.0 {
            assert_eq!((story.trace_ids.len() as u64, story.times.len() as u64), (TRACES, TRACES * LINES));
            assert!(story.times.is_sorted());
        }
        let (one, other) = (&stories.0[0], &stories.0[1]);
        assert!(one.trace_ids.is_disjoint(&other.trace_ids));
        assert!(one.check_page("").is_err() && one.check_answer(&json!({ "items": [] })).is_err());
    }
}
