//! The kinds `SLO` and `Service`.

use std::collections::BTreeMap;

use slowburn_domain::slo::{BudgetingMethod, CalendarUnit, CalendarWindow, Objective, Target, TimeWindow, Window};
use slowburn_domain::time::parse_duration;

use super::fields::{Fields, Report};
use super::yaml::Node;
use crate::slo::calendar::{Calendar, CalendarFault};

use super::{Definition, IndicatorSource, MAX_DESCRIPTION, MAX_NAME, ServiceDefinition, indicator};

const OWN_ANNOTATIONS: &str = "slowburn.dev/";
const EXPECTED_GAP: &str = "slowburn.dev/expected-gap";
/// The longest window whose minutes are kept (`MINUTES_LIVE` in `upkeep/slots.rs`), minutes.
const LONGEST_WITH_MINUTES: u32 = 90 * 1_440;
/// The longest window, minutes.
const MAX_WINDOW: u64 = 366 * 1_440;

/// A document of kind SLO, as far as it could be read.
pub(super) struct Slo {
    /// Names it defines, each with the path of the field it comes from.
    pub(super) names: Vec<(String, String)>,
    /// Complete unless there were faults.
    content: Option<Content>,
}

struct Content {
    objectives: Vec<Objective>,
    source: IndicatorSource,
    labels: BTreeMap<String, Vec<String>>,
}

struct Metadata {
    name: Option<String>,
    display_name: Option<String>,
    labels: BTreeMap<String, Vec<String>>,
    annotations: BTreeMap<String, Vec<String>>,
}

/// What one entry of `objectives` says.
struct Entry {
    display_name: Option<String>,
    target: Option<Target>,
    budgeting_method: Option<BudgetingMethod>,
}

/// The words of `budgetingMethod`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

impl Slo {
    /// Its SLOs; none when there were faults.
    pub(super) fn definitions(self, document: &str) -> impl Iterator<Item = Definition> {
        self.content.into_iter().flat_map(move |Content { objectives, source, labels }| {
            objectives.into_iter().map(move |objective| Definition {
                objective,
                source: source.clone(),
                labels: labels.clone(),
                document: document.to_owned(),
            })
        })
    }
}

/// Reads the rest of a document of kind SLO.
pub(super) fn read(mut root: Fields<'_>, report: &mut Report) -> Slo {
    let metadata = read_metadata(&mut root, report);
    let expected_gap_minutes = expected_gap(&metadata.annotations, report);
    let spec = root.required_map("spec", report);
    root.finish(report);
    let Some(mut spec) = spec else { return Slo { names: Vec::new(), content: None } };

    let description = description(&mut spec, report);
    let service = spec.required_text("service", report);
    let source = read_source(&mut spec, report);
    let window = read_window(&mut spec, report);
    let method = read_budgeting_method(&mut spec, report);
    let entries = read_objectives(&mut spec, method, window.as_ref(), report);
    if spec.list("alertPolicies", report).is_some_and(|policies| !policies.is_empty()) {
        report.fault("spec.alertPolicies", "alert policies are not supported; the alerts follow from target and window");
    }
    spec.finish(report);

    let names = names(metadata.name.as_deref(), &entries);
    let content = || {
        let (service, window) = (service?, window?);
        let several = entries.len() > 1;
        let objectives = entries.iter().zip(&names).map(|(entry, (_, name))| {
            Some(Objective {
                name: name.clone(),
                display_name: display_name(metadata.display_name.as_deref(), entry.display_name.as_deref(), several),
                service: service.to_owned(),
                description: description.clone(),
                target: entry.target?,
                window: window.clone(),
                budgeting_method: entry.budgeting_method?,
                expected_gap_minutes,
            })
        });
        Some(Content { objectives: objectives.collect::<Option<_>>()?, source: source?, labels: metadata.labels })
    };
    Slo { content: content(), names }
}

/// Reads the rest of a document of kind Service.
pub(super) fn read_service(mut root: Fields<'_>, document: &str, report: &mut Report) -> Option<ServiceDefinition> {
    let metadata = read_metadata(&mut root, report);
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

fn read_metadata(root: &mut Fields<'_>, report: &mut Report) -> Metadata {
    let mut metadata = Metadata { name: None, display_name: None, labels: BTreeMap::new(), annotations: BTreeMap::new() };
    let Some(mut fields) = root.required_map("metadata", report) else { return metadata };
    metadata.name = fields.required_text("name", report).map(str::to_owned);
    if metadata.name.as_ref().is_some_and(|name| !is_dns_label(name)) {
        let reason = format!("a name has 1 to {MAX_NAME} of a–z, 0–9 and -, and begins and ends with a letter or digit (RFC 1123)");
        report.fault(&fields.path("name"), reason);
        metadata.name = None;
    }
    metadata.display_name = fields.text("displayName", report).filter(|name| !name.trim().is_empty()).map(str::to_owned);
    metadata.labels = fields.texts("labels", true, report);
    metadata.annotations = fields.texts("annotations", false, report);
    fields.finish(report);
    metadata
}

fn is_dns_label(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(inside) && !name.starts_with('-') && !name.ends_with('-')
}

fn expected_gap(annotations: &BTreeMap<String, Vec<String>>, report: &mut Report) -> Option<u32> {
    for name in annotations.keys().filter(|name| name.starts_with(OWN_ANNOTATIONS) && *name != EXPECTED_GAP) {
        report.warn(&format!("metadata.annotations.{name}"), "unknown annotation; it is kept and has no effect");
    }
    let text = annotations.get(EXPECTED_GAP)?.first()?;
    let minutes = parse_duration(text).map_err(|error| error.to_string());
    let minutes = minutes.and_then(|seconds| u32::try_from(seconds.div_ceil(60)).map_err(|_| format!("{text} is too long")));
    minutes.map_err(|reason| report.fault(&format!("metadata.annotations.{EXPECTED_GAP}"), reason)).ok()
}

fn description(spec: &mut Fields<'_>, report: &mut Report) -> String {
    let text = spec.text("description", report).unwrap_or_default();
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        report.fault(&spec.path("description"), format!("has {length} characters; at most {MAX_DESCRIPTION} are allowed"));
    }
    text.to_owned()
}

fn read_source(spec: &mut Fields<'_>, report: &mut Report) -> Option<IndicatorSource> {
    spec.refuse("indicatorRef", "references to SLI documents are not supported; write the indicator here, in spec.indicator", report);
    let is_reference = spec.get("indicatorRef").is_some();
    let indicator = if is_reference { spec.map("indicator", report) } else { spec.required_map("indicator", report) };
    indicator::read(indicator?, report)
}

fn read_window(spec: &mut Fields<'_>, report: &mut Report) -> Option<TimeWindow> {
    let path = spec.path("timeWindow");
    let [node] = spec.required_list("timeWindow", report)? else {
        report.fault(&path, "exactly one window is wanted, for example [{duration: 30d, isRolling: true}]");
        return None;
    };
    let mut window = Fields::of(node, format!("{path}[0]"), report)?;
    let (duration_path, rolling_path, calendar_path) = (window.path("duration"), window.path("isRolling"), window.path("calendar"));
    let has_calendar = window.get("calendar").is_some();
    let is_rolling = window.flag("isRolling", report);
    let duration = window.required_text("duration", report);
    let calendar = window.map("calendar", report);
    window.finish(report);
    match (has_calendar, is_rolling) {
        (true, Some(true)) => {
            report.fault(&rolling_path, "a window is rolling or follows a calendar, not both");
            None
        }
        (true, _) => read_calendar(calendar?, duration, &duration_path, report),
        (false, Some(false)) => {
            let example = "{startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}";
            report.fault(&calendar_path, format!("is required with isRolling: false, for example {example}"));
            None
        }
        (false, _) => read_rolling(duration?, &duration_path, report),
    }
}

fn read_rolling(duration: &str, path: &str, report: &mut Report) -> Option<TimeWindow> {
    let seconds = match parse_duration(duration) {
        Ok(seconds) => seconds,
        Err(error) => {
            report.fault(path, error.to_string());
            return None;
        }
    };
    if seconds % 60 != 0 || !(1..=MAX_WINDOW).contains(&(seconds / 60)) {
        report.fault(path, format!("a window is a whole number of minutes, at most {} days", MAX_WINDOW / 1_440));
        return None;
    }
    Some(TimeWindow::Rolling(Window { minutes: u32::try_from(seconds / 60).expect("at most MAX_WINDOW") }))
}

fn read_calendar(mut calendar: Fields<'_>, duration: Option<&str>, duration_path: &str, report: &mut Report) -> Option<TimeWindow> {
    let (start_path, zone_path) = (calendar.path("startTime"), calendar.path("timeZone"));
    let (start, zone) = (calendar.required_text("startTime", report), calendar.required_text("timeZone", report));
    calendar.finish(report);
    let length = duration.and_then(|text| {
        let unit = text.trim().chars().next_back().and_then(CalendarUnit::of_letter);
        let count = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok().filter(|count| *count > 0);
        let length = unit.zip(count);
        if length.is_none() {
            report.fault(duration_path, format!("{text:?} is no period of a calendar; one is 1d, 1w, 1M, 1Q or 1Y"));
        }
        length
    });
    let ((unit, count), start, time_zone) = (length?, start?, zone?);
    let window = CalendarWindow { count, unit, start: start.trim().to_owned(), time_zone: time_zone.trim().to_owned() };
    match Calendar::new(&window) {
        Ok(_) => {}
        Err(CalendarFault::Start(reason)) => report.fault(&start_path, reason),
        Err(CalendarFault::TimeZone(reason)) => report.fault(&zone_path, reason),
    }
    let window = TimeWindow::Calendar(window);
    if u64::from(window.nominal().minutes) > MAX_WINDOW {
        report.fault(duration_path, format!("a window has at most {} days", MAX_WINDOW / 1_440));
        return None;
    }
    Some(window)
}

fn read_budgeting_method(spec: &mut Fields<'_>, report: &mut Report) -> Option<Method> {
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

fn read_objectives(spec: &mut Fields<'_>, method: Option<Method>, window: Option<&TimeWindow>, report: &mut Report) -> Vec<Entry> {
    let path = spec.path("objectives");
    let Some(nodes) = spec.required_list("objectives", report) else { return Vec::new() };
    if nodes.is_empty() {
        report.fault(&path, "at least one objective is required");
    }
    let entries = nodes.iter().enumerate().map(|(index, node)| match Fields::of(node, format!("{path}[{index}]"), report) {
        Some(fields) => read_objective(fields, method, window, report),
        None => Entry { display_name: None, target: None, budgeting_method: None },
    });
    entries.collect()
}

fn read_objective(mut objective: Fields<'_>, method: Option<Method>, window: Option<&TimeWindow>, report: &mut Report) -> Entry {
    for key in ["indicator", "indicatorRef", "compositeWeight"] {
        objective.refuse(key, "composite SLOs are not supported; all objectives share spec.indicator", report);
    }
    for key in ["op", "value"] {
        objective.pass_over(key, "has no effect with ratioMetric", report);
    }
    let budgeting_method = method.and_then(|method| read_slices(&mut objective, method, window, report));
    let display_name = objective.text("displayName", report).filter(|name| !name.trim().is_empty()).map(str::to_owned);
    let target = read_target(&mut objective, report);
    objective.finish(report);
    Entry { display_name, target, budgeting_method }
}

/// Length and target of the slices, where the method has them.
fn read_slices(objective: &mut Fields<'_>, method: Method, window: Option<&TimeWindow>, report: &mut Report) -> Option<BudgetingMethod> {
    let (target_path, window_path) = (objective.path("timeSliceTarget"), objective.path("timeSliceWindow"));
    if method != Method::Timeslices {
        objective.pass_over("timeSliceTarget", "has an effect with budgetingMethod Timeslices only", report);
    }
    if method == Method::Occurrences {
        objective.pass_over("timeSliceWindow", "has no effect with budgetingMethod Occurrences", report);
        return Some(BudgetingMethod::Occurrences);
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
fn slug(text: &str) -> String {
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
