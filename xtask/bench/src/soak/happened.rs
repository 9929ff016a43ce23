//! Events and heartbeats: what is in the log, and in which order.
//!
//! A heartbeat has no key: one whose answer was lost counts, and counts again when it is sent again. So an objective over heartbeats
//! counts each that was acknowledged, and of the attempts that were not at most each once; without a retry it is exact.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use reqwest::Client;
use sqlx::PgConnection;

use super::check::{counted, counts};
use super::door::AGENTS;
use super::sent::Sent;
use super::writer::SOURCE;
use crate::server::Server;
use crate::verify::get;

/// Each event is there once, in the order of its sender, and positions have no gaps.
pub(super) async fn events(server: &Server, client: &Client, link: &mut PgConnection, sent: &Sent) -> Result<()> {
    let expected: HashSet<&str> = sent.events.iter().map(|(id, _)| id.as_str()).collect();
    ensure!(expected.len() == sent.events.len(), "the generator repeats events");
    let (mut met, mut cursor) = (HashSet::new(), String::new());
    loop {
        let page = get(server, client, &format!("/api/v1/events?source={SOURCE}&limit=1000&cursor={cursor}")).await?;
        for item in page["items"].as_array().context("events: no items")? {
            let id = item["id"].as_str().context("an event without id")?;
            ensure!(expected.contains(id), "event {id} was never sent");
            ensure!(met.insert(id.to_owned()), "event {id} is shown twice");
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    ensure!(met.len() == expected.len(), "{} of {} acknowledged events are found", met.len(), expected.len());
    let gaps: Vec<(i16, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT e.bucket, count(*), count(DISTINCT e.position), min(e.position), p.position FROM events e
         JOIN event_positions p USING (bucket) GROUP BY e.bucket, p.position",
    )
    .fetch_all(&mut *link)
    .await?;
    for (bucket, events, positions, first, last) in gaps {
        ensure!(events == last && positions == last && first == 1, "bucket {bucket}: {events} events up to position {last}");
    }
    let ordered: Vec<(String, String)> = sqlx::query_as("SELECT subject, event_id FROM events WHERE source = $1 ORDER BY bucket, position")
        .bind(SOURCE)
        .fetch_all(link)
        .await?;
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for (subject, id) in ordered {
        ensure!(last.get(&subject).is_none_or(|before| *before < id), "{subject}: event {id} is not in its order");
        last.insert(subject, id);
    }
    let good = sent.events.iter().filter(|(_, failed)| !failed).count() as u64;
    counts(server, client, "soak-events", (sent.events.len() as u64, good)).await
}

/// Silences are told once and were ones; words are counted within what is promised.
pub(super) async fn heartbeats(server: &Server, client: &Client, link: &mut PgConnection, sent: &Sent) -> Result<()> {
    for (agent, interval) in AGENTS {
        let told: Vec<(String, i64, String)> = sqlx::query_as(
            "SELECT substring(type FROM '[a-z]+$'), time_ns, data->>'due' FROM events WHERE subject = $1 AND type LIKE 'dev.slowburn.agent.%'
             ORDER BY position",
        )
        .bind(agent)
        .fetch_all(&mut *link)
        .await?;
        let mut words: Vec<&str> = told.iter().map(|(word, _, _)| word.as_str()).collect();
        ensure!(words.first() == Some(&"registered"), "{agent}: {words:?}");
        words.remove(0);
        let alternate = words.iter().enumerate().all(|(place, word)| *word == if place % 2 == 0 { "overdue" } else { "recovered" });
        ensure!(alternate, "{agent}: a silence is told twice, or never ended: {words:?}");
        let mut missed = 0;
        for silence in told[1..].chunks(2) {
            let due: Timestamp = silence[0].2.parse()?;
            let due = i64::try_from(due.as_nanosecond())?;
            ensure!(silence[0].1 > due, "{agent}: a silence was told before a word was due");
            let ended = silence.get(1).map_or_else(|| Timestamp::now().as_nanosecond() as i64, |end| end.1);
            missed += ((ended - due) / 1_000_000_000 / i64::from(interval) + 1).cast_unsigned();
        }
        ensure!(interval < 3_600 || words.is_empty(), "{agent}: a silence was invented: {words:?}");
        let (heard, unsure) = sent.beats.get(agent).copied().unwrap_or_default();
        ensure!(heard > 0, "{agent}: no heartbeat was acknowledged");
        let (total, good) = counted(server, client, agent).await?;
        ensure!(
            (heard..=heard + unsure).contains(&good),
            "{agent}: {good} words are counted; {heard} were acknowledged, {unsure} were not"
        );
        ensure!(total - good <= missed, "{agent}: {} words are counted as missed; at most {missed} were", total - good);
    }
    Ok(())
}
