//! The doors, with everything behind them, in process against a real PostgreSQL: OTLP over HTTP and gRPC, the REST API,
//! the guard before every port, and pages as the server renders them.

mod app;
mod cli;
mod documents;
mod events;
mod exclusions;
mod fuzz;
mod guard;
mod health;
mod logs;
mod metrics;
mod openapi;
mod otlp;
mod pages;
mod sdk;
mod settings;
mod sharing;
mod slos;
mod traces;
