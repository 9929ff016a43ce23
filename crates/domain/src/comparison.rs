//! Two traces side by side, aligned by path of (service, operation): what each took, and where the difference lies.
//!
//! The difference in length is laid to paths by the critical path, because its pieces fill the root of a trace exactly: what
//! the paths gained and lost adds up to what the root did, also where children run beside each other.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::flame::{Flame, Frame, FrameId};
use crate::number::duration_nanos;
use crate::outline::Outline;

/// Paths named in the sentence.
const NAMED: usize = 2;
/// A path is named when its part of the difference is at least this share of it.
const NAMED_FROM_SHARE: f64 = 0.1;

/// What one trace has of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Spans; 0 where the trace does not have the path.
    pub spans: u32,
    /// Spans that failed.
    pub errors: u32,
    /// Their durations together, nanoseconds.
    pub total_nanos: i64,
    /// Their self time together, nanoseconds.
    pub self_nanos: i64,
    /// Their share of the critical path, nanoseconds.
    pub critical_nanos: i64,
    /// Start of the first, nanoseconds after the trace's.
    pub first_nanos: i64,
    /// End of the last, nanoseconds after the trace's start.
    pub last_nanos: i64,
}

impl Part {
    fn of(frame: &Frame) -> Self {
        Self {
            spans: frame.spans,
            errors: frame.errors,
            total_nanos: frame.total_nanos,
            self_nanos: frame.self_nanos,
            critical_nanos: frame.critical_nanos,
            first_nanos: frame.first_nanos,
            last_nanos: frame.last_nanos,
        }
    }
}

/// A path in both traces.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedPath {
    /// The path.
    pub id: FrameId,
    /// Paths it goes on from.
    pub depth: u32,
    /// Service of its spans.
    pub service: String,
    /// Operation of its spans.
    pub operation: String,
    /// In the first trace.
    pub a: Part,
    /// In the second trace.
    pub b: Part,
}

impl ComparedPath {
    /// How much longer its spans were together in the second trace, nanoseconds.
    pub const fn difference_nanos(&self) -> i64 {
        self.b.total_nanos - self.a.total_nanos
    }

    /// How many times as long its spans were together in the second trace; `None` where one trace has none, or no time.
    pub fn ratio(&self) -> Option<f64> {
        let both = self.a.spans > 0 && self.b.spans > 0 && self.a.total_nanos > 0;
        both.then(|| self.b.total_nanos as f64 / self.a.total_nanos as f64)
    }
}

/// Two traces, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Every path of either trace: those that go on from a path follow it, those with most time first.
    pub paths: Vec<ComparedPath>,
    /// Length of the critical path of the first trace, nanoseconds.
    pub a_nanos: i64,
    /// Length of the critical path of the second trace, nanoseconds.
    pub b_nanos: i64,
    /// Length of the longer trace from its first start to its last end, nanoseconds: the common time axis.
    pub axis_nanos: i64,
}

impl Comparison {
    /// Aligns two traces.
    pub fn of(a: &Outline, b: &Outline) -> Self {
        let (first, second) = (Flame::of(a), Flame::of(b));
        let mut merged: Vec<Node> = Vec::new();
        let mut index_of: HashMap<FrameId, usize> = HashMap::new();
        for (is_first, outline, flame) in [(true, a, &first), (false, b, &second)] {
            for frame in &flame.frames {
                let parent = frame.parent.and_then(|parent| index_of.get(&flame.frames[parent as usize].id).copied());
                let index = *index_of.entry(frame.id).or_insert_with(|| {
                    let name = |names: &[String], index: u32| names.get(index as usize).cloned().unwrap_or_default();
                    merged.push(Node {
                        parent,
                        time_nanos: 0,
                        path: ComparedPath {
                            id: frame.id,
                            depth: frame.depth,
                            service: name(&outline.services, frame.service),
                            operation: name(&outline.operations, frame.operation),
                            a: Part::default(),
                            b: Part::default(),
                        },
                    });
                    merged.len() - 1
                });
                let node = &mut merged[index];
                node.time_nanos = node.time_nanos.max(frame.time_nanos);
                *(if is_first { &mut node.path.a } else { &mut node.path.b }) = Part::of(frame);
            }
        }
        let critical = |flame: &Flame| flame.frames.iter().map(|frame| frame.critical_nanos).sum();
        let length = |outline: &Outline| outline.end().since(outline.start());
        Self { paths: in_order(merged), a_nanos: critical(&first), b_nanos: critical(&second), axis_nanos: length(a).max(length(b)) }
    }

    /// `B took 312 ms longer (2.4 ×); 290 ms of it in payment charge-card.`
    pub fn sentence(&self) -> String {
        let difference = self.b_nanos - self.a_nanos;
        let word = match difference {
            0 => return "Both took equally long.".to_owned(),
            d if d > 0 => "longer",
            _ => "less",
        };
        let times = if self.a_nanos > 0 { format!(" ({})", times(self.b_nanos as f64 / self.a_nanos as f64)) } else { String::new() };
        let mut parts: Vec<(i64, &ComparedPath)> =
            self.paths.iter().map(|path| (path.b.critical_nanos - path.a.critical_nanos, path)).collect();
        // What went the same way as the whole, most of it first.
        parts.retain(|(part, _)| part.signum() == difference.signum() && *part as f64 / difference as f64 >= NAMED_FROM_SHARE);
        parts.sort_by_key(|(part, _)| Reverse(part.abs()));
        let named = parts.iter().take(NAMED).enumerate().map(|(at, (part, path))| {
            let of_it = if at == 0 { " of it" } else { "" };
            let only = match (path.a.spans, path.b.spans) {
                (0, _) => ", which only B has",
                (_, 0) => ", which only A has",
                _ => "",
            };
            format!("{}{of_it} in {} {}{only}", duration_nanos(part.abs()), path.service, path.operation)
        });
        let named: Vec<String> = named.collect();
        let outcome = if named.is_empty() { "it is spread over many spans".to_owned() } else { named.join(", ") };
        format!("B took {} {word}{times}; {outcome}.", duration_nanos(difference.abs()))
    }
}

/// A ratio as people write it: `2.4 ×`, `0.83 ×`, `140 ×`.
pub fn times(ratio: f64) -> String {
    match ratio {
        r if r >= 99.95 => format!("{r:.0} ×"),
        r if r >= 9.95 => format!("{r:.1} ×"),
        r => format!("{r:.2} ×"),
    }
}

struct Node {
    parent: Option<usize>,
    /// The more time of the two.
    time_nanos: i64,
    path: ComparedPath,
}

/// Puts what goes on from a path behind it, most time first, then by name.
fn in_order(nodes: Vec<Node>) -> Vec<ComparedPath> {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut waiting: Vec<usize> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        match node.parent {
            Some(parent) => after[parent].push(index),
            None => waiting.push(index),
        }
    }
    // The last of what waits is next.
    let rank = |index: &usize| {
        let Node { time_nanos, path, .. } = &nodes[*index];
        (*time_nanos, Reverse((&path.service, &path.operation)))
    };
    waiting.sort_by(|x, y| rank(x).cmp(&rank(y)));
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(index) = waiting.pop() {
        order.push(index);
        after[index].sort_by(|x, y| rank(x).cmp(&rank(y)));
        waiting.append(&mut after[index]);
    }
    let mut paths: Vec<Option<ComparedPath>> = nodes.into_iter().map(|node| Some(node.path)).collect();
    order.into_iter().filter_map(|index| paths[index].take()).collect()
}

#[cfg(test)]
mod tests;
