//! The charts of an SLO's page, from its series.

use super::{COLUMNS, Chart, Level, Mark, Point, Reading, Role, Scale, Tick, TimeAxis, downsample, linear_ticks, log_ticks};
use crate::number::{budget_percent, burn, count, percent};
use crate::slo::{BudgetingMethod, SeriesPoint, Tier};
use crate::view::SloPage;

/// Most bars of a chart; more steps are added up to fewer bars.
const MOST_BARS: usize = 180;
/// A bad event is seen beside a million good ones: least height of its bar.
const LEAST_BAR: f64 = 0.015;

/// How much of the budget was left over time.
///
/// When the series holds every event of the SLO's window, this is a burn-down: it begins at 100 % and falls with every bad
/// event to what is left now, beside the line that burning evenly, at 1 ×, would have drawn. Over another range the share
/// left of the rolling window is shown.
pub fn budget(page: &SloPage) -> Chart {
    let time = time_axis(page);
    let burn_down = holds_the_window(page, time);
    let heights: Vec<Option<f64>> =
        if burn_down { burned_down(page) } else { page.series.iter().map(|point| point.budget_remaining).collect() };
    let lowest = heights.iter().flatten().copied().fold(0.0, f64::min);
    let scale = Scale::Linear { low: if lowest < 0.0 { lowest * 1.05 } else { 0.0 }, high: 1.0 };
    let runs = runs(page, time, &heights, scale);
    let zero = scale.position(0.0);
    let ticks = if lowest < 0.0 { spent_ticks(lowest) } else { vec![0.0, 0.25, 0.5, 0.75, 1.0] };
    let mut marks = grid(scale, &ticks);
    let mut levels = Vec::new();
    if burn_down {
        marks.push(Mark::Line(Role::Reference, vec![vec![(0.0, scale.position(1.0)), (1.0, zero)]]));
    }
    if lowest < 0.0 {
        marks.push(Mark::Level(Role::Page, zero));
        levels.push(Level { role: Role::Page, position: zero, label: "spent".to_owned() });
    }
    marks.push(Mark::Area(Role::Line, runs.clone(), zero));
    marks.push(Mark::Line(Role::Line, runs));
    let y_ticks = ticks.into_iter().map(|value| Tick { position: scale.position(value), label: budget_percent(value) }).collect();
    let say = |_: &SeriesPoint, value: Option<f64>| value.map_or_else(|| "no data".to_owned(), |v| format!("{} left", budget_percent(v)));
    let is_rolling = page.row.evaluation.renews_at.is_none();
    let key = if burn_down {
        "beside the line of even burning"
    } else if is_rolling {
        "of the rolling window"
    } else {
        "of the period"
    };
    Chart { time, key, y_ticks, levels, marks, readings: readings(page, &heights, scale, say), dots: Vec::new() }
}

/// How fast the budget burned in each step, on a logarithmic axis, with the thresholds of the tiers.
pub fn burn_rate(page: &SloPage) -> Chart {
    let time = time_axis(page);
    let heights: Vec<Option<f64>> = page.series.iter().map(|point| point.burn_rate).collect();
    let tiers = &page.row.evaluation.tiers;
    let thresholds = tiers.iter().map(|tier| tier.rule.burn_rate);
    let highest = heights.iter().flatten().copied().chain(thresholds).fold(10.0, f64::max);
    let scale = Scale::Log { low: 0.1, high: highest * 1.5 };
    let values = log_ticks(0.1, highest * 1.5);
    let mut marks = grid(scale, &values);
    let mut levels: Vec<Level> = Vec::new();
    for tier in tiers {
        let role = if tier.rule.tier == Tier::Page { Role::Page } else { Role::Ticket };
        let position = scale.position(tier.rule.burn_rate);
        marks.push(Mark::Level(role, position));
        levels.push(Level { role, position, label: format!("{} {}", tier.rule.tier.as_str(), burn(tier.rule.burn_rate)) });
    }
    marks.push(Mark::Line(Role::Line, runs(page, time, &heights, scale)));
    let mut y_ticks: Vec<Tick> = values.into_iter().map(|value| Tick { position: scale.position(value), label: burn(value) }).collect();
    if let Some(bottom) = y_ticks.first_mut() {
        bottom.label.insert_str(0, "≤ ");
    }
    let say = |_: &SeriesPoint, value: Option<f64>| value.map_or_else(|| "no events".to_owned(), burn);
    Chart {
        time,
        key: "times the even pace, step by step",
        y_ticks,
        levels,
        marks,
        readings: readings(page, &heights, scale, say),
        dots: Vec::new(),
    }
}

/// Good and bad events of each step, stacked, the bad ones on top.
pub fn events(page: &SloPage) -> Chart {
    let time = time_axis(page);
    let per_bar = page.series.len().div_ceil(MOST_BARS).max(1);
    let step = i64::from(page.step_seconds);
    let bars: Vec<(usize, f64, f64)> = page
        .series
        .chunks(per_bar)
        .map(|chunk| (chunk.len(), chunk.iter().map(|p| p.good as f64).sum(), chunk.iter().map(|p| p.total as f64).sum()))
        .collect();
    let highest = bars.iter().map(|bar| bar.2).fold(1.0, f64::max);
    let scale = Scale::Linear { low: 0.0, high: highest * 1.05 };
    let mut good: Vec<(Point, Point)> = Vec::new();
    let mut bad: Vec<(Point, Point)> = Vec::new();
    for (chunk, (steps, fine, total)) in page.series.chunks(per_bar).zip(&bars) {
        let Some(first) = chunk.first().filter(|_| *total > 0.0) else { continue };
        let left = time.position(first.start);
        let right = time.position(first.start.plus_seconds(step * *steps as i64)).min(1.0);
        let (left, right) = (left + (right - left) * 0.08, right - (right - left) * 0.08);
        let top = scale.position(*total);
        let middle = if fine < total { scale.position(*fine).min((top - LEAST_BAR).max(0.0)) } else { top };
        good.push(((left, 0.0), (right, middle)));
        if fine < total {
            bad.push(((left, middle), (right, top.max(LEAST_BAR))));
        }
    }
    let values = linear_ticks(0.0, highest, 3);
    let mut marks = grid(scale, &values);
    marks.push(Mark::Bars(Role::Good, good));
    marks.push(Mark::Bars(Role::Bad, bad));
    let y_ticks = values.into_iter().map(|value| Tick { position: scale.position(value), label: count(value) }).collect();
    let heights: Vec<Option<f64>> = page.series.iter().map(|point| (point.total > 0).then_some(point.total as f64)).collect();
    let say = |point: &SeriesPoint, _: Option<f64>| match point.total {
        0 => "no events".to_owned(),
        total => format!(
            "{} good, {} bad, {}",
            count(point.good as f64),
            count((total - point.good.min(total)) as f64),
            percent(point.good as f64 / total as f64)
        ),
    };
    Chart {
        time,
        key: "good, and bad on top",
        y_ticks,
        levels: Vec::new(),
        marks,
        readings: readings(page, &heights, scale, say),
        dots: Vec::new(),
    }
}

/// The path of a sparkline in a box `width` by `height`, as SVG path data; a gap breaks it, a lone value is a short dash.
/// Burn rates from 0 to `ceiling`; what is above touches the top.
pub fn sparkline(values: &[Option<f64>], width: f64, height: f64, ceiling: f64) -> String {
    use std::fmt::Write as _;

    let step = width / values.len().max(1) as f64;
    let scale = Scale::Linear { low: 0.0, high: ceiling.max(f64::MIN_POSITIVE) };
    let mut path = String::new();
    let mut pen_down = false;
    for (index, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let (x, y) = ((index as f64 + 0.5) * step, height - 1.0 - scale.position(*value) * (height - 2.0));
                let alone = !pen_down && values.get(index + 1).is_none_or(Option::is_none);
                let _ = write!(path, "{}{x:.1} {y:.1}", if pen_down { 'L' } else { 'M' });
                if alone {
                    path.push_str("h1");
                }
                pen_down = true;
            }
            None => pen_down = false,
        }
    }
    path
}

fn time_axis(page: &SloPage) -> TimeAxis {
    let from = page.series.first().map_or(page.now, |point| point.start);
    let to = page.series.last().map_or(page.now, |point| point.start.plus_seconds(i64::from(page.step_seconds)));
    TimeAxis::new(from, to)
}

/// Whether the series ends now, give or take a step, and holds all events of the SLO's window, of which its budget is made. It may
/// begin later than the window when nothing was sent before.
fn holds_the_window(page: &SloPage, time: TimeAxis) -> bool {
    if page.row.objective.budgeting_method != BudgetingMethod::Occurrences {
        return false;
    }
    let step = i64::from(page.step_seconds) * 1_000_000_000;
    let total: u64 = page.series.iter().map(|point| point.total).sum();
    total == page.row.evaluation.counts.total && page.now.since(time.to).abs() <= 2 * step
}

/// What was left after each step, counted from the budget of the window: backwards from what is left now, so that the last
/// value is the one the page states. Unknown before the first event.
fn burned_down(page: &SloPage) -> Vec<Option<f64>> {
    let budget = page.row.evaluation.budget;
    if budget.total <= 0.0 {
        return vec![None; page.series.len()];
    }
    let mut left = budget.remaining;
    let mut heights: Vec<Option<f64>> = page
        .series
        .iter()
        .rev()
        .map(|point| {
            let height = left / budget.total;
            left += (point.total - point.good.min(point.total)) as f64;
            Some(height)
        })
        .collect();
    heights.reverse();
    let silent = page.series.iter().take_while(|point| point.total == 0).count();
    heights.iter_mut().take(silent).for_each(|height| *height = None);
    heights
}

/// Round shares from all to the lowest overspent one.
fn spent_ticks(lowest: f64) -> Vec<f64> {
    let mut ticks: Vec<f64> = linear_ticks(lowest, 0.0, 3);
    ticks.push(1.0);
    ticks
}

fn grid(scale: Scale, values: &[f64]) -> Vec<Mark> {
    values.iter().map(|value| Mark::Level(Role::Grid, scale.position(*value))).collect()
}

fn middle(page: &SloPage, point: &SeriesPoint) -> crate::time::Timestamp {
    point.start.plus_nanos(i64::from(page.step_seconds) * 500_000_000)
}

fn runs(page: &SloPage, time: TimeAxis, heights: &[Option<f64>], scale: Scale) -> Vec<Vec<Point>> {
    let points = page.series.iter().zip(heights);
    downsample(points.map(|(point, height)| (time.position(middle(page, point)), height.map(|h| scale.position(h)))), COLUMNS)
}

fn readings(page: &SloPage, heights: &[Option<f64>], scale: Scale, say: impl Fn(&SeriesPoint, Option<f64>) -> String) -> Vec<Reading> {
    let points = page.series.iter().zip(heights);
    points
        .map(|(point, height)| Reading {
            at: middle(page, point),
            height: height.map(|value| scale.position(value)),
            text: say(point, *height),
            lines: Vec::new(),
        })
        .collect()
}
