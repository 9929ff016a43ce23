//! Finding traces, and showing one, or all of one correlation ID.

mod page;
mod search;
mod spans;

pub use search::Found;
pub use spans::TraceDetail;
