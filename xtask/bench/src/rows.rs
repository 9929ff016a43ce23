//! The yardstick: the same spans by plain binary `COPY`, a row each, into the same cluster.
//!
//! The table is what one would write first: typed columns, the attributes as one JSON text, the resource as a number of
//! another table, and three B-trees for the three questions (which trace, which correlation ID, what a service did when).
//! Batches are as large as the requests, each in a transaction of its own, made before the clock starts. Cheaper than
//! what Slowburn promises: no protocol, no decoding, no answer to wait for, no retries recognised, no counts.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use slowburn_storage::copy::Rows;
use sqlx::Connection as _;

use crate::database;
use crate::machine::{Meter, Spent, Watched};
use crate::otlp::REQUEST_SPANS;
use crate::spans::{Span, Value, Workload, correlation_id};

const DATABASE: &str = "slowburn_bench_rows";
const COPY: &str = "COPY spans (trace_id, span_id, parent_span_id, service, operation, kind, status, start_ns, duration_ns, correlation_id, source, attributes) FROM STDIN (FORMAT binary)";
const TABLE: [&str; 4] = [
    "CREATE TABLE spans (
        trace_id uuid NOT NULL, span_id bigint NOT NULL, parent_span_id bigint, service text NOT NULL, operation text NOT NULL,
        kind smallint NOT NULL, status smallint NOT NULL, start_ns bigint NOT NULL, duration_ns bigint NOT NULL,
        correlation_id text, source integer NOT NULL, attributes text NOT NULL
    )",
    "CREATE INDEX spans_trace ON spans (trace_id)",
    "CREATE INDEX spans_correlation ON spans (correlation_id)",
    "CREATE INDEX spans_service ON spans (service, start_ns)",
];

/// How the copying went.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Copied {
    pub(crate) connections: usize,
    pub(crate) rows_per_second: f64,
    pub(crate) disk_bytes_per_row: f64,
    pub(crate) wal_bytes_per_row: f64,
    pub(crate) spent: Spent,
}

/// Copies the workload over so many connections into an empty table.
pub(crate) async fn copy(data: &Path, watched: &Watched, workload: &Workload, connections: usize) -> Result<Copied> {
    let mut admin = database::connect(data, "slowburn").await?;
    sqlx::query("CREATE DATABASE slowburn_bench_rows").execute(&mut admin).await?;
    let outcome = copy_into(data, watched, workload, connections).await;
    sqlx::query("DROP DATABASE slowburn_bench_rows WITH (FORCE)").execute(&mut admin).await?;
    outcome
}

async fn copy_into(data: &Path, watched: &Watched, workload: &Workload, connections: usize) -> Result<Copied> {
    let mut admin = database::connect(data, DATABASE).await?;
    for statement in TABLE {
        sqlx::query(statement).execute(&mut admin).await?;
    }
    let mut shares: Vec<Vec<Rows>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, batch) in batches(workload).into_iter().enumerate() {
        shares[index % connections].push(batch);
    }
    let mut links = Vec::new();
    for _ in 0..connections {
        links.push(database::connect(data, DATABASE).await?);
    }
    let before = database::sizes(&mut admin).await?;
    let meter = Meter::start(watched)?;
    let begun = Instant::now();
    let mut copying = tokio::task::JoinSet::new();
    for (mut link, share) in links.into_iter().zip(shares) {
        copying.spawn(async move {
            for batch in share {
                // Outside an explicit transaction, each copy commits by itself.
                batch.send(&mut link, COPY).await?;
            }
            link.close().await?;
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(ended) = copying.join_next().await {
        ended??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let spent = meter.stop()?;
    let grown = database::sizes(&mut admin).await?.since(&before);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM spans").fetch_one(&mut admin).await?;
    anyhow::ensure!(rows == workload.spans() as i64, "{rows} of {} rows were copied", workload.spans());
    admin.close().await?;
    let rows = rows as f64;
    Ok(Copied {
        connections,
        rows_per_second: rows / seconds,
        disk_bytes_per_row: grown.tables.values().sum::<i64>() as f64 / rows,
        wal_bytes_per_row: grown.wal as f64 / rows,
        spent,
    })
}

fn batches(workload: &Workload) -> Vec<Rows> {
    let mut batches = Vec::with_capacity(workload.spans() / REQUEST_SPANS + 1);
    let (mut batch, mut filled) = (Rows::default(), 0);
    for span in workload.traces().flatten() {
        append(&mut batch, &span);
        filled += 1;
        if filled == REQUEST_SPANS {
            batches.push(std::mem::take(&mut batch));
            filled = 0;
        }
    }
    if filled > 0 {
        batches.push(batch);
    }
    batches
}

fn append(rows: &mut Rows, span: &Span) {
    let row = rows.row(12).bytes(&span.trace_id.to_be_bytes()).int8(span.id.cast_signed());
    let row = match span.parent {
        Some(parent) => row.int8(parent.cast_signed()),
        None => row.null(),
    };
    let row = row
        .text(crate::spans::SERVICES[span.service])
        .text(&span.operation)
        .int2(span.kind as i16)
        .int2(i16::from(span.failed))
        .int8(span.start_ns.cast_signed())
        .int8(span.duration_ns.cast_signed());
    let row = if span.parent.is_none() { row.text(&correlation_id(span.trace_id)) } else { row.null() };
    row.int4(span.service as i32).text(&json(&span.attributes));
}

fn json(attributes: &[(&'static str, Value)]) -> String {
    let fields = attributes.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => serde_json::Value::from(text.as_ref()),
            Value::Integer(number) => serde_json::Value::from(*number),
        };
        ((*key).to_owned(), value)
    });
    serde_json::Value::Object(fields.collect()).to_string()
}
