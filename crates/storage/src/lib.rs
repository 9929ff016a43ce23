//! Every line of SQL, the rows it gives, and the file format of segments. Functions take a connection or an open
//! transaction, never the pool: `backend` owns transaction borders. Migrations are embedded.
#![warn(missing_docs)]

pub mod agent;
pub mod backfill;
pub mod copy;
pub mod database;
pub mod edge;
pub mod error;
pub mod event;
pub mod exclusion;
pub mod group;
pub mod incident;
pub mod ingest;
pub mod kept;
pub mod lease;
pub mod log;
pub mod merge;
pub mod metric;
pub mod near;
pub mod partition;
pub mod progress;
pub mod red;
pub mod rollup;
pub mod saved_view;
pub mod segment;
pub mod size;
pub mod slo;
pub mod trace;

pub use error::{Error, Result};

/// The schema, embedded in the binary.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");
