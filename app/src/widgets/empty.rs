//! Nothing there yet, and the next step, with the exact command.

use leptos::prelude::*;

use crate::erase::Erase;
use crate::widgets::copy::Snippet;

/// The first span, with nothing but curl. `endpoint` is where senders reach this server over OTLP/HTTP.
#[component]
pub fn FirstTelemetry(#[prop(into)] endpoint: String) -> impl IntoView {
    view! {
        <section class="empty" aria-labelledby="first-telemetry">
            <h2 id="first-telemetry">"Nothing has arrived yet"</h2>
            <p>"Point any OpenTelemetry SDK at this server:"</p>
            <Snippet
                what="Settings of an OpenTelemetry SDK"
                text=format!("export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=checkout")
            />
            <p>"Or send one span by hand:"</p>
            <Snippet what="A span by curl" text=first_span(&endpoint) />
        </section>
    }
    .erase()
}

/// The first SLO.
#[component]
pub fn FirstSlo() -> impl IntoView {
    view! {
        <section class="empty" aria-labelledby="first-slo">
            <h2 id="first-slo">"No objective is defined yet"</h2>
            <p>"Promise something: in a form that shows at once what it would have meant for the spans that are stored."</p>
            <p><a class="button primary" href="/slo-editor">"New objective"</a></p>
            <p>"Or write it down as OpenSLO and apply it:"</p>
            <Snippet what="An SLO as OpenSLO" text=FIRST_SLO />
            <Snippet what="Command that applies it" text="slowburn slo apply checkout.yaml" />
        </section>
    }
    .erase()
}

const FIRST_SLO: &str = r#"apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-availability
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow:
    - duration: 30d
      isRolling: true
  indicator:
    metadata:
      name: checkout-errors
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: slowburn
            spec:
              signal: spans
              filter: service == "checkout" && kind == "server" && status == "error"
        total:
          metricSource:
            type: slowburn
            spec:
              signal: spans
              filter: service == "checkout" && kind == "server"
  objectives:
    - target: 0.999"#;

fn first_span(endpoint: &str) -> String {
    format!(
        r#"now=$(date +%s)
curl {endpoint}/v1/traces -H 'Content-Type: application/json' -d '{{"resourceSpans":[{{
  "resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"checkout"}}}}]}},
  "scopeSpans":[{{"spans":[{{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'","name":"POST /pay","kind":2,
    "startTimeUnixNano":"'$now'000000000","endTimeUnixNano":"'$now'250000000",
    "attributes":[{{"key":"correlation_id","value":{{"stringValue":"hello"}}}}]}}]}}]}}]}}'"#
    )
}
