//! How far an SLO of a Prometheus is counted, for people.

use slowburn_domain::time::Minute;
use slowburn_domain::view::ExternalSource;
use slowburn_storage::prometheus;

use crate::openslo::IndicatorSource;
use crate::slo::KnownSlo;
use crate::{Backend, Result};

impl Backend {
    /// Where an SLO's counts come from and how far they go; `None` when they are made here.
    ///
    /// # Errors
    /// The database.
    pub async fn external_source(&self, slo: &KnownSlo) -> Result<Option<ExternalSource>> {
        let IndicatorSource::Prometheus(counters) = &slo.source else { return Ok(None) };
        let mut connection = self.0.pool.acquire().await?;
        let standing = prometheus::standings(&mut connection, &[slo.sli_id]).await?.into_iter().next();
        let (failing_since, failure) = standing.as_ref().and_then(|standing| standing.failure.clone()).unzip();
        Ok(Some(ExternalSource {
            kind: "prometheus".to_owned(),
            name: counters.source.name.clone(),
            counted_to: standing.as_ref().map(|standing| standing.next_minute.start()),
            failing_since,
            failure,
            exceeded_at: standing.and_then(|standing| standing.exceeded).map(Minute::start),
        }))
    }
}
