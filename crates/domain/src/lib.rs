//! What Slowburn is about, without I/O: objectives, error budgets, burn rates, spans and traces, queries and the read
//! models that pages show.
//!
//! The same source is compiled for the server and, as WebAssembly, for the browser, so that a figure is computed by one
//! formula in one place. Nothing here knows a clock, a random source, a database or a web framework: time is an argument.
#![warn(missing_docs)]

pub mod agent;
pub mod chart;
pub mod comparison;
pub mod counter;
pub mod event;
pub mod filter;
pub mod flame;
pub mod history;
pub mod id;
pub mod incident;
pub mod lanes;
pub mod log;
pub mod log_query;
pub mod metric;
pub mod metric_query;
pub mod number;
mod order;
pub mod outline;
pub mod query;
pub mod red;
pub mod saved_view;
pub mod sentence;
pub mod service_map;
pub mod signal;
pub mod sketch;
pub mod slo;
pub mod slo_form;
pub mod slo_query;
pub mod span;
pub mod span_table;
pub mod storage;
pub mod story;
pub mod tail;
pub mod time;
pub mod timeline;
pub mod trace;
pub mod trace_view;
pub mod url;
pub mod view;
pub mod waterfall;
