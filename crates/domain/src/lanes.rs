//! The correlation page's picture: one lane for each service, all on one time axis, bars that overlap below each other,
//! repeated attempts linked, and what was logged as marks.

use std::collections::HashMap;

use crate::span::Status;
use crate::time::Timestamp;
use crate::timeline::{Axis, end_of, service_colours, stack};
use crate::view::{CorrelationPage, LaneBar};

/// A bar is drawn no narrower than this share of the width, so it is stacked as if it were that wide.
const LEAST_WIDTH: f64 = 0.004;
/// Bars of one lane that may stand below each other; further ones share the last row.
const MOST_ROWS: u16 = 12;

/// A bar's place within its lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedBar {
    /// Index into the page's bars.
    pub bar: u32,
    /// Left edge, share of the width.
    pub x: f64,
    /// Share of the width.
    pub width: f64,
    /// Row within the lane, from the top.
    pub row: u16,
    /// Which attempt of its operation this is; 1 unless earlier ones failed.
    pub attempt: u16,
}

/// A failed attempt and the one that followed it, as indices into the lane's bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The attempt that failed.
    pub from: usize,
    /// The next one of the same operation.
    pub to: usize,
}

/// Everything of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// The service.
    pub service: String,
    /// Its colour, 0 to 11.
    pub colour: u8,
    /// Rows needed, at least 1.
    pub rows: u16,
    /// Bars by start.
    pub bars: Vec<PlacedBar>,
    /// Attempts that belong together.
    pub retries: Vec<Retry>,
    /// Bars that failed.
    pub errors: u32,
    /// What it logged, in order of time.
    pub logs: Vec<LogMark>,
}

/// Where something was logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogMark {
    /// Index into the page's log lines.
    pub log: u32,
    /// Place, share of the width.
    pub x: f64,
}

/// All lanes on their axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanes {
    /// The common time axis, gaps folded.
    pub axis: Axis,
    /// One per service, in the order in which they first took part.
    pub lanes: Vec<Lane>,
}

impl Lanes {
    /// Lays out a correlation.
    pub fn of(page: &CorrelationPage) -> Self {
        let traces = page.traces.iter().map(|trace| (trace.start, trace.end()));
        let bars = page.bars.iter().map(|bar| (bar.start, end_of(bar.start, bar.duration_ms)));
        let axis = Axis::folded(traces.chain(bars).chain(page.logs.iter().map(|log| (log.time, log.time))));
        let bars = page.bars.iter().enumerate().map(|(index, bar)| (bar.start, bar.service.as_str(), Entry::Bar(index)));
        let logs = page.logs.iter().enumerate().map(|(index, log)| (log.time, log.service.as_str(), Entry::Log(index)));
        let mut order: Vec<(Timestamp, &str, Entry)> = bars.chain(logs).collect();
        order.sort_by_key(|(at, ..)| *at);
        let mut services: Vec<String> = Vec::new();
        let mut members: HashMap<&str, Members> = HashMap::new();
        for (_, service, entry) in order {
            let own = members.entry(service).or_insert_with(|| {
                services.push(service.to_owned());
                Members::default()
            });
            match entry {
                Entry::Bar(index) => own.bars.push(index),
                Entry::Log(index) => own.logs.push(index),
            }
        }
        let colours = service_colours(&services);
        let lanes = services
            .iter()
            .zip(colours)
            .filter_map(|(service, colour)| {
                let Members { bars, logs } = members.get(service.as_str())?;
                let marks = logs.iter().map(|index| LogMark { log: *index as u32, x: axis.x(page.logs[*index].time) }).collect();
                Some(Lane { logs: marks, ..lane(&page.bars, bars, &axis, service, colour) })
            })
            .collect();
        Self { axis, lanes }
    }
}

/// What takes part in a lane, by its index into the page's list.
enum Entry {
    Bar(usize),
    Log(usize),
}

/// What takes part in one lane.
#[derive(Default)]
struct Members {
    bars: Vec<usize>,
    logs: Vec<usize>,
}

fn lane(all: &[LaneBar], members: &[usize], axis: &Axis, service: &str, colour: u8) -> Lane {
    let extents: Vec<(f64, f64)> = members.iter().map(|index| axis.extent(all[*index].start, all[*index].duration_ms)).collect();
    let rows = stack(&extents, LEAST_WIDTH, MOST_ROWS);
    let mut bars: Vec<PlacedBar> = members
        .iter()
        .zip(extents.iter().zip(&rows))
        .map(|(index, ((x, width), row))| PlacedBar { bar: *index as u32, x: *x, width: *width, row: *row, attempt: 1 })
        .collect();
    let retries = retries(all, members);
    for retry in &retries {
        bars[retry.to].attempt = bars[retry.from].attempt.saturating_add(1);
    }
    Lane {
        service: service.to_owned(),
        colour,
        rows: rows.iter().max().map_or(1, |row| row + 1),
        bars,
        retries,
        errors: members.iter().filter(|index| all[**index].status == Status::Error).count() as u32,
        logs: Vec::new(),
    }
}

/// A bar follows as a retry when the latest earlier one of the same operation failed and had ended before it began.
fn retries(all: &[LaneBar], members: &[usize]) -> Vec<Retry> {
    let mut latest: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for (to, index) in members.iter().enumerate() {
        let bar = &all[*index];
        if let Some(from) = latest.insert(&bar.operation, to) {
            let earlier = &all[members[from]];
            if earlier.status == Status::Error && end_of(earlier.start, earlier.duration_ms) <= bar.start {
                found.push(Retry { from, to });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
