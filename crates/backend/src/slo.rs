//! SLOs: applying definitions, and everything that is known about each.

mod apply;
mod book;
pub(crate) mod calendar;
mod exclusions;
mod diff;
mod plan;
mod read;
mod tallies;

pub use apply::{Applied, Change, ChangeKind, DocumentChange, Signature};
pub use book::{KnownSlo, Past, SloBook};
pub use exclusions::NewExclusion;
pub use read::SloReport;
pub(crate) use tallies::Tallies;
