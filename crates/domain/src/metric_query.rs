//! What a person asks a metric: read from the page's URL and the API's query string, and written back into links.

use serde::{Deserialize, Serialize};

use crate::metric::aggregate::{Aggregate, Grid};
use crate::query::{Bound, FieldFault, href_of, read_bound};
use crate::time::{Timestamp, format_duration, parse_duration};
use crate::url::decode_query;

/// Most steps of an answer.
pub const MOST_STEPS: usize = 1_000;
/// Steps of an answer, about, unless asked otherwise.
const STEPS: i64 = 120;
/// Lengths of steps that people can read on an axis, seconds.
const STEP_SECONDS: [u32; 14] = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];
/// Range unless asked otherwise, seconds.
const RANGE_SECONDS: i64 = 3_600;

/// A question to a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricQuery {
    /// Name of the metric; without it, which there are.
    pub name: Option<String>,
    /// Words of the names, units and descriptions to list.
    pub q: Option<String>,
    /// A condition in CEL on its series.
    pub filter: Option<String>,
    /// Series of this service.
    pub service: Option<String>,
    /// A line for each set of values of these: `service`, an attribute, or an attribute of the resource as `resource.…`.
    pub group_by: Vec<String>,
    /// What is told, as [`Aggregate`] writes it.
    pub aggregate: Option<String>,
    /// Not before this bound.
    pub from: Option<Bound>,
    /// Before this bound.
    pub to: Option<Bound>,
    /// Length of a step, seconds.
    pub step_seconds: Option<u32>,
}

impl MetricQuery {
    /// Reads a raw query string. Empty parameters count as not given and foreign ones are passed over. Gives what could be
    /// read, and every fault found.
    pub fn parse(raw: &str) -> (Self, Vec<FieldFault>) {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw) {
            if value.is_empty() {
                continue;
            }
            let mut fault = |reason: String| faults.push(FieldFault::new(key.clone(), reason));
            match key.as_str() {
                "name" => query.name = Some(value),
                "q" => query.q = Some(value),
                "filter" => query.filter = Some(value),
                "service" => query.service = Some(value),
                "group_by" => query.group_by.extend(value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())),
                "aggregate" => match value.parse::<Aggregate>() {
                    Ok(aggregate) => query.aggregate = Some(aggregate.to_string()),
                    Err(()) => fault("expected rate, increase, sum, avg, min, max, or a percentile such as p95".to_owned()),
                },
                "from" | "to" => match read_bound(&value) {
                    Ok(bound) => *(if key == "from" { &mut query.from } else { &mut query.to }) = Some(bound),
                    Err(reason) => fault(reason.to_owned()),
                },
                "step" => {
                    match parse_duration(&value).ok().and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0) {
                        Some(seconds) => query.step_seconds = Some(seconds),
                        None => fault("expected a duration such as 30s or 5m".to_owned()),
                    }
                }
                _ => {}
            }
        }
        (query, faults)
    }

    /// The given parts as (parameter, value), in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut push = |key, value: Option<String>| pairs.extend(value.map(|value| (key, value)));
        push("name", self.name.clone());
        push("q", self.q.clone());
        push("filter", self.filter.clone());
        push("service", self.service.clone());
        push("group_by", (!self.group_by.is_empty()).then(|| self.group_by.join(",")));
        push("aggregate", self.aggregate.clone());
        push("from", self.from.map(|bound| bound.to_string()));
        push("to", self.to.map(|bound| bound.to_string()));
        push("step", self.step_seconds.map(|seconds| format_duration(seconds.into())));
        pairs
    }

    /// The link to the Metrics page with this question.
    pub fn href(&self) -> String {
        href_of("/metrics-explorer", &self.pairs())
    }

    /// The steps of the answer as of `now`: whole steps, the last one the first that ends at or after the end of the range.
    ///
    /// # Errors
    /// A range that ends before it begins, or has too many steps.
    pub fn grid(&self, now: Timestamp) -> Result<Grid, FieldFault> {
        let to = self.to.map_or(now, |bound| bound.at(now));
        let from = self.from.map_or_else(|| to.plus_seconds(-RANGE_SECONDS), |bound| bound.at(now));
        if to <= from {
            return Err(FieldFault::new("to", "must lie after from"));
        }
        let seconds = (to.since(from) / 1_000_000_000).max(1);
        let fitting = || STEP_SECONDS.into_iter().find(|step| i64::from(*step) * STEPS >= seconds);
        let step_seconds = self.step_seconds.or_else(fitting).unwrap_or(86_400);
        let step = i64::from(step_seconds);
        let first = from.seconds().div_euclid(step) * step;
        let last = to.plus_nanos(-1).seconds().div_euclid(step) * step;
        let steps = usize::try_from((last - first) / step + 1).unwrap_or(usize::MAX);
        if steps > MOST_STEPS {
            return Err(FieldFault::new(
                "step",
                format!("{steps} steps are more than {MOST_STEPS}; ask for longer ones or a shorter range"),
            ));
        }
        Ok(Grid { from: Timestamp::from_seconds(first), step_seconds, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000_030);

    #[test]
    fn c1_a_question_survives_its_url() {
        let raw = "name=http.server.request.duration&group_by=http.route,+service&aggregate=p99&filter=service+%3D%3D+%22a%22&from=-2h&step=5m&x=1";
        let (query, faults) = MetricQuery::parse(raw);
        assert_eq!(faults, []);
        assert_eq!(query.group_by, ["http.route", "service"]);
        let href = query.href();
        let (again, _) = MetricQuery::parse(href.split_once('?').expect("a query").1);
        assert_eq!(again, query);
        let (_, faults) = MetricQuery::parse("aggregate=median&step=0s&from=x");
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["aggregate", "step", "from"]);
    }

    #[test]
    fn c1_steps_are_whole_and_hold_the_range() {
        let grid = |raw: &str| MetricQuery::parse(raw).0.grid(NOW);
        let hour = grid("").expect("an hour");
        assert_eq!((hour.step_seconds, hour.steps), (30, 121));
        assert!(hour.from <= NOW.plus_seconds(-3_600) && hour.to() >= NOW && hour.from.seconds() % 30 == 0);
        assert_eq!(grid("from=-6h&step=10m").map(|grid| grid.steps), Ok(37));
        assert_eq!(grid("from=-1h&step=1s").map_err(|fault| fault.field), Err("step".to_owned()));
        assert_eq!(grid("from=-1h&to=-2h").map_err(|fault| fault.field), Err("to".to_owned()));
    }
}
