//! A condition in CEL, compiled, and met by a span or not.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use slowburn_backend::filter::{Filter, Signal};
use slowburn_backend::ingest::Format;
use slowburn_backend::ingest::decode::Decoder;
use slowburn_backend::settings::Settings;
use slowburn_domain::span::Span;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body, int, text, texts};

/// 2026-11-21T12:00:30Z.
const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);
static SPAN: LazyLock<Span> = LazyLock::new(|| {
    let span = SpanBuilder::new(1, 1, NOON).failed().with(text("a", "b")).with(int("n", -1)).with(texts("l", &["a", "b"])).build();
    let decoded = Decoder::new(&Settings::default()).decode(&body("checkout", vec![span]), Format::Protobuf, NOON);
    decoded.expect("sound").spans.remove(0)
});

fuzz_target!(|source: &str| {
    let _ = Filter::compile(source, Signal::Logs);
    if let Ok(filter) = Filter::compile(source, Signal::Spans) {
        let required = filter.requirements();
        if filter.matches(&*SPAN) {
            assert!(required.service.is_none_or(|service| service == "checkout"));
        }
        // What combines filters writes sources that compile again, unless they became too long or too deep.
        let _ = Filter::compile(filter.and(&filter).source(), Signal::Spans);
    }
});
