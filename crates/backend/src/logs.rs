//! Finding log records, and those of a trace or of one correlation ID.

mod of;
mod page;
mod row;
mod search;

pub use search::FoundLogs;
