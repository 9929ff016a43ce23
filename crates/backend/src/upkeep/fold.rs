//! Folding deltas into minutes, hours and days, by the holder of a bucket's lease, and with it counting the past of SLIs
//! that the RED rollup knows enough for.
//!
//! Applying such an SLI asks for its past in the transaction that raises the SLI set to its version v. From then on deltas
//! of v and later, which the door has counted, are not folded until those before v are, and the SLI is counted once from
//! the minute rows: they hold the flushes before v and nothing else. A delta of an older version that comes later, from an
//! instance that had not heard of v, is counted when it is folded.

use metrics::{counter, gauge};
use slowburn_domain::slo::Counts;
use slowburn_storage::backfill::{self, RedBackfill};
use slowburn_storage::red::{self, Moved};
use slowburn_storage::rollup::{self, Deltas};

use crate::live::News;
use crate::slo::SloBook;
use crate::{Backend, Result};

/// Deltas folded in one transaction.
const BATCH: i64 = 50_000;

impl Backend {
    /// Folds the deltas of every bucket whose lease this instance holds or can take. Gives how many were folded.
    ///
    /// # Errors
    /// The database.
    pub async fn fold_all(&self) -> Result<i64> {
        let mut folded = 0;
        for bucket in self.0.settings.bucket_numbers() {
            if !self.holds(&format!("fold/{bucket}")).await? {
                continue;
            }
            let mut connection = self.0.pool.acquire().await?;
            loop {
                let moved = rollup::fold(&mut connection, bucket, BATCH).await?;
                folded += moved;
                if moved < BATCH {
                    break;
                }
            }
            drop(connection);
            while self.fold_red(bucket).await? {}
        }
        gauge!("slowburn_waiting_records").set(self.0.ingest.waiting_records() as f64);
        self.tell_news();
        counter!("slowburn_deltas_folded_total").increment(folded.cast_unsigned());
        Ok(folded)
    }

    /// Folds some of a bucket's RED deltas. Gives whether there may be more to do.
    async fn fold_red(&self, bucket: i16) -> Result<bool> {
        let mut tx = self.0.pool.begin().await?;
        red::lock_fold(&mut tx, bucket).await?;
        let backfills = backfill::from_red(&mut tx, bucket).await?;
        let book = self.book();
        if backfills.iter().any(|known| known.since_version > book.version()) {
            // Not while a connection is held: handing new SLIs to the lanes waits for flushes, which may wait for one.
            drop(tx);
            self.reload_book().await?;
            return Ok(true);
        }
        let gate = backfills.iter().filter(|known| !known.is_done).map(|known| known.since_version).min();
        let moved = red::fold(&mut tx, bucket, gate, BATCH).await?;
        rollup::append(&mut tx, bucket, &late(&moved, &backfills, &book)).await?;
        let mut more = moved.len() as i64 == BATCH;
        if let Some(gate) = gate.filter(|_| !more) {
            for waiting in backfills.iter().filter(|known| !known.is_done && known.since_version == gate) {
                self.count_from_red(&mut tx, bucket, *waiting, &book).await?;
            }
            more = true;
        }
        tx.commit().await?;
        Ok(more)
    }

    async fn count_from_red(&self, connection: &mut sqlx::PgConnection, bucket: i16, waiting: RedBackfill, book: &SloBook) -> Result<()> {
        // An SLI that is gone again, or was changed since, is not counted.
        if let Some((total, good)) = book.filters(waiting.sli_id) {
            let operations: Vec<_> = red::operations(connection, bucket)
                .await?
                .into_iter()
                .filter(|operation| total.matches(operation))
                .map(|operation| {
                    let is_good = good.matches(&operation);
                    (operation, is_good)
                })
                .collect();
            let counts = red::counts(connection, bucket, &operations).await?;
            let deltas: Deltas = counts.into_iter().map(|(minute, counts)| ((waiting.sli_id, minute), counts)).collect();
            tracing::info!(sli_id = waiting.sli_id, bucket, minutes = deltas.len(), "past counted from the RED rollup");
            rollup::append(connection, bucket, &deltas).await?;
        }
        backfill::red_is_done(connection, bucket, waiting.sli_id).await?;
        Ok(())
    }

    fn tell_news(&self) {
        let at = self.0.clock.now();
        let stored = self.0.ingest.take_stored();
        if stored > 0 {
            self.0.live.tell(News::Arrived { at, spans: stored });
        }
        // SLO pages are read anew every five seconds whether or not something came: silence changes them too.
        if at.seconds() % 5 == 0 {
            self.0.live.tell(News::Evaluated { at });
        }
    }
}

/// What SLIs with a counted past still have to count of deltas that were just folded.
fn late(moved: &[Moved], backfills: &[RedBackfill], book: &SloBook) -> Deltas {
    let mut deltas = Deltas::new();
    for known in backfills.iter().filter(|known| known.is_done) {
        let Some((total, good)) = book.filters(known.sli_id) else { continue };
        for Moved { key, sli_version, count } in moved {
            if *sli_version < known.since_version && total.matches(key) {
                let counts: &mut Counts = deltas.entry((known.sli_id, key.minute)).or_default();
                counts.total += count;
                counts.good += if good.matches(key) { *count } else { 0 };
            }
        }
    }
    deltas
}
