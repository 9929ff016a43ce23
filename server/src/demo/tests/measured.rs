//! What the shop measures is what its spans say.

use std::collections::HashSet;

use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, ResourceMetrics, metric};

use super::super::measured::Figures;
use super::{HISTORY, SpanKind, history, opening};

fn durations(reading: &[ResourceMetrics]) -> Vec<&HistogramDataPoint> {
    let metrics = reading.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
    metrics
        .filter_map(|metric| match metric.data.as_ref() {
            Some(metric::Data::Histogram(histogram)) => Some(&histogram.data_points),
            _ => None,
        })
        .flatten()
        .collect()
}

#[test]
fn c1_figures_count_every_request_once_and_their_exemplars_are_in_its_traces() {
    let now = opening(14);
    let spans = history(7, now);
    let mut figures = Figures::to("http://127.0.0.1:4318", now - HISTORY).unwrap();
    let readings = figures.readings(&spans, now);
    assert_eq!(readings.len() as u64, HISTORY.as_secs() / 30);
    let last = readings.last().unwrap();
    let counted: u64 = durations(last).iter().map(|point| point.count).sum();
    let last_reading = durations(last)[0].time_unix_nano;
    let ended = |span: &opentelemetry_sdk::trace::SpanData| super::super::said::nanos(span.end_time) <= last_reading;
    let requests = spans.iter().map(|finished| &finished.span).filter(|span| span.span_kind == SpanKind::Server && ended(span));
    assert_eq!(counted, requests.count() as u64);
    let traces: HashSet<Vec<u8>> = spans.iter().map(|finished| finished.span.span_context.trace_id().to_bytes().to_vec()).collect();
    let exemplars: Vec<_> = readings.iter().flat_map(|reading| durations(reading)).flat_map(|point| &point.exemplars).collect();
    assert!(exemplars.len() > 1_000, "{}", exemplars.len());
    assert!(exemplars.iter().all(|exemplar| traces.contains(&exemplar.trace_id)));
}

#[test]
fn c1_figures_are_the_same_in_small_steps() {
    let now = opening(14);
    let spans = history(7, now);
    let new = || Figures::to("http://127.0.0.1:4318", now - HISTORY).unwrap();
    let mut stepwise = new();
    let mut readings = Vec::new();
    for part in spans.chunks(700) {
        readings.extend(stepwise.readings(part, part.last().unwrap().span.end_time));
    }
    readings.extend(stepwise.readings(&[], now));
    assert_eq!(readings, new().readings(&spans, now));
}
