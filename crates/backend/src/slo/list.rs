//! Choosing among SLOs: which are asked for, and what there is to choose from.

use std::collections::BTreeSet;

use slowburn_domain::query::FieldFault;
use slowburn_domain::sentence;
use slowburn_domain::slo_query::{Candidate, SloQuery};
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{SloRow, SlosPage};

use super::{KnownSlo, SloReport};
use crate::{Backend, Result};

impl Backend {
    /// The SLOs that `query` asks for, in its order.
    ///
    /// # Errors
    /// The database.
    pub async fn slos_asked_for(&self, query: &SloQuery, now: Timestamp) -> Result<Vec<SloReport>> {
        let reports = match &query.group_of {
            Some(name) => self.groups_of(name, now).await?,
            None => self.judged(self.book().whole().cloned().collect(), now).await?,
        };
        let reports: Vec<_> = reports.into_iter().map(|report| (labels(&report.slo), report)).collect();
        let (found, _) = query.select(reports, |(labels, report)| Candidate {
            objective: &report.slo.objective,
            evaluation: &report.evaluation,
            labels,
        });
        Ok(found.into_iter().map(|(_, report)| report).collect())
    }

    /// The list of the SLOs that `query` asks for; `faults` are what of it was not understood.
    ///
    /// # Errors
    /// The database.
    pub async fn slos_page(&self, query: SloQuery, faults: Vec<FieldFault>, now: Timestamp) -> Result<SlosPage> {
        let (all_labels, rows): (Vec<Vec<String>>, Vec<SloRow>) =
            self.slo_rows(query.group_of.as_deref(), now).await?.into_iter().map(|(slo, row)| (labels(&slo), row)).unzip();
        let sentence = sentence::overview(&rows);
        let total = rows.len();
        let services: BTreeSet<String> = rows.iter().map(|row| row.objective.service.clone()).collect();
        let known_labels: BTreeSet<String> = all_labels.iter().flatten().cloned().collect();
        let candidates: Vec<(Vec<String>, SloRow)> = all_labels.into_iter().zip(rows).collect();
        let (found, states) =
            query.select(candidates, |(labels, row)| Candidate { objective: &row.objective, evaluation: &row.evaluation, labels });
        Ok(SlosPage {
            now,
            query,
            faults,
            slos: found.into_iter().map(|(_, row)| row).collect(),
            states,
            total,
            sentence,
            services: services.into_iter().collect(),
            labels: known_labels.into_iter().collect(),
        })
    }
}

/// Labels as `key:value`.
fn labels(slo: &KnownSlo) -> Vec<String> {
    slo.labels.iter().flat_map(|(key, values)| values.iter().map(move |value| format!("{key}:{value}"))).collect()
}
