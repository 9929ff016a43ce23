//! Connecting and migrating.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres};

use crate::{Error, MIGRATIONS, Result};

/// A pool that connects when first used. Sessions have `jit` off (planning many small partitions with it costs tens of
/// milliseconds), UTC, and a statement timeout, so that nothing waits for ever.
pub fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_mins(5))
        .test_before_acquire(true)
        .connect_lazy_with(session(options))
}

fn session(options: PgConnectOptions) -> PgConnectOptions {
    options
        .application_name("slowburn")
        .options([
            ("client_min_messages", "warning"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("statement_timeout", "30000"),
            ("idle_in_transaction_session_timeout", "60000"),
        ])
        .disable_statement_logging()
}

/// Brings the schema up to date. Instances that start together take turns: sqlx holds a lock while it migrates.
///
/// # Errors
/// A schema newer than this binary is refused; so is one that was migrated differently.
pub async fn migrate(options: &PgConnectOptions) -> Result<()> {
    let mut connection = PgConnection::connect_with(&session(options.clone())).await?;
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    let has_table: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut connection).await?;
    if has_table {
        let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(Error::SchemaNewer { found, known });
        }
    }
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Asks the database for a sign of life.
///
/// # Errors
/// None came.
pub async fn ping(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT 1").execute(connection).await?;
    Ok(())
}

/// Makes a transaction see one state of the database from its first statement on, and write nothing.
///
/// # Errors
/// The database.
pub async fn make_snapshot(transaction: &mut PgConnection) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(transaction).await?;
    Ok(())
}

/// The rows of a query over all partitions for which there is one way to go whatever its parameters are, by a plan that the session keeps.
/// PostgreSQL would plan it anew each time, because it guesses ten elements for every array in a kept plan and finds that dear; planning
/// over the partitions of thirty days takes three times as long as running. Holds in a transaction; outside of one PostgreSQL plans as it
/// likes, and warns.
///
/// # Errors
/// The database.
pub(crate) async fn fetch_by_kept_plan(transaction: &mut PgConnection, query: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>> {
    sqlx::raw_sql("SET LOCAL plan_cache_mode = force_generic_plan").execute(&mut *transaction).await?;
    let rows = query.fetch_all(&mut *transaction).await?;
    sqlx::raw_sql("SET LOCAL plan_cache_mode = auto").execute(transaction).await?;
    Ok(rows)
}

/// Makes a transaction see one state of the database from its first statement on, and fail as a conflict when what it changes was
/// changed meanwhile by another one.
///
/// # Errors
/// The database.
pub async fn make_repeatable(transaction: &mut PgConnection) -> Result<()> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(transaction).await?;
    Ok(())
}

/// Makes a database if there is none of that name.
///
/// # Errors
/// The database; `name` is an identifier of ours, never text from outside.
pub async fn create_if_missing(connection: &mut PgConnection, name: &'static str) -> Result<()> {
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)").bind(name).fetch_one(&mut *connection).await?;
    if !exists {
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(connection).await?;
    }
    Ok(())
}
