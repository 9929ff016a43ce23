//! News for open pages, as server-sent events: `evaluated` and `arrived`. They say that asking again is worth it.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt as _};
use slowburn_backend::Backend;
use slowburn_backend::live::News;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::CancellationToken;

/// `GET /api/v1/live`.
#[utoipa::path(get, path = "/api/v1/live", responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn live(
    State(backend): State<Backend>,
    State(closing): State<CancellationToken>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = BroadcastStream::new(backend.live().listen()).map(|news| {
        Ok(match news {
            Ok(News::Evaluated { at }) => Event::default().event("evaluated").data(format!("{{\"at\":\"{at}\"}}")),
            Ok(News::Arrived { at, spans }) => Event::default().event("arrived").data(format!("{{\"at\":\"{at}\",\"spans\":{spans}}}")),
            Err(BroadcastStreamRecvError::Lagged(skipped)) => Event::default().event("skipped").data(format!("{{\"events\":{skipped}}}")),
        })
    });
    Sse::new(news.take_until(closing.cancelled_owned())).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
