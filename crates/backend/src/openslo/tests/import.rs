use super::*;

const SLOTH: &str = r#"version: "prometheus/v1"
service: "myservice"
labels: {owner: myteam, tier: "2"}
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Common SLO."
    labels: {tier: "1"}
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="myservice",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="myservice"}[{{.window}}]))
    alerting:
      name: HighErrorRate
      labels: {category: availability}
      page_alert: {labels: {severity: pageteam}}
      ticket_alert: {disable: true}
  - name: "wifi"
    objective: 95
    sli: {raw: {error_ratio_query: "1 - up"}}
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
"#;

const PYRRA: &str = r#"apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: api-errors
  namespace: monitoring
  labels: {prometheus: k8s, role: alert-rules}
spec:
  target: "99.5"
  window: 2w
  description: Few errors.
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{code=~"5.."}'}
      total: {metric: http_requests_total}
      grouping: [handler]
"#;

fn annotation<'p>(parsed: &'p Parsed, index: usize, key: &str) -> Option<&'p str> {
    let line = parsed.documents[index].text.lines().find(|line| line.trim_start().starts_with(&format!("\"{key}\":")))?;
    Some(line.split_once(": ").expect("a value").1)
}

#[test]
fn b1_a_specification_of_sloth_becomes_an_slo_for_each_of_its_own() {
    let told = parsed(SLOTH);
    let names: Vec<_> = told.definitions.iter().map(|definition| definition.objective.name.as_str()).collect();
    assert_eq!(names, ["myservice-requests-availability", "myservice-wifi"]);
    let objective = &told.definitions[0].objective;
    assert_eq!((objective.service.as_str(), objective.target.ratio(), objective.window.to_string().as_str()), ("myservice", 0.999, "30d"));
    assert_eq!(objective.description, "Common SLO.");
    assert_eq!(
        told.definitions[0].labels,
        BTreeMap::from([("owner".to_owned(), vec!["myteam".to_owned()]), ("tier".to_owned(), vec!["1".to_owned()])])
    );
    assert!(told.definitions.iter().all(|definition| definition.source == IndicatorSource::Unknown { kind: "prometheus".to_owned() }));
    let document = &told.documents[0].text;
    assert!(document.contains(r#"query: "sum(rate(http_requests_total{job=\"myservice\"}[{{.window}}]))""#), "{document}");
    assert_eq!(annotation(&told, 0, "sloth.slok.dev/alerting.name"), Some("\"HighErrorRate\""));
    assert_eq!(annotation(&told, 0, "slowburn.dev/alert-pairs"), Some("\"page 14.4 over 1h/5m, page 6 over 6h/30m\""));
    assert_eq!(annotation(&told, 1, "slowburn.dev/alert-preset"), Some("\"none\""));
    assert_eq!(parsed(document).definitions, told.definitions[..1], "what is exported can be applied again");
    assert_eq!(told.definitions[0].document, *document);
}

#[test]
fn b1_sloth_in_kubernetes_says_the_same() {
    let spec = SLOTH.replace("version: \"prometheus/v1\"\n", "").replace("error_query", "errorQuery").replace("total_query", "totalQuery");
    let spec =
        spec.replace("error_ratio_query", "errorRatioQuery").replace("page_alert", "pageAlert").replace("ticket_alert", "ticketAlert");
    let spec: String = spec.lines().flat_map(|line| ["  ", line, "\n"]).collect();
    let text = format!(
        "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {{name: any, namespace: monitoring}}\nspec:\n{spec}"
    );
    let (file, kubernetes) = (parsed(SLOTH), parsed(&text));
    let objectives = |parsed: &Parsed| parsed.definitions.iter().map(|definition| definition.objective.clone()).collect::<Vec<_>>();
    assert_eq!(objectives(&kubernetes), objectives(&file));
}

#[test]
fn b1_plug_ins_of_sloth_are_refused_by_name() {
    let plugin = SLOTH.replace("sli: {raw: {error_ratio_query: \"1 - up\"}}", "sli: {plugin: {id: sloth-common/http, options: {job: a}}}");
    let (faults, _) = told(&plugin);
    assert_eq!(
        faults,
        ["slos[1].sli.plugin: the SLI plug-in sloth-common/http of Sloth cannot be run here; write its queries out under events"]
    );
    let (faults, _) = told(&SLOTH.replace("objective: 95", "objective: 100").replace("service: \"myservice\"\n", ""));
    assert_eq!(faults, ["service: is required", "slos[1].objective: a percentage lies between 0 and 100, both excluded"]);
}

#[test]
fn b1_an_objective_of_pyrra_becomes_an_slo_named_with_its_namespace() {
    let told = parsed(PYRRA);
    let objective = &told.definitions[0].objective;
    assert_eq!(
        (objective.name.as_str(), objective.target.ratio(), objective.window.to_string().as_str()),
        ("monitoring-api-errors", 0.995, "14d")
    );
    assert_eq!(annotation(&told, 0, "pyrra.dev/grouping"), Some("\"handler\""));
    assert!(told.documents[0].text.contains(r#"query: "http_requests_total{code=~\"5..\"}""#), "{}", told.documents[0].text);
    assert_eq!(parsed(&PYRRA.replace("  namespace: monitoring\n", "")).definitions[0].objective.name, "api-errors");
    let (_, indicator) = PYRRA.split_once("  indicator:\n").expect("an indicator");
    for other in [
        "    latency: {success: {metric: 'a_bucket{le=\"1\"}'}, total: {metric: a_count}}\n",
        "    latencyNative: {total: {metric: a}, latency: 200ms}\n",
        "    bool_gauge: {metric: probe_success}\n",
    ] {
        assert_eq!(parsed(&PYRRA.replace(indicator, other)).definitions.len(), 1, "{other}");
    }
    let silent = parsed(&PYRRA.replace("  window: 2w\n", "  window: 2w\n  alerting: {disabled: true, name: Any}\n"));
    assert_eq!(annotation(&silent, 0, "slowburn.dev/alert-preset"), Some("\"none\""));
    assert_eq!(annotation(&silent, 0, "pyrra.dev/alerting.name"), Some("\"Any\""));
    assert_eq!(
        told_of(&PYRRA.replace("    ratio:", "    other:")),
        ["spec.indicator.ratio: ratio, latency, latencyNative or bool_gauge is required"]
    );
}

fn told_of(text: &str) -> Vec<String> {
    told(text).0
}
