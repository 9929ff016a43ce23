//! Traces put together from what arrived: a trace is the fold of the [`Fragment`]s that its segments hold, and is shown as
//! [`rows`] of a waterfall in which the [`critical_path()`] stands out.

mod critical_path;
mod fragment;
#[cfg(test)]
mod tests;
mod tree;

pub use critical_path::{CriticalPath, PathSegment, critical_path};
pub use fragment::{Fragment, Root, SpanClass, TraceSummary, fold};
pub use tree::{Row, SpanExtent, rows};
