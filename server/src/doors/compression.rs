//! Zstandard for pages and answers. All of them are complete before their first byte, so each is compressed at once, by a window
//! no larger than it needs and with tables that are there already: encoders that cannot know how much will come clear
//! megabytes for every page. Who does not read zstd gets brotli or gzip by the layer within, from which what is asked for
//! here is hidden.

use std::cell::RefCell;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use zstd::bulk::Compressor;

/// How hard is tried. Pages become smaller than by brotli's level 2.
const LEVEL: i32 = 3;
/// Shorter answers are sent as they are.
const LEAST_BYTES: usize = 256;
/// Longer answers are compressed where they keep no other request waiting.
const LONG_BYTES: usize = 1 << 20;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// The middleware. What is encoded already, has no end or is no text is passed on.
pub async fn compress(mut request: Request, next: Next) -> Response {
    if !accepts_zstd(request.headers()) {
        return next.run(request).await;
    }
    request.headers_mut().remove(ACCEPT_ENCODING);
    let response = next.run(request).await;
    if !is_worth_it(&response) {
        return response;
    }
    match compressed(response).await {
        Ok(response) => response,
        Err(fault) => {
            tracing::error!(error = &*fault, "an answer ended early");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn compressed(response: Response) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let (mut parts, body) = response.into_parts();
    let plain = axum::body::to_bytes(body, usize::MAX).await?;
    if !parts.headers.get_all(VARY).iter().any(|value| value == ACCEPT_ENCODING.as_str()) {
        parts.headers.append(VARY, HeaderValue::from(ACCEPT_ENCODING));
    }
    if plain.len() < LEAST_BYTES {
        return Ok(Response::from_parts(parts, Body::from(plain)));
    }
    let packed = if plain.len() < LONG_BYTES { pack(&plain)? } else { tokio::task::spawn_blocking(move || pack(&plain)).await?? };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    Ok(Response::from_parts(parts, Body::from(packed)))
}

fn pack(plain: &[u8]) -> std::io::Result<Bytes> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut compressor = kept.take().map_or_else(|| Compressor::new(LEVEL), Ok)?;
        let packed = compressor.compress(plain)?;
        *kept = Some(compressor);
        Ok(Bytes::from(packed))
    })
}

/// Whether `zstd` is among the encodings, and not refused by a weight of zero.
fn accepts_zstd(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.map(|coding| coding.split_once(';').unwrap_or((coding, ""))).any(|(name, weight)| {
        let weight = weight.trim().to_ascii_lowercase();
        let weight = weight.strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("zstd") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content.split(';').next().unwrap_or_default().trim();
    let is_text = matches!(kind, "text/html" | "text/plain" | "application/json" | "application/problem+json" | "application/yaml");
    is_text
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && response.body().size_hint().upper().is_none_or(|most| most >= LEAST_BYTES as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(value: &str) -> bool {
        accepts_zstd(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(value).expect("a header"))]))
    }

    #[test]
    fn zstd_is_sent_to_who_reads_it() {
        for value in ["zstd", "gzip, deflate, br, zstd", "gzip;q=0.5,ZSTD;q=0.1", "zstd ; q=1.0", "zstd, identity;q=0"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["", "br", "gzip", "identity", "zstd;q=0", "zstd; Q=0.0", "zstd;q=much", "zstandard", "*"] {
            assert!(!accepts(value), "{value}");
        }
    }

    #[test]
    fn whatever_its_length_a_text_comes_out_as_it_went_in() {
        for length in [0, 1, LEAST_BYTES, 65_535, 65_536, 65_537, LONG_BYTES, 5 << 20] {
            let plain: Vec<u8> = (0..length).flat_map(|index: usize| index.to_string().into_bytes()).take(length).collect();
            let packed = pack(&plain).expect("it is compressed");
            assert!(zstd::decode_all(&packed[..]).expect("it is zstd") == plain, "{length} bytes");
            assert!(length < 65_535 || packed.len() < length / 2, "{length} bytes became {}", packed.len());
        }
    }
}
