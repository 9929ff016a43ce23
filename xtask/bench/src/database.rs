//! What the server's own cluster tells about itself, asked through its socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

/// Longest wait for the background work of a phase.
const SETTLE_LIMIT: Duration = Duration::from_mins(2);

/// Longest wait for merges.
const MERGE_LIMIT: Duration = Duration::from_mins(3);

/// Rows deleted and not vacuumed yet, in all tables, that are nothing unusual.
const MOST_DEAD: i64 = 60_000;

/// Sizes in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    /// The whole database.
    pub(crate) database: i64,
    /// Each table with its indexes and its partitions.
    pub(crate) tables: BTreeMap<String, i64>,
    /// Written to the write-ahead log since the cluster was made.
    pub(crate) wal: i64,
}

impl Sizes {
    /// Growth since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let table = |name: &String| before.tables.get(name).copied().unwrap_or(0);
        Self {
            database: self.database - before.database,
            tables: self.tables.iter().map(|(name, size)| (name.clone(), size - table(name))).collect(),
            wal: self.wal - before.wal,
        }
    }
}

/// Connects to a database of the cluster whose data folder this is, as its owner.
pub(crate) async fn connect(data: &Path, database: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass().socket(data).port(5432).username("slowburn").database(database);
    PgConnection::connect_with(&options).await.with_context(|| format!("database {database}"))
}

pub(crate) async fn version(connection: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar("SHOW server_version").fetch_one(connection).await?)
}

pub(crate) async fn checkpoint(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("CHECKPOINT").execute(connection).await?;
    Ok(())
}

/// Waits until the server is at rest: the folders have caught up, nothing was merged for three rounds of merging, and
/// PostgreSQL has vacuumed what a month of history in a few seconds left behind.
pub(crate) async fn merged(connection: &mut PgConnection) -> Result<()> {
    settled(connection).await?;
    let begun = Instant::now();
    let (mut last, mut still) = (-1, 0);
    while still < 16 {
        ensure!(begun.elapsed() < 2 * SETTLE_LIMIT, "after {} s it still merges or vacuums", 2 * SETTLE_LIMIT.as_secs());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (merged, dead): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM segments WHERE part = 1), (SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables)",
        )
        .fetch_one(&mut *connection)
        .await?;
        still = if merged == last && dead < MOST_DEAD { still + 1 } else { 0 };
        last = merged;
    }
    Ok(())
}

/// Waits until less than a tenth of the records is left in small segments. Gives how many lie in large ones, and how many
/// are left.
pub(crate) async fn few_waiting(connection: &mut PgConnection) -> Result<(i64, i64)> {
    let begun = Instant::now();
    loop {
        let (sealed, waiting): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(records) FILTER (WHERE part = 1), 0)::bigint, coalesce(sum(records) FILTER (WHERE part = 0), 0)::bigint FROM segments",
        )
        .fetch_one(&mut *connection)
        .await?;
        if waiting * 10 < sealed {
            return Ok((sealed, waiting));
        }
        ensure!(begun.elapsed() < MERGE_LIMIT, "after {} s {waiting} records still wait to be merged", MERGE_LIMIT.as_secs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Bytes of all sealed partitions, with their indexes.
pub(crate) async fn sealed_bytes(connection: &mut PgConnection) -> Result<i64> {
    checkpoint(connection).await?;
    Ok(sqlx::query_scalar(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\\_sealed'",
    )
    .fetch_one(connection)
    .await?)
}

/// Waits until the folders have caught up: nearly no counts wait to be added to the minutes.
pub(crate) async fn settled(connection: &mut PgConnection) -> Result<()> {
    let begun = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM rollup_delta) + (SELECT count(*) FROM red_delta)")
            .fetch_one(&mut *connection)
            .await?;
        if waiting < 2_000 {
            return Ok(());
        }
        ensure!(begun.elapsed() < SETTLE_LIMIT, "after {} s, {waiting} counts still wait to be folded", SETTLE_LIMIT.as_secs());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Sizes after a checkpoint.
pub(crate) async fn sizes(connection: &mut PgConnection) -> Result<Sizes> {
    // Before the checkpoint: its full-page images belong to what comes next.
    let wal: i64 = sqlx::query_scalar("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").fetch_one(&mut *connection).await?;
    checkpoint(connection).await?;
    let database = sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut *connection).await?;
    let tables: Vec<(String, i64)> = sqlx::query_as(
        "SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text, sum(pg_total_relation_size(c.oid))::bigint
         FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1",
    )
    .fetch_all(connection)
    .await?;
    Ok(Sizes { database, tables: tables.into_iter().collect(), wal })
}
