//! Room on disk over REST.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use slowburn_backend::Backend;
use slowburn_domain::storage::StorageReport;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::telemetry::now;

/// What is stored, how much room it takes and will take. Sizes are bytes, indexes included.
#[derive(Serialize, ToSchema)]
pub struct Storage {
    /// How long raw records stay.
    retention_seconds: u64,
    /// Segments.
    segments: u64,
    /// Spans, those kept beyond retention included.
    spans: u64,
    /// Raw records within retention.
    segment_bytes: u64,
    /// What finds them.
    index_bytes: u64,
    /// Records kept beyond retention.
    kept_bytes: u64,
    /// Counts of SLOs and operations.
    count_bytes: u64,
    /// The whole database.
    database_bytes: u64,
    /// Raw bytes that arrive in a day at the present pace; null before the first slot has closed.
    bytes_per_day: Option<u64>,
    /// The whole database once as much is dropped as arrives; null before the first slot has closed.
    forecast_database_bytes: Option<u64>,
}

impl From<StorageReport> for Storage {
    fn from(report: StorageReport) -> Self {
        Self {
            retention_seconds: u64::from(report.retention_minutes) * 60,
            segments: report.segment_count,
            spans: report.span_count,
            segment_bytes: report.usage.segments,
            index_bytes: report.usage.indexes,
            kept_bytes: report.usage.kept,
            count_bytes: report.usage.counts,
            database_bytes: report.usage.database,
            bytes_per_day: report.forecast.map(|forecast| forecast.bytes_per_day),
            forecast_database_bytes: report.forecast.map(|forecast| forecast.database_bytes),
        }
    }
}

/// What is stored and how much room it takes.
#[utoipa::path(get, path = "/api/v1/storage", responses((status = 200, body = Storage), (status = 503, body = Problem)))]
pub async fn storage(State(backend): State<Backend>) -> Result<Json<Storage>, Problem> {
    Ok(Json(backend.storage(now()).await?.into()))
}
