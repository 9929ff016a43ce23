//! Logs and metrics about ourselves. Log lines are ECS JSON (`@timestamp`, `log.level`, `message`, `ecs.version`, then the
//! fields of the event and of the spans around it), or text for people at a terminal.

use std::fmt;
use std::io::Write as _;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Map, Value};
use slowburn_domain::time::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

/// Bounds of the histogram of durations, seconds.
const DURATION_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Bounds of the histogram of flush sizes, records.
const RECORD_BUCKETS: [f64; 8] = [1.0, 8.0, 64.0, 512.0, 2_048.0, 4_096.0, 8_192.0, 16_384.0];

/// Starts logging, once per process.
///
/// # Errors
/// `filter` is not understood.
pub fn start_logging(format: &str, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|fault| anyhow::anyhow!("log: {fault}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    if format == "text" {
        let _ = registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init();
    } else {
        let _ = registry.with(Ecs).try_init();
    }
    Ok(())
}

/// Starts metrics, once per process.
///
/// # Errors
/// They were started before.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("duration_seconds".to_owned()), &DURATION_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("flush_records".to_owned()), &RECORD_BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

/// What each figure means, for the HELP lines of the metrics page.
fn describe() {
    for (name, help) in [
        ("slowburn_http_requests_total", "HTTP requests answered, by route, method and status."),
        ("slowburn_ingest_requests_total", "OTLP requests, by outcome."),
        ("slowburn_requests_repeated_total", "Requests that were stored before and answered as stored."),
        ("slowburn_spans_accepted_total", "Spans acknowledged."),
        ("slowburn_spans_rejected_total", "Spans refused for a fault of their own."),
        ("slowburn_spans_stored_total", "Spans committed."),
        ("slowburn_spans_sampled_out_total", "Spans counted and left out by sampling."),
        ("slowburn_error_spans_stored_total", "Spans committed that hold an error."),
        ("slowburn_log_records_accepted_total", "Log records acknowledged."),
        ("slowburn_log_records_rejected_total", "Log records refused for a fault of their own."),
        ("slowburn_log_records_stored_total", "Log records committed."),
        ("slowburn_error_log_records_stored_total", "Log records committed that tell of an error."),
        ("slowburn_events_accepted_total", "Events acknowledged."),
        ("slowburn_events_rejected_total", "Events refused for a fault of their own."),
        ("slowburn_events_stored_total", "Events committed; those that came again are not among them."),
        ("slowburn_redacted_values_total", "Values replaced before storing."),
        ("slowburn_flushes_total", "Batches committed."),
        ("slowburn_flush_failures_total", "Batches that the database did not take."),
        ("slowburn_segment_bytes_total", "Bytes of segments committed."),
        ("slowburn_slots_dropped_total", "Arrival slots dropped after their retention."),
        ("slowburn_deltas_folded_total", "Rows of counts folded into minutes."),
        ("slowburn_prometheus_requests_total", "Queries sent to external Prometheus servers, by outcome."),
        ("slowburn_prometheus_minutes_counted_total", "Minutes of SLIs counted from external Prometheus servers."),
        ("slowburn_job_failures_total", "Runs of background jobs that failed."),
    ] {
        describe_counter!(name, help);
    }
    describe_gauge!("slowburn_waiting_records", "Records waiting to be written.");
    describe_gauge!(
        "slowburn_prometheus_behind_seconds",
        "How far the SLI of an external Prometheus that is furthest behind has to catch up."
    );
    describe_gauge!("slowburn_prometheus_failing_slos", "SLOs whose external Prometheus cannot be asked.");
    describe_histogram!("slowburn_http_request_duration_seconds", "Time to answer an HTTP request, by route.");
    describe_histogram!("slowburn_evaluation_duration_seconds", "Time to read the counts of all SLOs and to judge them once.");
    describe_histogram!("slowburn_flush_duration_seconds", "Time to prepare and commit a batch.");
    describe_histogram!("slowburn_flush_records", "Records of a batch.");
}

/// The wall clock. Below `server` time comes from here, as an argument.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Writes events as ECS lines to standard error.
struct Ecs;

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::String(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ecs {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields(Map::new());
        event.record(&mut own);
        let mut line = Map::new();
        line.insert("@timestamp".to_owned(), Value::String(now().to_string()));
        line.insert("log.level".to_owned(), Value::String(event.metadata().level().to_string().to_lowercase()));
        line.insert("message".to_owned(), own.0.remove("message").unwrap_or_default());
        line.insert("ecs.version".to_owned(), Value::String("8.11".to_owned()));
        line.insert("log.logger".to_owned(), Value::String(event.metadata().target().to_owned()));
        line.insert("service.name".to_owned(), Value::String("slowburn".to_owned()));
        line.insert("service.version".to_owned(), Value::String(env!("CARGO_PKG_VERSION").to_owned()));
        for span in context.event_scope(event).into_iter().flatten().collect::<Vec<_>>().into_iter().rev() {
            if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
                line.extend(fields.clone());
            }
        }
        if let Some(error) = own.0.remove("error") {
            line.insert("error.message".to_owned(), error);
        }
        line.extend(own.0);
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // Nobody is left to tell when standard error is closed.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
