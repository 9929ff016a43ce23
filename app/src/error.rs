//! What a page can fail with, safe to show: the kind, words for people, faults of fields. The text of an internal error
//! stays in the server's log.

use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use slowburn_domain::query::FieldFault;

use crate::codec::JsonText;

/// Kinds of failure that a page treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The input is wrong.
    Invalid,
    /// Somebody else changed it first.
    Conflict,
    /// Trying again helps.
    Unavailable,
    /// The server did not answer, or with something else.
    Network,
    /// A fault of ours.
    Internal,
}

impl ErrorKind {
    /// Status of a page that shows this failure.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Invalid => 400,
            Self::Conflict => 409,
            Self::Unavailable => 503,
            Self::Network | Self::Internal => 500,
        }
    }
}

/// Why a page, or a part of it, cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    /// What a caller can act on.
    pub kind: ErrorKind,
    /// One sentence for people.
    pub message: String,
    /// Which fields are wrong, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FieldFault>,
    /// What may have been meant instead, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
}

impl AppError {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), faults: Vec::new(), near: Vec::new() }
    }

    /// There is no `what` called `name`.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("There is no {what} “{name}”."))
    }

    /// A fault of ours, without its cause.
    pub fn internal() -> Self {
        Self::new(ErrorKind::Internal, "Slowburn failed to answer. The cause is in the server's log.")
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonText;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::new(ErrorKind::Network, "The server cannot be reached."),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Self::new(ErrorKind::Invalid, "The server did not understand this request.")
            }
            ServerFnErrorErr::Deserialization(_) => {
                Self::new(ErrorKind::Network, "The server answered something else; it may have been updated. Reload the page.")
            }
            _ => Self::internal(),
        }
    }
}

#[cfg(feature = "ssr")]
impl From<slowburn_backend::Error> for AppError {
    fn from(error: slowburn_backend::Error) -> Self {
        use slowburn_backend::Error;

        match error {
            Error::NotFound { kind, name } => Self::not_found(kind, &name),
            Error::UnknownId { id, near, searched_minutes } => {
                let back = slowburn_domain::number::long_duration(f64::from(searched_minutes) * 60.0);
                let message = format!("Searched for “{id}”: every stored event, and every trace and log line of the last {back}.");
                Self { near, ..Self::new(ErrorKind::NotFound, message) }
            }
            Error::Invalid(faults) => Self { faults, ..Self::new(ErrorKind::Invalid, "Some of what was asked for is not understood.") },
            Error::Conflict(reason) => Self::new(ErrorKind::Conflict, reason),
            Error::Unavailable(reason) => Self::new(ErrorKind::Unavailable, format!("Not available at the moment: {reason}.")),
            Error::Internal(cause) => {
                tracing::error!(error = &*cause as &(dyn std::error::Error + 'static), "a page could not be read");
                Self::internal()
            }
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use slowburn_backend::Error;

    use super::*;

    #[test]
    fn a_failure_says_what_kind_it_is_and_nothing_of_its_cause() {
        for (error, status, message) in [
            (Error::NotFound { kind: "SLO", name: "a".to_owned() }, 404, "There is no SLO “a”."),
            (Error::Invalid(vec![FieldFault::new("filter", "unknown name")]), 400, "Some of what was asked for is not understood."),
            (Error::Conflict("changed meanwhile".to_owned()), 409, "changed meanwhile"),
            (Error::Unavailable("the database is away"), 503, "Not available at the moment: the database is away."),
            (Error::Internal("password=hunter2".into()), 500, "Slowburn failed to answer. The cause is in the server's log."),
        ] {
            let shown = AppError::from(error);
            assert_eq!((shown.kind.status(), shown.message.as_str()), (status, message));
        }
    }

    #[test]
    fn an_error_survives_its_way_to_the_browser() {
        let error = AppError { faults: vec![FieldFault::new("from", "expected a time")], ..AppError::new(ErrorKind::Invalid, "no") };
        assert_eq!(AppError::de(error.ser()), error);
    }
}
