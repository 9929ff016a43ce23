//! No metric has come: how to send the first one, with the command.

use crate::widgets::markup::Markup;

/// What stands instead of the list. `endpoint` is where senders reach this server over OTLP/HTTP.
pub(super) fn markup(endpoint: &str) -> String {
    let sdk =
        format!("export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nexport OTEL_METRICS_EXPORTER=otlp\nexport OTEL_SERVICE_NAME=checkout");
    let mut markup = Markup::default();
    markup.open("section", &[("class", Some("empty")), ("aria-labelledby", Some("first-metric"))]);
    markup.open("h2", &[("id", Some("first-metric"))]).text("To send one").close("h2");
    markup.element("p", "", "Point any OpenTelemetry SDK at this server:");
    markup.snippet(&sdk, "Settings of an OpenTelemetry SDK");
    markup.element("p", "", "Or send a reading by hand:");
    markup.snippet(&reading(endpoint), "A metric by curl");
    markup.close("section");
    markup.finish()
}

fn reading(endpoint: &str) -> String {
    format!(
        r#"curl {endpoint}/v1/metrics -H 'Content-Type: application/json' -d '{{"resourceMetrics":[{{
  "resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"checkout"}}}}]}},
  "scopeMetrics":[{{"metrics":[{{"name":"queue.depth","unit":"{{message}}","description":"Messages that wait",
    "gauge":{{"dataPoints":[{{"asInt":"3","timeUnixNano":"'$(date +%s)'000000000",
      "attributes":[{{"key":"queue","value":{{"stringValue":"orders"}}}}]}}]}}}}]}}]}}]}}'"#
    )
}
