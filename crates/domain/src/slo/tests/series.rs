use super::super::{series, series_hours_needing_minutes};
use super::*;

const EVENTS: BudgetingMethod = BudgetingMethod::Occurrences;

fn rolling(minutes: u32) -> impl Fn(Minute) -> Period {
    move |now| Period::rolling(Window { minutes }, now)
}

fn month(now: Minute) -> Period {
    rolling(30 * DAY)(now)
}

#[test]
fn steps_cover_the_range_and_the_last_may_be_shorter() {
    let ledger = History::default().with(0, 100, 1, 3, 1).whole_ledger();
    let points = series(&three_nines(), &ledger, month, NOW.plus(-24), NOW, 10);
    let shape: Vec<_> = points.iter().map(|point| (point.start.minute().0 - NOW.0, point.good, point.total)).collect();
    assert_eq!(shape, [(-24, 30, 40), (-14, 30, 40), (-4, 15, 20)]);
    assert_close(points[0].burn_rate.expect("events"), 250.0, "burn");
    assert_eq!(series(&three_nines(), &ledger, month, NOW, NOW.plus(-1), 10), []);
    assert_eq!(series(&three_nines(), &ledger, month, NOW.plus(-2), NOW, 0).len(), 3, "a step is at least a minute");
}

#[test]
fn the_budget_is_that_of_the_window_ending_with_the_step() {
    let objective = objective(0.9, Window { minutes: HOUR });
    let history = History::default().with(0, 3 * HOUR, 1, 1, 0).with(70, 6, 1, 0, 1);
    let points = series(&objective, &history.whole_ledger(), rolling(HOUR), NOW.plus(-120), NOW, 7);
    for point in &points {
        let last = point.start.minute().plus(6).min(NOW);
        let evaluation = history.evaluate(&objective, last);
        assert_eq!(point.budget_remaining, evaluation.budget.remaining_ratio, "{point:?}");
    }
    let least = points.iter().filter_map(|point| point.budget_remaining).fold(f64::INFINITY, f64::min);
    assert_close(least, 1.0 - 6.0 / 6.6, "six bad of 66 spend 6 of 6.6");
    assert_close(points[points.len() - 1].budget_remaining.expect("events"), 1.0, "an hour later all is well");
}

#[test]
fn gaps_are_gaps() {
    let ledger = History::default().with(30, 10, 1, 1, 0).whole_ledger();
    let points = series(&three_nines(), &ledger, month, NOW.plus(-59), NOW, 10);
    let burns: Vec<bool> = points.iter().map(|point| point.burn_rate.is_some()).collect();
    assert_eq!(burns, [false, false, true, false, false, false]);
    let budgets: Vec<bool> = points.iter().map(|point| point.budget_remaining.is_some()).collect();
    assert_eq!(budgets, [false, false, true, true, true, true]);
}

#[test]
fn whole_hours_need_no_minutes_and_other_steps_say_which() {
    let begin = Minute((NOW.hour() - 24) * 60);
    assert_eq!(series_hours_needing_minutes(EVENTS, month, begin, begin.plus(24 * 60 - 1), 60), [0; 0]);
    assert_eq!(series_hours_needing_minutes(EVENTS, month, begin, NOW, 60), [NOW.hour() - 720, NOW.hour()]);
    let history = History::default().with(0, 10 * DAY, 1, 50, 2);
    let objective = objective(0.95, Window::days(7));
    for (from, step) in [(begin, 5), (begin.plus(13), 60), (begin.plus(1), 7), (begin, 1)] {
        let hours = series_hours_needing_minutes(EVENTS, rolling(7 * DAY), from, NOW, step);
        assert!(hours.len() <= 60);
        let (loaded, whole) = (history.ledger(&hours), history.whole_ledger());
        assert_eq!(
            series(&objective, &loaded, rolling(7 * DAY), from, NOW, step),
            series(&objective, &whole, rolling(7 * DAY), from, NOW, step),
            "{from:?} by {step}"
        );
    }
}
