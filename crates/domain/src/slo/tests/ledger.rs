use super::*;

#[test]
fn rows_of_one_hour_or_minute_are_merged() {
    let row = |hour, good, total, seen| Hour { hour, counts: Counts { good, total }, seen };
    let minute = |minute, good, total| (Minute(minute), Counts { good, total });
    let split = Ledger::new(
        vec![row(11, 4, 4, 1), row(10, 1, 2, 0b01), row(10, 5, 5, 0b10), row(11, 0, 1, 1)],
        vec![minute(601, 2, 2), minute(600, 1, 2), minute(601, 3, 3)],
        true,
    );
    let merged = Ledger::new(vec![row(10, 6, 7, 0b11), row(11, 4, 5, 1)], vec![minute(600, 1, 2), minute(601, 5, 5)], true);
    assert_eq!(split, merged);
    assert_eq!(split.sum(Minute(600), Minute(719)), Counts { good: 10, total: 12 });
    assert_eq!(split.sum(Minute(601), Minute(659)), Counts { good: 5, total: 5 });
}

#[test]
fn ranges_include_both_ends() {
    let ledger = History::default().with(0, 5 * HOUR, 1, 1, 0).whole_ledger();
    for (what, from, to, events) in [
        ("one minute", NOW, NOW, 1),
        ("within an hour", NOW.plus(-10), NOW.plus(-1), 10),
        ("over the turn of an hour", NOW.plus(-30), NOW, 31),
        ("exactly one hour", Minute(NOW.hour() * 60 - 60), Minute(NOW.hour() * 60 - 1), 60),
        ("whole hours and both rests", NOW.plus(-200), NOW.plus(-3), 198),
        ("more than there is", Minute(0), NOW.plus(9_999), 300),
        ("nothing when the ends are swapped", NOW, NOW.plus(-1), 0),
        ("swapped over hours", NOW, NOW.plus(-600), 0),
    ] {
        assert_eq!(ledger.sum(from, to).total, events, "{what}");
    }
    assert_eq!(Ledger::default().sum(Minute(0), NOW), Counts::default());
}

#[test]
fn minutes_before_the_epoch_are_counted_too() {
    let row = Hour { hour: -1, counts: Counts { good: 3, total: 3 }, seen: 1 << 59 };
    let ledger = Ledger::new(vec![row], vec![(Minute(-1), Counts { good: 3, total: 3 })], false);
    assert_eq!(ledger.sum(Minute(-60), Minute(-1)).total, 3);
    assert_eq!(ledger.sum(Minute(-1), Minute(5)).total, 3);
    assert_eq!(ledger.first_seen(Minute(-100), Minute(0)), Some(Minute(-1)));
}

#[test]
fn seen_minutes_come_in_order_and_within_the_range() {
    let ledger = Ledger::new(
        vec![
            Hour { hour: 3, counts: Counts::default(), seen: 1 << 59 | 1 << 7 | 1 },
            Hour { hour: 1, counts: Counts::default(), seen: 1 << 30 },
        ],
        vec![],
        false,
    );
    let seen = |from, to| {
        let runs = ledger.seen(Minute(from), Minute(to));
        assert!(runs.windows(2).all(|pair| pair[0].1.plus(1) < pair[1].0), "a gap lies between runs: {runs:?}");
        runs.into_iter().flat_map(|(from, to)| from.0..=to.0).collect::<Vec<_>>()
    };
    assert_eq!(seen(0, 1_000), [90, 180, 187, 239]);
    assert_eq!(seen(91, 187), [180, 187]);
    assert_eq!(seen(240, 1_000), [0; 0]);
    assert_eq!(ledger.first_seen(Minute(i32::MIN), Minute(i32::MAX)), Some(Minute(90)));
    assert_eq!(ledger.first_seen(Minute(240), Minute(i32::MAX)), None);
}

#[test]
fn bits_beyond_the_hour_are_ignored() {
    let ledger = Ledger::new(vec![Hour { hour: 0, counts: Counts::default(), seen: u64::MAX }], vec![], false);
    assert_eq!(ledger.seen(Minute(0), Minute(500)), [(Minute(0), Minute(59))]);
}

#[test]
fn a_loader_is_told_every_hour_it_needs_and_few_more() {
    let history = History::default().with(0, 40 * DAY, 7, 5, 1);
    let whole = history.whole_ledger();
    for minutes in [30, HOUR, 90, 6 * HOUR, DAY, 7 * DAY, 28 * DAY, 30 * DAY, 90 * DAY] {
        let objective = objective(0.99, Window { minutes });
        // Each minute of an hour as the running one, so that windows begin in all places.
        for now in (0..60).map(|back| NOW.plus(-back)) {
            let period = Period::rolling(Window { minutes }, now);
            let hours = Ledger::hours_needing_minutes(now, period, &objective);
            assert!(hours.len() <= 16, "{hours:?}");
            assert!(hours.is_sorted_by(|a, b| a < b));
            assert!(hours.iter().all(|hour| *hour >= Ledger::first_hour(now, period, &objective)));
            assert_eq!(
                judge(&objective, &history.ledger(&hours), period, now),
                judge(&objective, &whole, period, now),
                "{minutes} minutes, {now:?}"
            );
        }
    }
}

#[test]
fn more_good_events_than_events_are_not_negative_failures() {
    assert_eq!(Counts { good: 5, total: 3 }.bad(), 0);
}
