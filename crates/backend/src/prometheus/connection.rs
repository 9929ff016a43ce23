//! Where a Prometheus is, and what it wants to see of us.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};

/// The longest address, bytes.
const MAX_URL: usize = 2_048;

/// A Prometheus, as a DataSource names it. Its credentials print as `Sensitive`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Name of the DataSource.
    pub name: String,
    /// Where it answers queries.
    pub(super) query: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

/// What proves who asks.
#[derive(Clone, Copy)]
pub(crate) enum Credentials<'a> {
    None,
    Token(&'a str),
    Password { username: &'a str, password: &'a str },
}

impl Connection {
    /// A Prometheus at `url`, which may have a path.
    ///
    /// # Errors
    /// What is wrong with the address or the credentials, without their text.
    pub(crate) fn new(name: &str, url: &str, credentials: Credentials<'_>) -> Result<Self, &'static str> {
        const FORM: &str = "an address has the form http://prometheus.example.org:9090, with a path if need be";
        if url.len() > MAX_URL || url.contains(['?', '#']) {
            return Err(FORM);
        }
        let base: Uri = url.trim_end_matches('/').parse().map_err(|_| FORM)?;
        let authority = base.authority().filter(|authority| !authority.host().is_empty()).ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("credentials do not belong into the address: username and password, or token, are for them");
        }
        if !matches!(base.scheme_str(), Some("http" | "https")) {
            return Err(FORM);
        }
        let query = format!("{}/api/v1/query", base.to_string().trim_end_matches('/')).parse().map_err(|_| FORM)?;
        let authorization = match credentials {
            Credentials::None => None,
            Credentials::Token(token) => Some(format!("Bearer {token}")),
            Credentials::Password { username, password } => {
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))))
            }
        };
        let authorization = authorization.map(|text| HeaderValue::from_str(&text)).transpose();
        let mut authorization = authorization.map_err(|_| "the token holds characters that no token has")?;
        if let Some(header) = &mut authorization {
            header.set_sensitive(true);
        }
        Ok(Self { name: name.to_owned(), query, authorization })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b2_addresses_are_read_and_credentials_do_not_print() {
        for (url, query) in [
            ("http://localhost:9090", Some("http://localhost:9090/api/v1/query")),
            ("https://mimir.example.org/prometheus/", Some("https://mimir.example.org/prometheus/api/v1/query")),
            ("http://[::1]:9090/", Some("http://[::1]:9090/api/v1/query")),
            ("localhost:9090", None),
            ("ftp://localhost", None),
            ("http://", None),
            ("http://a/?b=c", None),
            ("http://user:hush@a", None),
            ("", None),
        ] {
            let connection = Connection::new("shop", url, Credentials::None);
            assert_eq!(connection.ok().map(|connection| connection.query.to_string()).as_deref(), query, "{url}");
        }
        for credentials in [Credentials::Token("hush"), Credentials::Password { username: "ada", password: "hush" }] {
            let connection = Connection::new("shop", "http://a", credentials).expect("sound");
            assert!(connection.authorization.is_some());
            let printed = format!("{connection:?}");
            assert!(!printed.contains("hush") && !printed.contains("aHVza") && printed.contains("Sensitive"), "{printed}");
        }
        assert!(Connection::new("shop", "http://a", Credentials::Token("a\nb")).is_err());
    }
}
