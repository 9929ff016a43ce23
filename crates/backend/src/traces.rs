//! Finding traces, and showing one, or all of one correlation ID.

mod page;
mod search;
mod spans;
mod tail;
mod trace_page;

pub use search::Found;
pub use spans::TraceDetail;
pub(crate) use tail::Shared;
