//! A8: what is stored of spans may be a sample; what is counted is all of them.

use slowburn_backend::ingest::SamplingRule;
use slowburn_backend::settings::Settings;
use slowburn_domain::id::TraceId;
use slowburn_domain::slo::Counts;
use slowburn_domain::span::Status;
use slowburn_domain::trace_view::TraceView;
use slowburn_test_support::{SpanBuilder, body, int, texts};
use sqlx::PgPool;

use crate::{NOON, Scene, ratio};

/// Traces of a request; one in fifty of them fails.
const TRACES: u64 = 1_000;
const REQUESTS: u64 = 6;
const FAILED: u64 = REQUESTS * TRACES / 50;

fn sampled() -> Settings {
    let sampling = SamplingRule::DEFAULTS.iter().map(|rule| rule.parse::<SamplingRule>().expect("sound")).collect();
    Settings { sampling, ..Settings::default() }
}

/// A request of traces of two spans each. `sse` has streams answered.
fn request(number: u64, sse: bool) -> Vec<u8> {
    let spans = (0..TRACES).flat_map(|index| {
        let trace = u128::from(number * TRACES + index + 1);
        let content_type = if sse { "text/event-stream; charset=utf-8" } else { "application/json" };
        let root = SpanBuilder::new(trace, 1, NOON)
            .with(int("size", (index % 9).cast_signed()))
            .with(texts("http.response.header.content-type", &[content_type]));
        let child = SpanBuilder::new(trace, 2, NOON).parent(1).named("charge").with(int("size", -1));
        [if index.is_multiple_of(50) { root.failed() } else { root }.build(), child.build()]
    });
    body("checkout", spans.collect())
}

/// An objective over an attribute, so that its past comes from segments.
fn roots(name: &str) -> String {
    ratio(name, "attributes.size >= 0", "status != \"error\"")
}

async fn counts(scene: &Scene, name: &str) -> Counts {
    scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation.counts
}

/// Traces that are stored, and those of them that failed.
async fn stored(pool: &PgPool) -> (i64, i64) {
    let all = sqlx::query_scalar("SELECT count(DISTINCT trace_id) FROM trace_index").fetch_one(pool).await.expect("counted");
    let failed = sqlx::query_scalar("SELECT count(DISTINCT trace_id) FROM trace_index WHERE errors > 0");
    (all, failed.fetch_one(pool).await.expect("counted"))
}

/// Whether so many of `of` are what independent choices of one in `one_in` give, within five standard deviations.
fn is_share(kept: u64, of: u64, one_in: u64) -> bool {
    let expected = of as f64 / one_in as f64;
    (kept as f64 - expected).abs() < 5.0 * expected.sqrt()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a8_slos_and_rates_count_all_though_a_sample_is_stored(pool: PgPool) {
    let scene = Scene::with(pool.clone(), sampled()).await;
    scene.apply(&roots("early")).await;
    for number in 0..REQUESTS {
        let body = request(number, false);
        let accepted = scene.send(body.clone()).await.expect("accepted");
        assert_eq!((accepted.accepted, accepted.rejected), (2 * TRACES, 0), "what is counted is accepted");
        scene.send(body).await.expect("known");
    }
    let all = REQUESTS * TRACES;
    let exact = Counts { good: all - FAILED, total: all };
    assert_eq!(counts(&scene, "early").await, exact);
    let (kept, failed) = stored(&pool).await;
    assert_eq!(failed.cast_unsigned(), FAILED, "no error is left out");
    assert!(is_share(kept.cast_unsigned() - FAILED, all - FAILED, 10), "{kept} of {all}");

    let services = scene.backend.services(NOON.plus_seconds(-600), NOON.plus_seconds(600)).await.expect("services");
    assert_eq!(services.iter().map(|service| service.red.count).collect::<Vec<_>>(), [2 * all], "rates count all");

    // What is counted from what is stored is right in the mean, before and after merging.
    scene.apply(&roots("late")).await;
    scene.clock.advance_seconds(3_600);
    assert!(scene.backend.merge_all().await.expect("merged") > 0);
    for _ in 0..3 {
        scene.backend.fold_all().await.expect("folded");
        scene.backend.backfill_all().await.expect("counted");
    }
    assert_eq!(counts(&scene, "early").await, exact, "merging changes no count");
    let late = counts(&scene, "late").await;
    assert_eq!(late.total - late.good, FAILED, "errors are exact");
    assert_eq!(late.good, 10 * (kept.cast_unsigned() - FAILED), "a kept trace stands for ten");

    // Whoever reads it is told, for as long as its window holds such counts.
    let estimated_to = async |name: &str| {
        let now = scene.clock.now();
        let told = scene.backend.slo_page(name, None, None, now).await.expect("known").estimated_to;
        let known = scene.backend.slo(name, now).await.expect("known");
        assert_eq!(scene.backend.estimated_to(&known.slo, now).await.expect("read"), told);
        told
    };
    assert_eq!(estimated_to("early").await, None, "counted at the door");
    assert_eq!(estimated_to("late").await, Some(NOON.plus_seconds(30)), "the minute of the spans is over then");
    scene.clock.advance_seconds(7 * 86_400);
    assert_eq!(estimated_to("late").await, None);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a8_streams_are_kept_more_rarely_and_a_late_error_leaves_a_partial_trace(pool: PgPool) {
    let scene = Scene::with(pool.clone(), sampled()).await;
    for number in 0..REQUESTS {
        scene.send(request(number, true)).await.expect("accepted");
    }
    let all = REQUESTS * TRACES;
    let (kept, _) = stored(&pool).await;
    assert!(is_share(kept.cast_unsigned() - FAILED, all - FAILED, 100), "{kept} of {all}");

    let mut lost = 2_u128;
    while scene.backend.trace(trace_id(lost)).await.is_ok() {
        lost += 1;
    }
    let late = SpanBuilder::new(lost, 3, NOON).parent(1).named("settle").failed().build();
    scene.send(body("ledger", vec![late])).await.expect("accepted");
    let partial = scene.backend.trace(trace_id(lost)).await.expect("the error is there");
    let spans: Vec<_> = partial.spans.iter().map(|span| (span.source.service.as_str(), span.status, span.weight)).collect();
    assert_eq!(spans, [("ledger", Status::Error, 1)], "without what was left out before");
    let told = async |number| scene.backend.trace_page(trace_id(number), &TraceView::default(), NOON).await.expect("known").sampling;
    assert!(told(lost).await.starts_with("Spans of it are missing."));
    let failed = 51;
    assert_eq!(told(failed).await, "", "nothing of it was left out");
    let mut kept = 2_u128;
    while scene.backend.trace(trace_id(kept)).await.is_err() || kept % 50 == 1 || kept == lost {
        kept += 1;
    }
    assert!(told(kept).await.starts_with("Sampled: it stands for 100 traces of its kind"));
}

fn trace_id(number: u128) -> TraceId {
    TraceId::from_bytes(&number.to_be_bytes()).expect("not zero")
}
