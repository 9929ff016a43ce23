//! Sources of type `prometheus`: two queries, and the DataSource that says where they are answered. What cannot be measured is kept
//! all the same, with a warning that says what is missing.

use std::sync::Arc;

use super::IndicatorSource;
use super::fields::{Fields, Report};
use super::library::{member, text};
use super::yaml::Node;
use crate::prometheus::{Connection, CounterQuery, Counters, Credentials};

/// The `metricSource.type`, compared without case.
const TYPE: &str = "prometheus";
const NO_DATA_SOURCE: &str = "the SLO is kept and shown as unmeasured until it says where this Prometheus is: name a DataSource of type prometheus by metricSourceRef, with its address as connectionDetails.url";
/// A secret that was left out of an export.
const REFERENCE: &str = "${";

pub(super) fn is_prometheus(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(TYPE)
}

/// One side of a ratio.
pub(super) struct Side {
    kind: String,
    /// `None` when it cannot be measured; then there was a warning.
    query: Option<CounterQuery>,
    connection: Result<Connection, Missing>,
}

/// What is missing to connect: a path and a reason.
pub(super) struct Missing(String, String);

/// The DataSource that a `metricSource` refers to.
pub(super) struct DataSource<'c> {
    pub(super) name: &'c str,
    pub(super) details: Option<&'c Node>,
}

/// Reads a `metricSource`.
pub(super) fn read_side(mut source: Fields<'_>, kind: &str, data_source: Option<&DataSource<'_>>, report: &mut Report) -> Side {
    let connection = match data_source {
        None => Err(Missing(source.path("type"), NO_DATA_SOURCE.to_owned())),
        Some(DataSource { name, details }) => connection(name, *details).map_err(|(key, reason)| {
            let reason = format!("connectionDetails.{key} of DataSource {name}: {reason}; the SLO is kept and shown as unmeasured");
            Missing(source.path("metricSourceRef"), reason)
        }),
    };
    let path = format!("{}.query", source.path("spec"));
    let query = match source.map("spec", report) {
        Some(mut spec) => spec.text("query", report).map(CounterQuery::parse),
        None => None,
    };
    let query = query.unwrap_or_else(|| Err("is required".to_owned()));
    let query = query.map_err(|reason| report.warn(&path, format!("{reason}. The SLO is kept and shown as unmeasured"))).ok();
    Side { kind: kind.to_owned(), query, connection }
}

/// The indicator that two sides make; `None` when they do not belong together.
pub(super) fn join(total: Side, part: Side, is_good: bool, report: &mut Report) -> Option<IndicatorSource> {
    let kind = total.kind;
    let source = match (total.connection, part.connection) {
        (Ok(source), Ok(other)) if source == other => source,
        (Ok(_), Ok(_)) => return None,
        (Err(Missing(path, reason)), _) | (Ok(_), Err(Missing(path, reason))) => {
            report.warn(&path, reason);
            return Some(IndicatorSource::Unknown { kind });
        }
    };
    Some(match (total.query, part.query) {
        (Some(total), Some(part)) => IndicatorSource::Prometheus(Arc::new(Counters { source, total, part, is_good })),
        _ => IndicatorSource::Unknown { kind },
    })
}

/// Warns of what is missing in the `connectionDetails` of a DataSource to connect with it.
pub(super) fn check_details(details: Option<&Node>, path: &str, report: &mut Report) {
    if let Err((key, reason)) = connection("", details) {
        report.warn(&format!("{path}.{key}"), format!("{reason}; SLOs that refer to it are unmeasured"));
    }
}

/// What `connectionDetails` of a DataSource say; or the key at fault and the reason.
fn connection(name: &str, details: Option<&Node>) -> Result<Connection, (&'static str, &'static str)> {
    let secret = |key: &'static str| match details.and_then(|details| member(details, key)) {
        None | Some(Node::Null) => Ok(None),
        Some(Node::Text(text)) if text.starts_with(REFERENCE) => Err((key, "holds a reference in place of the secret itself")),
        Some(Node::Text(text)) => Ok(Some(text.clone())),
        Some(Node::Int(number)) => Ok(Some(number.to_string())),
        Some(_) => Err((key, "expected text")),
    };
    let url = details.and_then(|details| text(details, "url")).ok_or(("url", "is required to measure anything"))?;
    let token = if let Some(token) = secret("bearerToken")? { Some(token) } else { secret("token")? };
    let (username, password) = (secret("username")?, secret("password")?);
    let credentials = match (&token, &username, &password) {
        (None, None, None) => Credentials::None,
        (Some(token), None, None) => Credentials::Token(token),
        (None, Some(username), Some(password)) => Credentials::Password { username, password },
        _ => return Err(("password", "a source wants either bearerToken, or username and password")),
    };
    Connection::new(name, url, credentials).map_err(|reason| ("url", reason))
}
