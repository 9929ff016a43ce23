//! Specifications of Sloth and Pyrra, which become OpenSLO documents. Those are what is kept and exported.
//!
//! Their queries are kept for a source of type `prometheus`; what they say about alerts that OpenSLO has no word for stands in
//! annotations. Plug-ins of Sloth are programs, so an indicator that needs one is refused.

use std::fmt::Write as _;

use slowburn_domain::slo::{AlertPair, Target, Threshold, Tier, Window, tiers_for};

use super::fields::{Fields, Report};
use super::library::{member, text};
use super::slo::slug;
use super::yaml::Node;

/// The window of Sloth's SLOs, whose specification has none.
const SLOTH_WINDOW: &str = "30d";

/// An SLO on its way.
#[derive(Default)]
struct Slo {
    tool: &'static str,
    name: String,
    service: String,
    description: String,
    target_percent: f64,
    window: String,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
    /// The lines of `ratioMetric` or `thresholdMetric`: a name and what is under it.
    metric: String,
}

/// The documents that another tool's specification comes to; `None` if it is none.
pub(super) fn openslo(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let (version, kind) = (text(node, "apiVersion").unwrap_or_default(), text(node, "kind").unwrap_or_default());
    let slos = if text(node, "version") == Some("prometheus/v1") {
        sloth(Fields::of_document(node, report)?, false, report)
    } else if version == "sloth.slok.dev/v1" && kind == "PrometheusServiceLevel" {
        let mut root = Fields::of_document(node, report)?;
        for key in ["apiVersion", "kind", "metadata", "status"] {
            root.get(key);
        }
        let spec = root.required_map("spec", report);
        root.finish(report);
        spec.map_or_else(Vec::new, |spec| sloth(spec, true, report))
    } else if version == "pyrra.dev/v1alpha1" && kind == "ServiceLevelObjective" {
        pyrra(Fields::of_document(node, report)?, report).into_iter().collect()
    } else {
        return None;
    };
    Some(slos.iter().map(Slo::document).collect())
}

/// Sloth's specification: in files with words joined by `_`, in Kubernetes in camel case.
fn sloth(mut spec: Fields<'_>, is_camel: bool, report: &mut Report) -> Vec<Slo> {
    spec.get("version");
    let service = spec.required_text("service", report).unwrap_or_default().to_owned();
    let labels = plain(spec.texts("labels", false, report));
    spec.pass_over(if is_camel { "sloPlugins" } else { "slo_plugins" }, "plug-ins of Sloth are not run", report);
    let path = spec.path("slos");
    let nodes = spec.required_list("slos", report).unwrap_or_default();
    spec.finish(report);
    let slos = nodes.iter().enumerate().filter_map(|(index, node)| {
        let mut fields = Fields::of(node, format!("{path}[{index}]"), report)?;
        let name = fields.required_text("name", report).unwrap_or_default();
        let mut slo = Slo { tool: "Sloth", service: service.clone(), window: SLOTH_WINDOW.to_owned(), ..Slo::default() };
        slo.name = slug(&format!("{service}-{name}"));
        fields.text("description", report).unwrap_or_default().clone_into(&mut slo.description);
        if fields.get("objective").is_none() {
            report.fault(&fields.path("objective"), "is required, for example 99.9");
        }
        slo.target_percent = percent(fields.number("objective", report), &fields.path("objective"), report)?;
        slo.labels.clone_from(&labels);
        slo.labels.extend(plain(fields.texts("labels", false, report)));
        fields.pass_over("plugins", "plug-ins of Sloth are not run", report);
        let sli = fields.required_map("sli", report);
        let alerting = fields.get("alerting");
        fields.finish(report);
        slo.metric = sloth_metric(sli?, is_camel, report)?;
        if let Some(alerting) = alerting {
            flatten(alerting, "sloth.slok.dev/alerting", &mut slo.annotations);
            let names = if is_camel { ["pageAlert", "ticketAlert"] } else { ["page_alert", "ticket_alert"] };
            let is_off = names.map(|name| member(alerting, name).and_then(|alert| member(alert, "disable")) == Some(&Node::Bool(true)));
            slo.silence(is_off, Window::days(30));
        }
        Some(slo)
    });
    slos.collect()
}

fn sloth_metric(mut sli: Fields<'_>, is_camel: bool, report: &mut Report) -> Option<String> {
    let path = sli.path("plugin");
    if let Some(plugin) = sli.get("plugin") {
        let id = text(plugin, "id").unwrap_or_default();
        report.fault(&path, format!("the SLI plug-in {id} of Sloth cannot be run here; write its queries out under events"));
        return None;
    }
    let (error, total, ratio) =
        if is_camel { ("errorQuery", "totalQuery", "errorRatioQuery") } else { ("error_query", "total_query", "error_ratio_query") };
    let metric = if let Some(mut events) = sli.map("events", report) {
        let (error, total) = (events.required_text(error, report), events.required_text(total, report));
        events.finish(report);
        two_sided("bad", error?, total?)
    } else if let Some(mut raw) = sli.map("raw", report) {
        let query = raw.required_text(ratio, report);
        raw.finish(report);
        raw_ratio("failure", query?)
    } else {
        report.fault(&sli.path("events"), "events or raw is required");
        return None;
    };
    sli.finish(report);
    Some(metric)
}

fn pyrra(mut root: Fields<'_>, report: &mut Report) -> Option<Slo> {
    for key in ["apiVersion", "kind", "status"] {
        root.get(key);
    }
    let metadata = root.required_map("metadata", report);
    let spec = root.required_map("spec", report);
    root.finish(report);
    let (mut metadata, mut spec) = (metadata?, spec?);
    let mut slo = Slo { tool: "Pyrra", ..Slo::default() };
    let name = metadata.required_text("name", report)?;
    slo.name = metadata.text("namespace", report).map_or_else(|| slug(name), |namespace| slug(&format!("{namespace}-{name}")));
    slo.labels = plain(metadata.texts("labels", false, report));
    slo.annotations = plain(metadata.texts("annotations", false, report));
    let labelled = ["service", "app.kubernetes.io/name", "app"].into_iter().find_map(|key| slo.labels.iter().find(|label| label.0 == key));
    slo.service = labelled.map_or_else(|| name.to_owned(), |label| label.1.clone());
    spec.text("description", report).unwrap_or_default().clone_into(&mut slo.description);
    spec.required_text("window", report)?.clone_into(&mut slo.window);
    let target_path = spec.path("target");
    let target = match spec.get("target") {
        Some(Node::Text(target)) => target.trim().parse().ok(),
        _ => spec.number("target", report),
    };
    slo.target_percent = percent(target, &target_path, report)?;
    spec.get("partial_response_strategy");
    if let Some(alerting) = spec.get("alerting") {
        flatten(alerting, "pyrra.dev/alerting", &mut slo.annotations);
        let is = |key: &str, flag: bool| member(alerting, key) == Some(&Node::Bool(flag));
        let is_off = is("disabled", true) || is("burnrates", false);
        slo.silence([is_off; 2], Window::days(30));
    }
    let indicator = spec.required_map("indicator", report);
    spec.finish(report);
    slo.metric = pyrra_metric(indicator?, &mut slo.annotations, report)?;
    Some(slo)
}

fn pyrra_metric(mut indicator: Fields<'_>, annotations: &mut Vec<(String, String)>, report: &mut Report) -> Option<String> {
    let kinds = ["ratio", "latency", "latencyNative", "bool_gauge"];
    let Some(kind) = kinds.into_iter().find(|kind| indicator.get(kind).is_some()) else {
        report.fault(&indicator.path("ratio"), "ratio, latency, latencyNative or bool_gauge is required");
        return None;
    };
    let mut fields = indicator.map(kind, report)?;
    indicator.finish(report);
    let grouping_path = fields.path("grouping");
    let groups: Vec<&str> = fields.list("grouping", report).unwrap_or_default().iter().filter_map(as_text).collect();
    if !groups.is_empty() {
        report.warn(&grouping_path, "is kept; one SLO counts all groups together");
        annotations.push(("pyrra.dev/grouping".to_owned(), groups.join(",")));
    }
    let metric = match kind {
        "ratio" | "latency" => {
            let part = if kind == "ratio" { "errors" } else { "success" };
            let (part, total) = (query(&mut fields, part, report), query(&mut fields, "total", report));
            two_sided(if kind == "ratio" { "bad" } else { "good" }, part?, total?)
        }
        "latencyNative" => {
            let (total, latency) = (query(&mut fields, "total", report), fields.required_text("latency", report));
            format!("thresholdMetric:\n{}            latency: {}\n", source("  ", total?), quoted(latency?))
        }
        _ => raw_ratio("success", fields.required_text("metric", report)?),
    };
    fields.finish(report);
    Some(metric)
}

fn query<'n>(fields: &mut Fields<'n>, key: &'static str, report: &mut Report) -> Option<&'n str> {
    let mut query = fields.required_map(key, report)?;
    let metric = query.required_text("metric", report);
    query.finish(report);
    metric
}

fn as_text(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

fn percent(number: Option<f64>, path: &str, report: &mut Report) -> Option<f64> {
    let percent = number.filter(|percent| *percent > 0.0 && *percent < 100.0);
    if percent.is_none() {
        report.fault(path, "a percentage lies between 0 and 100, both excluded");
    }
    percent
}

/// The first text of each.
fn plain(texts: std::collections::BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    texts.into_iter().filter_map(|(key, values)| Some((key, values.into_iter().next()?))).collect()
}

/// Every value of a tree, by the path to it.
fn flatten(node: &Node, path: &str, pairs: &mut Vec<(String, String)>) {
    match node {
        Node::Map(fields) => fields.iter().for_each(|(key, node)| flatten(node, &format!("{path}.{key}"), pairs)),
        Node::List(nodes) => nodes.iter().enumerate().for_each(|(index, node)| flatten(node, &format!("{path}.{index}"), pairs)),
        Node::Null => {}
        Node::Bool(value) => pairs.push((path.to_owned(), value.to_string())),
        Node::Int(value) => pairs.push((path.to_owned(), value.to_string())),
        Node::Float(value) => pairs.push((path.to_owned(), value.to_string())),
        Node::Text(value) => pairs.push((path.to_owned(), value.clone())),
    }
}

fn two_sided(part: &str, query: &str, total: &str) -> String {
    let (query, total) = (source("    ", query), source("    ", total));
    format!("ratioMetric:\n        counter: true\n        {part}:\n{query}        total:\n{total}")
}

fn raw_ratio(kind: &str, query: &str) -> String {
    format!("ratioMetric:\n        rawType: {kind}\n        raw:\n{}", source("    ", query))
}

/// The lines of a `metricSource`, so much deeper than the metric.
fn source(deeper: &str, query: &str) -> String {
    let indent = format!("      {deeper}");
    format!("{indent}metricSource:\n{indent}  type: prometheus\n{indent}  spec:\n{indent}    query: {}\n", quoted(query))
}

/// A text in double quotes, as JSON has it, which YAML reads the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Slo {
    /// Leaves out the pages, the tickets or both of the preset.
    fn silence(&mut self, [no_pages, no_tickets]: [bool; 2], window: Window) {
        let Ok(target) = Target::new(self.target_percent / 100.0) else { return };
        let kept: Vec<String> = tiers_for(window, target)
            .into_iter()
            .filter(|rule| if rule.tier == Tier::Page { !no_pages } else { !no_tickets })
            .map(|rule| {
                let threshold = Threshold::BurnRate(rule.burn_rate);
                AlertPair { tier: rule.tier, long_minutes: rule.long_minutes, short_minutes: rule.short_minutes, threshold }.to_string()
            })
            .collect();
        match (no_pages || no_tickets, kept.is_empty()) {
            (false, _) => {}
            (true, true) => self.annotations.push(("slowburn.dev/alert-preset".to_owned(), "none".to_owned())),
            (true, false) => self.annotations.push(("slowburn.dev/alert-pairs".to_owned(), kept.join(", "))),
        }
    }

    /// It as an OpenSLO document.
    fn document(&self) -> String {
        let mut text = format!("# Imported from {}.\napiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: {}\n", self.tool, self.name);
        for (title, pairs) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            // What stands later, nearer to the SLO, counts.
            let pairs: std::collections::BTreeMap<&String, &String> = pairs.iter().map(|(key, value)| (key, value)).collect();
            if !pairs.is_empty() {
                let _ = writeln!(text, "  {title}:");
            }
            for (key, value) in pairs {
                let _ = writeln!(text, "    {}: {}", quoted(key), quoted(value));
            }
        }
        let Self { name, service, description, target_percent, window, metric, .. } = self;
        let (service, description, window) = (quoted(service), quoted(description), quoted(window));
        let _ = write!(
            text,
            "spec:\n  description: {description}\n  service: {service}\n  indicator:\n    metadata:\n      name: {name}\n    spec:\n      {metric}  timeWindow:\n    - duration: {window}\n      isRolling: true\n  budgetingMethod: Occurrences\n  objectives:\n    - targetPercent: {target_percent}\n"
        );
        text
    }
}
