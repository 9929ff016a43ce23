//! B1: the exported rules, read by Prometheus' own tool.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use slowburn_backend::openslo;
use slowburn_backend::prometheus_rules::rules;
use slowburn_domain::slo::{
    AlertPair, AlertPairs, Alerting, BudgetingMethod, Counts, Hour, Ledger, Objective, Period, Threshold, Tier, evaluate,
};
use slowburn_domain::time::Minute;

/// One document of the form that people write.
fn document(name: &str, service: &str, target: f64, window: &str) -> Objective {
    let yaml = format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, displayName: 'Orders \"{name}\" \\ 100 %'}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'status != \"error\"'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'kind == \"server\"'}}}}}}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: {target}}}]
"
    );
    openslo::parse(&yaml).expect("sound").definitions.remove(0).objective
}

/// Runs `promtool` on files in a folder of their own and gives what it says.
fn promtool(test: &str, arguments: &[&str], files: &[(&str, &str)]) -> (bool, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let output = Command::new("promtool").args(arguments).current_dir(folder).output().expect("promtool is installed by make test");
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn promtool_accepts_the_rules_of_twenty_varied_slos() {
    let targets = [0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.123_456];
    let windows = ["1h", "36h", "7d", "4w", "30d", "90d"];
    let objectives: Vec<Objective> = (0..20)
        .map(|index| document(&format!("slo-{index}"), ["checkout", "a-b"][index % 2], targets[index % 10], windows[index % 6]))
        .collect();
    let text = rules(&objectives);
    let (accepted, said) = promtool("varied", &["check", "rules", "rules.yml"], &[("rules.yml", &text)]);
    assert!(accepted, "{said}\n{text}");
    let sliced = Objective { budgeting_method: BudgetingMethod::RatioTimeslices { minutes: 5 }, ..objectives[0].clone() };
    assert!(rules([&sliced]).ends_with("# Left out, as it counts slices of time and not events: slo-0\ngroups: []\n"));
    let count: usize = said.split_once(" rules found").and_then(|(before, _)| before.split_whitespace().last()?.parse().ok()).expect(&said);
    assert!(count > 20 * 15, "{said}");
}

#[test]
fn b5_hand_made_pairs_are_exported_and_accepted() {
    let alerting = |pairs: Vec<AlertPair>| Alerting { pairs: AlertPairs::Made(pairs), fewest_bad: 2 };
    let pair = |tier, long_minutes, short_minutes, threshold| AlertPair { tier, long_minutes, short_minutes, threshold };
    let pairs = vec![
        pair(Tier::Page, 90, 7, Threshold::BurnRate(9.5)),
        pair(Tier::Page, 60, 5, Threshold::HoursLeft(12.0)),
        pair(Tier::Ticket, 2_880, 240, Threshold::BudgetShare(0.1)),
    ];
    let made = Objective { alerting: alerting(pairs), ..document("made", "checkout", 0.999, "30d") };
    let silent = Objective { alerting: alerting(Vec::new()), ..document("silent", "checkout", 0.999, "30d") };
    let text = rules([&made, &silent]);
    for part in ["ratio_rate90m", "ratio_rate7m", "(9.5 * 0.001)", "(1.5 * 0.001)", "ratio_rate4h"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("slowburn-slo-alerts-checkout-silent"), "{text}");
    let (accepted, said) = promtool("made", &["check", "rules", "rules.yml"], &[("rules.yml", &text)]);
    assert!(accepted, "{said}\n{text}");
}

/// Three quiet days, then half of the events fail: both page at the same evaluation.
#[test]
fn prometheus_pages_within_one_evaluation_of_our_own_verdict() {
    const QUIET: i32 = 3 * 1_440;
    const EVERY_MINUTE: u64 = 1_000;
    let objective = document("checkout-availability", "checkout", 0.999, "30d");
    let first = Minute(29_000_000 / 60 * 60);
    let bad = |minute: i32| if minute < QUIET { 0 } else { EVERY_MINUTE / 2 };
    let fires = |after: i32| {
        let minutes: Vec<(Minute, Counts)> =
            (0..=after).map(|minute| (first.plus(minute), Counts { good: EVERY_MINUTE - bad(minute), total: EVERY_MINUTE })).collect();
        let hours =
            minutes.iter().map(|(minute, counts)| Hour { hour: minute.hour(), counts: *counts, seen: 1 << minute.0.rem_euclid(60) });
        let now = first.plus(after);
        let period = Period::rolling(objective.window.nominal(), now);
        evaluate(&objective, &Ledger::new(hours.collect(), minutes.clone(), false), period, now).tier == Some(Tier::Page)
    };
    let ours = (QUIET..QUIET + 60).find(|minute| fires(*minute)).expect("an outage pages");
    assert!(!fires(QUIET - 1), "no page in quiet times");
    // A counter at minute m holds the events of all minutes before it.
    let last = QUIET + 60;
    let alert = "exp_labels: {sloth_id: checkout-checkout-availability, sloth_service: checkout, sloth_slo: checkout-availability, sloth_severity: page}";
    let mut test = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n      - series: 'slowburn_slo_events_total{{slo=\"checkout-availability\"}}'\n        values: '0+{EVERY_MINUTE}x{last}'\n      - series: 'slowburn_slo_good_events_total{{slo=\"checkout-availability\"}}'\n        values: '0+{EVERY_MINUTE}x{QUIET} {}+{}x{}'\n    alert_rule_test:\n",
        EVERY_MINUTE * u64::from(QUIET.unsigned_abs()) + EVERY_MINUTE / 2,
        EVERY_MINUTE / 2,
        last - QUIET - 1
    );
    // Our verdict at minute m has seen m whole, which is Prometheus' instant m + 1.
    for (minute, fires) in [(QUIET, false), (ours - 1, false), (ours + 2, true)] {
        let _ = writeln!(test, "      - eval_time: {minute}m\n        alertname: SlowburnErrorBudgetBurn");
        if fires {
            let _ = writeln!(
                test,
                "        exp_alerts:\n          - {alert}\n            exp_annotations: {{summary: 'checkout-availability of checkout burns its error budget too fast (page)', description: 'The budget over 30d is being spent faster than a tier allows.'}}"
            );
        }
    }
    let (passed, said) = promtool("outage", &["test", "rules", "test.yml"], &[("rules.yml", &rules([&objective])), ("test.yml", &test)]);
    assert!(passed, "our page fires at minute {ours}\n{said}");
}
