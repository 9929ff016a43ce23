//! Finding traces, and showing one, or all of one correlation ID.

mod lengths;
mod near;
mod page;
mod row;
mod search;
mod spans;
mod trace_page;
mod walk;

pub(crate) use row::{operand, wanted as wanted_by};
pub use search::Found;
pub use spans::TraceDetail;
