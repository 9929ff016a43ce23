//! SLOs: applying definitions, and everything that is known about each.

mod apply;
mod book;
pub(crate) mod calendar;
mod editor;
mod list;
mod preview;
mod read;
mod tallies;

pub use apply::{Applied, Change, ChangeKind};
pub use book::{KnownSlo, Past, SloBook};
pub use editor::Saved;
pub use read::SloReport;
pub(crate) use tallies::Tallies;
