//! Brotli for pages and answers. All of them are complete before their first byte, so each is compressed at once, by a window
//! no larger than it needs: encoders that cannot know how much will come clear eight megabytes for every page.

use std::io::Write as _;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// How hard is tried, 0 to 11. Level 4 took nearly a third of the time of an SLO's page.
pub(super) const QUALITY: i32 = 2;
/// Smallest and largest window, as powers of two.
const WINDOWS: std::ops::RangeInclusive<u32> = 16..=22;
/// Shorter answers are sent as they are.
const LEAST_BYTES: usize = 256;
/// Bytes that the encoder hands over at once.
const BUFFER: usize = 16 << 10;

/// The middleware. What is encoded already, has no end or is no text is passed on, and so is everything for who does not read
/// brotli.
pub async fn compress(request: Request, next: Next) -> Response {
    let reads_brotli = *request.method() != Method::HEAD && accepts_brotli(request.headers());
    let response = next.run(request).await;
    if !reads_brotli || !is_worth_it(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let plain = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(plain) => plain,
        Err(fault) => {
            tracing::error!(error = %fault, "an answer ended early");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    parts.headers.append(VARY, HeaderValue::from(ACCEPT_ENCODING));
    if plain.len() < LEAST_BYTES {
        return Response::from_parts(parts, Body::from(plain));
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    Response::from_parts(parts, Body::from(compressed(&plain)))
}

fn compressed(plain: &[u8]) -> Bytes {
    let window = plain.len().next_power_of_two().ilog2().clamp(*WINDOWS.start(), *WINDOWS.end());
    let params =
        BrotliEncoderParams { quality: QUALITY, lgwin: window.cast_signed(), size_hint: plain.len(), ..BrotliEncoderParams::default() };
    let mut encoder = CompressorWriter::with_params(Vec::with_capacity(plain.len() / 4), BUFFER, &params);
    // Writing into memory does not fail.
    let _ = encoder.write_all(plain);
    Bytes::from(encoder.into_inner())
}

/// Whether `br` is among the encodings, and not refused by a weight of zero.
fn accepts_brotli(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.map(|coding| coding.split_once(';').unwrap_or((coding, ""))).any(|(name, weight)| {
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("br") && weight.is_ok_and(|weight| weight > 0.0)
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
    use std::io::Read as _;

    use super::*;

    fn accepts(value: &str) -> bool {
        accepts_brotli(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(value).expect("a header"))]))
    }

    #[test]
    fn brotli_is_sent_to_who_reads_it() {
        for value in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5,BR;q=0.1", "br ; q=1.0"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["", "gzip", "identity", "br;q=0", "br; q=0.0", "br;q=much", "brotli", "*"] {
            assert!(!accepts(value), "{value}");
        }
    }

    #[test]
    fn whatever_its_length_a_text_comes_out_as_it_went_in() {
        for length in [0, 1, LEAST_BYTES, 65_535, 65_536, 65_537, 5 << 20] {
            let plain: Vec<u8> = (0..length).flat_map(|index: usize| index.to_string().into_bytes()).take(length).collect();
            let packed = compressed(&plain);
            let mut read = Vec::new();
            brotli::Decompressor::new(&packed[..], 4_096).read_to_end(&mut read).expect("it is brotli");
            assert!(read == plain, "{length} bytes");
            assert!(length < 65_535 || packed.len() < length / 2, "{length} bytes became {}", packed.len());
        }
    }
}
