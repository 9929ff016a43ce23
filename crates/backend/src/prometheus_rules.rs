//! SLOs as a rule file for Prometheus: for teams that page from there, or that move to or from Sloth.
//!
//! The rules read the counters of our own `/metrics`. Names and labels of what they record are Sloth's, so that its dashboards
//! go on working. Two things differ on purpose: the ratio over the whole window weighs events and not slices of five minutes,
//! and the tiers are those that the SLO has here, without the ones that a total outage could not reach. A calendar's period is
//! taken as the rolling window of its usual length. SLOs that count slices of time or weigh others are left out, which the file
//! says: a ratio over events does not tell theirs.

use std::fmt::Write as _;

use slowburn_domain::number;
use slowburn_domain::slo::{BudgetingMethod, Objective, Tier, TierRule};

use crate::Backend;

/// Windows that Sloth records for every SLO beside its own, minutes.
const RECORDED_MINUTES: [u32; 7] = [5, 30, 60, 120, 360, 1_440, 4_320];
const MINUTES_PER_DAY: u32 = 1_440;
/// The shortest window, which stands for "now".
const CURRENT_MINUTES: u32 = 5;

impl Backend {
    /// Every SLO as recording and alerting rules, in YAML.
    pub fn prometheus_rules(&self) -> String {
        rules(self.book().whole().map(|slo| &slo.objective))
    }
}

/// The rule file of some SLOs, in YAML.
pub fn rules<'a>(objectives: impl IntoIterator<Item = &'a Objective>) -> String {
    let mut text = String::from("# Recording and alerting rules of Slowburn's SLOs, over the counters of its /metrics.\n");
    let (counted, sliced): (Vec<_>, Vec<_>) =
        objectives.into_iter().partition(|objective| objective.budgeting_method == BudgetingMethod::Occurrences);
    for objective in sliced {
        let what = if objective.budgeting_method == BudgetingMethod::Composite { "weighs other SLOs" } else { "counts slices of time" };
        let _ = writeln!(text, "# Left out, as it {what} and not events: {}", objective.name);
    }
    text.push_str(if counted.is_empty() { "groups: []\n" } else { "groups:\n" });
    for objective in counted {
        let slo = Slo::of(objective);
        group(&mut text, &format!("slowburn-slo-sli-recordings-{}", slo.id), slo.ratios());
        group(&mut text, &format!("slowburn-slo-meta-recordings-{}", slo.id), slo.meta());
        let alerts = slo.alerts();
        if !alerts.is_empty() {
            group(&mut text, &format!("slowburn-slo-alerts-{}", slo.id), alerts);
        }
    }
    text
}

/// A rule; values are texts, and quoted when they are written.
struct Rule {
    /// `record` or `alert`.
    kind: &'static str,
    name: String,
    expr: String,
    labels: Vec<(&'static str, String)>,
    annotations: Vec<(&'static str, String)>,
}

struct Slo<'a> {
    objective: &'a Objective,
    id: String,
    /// Everything that tells the SLO from others, as a PromQL selector.
    selector: String,
}

impl<'a> Slo<'a> {
    fn of(objective: &'a Objective) -> Self {
        let id = format!("{}-{}", objective.service, objective.name);
        let selector =
            format!("sloth_id={}, sloth_service={}, sloth_slo={}", quoted(&id), quoted(&objective.service), quoted(&objective.name));
        Self { objective, id, selector }
    }

    fn labels(&self) -> Vec<(&'static str, String)> {
        vec![("sloth_id", self.id.clone()), ("sloth_service", self.objective.service.clone()), ("sloth_slo", self.objective.name.clone())]
    }

    fn record(&self, name: impl Into<String>, expr: String) -> Rule {
        Rule { kind: "record", name: name.into(), expr, labels: self.labels(), annotations: Vec::new() }
    }

    /// The share of bad events over each window.
    fn ratios(&self) -> Vec<Rule> {
        let mut minutes: Vec<u32> = RECORDED_MINUTES.into_iter().chain([self.objective.window.nominal().minutes]).collect();
        minutes.extend(self.tiers().iter().flat_map(|tier| [tier.long_minutes, tier.short_minutes]));
        minutes.sort_unstable();
        minutes.dedup();
        let slo = quoted(&self.objective.name);
        minutes
            .into_iter()
            .map(|minutes| {
                let window = duration(minutes);
                let rate = |counter: &str| format!("sum(rate({counter}{{slo={slo}}}[{window}]))");
                let (all, good) = (rate("slowburn_slo_events_total"), rate("slowburn_slo_good_events_total"));
                let mut rule = self.record(format!("slo:sli_error:ratio_rate{window}"), format!("({all} - {good}) / {all}"));
                rule.labels.push(("sloth_window", window));
                rule
            })
            .collect()
    }

    /// What is promised, and how it stands.
    fn meta(&self) -> Vec<Rule> {
        let (target, budget) = (self.objective.target.ratio(), self.objective.target.budget_ratio());
        let window = self.objective.window.nominal().minutes;
        let of = |name: &str| format!("{name}{{{}}}", self.selector);
        let burn = |minutes: u32| {
            format!(
                "{} / on(sloth_id, sloth_slo, sloth_service) group_left {}",
                of(&format!("slo:sli_error:ratio_rate{}", duration(minutes))),
                of("slo:error_budget:ratio")
            )
        };
        let mut info = self.record("sloth_slo_info", "vector(1)".to_owned());
        info.labels.push(("sloth_objective", number::target_percent(target).replace(" %", "")));
        info.labels.push(("sloth_mode", "slowburn".to_owned()));
        vec![
            self.record("slo:objective:ratio", format!("vector({target})")),
            self.record("slo:error_budget:ratio", format!("vector({budget})")),
            self.record("slo:time_period:days", format!("vector({})", f64::from(window) / f64::from(MINUTES_PER_DAY))),
            self.record("slo:current_burn_rate:ratio", burn(CURRENT_MINUTES)),
            self.record("slo:period_burn_rate:ratio", burn(window)),
            self.record("slo:period_error_budget_remaining:ratio", format!("1 - {}", of("slo:period_burn_rate:ratio"))),
            info,
        ]
    }

    /// An alert for each severity: its tiers, any of which may fire.
    fn alerts(&self) -> Vec<Rule> {
        let budget = self.objective.target.budget_ratio();
        let tiers = self.tiers();
        let ratio = |minutes: u32| format!("slo:sli_error:ratio_rate{}{{{}}}", duration(minutes), self.selector);
        [Tier::Page, Tier::Ticket]
            .into_iter()
            .filter_map(|severity| {
                let conditions: Vec<String> = tiers
                    .iter()
                    .filter(|tier| tier.tier == severity)
                    .map(|tier| {
                        let threshold = format!("({} * {budget})", tier.burn_rate);
                        format!(
                            "(max({} > {threshold}) without (sloth_window) and max({} > {threshold}) without (sloth_window))",
                            ratio(tier.long_minutes),
                            ratio(tier.short_minutes)
                        )
                    })
                    .collect();
                (!conditions.is_empty()).then(|| {
                    let (name, service) = (&self.objective.name, &self.objective.service);
                    let mut labels = self.labels();
                    labels.push(("sloth_severity", severity.as_str().to_owned()));
                    Rule {
                        kind: "alert",
                        name: "SlowburnErrorBudgetBurn".to_owned(),
                        expr: conditions.join(" or "),
                        labels,
                        annotations: vec![
                            ("summary", format!("{name} of {service} burns its error budget too fast ({})", severity.as_str())),
                            ("description", format!("The budget over {} is being spent faster than a tier allows.", self.objective.window)),
                        ],
                    }
                })
            })
            .collect()
    }

    fn tiers(&self) -> Vec<TierRule> {
        self.objective.alerting.tiers(self.objective.window.nominal(), self.objective.target, None)
    }
}

fn group(text: &mut String, name: &str, rules: Vec<Rule>) {
    let _ = writeln!(text, "  - name: {}\n    rules:", quoted(name));
    for rule in rules {
        let _ = writeln!(text, "      - {}: {}\n        expr: {}", rule.kind, quoted(&rule.name), quoted(&rule.expr));
        for (title, pairs) in [("labels", &rule.labels), ("annotations", &rule.annotations)] {
            if !pairs.is_empty() {
                let _ = writeln!(text, "        {title}:");
            }
            for (key, value) in pairs {
                let _ = writeln!(text, "          {key}: {}", quoted(value));
            }
        }
    }
}

/// A text in double quotes, as JSON has it: YAML and PromQL read it the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `5m`, `2h`, `30d`: as Prometheus writes durations, in the largest unit without a rest.
fn duration(minutes: u32) -> String {
    match minutes {
        minutes if minutes.is_multiple_of(MINUTES_PER_DAY) => format!("{}d", minutes / MINUTES_PER_DAY),
        minutes if minutes.is_multiple_of(60) => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_the_largest_unit_without_a_rest() {
        for (minutes, text) in [(5, "5m"), (60, "1h"), (90, "90m"), (1_440, "1d"), (2_160, "36h"), (43_200, "30d")] {
            assert_eq!(duration(minutes), text);
        }
    }

    #[test]
    fn without_slos_there_are_no_groups() {
        assert!(rules([]).ends_with("groups: []\n"));
    }

    #[test]
    fn quotes_hold_whatever_a_name_has() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
