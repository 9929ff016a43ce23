//! Sentences and labels that pages say about objectives, tiers and instants: the answer before the evidence.

use crate::number::{budget_percent, burn, count, long_duration, percent, target_percent};
use crate::slo::{Alert, Budget, BudgetingMethod, Evaluation, Exhaustion, Objective, Target, Tier, TierRule, TierState, TimeWindow};
use crate::time::Timestamp;
use crate::view::SloRow;

/// How long ago an instant was, coarse enough to be read at a glance: `just now`, `12 s ago`, `3 min ago`, `in 2 h`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.since(then) / 1_000_000_000;
    let (amount, unit) = match seconds.unsigned_abs() {
        0..5 => return "just now".to_owned(),
        s @ 5..60 => (s, "s"),
        s @ 60..3_600 => (s / 60, "min"),
        s @ 3_600..172_800 => (s / 3_600, "h"),
        s => (s / 86_400, "d"),
    };
    if seconds < 0 { format!("in {amount} {unit}") } else { format!("{amount} {unit} ago") }
}

/// An instant in full, `offset_seconds` ahead of UTC: `2026-11-21 14:03:07 UTC`, `2026-11-21 15:03:07 UTC+1`.
pub fn instant(at: Timestamp, offset_seconds: i32) -> String {
    let local = at.plus_seconds(i64::from(offset_seconds)).civil();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}",
        local.year,
        local.month,
        local.day,
        local.hour,
        local.minute,
        local.second,
        zone(offset_seconds)
    )
}

/// The time of day of an instant: `14:03:07`.
pub fn time_of_day(at: Timestamp, offset_seconds: i32) -> String {
    let local = at.plus_seconds(i64::from(offset_seconds)).civil();
    format!("{:02}:{:02}:{:02}", local.hour, local.minute, local.second)
}

/// Day and time of day to the millisecond, for lists: `11-21 14:03:07.042`.
pub fn moment(at: Timestamp, offset_seconds: i32) -> String {
    let local = at.plus_seconds(i64::from(offset_seconds)).civil();
    let millis = at.millis().rem_euclid(1_000);
    format!("{:02}-{:02} {}.{millis:03}", local.month, local.day, time_of_day(at, offset_seconds))
}

/// The name of a zone by its distance from UTC: `UTC`, `UTC+1`, `UTC−3:30`.
pub fn zone(offset_seconds: i32) -> String {
    let minutes = offset_seconds.unsigned_abs() / 60;
    let sign = if offset_seconds < 0 { '−' } else { '+' };
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

/// What an objective is called by people.
pub fn title(objective: &Objective) -> &str {
    objective.display_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&objective.name)
}

/// Burn rate of the last hour, the one that is called “now”.
pub fn burn_now(evaluation: &Evaluation) -> Option<f64> {
    evaluation.burn_rates.of("1h")
}

/// When the budget will be gone: `3 h 10 min`, `spent`, or `–` while nothing burns.
pub fn time_left(evaluation: &Evaluation) -> String {
    match evaluation.exhaustion {
        Some(e) if e.seconds <= 0.0 => "spent".to_owned(),
        Some(e) if !e.is_before_renewal => "lasts".to_owned(),
        Some(e) => long_duration(e.seconds),
        None => "–".to_owned(),
    }
}

/// The range behind [`time_left`]: `2 h 5 min to 6 h`, `at least 2 h`; `None` when too little is known.
pub fn time_left_range(exhaustion: Exhaustion) -> Option<String> {
    if exhaustion.seconds <= 0.0 {
        return None;
    }
    match (exhaustion.earliest_seconds, exhaustion.latest_seconds) {
        (Some(earliest), Some(latest)) => Some(format!("{} to {}", long_duration(earliest), long_duration(latest))),
        (Some(earliest), None) => Some(format!("at least {}", long_duration(earliest))),
        _ => None,
    }
}

/// Whether somebody should look: it fires, or its budget is spent.
pub fn is_in_trouble(evaluation: &Evaluation) -> bool {
    evaluation.alert == Alert::Critical || is_spent(evaluation)
}

fn is_spent(evaluation: &Evaluation) -> bool {
    evaluation.budget.remaining_ratio.is_some_and(|ratio| ratio <= 0.0)
}

/// How an objective stands, in one sentence.
pub fn slo(objective: &Objective, evaluation: &Evaluation) -> String {
    let (name, window) = (title(objective), objective.window.adjective());
    let rate = burn_now(evaluation);
    let left = evaluation.budget.remaining_ratio;
    let Some(left) = left else {
        return format!("{name} is not measured: no event has matched its indicator in the {window} window.");
    };
    if evaluation.alert == Alert::Unmeasured {
        return format!("{name} cannot be judged: {}.", missing_coverage(evaluation));
    }
    if is_spent(evaluation) {
        let pace = match rate {
            Some(r) if r > 1.0 => format!(" and burns {} too fast", burn(r)),
            Some(r) if r > 0.0 => format!("; it burns {} now", burn(r)),
            _ => "; nothing burns now".to_owned(),
        };
        let times = burn(1.0 - left);
        let spent = if times == burn(1.0) { format!("its {window} budget") } else { format!("{times} its {window} budget") };
        return format!("{name} has spent {spent}{pace}.");
    }
    match (evaluation.alert, rate) {
        (Alert::Critical, Some(rate)) => {
            let end = evaluation.exhaustion.map_or_else(
                || format!("{} of the {window} budget is left", budget_percent(left)),
                |e| {
                    if e.is_before_renewal {
                        format!("the {window} budget is gone in {}", long_duration(e.seconds))
                    } else {
                        format!("the {window} budget lasts until the next begins, {} of it is left", budget_percent(left))
                    }
                },
            );
            format!("{name} burns {} too fast; {end}.", burn(rate))
        }
        (Alert::Increasing, Some(rate)) => {
            format!("{name} has begun to burn, {} over the last hour; {} of the {window} budget is left.", burn(rate), budget_percent(left))
        }
        (Alert::Recovering, Some(rate)) => {
            format!("{name} recovers, {} over the last hour; {} of the {window} budget is left.", burn(rate), budget_percent(left))
        }
        _ => format!(
            "{name} keeps its promise: {} good where {} is promised, {} of the {window} budget left.",
            evaluation.sli.map_or_else(|| "nothing yet".to_owned(), percent),
            target_percent(objective.target.ratio()),
            budget_percent(left)
        ),
    }
}

/// Which window was seen too little.
fn missing_coverage(evaluation: &Evaluation) -> String {
    let worst = evaluation
        .tiers
        .iter()
        .filter(|tier| tier.alert == Alert::Unmeasured)
        .filter_map(|tier| Some((tier.coverage?, tier.rule.long_minutes)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    match worst {
        Some((coverage, minutes)) => {
            format!("its source was alive in only {} of the last {}", percent(coverage), long_duration(f64::from(minutes) * 60.0))
        }
        None => "its source is silent".to_owned(),
    }
}

/// How all objectives stand, in one sentence. `slos` come worst first.
pub fn overview(slos: &[SloRow]) -> String {
    let total = slos.len();
    let Some(first) = slos.first() else { return "No objective is defined yet.".to_owned() };
    let troubled: Vec<&SloRow> = slos.iter().filter(|row| is_in_trouble(&row.evaluation)).collect();
    if let Some(worst) = troubled.first() {
        let name = title(&worst.objective);
        let end = match worst.evaluation.exhaustion {
            Some(e) if e.seconds > 0.0 && e.is_before_renewal => {
                format!("{name} first: its {} budget is gone in {}", worst.objective.window.adjective(), long_duration(e.seconds))
            }
            Some(_) => format!("{name} first: its {} budget is spent", worst.objective.window.adjective()),
            None => format!("{name} first"),
        };
        return format!("{} of {} in trouble, {end}.", troubled.len(), objectives(total));
    }
    let unmeasured = slos.iter().filter(|row| row.evaluation.alert == Alert::Unmeasured).count();
    if unmeasured > 0 {
        let name = title(&first.objective);
        return format!("Nothing burns too fast; {unmeasured} of {} cannot be judged, {name} first.", objectives(total));
    }
    let least = slos.iter().filter_map(|row| Some((row.evaluation.budget.remaining_ratio?, row))).min_by(|a, b| a.0.total_cmp(&b.0));
    match least {
        Some((left, row)) => {
            let all = if total == 1 {
                "The one objective keeps its promise".to_owned()
            } else {
                format!("All {} keep their promise", objectives(total))
            };
            format!("{all}; the least budget left is {}, {}.", budget_percent(left), title(&row.objective))
        }
        None => format!("{} defined, none measured yet.", objectives(total)),
    }
}

/// The slices of time that a budget is counted in; `None` when it counts events.
pub fn slices(method: BudgetingMethod) -> Option<String> {
    let length = method.slice_minutes().map(|minutes| long_duration(f64::from(minutes) * 60.0))?;
    Some(match method {
        BudgetingMethod::Timeslices { target, .. } => format!("slices of {length}, good from {} on", target_percent(target)),
        _ => format!("slices of {length}, each by its share of good events"),
    })
}

/// So many bad events or slices; shares of slices, and percent of a whole, with a few digits.
pub fn amount(bad: f64) -> String {
    if bad.fract() == 0.0 {
        return count(bad);
    }
    // Of what is less than a tenth two digits that are not 0.
    let places = if bad.abs() < 0.1 { (1.0 - bad.abs().log10().floor()).clamp(2.0, 6.0) as usize } else { 2 };
    format!("{bad:.places$}")
}

/// How much of a budget is spent: `12 of 30 bad events spent`.
pub fn spent(budget: &Budget, method: BudgetingMethod) -> String {
    let total = if method == BudgetingMethod::Composite { amount(budget.total) } else { count(budget.total) };
    format!("{} of {total} {} spent", amount(budget.consumed), method.spent_by())
}

/// The amount at which a window fires: whole units round up, as only whole ones reach it.
pub fn at_which(threshold: f64, method: BudgetingMethod) -> String {
    match method {
        BudgetingMethod::Occurrences | BudgetingMethod::Timeslices { .. } => count(threshold.ceil()),
        BudgetingMethod::RatioTimeslices { .. } | BudgetingMethod::Composite => amount(threshold),
    }
}

fn objectives(total: usize) -> String {
    if total == 1 { "1 objective".to_owned() } else { format!("{total} objectives") }
}

/// Why a pair of windows fires or does not.
pub fn tier(state: &TierState, method: BudgetingMethod) -> String {
    let (long, short) =
        (long_duration(f64::from(state.rule.long_minutes) * 60.0), long_duration(f64::from(state.rule.short_minutes) * 60.0));
    let reached = |bad: f64, threshold: f64| format!("{} of {} {}", amount(bad), at_which(threshold, method), method.spent_by());
    match state.alert {
        Alert::Critical => format!("fires: {long} and {short} are both above the threshold"),
        Alert::Recovering => format!("{long} is still above, {short} no longer"),
        Alert::Increasing => format!("{short} is above, {long} not yet: {}", reached(state.long_bad, state.long_threshold)),
        Alert::Healthy => format!("below: {} in {long}", reached(state.long_bad, state.long_threshold)),
        Alert::Unmeasured => match state.coverage {
            Some(coverage) => format!("not judged: the source was alive in {} of {long}", percent(coverage)),
            None => "not judged: nothing was ever seen".to_owned(),
        },
    }
}

/// What the thresholds of tiers are shares of, when that is not the budget that a page shows: a source that is younger than the
/// window, or was silent, has sent a part of the events that a whole window will have (requirement B6).
pub fn projection(objective: &Objective, evaluation: &Evaluation) -> Option<String> {
    let state = evaluation.tiers.iter().find(|state| state.rule.budget_share > 0.0)?;
    let (whole, now) = (state.long_threshold / state.rule.budget_share, evaluation.budget.total);
    let is_other = now > 0.0 && (whole / now - 1.0).abs() > 0.1 && objective.budgeting_method != BudgetingMethod::Composite;
    is_other.then(|| {
        format!(
            "Thresholds are shares of the budget that a whole {} window has at the present traffic, {} bad ones; what came so far allows {}.",
            objective.window.adjective(),
            count(whole.round()),
            amount(now)
        )
    })
}

/// When an alert of an objective fires and what an outage of everything would do to it, in one sentence.
pub fn alert_rule(rule: &TierRule, window: &TimeWindow, target: Target) -> String {
    let does = match rule.tier {
        Tier::Page => "Pages",
        Tier::Ticket => "Opens a ticket",
    };
    let long = long_duration(f64::from(rule.long_minutes) * 60.0);
    let outage = long_duration(rule.detection_seconds(target, 1.0).max(60.0));
    // Shares that follow from a window of another length have many digits.
    let share = target_percent((rule.budget_share * 1_000.0).round() / 1_000.0);
    let pace = if rule.burn_rate > 1.0 { format!(", {} too fast", burn(rule.burn_rate)) } else { String::new() };
    format!(
        "{does} when {share} of the {} budget burns within {long}{pace}. An outage of everything is noticed after {outage}",
        window.adjective()
    )
}

#[cfg(test)]
mod tests;
