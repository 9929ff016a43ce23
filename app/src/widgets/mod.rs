//! Parts of pages. A widget takes plain values or signals; it neither fetches nor knows routes.

pub mod budget_bar;
pub mod comparison;
pub mod copy;
pub mod empty;
pub mod figure;
pub mod flame_graph;
pub mod icon;
pub mod incident_list;
pub mod loadable;
pub mod log_list;
pub mod markup;
pub mod saved_views;
pub mod service;
pub mod slo_filters;
pub mod slo_table;
pub mod span_details;
pub mod span_table;
pub mod sparkline;
pub mod state;
pub mod timeline;
pub mod trace_filters;
pub mod trace_histogram;
pub mod trace_list;
pub mod waterfall;
pub mod waterfall_row;
