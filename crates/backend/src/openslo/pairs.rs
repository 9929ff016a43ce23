//! Pairs of alert windows as people type them, and the annotations of an SLO about its alerts.

use slowburn_domain::number::{burn, target_percent};
use slowburn_domain::slo::{AlertPair, AlertPairs, Alerting, Target, Threshold, Tier, Window, is_preset};
use slowburn_domain::time::parse_duration;

use super::fields::Report;
use super::metadata::Metadata;

/// Which preset: `30d`, or `none` for no alerts at all.
pub(super) const ALERT_PRESET: &str = "slowburn.dev/alert-preset";
/// Pairs: `page 14.4 over 1h/5m, ticket 10% over 3d/6h, page 4h left over 1h/5m`.
pub(super) const ALERT_PAIRS: &str = "slowburn.dev/alert-pairs";
/// The floor of bad events.
pub(super) const MIN_BAD_EVENTS: &str = "slowburn.dev/min-bad-events";
/// Of a condition: what its threshold counts.
pub(super) const THRESHOLD_KIND: &str = "slowburn.dev/threshold-kind";
/// Of a condition: its short window.
pub(super) const SHORT_WINDOW: &str = "slowburn.dev/short-window";

/// The short window, where none is given, is so much shorter (SRE Workbook, chapter 5).
const LONG_TO_SHORT: u32 = 12;
const PAIRS_LOOK_LIKE: &str = "a pair is written: page 14.4 over 1h/5m, or with 2% or 4h left in place of the burn rate";

/// A pair and the path of the field that says it.
pub(super) struct Typed {
    pub(super) path: String,
    pub(super) pair: AlertPair,
}

/// How an SLO alerts, from the pairs of its policies and its annotations.
pub(super) fn alerting(metadata: &Metadata, mut typed: Vec<Typed>, report: &mut Report) -> (Alerting, Vec<Typed>) {
    let mut alerting = Alerting::default();
    if let Some(fewest) = metadata.read_annotation(MIN_BAD_EVENTS, fewest_bad, report) {
        alerting.fewest_bad = fewest;
    }
    let preset = metadata.read_annotation(ALERT_PRESET, preset, report);
    if let Some((_, path)) = metadata.annotation(ALERT_PAIRS) {
        if !typed.is_empty() {
            report.fault(&path, "pairs stand either here or in spec.alertPolicies, not in both");
        }
        let pairs = metadata.read_annotation(ALERT_PAIRS, pairs, report).unwrap_or_default();
        typed.extend(pairs.into_iter().map(|pair| Typed { path: path.clone(), pair }));
    }
    if let (Some((_, path)), false) = (metadata.annotation(ALERT_PRESET), typed.is_empty()) {
        report.fault(&path, "an SLO alerts by a preset or by pairs of its own, not by both");
    }
    let mut made: Vec<AlertPair> = typed.iter().map(|typed| typed.pair).collect();
    made.sort_by_key(|pair| (pair.tier != Tier::Page, pair.long_minutes));
    match preset {
        _ if !made.is_empty() => alerting.pairs = AlertPairs::Made(made),
        Some(pairs) => alerting.pairs = pairs,
        None => {}
    }
    (alerting, typed)
}

/// Tells pairs that do not suit the SLO: a window too long, a threshold that nothing can reach.
pub(super) fn check(typed: &[Typed], window: Window, targets: &[Target], report: &mut Report) {
    for Typed { path, pair } in typed {
        let long = Window { minutes: pair.long_minutes };
        if long.minutes > window.minutes {
            report.fault(path, format!("looks back over {long}, which is longer than the SLO's window of {window}"));
        }
        let beyond = targets.iter().find_map(|target| pair.out_of_reach(window, *target).map(|highest| (target, highest)));
        if let Some((target, highest)) = beyond {
            let (wanted, ratio) = (burn(pair.rule(window, None).burn_rate), target_percent(target.ratio()));
            let reason =
                format!("fires at {wanted}, which nothing can reach: with a target of {ratio} a total outage burns at {}", burn(highest));
            report.fault(path, reason);
        } else if matches!(pair.threshold, Threshold::HoursLeft(hours) if hours * 60.0 > f64::from(window.minutes)) {
            report.fault(path, format!("asks for more hours than the SLO's window of {window} has"));
        } else if pair.rule(window, None).burn_rate < 1.0 {
            report.warn(path, format!("fires at {}, while the promise is still being kept", burn(pair.rule(window, None).burn_rate)));
        }
    }
}

/// A number of the kind that `slowburn.dev/threshold-kind` says.
pub(super) fn threshold(kind: &str, number: f64) -> Result<Threshold, String> {
    if !(number.is_finite() && number > 0.0) {
        return Err(format!("a threshold is more than 0; got {number}"));
    }
    match kind {
        "burn_rate" => Ok(Threshold::BurnRate(number)),
        // By decimal digits: 7 ÷ 100 in binary is not always the number that is written 0.07.
        "budget_percent" => Ok(Threshold::BudgetShare(format!("{number}e-2").parse().unwrap_or(number / 100.0))),
        "hours_left" => Ok(Threshold::HoursLeft(number)),
        _ => Err(format!("{kind} is none of burn_rate, budget_percent and hours_left")),
    }
}

/// A pair whose short window may be left out.
pub(super) fn pair(tier: Tier, threshold: Threshold, long_minutes: u32, short_minutes: Option<u32>) -> Result<AlertPair, String> {
    let short_minutes = short_minutes.unwrap_or((long_minutes / LONG_TO_SHORT).max(1));
    if short_minutes > long_minutes {
        return Err(format!("the short window of {} is longer than the long one", Window { minutes: short_minutes }));
    }
    Ok(AlertPair { tier, long_minutes, short_minutes, threshold })
}

/// A length of whole minutes, at least one.
pub(super) fn minutes(text: &str) -> Result<u32, String> {
    let seconds = parse_duration(text.trim()).map_err(|error| error.to_string())?;
    let minutes = u32::try_from(seconds / 60).ok().filter(|minutes| *minutes > 0 && seconds % 60 == 0);
    minutes.ok_or_else(|| format!("{text:?} is not a whole number of minutes"))
}

fn fewest_bad(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|fewest| *fewest > 0).ok_or_else(|| format!("expected a whole number from 1 on, got {text:?}"))
}

fn preset(text: &str) -> Result<AlertPairs, String> {
    if text == "none" {
        return Ok(AlertPairs::Made(Vec::new()));
    }
    let window = minutes(text).ok().map(|minutes| Window { minutes }).filter(|window| is_preset(*window));
    window.map(AlertPairs::Preset).ok_or_else(|| format!("{text:?} is no preset; 7d, 28d, 30d, 90d and none are"))
}

fn pairs(text: &str) -> Result<Vec<AlertPair>, String> {
    text.split([',', ';']).map(str::trim).filter(|entry| !entry.is_empty()).map(written_pair).collect()
}

fn written_pair(entry: &str) -> Result<AlertPair, String> {
    let broken = || format!("{entry:?} cannot be read; {PAIRS_LOOK_LIKE}");
    let (tier, rest) = entry.split_once(' ').ok_or_else(broken)?;
    let tier = match tier {
        "page" => Tier::Page,
        "ticket" => Tier::Ticket,
        other => return Err(format!("{other:?} is neither page nor ticket; {PAIRS_LOOK_LIKE}")),
    };
    let (wanted, windows) = rest.split_once(" over ").ok_or_else(broken)?;
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| broken());
    let threshold = if let Some(left) = wanted.strip_suffix("left") {
        threshold("hours_left", f64::from(minutes(left)?) / 60.0)?
    } else if let Some(percent) = wanted.strip_suffix('%') {
        threshold("budget_percent", number(percent)?)?
    } else {
        threshold("burn_rate", number(wanted)?)?
    };
    let (long, short) = windows.split_once('/').map_or((windows, None), |(long, short)| (long, Some(short)));
    pair(tier, threshold, minutes(long)?, short.map(minutes).transpose()?)
}
