use super::*;
use crate::time::Timestamp;

fn bar(service: &str, operation: &str, start: i64, duration_ms: f64, status: Status) -> LaneBar {
    LaneBar {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("an id"),
        service: service.to_owned(),
        operation: operation.to_owned(),
        status,
        start: Timestamp::from_millis(start),
        duration_ms,
    }
}

fn page(bars: Vec<LaneBar>) -> CorrelationPage {
    let first_error = bars.iter().find(|b| b.status == Status::Error).cloned();
    CorrelationPage {
        now: Timestamp::default(),
        id: "order-1".to_owned(),
        traces: vec![],
        truncated: false,
        bars,
        first_error,
        logs: vec![],
        more_logs: false,
    }
}

#[test]
fn each_service_has_one_lane_in_order_of_appearance() {
    let lanes = Lanes::of(&page(vec![
        bar("payment", "charge", 50, 20.0, Status::Unset),
        bar("web", "GET /", 0, 100.0, Status::Unset),
        bar("payment", "refund", 60, 20.0, Status::Error),
    ]));
    assert_eq!(
        lanes.lanes.iter().map(|l| (l.service.as_str(), l.bars.len(), l.rows, l.errors)).collect::<Vec<_>>(),
        [("web", 1, 1, 0), ("payment", 2, 2, 1)]
    );
    assert_ne!(lanes.lanes[0].colour, lanes.lanes[1].colour);
}

#[test]
fn an_attempt_after_a_failed_one_of_the_same_operation_is_its_retry() {
    let at = |start, status| bar("payment", "charge", start, 20.0, status);
    for (name, bars, retries, attempts) in [
        ("nothing failed", vec![at(0, Status::Ok), at(50, Status::Ok)], vec![], vec![1, 1]),
        ("one retry", vec![at(0, Status::Error), at(50, Status::Ok)], vec![Retry { from: 0, to: 1 }], vec![1, 2]),
        (
            "two retries",
            vec![at(0, Status::Error), at(50, Status::Error), at(90, Status::Ok)],
            vec![Retry { from: 0, to: 1 }, Retry { from: 1, to: 2 }],
            vec![1, 2, 3],
        ),
        ("beside each other is no retry", vec![at(0, Status::Error), at(10, Status::Ok)], vec![], vec![1, 1]),
        ("another operation is no retry", vec![at(0, Status::Error), bar("payment", "refund", 50, 1.0, Status::Ok)], vec![], vec![1, 1]),
    ] {
        let lanes = Lanes::of(&page(bars));
        assert_eq!(lanes.lanes[0].retries, retries, "{name}");
        assert_eq!(lanes.lanes[0].bars.iter().map(|b| b.attempt).collect::<Vec<_>>(), attempts, "{name}");
    }
}

#[test]
fn nothing_has_no_lanes() {
    assert_eq!(Lanes::of(&page(vec![])).lanes, []);
}
