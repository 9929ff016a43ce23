//! The flame graph of a trace: spans merged by their path of (service, operation) from the root, so that a hundred calls of
//! one kind are one frame.
//!
//! The width of a frame is its *time*: the self time of its spans and of all below them. So a frame is exactly as wide as its
//! own self time and the frames on it together, also where children run beside each other or outlive their parent; the
//! whole is then wider than the trace was long, because more than one worked at a time. Where everything runs in turn, time
//! is duration.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::order;
use crate::outline::Outline;

/// A frame narrower than this share of the width is not drawn; zooming in shows it.
pub const LEAST_WIDTH: f64 = 1.0 / 1_000.0;
/// Frames drawn below each other; zooming in shows deeper ones.
pub const MOST_LEVELS: u32 = 48;

/// Names a path of (service, operation), the same in every trace that has it: a hash, written as sixteen hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(u64);

impl FrameId {
    /// What all paths begin with.
    const ROOT: Self = Self(0xcbf2_9ce4_8422_2325);

    /// The path one step further. FNV-1a, 64 bit: the standard hasher may change with the compiler.
    fn step(self, service: &str, operation: &str) -> Self {
        let bytes = service.bytes().chain([0xff]).chain(operation.bytes()).chain([0xfe]);
        Self(bytes.fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

impl fmt::Display for FrameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for FrameId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits { u64::from_str_radix(text, 16).map(Self).map_err(|_| ()) } else { Err(()) }
    }
}

/// All spans of a trace with one path of (service, operation).
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The path.
    pub id: FrameId,
    /// The frame it stands on; `None` at a root.
    pub parent: Option<u32>,
    /// Frames below it.
    pub depth: u32,
    /// Index into the outline's services.
    pub service: u32,
    /// Index into the outline's operations.
    pub operation: u32,
    /// How many spans it is made of.
    pub spans: u32,
    /// How many of them failed.
    pub errors: u32,
    /// Their self time together, nanoseconds.
    pub self_nanos: i64,
    /// Their self time and that of all below them, nanoseconds.
    pub time_nanos: i64,
    /// Their durations together, nanoseconds.
    pub total_nanos: i64,
    /// Their share of the critical path, nanoseconds.
    pub critical_nanos: i64,
    /// Start of the first of them, nanoseconds after the trace's.
    pub first_nanos: i64,
    /// End of the last of them, nanoseconds after the trace's start.
    pub last_nanos: i64,
    /// Row of the longest of them.
    pub longest: u32,
}

/// The frames of a trace: those on a frame follow it, the one with most time first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flame {
    /// All frames.
    pub frames: Vec<Frame>,
}

/// A frame's place in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedFrame {
    /// Index of the frame.
    pub frame: u32,
    /// Left edge, share of the width.
    pub x: f64,
    /// Share of the width.
    pub width: f64,
    /// Rows from the top.
    pub level: u32,
}

/// What of a flame graph is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlamePicture {
    /// The frame that fills the width, when one is zoomed to.
    pub zoomed: Option<u32>,
    /// The frames it stands on from the root to itself, each over the whole width.
    pub below: Vec<u32>,
    /// What is drawn, `below` not included; levels are counted from the first row after it.
    pub placed: Vec<PlacedFrame>,
    /// Rows that `placed` takes.
    pub levels: u32,
    /// Frames too narrow or too deep to be drawn.
    pub left_out: usize,
}

impl Flame {
    /// Merges the spans of a trace.
    pub fn of(outline: &Outline) -> Self {
        let begin = outline.start();
        let mut met: Vec<Frame> = Vec::new();
        let mut by_id: HashMap<FrameId, u32> = HashMap::new();
        let mut frame_of: Vec<u32> = Vec::with_capacity(outline.spans.len());
        for (row, span) in outline.spans.iter().enumerate() {
            let parent = span.parent.and_then(|parent| frame_of.get(parent as usize).copied());
            let under = parent.map_or(FrameId::ROOT, |parent| met[parent as usize].id);
            let id = under.step(outline.service(span), outline.operation(span));
            let (first, last) = (span.start.since(begin), span.end().since(begin));
            let index = *by_id.entry(id).or_insert_with(|| {
                met.push(Frame {
                    id,
                    parent,
                    depth: parent.map_or(0, |parent| met[parent as usize].depth + 1),
                    service: span.service,
                    operation: span.operation,
                    spans: 0,
                    errors: 0,
                    self_nanos: 0,
                    time_nanos: 0,
                    total_nanos: 0,
                    critical_nanos: 0,
                    first_nanos: first,
                    last_nanos: last,
                    longest: row as u32,
                });
                met.len() as u32 - 1
            });
            frame_of.push(index);
            let frame = &mut met[index as usize];
            frame.spans += 1;
            frame.errors += u32::from(span.failed());
            frame.self_nanos += span.self_nanos;
            frame.total_nanos += span.nanos;
            frame.critical_nanos += span.critical_nanos.unwrap_or_default();
            frame.first_nanos = frame.first_nanos.min(first);
            frame.last_nanos = frame.last_nanos.max(last);
            if span.nanos > outline.spans[frame.longest as usize].nanos {
                frame.longest = row as u32;
            }
        }
        add_up(&mut met);
        Self { frames: in_order(met) }
    }

    /// Index of a frame by its path.
    pub fn find(&self, id: FrameId) -> Option<u32> {
        self.frames.iter().position(|frame| frame.id == id).map(|index| index as u32)
    }

    /// Time of the whole, nanoseconds.
    pub fn time_nanos(&self) -> i64 {
        self.frames.iter().filter(|frame| frame.parent.is_none()).map(|frame| frame.time_nanos).sum()
    }

    /// Lays the frames out, or those on the frame `zoom`; a path that the trace does not have counts for none.
    pub fn picture(&self, zoom: Option<FrameId>) -> FlamePicture {
        let zoomed = zoom.and_then(|id| self.find(id));
        let parent = |index: &u32| self.frames[*index as usize].parent;
        let mut below: Vec<u32> = std::iter::successors(zoomed, parent).collect();
        below.reverse();
        let (range, whole, bottom) = match zoomed {
            Some(index) => {
                let frame = &self.frames[index as usize];
                let on_it = self.frames[index as usize + 1..].iter().take_while(|other| other.depth > frame.depth).count();
                (index as usize + 1..index as usize + 1 + on_it, frame.time_nanos, frame.depth + 1)
            }
            None => (0..self.frames.len(), self.time_nanos(), 0),
        };
        let mut picture = FlamePicture { zoomed, below, ..FlamePicture::default() };
        // How far each level of the frames above the present one is filled, nanoseconds from the left.
        let mut filled: Vec<i64> = vec![0];
        for index in range {
            let frame = &self.frames[index];
            let level = frame.depth - bottom;
            filled.truncate(level as usize + 1);
            let left = filled[level as usize];
            filled[level as usize] += frame.time_nanos;
            filled.push(left);
            let share = |nanos: i64| if whole > 0 { nanos as f64 / whole as f64 } else { 0.0 };
            let width = share(frame.time_nanos);
            if width < LEAST_WIDTH || level >= MOST_LEVELS {
                picture.left_out += 1;
                continue;
            }
            picture.levels = picture.levels.max(level + 1);
            picture.placed.push(PlacedFrame { frame: index as u32, x: share(left), width, level });
        }
        picture
    }
}

/// Adds every frame's time to what it stands on. A frame is met after the one it stands on.
fn add_up(frames: &mut [Frame]) {
    for index in (0..frames.len()).rev() {
        frames[index].time_nanos += frames[index].self_nanos;
        if let Some(parent) = frames[index].parent {
            frames[parent as usize].time_nanos += frames[index].time_nanos;
        }
    }
}

/// Puts what stands on a frame behind it, most time first, then the earliest.
fn in_order(met: Vec<Frame>) -> Vec<Frame> {
    let mut on: Vec<Vec<u32>> = vec![Vec::new(); met.len()];
    let mut waiting: Vec<u32> = Vec::new();
    for (index, frame) in met.iter().enumerate() {
        match frame.parent {
            Some(parent) => on[parent as usize].push(index as u32),
            None => waiting.push(index as u32),
        }
    }
    // The last of what waits is next.
    let rank = |index: u32| {
        let frame = &met[index as usize];
        (frame.time_nanos, std::cmp::Reverse((frame.first_nanos, frame.id)))
    };
    let by_rank = |a, b| rank(a).cmp(&rank(b));
    order::sort(&mut waiting, &by_rank);
    let mut place = vec![0; met.len()];
    let mut placed = Vec::with_capacity(met.len());
    while let Some(index) = waiting.pop() {
        place[index as usize] = placed.len() as u32;
        placed.push(index);
        order::sort(&mut on[index as usize], &by_rank);
        waiting.extend(&on[index as usize]);
    }
    let moved = |index: u32| {
        let frame = &met[index as usize];
        Frame { parent: frame.parent.map(|parent| place[parent as usize]), ..frame.clone() }
    };
    placed.into_iter().map(moved).collect()
}

#[cfg(test)]
mod tests;
