//! The composition root: settings, telemetry about ourselves, the database, the doors (pages, REST, OTLP over HTTP and
//! gRPC, command line), and the order in which all of it starts and stops ([`serve`]).

pub mod api;
pub mod cli;
pub mod config;
pub mod demo;
pub mod doors;
pub mod postgres;
pub mod serve;
pub mod telemetry;
