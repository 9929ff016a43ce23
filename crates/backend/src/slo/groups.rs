//! Groups of SLOs (requirement B4): giving values their groups, and what pages show of them.
//!
//! Whoever meets a value without a group, a lane or the counting of the past, has it admitted before it writes anything of that
//! value: the group's row and the next version of the SLI set are written in one transaction, under the lock of that version, and
//! this instance's lanes take the new set over. Other instances follow; one that meets the value before that finds the row. A
//! crash in between leaves a group that has not counted anything yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use metrics::counter;
use slowburn_domain::slo::{Evaluation, NONE, OTHER, group_name, too_many_groups};
use slowburn_domain::view::GroupCounts;
use slowburn_storage::{group, slo};

use super::{KnownSlo, SloBook};
use crate::ingest::{Admit, Unknown};
use crate::{Backend, Inner, Result};

impl Backend {
    /// How lanes get groups for values. It holds nothing that would keep the backend from ending.
    pub(crate) fn admission(inner: &Arc<Inner>) -> Admit {
        let weak: Weak<Inner> = Arc::downgrade(inner);
        Box::new(move |unknown| {
            let weak = Weak::clone(&weak);
            Box::pin(async move {
                match weak.upgrade() {
                    Some(inner) => Self(inner).admit(unknown).await,
                    None => Ok(()),
                }
            })
        })
    }

    /// Gives values their groups. When this returns, no flush of this process uses a set that does not know them, unless the
    /// SLO was changed meanwhile. Call it without holding a connection or the SLIs.
    pub(crate) async fn admit(&self, unknown: Unknown) -> Result<()> {
        let _turn = self.0.admission.lock().await;
        let mut tx = self.0.pool.begin().await?;
        let version = slo::lock_version(&mut tx).await?;
        let book = self.book();
        let wanted = admitted(&book, &unknown);
        if version != book.version() || wanted.is_empty() {
            // Somebody was faster, or something else changed: whoever asks sees with the new set what is still missing.
            tx.rollback().await?;
            return self.reload_book().await;
        }
        let mut sli_id = slo::next_sli_id(&mut tx).await?;
        for (slo, value) in &wanted {
            group::put(&mut tx, slo, value, sli_id).await?;
            sli_id += 1;
        }
        slo::set_version(&mut tx, version + 1).await?;
        tx.commit().await?;
        counter!("slowburn_slo_groups_admitted_total").increment(wanted.len() as u64);
        tracing::info!(groups = wanted.len(), sli_version = version + 1, "groups admitted");
        self.reload_book().await
    }
}

/// The groups to be made for values, by SLO: those that fit under the cap, and [`OTHER`] when not all do.
fn admitted(book: &SloBook, unknown: &Unknown) -> BTreeSet<(String, String)> {
    let mut wanted = BTreeSet::new();
    for (name, values) in unknown {
        let Ok(slo) = book.get(name) else { continue };
        let Some(grouping) = &slo.grouping else { continue };
        let is_own = |value: &str| value != OTHER && value != NONE;
        let known = grouping.groups.keys().filter(|value| is_own(value)).count();
        let mut free = (grouping.group_by.cap as usize).saturating_sub(known);
        for value in values.iter().filter(|value| !grouping.groups.contains_key(*value)) {
            let value = match is_own(value) {
                true if free == 0 => OTHER,
                true => {
                    free -= 1;
                    value
                }
                false => value,
            };
            if !grouping.groups.contains_key(value) {
                wanted.insert((name.to_string(), value.to_owned()));
            }
        }
    }
    wanted
}

/// How many of `evaluations` there are, and how many are in trouble.
pub(super) fn tally<'e>(evaluations: impl IntoIterator<Item = &'e Evaluation>) -> GroupCounts {
    let mut counts = GroupCounts::default();
    for evaluation in evaluations {
        counts.all += 1;
        counts.in_trouble += u32::from(slowburn_domain::sentence::is_in_trouble(evaluation));
    }
    counts
}

/// Adds to what is said of an SLO that its cap is reached, when it is. `of_group` tells how a group stands.
pub(super) fn add_lint<'e>(slo: &KnownSlo, evaluation: &mut Evaluation, of_group: impl Fn(&str) -> Option<&'e Evaluation>) {
    let Some(grouping) = &slo.grouping else { return };
    if let Some(other) = of_group(&group_name(&slo.objective.name, OTHER)).filter(|other| other.counts.total > 0) {
        let (by, cap) = (grouping.group_by.by.source(), grouping.group_by.cap);
        evaluation.lints.push(too_many_groups(by, cap, other.counts.total, evaluation.counts.total));
    }
}
