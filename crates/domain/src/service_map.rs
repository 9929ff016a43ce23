//! Who calls whom: services, the databases, queues and others that they use, and what passes between them.

pub mod layout;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::number::percent;
use crate::query::{Bound, TraceQuery};
use crate::red::rate;
use crate::span::{Kind, Status};

/// From this share of failures on an edge is marked.
const UNHEALTHY_RATIO: f64 = 0.01;

/// What passes from a caller to a callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// A request of a service to another: both sides sent their span.
    Call = 0,
    /// A request of a service to a database.
    Database = 1,
    /// A message of a service to a queue.
    Send = 2,
    /// A message of a queue that a service worked on.
    Receive = 3,
    /// A request of a service to somebody who sent no span of it.
    Elsewhere = 4,
}

impl EdgeKind {
    /// Every kind, by its number.
    pub const ALL: [Self; 5] = [Self::Call, Self::Database, Self::Send, Self::Receive, Self::Elsewhere];

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Database => "database",
            Self::Send => "message sent",
            Self::Receive => "message received",
            Self::Elsewhere => "call elsewhere",
        }
    }
}

/// What stands at an end of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// It sends spans of its own.
    Service,
    /// A database.
    Database,
    /// A queue or topic.
    Queue,
    /// Known from the spans of its callers only.
    Elsewhere,
}

impl NodeKind {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Queue => "queue",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One end of an edge. A database and a queue are named by their system, a space, and their own name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
}

/// What passed from a caller to a callee in a range of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// What passes.
    pub kind: EdgeKind,
    /// Who asks or sends.
    pub caller: String,
    /// Who answers or receives.
    pub callee: String,
    /// Requests or messages.
    pub count: u64,
    /// The same per second.
    pub rate_per_second: f64,
    /// How many failed.
    pub errors: u64,
    /// `errors ÷ count`, 0–1.
    pub error_ratio: f64,
    /// 95th percentile of the duration, milliseconds: of the callee's span for calls, of the caller's for databases, queues and
    /// those elsewhere, of the receiver's for messages received.
    pub p95_ms: f64,
}

impl Edge {
    /// Where it begins.
    pub fn from(&self) -> Node {
        let kind = if self.kind == EdgeKind::Receive { NodeKind::Queue } else { NodeKind::Service };
        Node { kind, name: self.caller.clone() }
    }

    /// Where it ends.
    pub fn to(&self) -> Node {
        let kind = match self.kind {
            EdgeKind::Call | EdgeKind::Receive => NodeKind::Service,
            EdgeKind::Database => NodeKind::Database,
            EdgeKind::Send => NodeKind::Queue,
            EdgeKind::Elsewhere => NodeKind::Elsewhere,
        };
        Node { kind, name: self.callee.clone() }
    }

    /// Whether so many fail that it is marked: one in a hundred or more.
    pub fn is_unhealthy(&self) -> bool {
        self.errors > 0 && self.error_ratio >= UNHEALTHY_RATIO
    }

    /// The search for its traces over the last seconds; for those that failed if any did. A call is looked for on the side of
    /// its callee, as conditions hold for one span.
    pub fn traces(&self, back_seconds: u64) -> TraceQuery {
        let is = |keys: &[&str], value: &str| {
            keys.iter().map(|key| format!("attributes[{key:?}] == {value:?}")).collect::<Vec<_>>().join(" || ")
        };
        let (system, name) = self.queue_name();
        let (service, kind, condition) = match self.kind {
            EdgeKind::Call => (&self.callee, Kind::Server, String::new()),
            EdgeKind::Database => {
                let system = self.callee.split(' ').next().unwrap_or_default();
                (&self.caller, Kind::Client, is(&["db.system.name", "db.system"], system))
            }
            EdgeKind::Send if name.is_empty() => (&self.caller, Kind::Producer, is(&["messaging.system"], system)),
            EdgeKind::Receive if name.is_empty() => (&self.callee, Kind::Consumer, is(&["messaging.system"], system)),
            EdgeKind::Send => (&self.caller, Kind::Producer, is(&["messaging.destination.name"], name)),
            EdgeKind::Receive => (&self.callee, Kind::Consumer, is(&["messaging.destination.name"], name)),
            EdgeKind::Elsewhere => (&self.caller, Kind::Client, is(&["peer.service", "server.address", "net.peer.name"], &self.callee)),
        };
        let mut filter = format!("kind == {:?}", kind.as_str());
        if !condition.is_empty() {
            filter = format!("{filter} && ({condition})");
        }
        TraceQuery {
            service: Some(service.clone()),
            status: (self.errors > 0).then_some(Status::Error),
            filter: Some(filter),
            from: Some(Bound::Ago(back_seconds)),
            ..TraceQuery::default()
        }
    }

    /// System and name of the queue at one end.
    fn queue_name(&self) -> (&str, &str) {
        let queue = if self.kind == EdgeKind::Receive { &self.caller } else { &self.callee };
        queue.split_once(' ').unwrap_or((queue, ""))
    }
}

/// Sorts edges for a list: the largest share of failures first, then the busiest.
pub fn sort_worst_first(edges: &mut [Edge]) {
    edges.sort_by(|a, b| {
        b.error_ratio
            .total_cmp(&a.error_ratio)
            .then_with(|| b.count.cmp(&a.count))
            .then_with(|| (a.kind, &a.caller, &a.callee).cmp(&(b.kind, &b.caller, &b.callee)))
    });
}

/// The nodes of some edges.
pub fn nodes(edges: &[Edge]) -> BTreeSet<Node> {
    edges.iter().flat_map(|edge| [edge.from(), edge.to()]).collect()
}

/// The edges between the `most` busiest nodes, and how many nodes are left out. Each node counts what goes in and out of it.
pub fn busiest(edges: &[Edge], most: usize) -> (Vec<Edge>, usize) {
    let mut traffic: BTreeMap<Node, u64> = BTreeMap::new();
    for edge in edges {
        for node in [edge.from(), edge.to()] {
            *traffic.entry(node).or_default() += edge.count;
        }
    }
    let left_out = traffic.len().saturating_sub(most);
    if left_out == 0 {
        return (edges.to_vec(), 0);
    }
    let mut ranked: Vec<(Node, u64)> = traffic.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let kept: BTreeSet<Node> = ranked.into_iter().take(most).map(|(node, _)| node).collect();
    let shown = edges.iter().filter(|edge| kept.contains(&edge.from()) && kept.contains(&edge.to())).cloned().collect();
    (shown, left_out)
}

/// How the map stands, in one sentence.
pub fn of_edges(edges: &[Edge]) -> String {
    if edges.is_empty() {
        return "No call between services was seen in this time.".to_owned();
    }
    let ends = nodes(edges);
    let services = ends.iter().filter(|node| node.kind == NodeKind::Service).count();
    let number = format!("{services} {} and {} they use", if services == 1 { "service" } else { "services" }, ends.len() - services);
    let worst = edges.iter().filter(|edge| edge.is_unhealthy()).max_by(|a, b| a.error_ratio.total_cmp(&b.error_ratio));
    match worst {
        None => format!("{number}; nowhere between them does one in a hundred fail."),
        Some(edge) => format!(
            "{number}; from {} to {} fails most, {} of {}.",
            edge.caller,
            edge.callee,
            percent(edge.error_ratio),
            rate(edge.rate_per_second)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(kind: EdgeKind, caller: &str, callee: &str, count: u64, errors: u64) -> Edge {
        let (rate_per_second, error_ratio) = (count as f64 / 60.0, errors as f64 / count as f64);
        Edge { kind, caller: caller.to_owned(), callee: callee.to_owned(), count, rate_per_second, errors, error_ratio, p95_ms: 1.0 }
    }

    #[test]
    fn c7_a_map_is_told_in_one_sentence_and_listed_worst_first() {
        assert_eq!(of_edges(&[]), "No call between services was seen in this time.");
        let mut edges = [
            edge(EdgeKind::Database, "pay", "postgresql pay", 600, 0),
            edge(EdgeKind::Call, "web", "pay", 240, 12),
            edge(EdgeKind::Call, "web", "cart", 900, 0),
        ];
        assert_eq!(of_edges(&edges), "3 services and 1 they use; from web to pay fails most, 5 % of 4 /s.");
        assert_eq!(of_edges(&edges[..1]), "1 service and 1 they use; nowhere between them does one in a hundred fail.");
        sort_worst_first(&mut edges);
        assert_eq!(edges.each_ref().map(|edge| edge.callee.as_str()), ["pay", "cart", "postgresql pay"]);
        assert!(!edge(EdgeKind::Call, "a", "b", 1_000, 9).is_unhealthy());
        assert!(edge(EdgeKind::Call, "a", "b", 1_000, 10).is_unhealthy());
    }

    #[test]
    fn c7_an_edge_leads_to_the_spans_that_it_counts() {
        let filter = |kind, caller, callee| edge(kind, caller, callee, 10, 0).traces(900);
        let call = filter(EdgeKind::Call, "web", "pay");
        assert_eq!((call.service.as_deref(), call.filter.as_deref()), (Some("pay"), Some("kind == \"server\"")));
        let sent = filter(EdgeKind::Send, "web", "kafka the \"orders\"");
        let condition = "kind == \"producer\" && (attributes[\"messaging.destination.name\"] == \"the \\\"orders\\\"\")";
        assert_eq!((sent.service.as_deref(), sent.filter.as_deref()), (Some("web"), Some(condition)));
        let received = filter(EdgeKind::Receive, "kafka", "mail");
        let condition = "kind == \"consumer\" && (attributes[\"messaging.system\"] == \"kafka\")";
        assert_eq!((received.service.as_deref(), received.filter.as_deref()), (Some("mail"), Some(condition)));
        assert_eq!(edge(EdgeKind::Call, "web", "pay", 10, 1).traces(900).status, Some(Status::Error));
    }

    #[test]
    fn c7_beyond_the_most_nodes_the_busiest_stay_and_the_others_are_counted() {
        let edges: Vec<Edge> = (0..10).map(|n| edge(EdgeKind::Call, "web", &format!("s{n}"), 100 - n, 0)).collect();
        let (shown, left_out) = busiest(&edges, 4);
        assert_eq!(shown.iter().map(|edge| edge.callee.as_str()).collect::<Vec<_>>(), ["s0", "s1", "s2"]);
        assert_eq!(left_out, 7);
        assert_eq!(busiest(&edges, 11), (edges.clone(), 0));
    }
}
