//! The SLOs in force, compiled: read once, kept in memory, read again when their version in the database changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use slowburn_domain::slo::{Basis, ExclusionScope, Ledger, Objective, Part, Period, TimeWindow, WhenDelayed};
use slowburn_domain::time::Minute;
use slowburn_domain::view::Indicator;
use slowburn_storage::{exclusion, slo};
use sqlx::PgConnection;

use super::calendar::Calendar;
use super::exclusions::Recurrence;
use super::plan;
use crate::filter::Filter;
use crate::ingest::{Sli, SliSet};
use crate::openslo::{CompositePart, IndicatorSource};
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
    /// Its document.
    pub document: String,
    /// Key of its counts; one that is made of others has none under it.
    pub sli_id: i32,
    /// Version of the SLI set from which on it is counted at the door.
    pub since_version: i32,
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
            IndicatorSource::Spans { total, good, .. } if total.needs_operation_only() && good.needs_operation_only() => Self::Red,
            IndicatorSource::Spans { .. } => Self::Segments,
            // Whoever counts a Prometheus counts its past first.
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
            document: String::new(),
            sli_id: 0,
            since_version: 0,
        }
    }

    /// The period whose budget a minute belongs to.
    pub fn period(&self, now: Minute) -> Period {
        self.calendar.as_ref().map_or_else(|| Period::rolling(self.objective.window.nominal(), now), |calendar| calendar.period(now))
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
            IndicatorSource::Spans { total, part, is_good, .. } => {
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
        Past::of(&self.source)
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
                let mut known = KnownSlo {
                    calendar,
                    exclusions: Vec::new(),
                    parts: Vec::new(),
                    sli_id: row.sli_id,
                    since_version: row.since_version,
                    objective: definition.objective,
                    source: definition.source,
                    labels: definition.labels,
                    document: definition.document,
                };
                known.exclusions =
                    exclusions.iter().filter(|(scope, _)| known.is_in(scope)).map(|(_, recurrence)| Arc::clone(recurrence)).collect();
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

    /// Every SLO, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<KnownSlo>> {
        self.slos.values()
    }

    /// One SLO.
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
        self.slis(|_| true)
    }

    /// What segments of an SLI set before it are still to be matched against: SLIs younger than that, whose past the RED
    /// rollup does not know.
    pub(crate) fn younger_than(&self, version: i32) -> SliSet {
        self.slis(|slo| slo.since_version > version && slo.past() == Past::Segments)
    }

    fn slis(&self, is_wanted: impl Fn(&KnownSlo) -> bool) -> SliSet {
        let slis = self
            .slos
            .values()
            .filter(|slo| is_wanted(slo))
            .filter_map(|slo| match &slo.source {
                IndicatorSource::Spans { total, good, .. } => Some(Sli { id: slo.sli_id, total: total.clone(), good: good.clone() }),
                IndicatorSource::Composite { .. } | IndicatorSource::Prometheus(_) | IndicatorSource::Unknown { .. } => None,
            })
            .collect();
        SliSet::new(self.version, slis)
    }

    /// The youngest version that segments must be counted by.
    pub(crate) fn segments_counted_to(&self) -> i32 {
        self.slos.values().filter(|slo| slo.past() == Past::Segments).map(|slo| slo.since_version).max().unwrap_or(0)
    }

    /// Which spans an SLI counts, and which of them are good.
    pub(crate) fn filters(&self, sli_id: i32) -> Option<(&Filter, &Filter)> {
        self.slos.values().find(|slo| slo.sli_id == sli_id).and_then(|slo| match &slo.source {
            IndicatorSource::Spans { total, good, .. } => Some((total, good)),
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
