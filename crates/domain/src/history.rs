//! What happened to an objective over time, told for its page: incidents, versions of its document, exclusions.

use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::number::{budget_percent, long_duration};
use crate::slo::{Exclusion, ExclusionScope};
use crate::time::Timestamp;
use crate::url::incident_path;
use crate::view::DocumentVersion;

/// Something that happened to an objective.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// Which mark it gets: `opened`, `closed`, `version` or `exclusion`.
    pub mark: String,
    /// What, in a few words.
    pub what: String,
    /// Where more of it is; empty when nowhere.
    pub href: String,
    /// The rest, in sentences or as a list.
    pub more: Vec<String>,
    /// The id of an exclusion that can be taken back.
    pub exclusion: Option<String>,
}

/// All of it, newest first.
pub fn history(slo: &str, incidents: &[Incident], versions: &[DocumentVersion], exclusions: &[Exclusion]) -> Vec<Happening> {
    let mut all: Vec<Happening> = incidents.iter().flat_map(of_incident).collect();
    all.extend(versions.iter().map(of_version));
    all.extend(exclusions.iter().flat_map(|exclusion| of_exclusion(slo, exclusion)));
    all.sort_by_key(|happening| std::cmp::Reverse(happening.at));
    all
}

fn of_incident(incident: &Incident) -> impl Iterator<Item = Happening> + use<> {
    let happening = |at: Timestamp, mark: &str, what: &str, more: Option<String>| Happening {
        at,
        mark: mark.to_owned(),
        what: what.to_owned(),
        href: incident_path(&incident.id),
        more: more.into_iter().collect(),
        exclusion: None,
    };
    let end = incident.closed_at.map(|at| {
        let took = long_duration(at.since(incident.opened_at) as f64 / 1e9);
        happening(at, "closed", "An incident ended", Some(format!("It took {took}, at its worst a {}.", incident.worst_tier.as_str())))
    });
    let taken = incident.acknowledged_by.as_ref().map(|who| format!("{who} took it on."));
    end.into_iter().chain([happening(incident.opened_at, "opened", "An incident began", taken)])
}

fn of_version(version: &DocumentVersion) -> Happening {
    let by = version.author.as_ref().map_or_else(String::new, |author| format!(" by {author}"));
    let what = match version.change.as_str() {
        "created" => format!("Applied for the first time{by}"),
        "deleted" => format!("Removed{by}"),
        _ => format!("Version {} applied{by}", version.number),
    };
    let reason = version.reason.as_ref().map(|reason| format!("“{reason}”"));
    let more = reason.into_iter().chain(version.differences.iter().cloned()).collect();
    Happening { at: version.at, mark: "version".to_owned(), what, more, ..Happening::default() }
}

fn of_exclusion(slo: &str, exclusion: &Exclusion) -> impl Iterator<Item = Happening> + use<> {
    let happening = |at: Timestamp, what: String, more: Vec<String>, id: Option<&String>| Happening {
        at,
        mark: "exclusion".to_owned(),
        what,
        more,
        exclusion: id.cloned(),
        ..Happening::default()
    };
    let back = exclusion.removed.as_ref().map(|(at, who)| {
        let what = format!("An exclusion was taken back by {who}");
        happening(*at, what, vec![times(exclusion)], None)
    });
    let whose = match &exclusion.scope {
        ExclusionScope::Slo(_) => String::new(),
        ExclusionScope::Service(service) => format!(", with all objectives of {service}"),
    };
    let mut more = vec![times(exclusion), format!("“{}”", exclusion.reason)];
    if let Some(effect) = exclusion.effects.iter().find(|effect| effect.slo == slo) {
        let left = |ratio: Option<f64>| ratio.map_or_else(|| "nothing known".to_owned(), budget_percent);
        more.push(format!("{} of the budget left before, {} after", left(effect.before), left(effect.after)));
    }
    let in_force = exclusion.removed.is_none().then_some(&exclusion.id);
    let made = happening(exclusion.created_at, format!("Time was excluded by {}{whose}", exclusion.author), more, in_force);
    back.into_iter().chain([made])
}

/// From when to when, and how it comes again.
fn times(exclusion: &Exclusion) -> String {
    let once = format!("{} to {}", exclusion.from, exclusion.to);
    match &exclusion.rrule {
        None => once,
        Some(rule) => format!("{once}, again by {rule} in {}", exclusion.time_zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::ExclusionEffect;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_262_400 + 60 * minute)
    }

    fn exclusion(removed: Option<(Timestamp, String)>) -> Exclusion {
        Exclusion {
            id: "7".to_owned(),
            scope: ExclusionScope::Service("shop".to_owned()),
            from: at(-60),
            to: at(-30),
            rrule: Some("FREQ=DAILY".to_owned()),
            time_zone: "Europe/Berlin".to_owned(),
            reason: "load test".to_owned(),
            author: "Ada".to_owned(),
            created_at: at(2),
            removed,
            effects: vec![ExclusionEffect { slo: "checkout".to_owned(), before: Some(-0.5), after: Some(0.91) }],
        }
    }

    #[test]
    fn b9_history_tells_versions_and_exclusions_newest_first() {
        let version = DocumentVersion {
            number: 2,
            at: at(1),
            author: Some("Grace".to_owned()),
            reason: Some("too strict".to_owned()),
            change: "changed".to_owned(),
            differences: vec!["target: 99.9 % → 99 %".to_owned()],
            body: String::new(),
        };
        let told = history("checkout", &[], &[version], &[exclusion(Some((at(3), "Alan".to_owned())))]);
        let whats: Vec<&str> = told.iter().map(|happening| happening.what.as_str()).collect();
        assert_eq!(
            whats,
            ["An exclusion was taken back by Alan", "Time was excluded by Ada, with all objectives of shop", "Version 2 applied by Grace"]
        );
        assert_eq!(told[1].more[2], "−50 % of the budget left before, 91 % after");
        assert_eq!(told[2].more, ["“too strict”", "target: 99.9 % → 99 %"]);
        assert!(told.iter().all(|happening| happening.exclusion.is_none()), "what was taken back cannot be taken back");
        assert_eq!(history("checkout", &[], &[], &[exclusion(None)])[0].exclusion.as_deref(), Some("7"));
    }
}
