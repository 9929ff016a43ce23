//! The chart of a metric: a line for each group of series, and dots for the traces behind it.

use super::{COLUMNS, Chart, Dot, LineReading, Mark, Reading, Role, Scale, Tick, TimeAxis, downsample, linear_ticks};
use crate::metric::aggregate::Aggregate;
use crate::metric::answer::{ExemplarDot, MetricAnswer, MetricLine};
use crate::metric::measure::Measure;
use crate::time::Timestamp;
use crate::url::trace_path;

/// Ticks of the vertical axis, about.
const TICKS: usize = 4;
/// Exemplars raise the scale to so much above the lines; those that lie higher stand at its upper edge.
const MOST_ABOVE: f64 = 1.6;
/// A line that keeps within so small a share of its height is looked at from near by.
const FLAT: f64 = 0.2;

/// How the values of an answer are told.
pub fn measure(answer: &MetricAnswer) -> Measure {
    Measure::new(&answer.metric, aggregate(answer), extremes(answer).1)
}

/// The lines of an answer over time.
pub fn lines(answer: &MetricAnswer) -> Chart {
    let time = TimeAxis::new(answer.from, answer.to());
    let measure = measure(answer);
    let exemplars = if shows_values(answer) { answer.exemplars.as_slice() } else { &[] };
    let (low, high) = range(answer, exemplars, &measure);
    let scale = Scale::Linear { low, high };
    let base = measure.base(high);
    let ticks: Vec<f64> = linear_ticks(low / base, high / base, TICKS).into_iter().map(|tick| tick * base).collect();
    let mut marks: Vec<Mark> = ticks.iter().map(|value| Mark::Level(Role::Grid, scale.position(*value))).collect();
    // The first lines are the largest ones and lie in front.
    for (index, line) in answer.lines.iter().enumerate().rev() {
        let points = line.values.iter().enumerate();
        let points = points.map(|(step, value)| (time.position(middle(answer, step)), value.map(|value| scale.position(value))));
        marks.push(Mark::Line(Role::series(index), downsample(points, COLUMNS)));
    }
    // After the last value there is nothing to be read.
    let steps = answer.lines.iter().filter_map(|line| line.values.iter().rposition(Option::is_some)).max().map_or(0, |last| last + 1);
    Chart {
        time,
        key: "",
        y_ticks: ticks.into_iter().map(|value| Tick { position: scale.position(value), label: measure.say(value) }).collect(),
        levels: Vec::new(),
        marks,
        readings: (0..steps).map(|step| reading(answer, step, scale, &measure)).collect(),
        dots: exemplars.iter().map(|exemplar| dot(exemplar, time, scale, high, &measure)).collect(),
    }
}

fn aggregate(answer: &MetricAnswer) -> Aggregate {
    answer.aggregate.parse().unwrap_or_else(|()| Aggregate::of(&answer.metric))
}

/// Whether the chart's heights are values that were observed, so that single observations can stand among them.
fn shows_values(answer: &MetricAnswer) -> bool {
    !matches!(aggregate(answer), Aggregate::Rate | Aggregate::Increase | Aggregate::Sum)
}

/// The least and the greatest value that is known; zero without any.
fn extremes(answer: &MetricAnswer) -> (f64, f64) {
    let known = || answer.lines.iter().flat_map(MetricLine::known);
    known().next().map_or((0.0, 0.0), |first| known().fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

/// The values at the bottom and at the top: from zero on, unless readings of something lie close together and far from it.
fn range(answer: &MetricAnswer, exemplars: &[ExemplarDot], measure: &Measure) -> (f64, f64) {
    let (lowest, highest) = extremes(answer);
    if !answer.metric.is_counting() && lowest > 0.0 && highest > lowest && highest - lowest < highest * FLAT {
        let room = (highest - lowest) * 0.1;
        return (lowest - room, highest + room);
    }
    let above = exemplars.iter().map(|exemplar| exemplar.value).fold(highest, f64::max).min(highest * MOST_ABOVE);
    let (low, high) = (lowest.min(0.0), highest.max(above).max(0.0));
    if high > low { (low * 1.05, high * 1.05) } else { (0.0, measure.base(1.0)) }
}

/// The middle of a step.
fn middle(answer: &MetricAnswer, step: usize) -> Timestamp {
    answer.from.plus_nanos(i64::from(answer.step_seconds) * (2 * step as i64 + 1) * 500_000_000)
}

fn reading(answer: &MetricAnswer, step: usize, scale: Scale, measure: &Measure) -> Reading {
    let mut lines = Vec::new();
    for (index, line) in answer.lines.iter().enumerate() {
        let Some(value) = line.values.get(step).copied().flatten() else { continue };
        let title = line.title();
        let said = measure.say(value);
        let text = if title.is_empty() { said } else { format!("{said} {title}") };
        lines.push(LineReading { role: Role::series(index), height: scale.position(value), text });
    }
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let text = if texts.is_empty() { "no data".to_owned() } else { texts.join(", ") };
    Reading { at: middle(answer, step), height: None, text, lines }
}

fn dot(exemplar: &ExemplarDot, time: TimeAxis, scale: Scale, high: f64, measure: &Measure) -> Dot {
    Dot {
        at: (time.position(exemplar.time), scale.position(exemplar.value)),
        is_beyond: exemplar.value > high,
        href: trace_path(exemplar.trace_id),
        label: format!("{}, trace {}", measure.say(exemplar.value), exemplar.trace_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Metric, MetricKind, Temporality};

    fn answer(kind: MetricKind, unit: &str, aggregate: &str, lines: &[&[Option<f64>]]) -> MetricAnswer {
        let metric = Metric {
            name: "n".to_owned(),
            unit: unit.to_owned(),
            description: String::new(),
            kind,
            temporality: Temporality::Cumulative,
            is_monotonic: true,
        };
        let line = |(index, values): (usize, &&[Option<f64>])| MetricLine {
            labels: vec![("route".to_owned(), format!("/{index}"))],
            values: values.to_vec(),
        };
        MetricAnswer {
            metric,
            aggregate: aggregate.to_owned(),
            from: Timestamp::from_seconds(0),
            step_seconds: 60,
            lines: lines.iter().enumerate().map(line).collect(),
            more_lines: 0,
            series: 1,
            keys: Vec::new(),
            exemplars: Vec::new(),
            other_forms: 0,
        }
    }

    #[test]
    fn c1_each_line_has_a_colour_and_its_gaps_and_is_read_with_the_others() {
        let chart =
            lines(&answer(MetricKind::Histogram, "s", "p95", &[&[Some(0.4), None, Some(0.2), Some(0.3)], &[None, None, Some(0.1), None]]));
        let drawn: Vec<(Role, usize)> = chart
            .marks
            .iter()
            .filter_map(|mark| if let Mark::Line(role, runs) = mark { Some((*role, runs.len())) } else { None })
            .collect();
        assert_eq!(drawn, [(Role::series(1), 1), (Role::series(0), 2)]);
        let labels: Vec<&str> = chart.y_ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["0 s", "200 ms", "400 ms"]);
        assert_eq!(chart.readings[1].text, "no data");
        assert_eq!(chart.readings[2].text, "200 ms /0, 100 ms /1");
        assert_eq!(chart.readings[2].lines[1].role, Role::series(1));
    }

    #[test]
    fn c1_exemplars_lie_where_they_were_observed_and_lead_to_their_traces() {
        let mut asked = answer(MetricKind::Histogram, "s", "p95", &[&[Some(0.4), Some(0.4)]]);
        let trace_id = "0af7651916cd43dd8448eb211c80319c".parse().unwrap();
        let dot = |seconds, value| ExemplarDot { time: Timestamp::from_seconds(seconds), value, trace_id };
        asked.exemplars = vec![dot(30, 0.42), dot(90, 9.0)];
        let chart = lines(&asked);
        assert!((chart.dots[0].at.0 - 0.25).abs() < 1e-9 && !chart.dots[0].is_beyond);
        assert!((chart.dots[1].at.1 - 1.0).abs() < 1e-9 && chart.dots[1].is_beyond);
        assert_eq!(chart.dots[1].href, "/traces/0af7651916cd43dd8448eb211c80319c");
        assert_eq!(chart.dots[1].label, "9 s, trace 0af7651916cd43dd8448eb211c80319c");
        // Among rates an observation has no place.
        asked.aggregate = "rate".to_owned();
        assert_eq!(lines(&asked).dots, []);
    }

    #[test]
    fn c1_axes_begin_at_zero_unless_readings_keep_far_from_it() {
        let bottom = |kind, values: &[Option<f64>]| lines(&answer(kind, "By", "avg", &[values])).y_ticks[0].label.clone();
        assert_eq!(bottom(MetricKind::Gauge, &[Some(10_000.0), Some(900.0)]), "0 B");
        assert_eq!(bottom(MetricKind::Gauge, &[Some(1_048_576.0 * 100.0), Some(1_048_576.0 * 98.0)]), "98 MiB");
        assert_eq!(lines(&answer(MetricKind::Sum, "1", "rate", &[&[Some(0.0)]])).y_ticks.len(), 3);
        assert_eq!(lines(&answer(MetricKind::Sum, "1", "rate", &[])).readings, []);
    }
}
