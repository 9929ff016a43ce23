//! Services and their operations: rate, errors and duration from the RED rollup.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use slowburn_domain::sketch::Sketch;
use slowburn_domain::span::{Kind, Status};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_storage::red::{self, RedDeltas};

use crate::{Backend, Result};

/// Rate, errors and duration over a range of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Red {
    /// Spans.
    pub count: u64,
    /// Spans per second.
    pub rate_per_second: f64,
    /// Spans that failed.
    pub errors: u64,
    /// `errors ÷ count`, 0–1.
    pub error_ratio: f64,
    /// Median duration, milliseconds.
    pub p50_ms: f64,
    /// 90th percentile of the duration, milliseconds.
    pub p90_ms: f64,
    /// 99th percentile of the duration, milliseconds.
    pub p99_ms: f64,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceRed {
    /// `service.name`.
    pub name: String,
    /// Over its entry spans (server and consumer); over all its spans when it has none.
    pub red: Red,
    /// Its operations, busiest first.
    pub operations: Vec<OperationRed>,
}

/// One operation of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationRed {
    /// Span name.
    pub operation: String,
    /// Role of the spans.
    pub kind: Kind,
    /// Rate, errors and duration.
    pub red: Red,
}

#[derive(Default)]
struct Sum {
    errors: u64,
    sketch: Sketch,
}

impl Sum {
    fn add(&mut self, status: Status, sketch: &Sketch) {
        self.errors += if status == Status::Error { sketch.count() } else { 0 };
        self.sketch.merge(sketch);
    }

    fn red(&self, seconds: f64) -> Red {
        let count = self.sketch.count();
        let quantile = |q| self.sketch.quantile(q).map_or(0.0, |nanos| nanos / 1e6);
        Red {
            count,
            rate_per_second: count as f64 / seconds,
            errors: self.errors,
            error_ratio: self.errors as f64 / (count.max(1)) as f64,
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
        }
    }
}

impl Backend {
    /// Whether a service of this name has sent spans.
    ///
    /// # Errors
    /// The database.
    pub async fn is_service(&self, name: &str) -> Result<bool> {
        let mut connection = self.0.pool.acquire().await?;
        Ok(slowburn_storage::trace::is_service(&mut connection, &self.0.settings.bucket_numbers(), name).await?)
    }

    /// Every service that sent spans between `from` and `to`, by name.
    ///
    /// # Errors
    /// The database.
    pub async fn services(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ServiceRed>> {
        let (first, last) = (from.minute(), to.minute());
        let rows = {
            let mut connection = self.0.pool.acquire().await?;
            red::between(&mut connection, &self.0.settings.bucket_numbers(), None, first, last).await?
        };
        Ok(summarise(&rows, first, last))
    }
}

fn summarise(rows: &RedDeltas, first: Minute, last: Minute) -> Vec<ServiceRed> {
    let seconds = f64::from(last.0 - first.0 + 1) * 60.0;
    let mut operations: BTreeMap<&str, BTreeMap<(&str, Kind), Sum>> = BTreeMap::new();
    for (key, sketch) in rows {
        operations.entry(&key.service).or_default().entry((&key.operation, key.kind)).or_default().add(key.status, sketch);
    }
    operations
        .into_iter()
        .map(|(service, operations)| {
            let entry_kinds = [Kind::Server, Kind::Consumer];
            let kinds: BTreeSet<Kind> = operations.keys().map(|(_, kind)| *kind).collect();
            let has_entries = entry_kinds.iter().any(|kind| kinds.contains(kind));
            let mut whole = Sum::default();
            for ((_, kind), sum) in &operations {
                if !has_entries || entry_kinds.contains(kind) {
                    whole.errors += sum.errors;
                    whole.sketch.merge(&sum.sketch);
                }
            }
            let mut listed: Vec<OperationRed> = operations
                .iter()
                .map(|((operation, kind), sum)| OperationRed { operation: (*operation).to_owned(), kind: *kind, red: sum.red(seconds) })
                .collect();
            listed.sort_by(|a, b| b.red.count.cmp(&a.red.count).then_with(|| a.operation.cmp(&b.operation)));
            ServiceRed { name: service.to_owned(), red: whole.red(seconds), operations: listed }
        })
        .collect()
}
