//! The same as [`crate::verify`] for log lines: every acknowledged one is met on the pages of a search, once and with all that
//! it says, and the counts of metrics and of an SLO agree to the line.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::Value;

use crate::lines::{Line, Speech};
use crate::otlp_logs::word_of;
use crate::said::{ERROR, GATEWAY};
use crate::server::Server;
use crate::spans::{self, SERVICES};
use crate::verify::{counter, get, slo_counter};

/// The SLO of `log_slos.yaml` that is recounted.
const SLO: &str = "bench-lines-gateway";

/// Checks that the server holds exactly the lines of `speeches`.
pub(crate) async fn verify(server: &Server, client: &Client, speeches: &[Speech]) -> Result<()> {
    let mut expected = HashSet::new();
    let (mut lines, mut of_gateway, mut its_errors) = (0, 0, 0);
    for line in speeches.iter().flat_map(Speech::lines) {
        lines += 1;
        of_gateway += u64::from(line.service == GATEWAY);
        its_errors += u64::from(line.service == GATEWAY && line.severity >= ERROR);
        expected.insert(print_of_line(&line));
    }
    ensure!(expected.len() == lines, "the generator repeats lines");
    let stored = counter(server, client, "slowburn_log_records_stored_total").await?;
    ensure!(stored == lines as u64, "slowburn_log_records_stored_total says {stored}, acknowledged were {lines}");
    let total = slo_counter(server, client, "slowburn_slo_events_total", SLO).await?;
    let good = slo_counter(server, client, "slowburn_slo_good_events_total", SLO).await?;
    ensure!((total, good) == (of_gateway, of_gateway - its_errors), "{SLO} counts {good} of {total}, sent were {of_gateway}");
    walk(server, client, expected, print_of_item).await
}

/// Walks all pages of the search for everything: each line that is missing is met once, and no other.
pub(crate) async fn walk(
    server: &Server,
    client: &Client,
    mut missing: HashSet<u64>,
    print_of: impl Fn(&Value) -> Result<u64>,
) -> Result<()> {
    let mut cursor = String::new();
    loop {
        let page = get(server, client, &format!("/api/v1/logs?limit=1000&cursor={cursor}")).await?;
        for item in page["items"].as_array().context("logs: no items")? {
            ensure!(missing.remove(&print_of(item)?), "a line was never sent, or is shown twice: {item}");
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    ensure!(missing.is_empty(), "{} acknowledged lines are not found", missing.len());
    Ok(())
}

/// When a line of an answer was said, Unix nanoseconds.
pub(crate) fn time_ns(item: &Value) -> Result<u64> {
    let time: Timestamp = item["time"].as_str().context("a line without time")?.parse()?;
    Ok(u64::try_from(time.as_nanosecond())?)
}

/// A hash of all that a line of an answer says.
pub(crate) fn print_of_item(item: &Value) -> Result<u64> {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let id = item["correlation_ids"][0].as_str();
    let mut attributes: Vec<(String, String)> = item["attributes"]
        .as_object()
        .context("a line without attributes")?
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    attributes.sort_unstable();
    Ok(print(time_ns(item)?, text("severity"), text("service"), text("body"), [text("trace_id"), text("span_id")], id, &attributes))
}

/// A hash of all that a line says.
pub(crate) fn print_of_line(line: &Line) -> u64 {
    let Line { time_ns, severity, service, body, place, correlation_id, attributes } = line;
    let trace_id = place.map(|(trace_id, _)| format!("{trace_id:032x}")).unwrap_or_default();
    let span_id = place.map(|(_, span_id)| format!("{span_id:016x}")).unwrap_or_default();
    let mut attributes: Vec<(String, String)> = attributes
        .iter()
        .map(|(key, value)| {
            let value = match value {
                spans::Value::Text(text) => text.clone().into_owned(),
                spans::Value::Integer(number) => number.to_string(),
            };
            ((*key).to_owned(), value)
        })
        .chain(correlation_id.iter().map(|id| ("correlation_id".to_owned(), id.clone())))
        .collect();
    attributes.sort_unstable();
    print(*time_ns, word_of(*severity), SERVICES[*service], body, [&trace_id, &span_id], correlation_id.as_deref(), &attributes)
}

fn print(
    time_ns: u64,
    severity: &str,
    service: &str,
    body: &str,
    place: [&str; 2],
    id: Option<&str>,
    attributes: &[(String, String)],
) -> u64 {
    let mut hasher = DefaultHasher::new();
    (time_ns, severity, service, body, place, id, attributes).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_and_its_answer_have_the_same_print_and_any_change_another() {
        let speech = Speech { seed: 5, lines: 40, from_ns: 1_000_000_000, until_ns: 2_000_000_000 };
        let line = speech.lines().find(|line| line.correlation_id.is_some()).expect("a line with an ID");
        let (trace_id, span_id) = line.place.expect("its trace");
        let mut attributes = serde_json::Map::new();
        for (key, value) in &line.attributes {
            let value = match value {
                spans::Value::Text(text) => json!(text),
                spans::Value::Integer(number) => json!(number),
            };
            attributes.insert((*key).to_owned(), value);
        }
        attributes.insert("correlation_id".to_owned(), json!(line.correlation_id));
        let item = json!({
            "time": Timestamp::from_nanosecond(line.time_ns.into()).expect("a time").to_string(), "severity": word_of(line.severity),
            "service": SERVICES[line.service], "body": line.body, "trace_id": format!("{trace_id:032x}"),
            "span_id": format!("{span_id:016x}"), "correlation_ids": [line.correlation_id], "attributes": attributes,
        });
        assert_eq!(print_of_item(&item).expect("a print"), print_of_line(&line));
        for name in ["time", "severity", "service", "body", "trace_id", "span_id", "correlation_ids", "attributes"] {
            let mut changed = item.clone();
            changed[name] = if name == "time" { json!("1970-01-01T00:00:09Z") } else { json!({}) };
            assert_ne!(print_of_item(&changed).expect("a print"), print_of_line(&line), "{name}");
        }
    }
}
