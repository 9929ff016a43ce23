//! The SLOs in force, compiled: read once, kept in memory, read again when their version in the database changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use slowburn_domain::sentence;
use slowburn_domain::slo::{Basis, ExclusionScope, Ledger, Objective, Part, Period, TimeWindow, WhenDelayed, group_name};
use slowburn_domain::time::Minute;
use slowburn_domain::view::Indicator;
use slowburn_storage::{exclusion, group, slo};
use sqlx::PgConnection;

use super::calendar::Calendar;
use super::exclusions::Recurrence;
use super::plan;
use crate::filter::{Filter, Signal};
use crate::ingest::{Grouping, Sli, SliSet};
use crate::openslo::{CompositePart, GroupBy, IndicatorSource};
use crate::{Backend, Error, Result};

/// One SLO in force.
#[derive(Clone, Debug)]
pub struct KnownSlo {
    /// The promise.
    pub objective: Objective,
    /// The periods of its window, if it follows a calendar.
    pub calendar: Option<Calendar>,
    /// What is counted.
    pub source: IndicatorSource,
    /// Labels of its document.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What its budget leaves out.
    pub(crate) exclusions: Vec<Arc<Recurrence>>,
    /// What it is made of, if of others.
    pub parts: Vec<KnownPart>,
    /// How its events are grouped, if each value has a budget of its own.
    pub grouping: Option<KnownGrouping>,
    /// Of what it is a group, if it is one.
    pub group: Option<KnownGroup>,
    /// Its document.
    pub document: String,
    /// Key of its counts; one that is made of others has none under it.
    pub sli_id: i32,
    /// Version of the SLI set from which on it is counted at the door.
    pub since_version: i32,
}

/// How the events of an SLO are grouped.
#[derive(Clone, Debug)]
pub struct KnownGrouping {
    /// What tells the group of an event, and how many there may be.
    pub group_by: GroupBy,
    /// Keys of the groups' counts by value.
    pub groups: Arc<BTreeMap<String, i32>>,
    /// Version of the SLI set from which on groups are counted at the door.
    pub(crate) since_version: i32,
}

/// What a group is a group of.
#[derive(Clone, Debug)]
pub struct KnownGroup {
    /// Name of the SLO.
    pub of: String,
    /// The value that its events have in common.
    pub value: String,
    /// Key of the counts of the whole: its source is alive when that of the whole is.
    pub(crate) whole: i32,
}

/// An SLO in another.
#[derive(Clone, Debug)]
pub struct KnownPart {
    /// How much it counts in relation to the others.
    pub weight: f64,
    /// What time without news of it counts as.
    pub when_delayed: WhenDelayed,
    /// The SLO.
    pub slo: Arc<KnownSlo>,
}

/// Where the counts of before an SLO was applied come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Nowhere: what it counts is not known here.
    None,
    /// From the RED rollup, which knows all that it looks at.
    Red,
    /// From stored segments.
    Segments,
}

impl Past {
    /// Where the past of an indicator comes from.
    pub fn of(source: &IndicatorSource) -> Self {
        match source {
            // The RED rollup is about spans.
            IndicatorSource::Records { total, good, .. }
                if total.signal() == Signal::Spans && total.needs_operation_only() && good.needs_operation_only() =>
            {
                Self::Red
            }
            // Whoever counts metrics or a Prometheus counts their past first; events and heartbeats count from then on.
            IndicatorSource::Records { total, .. } if !matches!(total.signal(), Signal::Spans | Signal::Logs) => Self::None,
            IndicatorSource::Records { .. } => Self::Segments,
            IndicatorSource::Composite { .. } | IndicatorSource::Prometheus(_) | IndicatorSource::Unknown { .. } => Self::None,
        }
    }
}

impl KnownSlo {
    /// One made of others that is not in force.
    pub(crate) fn unsaved(objective: Objective, calendar: Option<Calendar>, parts: Vec<KnownPart>) -> Self {
        Self {
            objective,
            calendar,
            source: IndicatorSource::Composite { parts: Vec::new() },
            labels: BTreeMap::new(),
            exclusions: Vec::new(),
            parts,
            grouping: None,
            group: None,
            document: String::new(),
            sli_id: 0,
            since_version: 0,
        }
    }

    /// The period whose budget a minute belongs to.
    pub fn period(&self, now: Minute) -> Period {
        self.calendar.as_ref().map_or_else(|| Period::rolling(self.objective.window.nominal(), now), |calendar| calendar.period(now))
    }

    /// Name of the SLO that it is, or is a group of.
    pub fn base_name(&self) -> &str {
        self.group.as_ref().map_or(&self.objective.name, |group| &group.of)
    }

    /// The SLO of one of its groups.
    fn group(&self, value: &str, sli_id: i32, since_version: i32) -> Self {
        let objective = Objective {
            name: group_name(&self.objective.name, value),
            display_name: Some(format!("{} · {value}", sentence::title(&self.objective))),
            ..self.objective.clone()
        };
        let group = KnownGroup { of: self.objective.name.clone(), value: value.to_owned(), whole: self.sli_id };
        Self { objective, grouping: None, group: Some(group), sli_id, since_version, ..self.clone() }
    }

    /// The SLOs whose events it counts: itself, or those at the ends of its parts, in order.
    pub fn leaves(&self) -> Vec<&Self> {
        if self.parts.is_empty() { vec![self] } else { self.parts.iter().flat_map(|part| part.slo.leaves()).collect() }
    }

    /// What it is judged by, from the counts of its [leaves](Self::leaves).
    pub(crate) fn basis<'a>(&'a self, ledgers: &'a [Ledger]) -> Basis<'a> {
        self.basis_of(&mut ledgers.iter())
    }

    fn basis_of<'a>(&'a self, ledgers: &mut std::slice::Iter<'a, Ledger>) -> Basis<'a> {
        if self.parts.is_empty() {
            return ledgers.next().map_or_else(|| Basis::Composite(Vec::new()), Basis::Counts);
        }
        let parts = self.parts.iter().map(|part| Part {
            objective: &part.slo.objective,
            weight: part.weight,
            when_delayed: part.when_delayed,
            basis: part.slo.basis_of(ledgers),
        });
        Basis::Composite(parts.collect())
    }

    /// What is counted, for people.
    pub fn indicator(&self) -> Indicator {
        match &self.source {
            IndicatorSource::Records { total, part, is_good, .. } => {
                Indicator { total: total.source().to_owned(), part: part.source().to_owned(), is_good: *is_good }
            }
            IndicatorSource::Prometheus(counters) => {
                Indicator { total: counters.total.text().to_owned(), part: counters.part.text().to_owned(), is_good: counters.is_good }
            }
            IndicatorSource::Composite { .. } => Indicator { total: String::new(), part: String::new(), is_good: true },
            IndicatorSource::Unknown { kind } => Indicator { total: format!("unknown source {kind}"), part: String::new(), is_good: true },
        }
    }

    /// Where the counts of before it was applied come from.
    pub fn past(&self) -> Past {
        // The RED rollup knows no groups.
        if self.group.is_some() { Past::Segments } else { Past::of(&self.source) }
    }
}

/// All SLOs in force, by name.
#[derive(Clone, Debug, Default)]
pub struct SloBook {
    version: i32,
    slos: BTreeMap<String, Arc<KnownSlo>>,
    documents: Vec<String>,
}

impl SloBook {
    /// Reads and compiles all SLOs. Within one snapshot: an SLI of a later version than the book's would be counted twice.
    ///
    /// # Errors
    /// The database. A stored document that no longer compiles is logged and left out: one bad row must not stop the rest.
    pub async fn load(connection: &mut PgConnection) -> Result<Self> {
        let version = slo::version(connection).await?;
        let rows = slo::all(connection).await?;
        let mut groups = group::all(connection).await?;
        let documents = slo::documents(connection).await?;
        let exclusions = exclusions(connection).await?;
        let library = plan::library(&documents);
        let (mut slos, mut composites) = (BTreeMap::new(), Vec::new());
        for (kind, name, body) in &documents {
            if kind != "SLO" {
                continue;
            }
            let parsed = match library.parse(body) {
                Ok(parsed) => parsed,
                Err(faults) => {
                    tracing::error!(slo.document = name, ?faults, "stored SLO cannot be read");
                    continue;
                }
            };
            for definition in parsed.definitions {
                let Some(row) = rows.iter().find(|row| row.name == definition.objective.name) else { continue };
                let calendar = match &definition.objective.window {
                    TimeWindow::Rolling(_) => None,
                    TimeWindow::Calendar(window) => match Calendar::new(window) {
                        Ok(calendar) => Some(calendar),
                        Err(fault) => {
                            tracing::error!(slo.document = name, ?fault, "stored SLO cannot be read");
                            continue;
                        }
                    },
                };
                let since_grouped = row.grouping.as_ref().map(|(_, since_version)| *since_version);
                let grouping = definition.group_by.zip(since_grouped).map(|(group_by, since_version)| {
                    let groups = Arc::new(groups.remove(&row.name).unwrap_or_default());
                    KnownGrouping { group_by, groups, since_version }
                });
                let mut known = KnownSlo {
                    calendar,
                    grouping,
                    group: None,
                    exclusions: Vec::new(),
                    parts: Vec::new(),
                    sli_id: row.sli_id,
                    since_version: row.since_version,
                    objective: definition.objective,
                    source: definition.source,
                    labels: definition.labels,
                    document: definition.document,
                };
                let in_force = |known: &KnownSlo| {
                    exclusions.iter().filter(|(scope, _)| known.is_in(scope)).map(|(_, recurrence)| Arc::clone(recurrence)).collect()
                };
                known.exclusions = in_force(&known);
                for (KnownGrouping { since_version, .. }, (value, sli_id)) in
                    known.grouping.iter().flat_map(|grouping| grouping.groups.iter().map(move |group| (grouping, group)))
                {
                    let mut group = known.group(value, *sli_id, *since_version);
                    group.exclusions = in_force(&group);
                    slos.insert(group.objective.name.clone(), Arc::new(group));
                }
                if known.source.parts().is_empty() {
                    slos.insert(row.name.clone(), Arc::new(known));
                } else {
                    composites.push(known);
                }
            }
        }
        assemble(composites, &mut slos);
        Ok(Self { version, slos, documents: documents.into_iter().map(|(_, _, body)| body).collect() })
    }

    /// Version of the SLI set.
    pub const fn version(&self) -> i32 {
        self.version
    }

    /// Every SLO and every group, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<KnownSlo>> {
        self.slos.values()
    }

    /// Every SLO, by name, without groups.
    pub fn whole(&self) -> impl Iterator<Item = &Arc<KnownSlo>> {
        self.slos.values().filter(|slo| slo.group.is_none())
    }

    /// The groups of an SLO, by value.
    pub fn groups_of(&self, name: &str) -> impl Iterator<Item = &Arc<KnownSlo>> {
        self.slos.values().filter(move |slo| slo.group.as_ref().is_some_and(|group| group.of == name))
    }

    /// One SLO or group.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn get(&self, name: &str) -> Result<Arc<KnownSlo>> {
        self.slos.get(name).cloned().ok_or_else(|| Error::NotFound { kind: "SLO", name: name.chars().take(100).collect() })
    }

    /// SLOs in force as parts of another; `None` when there is none of such a name.
    pub(crate) fn parts(&self, parts: &[CompositePart]) -> Option<Vec<KnownPart>> {
        parts_in(&self.slos, parts)
    }

    /// Every document as applied.
    pub fn documents(&self) -> Vec<&str> {
        self.documents.iter().map(String::as_str).collect()
    }

    /// What records are matched against at the door.
    pub fn sli_set(&self) -> SliSet {
        self.slis(|_| true, |_| true)
    }

    /// What segments of an SLI set before it are still to be matched against: SLIs younger than that, whose past the RED
    /// rollup does not know.
    pub(crate) fn younger_than(&self, version: i32) -> SliSet {
        self.slis(|slo| slo.since_version > version && slo.past() == Past::Segments, |grouping| grouping.since_version > version)
    }

    fn slis(&self, is_wanted: impl Fn(&KnownSlo) -> bool, is_grouping_wanted: impl Fn(&KnownGrouping) -> bool) -> SliSet {
        let sli = |slo: &Arc<KnownSlo>| {
            let IndicatorSource::Records { total, good, .. } = &slo.source else { return None };
            let id = is_wanted(slo).then_some(slo.sli_id);
            let grouping = slo.grouping.as_ref().filter(|grouping| is_grouping_wanted(grouping)).map(|grouping| Grouping {
                slo: Arc::from(slo.objective.name.as_str()),
                by: grouping.group_by.by.clone(),
                cap: grouping.group_by.cap as usize,
                groups: Arc::clone(&grouping.groups),
            });
            (id.is_some() || grouping.is_some()).then(|| Sli { id, total: total.clone(), good: good.clone(), grouping })
        };
        SliSet::new(self.version, self.whole().filter_map(sli).collect())
    }

    /// The youngest version that segments must be counted by.
    pub(crate) fn segments_counted_to(&self) -> i32 {
        let wholes = self.whole().filter(|slo| slo.past() == Past::Segments).map(|slo| slo.since_version);
        wholes.chain(self.whole().filter_map(|slo| Some(slo.grouping.as_ref()?.since_version))).max().unwrap_or(0)
    }

    /// Which records an SLI counts, and which of them are good.
    pub(crate) fn filters(&self, sli_id: i32) -> Option<(&Filter, &Filter)> {
        self.whole().find(|slo| slo.sli_id == sli_id).and_then(|slo| match &slo.source {
            IndicatorSource::Records { total, good, .. } => Some((total, good)),
            IndicatorSource::Composite { .. } | IndicatorSource::Prometheus(_) | IndicatorSource::Unknown { .. } => None,
        })
    }
}

/// Parts with what they are; `None` when there is none of such a name.
fn parts_in(slos: &BTreeMap<String, Arc<KnownSlo>>, parts: &[CompositePart]) -> Option<Vec<KnownPart>> {
    let known = |part: &CompositePart| {
        let slo = Arc::clone(slos.get(&part.slo)?);
        Some(KnownPart { weight: part.weight, when_delayed: part.when_delayed, slo })
    };
    parts.iter().map(known).collect()
}

/// Puts SLOs that are made of others together, those first whose parts are there. One of which a part is missing is logged and
/// left out.
fn assemble(mut composites: Vec<KnownSlo>, slos: &mut BTreeMap<String, Arc<KnownSlo>>) {
    loop {
        let before = composites.len();
        let mut waiting = Vec::new();
        for mut known in composites {
            match parts_in(slos, known.source.parts()) {
                Some(parts) => {
                    known.parts = parts;
                    slos.insert(known.objective.name.clone(), Arc::new(known));
                }
                None => waiting.push(known),
            }
        }
        if waiting.len() == before {
            for known in &waiting {
                tracing::error!(slo = known.objective.name, "stored SLO is made of others that there are not");
            }
            return;
        }
        composites = waiting;
    }
}

impl Backend {
    /// The SLOs in force.
    pub fn book(&self) -> Arc<SloBook> {
        Arc::clone(&self.0.book.read())
    }

    /// Reads the SLOs anew and hands them to the lanes.
    pub(crate) async fn reload_book(&self) -> Result<()> {
        let mut tx = self.snapshot().await?;
        let book = SloBook::load(&mut tx).await?;
        tx.commit().await?;
        let slis = book.sli_set();
        *self.0.book.write() = Arc::new(book);
        self.0.ingest.use_slis(slis).await;
        Ok(())
    }
}

/// The exclusions in force, ready to be expanded. One that is no longer understood is logged and left out.
async fn exclusions(connection: &mut PgConnection) -> Result<Vec<(ExclusionScope, Arc<Recurrence>)>> {
    let rows = exclusion::in_force(connection).await?;
    let understood = rows.into_iter().filter_map(|row| match Recurrence::new(row.from, row.to, row.rrule.as_deref(), &row.time_zone) {
        Ok(recurrence) => Some((row.scope, Arc::new(recurrence))),
        Err(faults) => {
            tracing::error!(exclusion.id = row.id, ?faults, "stored exclusion cannot be read");
            None
        }
    });
    Ok(understood.collect())
}
