//! Agents: registered with how often they promise to be heard of, heard by heartbeats, and told of in the event log when they are
//! overdue and when they come back.
//!
//! Every instance looks once a second for those that are overdue; the row is changed and the event appended in one transaction, so
//! each silence is told once, whoever finds it and whoever is killed meanwhile.

use slowburn_domain::agent::Agent;
use slowburn_domain::query::FieldFault;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::AgentsPage;
use slowburn_storage::agent;
use slowburn_storage::event::NewEvent;
use sqlx::PgConnection;

use crate::incidents::{SOURCE, text_fault};
use crate::{Backend, Error, Result};

/// The longest name, characters.
const LONGEST_NAME: usize = 200;
/// Longest silence that an agent may promise, seconds.
const LONGEST_INTERVAL: u32 = 7 * 86_400;
/// Agents found to be overdue in one transaction.
const MOST_AT_ONCE: i64 = 500;

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
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        let Some((agent, was_overdue)) = agent::heard(&mut tx, name, now).await? else { return Err(unknown(name)) };
        if was_overdue {
            self.tell_of(&mut tx, &agent, "recovered", now).await?;
        }
        tx.commit().await?;
        Ok(agent)
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
