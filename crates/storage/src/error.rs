//! What storage can fail with.

/// Outcome of a storage function.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a storage function failed. A missing row is `None`, not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or could not be reached.
    #[error("database")]
    Database(#[from] sqlx::Error),
    /// The database's schema is newer than this binary.
    #[error("the database was written by a newer version (migration {found}, this binary knows {known}); run that version or a later one")]
    SchemaNewer {
        /// Newest migration found in the database.
        found: i64,
        /// Newest migration this binary has.
        known: i64,
    },
    /// A migration failed.
    #[error("migration")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Stored bytes that cannot be read.
    #[error("corrupt {what} in {table} {id}: {reason}")]
    Corrupt {
        /// Column.
        what: &'static str,
        /// Table.
        table: &'static str,
        /// Which row.
        id: String,
        /// What the reader said.
        reason: String,
    },
    /// What was to be changed is no longer as it was read: somebody else was faster.
    #[error("changed meanwhile by somebody else")]
    ChangedMeanwhile,
    /// A segment could not be written or read.
    #[error("segment")]
    Segment(#[from] parquet::errors::ParquetError),
    /// Columns of a segment do not fit together.
    #[error("segment columns")]
    Columns(#[from] arrow_schema::ArrowError),
}

impl Error {
    /// Whether somebody else changed meanwhile what was to be changed.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::ChangedMeanwhile => true,
            // Serialization failure, deadlock.
            Self::Database(sqlx::Error::Database(fault)) => fault.code().is_some_and(|code| code == "40001" || code == "40P01"),
            _ => false,
        }
    }

    /// Whether a row had no partition to go to.
    pub fn is_missing_partition(&self) -> bool {
        // Check violation: the only checks on the partitioned tables besides are ours, and hold.
        let Self::Database(sqlx::Error::Database(fault)) = self else { return false };
        fault.code().is_some_and(|code| code == "23514") && fault.message().contains("partition")
    }

    /// Whether trying again later may help: the database is away, overloaded or shutting down.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => true,
            Self::Database(sqlx::Error::Database(fault)) => {
                // Connection exceptions, serialization failures and deadlocks, insufficient resources, operator intervention.
                fault.code().is_some_and(|code| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)))
            }
            _ => false,
        }
    }
}
