//! What every HTTP request passes: a correlation ID for log and answer, the refusal of foreign pages and of URLs that name
//! nothing, and headers that keep browsers careful.
//!
//! Loopback is reachable from any page that a browser shows, so a request must name a host of ours (against DNS
//! rebinding), and a browser must not have been sent by a foreign page, except to look at one (a followed link).

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use metrics::{counter, histogram};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::api::problem::Problem;

const CORRELATION: &str = "x-correlation-id";
const LONGEST_CORRELATION: usize = 128;

/// The correlation ID of a request, for those behind the guard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Hosts by which this server may be called.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// Loopback's names and those configured.
    pub fn new(configured: &[String]) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        Self(loopback.into_iter().chain(configured.iter().map(|host| host.to_ascii_lowercase())).collect())
    }

    fn knows(&self, authority: &str) -> bool {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|known| *known == host || *known == "*")
    }
}

/// Why a request is foreign, if it is.
fn foreign(hosts: &Hosts, method: &Method, headers: &HeaderMap, authority: Option<&str>) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).or(authority);
    if !host.is_some_and(|host| hosts.knows(host)) {
        return Some("this server is not known by the host name of the request; add it to `hosts`");
    }
    let looks = matches!(*method, Method::GET | Method::HEAD);
    if let Some(origin) = headers.get(ORIGIN) {
        let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, authority)| hosts.knows(authority));
        if !own {
            return Some("the request comes from a foreign origin");
        }
    }
    match text("sec-fetch-site") {
        Some("cross-site" | "same-site") if !(looks && text("sec-fetch-mode") == Some("navigate")) => {
            Some("the request was sent by a foreign page")
        }
        _ => None,
    }
}

/// PostgreSQL keeps no NUL in texts, so nothing stored can be meant by one.
fn holds_nul(uri: &Uri) -> bool {
    uri.path_and_query().is_some_and(|text| text.as_str().contains("%00"))
}

/// The middleware.
pub async fn guard(State(hosts): State<Hosts>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let correlation = correlation(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<axum::extract::MatchedPath>().map_or_else(|| "page".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        correlation_id = %correlation,
        http.request.method = %method,
        url.path = %request.uri().path(),
    );
    request.extensions_mut().insert(RequestId(correlation.clone()));
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let refusal = foreign(&hosts, &method, request.headers(), authority.as_deref())
        .map(|reason| (StatusCode::FORBIDDEN, reason))
        .or_else(|| holds_nul(request.uri()).then_some((StatusCode::BAD_REQUEST, "the URL holds a NUL character")));
    let mut response = async {
        let response = match refusal {
            Some((status, reason)) => Problem::new(status, reason).into_response(),
            None => next.run(request).await,
        };
        let status = response.status().as_u16();
        if status >= 500 {
            tracing::warn!(http.response.status_code = status, duration_ms = began.elapsed().as_secs_f64() * 1e3, "request failed");
        } else {
            tracing::debug!(http.response.status_code = status, duration_ms = began.elapsed().as_secs_f64() * 1e3, "request");
        }
        response
    }
    .instrument(span)
    .await;
    counter!("slowburn_http_requests_total", "route" => route.clone(), "method" => method.to_string(), "status" => response.status().as_u16().to_string())
        .increment(1);
    histogram!("slowburn_http_request_duration_seconds", "route" => route).record(began.elapsed().as_secs_f64());
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&correlation) {
        headers.insert(CORRELATION, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// The caller's correlation ID, if it sent a sound one, or a new one.
fn correlation(headers: &HeaderMap) -> String {
    ["x-correlation-id", "x-request-id"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find(|id| !id.is_empty() && id.len() <= LONGEST_CORRELATION && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().expect("a header"))).collect()
    }

    #[test]
    fn foreign_hosts_origins_and_pages_are_refused_and_links_may_be_followed() {
        let hosts = Hosts::new(&["slo.example.org".to_owned()]);
        let verdict = |method: Method, pairs: &[(&'static str, &str)]| foreign(&hosts, &method, &headers(pairs), None).is_none();
        assert!(verdict(Method::GET, &[("host", "127.0.0.1:3000")]));
        assert!(verdict(Method::GET, &[("host", "[::1]:3000")]));
        assert!(verdict(Method::POST, &[("host", "SLO.example.org")]));
        assert!(!verdict(Method::GET, &[("host", "evil.example")]));
        assert!(!verdict(Method::GET, &[("host", "127.0.0.1.evil.example")]));
        assert!(!verdict(Method::GET, &[]));
        assert!(!verdict(Method::POST, &[("host", "localhost:3000"), ("origin", "https://evil.example")]));
        assert!(!verdict(Method::POST, &[("host", "localhost:3000"), ("origin", "null")]));
        assert!(verdict(
            Method::POST,
            &[("host", "localhost:3000"), ("origin", "http://localhost:3000"), ("sec-fetch-site", "same-origin")]
        ));
        assert!(!verdict(Method::GET, &[("host", "localhost:3000"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(verdict(Method::GET, &[("host", "localhost:3000"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(!verdict(Method::POST, &[("host", "localhost:3000"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
    }
}
