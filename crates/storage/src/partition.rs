//! Arrival slots: partitions made ahead of time and dropped whole.
//!
//! A slot has an open part for small segments, which are merged into the sealed part ([`crate::merge`]), after which the
//! open part is dropped. What outlives the slot lies in the kept part of a week.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::Result;

/// Tables that are partitioned by arrival. Whoever locks several takes them in this order.
const TABLES: [&str; 6] = ["segments", "trace_index", "correlation_index", "bad_index", "log_index", "metric_series"];

/// Segments with fewer records go to the open part of their slot.
pub const SEALED_FROM_RECORDS: usize = 2_048;

/// Part of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Small segments as flushes wrote them.
    Open = 0,
    /// Large segments, and what was merged.
    Sealed = 1,
    /// What outlives its slot. The slot of this part is a week.
    Kept = 2,
}

impl Part {
    const ALL: [Self; 3] = [Self::Open, Self::Sealed, Self::Kept];

    /// Where a flush of `records` belongs.
    pub const fn of_flush(records: usize) -> Self {
        if records < SEALED_FROM_RECORDS { Self::Open } else { Self::Sealed }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Kept => "kept",
        }
    }

    pub(crate) fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.suffix() == suffix)
    }
}

/// Makes one partition of every table, where missing. `slot` is the UTC minute in which it begins. Call it in a
/// transaction.
///
/// # Errors
/// The database.
pub async fn create(connection: &mut PgConnection, slot: i32, part: Part) -> Result<()> {
    let (name, number) = (part.suffix(), part as i16);
    if exists(connection, slot, part).await? {
        return Ok(());
    }
    // Instances that make the same slot take turns.
    sqlx::query("SELECT pg_advisory_xact_lock(7306)").execute(&mut *connection).await?;
    if exists(connection, slot, part).await? {
        return Ok(());
    }
    for table in TABLES {
        // A table that is younger than the slot.
        if table != TABLES[TABLES.len() - 1] && table_exists(connection, table, slot, part).await? {
            continue;
        }
        // Made apart and attached: that lets readers and writers of the other partitions go on, unlike PARTITION OF.
        // Numbers and constants only: nothing from outside reaches these texts.
        for statement in [
            format!("CREATE TABLE {table}_{slot}_{name} (LIKE {table} INCLUDING ALL)"),
            format!(
                "ALTER TABLE {table} ATTACH PARTITION {table}_{slot}_{name} FOR VALUES FROM ({slot}, {number}) TO ({slot}, {})",
                number + 1
            ),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn exists(connection: &mut PgConnection, slot: i32, part: Part) -> Result<bool> {
    // The last one that is made: with it the others are there. The catalogue itself is asked, because `to_regclass` may
    // remember from before the lock that there was none.
    table_exists(connection, TABLES[TABLES.len() - 1], slot, part).await
}

async fn table_exists(connection: &mut PgConnection, parent: &str, slot: i32, part: Part) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass AND c.relname = $2)",
    )
    .bind(parent)
    .bind(format!("{parent}_{slot}_{}", part.suffix()))
    .fetch_one(connection)
    .await?)
}

/// Makes both parts of the slot that begins at `slot`, where missing.
///
/// # Errors
/// The database.
pub async fn create_slot(connection: &mut PgConnection, slot: i32) -> Result<()> {
    create(connection, slot, Part::Open).await?;
    create(connection, slot, Part::Sealed).await
}

/// Slots that have partitions, oldest first, each with its parts.
///
/// # Errors
/// The database.
pub async fn slots(connection: &mut PgConnection) -> Result<BTreeMap<i32, Vec<Part>>> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'segments'::regclass",
    )
    .fetch_all(connection)
    .await?;
    let mut slots: BTreeMap<i32, Vec<Part>> = BTreeMap::new();
    for name in names {
        let mut words = name.split('_').skip(1);
        if let (Some(Ok(slot)), Some(part)) = (words.next().map(str::parse), words.next().and_then(Part::from_suffix)) {
            slots.entry(slot).or_default().push(part);
        }
    }
    Ok(slots)
}

/// Whether a part of a slot holds no segment.
///
/// # Errors
/// The database.
pub async fn is_empty(connection: &mut PgConnection, slot: i32, part: Part) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM segments WHERE slot = $1 AND part = $2)")
        .bind(slot)
        .bind(part as i16)
        .fetch_one(connection)
        .await?)
}

/// Drops the open part of a slot unless something has come into it again. Gives whether it was dropped.
///
/// # Errors
/// The database; a reader that holds a table longer than the lock timeout makes this fail, and the next round tries again.
pub async fn drop_open(connection: &mut PgConnection, slot: i32) -> Result<bool> {
    lock_timeout(connection).await?;
    sqlx::query(AssertSqlSafe(format!("LOCK TABLE segments_{slot}_open IN ACCESS EXCLUSIVE MODE"))).execute(&mut *connection).await?;
    if !is_empty(connection, slot, Part::Open).await? {
        return Ok(false);
    }
    drop_part(connection, slot, Part::Open).await?;
    Ok(true)
}

/// Drops every partition of the slot, and the request keys that came with it.
///
/// # Errors
/// As for [`drop_open`].
pub async fn drop_slot(connection: &mut PgConnection, slot: i32) -> Result<()> {
    lock_timeout(connection).await?;
    drop_part(connection, slot, Part::Open).await?;
    drop_part(connection, slot, Part::Sealed).await?;
    sqlx::query("DELETE FROM request_keys WHERE slot <= $1").bind(slot).execute(connection).await?;
    Ok(())
}

/// Drops what was kept of a week.
///
/// # Errors
/// As for [`drop_open`].
pub async fn drop_kept(connection: &mut PgConnection, week: i32) -> Result<()> {
    lock_timeout(connection).await?;
    drop_part(connection, week, Part::Kept).await
}

async fn lock_timeout(connection: &mut PgConnection) -> Result<()> {
    // Everybody who comes after waits behind us, so we do not wait long for a reader.
    sqlx::query("SET LOCAL lock_timeout = '300ms'").execute(connection).await?;
    Ok(())
}

async fn drop_part(connection: &mut PgConnection, slot: i32, part: Part) -> Result<()> {
    for table in TABLES {
        let statement = format!("DROP TABLE IF EXISTS {table}_{slot}_{}", part.suffix());
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}
