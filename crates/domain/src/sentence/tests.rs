use super::*;
use crate::slo::{Budget, BurnRates, Counts, tiers_for};

fn objective() -> Objective {
    Objective {
        name: "checkout-availability".to_owned(),
        display_name: Some("Checkout availability".to_owned()),
        service: "checkout".to_owned(),
        description: String::new(),
        target: Target::new(0.999).unwrap(),
        window: TimeWindow::days(30),
        budgeting_method: BudgetingMethod::Occurrences,
        expected_gap_minutes: None,
        alerting: crate::slo::Alerting::default(),
    }
}

fn evaluation(alert: Alert, left: Option<f64>, rate: Option<f64>, seconds: Option<f64>) -> Evaluation {
    Evaluation {
        counts: Counts { good: 9_995, total: 10_000 },
        sli: left.map(|_| 0.9995),
        budget: Budget { total: 10.0, consumed: 5.0, remaining: 5.0, remaining_ratio: left },
        burn_rates: BurnRates(vec![("1h".to_owned(), rate)]),
        tiers: Vec::new(),
        alert,
        tier: None,
        coverage: Some(1.0),
        exhaustion: seconds.map(|seconds| Exhaustion { seconds, earliest_seconds: None, latest_seconds: None, is_before_renewal: true }),
        budgeting_method: BudgetingMethod::Occurrences,
        renews_at: None,
        parts: Vec::new(),
        lints: Vec::new(),
    }
}

#[test]
fn an_objective_is_answered_in_one_sentence() {
    for (evaluation, sentence) in [
        (
            evaluation(Alert::Critical, Some(0.41), Some(6.21), Some(11_400.0)),
            "Checkout availability burns 6.2 × too fast; the 30-day budget is gone in 3 h 10 min.",
        ),
        (
            evaluation(Alert::Critical, Some(-0.755), Some(6.21), Some(0.0)),
            "Checkout availability has spent 1.8 × its 30-day budget and burns 6.2 × too fast.",
        ),
        (
            evaluation(Alert::Healthy, Some(-0.1), Some(0.0), Some(0.0)),
            "Checkout availability has spent 1.1 × its 30-day budget; nothing burns now.",
        ),
        (
            evaluation(Alert::Healthy, Some(0.5), Some(0.2), None),
            "Checkout availability keeps its promise: 99.95 % good where 99.9 % is promised, 50 % of the 30-day budget left.",
        ),
        (
            evaluation(Alert::Unmeasured, None, None, None),
            "Checkout availability is not measured: no event has matched its indicator in the 30-day window.",
        ),
        (evaluation(Alert::Unmeasured, Some(1.0), None, None), "Checkout availability cannot be judged: its source is silent."),
    ] {
        assert_eq!(slo(&objective(), &evaluation), sentence);
    }
}

#[test]
fn the_overview_names_the_worst_first() {
    let row = |evaluation| SloRow { objective: objective(), evaluation, sparkline: Vec::new(), groups: None };
    assert_eq!(overview(&[]), "No objective is defined yet.");
    let calm = row(evaluation(Alert::Healthy, Some(0.5), Some(0.2), None));
    assert_eq!(
        overview(std::slice::from_ref(&calm)),
        "The one objective keeps its promise; the least budget left is 50 %, Checkout availability."
    );
    let burning = row(evaluation(Alert::Critical, Some(0.41), Some(6.21), Some(11_400.0)));
    assert_eq!(
        overview(&[burning, calm]),
        "1 of 2 objectives in trouble, Checkout availability first: its 30-day budget is gone in 3 h 10 min."
    );
}

#[test]
fn times_are_coarse_when_relative_and_exact_when_absolute() {
    let now = Timestamp::parse_rfc3339("2026-11-21T14:03:07Z").unwrap();
    for (seconds, text) in
        [(0, "just now"), (12, "12 s ago"), (200, "3 min ago"), (7_300, "2 h ago"), (400_000, "4 d ago"), (-7_300, "in 2 h")]
    {
        assert_eq!(ago(now, now.plus_seconds(-seconds)), text);
    }
    assert_eq!(instant(now, 0), "2026-11-21 14:03:07 UTC");
    assert_eq!(instant(now, 3_600), "2026-11-21 15:03:07 UTC+1");
    assert_eq!(zone(-12_600), "UTC−3:30");
    assert_eq!(time_of_day(now, -12_600), "10:33:07");
}

#[test]
fn slices_of_time_are_told() {
    assert_eq!(slices(BudgetingMethod::Occurrences), None);
    let timeslices = BudgetingMethod::Timeslices { minutes: 5, target: 0.9 };
    assert_eq!(slices(timeslices).as_deref(), Some("slices of 5 min, good from 90 % on"));
    let ratio = BudgetingMethod::RatioTimeslices { minutes: 120 };
    assert_eq!(slices(ratio).as_deref(), Some("slices of 2 h, each by its share of good events"));
    assert_eq!(
        (at_which(0.2, timeslices), at_which(0.2, ratio), amount(1.25), amount(3.0)),
        ("1".into(), "0.20".into(), "1.25".into(), "3".into())
    );
}

#[test]
fn an_alert_is_told_in_words() {
    let window = TimeWindow::days(30);
    let target = Target::new(0.999).expect("a target");
    let told: Vec<String> = tiers_for(window.nominal(), target).iter().map(|rule| alert_rule(rule, &window, target)).collect();
    assert_eq!(
        told[0],
        "Pages when 2 % of the 30-day budget burns within 1 h, 14.4 × too fast. An outage of everything is noticed after 1 min"
    );
    assert!(told.iter().any(|words| words.starts_with("Opens a ticket when 10 % of the 30-day budget burns within")), "{told:?}");
    let (window, told_of) = (TimeWindow::days(28), |target| tiers_for(TimeWindow::days(28).nominal(), target));
    let slowest = told_of(target).iter().map(|rule| alert_rule(rule, &window, target)).next_back().expect("some");
    assert!(slowest.starts_with("Opens a ticket when 10.7 % of the 28-day budget burns within 3 d. An outage"), "{slowest}");
}
