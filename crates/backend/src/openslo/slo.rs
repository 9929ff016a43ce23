//! The kinds `SLO` and `Service`.

use std::collections::BTreeMap;

use slowburn_domain::slo::{BudgetingMethod, Objective, Target, TimeWindow, WhenDelayed};
use slowburn_domain::time::parse_duration;

use super::composite::{self, COMPOSITE_OF, WHEN_DELAYED};
use super::fields::{Fields, Report};
use super::grouping::{self, GROUP_BY, GROUP_CAP};
use super::library::Context;
use super::metadata::{Metadata, Naming, description};
use super::pairs::{ALERT_PAIRS, ALERT_PRESET, MIN_BAD_EVENTS};
use super::window::read_window;
use super::yaml::Node;
use super::{CompositePart, Definition, GroupBy, IndicatorSource, MAX_NAME, ServiceDefinition, alerts, indicator, pairs};

const EXPECTED_GAP: &str = "slowburn.dev/expected-gap";
/// The longest window whose minutes are kept (`MINUTES_LIVE` in `upkeep/slots.rs`), minutes.
const LONGEST_WITH_MINUTES: u32 = 90 * 1_440;

/// A document of kind SLO, as far as it could be read.
pub(super) struct Slo {
    /// Names it defines, each with the path of the field it comes from.
    pub(super) names: Vec<(String, String)>,
    /// Complete unless there were faults.
    content: Option<Content>,
}

struct Content {
    objectives: Vec<(Objective, IndicatorSource)>,
    group_by: Option<GroupBy>,
    labels: BTreeMap<String, Vec<String>>,
}

/// What one entry of `objectives` says.
struct Entry {
    display_name: Option<String>,
    target: Option<Target>,
    budgeting_method: Option<BudgetingMethod>,
    /// Its own indicator, if it brings one that has no faults.
    own: Option<IndicatorSource>,
    weight: Option<f64>,
}

/// The words of `budgetingMethod`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
    /// Of SLOs made of others, without a word.
    Composite,
}

impl Slo {
    /// Its SLOs; none when there were faults.
    pub(super) fn definitions(self, document: &str) -> impl Iterator<Item = Definition> {
        self.content.into_iter().flat_map(move |Content { objectives, group_by, labels }| {
            objectives.into_iter().map(move |(objective, source)| Definition {
                objective,
                // A whole has no events of its own.
                group_by: group_by.clone().filter(|_| source.parts().is_empty()),
                source,
                labels: labels.clone(),
                document: document.to_owned(),
            })
        })
    }
}

/// Reads the rest of a document of kind SLO.
pub(super) fn read<'c>(mut root: Fields<'c>, context: &Context<'c>, report: &mut Report) -> Slo {
    let metadata = Metadata::read(&mut root, Naming::Label, report);
    metadata.warn_of_unknown(
        &[EXPECTED_GAP, ALERT_PRESET, ALERT_PAIRS, MIN_BAD_EVENTS, COMPOSITE_OF, WHEN_DELAYED, GROUP_BY, GROUP_CAP],
        report,
    );
    let expected_gap_minutes = metadata.read_annotation(EXPECTED_GAP, gap_minutes, report);
    let spec = root.required_map("spec", report);
    root.finish(report);
    let Some(mut spec) = spec else { return Slo { names: Vec::new(), content: None } };

    let description = description(&mut spec, report);
    let service = spec.required_text("service", report);
    let shared = read_shared(&mut spec, &metadata, context, report);
    let window = read_window(&mut spec, report);
    let method = read_budgeting_method(&mut spec, &shared, report);
    let entries = read_objectives(&mut spec, &Whole { method, window: window.as_ref(), shared: &shared }, context, report);
    let when_delayed = composite::when_delayed(&metadata, &mut Report::new(String::new()));
    let (alerting, typed) = pairs::alerting(&metadata, alerts::read_policies(&mut spec, context, report), report);
    if let Some(window) = &window {
        let targets: Vec<Target> = entries.iter().filter_map(|entry| entry.target).collect();
        pairs::check(&typed, window.nominal(), &targets, report);
    }
    spec.finish(report);
    let own = entries.iter().filter_map(|entry| entry.own.as_ref());
    let group_by = match &shared {
        Shared::Indicator(source) => grouping::read(&metadata, source, report),
        Shared::Composite(parts) => {
            let whole = parts.clone().map(|parts| IndicatorSource::Composite { parts });
            grouping::read(&metadata, &whole, report)
        }
        Shared::None => grouping::read(&metadata, own, report),
    };

    let mut names = names(metadata.name.as_deref(), &entries);
    let content = || {
        let (service, window) = (service?, window?);
        let several = entries.len() > 1;
        let promise = |name: &str, display_name, target, budgeting_method| Objective {
            name: name.to_owned(),
            display_name,
            service: service.to_owned(),
            description: description.clone(),
            target,
            window: window.clone(),
            budgeting_method,
            expected_gap_minutes,
            alerting: alerting.clone(),
        };
        let objectives = entries.iter().zip(&names).map(|(entry, (_, name))| {
            let title = display_name(metadata.display_name.as_deref(), entry.display_name.as_deref(), several);
            let source = match &shared {
                Shared::Indicator(source) => source.clone()?,
                Shared::Composite(parts) => IndicatorSource::Composite { parts: parts.clone()? },
                Shared::None => entry.own.clone()?,
            };
            Some((promise(name, title, entry.target?, entry.budgeting_method?), source))
        });
        let mut objectives: Vec<(Objective, IndicatorSource)> = objectives.collect::<Option<_>>()?;
        if let (Shared::None, true, Some(name)) = (&shared, several, &metadata.name) {
            let (target, parts) = whole(&entries, &objectives, when_delayed)?;
            let promise = promise(name, metadata.display_name.clone(), target, BudgetingMethod::Composite);
            objectives.push((promise, IndicatorSource::Composite { parts }));
        }
        Some(Content { objectives, group_by, labels: metadata.labels })
    };
    let content = content();
    if let (Shared::None, true, Some(name)) = (&shared, entries.len() > 1, metadata.name) {
        names.push(("metadata.name".to_owned(), name));
    }
    Slo { names, content }
}

/// Target and parts of the whole that objectives with indicators of their own make. The target is met by all parts that just
/// meet theirs.
fn whole(
    entries: &[Entry],
    objectives: &[(Objective, IndicatorSource)],
    when_delayed: WhenDelayed,
) -> Option<(Target, Vec<CompositePart>)> {
    let weights: Vec<f64> = entries.iter().map(|entry| entry.weight).collect::<Option<_>>()?;
    let parts = objectives.iter().zip(&weights).map(|((objective, _), weight)| {
        let part = CompositePart { slo: objective.name.clone(), weight: *weight, when_delayed };
        (objective.target.ratio() * weight, part)
    });
    let (met, parts): (Vec<f64>, Vec<CompositePart>) = parts.unzip();
    let target = met.iter().sum::<f64>() / weights.iter().sum::<f64>();
    Some((Target::new(target).ok()?, parts))
}

/// Reads the rest of a document of kind Service.
pub(super) fn read_service(mut root: Fields<'_>, document: &str, report: &mut Report) -> Option<ServiceDefinition> {
    let metadata = Metadata::read(&mut root, Naming::Label, report);
    let description = match root.map("spec", report) {
        Some(mut spec) => {
            let description = description(&mut spec, report);
            spec.finish(report);
            description
        }
        None => String::new(),
    };
    root.finish(report);
    Some(ServiceDefinition {
        name: metadata.name?,
        display_name: metadata.display_name,
        description,
        labels: metadata.labels,
        document: document.to_owned(),
    })
}

fn gap_minutes(text: &str) -> Result<u32, String> {
    let seconds = parse_duration(text).map_err(|error| error.to_string())?;
    u32::try_from(seconds.div_ceil(60)).map_err(|_| format!("{text} is too long"))
}

/// What the objectives of a document have in common.
enum Shared {
    /// One indicator; `None` with faults.
    Indicator(Option<IndicatorSource>),
    /// The same parts; `None` with faults.
    Composite(Option<Vec<CompositePart>>),
    /// Nothing: each brings its own indicator.
    None,
}

fn read_shared<'c>(spec: &mut Fields<'c>, metadata: &Metadata, context: &Context<'c>, report: &mut Report) -> Shared {
    if metadata.annotation(COMPOSITE_OF).is_some() {
        for key in ["indicator", "indicatorRef"] {
            spec.refuse(key, &format!("an SLO that {COMPOSITE_OF} makes of others has no indicator"), report);
        }
        let parts = composite::parts(metadata, report);
        // Whether there are such SLOs is known when all documents are.
        let documents = parts.iter().flatten().map(|part| part.slo.split(':').next().unwrap_or_default());
        let others = documents.filter(|document| metadata.name.as_deref() != Some(document));
        report.refers.extend(others.map(|document| ("SLO", document.to_owned())));
        return Shared::Composite(parts);
    }
    if spec.get("indicator").is_some() || spec.get("indicatorRef").is_some() {
        return Shared::Indicator(read_source(spec, context, report));
    }
    let has_own = |node: &Node| ["indicator", "indicatorRef"].into_iter().any(|key| super::library::member(node, key).is_some());
    if matches!(spec.get("objectives"), Some(Node::List(nodes)) if nodes.iter().any(has_own)) {
        return Shared::None;
    }
    // Nobody has any: told of the place where most have it.
    Shared::Indicator(spec.required_map("indicator", report).and(None))
}

/// `indicator` or `indicatorRef` of a document or of one of its objectives.
fn read_source<'c>(fields: &mut Fields<'c>, context: &Context<'c>, report: &mut Report) -> Option<IndicatorSource> {
    let path = fields.path("indicatorRef");
    if fields.get("indicatorRef").is_none() {
        return indicator::read(fields.required_map("indicator", report)?, context, report);
    }
    if fields.get("indicator").is_some() {
        report.fault(&path, "either indicator or indicatorRef is given, not both");
        return None;
    }
    let name = fields.required_text("indicatorRef", report)?;
    let source = context.resolve(("SLI", name), &path, report, |sli, report| indicator::read(sli, context, report))??;
    if let IndicatorSource::Unknown { kind } = &source {
        report.warn(&path, format!("SLI {name} is of {kind} and cannot be measured as it is; the SLO is kept and shown as unmeasured"));
    }
    Some(source)
}

fn read_budgeting_method(spec: &mut Fields<'_>, shared: &Shared, report: &mut Report) -> Option<Method> {
    if matches!(shared, Shared::Composite(_)) {
        let path = spec.path("budgetingMethod");
        if let Some("Timeslices" | "RatioTimeslices") = spec.text("budgetingMethod", report) {
            report.fault(&path, "the parts of a composite SLO have budgeting methods of their own; it weighs what they count");
        }
        return Some(Method::Composite);
    }
    if spec.get("budgetingMethod").is_none() {
        return Some(Method::Occurrences);
    }
    match spec.text("budgetingMethod", report)? {
        "Occurrences" => Some(Method::Occurrences),
        "Timeslices" => Some(Method::Timeslices),
        "RatioTimeslices" => Some(Method::RatioTimeslices),
        word => {
            report.fault(&spec.path("budgetingMethod"), format!("{word} is none of Occurrences, Timeslices and RatioTimeslices"));
            None
        }
    }
}

/// What a document says of all its objectives.
struct Whole<'w> {
    method: Option<Method>,
    window: Option<&'w TimeWindow>,
    shared: &'w Shared,
}

fn read_objectives<'c>(spec: &mut Fields<'c>, whole: &Whole<'_>, context: &Context<'c>, report: &mut Report) -> Vec<Entry> {
    let path = spec.path("objectives");
    let Some(nodes) = spec.required_list("objectives", report) else { return Vec::new() };
    if nodes.is_empty() {
        report.fault(&path, "at least one objective is required");
    }
    let entries = nodes.iter().enumerate().map(|(index, node)| match Fields::of(node, format!("{path}[{index}]"), report) {
        Some(fields) => read_objective(fields, whole, nodes.len() > 1, context, report),
        None => Entry { display_name: None, target: None, budgeting_method: None, own: None, weight: None },
    });
    entries.collect()
}

fn read_objective<'c>(mut objective: Fields<'c>, whole: &Whole<'_>, is_part: bool, context: &Context<'c>, report: &mut Report) -> Entry {
    let brings_own = matches!(whole.shared, Shared::None);
    let own = if brings_own {
        read_source(&mut objective, context, report)
    } else {
        for key in ["indicator", "indicatorRef"] {
            objective.refuse(key, "either all objectives share spec.indicator, or each has its own; not both", report);
        }
        None
    };
    let weight_path = objective.path("compositeWeight");
    let weight = if brings_own && is_part && objective.get("compositeWeight").is_some() {
        let weight = objective.number("compositeWeight", report);
        weight.and_then(|weight| composite::check_weight(weight).map_err(|reason| report.fault(&weight_path, reason)).ok())
    } else {
        objective.pass_over("compositeWeight", "has an effect with several objectives that bring indicators of their own only", report);
        Some(1.0)
    };
    for key in ["op", "value"] {
        objective.pass_over(key, "has no effect with ratioMetric", report);
    }
    let budgeting_method = whole.method.and_then(|method| read_slices(&mut objective, method, whole.window, report));
    let display_name = objective.text("displayName", report).filter(|name| !name.trim().is_empty()).map(str::to_owned);
    let target = read_target(&mut objective, report);
    objective.finish(report);
    Entry { display_name, target, budgeting_method, own, weight }
}

/// Length and target of the slices, where the method has them.
fn read_slices(objective: &mut Fields<'_>, method: Method, window: Option<&TimeWindow>, report: &mut Report) -> Option<BudgetingMethod> {
    let (target_path, window_path) = (objective.path("timeSliceTarget"), objective.path("timeSliceWindow"));
    if method != Method::Timeslices {
        objective.pass_over("timeSliceTarget", "has an effect with budgetingMethod Timeslices only", report);
    }
    if method == Method::Occurrences || method == Method::Composite {
        objective.pass_over("timeSliceWindow", "has no effect with budgetingMethod Occurrences", report);
        let is_composite = method == Method::Composite;
        return Some(if is_composite { BudgetingMethod::Composite } else { BudgetingMethod::Occurrences });
    }
    let minutes = match objective.get("timeSliceWindow") {
        None => Err("is required, for example 5m".to_owned()),
        // A bare number is minutes, says OpenSLO.
        Some(Node::Int(minutes)) => u64::try_from(*minutes).map_err(|_| "must not be negative".to_owned()),
        Some(Node::Text(text)) => match parse_duration(text) {
            Ok(seconds) if seconds % 60 == 0 => Ok(seconds / 60),
            Ok(_) => Err("a slice is a whole number of minutes".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        Some(other) => Err(format!("expected a duration such as 5m, got {}", other.kind())),
    };
    let minutes = minutes.and_then(|minutes| match u32::try_from(minutes) {
        Ok(minutes) if minutes > 0 && 1_440 % minutes == 0 => Ok(minutes),
        _ => Err("slices must divide a day or an hour: 1m, 5m, 10m, 1h, 1d and the like".to_owned()),
    });
    let minutes = minutes.and_then(|minutes| match window.map(TimeWindow::nominal) {
        Some(window) if minutes > window.minutes => Err("a slice must not be longer than the window".to_owned()),
        Some(window) if minutes % 60 != 0 && window.minutes > LONGEST_WITH_MINUTES => {
            Err("in a window of more than 90 days slices are whole hours: minutes are not kept that long".to_owned())
        }
        _ => Ok(minutes),
    });
    let minutes = minutes.map_err(|reason| report.fault(&window_path, reason)).ok();
    if method == Method::RatioTimeslices {
        return Some(BudgetingMethod::RatioTimeslices { minutes: minutes? });
    }
    if objective.get("timeSliceTarget").is_none() {
        report.fault(&target_path, "is required with budgetingMethod Timeslices, for example 0.95");
    }
    let target = objective.number("timeSliceTarget", report)?;
    if !(target > 0.0 && target <= 1.0) {
        report.fault(&target_path, format!("lies between 0, excluded, and 1; got {target}"));
        return None;
    }
    Some(BudgetingMethod::Timeslices { minutes: minutes?, target })
}

fn read_target(objective: &mut Fields<'_>, report: &mut Report) -> Option<Target> {
    let (target_path, percent_path) = (objective.path("target"), objective.path("targetPercent"));
    match (objective.get("target").is_some(), objective.get("targetPercent").is_some()) {
        (false, false) => {
            report.fault(&target_path, "target or targetPercent is required");
            None
        }
        (true, true) => {
            report.fault(&target_path, "either target or targetPercent is given, not both");
            None
        }
        (true, false) => {
            let ratio = objective.number("target", report)?;
            let hint = if ratio > 1.0 && ratio < 100.0 { "; a percentage is written targetPercent" } else { "" };
            Target::new(ratio).map_err(|error| report.fault(&target_path, format!("{error}{hint}"))).ok()
        }
        (false, true) => {
            let percent = objective.number("targetPercent", report)?;
            // By decimal digits: 99.9 ÷ 100 in binary is not the number that is written 0.999.
            let ratio = format!("{percent}e-2").parse().unwrap_or(percent / 100.0);
            let reason = format!("a percentage lies between 0 and 100, both excluded; got {percent}");
            Target::new(ratio).map_err(|_| report.fault(&percent_path, reason)).ok()
        }
    }
}

/// Names of the SLOs with the fields they come from: the document's own with one objective, `name:part` with several.
fn names(name: Option<&str>, entries: &[Entry]) -> Vec<(String, String)> {
    let Some(name) = name else { return Vec::new() };
    if let [_] = entries {
        return vec![("metadata.name".to_owned(), name.to_owned())];
    }
    let named = entries.iter().enumerate().map(|(index, entry)| {
        let slug = entry.display_name.as_deref().map(slug).filter(|slug| !slug.is_empty());
        match slug {
            Some(slug) => (format!("spec.objectives[{index}].displayName"), format!("{name}:{slug}")),
            None => (format!("spec.objectives[{index}]"), format!("{name}:{}", index + 1)),
        }
    });
    named.collect()
}

/// Lower-case letters and digits of ASCII, everything between them one `-`.
pub(super) fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-");
    joined[..joined.len().min(MAX_NAME)].trim_end_matches('-').to_owned()
}

fn display_name(document: Option<&str>, objective: Option<&str>, several: bool) -> Option<String> {
    match (document, objective) {
        (Some(document), Some(objective)) if several => Some(format!("{document}: {objective}")),
        (Some(name), _) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}
