//! B3, B5, B6: budgets and verdicts under a clock moved by hand, at the instants that arithmetic gives.

use slowburn_domain::incident::Step;
use slowburn_domain::slo::{Alert, Evaluation, Tier};
use slowburn_domain::time::Timestamp;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability, promise};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Sends spans of a minute by its distance from noon, in seconds: so many, so many of them failed.
async fn feed(scene: &Scene, minutes: impl Iterator<Item = (i64, usize, usize)>) {
    for chunk in minutes.collect::<Vec<_>>().chunks(400) {
        let spans = chunk.iter().flat_map(|(after, count, bad)| {
            (0..*count).map(move |index| {
                let end = NOON.plus_seconds(*after);
                let trace = u128::from((after + 100 * DAY).unsigned_abs()) * 1_000 + index as u128 + 1;
                let span = SpanBuilder::new(trace, 1, end.plus_nanos(-20_000_000));
                if index < *bad { span.failed().build() } else { span.build() }
            })
        });
        scene.send(body("checkout", spans.collect())).await.expect("accepted");
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

/// Moves the clock to so many seconds after noon.
fn go_to(scene: &Scene, after: i64) {
    let ahead = NOON.plus_seconds(after).since(scene.clock.now()) / 1_000_000_000;
    scene.clock.advance_seconds(ahead);
}

async fn evaluation(scene: &Scene, name: &str) -> Evaluation {
    scene.backend.slo(name, scene.clock.now()).await.expect("known").evaluation
}

/// Three quiet days of ten events a minute, then half of them fail for thirty minutes; 99.9 % over 30 days. The budget of a
/// month of such traffic is 0.001 × 10 × 43 200 = 432 bad events. 2 % of it are 8.64, which five a minute reach in the second
/// minute. The 1 h pair falls silent first; of the page's pairs the 6 h one goes on while its 30 minutes hold
/// 5 % × 432 × 30 ÷ 360 = 1.8 bad events, to minute 58; of the ticket's the 3 d one while its 6 hours hold 3.6, to minute 388.
#[sqlx::test(migrations = "../../migrations")]
async fn b5_an_outage_pages_and_clears_at_the_computed_minutes(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("checkout", 0.999, "30d")).await;
    feed(&scene, (-3 * 1_440..0).map(|minute| (minute * MINUTE, 10, 0))).await;
    let mut fed_to = 0;
    for minute in (0..=62).chain(385..=390) {
        go_to(&scene, minute * MINUTE);
        feed(&scene, (fed_to..=minute).map(|minute| (minute * MINUTE, 10, if minute < 30 { 5 } else { 0 }))).await;
        fed_to = minute + 1;
        scene.backend.judge_all().await.expect("judged");
    }
    let incidents = scene.backend.incidents(None, None, None, 10).await.expect("read");
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    let incident = scene.backend.incident(&incident.id).await.expect("there");
    let steps: Vec<(i64, Step, Tier)> =
        incident.changes.iter().map(|change| (change.at.since(NOON) / 1_000_000_000 / MINUTE, change.step, change.tier)).collect();
    assert_eq!(steps, [(1, Step::Opened, Tier::Page), (59, Step::Deescalated, Tier::Ticket), (389, Step::Closed, Tier::Ticket)]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b6_one_failure_among_ten_requests_an_hour_pages_nobody(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&availability("checkout", 0.999, "30d")).await;
    feed(&scene, (-7 * 240..0).map(|tenth| (tenth * 6 * MINUTE, 1, 0))).await;
    for tenth in 0..30 {
        go_to(&scene, tenth * 6 * MINUTE);
        feed(&scene, std::iter::once((tenth * 6 * MINUTE, 1, usize::from(tenth == 10)))).await;
        scene.backend.judge_all().await.expect("judged");
        let evaluation = evaluation(&scene, "checkout").await;
        assert_ne!(evaluation.alert, Alert::Unmeasured, "ten requests an hour is alive");
        assert_eq!(evaluation.tier, None, "{tenth}: {:?}", evaluation.tiers);
    }
    assert_eq!(scene.backend.incidents(None, None, None, 10).await.expect("read"), []);
    assert!(evaluation(&scene, "checkout").await.burn_rates["1h"].expect("events") < 1.0, "the failure has left the hour");
}

/// New York's clocks went back on 1 November 2026, so its November has 721 hours: from 04:00Z on the first to 05:00Z on
/// 1 December. Berlin's ends at 23:00Z on the day before.
#[sqlx::test(migrations = "../../migrations")]
async fn b3_a_calendar_month_begins_anew_at_midnight_of_its_zone(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let monthly = |name: &str, zone: &str| {
        let window = format!("duration: 1M, isRolling: false, calendar: {{startTime: '2026-01-01 00:00:00', timeZone: {zone}}}");
        promise(name, &window, "Occurrences", "target: 0.99")
    };
    scene.apply(&format!("{}---\n{}", monthly("new-york", "America/New_York"), monthly("berlin", "Europe/Berlin"))).await;
    // 1 December, 05:00Z, is nine days and seventeen hours after noon, less the thirty seconds that noon is late.
    let midnight = 9 * DAY + 17 * 3_600 - 30;
    go_to(&scene, midnight - 30);
    feed(&scene, (0..120).map(|minute| (midnight - 30 - (120 - minute) * MINUTE, 10, 1))).await;
    let (new_york, berlin) = (evaluation(&scene, "new-york").await, evaluation(&scene, "berlin").await);
    assert_eq!((new_york.counts.total, new_york.counts.bad()), (1_200, 120));
    assert_eq!(new_york.renews_at, Some(at("2026-12-01T05:00:00Z")));
    assert_eq!(berlin.renews_at, Some(at("2026-12-31T23:00:00Z")), "Berlin has December already");
    assert_eq!(berlin.counts.total, 1_200, "all of it came after Berlin's midnight");

    go_to(&scene, midnight + 30);
    let anew = evaluation(&scene, "new-york").await;
    assert_eq!(anew.counts.total, 0);
    assert_eq!(anew.budget.consumed.to_bits(), 0.0_f64.to_bits());
    assert_eq!(anew.budget.remaining_ratio, Some(1.0), "the new month has a whole budget: {:?}", anew.budget);
    assert_eq!(anew.renews_at, Some(at("2027-01-01T05:00:00Z")));
    assert_eq!(anew.alert, new_york.alert, "the trouble does not end with the month");
    let (_, series) = scene.backend.slo_series("new-york", None, None, Some(60), scene.clock.now()).await.expect("a series");
    let last: Vec<Option<f64>> = series.iter().rev().take(2).map(|point| point.budget_remaining).collect();
    assert_eq!(last[0], Some(1.0));
    assert!(last[1] < Some(1.0), "{last:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b3_slices_of_time_equal_an_independent_count(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let sliced = |name: &str, method: &str, objective: &str| promise(name, "duration: 1d, isRolling: true", method, objective);
    scene
        .apply(&format!(
            "{}---\n{}---\n{}",
            sliced("fine", "Timeslices", "target: 0.9, timeSliceTarget: 0.8, timeSliceWindow: 5m"),
            sliced("coarse", "Timeslices", "target: 0.9, timeSliceTarget: 0.8, timeSliceWindow: 2h"),
            sliced("ratio", "RatioTimeslices", "target: 0.9, timeSliceWindow: 5m"),
        ))
        .await;
    let pattern = |minute: i64| (2 + (minute % 4) as usize, usize::from(minute % 3 == 0) + usize::from((300..420).contains(&minute)));
    feed(&scene, (0..2_000).map(|minute| (-minute * MINUTE, pattern(minute).0, pattern(minute).1))).await;
    scene.backend.fold_all().await.expect("folded");
    // The day that ends with the minute of 12:00 begins at 12:01, so it holds one whole slice less than a day has.
    let slices = |length: i64| {
        (0..1_440 / length - 1).map(move |slice| {
            (slice * length + 1..=(slice + 1) * length).map(pattern).fold((0, 0), |(t, b), (total, bad)| (t + total, b + bad))
        })
    };
    let below = |length: i64| slices(length).filter(|(total, bad)| ((total - bad) as f64) < 0.8 * *total as f64).count() as f64;
    let lost: f64 = slices(5).map(|(total, bad)| bad as f64 / total as f64).sum();
    for (name, consumed, total) in [("fine", below(5), 287.0), ("coarse", below(120), 11.0), ("ratio", lost, 287.0)] {
        let budget = evaluation(&scene, name).await.budget;
        assert!((budget.total - 0.1 * total).abs() < 1e-9, "{name}: {budget:?}");
        assert!((budget.consumed - consumed).abs() < 1e-9, "{name}: {budget:?}, {consumed} wanted");
        assert!(consumed >= 2.0, "{name} has something to count: {consumed}");
    }
}
