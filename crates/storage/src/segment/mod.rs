//! Segments: many records in one Parquet file, sorted by service, operation and time, compressed by zstd. The bytes are
//! the same in the database and in an archive, and any Parquet reader understands them.
//!
//! Columns: `trace_id`, `span_id`, `parent_span_id` (fixed-width binary), `start`, `duration` (nanoseconds, delta
//! encoded), `service`, `operation`, `kind`, `status`, `status_message`, `trace_state`, `correlation_id`, `project_id`,
//! `execution_id`, `source` (resource and scope as JSON, a dictionary), `events`, `links` (JSON), one column per frequent
//! attribute, named by its type and key (`s.http.route`, `i.http.response.status_code`), and `rest`, the other attributes
//! as JSON.

mod attributes;
mod bloom;
mod columns;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use bloom::Bloom;
pub use columns::{Cell, Columns, Wanted, columns};
pub use decode::{decode, decode_trace, decode_traces};
pub use encode::encode;
