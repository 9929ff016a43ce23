//! Answers of the REST API that several readers get: those who ask the same at the same time share one, as pages share
//! theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, Method, StatusCode};
use slowburn_backend::turns::Turns;

use super::guard::RequestId;

const API: &str = "/api/v1/";
/// It never ends, so it is never complete.
const ENDLESS: &str = "/api/v1/live";

/// Questions to the API that are being answered.
pub type ApiTurns = Arc<Turns<Arc<Complete>>>;

/// An answer, whole.
#[derive(Debug)]
pub struct Complete {
    /// The request that it was found for.
    found_for: RequestId,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The middleware.
pub async fn share(State(turns): State<ApiTurns>, request: Request, next: Next) -> Response {
    let Some(question) = question(&request) else { return next.run(request).await };
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let complete = turns.ask(question, complete(id.clone(), request, next)).await;
    if complete.status.is_server_error() && complete.found_for != id {
        tracing::warn!(found_for.correlation_id = complete.found_for.0, "shares the failure of another request");
    }
    let mut response = Response::new(Body::from(complete.body.clone()));
    *response.status_mut() = complete.status;
    *response.headers_mut() = complete.headers.clone();
    response
}

/// All that an answer depends on; `None` for what changes something or is no answer of the API.
fn question(request: &Request) -> Option<String> {
    let path = request.uri().path();
    let is_shared = *request.method() == Method::GET && path.starts_with(API) && path != ENDLESS;
    is_shared.then(|| {
        let encodings = request.headers().get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
        encodings.fold(request.uri().to_string(), |question, encoding| format!("{question}\n{encoding}"))
    })
}

async fn complete(found_for: RequestId, request: Request, next: Next) -> Arc<Complete> {
    let (parts, body) = next.run(request).await.into_parts();
    Arc::new(match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => Complete { found_for, status: parts.status, headers: parts.headers, body },
        Err(fault) => {
            tracing::error!(error = %fault, "an answer ended early");
            Complete { found_for, status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), body: Bytes::new() }
        }
    })
}
