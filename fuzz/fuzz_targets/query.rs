//! The query string of a search, and a path's segment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::{decode_segment, encode};

/// 2026-11-21T12:00:30Z.
const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);

fuzz_target!(|raw: &str| {
    let (query, _) = TraceQuery::parse(raw);
    for bound in [query.from, query.to].into_iter().flatten() {
        let _ = bound.at(NOON);
    }
    assert_eq!(TraceQuery::parse(&query.to_query_string()), (query, Vec::new()));
    assert_eq!(decode_segment(&encode(raw)), raw);
    let _ = decode_segment(raw);
});
