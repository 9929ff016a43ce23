//! Everything acknowledged is there once, and the counts agree.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use serde_json::Value;

use super::door::Signal;
use super::happened;
use super::later::Later;
use super::sent::Sent;
use super::writer::ECS_SERVICE;
use crate::lines::Line;
use crate::otlp_logs::word_of;
use crate::report::{Bound, Report};
use crate::said::{ERROR, GATEWAY};
use crate::server::Server;
use crate::spans::{SPANS_PER_TRACE, Workload};
use crate::verify::{self, get, slo_counter};
use crate::verify_lines::{print_of_item, print_of_line, time_ns, walk};
use crate::{database, say};

/// Looks for everything in what one server answers; `data` is the folder of the cluster. What only closed minutes tell is left to
/// the answer.
pub(super) async fn check(server: &Server, data: &std::path::Path, sent: &Sent, what: &str, report: &mut Report) -> Result<Later> {
    let client = Client::builder().no_proxy().build()?;
    let figures = Signal::ALL.map(|signal| (signal.name(), sent.records[signal as usize], sent.retries[signal as usize]));
    let told = figures.map(|(name, records, retries)| format!("{records} {name} after {retries} retries"));
    say(&format!("{what}: acknowledged were {}; looking for them", told.join(", ")));
    let mut link = database::connect(data, "slowburn").await?;
    spans(server, &client, &sent.workloads).await.with_context(|| what.to_owned())?;
    logs(server, &client, sent).await.with_context(|| what.to_owned())?;
    points(server, &client, &mut link, sent).await.with_context(|| what.to_owned())?;
    happened::events(server, &client, &mut link, sent).await.with_context(|| what.to_owned())?;
    happened::heartbeats(server, &client, &mut link, sent).await.with_context(|| what.to_owned())?;
    for (name, records, retries) in figures.into_iter().filter(|(_, records, _)| *records > 0) {
        let found = if name == Signal::Heartbeats.name() { "each counted" } else { "each there once, counts exact" };
        report.add("A2", format!("{what}: {name} acknowledged, {found}"), records as f64, "", Bound::None);
        report.add("", "… retries of their senders", retries as f64, "", Bound::None);
    }
    let traces = sent.workloads.iter().map(|workload| workload.traces as u64).sum();
    Ok(Later { what: what.to_owned(), points: sent.points, traces })
}

async fn spans(server: &Server, client: &Client, workloads: &[Workload]) -> Result<()> {
    let spans = workloads.iter().map(Workload::spans).sum::<usize>();
    let traces = spans / SPANS_PER_TRACE;
    ensure!(traces > 0, "no span was acknowledged");
    let found = verify::traces(server, client, workloads).await?;
    ensure!(found == traces, "{found} of {traces} acknowledged traces are found");
    let counted = verify::counted_by_services(server, client).await?;
    ensure!(counted == spans as u64, "the services count {counted} spans, acknowledged were {spans}");
    let failed = workloads.iter().flat_map(Workload::traces).filter(|spans| spans[0].failed).count();
    counts(server, client, "bench-gateway-availability", (traces as u64, (traces - failed) as u64)).await
}

async fn logs(server: &Server, client: &Client, sent: &Sent) -> Result<()> {
    let (mut of_gateway, mut of_ecs) = ((0, 0), (0, 0));
    let (mut expected, mut lines) = (HashSet::new(), 0);
    let count = |counts: &mut (u64, u64), line: &Line| {
        counts.0 += 1;
        counts.1 += u64::from(line.severity < ERROR);
    };
    for line in sent.otlp.iter().flat_map(|spoken| spoken.lines()) {
        if line.service == GATEWAY {
            count(&mut of_gateway, &line);
        }
        lines += 1;
        expected.insert(print_of_line(&line));
    }
    for line in sent.ecs.iter().flat_map(|spoken| spoken.lines()) {
        count(&mut of_ecs, &line);
        lines += 1;
        expected.insert(short_print(line.time_ns, word_of(line.severity), &line.body));
    }
    ensure!(expected.len() == lines, "the generator repeats lines");
    walk(server, client, expected, |item| {
        if item["service"] != ECS_SERVICE {
            return print_of_item(item);
        }
        let text = |name: &str| item[name].as_str().unwrap_or_default();
        Ok(short_print(time_ns(item)?, text("severity"), text("body")))
    })
    .await?;
    counts(server, client, "bench-lines-gateway", of_gateway).await?;
    counts(server, client, "soak-ecs", of_ecs).await
}

fn short_print(time_ns: u64, severity: &str, body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (time_ns, severity, body).hash(&mut hasher);
    hasher.finish()
}

/// Each point is stored once, and the deltas add up to what was acknowledged.
async fn points(server: &Server, client: &Client, link: &mut sqlx::PgConnection, sent: &Sent) -> Result<()> {
    let acknowledged = sent.records[Signal::Points as usize];
    let stored: i64 = sqlx::query_scalar("SELECT coalesce(sum(records), 0)::bigint FROM segments WHERE signal = 2").fetch_one(link).await?;
    ensure!(stored.cast_unsigned() == acknowledged, "{stored} points are stored, acknowledged were {acknowledged}");
    let question = "/api/v1/metrics/query?aggregate=increase&from=-2h&step=1m&group_by=sender,code";
    for (metric, expected) in [("soak.deltas", sent.points.deltas), ("soak.orders", sent.points.rose)] {
        let answer = get(server, client, &format!("{question}&name={metric}")).await?;
        let lines = answer["items"].as_array().context("a metric without lines")?;
        let values = lines.iter().flat_map(|line| line["values"].as_array().into_iter().flatten());
        let sum: f64 = values.filter_map(Value::as_f64).sum();
        ensure!((sum - expected as f64).abs() < 1e-3, "{metric} rose by {sum}, acknowledged were {expected}");
    }
    Ok(())
}

/// What an objective has counted, all and good.
pub(super) async fn counted(server: &Server, client: &Client, slo: &str) -> Result<(u64, u64)> {
    let total = slo_counter(server, client, "slowburn_slo_events_total", slo).await?;
    Ok((total, slo_counter(server, client, "slowburn_slo_good_events_total", slo).await?))
}

/// Fails unless an objective has counted this.
pub(super) async fn counts(server: &Server, client: &Client, slo: &str, expected: (u64, u64)) -> Result<()> {
    let told = counted(server, client, slo).await?;
    ensure!(told == expected, "{slo} counts {} good of {}; they should be {} of {}", told.1, told.0, expected.1, expected.0);
    Ok(())
}
