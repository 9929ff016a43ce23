//! Query strings and path segments: one codec for server, browser and links, so that an ID with `%41`, `+`, `/` or `ü`
//! comes back as it was. It always works on the raw text of the URL, because whoever decodes twice gets another ID.

use std::fmt::Write as _;

/// Encodes one path segment or one query value: everything but unreserved characters (RFC 3986) is percent-encoded.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = text.get(at + 1..at + 3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                if let Some(byte) = digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                    out.push(byte);
                    at += 3;
                    continue;
                }
                out.push(b'%');
            }
            b'+' if plus_is_space => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Decodes one raw path segment. A `%` that begins no escape stays; bytes that are not UTF-8 become U+FFFD.
pub fn decode_segment(raw: &str) -> String {
    decode(raw, false)
}

/// Splits a raw query string (with or without its `?`) into decoded pairs, as HTML forms write them.
pub fn decode_query(raw: &str) -> Vec<(String, String)> {
    raw.trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key, true), decode(value, true))
        })
        .collect()
}

/// Joins pairs to a query string without `?`; empty values are left out.
pub fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (key, value) in pairs {
        if value.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&encode(key));
        out.push('=');
        out.push_str(&encode(value));
    }
    out
}

/// The path of an SLO's page.
pub fn slo_path(name: &str) -> String {
    format!("/slos/{}", encode(name))
}

/// The page of a service.
pub fn service_path(name: &str) -> String {
    format!("/services/{}", encode(name))
}

/// The path of a trace's page.
pub fn trace_path(trace_id: crate::id::TraceId) -> String {
    format!("/traces/{trace_id}")
}

/// The path of an incident's page.
pub fn incident_path(id: &str) -> String {
    format!("/incidents/{}", encode(id))
}

/// The path of a correlation ID's page. A browser takes `.` and `..` as a segment for a way upwards, however they are
/// encoded; those IDs are shown by the search instead.
pub fn correlation_path(id: &str) -> String {
    if matches!(id, "." | "..") { format!("/traces?correlation_id={id}") } else { format!("/c/{}", encode(id)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_that_are_steps_upwards_are_searched() {
        assert_eq!(correlation_path(".."), "/traces?correlation_id=..");
        assert_eq!(correlation_path("..."), "/c/...");
    }

    #[test]
    fn difficult_ids_survive() {
        for id in ["%41", "a+b", "a/b", "a&b=c", "ü", " ", "%", "100%", "%zz", "日本", "a%2Fb", "?#"] {
            assert_eq!(decode_segment(&encode(id)), id);
            assert_eq!(decode_query(&encode_query([("correlation_id", id)])), [("correlation_id".to_owned(), id.to_owned())]);
        }
    }

    #[test]
    fn forms_write_spaces_as_plus_and_paths_do_not() {
        assert_eq!(decode_query("?q=a+b%2Bc"), [("q".to_owned(), "a b+c".to_owned())]);
        assert_eq!(decode_segment("a+b"), "a+b");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in ".*") {
            prop_assert_eq!(decode_segment(&encode(&text)), text.clone());
        }

        #[test]
        fn any_raw_text_is_read_without_panic(text in ".*") {
            decode_query(&text);
            decode_segment(&text);
        }
    }
}
