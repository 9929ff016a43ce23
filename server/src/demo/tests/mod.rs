//! The shop keeps its promises: same seed, same story; well-formed traces; objectives in the state they were made for.

mod door;
mod measured;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, SystemTime};

use opentelemetry::Value;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;
use serde::Deserialize;

use super::SLOS;
use super::fleet::Process;
use super::scenario::LONGEST_VISIT;
use super::shop::Shop;
use super::sink::Finished;
use super::world::{Incident, PEAK_VISITS_PER_SECOND, World, rhythm, unix_seconds};

/// 2026-11-21 at the given hour, UTC: late enough for all script, busy or quiet.
fn opening(hour: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_219_200 + hour * 3_600 + 1_234)
}

const HISTORY: Duration = Duration::from_hours(6);

/// What a first start at that time would send.
fn history(seed: u64, opening: SystemTime) -> Vec<Finished> {
    Shop::observed_from(World::opening_at(seed, opening), opening - HISTORY).advance(opening)
}

fn attribute<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value)
}

fn status_code(span: &SpanData) -> i64 {
    match attribute(span, "http.response.status_code") {
        Some(Value::I64(code)) => *code,
        other => panic!("no status code but {other:?} in {}", span.name),
    }
}

fn length(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap()
}

fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

/// Good or bad under one of the objectives, in plain Rust; `None` where it does not count.
type Rule = fn(&Finished) -> Option<bool>;

fn server_of<'a>(finished: &'a Finished, service: &str) -> Option<&'a SpanData> {
    (finished.process.service() == service && finished.span.span_kind == SpanKind::Server).then_some(&finished.span)
}

const RULES: [(&str, Rule); 5] = [
    ("payment-authorization", |f| server_of(f, "payment").filter(|s| s.name == "POST /authorizations").map(|s| !is_error(s))),
    ("cart-latency", |f| server_of(f, "cart").map(|s| length(s) < Duration::from_millis(50))),
    ("checkout-availability", |f| server_of(f, "checkout").filter(|s| s.name == "POST /orders").map(|s| status_code(s) < 500)),
    ("storefront-latency", |f| {
        server_of(f, "storefront")
            .filter(|s| attribute(s, "http.request.method") == Some(&Value::from("GET")))
            .map(|s| length(s) < Duration::from_millis(600))
    }),
    ("catalog-availability", |f| server_of(f, "catalog").map(|s| !is_error(s))),
];

fn rule(name: &str) -> Rule {
    RULES.iter().find(|(rule, _)| *rule == name).expect("a rule for every objective").1
}

/// Share of bad events among those that end in the last `window` before `now`.
fn bad_ratio(spans: &[Finished], rule: Rule, now: SystemTime, window: Duration) -> f64 {
    let verdicts: Vec<bool> = spans.iter().filter(|finished| finished.span.end_time > now - window).filter_map(rule).collect();
    assert!(!verdicts.is_empty(), "no events");
    verdicts.iter().filter(|good| !**good).count() as f64 / verdicts.len() as f64
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "apiVersion")]
    api_version: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Spec {
    service: String,
    /// What is made of others has none.
    indicator: Option<serde::de::IgnoredAny>,
    objectives: Vec<ObjectiveSpec>,
}

#[derive(Deserialize)]
struct ObjectiveSpec {
    target: f64,
}

/// Name and target of every objective in the YAML that counts spans.
fn objectives() -> BTreeMap<String, f64> {
    serde_norway::Deserializer::from_str(SLOS)
        .filter_map(|document| {
            let document = Document::deserialize(document).unwrap();
            assert_eq!(document.api_version, "openslo/v1");
            assert!(Process::all().any(|process| process.service() == document.spec.service));
            document.spec.indicator.map(|_| (document.metadata.name, document.spec.objectives[0].target))
        })
        .collect()
}

#[test]
fn the_same_seed_and_time_give_the_same_spans() {
    let [one, two, other] = [7, 7, 8].map(|seed| {
        let spans = Shop::observed_from(World::new(seed), opening(15)).advance(opening(15) + Duration::from_mins(5));
        spans.into_iter().map(|finished| finished.span).collect::<Vec<_>>()
    });
    assert!(one.len() > 1_000, "{}", one.len());
    assert_eq!(one, two);
    assert_ne!(one, other);
}

#[test]
fn a_restarted_shop_goes_on_with_the_same_traces() {
    let world = World::new(7);
    let restart = opening(15) + Duration::from_mins(20);
    let end = restart + Duration::from_mins(5);
    let began_later = |finished: &Finished| finished.trace_start >= restart;
    let going_on: Vec<SpanData> =
        Shop::observed_from(world, opening(15)).advance(end).into_iter().filter(began_later).map(|finished| finished.span).collect();
    let restarted: Vec<SpanData> = Shop::observed_from(world, restart).advance(end).into_iter().map(|finished| finished.span).collect();
    assert_eq!(restarted, going_on);
}

#[test]
fn reading_in_small_steps_gives_the_same_stream() {
    let from = opening(3);
    let mut shop = Shop::observed_from(World::new(1), from);
    let stepwise: Vec<SpanData> =
        (1..=600).flat_map(|second| shop.advance(from + Duration::from_secs(second))).map(|finished| finished.span).collect();
    let at_once = Shop::observed_from(World::new(1), from).advance(from + Duration::from_mins(10));
    assert_eq!(stepwise, at_once.into_iter().map(|finished| finished.span).collect::<Vec<_>>());
    assert!(stepwise.is_sorted_by_key(|span| span.end_time));
}

#[test]
fn traces_are_well_formed() {
    let spans = history(3, opening(18));
    let by_id: HashMap<(TraceId, SpanId), &Finished> =
        spans.iter().map(|finished| ((finished.span.span_context.trace_id(), finished.span.span_context.span_id()), finished)).collect();
    assert_eq!(by_id.len(), spans.len(), "ids are unique");
    // Parents end after their children: those of the last minutes may still be going on.
    let complete_before = opening(18) - Duration::from_mins(2);
    for finished in spans.iter().filter(|finished| finished.span.end_time < complete_before) {
        let span = &finished.span;
        assert!(span.end_time >= span.start_time);
        assert!(length(span) < Duration::from_mins(1), "{} takes {:?}", span.name, length(span));
        assert_eq!(is_error(span), attribute(span, "error.type").is_some(), "{}", span.name);
        let keys: HashSet<&str> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys.len(), span.attributes.len(), "{} has a key twice", span.name);
        if span.parent_span_id == SpanId::INVALID {
            assert_eq!(finished.trace_start, span.start_time);
            continue;
        }
        let parent = by_id[&(span.span_context.trace_id(), span.parent_span_id)];
        assert!(parent.span.start_time <= span.start_time, "{} begins before {}", span.name, parent.span.name);
        assert!(parent.span.end_time >= span.end_time, "{} ends after {}", span.name, parent.span.name);
        assert_eq!(span.parent_span_is_remote, parent.process != finished.process);
    }
    // What was announced before the history began is referred to, but not in it.
    let settled = opening(18) - HISTORY + LONGEST_VISIT;
    let linking = spans.iter().filter(|finished| finished.trace_start >= settled && !finished.span.links.is_empty());
    let mut linked = 0;
    for Finished { span, .. } in linking {
        let target = &span.links[0].span_context;
        let target = by_id[&(target.trace_id(), target.span_id())];
        assert!(target.span.start_time < span.start_time);
        assert_ne!(target.span.span_context.trace_id(), span.span_context.trace_id());
        linked += 1;
    }
    assert!(linked > 5_000, "{linked}");
}

#[test]
fn order_numbers_run_through_many_traces_in_each_teams_spelling() {
    let spans = history(5, opening(12));
    let mut traces: HashMap<String, HashSet<TraceId>> = HashMap::new();
    let mut spellings: HashMap<String, BTreeSet<&str>> = HashMap::new();
    for Finished { span, .. } in &spans {
        for key in ["http.request.header.x-correlation-id", "correlation_id", "correlation.id", "correlationId"] {
            let order = match attribute(span, key) {
                Some(Value::Array(opentelemetry::Array::String(list))) => list[0].as_str().to_owned(),
                Some(value) => value.as_str().into_owned(),
                None => continue,
            };
            traces.entry(order.clone()).or_default().insert(span.span_context.trace_id());
            spellings.entry(order).or_default().insert(key);
        }
    }
    assert!(traces.keys().all(|order| order.starts_with("ord-")));
    let delivered: Vec<&String> =
        spellings.iter().filter(|(_, spellings)| spellings.contains("correlationId")).map(|(order, _)| order).collect();
    assert!(delivered.len() > 1_000, "{}", delivered.len());
    // Orders of the first minutes have lost their pages to the time before.
    let long = delivered.iter().filter(|order| traces[**order].len() >= 5 && spellings[**order].len() >= 3).count();
    assert!(long as f64 / delivered.len() as f64 > 0.95, "{long} of {}", delivered.len());
}

#[test]
fn payments_are_retried_and_captures_link_to_the_try_before() {
    let spans = history(5, opening(12));
    let resent =
        spans.iter().filter(|f| f.span.name == "POST /authorizations" && attribute(&f.span, "http.request.resend_count").is_some());
    assert!(resent.count() > 50);
    let repeated = spans.iter().filter(|f| f.span.name == "capture payment" && !f.span.links.is_empty()).count();
    assert!(repeated > 10, "{repeated}");
}

#[test]
fn visits_follow_the_hour() {
    let world = World::new(1);
    let day = unix_seconds(opening(0)) / 86_400 * 86_400;
    assert!((rhythm(day + 16 * 3_600) - 1.0).abs() < 1e-9);
    assert!((rhythm(day + 4 * 3_600) - 0.5).abs() < 1e-9);
    for hour in 0..24 {
        let expected = PEAK_VISITS_PER_SECOND * rhythm(day + hour * 3_600);
        let rate = world.visits_per_second(day + hour * 3_600);
        assert!((0.88..=1.12).contains(&(rate / expected)), "{hour}: {rate} instead of about {expected}");
    }
    let traces = |hour| {
        let spans = Shop::observed_from(World::new(1), opening(hour)).advance(opening(hour) + Duration::from_hours(1));
        spans.iter().filter(|finished| finished.span.parent_span_id == SpanId::INVALID).count() as f64 / 3_600.0
    };
    let (busy, quiet) = (traces(16), traces(4));
    assert!((2.0..4.0).contains(&busy), "{busy} traces a second");
    assert!((0.4..0.65).contains(&(quiet / busy)), "{quiet} against {busy}");
}

#[test]
fn six_hours_are_a_few_hundred_thousand_spans_of_eight_services() {
    for hour in [4, 10, 19] {
        let spans = history(1, opening(hour));
        assert!((100_000..280_000).contains(&spans.len()), "{hour}: {}", spans.len());
        let services: BTreeSet<&str> = spans.iter().map(|finished| finished.process.service()).collect();
        assert_eq!(services.len(), 8);
    }
}

#[test]
fn incidents_hit_what_they_are_about() {
    let seed = 11;
    let now = opening(20);
    let world = World::opening_at(seed, now);
    let spans = history(seed, now);
    let ratio = |incident, hit: &dyn Fn(&Finished) -> Option<(bool, bool)>| {
        // [outside, during][bystanders, affected] → (bad, all)
        let mut counts = [[(0_u32, 0_u32); 2]; 2];
        for finished in &spans {
            if let Some((affected, bad)) = hit(finished) {
                let cell = &mut counts[usize::from(world.suffers(incident, finished.span.start_time))][usize::from(affected)];
                cell.0 += u32::from(bad);
                cell.1 += 1;
            }
        }
        counts.map(|row| row.map(|(bad, all)| if all == 0 { 0.0 } else { f64::from(bad) / f64::from(all) }))
    };

    let [[quiet_other, quiet_north], [other, north]] = ratio(Incident::NorthbankOutage, &|f| {
        rule("payment-authorization")(f).map(|good| (attribute(&f.span, "payment.provider") == Some(&Value::from("northbank")), !good))
    });
    assert!(north > 0.8, "{north}");
    assert!(other < 0.03 && quiet_north < 0.02 && quiet_other < 0.02, "{other} {quiet_north} {quiet_other}");

    let [[quiet_old, _], [old, canary]] =
        ratio(Incident::CatalogCanary, &|f| rule("catalog-availability")(f).map(|good| (f.process == super::fleet::CATALOG_CANARY, !good)));
    assert!((0.08..0.24).contains(&canary), "{canary}");
    assert!(old < 0.01 && quiet_old < 0.005, "{old} {quiet_old}");

    let zone = |f: &Finished| f.process.zone().letter();
    let [[_, quiet_a], [b, a]] = ratio(Incident::CartCacheFailover, &|f| rule("cart-latency")(f).map(|good| (zone(f) == "a", !good)));
    assert!(a > 0.75 && b < 0.1 && quiet_a < 0.06, "{a} {b} {quiet_a}");

    let [[_, quiet_b], [a, b]] =
        ratio(Incident::CatalogReplicaSlow, &|f| rule("storefront-latency")(f).map(|good| (zone(f) == "b", !good)));
    assert!(b > 0.35 && a < 0.04 && quiet_b < 0.04, "{b} {a} {quiet_b}");
}

#[test]
fn by_chance_too_the_provider_fails_about_every_hundred_minutes() {
    let world = World::new(2);
    let week = 7 * 24 * 60;
    let out = (0..week).filter(|minute| world.suffers(Incident::NorthbankOutage, opening(0) + Duration::from_mins(*minute))).count();
    assert!((week as usize * 4 / 100..week as usize * 9 / 100).contains(&out), "{out} of {week} minutes");
}

#[test]
fn at_first_sight_one_objective_is_in_trouble_one_nearly_spent_and_the_others_well() {
    let targets = objectives();
    assert_eq!(targets.keys().map(String::as_str).collect::<BTreeSet<_>>(), RULES.iter().map(|(name, _)| *name).collect());
    for (seed, hour) in [(1, 5), (1, 9), (2, 13), (3, 17), (42, 23)] {
        let now = opening(hour);
        let spans = history(seed, now);
        let burn = |name: &str, window| bad_ratio(&spans, rule(name), now, window) / (1.0 - targets[name]);
        let (hour_window, short, whole) = (Duration::from_hours(1), Duration::from_mins(5), HISTORY);

        let name = "payment-authorization";
        let (long, short_burn) = (burn(name, hour_window), burn(name, short));
        assert!(long > 14.4 && short_burn > 14.4, "seed {seed}, hour {hour}: {name} burns {long} and {short_burn}: no page");
        assert!(burn(name, whole) > 1.0, "seed {seed}, hour {hour}: {name} has budget left");

        let name = "cart-latency";
        let spent = burn(name, whole);
        assert!((0.7..1.0).contains(&spent), "seed {seed}, hour {hour}: {name} has spent {spent}");

        for name in ["checkout-availability", "storefront-latency", "catalog-availability"] {
            let spent = burn(name, whole);
            assert!((0.05..0.75).contains(&spent), "seed {seed}, hour {hour}: {name} has spent {spent}");
        }
        for name in ["cart-latency", "checkout-availability", "storefront-latency", "catalog-availability"] {
            assert!(burn(name, hour_window) < 6.0, "seed {seed}, hour {hour}: {name} is not calm");
        }
    }
}
