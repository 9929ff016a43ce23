//! Reading SLOs: their counts, judged by `domain`. The cost depends on the windows, not on the traffic.

use std::sync::Arc;

use slowburn_domain::history::history;
use slowburn_domain::query::{Bound, FieldFault};
use slowburn_domain::slo::{
    Counts, Evaluation, Ledger, OTHER, Objective, SeriesPoint, Window, evaluate, evaluate_briefly, group_name, hourly_burn_rates,
    hours_excluded_in_part, series, series_first_hour, series_hours_needing_minutes, united,
};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::view::{Groups, SloPage, SloRow};
use slowburn_storage::rollup;

use super::tallies::{Need, Reader};
use super::{KnownSlo, groups};
use crate::openslo::masked;
use crate::{Backend, Error, Result};

/// Hours of the sparkline.
const SPARKLINE_HOURS: i32 = 24;
/// About how many steps a chart has.
const CHART_STEPS: i32 = 240;
/// Most steps that a series may have.
const MOST_STEPS: i32 = 11_000;
/// Steps that a chart may have, minutes.
const CHART_STEP_MINUTES: [i32; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];
/// Groups shown on an SLO's page.
const GROUPS: usize = 10;
/// Incidents shown on an SLO's page.
const INCIDENTS: u16 = 10;
/// Versions and exclusions shown on an SLO's page, of each.
const HISTORY: usize = 20;
/// Bad traces shown on an SLO's page.
const BAD_TRACES: u16 = 20;

/// Whether the range of the time to exhaustion is wanted.
#[derive(Clone, Copy)]
enum Range {
    Told,
    None,
}

/// One SLO and how it stands.
#[derive(Clone, Debug)]
pub struct SloReport {
    /// The SLO.
    pub slo: Arc<KnownSlo>,
    /// How it stands.
    pub evaluation: Evaluation,
}

impl Backend {
    /// Every SLO and every group, worst first.
    ///
    /// # Errors
    /// The database.
    pub async fn slos(&self, now: Timestamp) -> Result<Vec<SloReport>> {
        self.judged(self.book().all().cloned().collect(), now).await
    }

    /// Some SLOs, worst first.
    pub(crate) async fn judged(&self, slos: Vec<Arc<KnownSlo>>, now: Timestamp) -> Result<Vec<SloReport>> {
        let rows = self.evaluated(self.reader(), slos, now, Range::None, |_, _| ()).await?;
        Ok(rows.into_iter().map(|(slo, evaluation, ())| SloReport { slo, evaluation }).collect())
    }

    /// One SLO.
    ///
    /// # Errors
    /// There is none of that name; the database.
    pub async fn slo(&self, name: &str, now: Timestamp) -> Result<SloReport> {
        let book = self.book();
        let reader = self.reader();
        let rows = self.evaluated(reader, vec![book.get(name)?], now, Range::Told, |_, _| ()).await?;
        let row = rows.into_iter().next().map(|(slo, evaluation, ())| SloReport { slo, evaluation });
        let mut report = row.ok_or_else(|| Error::NotFound { kind: "SLO", name: name.to_owned() })?;
        if let Ok(other) = book.get(&group_name(name, OTHER)) {
            let other = self.evaluated(reader, vec![other], now, Range::None, |_, _| ()).await?;
            groups::add_lint(&report.slo, &mut report.evaluation, |_| other.first().map(|(_, evaluation, ())| evaluation));
        }
        Ok(report)
    }

    /// The groups of an SLO, worst first; none of one that is not grouped.
    ///
    /// # Errors
    /// The database.
    pub async fn groups_of(&self, name: &str, now: Timestamp) -> Result<Vec<SloReport>> {
        self.judged(self.book().groups_of(name).cloned().collect(), now).await
    }

    /// Every one of `slos` judged, worst first, with what `look` takes from its counts.
    async fn evaluated<T: Send>(
        &self,
        reader: Reader,
        slos: Vec<Arc<KnownSlo>>,
        now: Timestamp,
        range: Range,
        look: impl Fn(&KnownSlo, &[Ledger]) -> T + Send + Sync,
    ) -> Result<Vec<(Arc<KnownSlo>, Evaluation, T)>> {
        let minute = now.minute();
        let needs: Vec<Vec<Need>> = slos
            .iter()
            .map(|slo| {
                let period = slo.period(minute);
                needs(slo, minute, |objective| {
                    let from_hour = Ledger::first_hour(minute, period, objective).min(minute.hour() - SPARKLINE_HOURS);
                    (from_hour, Ledger::hours_needing_minutes(minute, period, objective))
                })
            })
            .collect();
        let mut rows = Vec::with_capacity(slos.len());
        let judge = |slo: &Arc<KnownSlo>, ledgers: &[Ledger]| {
            let basis = slo.basis(ledgers);
            let evaluation = match range {
                Range::Told => evaluate(&slo.objective, basis, slo.period(minute), minute),
                Range::None => evaluate_briefly(&slo.objective, basis, slo.period(minute), minute),
            };
            rows.push((Arc::clone(slo), evaluation, look(slo, ledgers)));
        };
        self.show_each(reader, &slos, needs, judge).await?;
        rows.sort_by(|(a, x, _), (b, y, _)| {
            let left = |e: &Evaluation| e.budget.remaining_ratio.unwrap_or(f64::INFINITY);
            y.alert.severity().cmp(&x.alert.severity()).then(left(x).total_cmp(&left(y))).then(a.objective.name.cmp(&b.objective.name))
        });
        Ok(rows)
    }

    /// Shows each of `slos` with the counts of its leaves, of which `needs` tells what is needed.
    async fn show_each(
        &self,
        reader: Reader,
        slos: &[Arc<KnownSlo>],
        needs: Vec<Vec<Need>>,
        mut show: impl FnMut(&Arc<KnownSlo>, &[Ledger]) + Send,
    ) -> Result<()> {
        let counts: Vec<usize> = needs.iter().map(Vec::len).collect();
        let mut ledgers = Vec::new();
        let mut turns = slos.iter().zip(counts);
        let mut turn = turns.next();
        let gather = |_: usize, ledger: Ledger| {
            ledgers.push(ledger);
            if let Some((slo, count)) = turn.filter(|(_, count)| *count == ledgers.len()) {
                debug_assert_eq!(count, ledgers.len());
                if slo.group.is_some()
                    && let (Some(whole), Some(own)) = (ledgers.pop(), ledgers.pop())
                {
                    ledgers.push(own.heard_as(&whole));
                }
                show(slo, &ledgers);
                ledgers.clear();
                turn = turns.next();
            }
        };
        self.show_ledgers(reader, &needs.concat(), gather).await
    }

    /// Counts, burn rate and remaining budget per step. Without bounds over the SLO's window until now; without step in
    /// one that makes about 240 of them.
    ///
    /// # Errors
    /// There is no such SLO; bounds or step that make no sense; the database.
    pub async fn slo_series(
        &self,
        name: &str,
        from: Option<Bound>,
        to: Option<Bound>,
        step_seconds: Option<u64>,
        now: Timestamp,
    ) -> Result<(u32, Vec<SeriesPoint>)> {
        self.series_of(self.reader(), &self.book().get(name)?, from, to, step_seconds, now).await
    }

    async fn series_of(
        &self,
        reader: Reader,
        slo: &Arc<KnownSlo>,
        from: Option<Bound>,
        to: Option<Bound>,
        step_seconds: Option<u64>,
        now: Timestamp,
    ) -> Result<(u32, Vec<SeriesPoint>)> {
        let (from, to, step) = range(slo, from, to, step_seconds, now)?;
        let period_at = |minute| slo.period(minute);
        let needs = needs(slo, to, |objective| {
            let minute_hours = series_hours_needing_minutes(objective.budgeting_method, period_at, from, to, step);
            (series_first_hour(period_at, from), minute_hours)
        });
        let mut points = Vec::new();
        let draw = |slo: &Arc<KnownSlo>, ledgers: &[Ledger]| points = series(&slo.objective, slo.basis(ledgers), period_at, from, to, step);
        self.show_each(reader, std::slice::from_ref(slo), vec![needs], draw).await?;
        Ok((step * 60, points))
    }

    /// Every SLO as lists show it, worst first; or every group of one.
    pub(crate) async fn slo_rows(&self, group_of: Option<&str>, now: Timestamp) -> Result<Vec<(Arc<KnownSlo>, SloRow)>> {
        let book = self.book();
        let known: Vec<Arc<KnownSlo>> = match group_of {
            Some(name) => book.groups_of(name).cloned().collect(),
            None => book.all().cloned().collect(),
        };
        let slos = self.evaluated(self.reader(), known, now, Range::None, |slo, ledgers| sparkline(slo, ledgers, now)).await?;
        let rows: Vec<_> = slos.into_iter().map(|(slo, evaluation, line)| (Arc::clone(&slo), row_of((slo, evaluation, line)))).collect();
        if group_of.is_some() {
            return Ok(rows);
        }
        let (groups, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(slo, _)| slo.group.is_some());
        for (slo, row) in rows.iter_mut().filter(|(slo, _)| slo.grouping.is_some()) {
            let own = groups.iter().filter(|(group, _)| group.base_name() == slo.objective.name);
            row.groups = Some(groups::tally(own.map(|(_, row)| &row.evaluation)));
        }
        Ok(rows)
    }

    /// The groups of an SLO for its page, if it has any; adds to its `row` what they say of it.
    async fn groups_shown(&self, slo: &KnownSlo, row: &mut SloRow, now: Timestamp) -> Result<Option<Groups>> {
        let Some(grouping) = &slo.grouping else { return Ok(None) };
        let mut rows: Vec<SloRow> = self.slo_rows(Some(&slo.objective.name), now).await?.into_iter().map(|(_, row)| row).collect();
        row.groups = Some(groups::tally(rows.iter().map(|row| &row.evaluation)));
        groups::add_lint(slo, &mut row.evaluation, |name| rows.iter().find(|row| row.objective.name == name).map(|row| &row.evaluation));
        let all = rows.len();
        rows.truncate(GROUPS);
        Ok(Some(Groups { by: grouping.group_by.by.source().to_owned(), cap: grouping.group_by.cap, all, worst: rows }))
    }

    /// One SLO as lists show it.
    pub(crate) async fn slo_row(&self, slo: &Arc<KnownSlo>, now: Timestamp) -> Result<SloRow> {
        let row =
            self.evaluated(self.reader(), vec![Arc::clone(slo)], now, Range::None, |slo, ledgers| sparkline(slo, ledgers, now)).await?;
        row.into_iter().next().map(row_of).ok_or(Error::Unavailable("the SLO is being changed"))
    }

    /// One SLO with its series, its incidents and its bad traces.
    ///
    /// # Errors
    /// There is none of that name; bounds that make no sense; the database.
    pub async fn slo_page(&self, name: &str, from: Option<Bound>, to: Option<Bound>, now: Timestamp) -> Result<SloPage> {
        let slo = self.book().get(name)?;
        let reader = self.reader();
        let evaluated = self.evaluated(reader, vec![Arc::clone(&slo)], now, Range::Told, |slo, ledgers| {
            (sparkline(slo, ledgers, now), young_start(slo, ledgers, now))
        });
        let (known, evaluation, (sparkline, young_start)) =
            evaluated.await?.into_iter().next().ok_or(Error::Unavailable("the SLO is being changed"))?;
        let shown_from = from.or(young_start);
        let mut row = row_of((known, evaluation, sparkline));
        let groups = self.groups_shown(&slo, &mut row, now).await?;
        let (step_seconds, series) = self.series_of(reader, &slo, shown_from, to, None, now).await?;
        let indicator = slo.indicator();
        let (first, last) = (from.map_or(Timestamp::from_nanos(0), |from| from.at(now)), to.map_or(now, |to| to.at(now)).plus_seconds(600));
        let bad_traces = self.bad_traces(&slo, first, last, BAD_TRACES).await?;
        let backfill = self.backfill_progress(&slo).await?;
        let estimated_to = self.estimated_to(&slo, now).await?;
        let source = self.external_source(&slo).await?;
        let incidents = self.incidents(Some(name), None, None, INCIDENTS).await?;
        let mut versions = self.slo_versions(name).await.or_else(|error| match error {
            // One that was applied before versions were kept.
            Error::NotFound { .. } => Ok(Vec::new()),
            other => Err(other),
        })?;
        versions.truncate(HISTORY);
        let mut exclusions = self.exclusions(Some(name)).await?;
        exclusions.truncate(HISTORY);
        let history = history(name, &incidents, &versions, &exclusions);
        let definition = masked(&slo.document);
        Ok(SloPage {
            now,
            row,
            step_seconds,
            series,
            indicator,
            source,
            groups,
            backfill,
            estimated_to,
            incidents,
            history,
            bad_traces,
            definition,
        })
    }

    /// All-time good and total counts of every SLO that counts events of its own, for the metrics page.
    ///
    /// # Errors
    /// The database.
    pub async fn slo_totals(&self) -> Result<Vec<(Arc<KnownSlo>, Counts)>> {
        let book = self.book();
        let own: Vec<&Arc<KnownSlo>> = book.all().filter(|slo| slo.parts.is_empty()).collect();
        let ids: Vec<i32> = own.iter().map(|slo| slo.sli_id).collect();
        let mut connection = self.0.pool.acquire().await?;
        let totals = rollup::totals(&mut connection, &self.0.settings.bucket_numbers(), &ids).await?;
        Ok(own.into_iter().map(|slo| (Arc::clone(slo), totals.get(&slo.sli_id).copied().unwrap_or_default())).collect())
    }
}

/// What it takes to know the counts of an SLO's leaves to a minute; `asked` tells from which hour on, and the hours with minutes,
/// for an objective that counts as a leaf does and alerts as the SLO does.
fn needs(slo: &KnownSlo, last: Minute, asked: impl Fn(&Objective) -> (i32, Vec<i32>)) -> Vec<Need> {
    let leaves = slo.leaves();
    let need = |leaf: &&KnownSlo| {
        let (from_hour, mut minute_hours) = if slo.parts.is_empty() {
            asked(&slo.objective)
        } else {
            asked(&Objective { alerting: slo.objective.alerting.clone(), ..leaf.objective.clone() })
        };
        let first = Minute(from_hour.saturating_mul(60));
        let mut excluded = leaf.excluded(first, last);
        if !slo.parts.is_empty() {
            excluded = united(excluded.into_iter().chain(slo.excluded(first, last)).collect());
        }
        if !excluded.is_empty() {
            minute_hours.extend(hours_excluded_in_part(&excluded));
            minute_hours.sort_unstable();
            minute_hours.dedup();
        }
        Need { sli_id: leaf.sli_id, from_hour, minute_hours, excluded }
    };
    let mut needs: Vec<Need> = leaves.iter().map(need).collect();
    if let (Some(group), Some(own)) = (&slo.group, needs.first()) {
        // Of the whole it is asked when it was heard from, which hours tell.
        let whole = Need { sli_id: group.whole, from_hour: own.from_hour, minute_hours: Vec::new(), excluded: Vec::new() };
        needs.push(whole);
    }
    needs
}

fn row_of((slo, evaluation, sparkline): (Arc<KnownSlo>, Evaluation, Vec<Option<f64>>)) -> SloRow {
    SloRow { objective: slo.objective.clone(), evaluation, sparkline, groups: None }
}

/// Burn rate of each of the last hours.
fn sparkline(slo: &KnownSlo, ledgers: &[Ledger], now: Timestamp) -> Vec<Option<f64>> {
    let minute = now.minute();
    hourly_burn_rates(&slo.objective, slo.basis(ledgers), slo.period(minute), SPARKLINE_HOURS, minute)
}

/// Where the charts of an SLO younger than its window begin: with its first record, but an hour ago at the latest.
fn young_start(slo: &KnownSlo, ledgers: &[Ledger], now: Timestamp) -> Option<Bound> {
    let now = now.minute();
    let begin = slo.period(now).first;
    if ledgers.iter().any(Ledger::seen_before) {
        return None;
    }
    let first = ledgers.iter().filter_map(|ledger| ledger.first_seen(begin, now)).min()?;
    (first > begin.plus(60)).then(|| Bound::At(first.min(now.plus(-59)).start()))
}

/// First and last minute and step in minutes of a series; the first minute is a multiple of the step.
fn range(
    slo: &KnownSlo,
    from: Option<Bound>,
    to: Option<Bound>,
    step_seconds: Option<u64>,
    now: Timestamp,
) -> Result<(Minute, Minute, u32)> {
    let to = to.map_or(now, |to| to.at(now)).minute();
    // A calendar's period that has just begun is shown with the day before.
    let from = from.map_or_else(
        || slo.period(to).first.min(Window::days(1).first_minute(to)).max(slo.period(to).trailing().first_minute(to)),
        |from| from.at(now).minute(),
    );
    if from > to {
        return Err(Error::field("from", "must not be later than `to`"));
    }
    let length = to.0.saturating_sub(from.0).saturating_add(1);
    let slice = slo.objective.budgeting_method.slice_minutes().and_then(|minutes| i32::try_from(minutes).ok()).unwrap_or(1);
    let step = match step_seconds {
        Some(seconds) if seconds > 0 && seconds.is_multiple_of(60) => {
            i32::try_from(seconds / 60).map_err(|_| Error::field("step", "too long"))?
        }
        Some(_) => return Err(Error::field("step", "expected whole minutes, such as 5m or 1h")),
        // A step shorter than a slice would hold none.
        None => CHART_STEP_MINUTES.into_iter().find(|step| length / step <= CHART_STEPS && step % slice == 0).unwrap_or(1_440),
    };
    if length / step > MOST_STEPS {
        return Err(Error::Invalid(vec![FieldFault::new(
            "step",
            format!("{} steps; at most {MOST_STEPS} fit in one answer", length / step),
        )]));
    }
    Ok((Minute(from.0.div_euclid(step) * step), to, step.cast_unsigned()))
}
