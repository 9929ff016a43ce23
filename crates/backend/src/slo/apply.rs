//! Applying OpenSLO documents: all of them or none, and removing them. A changed indicator begins new counts; a changed target,
//! window or description keeps them. Every change of a document is written as a version of it, in the same transaction. When this
//! returns, the lanes of this instance count by the new set.

use std::collections::BTreeMap;

use serde::Serialize;
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::unreachable_tiers;
use slowburn_domain::view::DocumentVersion;
use slowburn_storage::slo::{NewVersion, SloRow};
use slowburn_storage::{backfill, group, slo};
use sqlx::PgConnection;

use super::diff::unified;
use super::plan::{Plan, Stored, differences, document_name, indicator_text, library};
use crate::openslo::{self, Definition, Document, masked};
use crate::slo::Past;
use crate::{Backend, Error, Result};

/// The longest name of an author, and the longest reason, characters.
pub(super) const MAX_WORDS: usize = 500;

/// Who changes documents, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Who, if they say so.
    pub author: Option<String>,
    /// Why, if they say so.
    pub reason: Option<String>,
}

/// What applying did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// One entry per objective, in the order of the documents; then those that change because a document they refer to does.
    pub changes: Vec<Change>,
    /// One entry per document that becomes another, in order.
    pub documents: Vec<DocumentChange>,
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

/// What becomes of a document's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentChange {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: ChangeKind,
    /// The difference line by line, in unified form; secrets are left out.
    pub diff: String,
}

/// What becomes of an SLO or a document.
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
        self.apply_signed(yaml, dry_run, &Signature::default()).await
    }

    /// The same in somebody's name.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault of every document; then nothing was applied.
    pub async fn apply_signed(&self, yaml: &str, dry_run: bool, signature: &Signature) -> Result<Applied> {
        signature.check()?;
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        let rows = slo::all(&mut tx).await?;
        let stored = slo::documents(&mut tx).await?;
        // A large text holds thousands of filters to compile.
        let text = yaml.to_owned();
        let (plan, stored) = tokio::task::spawn_blocking(move || (Plan::new(&stored, &text), stored))
            .await
            .map_err(|fault| Error::Internal(Box::new(fault)))?;
        let Plan { parsed, before, touched } = plan.map_err(Error::Invalid)?;
        let mut applied = Applied { warnings: parsed.warnings, ..Applied::default() };
        for Definition { objective, .. } in &parsed.definitions {
            let lints = unreachable_tiers(objective).into_iter();
            applied.warnings.extend(lints.map(|lint| FieldFault::new(&objective.name, format!("{}. {}", lint.reason, lint.proposal))));
        }
        let mut next_id = slo::next_sli_id(&mut tx).await?;
        let mut names_by_document: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for definition in parsed.definitions.iter().chain(&touched) {
            let known = before.iter().find(|other| other.objective.name == definition.objective.name);
            let row = rows.iter().find(|row| row.name == definition.objective.name);
            let change = self.put(&mut tx, definition, known, row, version + 1, &mut next_id).await?;
            names_by_document.entry(document_name(&change.name).to_owned()).or_default().push(change.name.clone());
            applied.changes.push(change);
        }
        for (document_name, names) in &names_by_document {
            for row in rows.iter().filter(|row| row.document_name == *document_name && !names.contains(&row.name)) {
                applied.changes.push(Change { name: row.name.clone(), change: ChangeKind::Removed, differences: Vec::new() });
            }
            slo::remove_others(&mut tx, document_name, names).await?;
        }
        let of_touched = touched.iter().map(|definition| {
            let (name, text) = (document_name(&definition.objective.name).to_owned(), definition.document.clone());
            Document { kind: "SLO", name, text, refers: Vec::new() }
        });
        let mut documents = parsed.documents;
        documents.extend(of_touched);
        documents.dedup_by(|a, b| (a.kind, &a.name) == (b.kind, &b.name));
        for document in &documents {
            let differences = differences_of(document, &applied.changes);
            let known = stored.iter().find(|(kind, name, _)| kind == document.kind && *name == document.name);
            let Some(change) = document_change(document, known, &differences) else { continue };
            slo::put_document(&mut tx, document.kind, &document.name, &document.text).await?;
            let word = if change.change == ChangeKind::Created { "created" } else { "changed" };
            self.put_version(&mut tx, document, word, &differences, signature).await?;
            applied.documents.push(change);
        }
        if dry_run || applied.documents.is_empty() && applied.changes.iter().all(|change| change.change == ChangeKind::Unchanged) {
            tx.rollback().await?;
            return Ok(applied);
        }
        slo::set_version(&mut tx, version + 1).await?;
        tx.commit().await?;
        tracing::info!(slos = applied.changes.len(), documents = applied.documents.len(), sli_version = version + 1, "slos applied");
        self.reload_book().await?;
        Ok(applied)
    }

    /// Writes one SLO and gives what becomes of it. `new_version` is the SLI set's from then on, `next_id` a free key of counts.
    async fn put(
        &self,
        tx: &mut PgConnection,
        definition: &Definition,
        known: Option<&Definition>,
        row: Option<&SloRow>,
        new_version: i32,
        next_id: &mut i32,
    ) -> Result<Change> {
        let name = &definition.objective.name;
        let indicator = indicator_text(&definition.source);
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
                let sli_id = *next_id;
                *next_id += 1;
                if Past::of(&definition.source) == Past::Red {
                    backfill::request_from_red(tx, &self.0.settings.bucket_numbers(), sli_id, new_version).await?;
                }
                (sli_id, new_version)
            }
        };
        let grouping = definition.group_by.as_ref().map(|group_by| {
            let text = format!("{}\n{indicator}", group_by.by.source());
            let known = row.and_then(|row| row.grouping.clone()).filter(|(known, _)| *known == text);
            known.unwrap_or((text, new_version))
        });
        let document_name = document_name(name).to_owned();
        if row.is_some_and(|row| row.grouping != grouping) {
            group::remove_of(tx, name).await?;
        }
        slo::put(tx, &SloRow { name: name.clone(), document_name, sli_id, indicator, since_version, grouping }).await?;
        Ok(Change { name: name.clone(), change, differences })
    }

    async fn put_version(
        &self,
        tx: &mut PgConnection,
        document: &Document,
        change: &str,
        differences: &[String],
        signature: &Signature,
    ) -> Result<()> {
        let version = NewVersion {
            kind: document.kind,
            name: &document.name,
            body: &document.text,
            change,
            differences,
            author: signature.author.as_deref(),
            reason: signature.reason.as_deref(),
            at: self.0.clock.now(),
        };
        Ok(slo::put_document_version(tx, &version).await?)
    }

    /// Removes a document, of an SLO with all its objectives; their counts stay until they expire.
    ///
    /// # Errors
    /// There is none of that kind and name, or [`Error::Conflict`] with the names of those that refer to it.
    pub async fn remove_document(&self, kind: &str, name: &str, signature: &Signature) -> Result<()> {
        signature.check()?;
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        let stored = slo::documents(&mut tx).await?;
        let known = library(&stored);
        let parsed = |body: &str| known.parse(body).map(|parsed| parsed.documents).unwrap_or_default();
        let found = stored.iter().find(|(other, document, _)| other == kind && document == name);
        let Some(document) = found.and_then(|(_, _, body)| parsed(body).into_iter().next()) else {
            let name = name.chars().take(100).collect();
            return Err(Error::NotFound { kind: "document", name });
        };
        let refers = |document: &Document| document.refers.iter().any(|(other, to)| *other == kind && to == name);
        let documents = stored.iter().flat_map(|(_, _, body)| parsed(body));
        let referring: Vec<String> = documents.filter(refers).map(|document| format!("{} {}", document.kind, document.name)).collect();
        if !referring.is_empty() {
            return Err(Error::Conflict(format!("{} to {kind} {name}", refer(&referring))));
        }
        slo::remove_document(&mut tx, kind, name).await?;
        self.put_version(&mut tx, &document, "deleted", &[], signature).await?;
        slo::set_version(&mut tx, version + 1).await?;
        tx.commit().await?;
        tracing::info!(document.kind = document.kind, document.name = name, "document removed");
        self.reload_book().await
    }

    /// Every document as multi-document YAML; secrets come out as references.
    pub fn export_openslo(&self) -> String {
        let documents: Vec<String> = self.book().documents().into_iter().map(masked).collect();
        openslo::export(&documents.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The versions of the document that defines an SLO, newest first. They stay when it is removed.
    ///
    /// # Errors
    /// There never was one, or the database.
    pub async fn slo_versions(&self, name: &str) -> Result<Vec<DocumentVersion>> {
        let mut connection = self.0.pool.acquire().await?;
        let versions = slo::document_versions(&mut connection, "SLO", document_name(name)).await?;
        if versions.is_empty() {
            return Err(Error::NotFound { kind: "SLO", name: name.chars().take(100).collect() });
        }
        Ok(versions.into_iter().map(|version| DocumentVersion { body: masked(&version.body), ..version }).collect())
    }
}

impl Signature {
    fn check(&self) -> Result<()> {
        for (field, words) in [("author", &self.author), ("reason", &self.reason)] {
            if words.as_ref().is_some_and(|words| words.chars().count() > MAX_WORDS || words.contains('\0')) {
                return Err(Error::field(field, format!("has at most {MAX_WORDS} characters, and no NUL")));
            }
        }
        Ok(())
    }
}

/// What becomes of a document; `None` when nothing does. One that differs only in secrets that we left out of an export is the
/// same.
fn document_change(document: &Document, known: Option<&Stored>, differences: &[String]) -> Option<DocumentChange> {
    let old = known.map(|(_, _, body)| body.as_str());
    let is_same = old.is_some_and(|old| old == document.text || masked(old) == document.text);
    if is_same && differences.is_empty() {
        return None;
    }
    let change = if old.is_none() { ChangeKind::Created } else { ChangeKind::Changed };
    let diff = unified(&format!("{}/{}", document.kind, document.name), &old.map(masked).unwrap_or_default(), &masked(&document.text));
    Some(DocumentChange { kind: document.kind.to_owned(), name: document.name.clone(), change, diff })
}

/// What differs in the SLOs of a document, with their names where it defines several.
fn differences_of(document: &Document, changes: &[Change]) -> Vec<String> {
    let own = changes.iter().filter(|change| document.kind == "SLO" && document_name(&change.name) == document.name);
    let several = own.clone().count() > 1;
    own.flat_map(|change| {
        let removed = (change.change == ChangeKind::Removed).then(|| "removed".to_owned());
        removed
            .into_iter()
            .chain(change.differences.iter().cloned())
            .map(|what| if several { format!("{}: {what}", change.name) } else { what })
    })
    .collect()
}

fn refer(names: &[String]) -> String {
    match names {
        [name] => format!("{name} refers"),
        names => format!("{} refer", names.join(" and ")),
    }
}
