use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slowburn_domain::id::SpanId;
use slowburn_domain::span::{Kind, Source};
use slowburn_domain::time::Timestamp;

use super::*;

const TRACES: u128 = 20_000;

fn span(trace: u128, span: u64) -> Span {
    // Counted ids, as senders without good randomness have.
    Span {
        trace_id: TraceId::from_bytes(&(trace + 1).to_be_bytes()).expect("not zero"),
        span_id: SpanId::from_bytes(&(span + 1).to_be_bytes()).expect("not zero"),
        parent_span_id: None,
        trace_state: String::new(),
        operation: "GET /feed".to_owned(),
        kind: Kind::Server,
        status: Status::Unset,
        status_message: String::new(),
        start: Timestamp::from_seconds(100),
        end: Timestamp::from_seconds(101),
        attributes: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        source: Arc::new(Source { service: "feed".to_owned(), ..Source::default() }),
        correlation_id: None,
        project_id: None,
        execution_id: None,
        weight: 1,
    }
}

fn answering(trace: u128, content_type: Value) -> Span {
    Span { attributes: vec![("http.response.header.content-type".to_owned(), content_type)], ..span(trace, 0) }
}

fn rules(texts: &[&str]) -> Vec<SamplingRule> {
    texts.iter().map(|text| text.parse().expect("a rule")).collect()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// What is stored of spans, as (trace, weight).
fn stored(rules: &[SamplingRule], spans: &[Span]) -> BTreeMap<TraceId, u32> {
    let spans: Vec<&Span> = spans.iter().collect();
    sample(rules, &spans, &HashSet::new()).into_iter().map(|span| (span.trace_id, span.weight)).collect()
}

#[test]
fn a8_each_class_keeps_its_share_and_weights_give_the_whole_back() {
    let rules = rules(&SamplingRule::DEFAULTS);
    for (content_type, one_in) in [
        (Value::Array(vec![text("text/event-stream; charset=utf-8")]), 100),
        (text("Text/Event-Stream"), 100),
        (text("application/x-ndjson"), 20),
        (text("application/json"), 10),
        (Value::Null, 10),
    ] {
        let spans: Vec<Span> = (0..TRACES).map(|trace| answering(trace, content_type.clone())).collect();
        let kept = stored(&rules, &spans);
        let expected = TRACES as f64 / f64::from(one_in);
        // Five standard deviations of so many independent choices.
        assert!((kept.len() as f64 - expected).abs() < 5.0 * expected.sqrt(), "{content_type:?}: {} of {TRACES}", kept.len());
        assert!(kept.values().all(|weight| *weight == one_in), "{content_type:?}");
    }
}

#[test]
fn a8_what_a_stricter_rule_keeps_a_milder_one_keeps_too() {
    let spans: Vec<Span> = (0..TRACES).map(|trace| span(trace, 0)).collect();
    let kept = |share: &str| stored(&rules(&[share]), &spans).into_keys().collect::<BTreeSet<_>>();
    let (strict, middle, mild, all) = (kept("1/100"), kept("1/20"), kept("1/10"), kept("1/1"));
    assert!(!strict.is_empty() && strict.is_subset(&middle) && middle.is_subset(&mild) && mild.len() < all.len());
    assert_eq!(all.len() as u128, TRACES);
}

#[test]
fn a8_errors_and_bad_events_are_kept_with_all_of_their_trace_that_is_there() {
    let rules = rules(&["1/1000000"]);
    let left_out = (0..TRACES).find(|trace| stored(&rules, &[span(*trace, 0)]).is_empty()).expect("nearly all of them");
    let failed = Span { status: Status::Error, ..span(left_out, 1) };
    let spans = [span(left_out, 0), failed];
    let kept = sample(&rules, &spans.iter().collect::<Vec<_>>(), &HashSet::new());
    assert_eq!(kept.iter().map(|span| span.weight).collect::<Vec<_>>(), [1, 1]);
    let slow = span(left_out, 0);
    assert_eq!(sample(&rules, &[&slow], &HashSet::from([slow.trace_id])).len(), 1);
}

#[test]
fn a8_the_first_rule_that_a_span_of_the_trace_meets_decides() {
    let rules = rules(&["1/1 attributes[\"tenant\"] == \"gold\"", "1/1000000"]);
    let gold = Span { attributes: vec![("tenant".to_owned(), text("gold"))], ..span(0, 1) };
    let spans: Vec<Span> = (0..100).map(|trace| span(trace, 0)).chain([gold]).collect();
    assert_eq!(stored(&rules, &spans).len(), 1);
    let kept = sample(&rules, &spans.iter().collect::<Vec<_>>(), &HashSet::new());
    assert_eq!(kept.len(), 2, "the whole trace of the tenant");
}

#[test]
fn a8_rules_are_read_as_written_and_faults_are_named() {
    for text in ["1/100 sse", "1/20 ndjson", "1/10", "1/5 operation == \"GET /healthz\" && kind == \"server\""] {
        assert_eq!(text.parse::<SamplingRule>().expect(text).to_string(), text);
    }
    for (text, told) in [
        ("", "expected a share"),
        ("10%", "expected a share"),
        ("1/0", "expected a share"),
        ("1/1000001", "expected a share"),
        ("2/3 sse", "expected a share"),
        ("1/10 severity == \"error\"", "severity"),
        ("1/10 grpc", "grpc"),
    ] {
        let fault = text.parse::<SamplingRule>().expect_err(text);
        assert!(fault.contains(told), "{text:?}: {fault}");
    }
}
