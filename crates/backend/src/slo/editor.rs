//! Writing objectives by hand: as a form or as a document, checked and saved by the same use case as everybody's documents.

use std::collections::BTreeSet;

use slowburn_domain::query::FieldFault;
use slowburn_domain::signal::Signal;
use slowburn_domain::slo_form::SloForm;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::decode_query;
use slowburn_domain::view::{Indicator, SloEditorPage};
use slowburn_storage::event::{self, EventConditions};
use slowburn_storage::{agent, metric};

use super::apply::MAX_WORDS;
use super::{Applied, Change, ChangeKind, KnownSlo, Signature};
use crate::events::OWN_TYPES;
use crate::openslo::{self, GroupBy, IndicatorSource};
use crate::{Backend, Error, Result};

/// How far back services, operations and metrics are looked up to choose from.
const LATELY_SECONDS: i64 = 3_600;
/// Operations, metrics, types of events or agents to choose from.
const MOST_CHOICES: usize = 100;
/// Events whose types are offered.
const NEWEST_EVENTS: i64 = 1_000;

/// What became of a form that was to be saved.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// It is in force, under this name.
    Applied(String),
    /// Something is wrong with it; nothing was changed.
    Refused,
}

impl Backend {
    /// The editor: of what was `typed`, or else of an objective named in the raw query string, or of a new one that may have
    /// some fields filled by it.
    ///
    /// # Errors
    /// There is no objective of that name; the database.
    pub async fn slo_editor(&self, raw: &str, typed: Option<&str>, now: Timestamp) -> Result<SloEditorPage> {
        let pairs = decode_query(typed.unwrap_or(raw));
        let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let mut form = match typed {
            Some(typed) => SloForm::parse(typed),
            None => match value("edit") {
                Some(name) => form_of(&*self.book().get(name)?),
                None => SloForm::parse(raw),
            },
        };
        let notice = if typed.is_some() {
            switched(&mut form, value("action"))
        } else {
            (form.is_edit() && form.is_yaml()).then(|| ONLY_YAML.to_owned())
        };
        let red = self.services(now.plus_seconds(-LATELY_SECONDS), now).await?;
        if typed.is_none() && !form.is_edit() && form.value("service").is_empty() {
            let busiest = red.iter().max_by_key(|service| service.red.count);
            form.set("service", busiest.map_or("", |service| &service.name));
        }
        let choices = match form.signal() {
            Signal::Spans => {
                let chosen = red.iter().find(|service| service.name == form.value("service"));
                let operations = chosen.iter().flat_map(|service| &service.operations).map(|operation| operation.operation.clone());
                operations.take(MOST_CHOICES).collect()
            }
            signal => self.choices(signal, form.value("service"), now).await?,
        };
        let services = red.into_iter().map(|service| service.name).collect();
        let shown = form.to_query_string();
        let form = self.named(form);
        let mut page = SloEditorPage {
            now,
            form: shown,
            name: form.name(),
            document: form.document(),
            faults: form.faults(),
            warnings: Vec::new(),
            changes: Vec::new(),
            notice,
            preview: None,
            no_preview: String::new(),
            services,
            choices,
        };
        // A form that nobody has filled yet is not told what is missing.
        let is_blank = if form.is_yaml() { form.value("yaml").trim().is_empty() } else { form.value("service").is_empty() };
        if typed.is_none() && is_blank {
            page.faults.clear();
            return Ok(page);
        }
        if page.faults.is_empty() {
            self.try_out(&form, &mut page, now).await?;
        }
        // Whoever wanted to save looks at the top of a new page.
        if value("action") == Some("save") && !page.faults.is_empty() {
            page.notice = Some("Nothing was saved, because something is wrong or missing:".to_owned());
        }
        Ok(page)
    }

    /// What a signal offers to choose from.
    async fn choices(&self, signal: Signal, service: &str, now: Timestamp) -> Result<Vec<String>> {
        let buckets = self.0.settings.bucket_numbers();
        let mut connection = self.0.pool.acquire().await?;
        Ok(match signal {
            Signal::Spans | Signal::Logs => Vec::new(),
            Signal::Metrics => {
                let from = self.slot_before(now.plus_seconds(-LATELY_SECONDS));
                let service = Some(service).filter(|service| !service.is_empty());
                let listed = metric::list(&mut connection, &buckets, from, &[], service, MOST_CHOICES as i64).await?;
                listed.into_iter().map(|listed| listed.metric.name).collect()
            }
            Signal::Events => {
                let newest = event::list(&mut connection, &buckets, &EventConditions::default(), NEWEST_EVENTS).await?;
                let types: BTreeSet<String> = newest.into_iter().map(|(_, event)| event.kind).collect();
                types.into_iter().filter(|kind| !kind.starts_with(OWN_TYPES)).take(MOST_CHOICES).collect()
            }
            Signal::Heartbeats => agent::list(&mut connection).await?.into_iter().map(|agent| agent.name).take(MOST_CHOICES).collect(),
        })
    }

    /// The form with a name that is free, where nobody has given one.
    fn named(&self, mut form: SloForm) -> SloForm {
        let book = self.book();
        let proposed = form.name();
        if form.is_edit() || form.is_yaml() || !form.value("name").trim().is_empty() || book.get(&proposed).is_err() {
            return form;
        }
        let free = (2..100).map(|number| format!("{proposed}-{number}")).find(|name| book.get(name).is_err());
        form.set("name", &free.unwrap_or_default());
        form
    }

    /// Says what saving would do and what the objective would have meant.
    async fn try_out(&self, form: &SloForm, page: &mut SloEditorPage, now: Timestamp) -> Result<()> {
        let applied = match self.apply_slos(&page.document, true).await {
            Ok(applied) => applied,
            Err(Error::Invalid(faults)) => {
                page.faults = faults.into_iter().map(|fault| at_field(form, fault)).collect();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let Applied { changes, warnings, .. } = applied;
        if !form.is_edit() {
            let taken = changes.iter().filter(|change| change.change != ChangeKind::Created);
            let taken = taken.map(|change| {
                FieldFault::new(
                    if form.is_yaml() { "yaml" } else { "name" },
                    format!("there is an objective {} already; take another name, or edit that one", change.name),
                )
            });
            page.faults = taken.collect();
        }
        page.warnings = warnings.into_iter().map(|warning| format!("{}: {}", warning.field, warning.reason)).collect();
        page.changes = changes.iter().map(sentence_of).collect();
        match self.preview_slo(&page.document, now).await {
            Ok(Some(Ok(preview))) => page.preview = Some(preview),
            Ok(Some(Err(reason))) => reason.clone_into(&mut page.no_preview),
            Ok(None) => {}
            // Saving works without it.
            Err(Error::Unavailable(reason)) => page.warnings.push(format!("No preview: {reason}")),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Saves what was typed, if nothing is wrong with it.
    ///
    /// # Errors
    /// The database.
    pub async fn save_slo(&self, typed: &str) -> Result<Saved> {
        let form = self.named(SloForm::parse(typed));
        let document = form.document();
        if !form.faults().is_empty() {
            return Ok(Saved::Refused);
        }
        let dry = match self.apply_slos(&document, true).await {
            Ok(dry) => dry,
            Err(Error::Invalid(_)) => return Ok(Saved::Refused),
            Err(error) => return Err(error),
        };
        let is_new = dry.changes.iter().all(|change| change.change == ChangeKind::Created);
        if dry.changes.is_empty() || !form.is_edit() && !is_new {
            return Ok(Saved::Refused);
        }
        let said = |name: &str| Some(form.value(name).trim().chars().take(MAX_WORDS).collect::<String>()).filter(|words| !words.is_empty());
        let signature = Signature { author: said("author"), reason: said("reason") };
        let applied = self.apply_signed(&document, false, &signature).await?;
        let name = applied.changes.into_iter().find(|change| change.change != ChangeKind::Removed).map(|change| change.name);
        Ok(name.map_or(Saved::Refused, Saved::Applied))
    }
}

const ONLY_YAML: &str = "Its document says more than the form can, so it is edited as a document.";

/// The form of an objective in force; its document when that says more than the form can.
fn form_of(slo: &KnownSlo) -> SloForm {
    let (signal, indicator) = match &slo.source {
        IndicatorSource::Records { total, .. } => (total.signal(), slo.indicator()),
        // The form knows no others; its document is shown.
        _ => (Signal::Spans, Indicator { total: String::new(), part: String::new(), is_good: true }),
    };
    let grouping = slo.grouping.as_ref().map(|grouping| grouping.group_by.clone());
    let mut form = SloForm::of(&slo.objective, &slo.labels, (signal, &indicator), grouping.as_ref().map(GroupBy::told), &slo.document);
    if !is_faithful(&form, &slo.document) {
        form.set("face", "yaml");
    }
    form
}

/// Whether the fields say all that a document does, remarks included.
fn is_faithful(form: &SloForm, document: &str) -> bool {
    let has_remarks = document.lines().any(|line| line.trim_start().starts_with('#'));
    let definitions = |text: &str| {
        let definitions = openslo::parse(text).ok().map(|parsed| parsed.definitions);
        definitions.map(|all| all.into_iter().map(|one| openslo::Definition { document: String::new(), ..one }).collect::<Vec<_>>())
    };
    let written = definitions(&form.to_document());
    !has_remarks && written.is_some() && written == definitions(document)
}

/// Turns the form to its other face when that was asked for. Gives why it could not be.
fn switched(form: &mut SloForm, action: Option<&str>) -> Option<String> {
    match action {
        Some("to_yaml") if !form.is_yaml() => {
            let document = form.to_document();
            form.set("yaml", &document);
            form.set("face", "yaml");
            None
        }
        Some("to_form") if form.is_yaml() => {
            let document = form.value("yaml").to_owned();
            let definition = openslo::parse(&document).ok().and_then(|parsed| parsed.definitions.into_iter().next());
            let Some(openslo::Definition {
                objective,
                source: IndicatorSource::Records { total, part, is_good, .. },
                group_by,
                labels,
                ..
            }) = definition
            else {
                return Some("The document has to be understood before a form can show it.".to_owned());
            };
            let indicator = Indicator { total: total.source().to_owned(), part: part.source().to_owned(), is_good };
            let group_by = group_by.as_ref().map(GroupBy::told);
            let mut fields = SloForm::of(&objective, &labels, (total.signal(), &indicator), group_by, &document);
            fields.set("original", form.value("original"));
            if !is_faithful(&fields, &document) {
                return Some(ONLY_YAML.to_owned());
            }
            *form = fields;
            None
        }
        _ => None,
    }
}

/// A fault of the document as one of the form.
fn at_field(form: &SloForm, fault: FieldFault) -> FieldFault {
    let field = form.field_of(&fault.field);
    let reason = if form.is_yaml() { fault.to_string() } else { fault.reason };
    FieldFault::new(field, reason)
}

fn sentence_of(change: &Change) -> String {
    let Change { name, change, differences } = change;
    match change {
        ChangeKind::Created => format!("{name} is new"),
        ChangeKind::Changed if differences.is_empty() => format!("{name}: its document changes, not what it means"),
        ChangeKind::Changed => format!("{name} changes: {}", differences.join("; ")),
        ChangeKind::Unchanged => format!("{name} stays as it is"),
        ChangeKind::Removed => format!("{name} goes: the document no longer has it"),
    }
}
