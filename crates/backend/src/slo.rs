//! SLOs: applying definitions, and everything that is known about each.

mod apply;
mod book;
pub(crate) mod calendar;
mod diff;
mod editor;
mod exclusions;
mod groups;
mod list;
mod plan;
mod preview;
mod read;
mod tallies;

pub use apply::{Applied, Change, ChangeKind, DocumentChange, Signature};
pub use book::{KnownGroup, KnownGrouping, KnownPart, KnownSlo, Past, SloBook};
pub use editor::Saved;
pub use exclusions::NewExclusion;
pub use read::SloReport;
pub(crate) use tallies::Tallies;
