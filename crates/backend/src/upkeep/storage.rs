//! How much room everything takes, and how much it will take once retention drops as much as arrives.

use slowburn_domain::storage::{Forecast, StorageReport, StorageUse};
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::SettingsPage;
use slowburn_storage::partition::Part;
use slowburn_storage::size::{self, PartSize};

use crate::{Backend, Result};

impl Backend {
    /// Sizes by what they hold, and a forecast.
    ///
    /// # Errors
    /// The database.
    pub async fn storage(&self, now: Timestamp) -> Result<StorageReport> {
        let mut connection = self.0.pool.acquire().await?;
        let parts = size::parts(&mut connection).await?;
        let counts = size::counts(&mut connection).await?.cast_unsigned();
        let database = size::database(&mut connection).await?.cast_unsigned();
        let (segments, spans) = size::contents(&mut connection).await?;
        drop(connection);
        let settings = &self.0.settings;
        let sum = |of: fn(&PartSize) -> i64, kept: bool| -> u64 {
            parts.iter().filter(|size| (size.part == Part::Kept) == kept).map(of).sum::<i64>().cast_unsigned()
        };
        let raw: Vec<(i32, u64)> = parts
            .iter()
            .filter(|size| size.part != Part::Kept && self.is_closed(size.slot, now))
            .map(|size| (size.slot, (size.segment_bytes + size.index_bytes).cast_unsigned()))
            .collect();
        let usage = StorageUse {
            segments: sum(|size| size.segment_bytes, false),
            indexes: sum(|size| size.index_bytes, false),
            kept: sum(|size| size.segment_bytes + size.index_bytes, true),
            counts,
            database,
        };
        Ok(StorageReport {
            now,
            retention_minutes: settings.retention_minutes,
            slot_minutes: settings.slot_minutes().cast_unsigned(),
            segment_count: segments.cast_unsigned(),
            span_count: spans.cast_unsigned(),
            forecast: Forecast::of(&raw, settings.slot_minutes().cast_unsigned(), settings.retention_minutes, &usage),
            usage,
        })
    }

    /// The Settings page.
    ///
    /// # Errors
    /// The database.
    pub async fn settings_page(&self, now: Timestamp) -> Result<SettingsPage> {
        let settings = &self.0.settings;
        Ok(SettingsPage {
            now,
            storage: self.storage(now).await?,
            correlation_attributes: settings.correlation_attributes.clone(),
            redacted_keys: settings.redacted_keys.clone(),
            redacts_emails: settings.redact_emails,
            sampling: settings.sampling.iter().map(ToString::to_string).collect(),
            otlp_http: self.0.otlp_http.clone(),
        })
    }
}
