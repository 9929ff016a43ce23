//! Segments: many records in one Parquet file, sorted by service, operation and time, compressed by zstd. The bytes are
//! the same in the database and in an archive, and any Parquet reader understands them.
//!
//! Columns: `trace_id`, `span_id`, `parent_span_id` (fixed-width binary), `start`, `duration` (nanoseconds, delta
//! encoded), `service`, `operation`, `kind`, `status`, `status_message`, `trace_state`, `correlation_id`, `project_id`,
//! `execution_id`, `source` (resource and scope as JSON, a dictionary), `events`, `links` (JSON), one column per frequent
//! attribute, named by its type and key (`s.http.route`, `i.http.response.status_code`), and `rest`, the other attributes
//! as JSON. Spans have a `weight` beside, where sampling left others out. Log records have `time`, `severity`, `severity_text`, `event_name` and `body` (`other_body`, JSON, when it is no
//! text) in place of the columns that are about spans. Points of metrics have columns of their own (`point`).

mod attributes;
mod bloom;
mod calls;
mod columns;
mod decode;
mod encode;
mod in_place;
mod lane;
mod log;
mod point;
mod shared;
#[cfg(test)]
mod tests;

pub use bloom::Bloom;
pub use calls::{CallColumns, call_columns};
pub use columns::{Columns, Sought, trace_ids_where};
pub use decode::{decode, decode_trace, decode_traces};
pub use encode::encode;
pub use in_place::{Cell, InPlace, Wanted};
pub use lane::{LaneSpan, lane_spans};
pub use log::{LogColumns, decode_log_rows, decode_logs, decode_logs_where, encode_logs, log_columns};
pub use point::{decode_points, decode_series, encode_points, point_order};
pub use shared::{IDS, json as json_text, source_from_json, source_json};
