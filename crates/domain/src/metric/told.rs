//! What the Metrics page says in words.

use super::aggregate::Aggregate;
use super::answer::{MetricAnswer, MetricLine, MetricsPage};
use super::{Metric, MetricKind, Temporality};
use crate::metric_query::MetricQuery;
use crate::number::{grouped, long_duration};
use crate::query::Bound;
use crate::sentence::instant;
use crate::story::plural;
use crate::time::Timestamp;

/// Senders report this often, about: what they counted since is not known yet, seconds.
const REPORTED_SECONDS: i64 = 60;

/// What kind of metric it is, as people call it.
pub fn kind(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::Gauge => "gauge",
        MetricKind::Sum if metric.is_monotonic => "counter",
        MetricKind::Sum if metric.temporality == Temporality::Delta => "sum of changes",
        MetricKind::Sum => "up-down counter",
        MetricKind::Histogram => "histogram",
        MetricKind::ExponentialHistogram => "exponential histogram",
        MetricKind::Summary => "summary",
    }
}

/// What an aggregate tells.
pub fn aggregate(aggregate: Aggregate) -> String {
    match aggregate {
        Aggregate::Rate => "rate".to_owned(),
        Aggregate::Increase => "increase in each step".to_owned(),
        Aggregate::Sum => "sum".to_owned(),
        Aggregate::Average => "mean".to_owned(),
        Aggregate::Minimum => "least".to_owned(),
        Aggregate::Maximum => "greatest".to_owned(),
        Aggregate::Quantile(500) => "median".to_owned(),
        Aggregate::Quantile(thousandths) if thousandths % 10 == 0 => format!("{} percentile", ordinal(thousandths / 10)),
        Aggregate::Quantile(thousandths) => format!("{}th percentile", f64::from(thousandths) / 10.0),
    }
}

fn ordinal(number: u16) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What an answer shows: `95th percentile of http.server.request.duration, by http.route, over the last hour; 12 series.`
/// `offset_seconds` is how far the zone shown is ahead of UTC.
pub fn of_answer(query: &MetricQuery, answer: &MetricAnswer, offset_seconds: i32) -> String {
    let what = answer.aggregate.parse().map_or_else(|()| answer.aggregate.clone(), aggregate);
    let mut text = format!("{} of {}", capital(&what), answer.metric.name);
    if let Some(service) = &query.service {
        text.push_str(" in ");
        text.push_str(service);
    }
    if !query.group_by.is_empty() {
        text.push_str(", by ");
        text.push_str(&query.group_by.join(" and "));
    }
    if answer.lines.is_empty() {
        return format!("{text}: nothing is known in this time.");
    }
    let range = range(query, answer, offset_seconds);
    format!("{text}, {range}; {} series.", grouped(answer.series as u64))
}

/// With a capital letter, as a title.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn range(query: &MetricQuery, answer: &MetricAnswer, offset_seconds: i32) -> String {
    match (query.from.unwrap_or(Bound::Ago(3_600)), query.to) {
        (Bound::Ago(seconds), None | Some(Bound::Ago(0))) if seconds > 0 => match seconds {
            3_600 => "over the last hour".to_owned(),
            86_400 => "over the last day".to_owned(),
            604_800 => "over the last week".to_owned(),
            _ => format!("over the last {}", long_duration(seconds as f64)),
        },
        _ => format!("from {} to {}", instant(answer.from, offset_seconds), instant(answer.to(), offset_seconds)),
    }
}

/// How many metrics are listed, and by which words.
pub fn of_list(page: &MetricsPage) -> String {
    let listed = page.metrics.len() as u64;
    match (listed, &page.query.q) {
        (0, Some(_)) => "No metric that came in this time has all these words in its name, unit or description.".to_owned(),
        (0, None) => "No metric has come in this time.".to_owned(),
        (all, _) if page.is_cut => format!("More than {}; narrow them by words.", plural(all, "metric")),
        (all, Some(_)) => format!("{} with these words.", plural(all, "metric")),
        (all, None) => {
            let services = page.services.len() as u64;
            format!("{} of {}.", plural(all, "metric"), plural(services, "service"))
        }
    }
}

/// What an answer does not show.
pub fn left_out(answer: &MetricAnswer) -> Vec<String> {
    let mut told = Vec::new();
    if answer.more_lines > 0 {
        let more = answer.more_lines as u64;
        told.push(format!("{} left out, those with the smallest values; a filter brings them in.", are(more, "more line")));
    }
    if answer.other_forms > 0 {
        let others = answer.other_forms as u64;
        let (forms, are) = if others == 1 { ("another form or unit", "it is") } else { ("other forms or units", "they are") };
        told.push(format!("The same name is also sent in {forms}, which cannot be added to this one; {are} left out."));
    }
    told
}

fn are(count: u64, noun: &str) -> String {
    format!("{} {}", plural(count, noun), if count == 1 { "is" } else { "are" })
}

/// What was refused because a metric has too many series.
pub fn refused(service: &str, metric: &str, points: u64) -> String {
    format!(
        "{metric} of {service} has more series than are kept: {} of new series {} refused since the start. An attribute with ever new values is the usual cause.",
        plural(points, "point"),
        if points == 1 { "was" } else { "were" }
    )
}

impl MetricsPage {
    /// Whether nobody who looks for something in particular finds nothing: it is then told how to send a metric.
    pub const fn is_first(&self) -> bool {
        self.metrics.is_empty() && self.query.q.is_none() && self.query.name.is_none()
    }
}

impl MetricAnswer {
    /// When its last step ends.
    pub fn to(&self) -> Timestamp {
        let steps = self.lines.iter().map(|line| line.values.len()).max().unwrap_or_default();
        self.from.plus_seconds(i64::from(self.step_seconds) * steps as i64)
    }

    /// The same without the end of each line that counts what happened up to a moment within a step: what comes after it will be
    /// in the same step, so that the line would always seem to fall. A rate is of the time that is counted already.
    #[must_use]
    pub fn without_unfinished(mut self, now: Timestamp) -> Self {
        if self.aggregate.parse() != Ok(Aggregate::Increase) {
            return self;
        }
        let step = i64::from(self.step_seconds);
        for line in &mut self.lines {
            let Some(last) = line.values.iter().rposition(Option::is_some) else { continue };
            let end = self.from.plus_seconds(step * (last as i64 + 1));
            if end.plus_seconds(step.max(REPORTED_SECONDS)) > now {
                line.values[last] = None;
            }
        }
        self
    }
}

/// What is told of a line beside the chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineFigures {
    /// What it showed last.
    pub last: f64,
    /// The mean of its steps.
    pub mean: f64,
    /// The greatest of its steps.
    pub max: f64,
}

impl LineFigures {
    /// Of a line; nothing when nothing is known.
    pub fn of(line: &MetricLine) -> Option<Self> {
        let last = line.known().last()?;
        let mean = line.known().sum::<f64>() / line.known().count() as f64;
        Some(Self { last, mean, max: line.known().fold(f64::NEG_INFINITY, f64::max) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: Vec<Option<f64>>, aggregate: &str) -> MetricAnswer {
        let metric = Metric {
            name: "http.server.request.duration".to_owned(),
            unit: "s".to_owned(),
            description: String::new(),
            kind: MetricKind::Histogram,
            temporality: Temporality::Cumulative,
            is_monotonic: false,
        };
        MetricAnswer {
            metric,
            aggregate: aggregate.to_owned(),
            from: Timestamp::from_seconds(600),
            step_seconds: 60,
            lines: vec![MetricLine { labels: Vec::new(), values }],
            more_lines: 0,
            series: 12,
            keys: Vec::new(),
            exemplars: Vec::new(),
            other_forms: 0,
        }
    }

    #[test]
    fn c1_a_sentence_tells_what_is_shown() {
        let say = |raw: &str, aggregate: &str| of_answer(&MetricQuery::parse(raw).0, &answer(vec![Some(1.0); 2], aggregate), 0);
        assert_eq!(
            say("group_by=http.route", "p95"),
            "95th percentile of http.server.request.duration, by http.route, over the last hour; 12 series."
        );
        assert_eq!(
            say("service=shop&from=-90m&group_by=a,b", "rate"),
            "Rate of http.server.request.duration in shop, by a and b, over the last 1 h 30 min; 12 series."
        );
        assert_eq!(
            say("from=1970-01-01T00:10:00Z&to=1970-01-01T00:12:00Z", "p50"),
            "Median of http.server.request.duration, from 1970-01-01 00:10:00 UTC to 1970-01-01 00:12:00 UTC; 12 series."
        );
        let words = |word: &str| word.parse().map(aggregate);
        assert_eq!(words("p99.9"), Ok("99.9th percentile".to_owned()));
        assert_eq!(words("p1"), Ok("1st percentile".to_owned()));
        assert_eq!(words("p12"), Ok("12th percentile".to_owned()));
    }

    #[test]
    fn c1_an_increase_does_not_seem_to_fall_at_its_end() {
        let known = |answer: MetricAnswer, now: i64| answer.without_unfinished(Timestamp::from_seconds(now)).lines[0].values.clone();
        let full = vec![Some(2.0), Some(2.0), Some(1.0), None];
        // The last reading lies in the third step, 720 to 780.
        assert_eq!(known(answer(full.clone(), "increase"), 790), [Some(2.0), Some(2.0), None, None]);
        // What ended long ago has ended.
        assert_eq!(known(answer(full.clone(), "increase"), 10_000), full);
        assert_eq!(known(answer(full.clone(), "rate"), 790), full);
    }

    #[test]
    fn c1_figures_of_a_line_pass_over_its_gaps() {
        let line = |values| LineFigures::of(&answer(values, "p95").lines[0]);
        assert_eq!(line(vec![None, Some(1.0), None, Some(5.0), Some(3.0), None]), Some(LineFigures { last: 3.0, mean: 3.0, max: 5.0 }));
        assert_eq!(line(vec![None]), None);
    }

    #[test]
    fn c1_what_is_left_out_is_told() {
        let told = left_out(&MetricAnswer { more_lines: 3, other_forms: 1, ..answer(Vec::new(), "rate") });
        assert_eq!(told[0], "3 more lines are left out, those with the smallest values; a filter brings them in.");
        assert_eq!(told[1], "The same name is also sent in another form or unit, which cannot be added to this one; it is left out.");
        assert!(refused("shop", "visits", 1).contains("1 point of new series was refused"));
    }
}
