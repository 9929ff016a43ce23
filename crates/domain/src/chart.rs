//! Charts as geometry: scales, ticks, marks and readings, computed once for the server's SVG and the browser's canvas, so
//! that nothing moves when one takes over from the other. Positions run from 0 to 1, left to right and bottom to top.

mod build;
mod downsample;
mod lines;
mod ticks;

pub use build::{budget, burn_rate, events, sparkline};
pub use downsample::downsample;
pub use lines::{lines, measure};
pub use ticks::{linear_ticks, log_ticks, time_ticks};

use crate::history::Happening;
use crate::time::Timestamp;

/// Horizontal pixels for which series are thinned out; more are not told apart on a screen.
pub const COLUMNS: usize = 900;

/// Lines of one chart that differ in colour or stroke.
pub const SERIES: usize = 12;

/// Letters of what a change was about, told at its marker.
const MOST_TOLD: usize = 100;

/// The time range of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAxis {
    /// Left end.
    pub from: Timestamp,
    /// Right end, later than `from`.
    pub to: Timestamp,
}

impl TimeAxis {
    /// A range; an empty or reversed one is made a second long.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to: to.max(from.plus_seconds(1)) }
    }

    /// Where an instant lies, 0–1 inside the range.
    pub fn position(self, at: Timestamp) -> f64 {
        at.since(self.from) as f64 / self.to.since(self.from) as f64
    }

    /// The instant at a position.
    pub fn at(self, position: f64) -> Timestamp {
        self.from.plus_nanos((position * self.to.since(self.from) as f64) as i64)
    }
}

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Evenly from `low` to `high`.
    Linear {
        /// Value at the bottom.
        low: f64,
        /// Value at the top.
        high: f64,
    },
    /// By magnitude from `low`, more than 0, to `high`; smaller values lie on the bottom.
    Log {
        /// Value at the bottom.
        low: f64,
        /// Value at the top.
        high: f64,
    },
}

impl Scale {
    /// Height of a value, held within 0–1.
    pub fn position(self, value: f64) -> f64 {
        let raw = match self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => (value.max(low) / low).ln() / (high / low).ln(),
        };
        if raw.is_finite() { raw.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// What a mark stands for; the theme gives it a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Lines of the grid.
    Grid,
    /// The value in question.
    Line,
    /// Good events.
    Good,
    /// Bad events.
    Bad,
    /// Something to compare with.
    Reference,
    /// Threshold of a tier that calls someone.
    Page,
    /// Threshold of a tier that files a ticket.
    Ticket,
    /// The moment of a change.
    Change,
    /// One of several lines, by its place among [`SERIES`]. Those of the second half are broken, in the colours of the first:
    /// more colours than that are not told apart by everybody.
    Series(u8),
}

impl Role {
    /// Every role, in the order of [`Role::index`].
    pub const ALL: [Self; 8 + SERIES] = {
        let mut all = [Self::Grid; 8 + SERIES];
        let single = [Self::Grid, Self::Line, Self::Good, Self::Bad, Self::Reference, Self::Page, Self::Ticket, Self::Change];
        let mut index = 0;
        while index < all.len() {
            all[index] = if index < single.len() { single[index] } else { Self::Series((index - single.len()) as u8) };
            index += 1;
        }
        all
    };

    /// One of several lines; beyond [`SERIES`] they begin anew.
    pub const fn series(index: usize) -> Self {
        Self::Series((index % SERIES) as u8)
    }

    /// Whether its lines are broken.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Series(index) if index as usize >= SERIES / 2)
    }

    /// Its number, for palettes and class names.
    pub const fn index(self) -> usize {
        match self {
            Self::Grid => 0,
            Self::Line => 1,
            Self::Good => 2,
            Self::Bad => 3,
            Self::Reference => 4,
            Self::Page => 5,
            Self::Ticket => 6,
            Self::Change => 7,
            Self::Series(index) => 8 + index as usize,
        }
    }
}

/// A point, both positions 0–1.
pub type Point = (f64, f64);

/// One drawn thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line; where it breaks nothing is known. A run of one point is a dot.
    Line(Role, Vec<Vec<Point>>),
    /// The area between a line and a height.
    Area(Role, Vec<Vec<Point>>, f64),
    /// Rectangles by two opposite corners.
    Bars(Role, Vec<(Point, Point)>),
    /// A horizontal line over the whole width.
    Level(Role, f64),
    /// A broken vertical line over the whole height.
    Upright(Role, f64),
}

/// A label at a position of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where, 0–1.
    pub position: f64,
    /// What it says.
    pub label: String,
}

/// A labelled horizontal line.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What it stands for.
    pub role: Role,
    /// Height, 0–1.
    pub position: f64,
    /// What it says.
    pub label: String,
}

/// The value of one step, for the pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Middle of the step.
    pub at: Timestamp,
    /// Height of the value, 0–1; `None` in a gap.
    pub height: Option<f64>,
    /// What is said about it.
    pub text: String,
    /// The same for each line, where there are several.
    pub lines: Vec<LineReading>,
}

/// The value of one of several lines.
#[derive(Clone, Debug, PartialEq)]
pub struct LineReading {
    /// The line.
    pub role: Role,
    /// Height of the value, 0–1.
    pub height: f64,
    /// What is said about it.
    pub text: String,
}

/// A single observation that leads somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// Where it lies.
    pub at: Point,
    /// Whether it lies above the chart; it then stands at its upper edge.
    pub is_beyond: bool,
    /// Where it leads.
    pub href: String,
    /// What is said about it.
    pub label: String,
}

/// A chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its time range.
    pub time: TimeAxis,
    /// How to read it.
    pub key: &'static str,
    /// Ticks of the vertical axis.
    pub y_ticks: Vec<Tick>,
    /// Labelled lines.
    pub levels: Vec<Level>,
    /// What is drawn, back to front.
    pub marks: Vec<Mark>,
    /// Values in order of time, one per step.
    pub readings: Vec<Reading>,
    /// Single observations.
    pub dots: Vec<Dot>,
}

impl Chart {
    /// The same with a marker for each change (requirement B9) that lies in its range, told where the pointer reads its step:
    /// versions, exclusions and incidents that began.
    #[must_use]
    pub fn with_changes(mut self, history: &[Happening]) -> Self {
        // History is told newest first, a chart from left to right.
        for change in history.iter().rev().filter(|change| change.mark != "closed") {
            let position = self.time.position(change.at);
            let nearest = self.readings.iter_mut().min_by_key(|reading| reading.at.since(change.at).unsigned_abs());
            let Some(reading) = nearest.filter(|_| (0.0..=1.0).contains(&position)) else { continue };
            self.marks.push(Mark::Upright(Role::Change, position));
            reading.text.push_str(" · ");
            reading.text.push_str(&change.what);
            if change.mark == "version" && !change.more.is_empty() {
                reading.text.push_str(": ");
                reading.text.extend(change.more.join("; ").chars().take(MOST_TOLD));
            }
        }
        self
    }

    /// The reading nearest to an instant; `None` without any.
    pub fn reading(&self, at: Timestamp) -> Option<&Reading> {
        let after = self.readings.partition_point(|reading| reading.at < at);
        let neighbours = self.readings.get(after.saturating_sub(1)..(after + 1).min(self.readings.len()))?;
        neighbours.iter().min_by_key(|reading| reading.at.since(at).unsigned_abs())
    }
}

#[cfg(test)]
mod tests;
