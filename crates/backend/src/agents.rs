//! Agents: registered with how often they promise to be heard of, heard by heartbeats, and told of in the event log when they are
//! overdue and when they come back.
//!
//! Every instance looks once a second for those that are overdue; the row is changed and the event appended in one transaction, so
//! each silence is told once, whoever finds it and whoever is killed meanwhile. By the SLIs over heartbeats every word counts: one that
//! came in the minute in which it came, one that did not in the minute in which it was due.

use slowburn_domain::agent::Agent;
use slowburn_domain::query::FieldFault;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::AgentsPage;
use slowburn_storage::agent::{self, Missed};
use slowburn_storage::event::NewEvent;
use slowburn_storage::rollup;
use sqlx::PgConnection;

use crate::filter::{Heartbeat, Signal};
use crate::incidents::{SOURCE, text_fault};
use crate::ingest::{ADMISSIONS, Counted, Unknown};
use crate::{Backend, Error, Result};

/// The longest name, characters.
const LONGEST_NAME: usize = 200;
/// Longest silence that an agent may promise, seconds.
const LONGEST_INTERVAL: u32 = 7 * 86_400;
/// Agents found to be overdue in one transaction.
const MOST_AT_ONCE: i64 = 500;
/// Words of one agent counted as missed in one transaction.
const MOST_MISSED: u32 = 10_000;

impl Backend {
    /// Registers an agent, or changes how often it promises to be heard of. Until its first heartbeat it has one interval.
    ///
    /// # Errors
    /// A name or interval that cannot be; the database.
    pub async fn register_agent(&self, name: &str, interval_seconds: u32) -> Result<Agent> {
        let mut faults: Vec<FieldFault> = text_fault(("name", name, LONGEST_NAME)).into_iter().collect();
        if !(1..=LONGEST_INTERVAL).contains(&interval_seconds) {
            faults.push(FieldFault::new("interval_seconds", format!("expected a whole number from 1 to {LONGEST_INTERVAL}")));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        let (agent, is_new) = agent::register(&mut tx, name, interval_seconds, now).await?;
        if is_new {
            self.tell_of(&mut tx, &agent, "registered", now).await?;
        }
        tx.commit().await?;
        Ok(agent)
    }

    /// Notes a heartbeat of an agent.
    ///
    /// # Errors
    /// There is no such agent; the database.
    pub async fn heartbeat(&self, name: &str) -> Result<Agent> {
        for _ in 0..ADMISSIONS {
            let slis = self.0.ingest.hold_slis().await;
            let mut tx = self.0.pool.begin().await?;
            let mut now = Timestamp::default();
            let clock = || {
                now = self.0.clock.now();
                now
            };
            let Some((agent, was_overdue)) = agent::heard(&mut tx, name, clock).await? else { return Err(unknown(name)) };
            let mut counted = Counted::default();
            slis.count(Signal::Heartbeats, &Heartbeat { agent: name, has_come: true }, now.minute(), &mut counted, |_| {});
            if counted.unknown.is_empty() {
                if was_overdue {
                    self.tell_of(&mut tx, &agent, "recovered", now).await?;
                }
                rollup::append(&mut tx, self.bucket_of(name), &counted.deltas).await?;
                tx.commit().await?;
                return Ok(agent);
            }
            tx.rollback().await?;
            drop(slis);
            self.0.ingest.admit(counted.unknown).await?;
        }
        Err(slowburn_storage::Error::ChangedMeanwhile.into())
    }

    /// Every agent, those that are overdue first.
    ///
    /// # Errors
    /// The database.
    pub async fn agents(&self) -> Result<Vec<Agent>> {
        let mut connection = self.0.pool.acquire().await?;
        Ok(agent::list(&mut connection).await?)
    }

    /// The Agents page.
    ///
    /// # Errors
    /// The database.
    pub async fn agents_page(&self, now: Timestamp) -> Result<AgentsPage> {
        Ok(AgentsPage { now, agents: self.agents().await? })
    }

    /// Forgets an agent: nothing is expected of it any more.
    ///
    /// # Errors
    /// There is no such agent; the database.
    pub async fn remove_agent(&self, name: &str) -> Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        if agent::remove(&mut connection, name).await? { Ok(()) } else { Err(unknown(name)) }
    }

    /// Tells of agents whose word is overdue. Gives how many.
    ///
    /// # Errors
    /// The database.
    pub async fn find_overdue_agents(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        let overdue = agent::find_overdue(&mut tx, now, MOST_AT_ONCE).await?;
        for agent in &overdue {
            self.tell_of(&mut tx, agent, "overdue", now).await?;
            tracing::warn!(agent = agent.name, interval_seconds = agent.interval_seconds, "agent overdue");
        }
        tx.commit().await?;
        Ok(overdue.len())
    }

    /// Counts words that did not come by the SLIs over heartbeats: each was due at an instant, counts in the minute of that, and
    /// counts once. Gives how many.
    ///
    /// # Errors
    /// The database.
    pub async fn count_missed_heartbeats(&self) -> Result<u64> {
        for _ in 0..ADMISSIONS {
            let now = self.0.clock.now();
            let slis = self.0.ingest.hold_slis().await;
            let mut tx = self.0.pool.begin().await?;
            let missed = agent::take_missed(&mut tx, now, MOST_MISSED, MOST_AT_ONCE).await?;
            let mut unknown = Unknown::new();
            for Missed { agent, first, words, interval_seconds } in &missed {
                let mut counted = Counted::default();
                for word in 0..*words {
                    let due = first.plus_seconds(i64::from(word) * i64::from(*interval_seconds));
                    slis.count(Signal::Heartbeats, &Heartbeat { agent, has_come: false }, due.minute(), &mut counted, |_| {});
                }
                unknown.extend(counted.unknown);
                rollup::append(&mut tx, self.bucket_of(agent), &counted.deltas).await?;
            }
            if unknown.is_empty() {
                tx.commit().await?;
                return Ok(missed.iter().map(|missed| u64::from(missed.words)).sum());
            }
            tx.rollback().await?;
            drop(slis);
            self.0.ingest.admit(unknown).await?;
        }
        Err(slowburn_storage::Error::ChangedMeanwhile.into())
    }

    async fn tell_of(&self, connection: &mut PgConnection, agent: &Agent, what: &str, now: Timestamp) -> Result<()> {
        let data = serde_json::json!({
            "agent": agent.name,
            "interval_seconds": agent.interval_seconds,
            "last_heartbeat": agent.heartbeat_at,
            "due": agent.due_at,
        });
        let kind = format!("dev.slowburn.agent.{what}");
        self.append_event(connection, &NewEvent { kind: &kind, source: SOURCE, subject: &agent.name, time: now, data }).await
    }
}

fn unknown(name: &str) -> Error {
    Error::NotFound { kind: "agent", name: name.chars().take(LONGEST_NAME).collect() }
}
