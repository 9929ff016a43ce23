//! The doors: what listens, and what every request passes on its way in.

pub mod cloudevents;
pub mod compression;
pub mod ecs;
pub mod guard;
pub mod listen;
pub mod otlp_grpc;
pub mod otlp_http;
pub mod router;
pub mod rpc_status;
pub mod sharing;
pub mod site;
