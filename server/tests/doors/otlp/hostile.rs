//! Bodies that are too large, that swell, or that are not what they say: refused as a whole, with a code that is not
//! repeated, and nothing of them stored.

use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message as _;
use slowburn_backend::settings::Settings;
use slowburn_test_support::{SpanBuilder, request, text};
use sqlx::PgPool;

use super::{Outcome, WIRES, Wire, export, found, gzip, one_span, zstd};
use crate::app::{App, ago};

/// A request that is exactly so many bytes long on `wire`.
fn sized(wire: Wire, trace: u128, length: usize) -> Vec<u8> {
    let padded = |padding: usize| {
        let span = SpanBuilder::new(trace, 1, ago(2)).with(text("note", &"x".repeat(padding))).build();
        wire.message(&request("checkout", vec![span]))
    };
    // The lengths of the messages around the text grow with it, by a few bytes.
    let mut padding = length - padded(0).len();
    while padded(padding).len() > length {
        padding -= 1;
    }
    let message = padded(padding);
    assert_eq!(message.len(), length, "{wire:?}");
    message
}

#[sqlx::test(migrations = "../migrations")]
async fn the_limit_holds_before_and_after_decompression(pool: PgPool) {
    let limit = 65_536;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    let too_large = Outcome::TooLarge(format!("the request is larger than {limit} bytes after decompression"));
    let mut trace = 0;
    for wire in WIRES {
        for (encoding, pack) in [("", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("gzip", gzip), ("zstd", zstd)] {
            trace += 1;
            assert_eq!(export(&app, wire, encoding, pack(&sized(wire, trace, limit))).await, Outcome::Stored, "{wire:?} {encoding}");
            assert_eq!(export(&app, wire, encoding, pack(&sized(wire, 1 << 100, limit + 1))).await, too_large, "{wire:?} {encoding}");
            assert_eq!(export(&app, wire, encoding, pack(&vec![b' '; 64 << 20])).await, too_large, "a bomb: {wire:?} {encoding}");
        }
    }
    assert_eq!(found(&app).await.len() as u128, trace);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_default_limit_is_64_mebibytes(pool: PgPool) {
    let app = App::new(pool).await;
    let limit = 64 << 20;
    assert_eq!(export(&app, Wire::Protobuf, "", sized(Wire::Protobuf, 1, limit)).await, Outcome::Stored);
    assert_eq!(export(&app, Wire::Grpc, "zstd", zstd(&sized(Wire::Grpc, 2, limit))).await, Outcome::Stored);
    for (wire, encoding, message) in [
        (Wire::Json, "gzip", gzip(&sized(Wire::Json, 3, limit + 1))),
        (Wire::Grpc, "", sized(Wire::Grpc, 3, limit + 1)),
        (Wire::Protobuf, "", sized(Wire::Protobuf, 3, limit + 1)),
    ] {
        assert!(matches!(export(&app, wire, encoding, message).await, Outcome::TooLarge(_)), "{wire:?}");
    }
    assert_eq!(found(&app).await, [1, 2]);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_packed_as_it_says_is_malformed(pool: PgPool) {
    let app = App::new(pool).await;
    for wire in WIRES {
        let message = wire.message(&one_span(1));
        let (packed, frame) = (gzip(&message), zstd(&message));
        let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
        let mut wrong_sum = packed.clone();
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 1;
        for (name, encoding, body) in [
            ("not packed", "gzip", message.clone()),
            ("not packed", "zstd", message.clone()),
            ("nothing", "gzip", Vec::new()),
            ("zstd that says gzip", "gzip", frame.clone()),
            ("gzip that says zstd", "zstd", packed.clone()),
            ("gzip cut off", "gzip", half(&packed)),
            ("gzip without its sum", "gzip", packed[..packed.len() - 8].to_vec()),
            ("gzip with a wrong sum", "gzip", wrong_sum),
            ("zstd cut off", "zstd", half(&frame)),
            ("something behind gzip", "gzip", [&packed[..], b"and more"].concat()),
            ("something behind zstd", "zstd", [&frame[..], b"and more"].concat()),
            ("half of a second member", "gzip", [packed.clone(), half(&packed)].concat()),
            ("packed twice", "gzip", gzip(&packed)),
            ("packed and not said", "", packed.clone()),
        ] {
            let outcome = export(&app, wire, encoding, body).await;
            assert!(matches!(outcome, Outcome::Malformed(_)), "{name}: {wire:?}: {outcome:?}");
        }
    }
    assert_eq!(found(&app).await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn members_that_follow_each_other_are_one_message(pool: PgPool) {
    let app = App::new(pool.clone()).await;
    for (number, wire) in (1..).zip(WIRES) {
        let message = wire.message(&one_span(number));
        let (head, tail) = message.split_at(9);
        let gzipped = [gzip(head), gzip(b""), gzip(tail)].concat();
        assert_eq!(export(&app, wire, "gzip", gzipped).await, Outcome::Stored, "{wire:?}");
        // The same message, packed otherwise, is the same request.
        assert_eq!(export(&app, wire, "zstd", [zstd(head), zstd(tail)].concat()).await, Outcome::Stored, "{wire:?}");
        assert_eq!(found(&app).await.len() as u128, number, "{wire:?}");
    }
    // Many members that unpack to little each still unpack to no more than the limit.
    let small = App::with(pool, Settings { request_bytes: 4_096, ..Settings::default() }).await;
    let members = gzip(&[b' '; 64]).repeat(100);
    assert!(members.len() < 4_096 && matches!(export(&small, Wire::Json, "gzip", members).await, Outcome::TooLarge(_)));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_would_swell_in_memory_is_refused_over_every_wire(pool: PgPool) {
    let limit = 65_536;
    let app = App::with(pool, Settings { request_bytes: limit, ..Settings::default() }).await;
    for wire in WIRES {
        // Records of nothing: two or three bytes each on the wire, a hundred in memory.
        let message = if wire == Wire::Json {
            let events = vec!["{}"; 20_000].join(",");
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"events":[{events}]}}]}}]}}]}}"#).into_bytes()
        } else {
            let mut request = one_span(1);
            request.resource_spans[0].scope_spans[0].spans[0].events = vec![Event::default(); 20_000];
            wire.message(&request)
        };
        assert!(message.len() <= limit, "{wire:?}: {}", message.len());
        for (encoding, pack) in [("", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("gzip", gzip)] {
            let outcome = export(&app, wire, encoding, pack(&message)).await;
            let Outcome::TooLarge(reason) = &outcome else { panic!("{wire:?} {encoding}: {outcome:?}") };
            assert!(reason.contains("524288 bytes of memory"), "{reason}");
        }
    }
    assert_eq!(found(&app).await, [] as [u128; 0]);
    assert_eq!(export(&app, Wire::Protobuf, "", one_span(1).encode_to_vec()).await, Outcome::Stored, "the next one is welcome");
}
