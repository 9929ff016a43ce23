//! Prometheus' page: figures about ourselves, and about every SLO.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::PrometheusHandle;
use slowburn_backend::Backend;
use slowburn_backend::slo::{KnownSlo, SloReport};
use slowburn_domain::slo::Counts;
use slowburn_domain::storage::StorageReport;

use crate::telemetry::now;

/// `text/plain; version=0.0.4`.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(backend): State<Backend>, State(handle): State<PrometheusHandle>) -> Response {
    let mut text = handle.render();
    match (backend.slo_totals().await, backend.slos(now()).await) {
        (Ok(totals), Ok(reports)) => slos(&mut text, &totals, &reports),
        // Figures about ourselves are wanted most when the database is away; those of the SLOs are gaps then.
        (Err(fault), _) | (_, Err(fault)) => tracing::warn!(error = %fault, "metrics page without slos"),
    }
    match backend.storage(now()).await {
        Ok(report) => storage(&mut text, &report),
        Err(fault) => tracing::warn!(error = %fault, "metrics page without sizes"),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn slos(text: &mut String, totals: &[(Arc<KnownSlo>, Counts)], reports: &[SloReport]) {
    family(text, "slowburn_slo_events_total", "counter", "Events of the SLO since it was applied.");
    for (slo, counts) in totals {
        sample(text, "slowburn_slo_events_total", &slo.objective.name, &slo.objective.service, counts.total as f64);
    }
    family(text, "slowburn_slo_good_events_total", "counter", "Good events of the SLO since it was applied.");
    for (slo, counts) in totals {
        sample(text, "slowburn_slo_good_events_total", &slo.objective.name, &slo.objective.service, counts.good as f64);
    }
    gauge(text, reports, "slowburn_slo_objective_ratio", "Promised share of good events.", |report| {
        Some(report.slo.objective.target.ratio())
    });
    gauge(text, reports, "slowburn_slo_error_budget_remaining_ratio", "Share of the window's error budget that is left.", |report| {
        report.evaluation.budget.remaining_ratio
    });
    gauge(text, reports, "slowburn_slo_coverage_ratio", "Share of the window in which the source was alive.", |report| {
        report.evaluation.coverage
    });
    family(text, "slowburn_slo_burn_rate", "gauge", "Burn rate of the error budget over a window.");
    for SloReport { slo, evaluation } in reports {
        for (window, rate) in &evaluation.burn_rates.0 {
            if let Some(rate) = rate {
                let (name, service) = (escaped(&slo.objective.name), escaped(&slo.objective.service));
                let _ = writeln!(text, "slowburn_slo_burn_rate{{slo=\"{name}\",service=\"{service}\",window=\"{window}\"}} {rate}");
            }
        }
    }
}

fn storage(text: &mut String, report: &StorageReport) {
    family(text, "slowburn_storage_bytes", "gauge", "Room on disk by what it holds, indexes included.");
    let usage = &report.usage;
    let parts = [
        ("segments", usage.segments),
        ("indexes", usage.indexes),
        ("kept", usage.kept),
        ("counts", usage.counts),
        ("database", usage.database),
    ];
    for (part, bytes) in parts {
        let _ = writeln!(text, "slowburn_storage_bytes{{part=\"{part}\"}} {bytes}");
    }
    family(text, "slowburn_stored_spans", "gauge", "Spans that are stored, those kept beyond retention included.");
    let _ = writeln!(text, "slowburn_stored_spans {}", report.span_count);
    family(text, "slowburn_stored_segments", "gauge", "Segments that are stored.");
    let _ = writeln!(text, "slowburn_stored_segments {}", report.segment_count);
    if let Some(forecast) = report.forecast {
        family(text, "slowburn_storage_forecast_bytes", "gauge", "The database once as much is dropped as arrives.");
        let _ = writeln!(text, "slowburn_storage_forecast_bytes {}", forecast.database_bytes);
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(text: &mut String, name: &str, slo: &str, service: &str, value: f64) {
    let _ = writeln!(text, "{name}{{slo=\"{}\",service=\"{}\"}} {value}", escaped(slo), escaped(service));
}

fn gauge(text: &mut String, reports: &[SloReport], name: &str, help: &str, value: impl Fn(&SloReport) -> Option<f64>) {
    family(text, name, "gauge", help);
    for report in reports {
        if let Some(value) = value(report) {
            sample(text, name, &report.slo.objective.name, &report.slo.objective.service, value);
        }
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
