//! Where instants stand on a page's time axis: the waterfall of one trace and the lanes of one correlation ID.
//!
//! An [`Axis`] is made of segments from left to right. Most carry time at one common scale; a gap in which nothing
//! happened and which would push everything else together is *folded*: it keeps a narrow, fixed share of the width and
//! its true length stays readable. All positions are shares of the width, 0 to 1, so that the same numbers serve SVG
//! attributes of any size.

use crate::order;
use crate::time::Timestamp;

/// A gap longer than this share of the time in which something happened is folded.
const FOLD_FROM_SHARE: f64 = 0.2;
/// Share of the width that one folded gap keeps, while there are few.
const FOLD_WIDTH: f64 = 0.03;
/// Share of the width that all folded gaps together may take.
const FOLDS_WIDTH: f64 = 0.3;

/// One stretch of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First instant.
    pub start: Timestamp,
    /// Last instant; not before `start`.
    pub end: Timestamp,
    /// Left edge, share of the width.
    pub x: f64,
    /// Share of the width.
    pub width: f64,
    /// Whether this is a gap that keeps a fixed width instead of its length.
    pub folded: bool,
}

impl Segment {
    /// Length in nanoseconds.
    pub const fn nanos(&self) -> i64 {
        self.end.since(self.start)
    }

    fn x_of(&self, at: Timestamp) -> f64 {
        let nanos = self.nanos();
        // An instant has no inside: its place is its middle.
        let share = if nanos == 0 { 0.5 } else { at.since(self.start) as f64 / nanos as f64 };
        self.x + self.width * share.clamp(0.0, 1.0)
    }
}

/// A label's place on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    /// The instant.
    pub at: Timestamp,
    /// Share of the width.
    pub x: f64,
}

/// A map from instants to shares of a width.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    segments: Vec<Segment>,
}

impl Axis {
    /// An axis at one scale from `start` to `end`.
    pub fn linear(start: Timestamp, end: Timestamp) -> Self {
        Self { segments: vec![Segment { start, end: end.max(start), x: 0.0, width: 1.0, folded: false }] }
    }

    /// An axis over everything in `busy`, (start, end) in any order, with long gaps between them folded. Everything shown
    /// has one scale. Without anything it covers the epoch.
    pub fn folded(busy: impl IntoIterator<Item = (Timestamp, Timestamp)>) -> Self {
        let islands = merge(busy);
        let Some((first, last)) = islands.first().zip(islands.last()) else {
            return Self::linear(Timestamp::default(), Timestamp::default());
        };
        let busy_nanos: f64 = islands.iter().map(|(start, end)| end.since(*start) as f64).sum();
        let folds = |gap: i64| gap as f64 > busy_nanos * FOLD_FROM_SHARE;
        let mut pieces = vec![(first.0, first.1, false)];
        for pair in islands.windows(2) {
            let ((_, gap_start), (gap_end, end)) = (pair[0], pair[1]);
            if folds(gap_end.since(gap_start)) {
                pieces.extend([(gap_start, gap_end, true), (gap_end, end, false)]);
            } else if let Some(piece) = pieces.last_mut() {
                piece.1 = end;
            }
        }
        debug_assert_eq!(pieces.last().map(|p| p.1), Some(last.1));
        Self { segments: lay_out(&pieces) }
    }

    /// The stretches, left to right.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The folded gaps, left to right.
    pub fn folds(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.folded)
    }

    /// First instant.
    pub fn start(&self) -> Timestamp {
        self.segments.first().map(|s| s.start).unwrap_or_default()
    }

    /// Last instant.
    pub fn end(&self) -> Timestamp {
        self.segments.last().map(|s| s.end).unwrap_or_default()
    }

    /// Place of an instant; what lies outside stands at the nearer edge.
    pub fn x(&self, at: Timestamp) -> f64 {
        let segment = self.segments.iter().find(|s| at <= s.end).or(self.segments.last());
        segment.map_or(0.0, |s| s.x_of(at))
    }

    /// The instant that stands at a share of the width.
    pub fn at(&self, x: f64) -> Timestamp {
        let x = x.clamp(0.0, 1.0);
        let segment = self.segments.iter().find(|s| x <= s.x + s.width).or(self.segments.last());
        segment.map_or(Timestamp::default(), |s| {
            let share = if s.width > 0.0 { (x - s.x) / s.width } else { 0.0 };
            s.start.plus_nanos((share.clamp(0.0, 1.0) * s.nanos() as f64).round() as i64)
        })
    }

    /// Left edge and width of something that took `duration_ms` from `start`.
    pub fn extent(&self, start: Timestamp, duration_ms: f64) -> (f64, f64) {
        let (left, right) = (self.x(start), self.x(end_of(start, duration_ms)));
        (left, (right - left).max(0.0))
    }

    /// About `count` round instants, counted from `origin`, with room between them for their labels. A shown stretch too
    /// short for a round instant gets one where it begins, so that the two sides of a fold can be told apart.
    pub fn ticks(&self, origin: Timestamp, count: u32) -> Vec<Tick> {
        let room = 1.0 / f64::from(count.max(1)) * 0.6;
        let shown: f64 = self.segments.iter().filter(|s| !s.folded).map(|s| s.nanos() as f64).sum();
        let step = round_step(shown / f64::from(count.max(1)));
        let mut ticks: Vec<Tick> = Vec::new();
        for segment in self.segments.iter().filter(|s| !s.folded) {
            let (from, to) = (segment.start.since(origin), segment.end.since(origin));
            let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
            let round = (first..=to.div_euclid(step)).map(|n| origin.plus_nanos(n.saturating_mul(step)));
            let begins = (segment.x > 0.0 && first > to.div_euclid(step)).then_some(segment.start);
            for at in round.chain(begins) {
                let x = segment.x_of(at);
                if ticks.last().is_none_or(|last| x - last.x >= room) {
                    ticks.push(Tick { at, x });
                }
            }
        }
        ticks
    }
}

/// A share of the width as SVG attributes take it: `12.345%`.
pub fn svg_percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The end of something that took `duration_ms` from `start`.
pub fn end_of(start: Timestamp, duration_ms: f64) -> Timestamp {
    start.plus_nanos((duration_ms.max(0.0) * 1e6).round() as i64)
}

/// Joins what overlaps or touches, sorted by start.
fn merge(busy: impl IntoIterator<Item = (Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    let mut all: Vec<_> = busy.into_iter().map(|(start, end)| (start, end.max(start))).collect();
    all.sort_unstable();
    let mut islands: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in all {
        match islands.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => islands.push((start, end)),
        }
    }
    islands
}

fn lay_out(pieces: &[(Timestamp, Timestamp, bool)]) -> Vec<Segment> {
    let folds = pieces.iter().filter(|p| p.2).count();
    let shown = pieces.len() - folds;
    let fold_width = FOLD_WIDTH.min(FOLDS_WIDTH / folds.max(1) as f64);
    let time_width = 1.0 - fold_width * folds as f64;
    let shown_nanos: f64 = pieces.iter().filter(|p| !p.2).map(|(start, end, _)| end.since(*start) as f64).sum();
    let mut x = 0.0;
    pieces
        .iter()
        .map(|&(start, end, folded)| {
            let width = if folded {
                fold_width
            } else if shown_nanos > 0.0 {
                time_width * (end.since(start) as f64 / shown_nanos)
            } else {
                time_width / shown as f64
            };
            let segment = Segment { start, end, x, width, folded };
            x += width;
            segment
        })
        .collect()
}

/// The smallest round number of nanoseconds that is at least `least`: 1, 2 or 5 of a decimal unit below a minute, then
/// parts of minutes, hours and days as clocks show them.
pub fn round_step(least: f64) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    const CLOCK: [i64; 15] = [15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800];
    let mut unit = 1;
    while unit <= SECOND * 10 {
        if let Some(step) = [unit, unit * 2, unit * 5].into_iter().find(|step| *step as f64 >= least && *step <= SECOND * 10) {
            return step;
        }
        unit *= 10;
    }
    let clock = CLOCK.into_iter().map(|seconds| seconds * SECOND).find(|step| *step as f64 >= least);
    clock.unwrap_or_else(|| ((least / (86_400.0 * SECOND as f64)).ceil() as i64).saturating_mul(86_400 * SECOND))
}

/// Rows for extents (left, width) in one lane so that none covers another: each takes the first row that is free at its
/// left edge, given in the order drawn. `least` is the width below which an extent is drawn no narrower. Beyond `rows` rows
/// the last one is shared, because a lane must stay a lane.
pub fn stack(extents: &[(f64, f64)], least: f64, rows: u16) -> Vec<u16> {
    let mut by_left: Vec<u32> = (0..extents.len() as u32).collect();
    order::sort(&mut by_left, &|a, b| extents[a as usize].0.total_cmp(&extents[b as usize].0));
    let mut free_from: Vec<f64> = Vec::new();
    let mut placed = vec![0; extents.len()];
    for index in by_left {
        let (left, width) = extents[index as usize];
        let row = free_from.iter().position(|free| *free <= left).unwrap_or(free_from.len()).min(usize::from(rows.max(1)) - 1);
        let right = left + width.max(least);
        match free_from.get_mut(row) {
            Some(free) => *free = free.max(right),
            None => free_from.push(right),
        }
        placed[index as usize] = row as u16;
    }
    placed
}

/// Number of colours in the palette of services.
pub const SERVICE_COLOURS: u8 = 12;

/// The colour that a service asks for, 0 to 11: the same on every page and in every process.
pub fn service_colour(service: &str) -> u8 {
    // FNV-1a, 32 bit; the standard hasher may change with the compiler.
    let hash = service.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    ((hash ^ (hash >> 16)) % u32::from(SERVICE_COLOURS)) as u8
}

/// Colours of services shown together, in the order given: each has the colour it asks for unless an earlier name (in
/// alphabetical order) has taken it, then the next free one. With more services than colours they repeat.
pub fn service_colours(services: &[String]) -> Vec<u8> {
    let mut by_name: Vec<u32> = (0..services.len() as u32).collect();
    order::sort(&mut by_name, &|a, b| services[a as usize].cmp(&services[b as usize]));
    let mut taken = [false; SERVICE_COLOURS as usize];
    let mut colours = vec![0; services.len()];
    for index in by_name {
        let index = index as usize;
        let wanted = service_colour(&services[index]);
        let free = (0..SERVICE_COLOURS).map(|step| (wanted + step) % SERVICE_COLOURS).find(|colour| !taken[usize::from(*colour)]);
        let colour = free.unwrap_or(wanted);
        taken[usize::from(colour)] = true;
        colours[index] = colour;
    }
    colours
}

#[cfg(test)]
mod tests;
