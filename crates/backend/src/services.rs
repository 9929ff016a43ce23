//! Services and their operations: rate, errors and duration from the RED rollup.

use std::collections::{BTreeMap, BTreeSet};

use slowburn_domain::query::TraceQuery;
use slowburn_domain::red::{OperationRed, Red, ServiceRed};
use slowburn_domain::sketch::Sketch;
use slowburn_domain::span::{Kind, Status};
use slowburn_domain::time::{Minute, Timestamp};
use slowburn_domain::view::{ServicePage, ServicesPage, SloRow};
use slowburn_storage::red::{self, RedDeltas};

use crate::{Backend, Error, Result};

/// Operations on a service's page.
const OPERATIONS: usize = 100;
/// Failed traces on a service's page.
const FAILED_TRACES: u16 = 10;

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

    /// The Services page, over the last `back_seconds`.
    ///
    /// # Errors
    /// The database.
    pub async fn services_page(&self, back_seconds: u64, now: Timestamp) -> Result<ServicesPage> {
        let mut services = self.services(back(now, back_seconds), now).await?;
        for service in &mut services {
            service.operations.clear();
        }
        services.sort_by(|a, b| b.red.error_ratio.total_cmp(&a.red.error_ratio).then_with(|| b.red.count.cmp(&a.red.count)));
        Ok(ServicesPage { now, back_seconds, services })
    }

    /// One service over the last `back_seconds`.
    ///
    /// # Errors
    /// Nothing was ever heard of it; the database.
    pub async fn service_page(&self, name: &str, back_seconds: u64, now: Timestamp) -> Result<ServicePage> {
        let (first, last) = (back(now, back_seconds).minute(), now.minute());
        let rows = {
            let mut connection = self.0.pool.acquire().await?;
            red::between(&mut connection, &self.0.settings.bucket_numbers(), Some(name), first, last).await?
        };
        let mut red = summarise(&rows, first, last).into_iter().find(|service| service.name == name);
        let slos: Vec<SloRow> =
            self.slo_rows(None, now).await?.into_iter().map(|(_, row)| row).filter(|row| row.objective.service == name).collect();
        if red.is_none() && slos.is_empty() && !self.is_service(name).await? {
            return Err(Error::NotFound { kind: "service", name: name.chars().take(200).collect() });
        }
        let operations = red.as_mut().map(|red| &mut red.operations);
        let more_operations = operations.is_some_and(|operations| {
            let is_more = operations.len() > OPERATIONS;
            operations.truncate(OPERATIONS);
            is_more
        });
        let calls = self.service_map(Some(name), back(now, back_seconds), now).await?;
        let query =
            TraceQuery { service: Some(name.to_owned()), status: Some(Status::Error), limit: Some(FAILED_TRACES), ..TraceQuery::default() };
        let failed_traces = self.find_traces(&query, now).await?.items;
        Ok(ServicePage { now, back_seconds, name: name.to_owned(), red, more_operations, calls, slos, failed_traces })
    }
}

pub(crate) fn back(now: Timestamp, seconds: u64) -> Timestamp {
    now.plus_seconds(-i64::try_from(seconds).unwrap_or(i64::MAX))
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
