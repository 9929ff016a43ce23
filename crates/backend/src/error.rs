//! What a use case can fail with: kinds that a caller can act on. The text of an internal cause stays on this side.

use slowburn_domain::query::FieldFault;

/// Outcome of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("no {kind} named {name:?}")]
    NotFound {
        /// What was looked for, for example `SLO`.
        kind: &'static str,
        /// The name or id asked for.
        name: String,
    },
    /// Nothing has this correlation ID.
    #[error("nothing has the correlation ID {id:?}")]
    UnknownId {
        /// The ID asked for.
        id: String,
        /// IDs that resemble it, nearest first.
        near: Vec<String>,
        /// How far back traces and log lines are stored, minutes.
        searched_minutes: u32,
    },
    /// The input was understood and is wrong.
    #[error("invalid input")]
    Invalid(Vec<FieldFault>),
    /// Somebody else changed it first.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Too much work is waiting, or the database is away; trying again helps.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
    /// A fault of ours. The cause is for the log alone.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<slowburn_storage::Error> for Error {
    fn from(fault: slowburn_storage::Error) -> Self {
        if fault.is_conflict() {
            Self::Conflict("it was changed meanwhile by somebody else".to_owned())
        } else if fault.is_transient() {
            tracing::warn!(error = %crate::ingest::chain(&fault), "database away");
            Self::Unavailable("the database is away; try again in a moment")
        } else {
            Self::Internal(Box::new(fault))
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(fault: sqlx::Error) -> Self {
        slowburn_storage::Error::from(fault).into()
    }
}

impl Error {
    /// Whether somebody else changed it first.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// A single field's fault.
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault::new(field, reason)])
    }
}
