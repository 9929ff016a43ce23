//! C4, H11: traces by how long they last, which is known of the whole trace only, whatever came in which request.

use slowburn_domain::query::{Cursor, TraceQuery};
use slowburn_domain::time::Timestamp;
use slowburn_domain::trace::TraceSummary;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene};

const TRACES: u64 = 90;

/// Numbers without a pattern, the same ones each time (SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Traces that differ in the first half of their ids; of one to three spans, each in a request of its own, in no order. Some
/// spans of a trace start together, some traces too.
async fn send(scene: &Scene) {
    let mut spans: Vec<(u64, SpanBuilder)> = Vec::new();
    for trace in 1..=TRACES {
        let id = (u128::from(trace) << 64) | u128::from(mixed(trace));
        let start = NOON.plus_seconds(-1_800 + (mixed(trace) % 600) as i64);
        for span in 0..=mixed(trace + 1_000) % 3 {
            let draw = mixed(trace * 10 + span);
            let later = if draw.is_multiple_of(4) { 0 } else { (draw % 700_000_000) as i64 };
            spans.push((draw, SpanBuilder::new(id, span + 1, start.plus_nanos(later)).lasting_ms(draw % 300)));
        }
    }
    spans.sort_by_key(|(draw, _)| *draw);
    for (_, span) in spans {
        scene.send(body("web", vec![span.build()])).await.expect("accepted");
    }
}

/// Every page of a search one after the other.
async fn pages(scene: &Scene, raw: &str) -> Vec<TraceSummary> {
    let mut found = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let (query, faults) = TraceQuery::parse(raw);
        assert_eq!(faults, []);
        let page = scene.backend.find_traces(&TraceQuery { cursor, ..query }, scene.clock.now()).await.expect("found");
        assert_eq!(page.searched_to, None);
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn h11_traces_that_last_so_long_are_found_each_once_and_in_order(pool: PgPool) {
    let scene = Scene::new(pool).await;
    send(&scene).await;
    let all = pages(&scene, "limit=500").await;
    assert_eq!(all.len(), TRACES as usize);
    let middle = all[all.len() / 2].start;
    let within = |trace: &TraceSummary, from: Timestamp, to: Timestamp| trace.start >= from && trace.start < to;
    for (least, most) in [(0, 10_000), (150, 10_000), (290, 420), (600, 10_000), (5_000, 10_000)] {
        let lasts = format!("min_duration_ms={least}&max_duration_ms={most}");
        let meets = |trace: &&TraceSummary| (f64::from(least)..=f64::from(most)).contains(&trace.duration_ms);
        for (range, from, to) in [
            (String::new(), NOON.plus_seconds(-90_000), NOON),
            (format!("&to={middle}"), NOON.plus_seconds(-90_000), middle),
            (format!("&from={middle}"), middle, NOON),
        ] {
            let wanted: Vec<TraceSummary> = all.iter().filter(meets).filter(|trace| within(trace, from, to)).cloned().collect();
            for limit in [7, 500] {
                let found = pages(&scene, &format!("{lasts}{range}&limit={limit}")).await;
                assert_eq!(found, wanted, "{lasts}{range}, {limit} on a page");
            }
        }
    }
}
