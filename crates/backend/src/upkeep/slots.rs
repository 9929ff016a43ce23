//! Slots: made ahead, their empty open parts dropped, and they themselves dropped once their records are past retention.

use metrics::counter;
use slowburn_domain::time::Timestamp;
use slowburn_storage::partition::{self, Part};
use slowburn_storage::{backfill, kept, rollup};

use super::kept::{KEPT_MINUTES, WEEK_MINUTES, week_of};
use crate::{Backend, Result};

/// Slots made ahead.
const AHEAD: i32 = 2;
/// How long an open part has been empty before it is dropped. Readers that began before it was emptied have ended: a
/// statement is cut off after half of this.
const EMPTY_SECONDS: i64 = 60;
/// How long minutes live: the longest usual window (90 days) and a week.
const MINUTES_LIVE: i32 = 97 * 1_440;
/// How long hours live: 13 months.
const HOURS_LIVE: i32 = 396 * 24;
/// How long days live: five years.
const DAYS_LIVE: i32 = 1_827;

impl Backend {
    /// Makes the slots that come next, drops open parts that merging has emptied, and drops slots whose records are past
    /// retention, after what outlives them was kept.
    ///
    /// # Errors
    /// The database.
    pub async fn keep_slots(&self) -> Result<()> {
        let settings = &self.0.settings;
        let now = self.0.clock.now();
        let minute = now.minute();
        let mut tx = self.0.pool.begin().await?;
        for ahead in 0..=AHEAD {
            partition::create_slot(&mut tx, settings.slot_of(minute.plus(ahead * settings.slot_minutes()))).await?;
        }
        tx.commit().await?;
        if !self.holds("slots").await? {
            return Ok(());
        }
        let slots = {
            let mut connection = self.0.pool.acquire().await?;
            partition::slots(&mut connection).await?
        };
        let retention = i32::try_from(settings.retention_minutes).unwrap_or(i32::MAX);
        for (slot, parts) in slots {
            if parts.contains(&Part::Kept) && slot.saturating_add(WEEK_MINUTES).saturating_add(KEPT_MINUTES) <= minute.0 {
                let mut tx = self.0.pool.begin().await?;
                partition::drop_kept(&mut tx, slot).await?;
                tx.commit().await?;
            }
            if parts == [Part::Kept] {
                continue;
            }
            if slot.saturating_add(settings.slot_minutes()) <= minute.0.saturating_sub(retention) {
                self.drop_slot(slot, now).await?;
            } else if parts.contains(&Part::Open) && self.is_closed(slot, now) {
                self.drop_open(slot, now).await?;
            }
        }
        let mut connection = self.0.pool.acquire().await?;
        rollup::expire(&mut connection, minute.0 - MINUTES_LIVE, minute.hour() - HOURS_LIVE, minute.hour() / 24 - DAYS_LIVE).await?;
        Ok(())
    }

    async fn drop_slot(&self, slot: i32, now: Timestamp) -> Result<()> {
        let book = self.book();
        let buckets = self.0.settings.bucket_numbers();
        if book.all().next().is_some() {
            let waits = {
                let mut connection = self.0.pool.acquire().await?;
                backfill::slot_waits(&mut connection, &buckets, slot, book.segments_counted_to()).await?
            };
            if waits {
                tracing::info!(slot, "slot is past retention and stays until new SLOs have counted it");
                return Ok(());
            }
            self.keep(slot, now).await?;
        }
        let mut tx = self.0.pool.begin().await?;
        for bucket in buckets {
            kept::copy_bad(&mut tx, bucket, slot, week_of(now)).await?;
        }
        partition::drop_slot(&mut tx, slot).await?;
        tx.commit().await?;
        self.0.memory.empty_since.lock().remove(&slot);
        counter!("slowburn_slots_dropped_total").increment(1);
        tracing::info!(slot, "slot dropped");
        Ok(())
    }

    async fn drop_open(&self, slot: i32, now: Timestamp) -> Result<()> {
        let is_empty = {
            let mut connection = self.0.pool.acquire().await?;
            partition::is_empty(&mut connection, slot, Part::Open).await?
        };
        let since = {
            let mut empty_since = self.0.memory.empty_since.lock();
            if is_empty {
                *empty_since.entry(slot).or_insert(now)
            } else {
                empty_since.remove(&slot);
                now
            }
        };
        if now.seconds() - since.seconds() < EMPTY_SECONDS {
            return Ok(());
        }
        let mut tx = self.0.pool.begin().await?;
        let dropped = partition::drop_open(&mut tx, slot).await?;
        tx.commit().await?;
        if dropped {
            self.0.memory.empty_since.lock().remove(&slot);
        }
        Ok(())
    }
}
