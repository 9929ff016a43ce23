//! An attribute from which an ID may be read: its key, a line end, its value.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use slowburn_backend::ingest::Format;
use slowburn_backend::ingest::decode::Decoder;
use slowburn_backend::settings::Settings;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body, text};

/// 2026-11-21T12:00:30Z.
const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);
static DECODER: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(&Settings::default()));

fuzz_target!(|pair: &str| {
    let (key, value) = pair.split_once('\n').unwrap_or(("http.request.header.baggage", pair));
    let span = SpanBuilder::new(1, 1, NOON).with(text(key, value)).build();
    let decoded = DECODER.decode(&body("checkout", vec![span]), Format::Protobuf, NOON).expect("sound");
    for id in [&decoded.spans[0].correlation_id, &decoded.spans[0].project_id, &decoded.spans[0].execution_id] {
        assert!(id.as_deref().is_none_or(|id| !id.is_empty()));
    }
});
