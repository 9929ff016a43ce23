//! Requests from anywhere: whatever comes, it is decoded or refused, within bounds; and both forms of a request mean the
//! same.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::Span;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body, hostile, to_json};

use super::decode::{Decoded, Decoder};
use super::payload::{Compression, Format, Payload};
use super::records::Records;
use super::{Refusal, redaction, wire};
use crate::settings::Settings;

/// 2026-11-21T12:00:30Z.
const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);

fn decoder(request_bytes: usize) -> Decoder {
    Decoder::new(&Settings { request_bytes, ..Settings::default() })
}

fn decode(message: &[u8], format: Format) -> Result<Decoded, Refusal> {
    let limit = 1 << 20;
    let decoded = decoder(limit).decode(message, Telemetry::Spans, format, NOON);
    if let Ok(decoded) = &decoded {
        assert!(decoded.cost <= limit && decoded.cost >= message.len(), "{}", decoded.cost);
        assert_eq!(decoded.rejected == 0, decoded.reason.is_empty(), "{}", decoded.reason);
    }
    decoded
}

fn spans(decoded: &Decoded) -> &[Span] {
    let Records::Spans(spans) = &decoded.records else { panic!("spans") };
    spans
}

/// As many cases as `PROPTEST_CASES` asks for; 256 unless it does.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes, Format::Protobuf);
        let _ = decode(&bytes, Format::Json);
        for compression in [Compression::Identity, Compression::Gzip, Compression::Zstd] {
            let payload = Payload { bytes: Bytes::from(bytes.clone()), compression, format: Format::Protobuf };
            if let Ok(message) = payload.decompress(1 << 16) {
                prop_assert!(message.len() <= 1 << 16);
            }
        }
    }

    #[test]
    fn a_damaged_message_is_decoded_or_refused(bytes in hostile::damaged_protobuf(NOON)) {
        let _ = decode(&bytes, Format::Protobuf);
    }

    #[test]
    fn a_damaged_text_is_decoded_or_refused(bytes in hostile::damaged_json(NOON)) {
        let _ = decode(&bytes, Format::Json);
    }

    #[test]
    fn any_json_is_decoded_or_refused(value in hostile::json(NOON)) {
        let _ = decode(value.to_string().as_bytes(), Format::Json);
    }

    #[test]
    fn both_forms_of_a_request_mean_the_same(request in hostile::otlp_request(NOON)) {
        let binary = decode(&request.encode_to_vec(), Format::Protobuf).expect("it is OTLP");
        let json = decode(to_json(&request).to_string().as_bytes(), Format::Json).expect("it is OTLP");
        prop_assert_eq!(&binary.records, &json.records);
        prop_assert_eq!((binary.rejected, binary.redacted), (json.rejected, json.redacted));
        // The same faults, each with the names of its form.
        prop_assert_eq!(binary.reason.replace('_', "").to_lowercase(), json.reason.replace('_', "").to_lowercase());
    }

    #[test]
    fn correlation_values_are_read_without_panic(value in hostile::baggage(), key in hostile::text()) {
        for key in ["correlation_id", "http.request.header.baggage", key.as_str()] {
            let span = SpanBuilder::new(1, 1, NOON).with(slowburn_test_support::text(key, &value)).build();
            let decoded = decode(&body("checkout", vec![span]), Format::Protobuf).expect("it is OTLP");
            let id = spans(&decoded)[0].correlation_id.as_deref();
            prop_assert!(id.is_none_or(|id| !id.is_empty()), "{id:?}");
            prop_assert!(key != "correlation_id" || value.trim().is_empty() || id == Some(value.trim()) || id == Some(redaction::REPLACEMENT) || decoded.redacted > 0);
        }
    }
}

/// A message: `content` in field `number`.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut out);
    [out, content.to_vec()].concat()
}

/// Spans of one scope of one resource, each as its bytes.
fn scope_spans(spans: &[u8]) -> Vec<u8> {
    field(1, &field(2, spans))
}

#[test]
fn what_would_swell_beyond_bounds_is_refused_before_it_does() {
    let limit = 64 << 10;
    let fill = |part: &[u8]| part.repeat(50_000 / part.len());
    let good = SpanBuilder::new(1, 1, NOON).build().encode_to_vec();
    let with = |more: &[u8]| scope_spans(&field(2, &[&good[..], more].concat()));
    let attribute = |value: &[u8]| with(&field(9, &field(2, value)));
    let many_scopes = {
        let resource = field(1, &field(1, &[field(1, b"k"), field(2, &field(1, &vec![b'x'; 20_000]))].concat()));
        let scopes = fill(&field(2, &field(2, &good)));
        field(1, &[resource, scopes[..30_000 / (good.len() + 4) * (good.len() + 4)].to_vec()].concat())
    };
    for (name, message) in [
        ("empty spans", scope_spans(&fill(&[0x12, 0]))),
        ("empty attributes", with(&fill(&[0x4a, 0]))),
        ("empty events", with(&fill(&[0x5a, 0]))),
        ("empty links", with(&fill(&[0x6a, 0]))),
        ("a list of nothing", attribute(&field(5, &fill(&[0x0a, 0])))),
        ("a map of nothing", attribute(&field(6, &fill(&[0x0a, 0])))),
        ("a large resource for many scopes", many_scopes),
    ] {
        assert!(message.len() < limit, "{name}: {}", message.len());
        let refused = decoder(limit).decode(&message, Telemetry::Spans, Format::Protobuf, NOON).map(|decoded| decoded.records.len());
        assert_eq!(refused, Err(Refusal::TooHeavy { limit, heaviest: 8 * limit }), "{name}");
    }
    let repeat = |part: &str| [part].repeat(50_000 / (part.len() + 1)).join(",");
    let span = |more: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"x",{more}}}]}}]}}]}}"#);
    for (name, text) in [
        ("empty spans", format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, repeat("{}"))),
        ("empty attributes", span(&format!(r#""attributes":[{}]"#, repeat("{}")))),
        ("objects of which nothing is known", span(&format!(r#""future":[{}]"#, repeat(r#"{"a":0}"#)))),
        ("a list of nothing", span(&format!(r#""attributes":[{{"key":"k","value":{{"arrayValue":{{"values":[{}]}}}}}}]"#, repeat("{}")))),
        ("a resource of nothing", format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":[{}]}}}}]}}"#, repeat("{}"))),
    ] {
        assert!(text.len() < limit, "{name}: {}", text.len());
        let refused = decoder(limit).decode(text.as_bytes(), Telemetry::Spans, Format::Json, NOON).map(|decoded| decoded.records.len());
        assert_eq!(refused, Err(Refusal::TooHeavy { limit, heaviest: 8 * limit }), "{name}");
    }
}

#[test]
fn what_sdks_send_counts_by_its_bytes() {
    let span = |id: u64| {
        let named = |n| slowburn_test_support::text(&format!("http.attribute.{n}"), "a value of usual length");
        (0..10).fold(SpanBuilder::new(1, id, NOON), |span, n| span.with(named(n))).build()
    };
    let request = slowburn_test_support::request("checkout", (1..=100).map(span).collect());
    let (binary, json) = (request.encode_to_vec(), to_json(&request).to_string().into_bytes());
    for (message, format) in [(binary, Format::Protobuf), (json, Format::Json)] {
        // A request as large as requests may be.
        let decoded = decoder(message.len()).decode(&message, Telemetry::Spans, format, NOON).expect("sound");
        assert_eq!((decoded.records.len(), decoded.cost), (100, message.len()), "{format:?}");
    }
    assert!(wire::weight(wire::Shape::Span, &span(1).encode_to_vec()) > span(1).encoded_len());
}
