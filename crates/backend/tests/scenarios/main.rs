//! Scenarios against a real PostgreSQL with a clock moved by hand: feed this, expect that.

mod agents;
mod backfill;
mod budget;
mod catalogue;
mod complete;
mod composite;
mod correlation;
mod definitions;
mod duration;
mod editor;
mod exclusion;
mod faults;
mod group;
mod incident;
mod ingest;
mod logs;
mod merge;
mod metrics;
mod plans;
mod prometheus;
mod sampling;
mod saved_view;
mod service_map;
mod slo;
mod suggest;
mod trace;

use std::collections::BTreeSet;

use bytes::Bytes;
use slowburn_backend::Backend;
use slowburn_backend::clock::Clock;
use slowburn_backend::ingest::{Accepted, Compression, Format, Payload, Refusal};
use slowburn_backend::settings::Settings;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::time::Timestamp;
use slowburn_test_support::ManualClock;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// 2026-11-21T12:00:30Z.
pub(crate) const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);

/// A backend whose jobs run when told to.
pub(crate) struct Scene {
    pub(crate) backend: Backend,
    pub(crate) clock: ManualClock,
    pub(crate) stop: CancellationToken,
}

impl Scene {
    pub(crate) async fn new(pool: PgPool) -> Self {
        Self::with(pool, Settings::default()).await
    }

    pub(crate) async fn with(pool: PgPool, settings: Settings) -> Self {
        let clock = ManualClock::at(NOON);
        let stop = CancellationToken::new();
        let shown = clock.clone();
        let backend = Backend::start(pool, settings, Clock::new(move || shown.now()), "http://127.0.0.1:4318".to_owned(), stop.clone())
            .await
            .expect("the backend starts");
        Self { backend, clock, stop }
    }

    pub(crate) async fn send(&self, body: Vec<u8>) -> Result<Accepted, Refusal> {
        self.backend
            .ingest()
            .traces(Payload { bytes: Bytes::from(body), compression: Compression::Identity, format: Format::Protobuf })
            .await
    }

    pub(crate) async fn apply(&self, yaml: &str) {
        self.backend.apply_slos(yaml, false).await.expect("the document is applied");
    }

    /// Trace ids found, as the numbers they were built from.
    pub(crate) async fn find(&self, raw: &str) -> BTreeSet<u128> {
        let (query, faults) = TraceQuery::parse(raw);
        assert_eq!(faults, []);
        let found = self.backend.find_traces(&query, self.clock.now()).await.expect("the search succeeds");
        found.items.iter().map(|trace| u128::from_be_bytes(*trace.trace_id.as_bytes())).collect()
    }
}

/// An availability SLO over the spans of `checkout`.
pub(crate) fn availability(name: &str, target: f64, window: &str) -> String {
    promise(name, &format!("duration: {window}, isRolling: true"), "Occurrences", &format!("target: {target}"))
}

/// The same with a time window, a budgeting method and an objective as OpenSLO has them.
pub(crate) fn promise(name: &str, window: &str, method: &str, objective: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: checkout
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'status != \"error\"'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'service == \"checkout\" && kind == \"server\"'}}}}}}
  timeWindow: [{{{window}}}]
  budgetingMethod: {method}
  objectives: [{{{objective}}}]
"
    )
}

/// An objective over the spans of any service that meet `total`; those are good that meet `good`.
pub(crate) fn ratio(name: &str, total: &str, good: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: checkout
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: '{good}'}}}}}}
        total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: '{total}'}}}}}}
  timeWindow: [{{duration: 7d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"
    )
}
