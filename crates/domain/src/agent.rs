//! Agents: programs that promise to be heard of every so often.

use serde::{Deserialize, Serialize};

use crate::number::long_duration;
use crate::sentence::ago;
use crate::time::Timestamp;

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// How long it may be silent, seconds.
    pub interval_seconds: u32,
    /// When it was registered first.
    pub registered_at: Timestamp,
    /// When it was heard of last; `None` before the first time.
    pub heartbeat_at: Option<Timestamp>,
    /// When the next word of it is due.
    pub due_at: Timestamp,
    /// Whether it was found to be overdue.
    pub is_overdue: bool,
}

impl Agent {
    /// `overdue`, `alive`, or `waiting` for its first heartbeat.
    pub const fn state(&self) -> &'static str {
        match (self.is_overdue, self.heartbeat_at) {
            (true, _) => "overdue",
            (false, Some(_)) => "alive",
            (false, None) => "waiting",
        }
    }
}

/// How agents stand, in one sentence: `12 agents; payments-worker is overdue since 3 min ago.`
pub fn of_agents(agents: &[Agent], now: Timestamp) -> String {
    let number = match agents.len() {
        0 => return "No agent is registered.".to_owned(),
        1 => "One agent".to_owned(),
        several => format!("{several} agents"),
    };
    let mut overdue: Vec<&Agent> = agents.iter().filter(|agent| agent.is_overdue).collect();
    overdue.sort_by_key(|agent| agent.due_at);
    match overdue.as_slice() {
        [] => format!("{number}; all are heard of as they promised."),
        [one] => format!("{number}; {} is overdue, its word was due {}.", one.name, ago(now, one.due_at)),
        [first, ..] => {
            format!("{number}; {} are overdue, {} the longest: its word was due {}.", overdue.len(), first.name, ago(now, first.due_at))
        }
    }
}

/// How often an agent promises to be heard of: `every 30 s`.
pub fn promise(agent: &Agent) -> String {
    format!("every {}", long_duration(f64::from(agent.interval_seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e3_agents_are_told_in_one_sentence() {
        let now = Timestamp::from_seconds(1_000);
        let agent = |name: &str, due: i64, is_overdue| Agent {
            name: name.to_owned(),
            interval_seconds: 30,
            registered_at: Timestamp::from_seconds(0),
            heartbeat_at: Some(Timestamp::from_seconds(due - 30)),
            due_at: Timestamp::from_seconds(due),
            is_overdue,
        };
        assert_eq!(of_agents(&[], now), "No agent is registered.");
        assert_eq!(of_agents(&[agent("a", 1_020, false)], now), "One agent; all are heard of as they promised.");
        let several = [agent("a", 940, true), agent("b", 880, true), agent("c", 1_010, false)];
        assert_eq!(of_agents(&several, now), "3 agents; 2 are overdue, b the longest: its word was due 2 min ago.");
        assert_eq!(of_agents(&several[..1], now), "One agent; a is overdue, its word was due 1 min ago.");
        assert_eq!((several[0].state(), several[2].state(), promise(&several[0]).as_str()), ("overdue", "alive", "every 30 s"));
    }
}
