//! What is in a request: what is taken as it is, what is refused by name, and that neighbours of the refused are kept.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;
use slowburn_test_support::{SpanBuilder, int, request, resource_spans};
use sqlx::PgPool;

use super::{Outcome, WIRES, Wire, export, found, gzip, one_span, span, zstd};
use crate::app::{App, ago};

fn edited(trace: u128, edit: impl FnOnce(&mut Span)) -> ExportTraceServiceRequest {
    let mut span = span(trace);
    edit(&mut span);
    request("checkout", vec![span])
}

fn nanos(seconds_ago: i64) -> u64 {
    ago(seconds_ago).nanos().cast_unsigned()
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_sound_is_stored_over_every_wire(pool: PgPool) {
    let app = App::new(pool).await;
    let many: Vec<KeyValue> = (0..10_000).map(|n| int(&format!("k{n}"), n)).collect();
    let rows: Vec<(&str, ExportTraceServiceRequest)> = vec![
        ("nothing", ExportTraceServiceRequest::default()),
        ("an empty resource", ExportTraceServiceRequest { resource_spans: vec![ResourceSpans::default()] }),
        (
            "an empty scope",
            ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans { scope_spans: vec![ScopeSpans::default(); 2], ..ResourceSpans::default() }],
            },
        ),
        ("a span", one_span(1)),
        (
            "several resources",
            ExportTraceServiceRequest { resource_spans: vec![resource_spans("a", vec![span(2)]), resource_spans("b", vec![span(3)])] },
        ),
        (
            "no resource",
            ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource: None, ..resource_spans("", vec![span(4)]) }] },
        ),
        ("no length", edited(5, |span| span.end_time_unix_nano = span.start_time_unix_nano)),
        ("an end before the start", edited(6, |span| span.end_time_unix_nano = span.start_time_unix_nano - 1)),
        ("nearly too old", edited(7, |span| (span.start_time_unix_nano, span.end_time_unix_nano) = (1, nanos(35 * 86_400 - 60)))),
        ("nearly too far ahead", edited(8, |span| span.end_time_unix_nano = nanos(-590))),
        (
            "a kind and a status of a later version",
            edited(9, |span| {
                span.kind = 99;
                span.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 99, message: String::new() });
            }),
        ),
        ("a parent of zeroes, as some SDKs write it at the root", edited(10, |span| span.parent_span_id = vec![0; 8])),
        ("ten thousand attributes", edited(11, |span| span.attributes = many)),
        ("lists in lists", edited(12, |span| span.attributes = vec![nested(30)])),
        ("no name", edited(13, |span| span.name = String::new())),
        ("the same span twice", request("checkout", vec![span(14), span(14)])),
    ];
    let mut numbers: u128 = 0;
    for (w, wire) in WIRES.into_iter().enumerate() {
        for (name, request) in &rows {
            // Each wire sends traces of its own, so that no request is a retry of another's.
            let mut request = request.clone();
            for span in request.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans).flat_map(|s| &mut s.spans) {
                span.trace_id[0] = w as u8 + 1;
            }
            for (encoding, pack) in [("", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("gzip", gzip), ("zstd", zstd)] {
                assert_eq!(
                    export(&app, wire, encoding, pack(&wire.message(&request))).await,
                    Outcome::Stored,
                    "{name}: {wire:?} {encoding}"
                );
            }
        }
        numbers += 1;
        assert_eq!(found(&app).await.len() as u128, 14 * numbers, "{wire:?}");
    }
    for wire in 1..=3_u128 {
        let trace = async |number: u128| app.get(&format!("/api/v1/traces/{:032x}", wire << 120 | number)).await.json();
        let shown = async |number: u128| trace(number).await["spans"][0].clone();
        assert_eq!(trace(14).await["spans"].as_array().map(Vec::len), Some(1), "shown once");
        assert_eq!(shown(4).await["service"], "unknown_service");
        assert_eq!(shown(6).await["duration_ms"], 0.0);
        assert_eq!((&shown(9).await["kind"], &shown(9).await["status"]), (&json!("unspecified"), &json!("unset")));
        assert_eq!(shown(10).await["parent_span_id"], json!(null));
        let attributes = shown(11).await["attributes"].clone();
        assert_eq!((attributes.as_object().map(serde_json::Map::len), &attributes["k9999"]), (Some(10_000), &json!(9_999)));
        let mut value = shown(12).await["attributes"]["deep"].clone();
        for _ in 0..30 {
            value = value[0].clone();
        }
        assert_eq!(value, "bottom");
    }
}

/// An attribute: a list in a list in a list, so many deep.
fn nested(depth: usize) -> KeyValue {
    let bottom = AnyValue { value: Some(any_value::Value::StringValue("bottom".to_owned())) };
    let value =
        (0..depth).fold(bottom, |inner, _| AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values: vec![inner] })) });
    KeyValue { key: "deep".to_owned(), value: Some(value), ..KeyValue::default() }
}

/// What is wrong with a span, how it came to be so, the field that is named and words of the reason.
type Bad = (&'static str, fn(&mut Span), &'static str, &'static str);

const BAD: [Bad; 15] = [
    ("no trace id", |span| span.trace_id.clear(), "trace_id", "expected 32 hex digits"),
    ("a short trace id", |span| span.trace_id.truncate(8), "trace_id", "expected 32 hex digits"),
    ("a long trace id", |span| span.trace_id.push(1), "trace_id", "expected 32 hex digits"),
    ("a trace id of zeroes", |span| span.trace_id.fill(0), "trace_id", "all zeroes"),
    ("no span id", |span| span.span_id.clear(), "span_id", "expected 16 hex digits"),
    ("a short span id", |span| span.span_id.truncate(7), "span_id", "expected 16 hex digits"),
    ("a long span id", |span| span.span_id.extend([0; 8]), "span_id", "expected 16 hex digits"),
    ("a span id of zeroes", |span| span.span_id.fill(0), "span_id", "all zeroes"),
    ("a short parent id", |span| span.parent_span_id = vec![1; 4], "parent_span_id", "expected 16 hex digits"),
    ("no start", |span| span.start_time_unix_nano = 0, "start_time_unix_nano", "missing or out of range"),
    ("no end", |span| span.end_time_unix_nano = 0, "end_time_unix_nano", "missing or out of range"),
    ("a start after the end of time", |span| span.start_time_unix_nano = u64::MAX, "start_time_unix_nano", "missing or out of range"),
    ("an end after the end of time", |span| span.end_time_unix_nano = 1 << 63, "end_time_unix_nano", "missing or out of range"),
    (
        "too old",
        |span| {
            span.start_time_unix_nano = nanos(36 * 86_400);
            span.end_time_unix_nano = nanos(35 * 86_400 + 60);
        },
        "end_time_unix_nano",
        "more than 35 days ago",
    ),
    ("from the future", |span| span.end_time_unix_nano = nanos(-660), "end_time_unix_nano", "more than 10 minutes ahead"),
];

#[sqlx::test(migrations = "../migrations")]
async fn a_bad_span_is_refused_by_name_and_its_neighbours_are_kept(pool: PgPool) {
    let app = App::new(pool).await;
    let mut kept = Vec::new();
    for wire in WIRES {
        for (name, spoil, field, words) in BAD {
            let neighbour = kept.len() as u128 + 1;
            let (mut bad, good) = (span(1 << 100), span(neighbour));
            spoil(&mut bad);
            let groups = vec![resource_spans("a", Vec::new()), resource_spans("checkout", vec![good, bad])];
            let outcome = export(&app, wire, "", wire.message(&ExportTraceServiceRequest { resource_spans: groups })).await;
            let Outcome::Partly(1, reason) = &outcome else { panic!("{name}: {wire:?}: {outcome:?}") };
            let path = format!("resource_spans[1].scope_spans[0].spans[1].{field}: ");
            let path = if wire == Wire::Json { camel_case(&path) } else { path };
            assert!(reason.starts_with(&path) && reason.contains(words), "{name}: {wire:?}: {reason}");
            kept.push(neighbour);
            assert_eq!(found(&app).await, kept, "{name}: {wire:?}");
        }
    }
}

fn camel_case(path: &str) -> String {
    let mut words = path.split('_');
    let first = words.next().expect("at least one").to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

#[sqlx::test(migrations = "../migrations")]
async fn many_bad_spans_are_counted_and_the_first_are_named(pool: PgPool) {
    let app = App::new(pool).await;
    for (w, wire) in WIRES.into_iter().enumerate() {
        let mut spans = vec![SpanBuilder::new(0, 1, ago(2)).build(); 20];
        spans.push(span(w as u128 + 1));
        let outcome = export(&app, wire, "", wire.message(&request("checkout", spans))).await;
        let Outcome::Partly(20, reason) = &outcome else { panic!("{wire:?}: {outcome:?}") };
        assert!(reason.contains("spans[4]") && !reason.contains("spans[5]") && reason.ends_with("20 records in all"), "{reason}");
        assert_eq!(found(&app).await.len(), w + 1);
    }
    // Where every span is bad, the request is still no failure: there is nothing in it to try again.
    for wire in WIRES {
        let outcome = export(&app, wire, "", wire.message(&request("checkout", vec![SpanBuilder::new(0, 1, ago(2)).build()]))).await;
        assert!(matches!(outcome, Outcome::Partly(1, _)), "{wire:?}: {outcome:?}");
    }
}

/// Replaces bytes of a message by others of the same length.
fn replaced(message: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = message.windows(from.len()).position(|window| window == from).expect("it is in there");
    [&message[..at], to, &message[at + from.len()..]].concat()
}

#[sqlx::test(migrations = "../migrations")]
async fn what_protobuf_cannot_decode_costs_no_more_than_its_span(pool: PgPool) {
    let app = App::new(pool).await;
    let mut number = 0;
    for wire in [Wire::Protobuf, Wire::Grpc] {
        let mut row = async |name: &str, spoil: &dyn Fn(&[u8]) -> Vec<u8>, path: &str, words: &str| {
            number += 1;
            let mut broken = span(1 << 100);
            broken.name = "BROKEN".to_owned();
            let other = resource_spans("UNSOUND", vec![broken]);
            let groups = vec![resource_spans("checkout", vec![span(number)]), other];
            let message = spoil(&ExportTraceServiceRequest { resource_spans: groups }.encode_to_vec());
            let outcome = export(&app, wire, "", message).await;
            let Outcome::Partly(1, reason) = &outcome else { panic!("{name}: {wire:?}: {outcome:?}") };
            assert!(reason.starts_with(path) && reason.contains(words), "{name}: {reason}");
            assert_eq!(found(&app).await.len() as u128, number, "{name}: {wire:?}");
        };
        let text = |message: &[u8]| replaced(message, b"BROKEN", b"BR\xff\xfeEN");
        row("a name that is not UTF-8", &text, "resource_spans[1].scope_spans[0].spans[0]", "UTF-8").await;
        let resource = |message: &[u8]| replaced(message, b"UNSOUND", b"UNS\xc3UND");
        row("a resource that is not UTF-8", &resource, "resource_spans[1].resource", "UTF-8").await;
        // Field 5, the name, becomes a number of the same field.
        let kind = |message: &[u8]| replaced(message, b"\x2a\x06BROKEN", b"\x28\x01\x28\x01\x28\x01\x28\x01");
        row("a field of another type", &kind, "resource_spans[1].scope_spans[0].spans[0]", "wire type").await;
    }
    // Written by hand: what writes messages would use up its stack.
    let deep = (0..5_000).fold(field(1, b"bottom".to_vec()), |inner, _| field(5, field(1, inner)));
    let deep = [span(1 << 100).encode_to_vec(), field(9, field(2, deep))].concat();
    let spans = [field(2, span(100).encode_to_vec()), field(2, deep)].concat();
    for wire in [Wire::Protobuf, Wire::Grpc] {
        let outcome = export(&app, wire, "", field(1, field(2, spans.clone()))).await;
        let Outcome::Partly(1, reason) = &outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("spans[1]") && reason.contains("recursion"), "{reason}");
    }
    assert!(found(&app).await.contains(&100));
}

/// A field of a message: a message, text or bytes.
fn field(number: u8, content: Vec<u8>) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut out);
    [out, content].concat()
}

#[sqlx::test(migrations = "../migrations")]
async fn fields_of_a_later_version_are_passed_over(pool: PgPool) {
    let app = App::new(pool).await;
    // Field 4000: a varint, 64 bits, bytes, 32 bits.
    let unknown = b"\x80\xfa\x01\x07\x81\xfa\x01\x01\x02\x03\x04\x05\x06\x07\x08\x82\xfa\x01\x02hi\x85\xfa\x01\x01\x02\x03\x04";
    let with = |part: Vec<u8>| [part, unknown.to_vec()].concat();
    for (number, wire) in [(1, Wire::Protobuf), (2, Wire::Grpc)] {
        let resource = with(resource_spans("checkout", Vec::new()).resource.expect("built with one").encode_to_vec());
        let spans = with(field(2, with(span(number).encode_to_vec())));
        let message = with(field(1, with([field(1, resource), field(2, spans)].concat())));
        assert_eq!(export(&app, wire, "", message).await, Outcome::Stored, "{wire:?}");
        assert_eq!(app.find("service=checkout").await.len() as u128, number);
    }
}
