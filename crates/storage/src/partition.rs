//! Arrival slots: partitions made ahead of time and dropped whole.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::Result;

/// Tables that are partitioned by arrival.
const TABLES: [&str; 4] = ["segments", "trace_index", "correlation_index", "bad_index"];

/// Smaller segments go to the open part of their slot.
pub const SEALED_FROM_RECORDS: usize = 2_048;

/// Makes the partitions of the slot that begins at `slot` (UTC minute), where missing.
///
/// # Errors
/// The database.
pub async fn create_slot(connection: &mut PgConnection, slot: i32) -> Result<()> {
    for table in TABLES {
        for (part, name) in [(0, "open"), (1, "sealed")] {
            // Numbers and constants only: nothing from outside reaches this text.
            let statement = format!(
                "CREATE TABLE IF NOT EXISTS {table}_{slot}_{name} PARTITION OF {table} FOR VALUES FROM ({slot}, {part}) TO ({slot}, {})",
                part + 1
            );
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Slots that have partitions, oldest first.
///
/// # Errors
/// The database.
pub async fn slots(connection: &mut PgConnection) -> Result<Vec<i32>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT split_part(c.relname, '_', 2)::int
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'segments'::regclass ORDER BY 1",
    )
    .fetch_all(connection)
    .await?)
}

/// Drops every partition of the slot, and the request keys that came with it.
///
/// # Errors
/// The database; a reader that holds the table longer than the lock timeout makes this fail, and the next round tries again.
pub async fn drop_slot(connection: &mut PgConnection, slot: i32) -> Result<()> {
    sqlx::query("SET LOCAL lock_timeout = '2s'").execute(&mut *connection).await?;
    for table in TABLES {
        for name in ["open", "sealed"] {
            sqlx::query(AssertSqlSafe(format!("DROP TABLE IF EXISTS {table}_{slot}_{name}"))).execute(&mut *connection).await?;
        }
    }
    sqlx::query("DELETE FROM request_keys WHERE slot <= $1").bind(slot).execute(connection).await?;
    Ok(())
}
