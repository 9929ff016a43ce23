//! Applying OpenSLO documents: all of them or none. A changed indicator begins new counts; a changed target, window or
//! description keeps them. When this returns, the lanes of this instance count by the new set.

use serde::Serialize;
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::{BudgetingMethod, Objective, TimeWindow, unreachable_tiers};
use slowburn_storage::{backfill, slo};

use crate::openslo::{self, Definition, IndicatorSource};
use crate::slo::Past;
use crate::{Backend, Error, Result};

/// What applying did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// One entry per objective, in the order of the documents.
    pub changes: Vec<Change>,
    /// What was understood but may not be what was meant.
    pub warnings: Vec<FieldFault>,
}

/// What becomes of one SLO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: ChangeKind,
    /// The parts that differ, as `field: old → new`.
    pub differences: Vec<String>,
}

/// What becomes of an SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// It is known and differs.
    Changed,
    /// It is known and the same.
    Unchanged,
    /// Its document no longer has it.
    Removed,
}

impl Backend {
    /// Applies the documents in `yaml`, or with `dry_run` says what applying would do.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault of every document; then nothing was applied.
    pub async fn apply_slos(&self, yaml: &str, dry_run: bool) -> Result<Applied> {
        // A large text holds thousands of filters to compile.
        let text = yaml.to_owned();
        let parsed = tokio::task::spawn_blocking(move || openslo::parse(&text)).await.map_err(|fault| Error::Internal(Box::new(fault)))?;
        let parsed = parsed.map_err(Error::Invalid)?;
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        let rows = slo::all(&mut tx).await?;
        let documents = slo::documents(&mut tx).await?;
        let before: Vec<Definition> = documents
            .iter()
            .filter(|(kind, ..)| kind == "SLO")
            .filter_map(|(_, _, body)| openslo::parse(body).ok())
            .flat_map(|p| p.definitions)
            .collect();
        let mut applied = Applied { changes: Vec::new(), warnings: parsed.warnings };
        for Definition { objective, .. } in &parsed.definitions {
            let lints = unreachable_tiers(&objective.window, objective.target).into_iter();
            applied.warnings.extend(lints.map(|lint| FieldFault::new(&objective.name, format!("{}. {}", lint.reason, lint.proposal))));
        }
        let mut next_id = slo::next_sli_id(&mut tx).await?;
        let mut names_by_document: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
        for definition in &parsed.definitions {
            let name = &definition.objective.name;
            let document_name = name.split(':').next().unwrap_or(name).to_owned();
            let indicator = indicator_text(&definition.source);
            let row = rows.iter().find(|row| row.name == *name);
            let known = before.iter().find(|other| other.objective.name == *name);
            let differences = known.map_or_else(Vec::new, |known| differences(known, definition));
            let same_document = known.is_some_and(|known| known.document == definition.document);
            let change = match row {
                None => ChangeKind::Created,
                Some(_) if differences.is_empty() && same_document => ChangeKind::Unchanged,
                Some(_) => ChangeKind::Changed,
            };
            let (sli_id, since_version) = match row {
                Some(row) if row.indicator == indicator => (row.sli_id, row.since_version),
                _ => {
                    next_id += 1;
                    if Past::of(&definition.source) == Past::Red {
                        backfill::request_from_red(&mut tx, &self.0.settings.bucket_numbers(), next_id - 1, version + 1).await?;
                    }
                    (next_id - 1, version + 1)
                }
            };
            slo::put(&mut tx, &slo::SloRow { name: name.clone(), document_name: document_name.clone(), sli_id, indicator, since_version })
                .await?;
            slo::put_document(&mut tx, "SLO", &document_name, &definition.document).await?;
            names_by_document.entry(document_name).or_default().push(name.clone());
            applied.changes.push(Change { name: name.clone(), change, differences });
        }
        for (document_name, names) in &names_by_document {
            for row in rows.iter().filter(|row| row.document_name == *document_name && !names.contains(&row.name)) {
                applied.changes.push(Change { name: row.name.clone(), change: ChangeKind::Removed, differences: Vec::new() });
            }
            slo::remove_others(&mut tx, document_name, names).await?;
        }
        let mut services_changed = false;
        for service in &parsed.services {
            let same =
                |(kind, name, body): &(String, String, String)| kind == "Service" && *name == service.name && *body == service.document;
            if !documents.iter().any(same) {
                services_changed = true;
                slo::put_document(&mut tx, "Service", &service.name, &service.document).await?;
            }
        }
        if dry_run || !services_changed && applied.changes.iter().all(|change| change.change == ChangeKind::Unchanged) {
            tx.rollback().await?;
            return Ok(applied);
        }
        slo::set_version(&mut tx, version + 1).await?;
        tx.commit().await?;
        tracing::info!(slos = applied.changes.len(), sli_version = version + 1, "slos applied");
        self.reload_book().await?;
        Ok(applied)
    }

    /// Every document as multi-document YAML.
    pub fn export_openslo(&self) -> String {
        openslo::export(&self.book().documents())
    }
}

/// What is counted, in a form that changes when and only when the counting does.
fn indicator_text(source: &IndicatorSource) -> String {
    match source {
        IndicatorSource::Spans { total, good, .. } => format!("spans\n{}\n{}", total.source(), good.source()),
        IndicatorSource::Unknown { kind } => format!("unknown\n{kind}"),
    }
}

fn window_text(objective: &Objective) -> String {
    match &objective.window {
        TimeWindow::Rolling(window) => window.to_string(),
        TimeWindow::Calendar(calendar) => format!("{} from {} in {}", objective.window, calendar.start, calendar.time_zone),
    }
}

fn method_text(objective: &Objective) -> String {
    let word = objective.budgeting_method.as_str();
    match objective.budgeting_method {
        BudgetingMethod::Occurrences => word.to_owned(),
        BudgetingMethod::Timeslices { minutes, target } => format!("{word} of {minutes} min, good from {target}"),
        BudgetingMethod::RatioTimeslices { minutes } => format!("{word} of {minutes} min"),
    }
}

fn differences(before: &Definition, after: &Definition) -> Vec<String> {
    let (a, b) = (&before.objective, &after.objective);
    let pairs = [
        ("service", a.service.clone(), b.service.clone()),
        ("target", a.target.ratio().to_string(), b.target.ratio().to_string()),
        ("window", window_text(a), window_text(b)),
        ("budgetingMethod", method_text(a), method_text(b)),
        ("displayName", a.display_name.clone().unwrap_or_default(), b.display_name.clone().unwrap_or_default()),
        ("description", a.description.clone(), b.description.clone()),
        ("expected-gap", format!("{:?}", a.expected_gap_minutes), format!("{:?}", b.expected_gap_minutes)),
        ("indicator", indicator_text(&before.source), indicator_text(&after.source)),
        ("labels", format!("{:?}", before.labels), format!("{:?}", after.labels)),
    ];
    pairs.into_iter().filter(|(_, a, b)| a != b).map(|(field, a, b)| format!("{field}: {a} → {b}")).collect()
}
