//! How far an SLO is counted that is not counted at the door, for people.

use slowburn_domain::signal::Signal;
use slowburn_domain::time::Minute;
use slowburn_domain::view::ExternalSource;
use slowburn_storage::progress;

use crate::openslo::IndicatorSource;
use crate::slo::KnownSlo;
use crate::{Backend, Result};

impl Backend {
    /// Where an SLO's counts come from and how far they go; `None` when they are made at
    /// the door.
    ///
    /// # Errors
    /// The database.
    pub async fn external_source(&self, slo: &KnownSlo) -> Result<Option<ExternalSource>> {
        let (kind, name) = match &slo.source {
            IndicatorSource::Prometheus(counters) => ("prometheus", counters.source.name.clone()),
            IndicatorSource::Records { total, .. } if total.signal() == Signal::Metrics => {
                ("metrics", total.requirements().name.unwrap_or_default())
            }
            _ => return Ok(None),
        };
        let mut connection = self.0.pool.acquire().await?;
        let standing = progress::standings(&mut connection, &[slo.sli_id]).await?.into_iter().next();
        let (failing_since, failure) = standing.as_ref().and_then(|standing| standing.failure.clone()).unzip();
        Ok(Some(ExternalSource {
            kind: kind.to_owned(),
            name,
            counted_to: standing.as_ref().map(|standing| standing.next_minute.start()),
            failing_since,
            failure,
            exceeded_at: standing.and_then(|standing| standing.exceeded).map(Minute::start),
        }))
    }
}
