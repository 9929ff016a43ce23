//! Metrics: which there are, and what they showed.
//!
//! A question is answered from the dictionary of series and the segments of points, newest first; segments whose filter does not
//! hold the metric's name are passed over, and of the others the rows of the wanted series alone are read. A question that would
//! take too many of them is refused with what to narrow.

mod advice;
mod indicator;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use slowburn_domain::metric::aggregate::{Aggregate, Grid, HOLDS_SECONDS, Line};
use slowburn_domain::metric::answer::{ExemplarDot, ListedMetric, MetricAnswer, MetricLine, MetricsPage};
use slowburn_domain::metric::{Metric, Point, Series};
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::query::FieldFault;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::signal::{Signal, Telemetry};
use slowburn_domain::span::Value;
use slowburn_domain::time::Timestamp;
use slowburn_storage::metric::{self, Listed};
use slowburn_storage::segment::{Bloom, decode_series};
use slowburn_storage::trace::{self, SegmentQuery, last_segment_id};
use sqlx::PgConnection;

use crate::filter::{Field, Filter};
use crate::ingest::Overflow;
use crate::segments::{AT_ONCE, MOST_STEP, matching, possible};
use crate::{Backend, Error, Result};

/// Most series of one answer.
const MOST_SERIES: usize = 20_000;
/// Most points of one answer.
const MOST_POINTS: usize = 1_000_000;
/// Metrics listed at once.
pub const MOST_LISTED: usize = 1_000;
/// Lines of the page's chart.
const PAGE_LINES: usize = 12;
/// Records may come this far ahead of our clock, and then lie in a slot before their time; minutes.
const AHEAD_MINUTES: i32 = 10;

impl Backend {
    /// Metrics that were active from an instant on, by name, at most [`MOST_LISTED`], and whether there are more.
    ///
    /// # Errors
    /// The database.
    pub async fn list_metrics(&self, q: Option<&str>, service: Option<&str>, from: Timestamp) -> Result<(Vec<ListedMetric>, bool)> {
        let words: Vec<String> = q.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        let limit = MOST_LISTED as i64 + 1;
        let mut connection = self.0.pool.acquire().await?;
        let buckets = self.0.settings.bucket_numbers();
        let mut found = metric::list(&mut connection, &buckets, self.slot_before(from), &words, service, limit).await?;
        let is_cut = found.len() > MOST_LISTED;
        found.truncate(MOST_LISTED);
        let listed = found.into_iter().map(|Listed { metric, services, series }| ListedMetric { metric, services, series });
        Ok((listed.collect(), is_cut))
    }

    /// The slot in which the oldest record of an instant can lie.
    pub(crate) fn slot_before(&self, at: Timestamp) -> i32 {
        self.0.settings.slot_of(at.minute().plus(-AHEAD_MINUTES))
    }

    /// Answers a question to a metric, with `most_lines` lines at most.
    ///
    /// # Errors
    /// There is no such metric; the question does not fit it, or is too large; the database.
    pub async fn ask_metric(&self, query: &MetricQuery, most_lines: usize, now: Timestamp) -> Result<MetricAnswer> {
        let name = query.name.as_deref().ok_or_else(|| Error::field("name", "missing"))?;
        let filter = query.filter.as_deref().map(|text| Filter::compile(text, Signal::Metrics)).transpose();
        let filter = filter.map_err(|fault| Error::field("filter", fault.to_string()))?;
        if filter.as_ref().is_some_and(|filter| filter.reach().fields.contains(&Field::Value)) {
            return Err(Error::field("filter", "value is for indicators; a question narrows the series of a metric"));
        }
        let grid = query.grid(now).map_err(|fault| Error::Invalid(vec![fault]))?;
        let since = grid.from.plus_seconds(-HOLDS_SECONDS);
        let mut tx = self.snapshot().await?;
        let buckets = self.0.settings.bucket_numbers();
        let most = MOST_SERIES as i64 + 1;
        let all = metric::series(&mut tx, &buckets, self.slot_before(since), name, query.service.as_deref(), most).await?;
        if all.len() > MOST_SERIES {
            return Err(Error::field("name", format!("more than {MOST_SERIES} series; ask for one service or a shorter range")));
        }
        let (metric, all, other_forms) = main_form(all).ok_or_else(|| Error::NotFound { kind: "metric", name: name.to_owned() })?;
        let aggregate = match query.aggregate.as_deref().map(str::parse::<Aggregate>) {
            None => Aggregate::of(&metric),
            Some(Ok(aggregate)) if aggregate.fits(&metric) => aggregate,
            Some(_) => {
                let choices: Vec<String> = Aggregate::choices(&metric).iter().map(ToString::to_string).collect();
                let reason = format!("{} is a {}; ask for {}", metric.name, metric.kind.as_str(), choices.join(", "));
                return Err(Error::field("aggregate", reason));
            }
        };
        let keys = keys_of(&all);
        let series: HashMap<i64, Series> = all
            .into_iter()
            .filter(|series| filter.as_ref().is_none_or(|filter| filter.matches(series)))
            .map(|series| (series.id, series))
            .collect();
        let wanted = Arc::new(series.keys().copied().collect::<HashSet<i64>>());
        let points = self.points_of(&mut tx, name, query.service.as_deref(), wanted, since, grid.to(), now).await?;
        drop(tx);
        let group_by = query.group_by.clone();
        let question = Question { metric, aggregate, grid, group_by, most_lines };
        let answer = tokio::task::spawn_blocking(move || question.answer(&series, points));
        let answer = answer.await.map_err(|fault| Error::Internal(Box::new(fault)))?;
        Ok(MetricAnswer { keys, other_forms, ..answer })
    }

    /// Points of some series of a metric, in order of series and time, each once.
    #[expect(clippy::too_many_arguments, reason = "one call, and a struct for it would say the same")]
    async fn points_of(
        &self,
        connection: &mut PgConnection,
        name: &str,
        service: Option<&str>,
        wanted: Arc<HashSet<i64>>,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Point>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let conditions = SegmentQuery {
            signal: Telemetry::Metrics,
            service,
            errors_only: false,
            from: Some(from),
            to: Some(to.plus_nanos(1)),
            up_to_segment: last_segment_id(now),
        };
        let extents = trace::segments(connection, &self.0.settings.bucket_numbers(), &conditions).await?;
        let hashes = [Bloom::word(name)];
        let name: Arc<str> = name.into();
        let mut points: Vec<Point> = Vec::new();
        let mut rest = extents.as_slice();
        while !rest.is_empty() {
            let (step, later) = rest.split_at(MOST_STEP.max(AT_ONCE).min(rest.len()));
            rest = later;
            let candidates = possible(connection, step, &hashes).await?;
            let (wanted, name) = (Arc::clone(&wanted), Arc::clone(&name));
            points.extend(
                matching(connection, &candidates, move |body, id| {
                    decode_series(body, id, &name, |series| wanted.contains(&series), from, to)
                })
                .await?,
            );
            if points.len() > MOST_POINTS {
                return Err(Error::field("from", format!("more than {MOST_POINTS} points; ask for a shorter range or fewer series")));
            }
        }
        points.sort_unstable_by_key(|point| (point.series, point.time));
        points.dedup_by_key(|point| (point.series, point.time));
        Ok(points)
    }

    /// The Metrics page. Faults of single parameters are shown beside what could be read.
    ///
    /// # Errors
    /// The database.
    pub async fn metrics_page(&self, query: MetricQuery, mut faults: Vec<FieldFault>, now: Timestamp) -> Result<MetricsPage> {
        let from = query.grid(now).map_or(now.plus_seconds(-3_600), |grid| grid.from);
        let (metrics, is_cut) = self.list_metrics(query.q.as_deref(), None, from).await?;
        let services: BTreeSet<&String> = metrics.iter().flat_map(|listed| &listed.services).collect();
        let services = services.into_iter().cloned().collect();
        let answer = if query.name.is_some() { Some(self.ask_metric(&query, PAGE_LINES, now).await) } else { None };
        let answer = match answer.transpose() {
            Ok(answer) => answer,
            Err(Error::Invalid(more)) => {
                faults.extend(more);
                None
            }
            Err(Error::NotFound { .. }) => {
                faults.push(FieldFault::new("name", "no metric of this name in this range"));
                None
            }
            Err(fault) => return Err(fault),
        };
        let choices = answer.as_ref().map(|answer| Aggregate::choices(&answer.metric).iter().map(ToString::to_string).collect());
        let overflows = self.0.ingest.overflows().into_iter().map(|(Overflow { service, metric }, points)| (service, metric, points));
        let overflows = overflows.collect();
        let views = self.saved_views(SearchPage::Metrics).await?;
        let choices = choices.unwrap_or_default();
        Ok(MetricsPage { now, query, faults, metrics, is_cut, services, answer, choices, overflows, views })
    }

    /// Counts the series that were active before this process started.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn know_series(&self) -> Result<()> {
        let slot = self.0.settings.slot_of(self.0.clock.now().minute());
        let mut connection = self.0.pool.acquire().await?;
        let active = metric::active(&mut connection, &self.0.settings.bucket_numbers(), slot).await?;
        self.0.ingest.know_series(slot, active);
        Ok(())
    }
}

/// The form and unit that most series of a name have, those series, and how many other forms there are.
fn main_form(all: Vec<Series>) -> Option<(Metric, Vec<Series>, usize)> {
    let form = |series: &Series| (series.metric.kind, series.metric.unit.clone(), series.metric.is_counting());
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for series in &all {
        *counts.entry(form(series)).or_default() += 1;
    }
    let main = counts.iter().max_by_key(|(_, count)| **count).map(|(main, _)| main.clone())?;
    let own: Vec<Series> = all.into_iter().filter(|series| form(series) == main).collect();
    let metric = own.first()?.metric.as_ref().clone();
    Some((metric, own, counts.len() - 1))
}

/// The value of a series by which it may be grouped.
fn label<'a>(series: &'a Series, key: &str) -> Option<&'a Value> {
    let find = |pairs: &'a [(String, Value)], key: &str| pairs.iter().find(|(own, _)| own == key).map(|(_, value)| value);
    find(&series.attributes, key).or_else(|| key.strip_prefix("resource.").and_then(|key| find(&series.source.resource, key)))
}

fn label_text(series: &Series, key: &str) -> String {
    if key == "service" {
        return series.source.service.clone();
    }
    label(series, key).map(ToString::to_string).unwrap_or_default()
}

/// What series can be grouped by, with how many values each has: what tells at least two of them apart first.
fn keys_of(all: &[Series]) -> Vec<(String, usize)> {
    let mut values: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for series in all {
        values.entry("service".to_owned()).or_default().insert(series.source.service.clone());
        for (key, value) in &series.attributes {
            values.entry(key.clone()).or_default().insert(value.to_string());
        }
        for (key, value) in series.source.resource.iter().filter(|(key, _)| key != "service.name") {
            values.entry(format!("resource.{key}")).or_default().insert(value.to_string());
        }
    }
    let mut keys: Vec<(String, usize)> = values.into_iter().map(|(key, values)| (key, values.len())).collect();
    keys.sort_by_key(|(key, values)| (*values < 2, key.starts_with("resource."), key.clone()));
    keys
}

/// A question whose points are at hand.
struct Question {
    metric: Metric,
    aggregate: Aggregate,
    grid: Grid,
    group_by: Vec<String>,
    most_lines: usize,
}

impl Question {
    fn answer(self, series: &HashMap<i64, Series>, points: Vec<Point>) -> MetricAnswer {
        let Self { metric, aggregate, grid, group_by, most_lines } = self;
        let mut groups: BTreeMap<Vec<String>, Line> = BTreeMap::new();
        let mut used = 0;
        for own in points.chunk_by(|a, b| a.series == b.series) {
            let Some(series) = series.get(&own[0].series) else { continue };
            used += 1;
            let labels = group_by.iter().map(|key| label_text(series, key)).collect();
            groups.entry(labels).or_insert_with(|| Line::new(grid, aggregate)).add(&series.metric, own);
        }
        let mut lines: Vec<MetricLine> = groups
            .into_iter()
            .map(|(labels, line)| MetricLine { labels: group_by.iter().cloned().zip(labels).collect(), values: line.values() })
            .filter(|line| line.known().next().is_some())
            .collect();
        let size = |line: &MetricLine| line.known().map(f64::abs).fold(0.0, f64::max);
        lines.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let more_lines = lines.len().saturating_sub(most_lines);
        lines.truncate(most_lines);
        MetricAnswer {
            metric,
            aggregate: aggregate.to_string(),
            from: grid.from,
            step_seconds: grid.step_seconds,
            lines,
            more_lines,
            series: used,
            keys: Vec::new(),
            exemplars: exemplars(&points, grid),
            other_forms: 0,
        }
    }
}

/// Of each step the greatest observation that has a trace.
fn exemplars(points: &[Point], grid: Grid) -> Vec<ExemplarDot> {
    let mut greatest: BTreeMap<i64, ExemplarDot> = BTreeMap::new();
    let step = i64::from(grid.step_seconds) * 1_000_000_000;
    for exemplar in points.iter().flat_map(|point| &point.exemplars) {
        let Some(trace_id) = exemplar.trace_id.filter(|_| exemplar.time > grid.from && exemplar.time <= grid.to()) else { continue };
        let dot = ExemplarDot { time: exemplar.time, value: exemplar.value, trace_id };
        let known = greatest.entry((exemplar.time.since(grid.from) - 1) / step).or_insert_with(|| dot.clone());
        if dot.value > known.value {
            *known = dot;
        }
    }
    greatest.into_values().collect()
}
