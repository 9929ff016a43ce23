//! Answers of the REST API that several readers get: those who ask the same at the same time share one, as pages share
//! theirs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, Method, StatusCode};
use slowburn_backend::turns::Turns;

const API: &str = "/api/v1/";
/// It never ends, so it is never complete.
const ENDLESS: &str = "/api/v1/live";

/// Questions to the API that are being answered.
pub type ApiTurns = Arc<Turns<Arc<Complete>>>;

/// An answer, whole.
#[derive(Debug)]
pub struct Complete {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl From<&Complete> for Response {
    fn from(complete: &Complete) -> Self {
        let mut response = Self::new(Body::from(complete.body.clone()));
        *response.status_mut() = complete.status;
        *response.headers_mut() = complete.headers.clone();
        response
    }
}

/// The middleware. Faults of the server are not shared: the log tells of them under the ID of each request.
pub async fn share(State(turns): State<ApiTurns>, request: Request, next: Next) -> Response {
    match question(&request) {
        Some(question) => turns.ask(question, complete(request, next)).await.map_or_else(|fault| fault, |complete| (&*complete).into()),
        None => next.run(request).await,
    }
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

async fn complete(request: Request, next: Next) -> Result<Arc<Complete>, Response> {
    let response = next.run(request).await;
    if response.status().is_server_error() {
        return Err(response);
    }
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => Ok(Arc::new(Complete { status: parts.status, headers: parts.headers, body })),
        Err(fault) => {
            tracing::error!(error = %fault, "an answer ended early");
            Err(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}
