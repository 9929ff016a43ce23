//! Which objectives a person wants to see, and in which order. The same struct is read from the URL of the list and from the
//! API's query string, and written back into links.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::query::FieldFault;
use crate::sentence;
use crate::slo::{Alert, Evaluation, Objective, Tier};
use crate::url::{decode_query, encode_query};

/// States in the order in which lists offer them, worst first.
pub const STATES: [Alert; 5] = [Alert::Critical, Alert::Unmeasured, Alert::Increasing, Alert::Recovering, Alert::Healthy];

/// A choice of objectives. Every part is optional; all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SloQuery {
    /// Words that all occur in name, display name, service or labels, whatever their case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// With all of these labels, as `key:value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// With an alert of this urgency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Alert>,
    /// The groups of this objective, in place of objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_of: Option<String>,
    /// In which order.
    pub sort: SloSort,
}

/// An order of objectives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SloSort {
    /// The worst state first, in it the least budget.
    #[default]
    Worst,
    /// By title.
    Name,
    /// By service, in it by title.
    Service,
    /// The least budget first; what is not measured last.
    Budget,
    /// The fastest burn of the last hour first; what is not measured last.
    Burn,
    /// The strictest promise first.
    Target,
}

impl SloSort {
    /// Every order with its words.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Worst, "Worst first"),
        (Self::Name, "Name"),
        (Self::Service, "Service"),
        (Self::Budget, "Least budget left"),
        (Self::Burn, "Fastest burn"),
        (Self::Target, "Strictest target"),
    ];

    /// The word in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Name => "name",
            Self::Service => "service",
            Self::Budget => "budget",
            Self::Burn => "burn",
            Self::Target => "target",
        }
    }

    /// Whether it is the order of lists that nobody asked for another one.
    const fn is_worst(self) -> bool {
        matches!(self, Self::Worst)
    }
}

/// What of an objective a query looks at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The promise.
    pub objective: &'a Objective,
    /// How it stands.
    pub evaluation: &'a Evaluation,
    /// Labels as `key:value`.
    pub labels: &'a [String],
}

impl SloQuery {
    /// Reads a raw query string. Empty parameters count as not given and foreign ones are passed over. Gives what could be
    /// read, and every fault found.
    pub fn parse(raw: &str) -> (Self, Vec<FieldFault>) {
        let mut query = Self::default();
        let mut faults = Vec::new();
        for (key, value) in decode_query(raw) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let mut fault = |reason: &str| faults.push(FieldFault::new(key.clone(), reason));
            match key.as_str() {
                "q" => query.q = Some(value.to_owned()),
                "service" => query.service = Some(value.to_owned()),
                "label" if !value.contains(':') => fault("expected key:value"),
                "label" if query.labels.iter().any(|known| known == value) => {}
                "label" => query.labels.push(value.to_owned()),
                "tier" => match [Tier::Page, Tier::Ticket].into_iter().find(|tier| tier.as_str() == value) {
                    Some(tier) => query.tier = Some(tier),
                    None => fault("expected page or ticket"),
                },
                "state" => match STATES.into_iter().find(|state| state.as_str() == value) {
                    Some(state) => query.state = Some(state),
                    None => fault("expected critical, unmeasured, increasing, recovering or healthy"),
                },
                "group_of" => query.group_of = Some(value.to_owned()),
                "sort" => match SloSort::ALL.into_iter().find(|(sort, _)| sort.as_str() == value) {
                    Some((sort, _)) => query.sort = sort,
                    None => fault("expected worst, name, service, budget, burn or target"),
                },
                _ => {}
            }
        }
        (query, faults)
    }

    /// The given parts as (parameter, value), in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let mut pairs = Vec::new();
        pairs.extend(self.q.as_deref().map(|q| ("q", q)));
        pairs.extend(self.service.as_deref().map(|service| ("service", service)));
        pairs.extend(self.labels.iter().map(|label| ("label", label.as_str())));
        pairs.extend(self.tier.map(|tier| ("tier", tier.as_str())));
        pairs.extend(self.state.map(|state| ("state", state.as_str())));
        pairs.extend(self.group_of.as_deref().map(|objective| ("group_of", objective)));
        pairs.extend((!self.sort.is_worst()).then_some(("sort", self.sort.as_str())));
        pairs
    }

    /// Writes the query string, without `?`, in a fixed order.
    pub fn to_query_string(&self) -> String {
        encode_query(self.pairs())
    }

    /// The link to the list as this query asks for it.
    pub fn href(&self) -> String {
        let query = self.to_query_string();
        if query.is_empty() { "/slos".to_owned() } else { format!("/slos?{query}") }
    }

    /// Whether it leaves any objective out.
    pub fn is_narrow(&self) -> bool {
        self.pairs().iter().any(|(key, _)| *key != "sort")
    }

    /// What is asked for, in words: `“pay” of service checkout, critical`. Empty when everything is.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.q.as_ref().map(|q| format!("“{q}” in name, service or labels")));
        words.extend(self.group_of.as_ref().map(|objective| format!("groups of {objective}")));
        words.extend(self.service.as_ref().map(|service| format!("service {service}")));
        words.extend(self.labels.iter().map(|label| format!("label {label}")));
        words.extend(self.tier.map(|tier| format!("alerting by {}", tier.as_str())));
        words.extend(self.state.map(|state| format!("state {}", state.as_str())));
        words.join(", ")
    }

    /// Whether an objective is asked for, whatever its state.
    fn holds_but_for_state(&self, candidate: Candidate<'_>) -> bool {
        let Candidate { objective, evaluation, labels } = candidate;
        self.service.as_ref().is_none_or(|service| *service == objective.service)
            && self.labels.iter().all(|label| labels.contains(label))
            && self.tier.is_none_or(|tier| evaluation.tier == Some(tier))
            && self.q.as_ref().is_none_or(|q| {
                let parts = [objective.name.as_str(), objective.display_name.as_deref().unwrap_or_default(), &objective.service];
                let text = parts.into_iter().chain(labels.iter().map(String::as_str)).collect::<Vec<_>>().join("\n").to_lowercase();
                q.to_lowercase().split_whitespace().all(|word| text.contains(word))
            })
    }

    /// Those of `rows` that are asked for, in the order asked for, and how many of each state there were but for the state
    /// asked for, in the order of [`STATES`]. `rows` come worst first.
    pub fn select<T>(&self, mut rows: Vec<T>, facts: impl Fn(&T) -> Candidate<'_>) -> (Vec<T>, Vec<(Alert, usize)>) {
        rows.retain(|row| self.holds_but_for_state(facts(row)));
        let of_state = |state: Alert| rows.iter().filter(|row| facts(row).evaluation.alert == state).count();
        let states = STATES.map(|state| (state, of_state(state))).to_vec();
        rows.retain(|row| self.state.is_none_or(|state| facts(row).evaluation.alert == state));
        rows.sort_by(|a, b| self.sort.compare(facts(a), facts(b)));
        (rows, states)
    }
}

impl SloSort {
    fn compare(self, a: Candidate<'_>, b: Candidate<'_>) -> Ordering {
        let by_title = || title(a).cmp(&title(b)).then_with(|| a.objective.name.cmp(&b.objective.name));
        match self {
            Self::Worst => Ordering::Equal,
            Self::Name => by_title(),
            Self::Service => a.objective.service.cmp(&b.objective.service).then_with(by_title),
            Self::Budget => {
                let left = |of: Candidate<'_>| of.evaluation.budget.remaining_ratio.unwrap_or(f64::INFINITY);
                left(a).total_cmp(&left(b))
            }
            Self::Burn => {
                let rate = |of: Candidate<'_>| sentence::burn_now(of.evaluation).unwrap_or(f64::NEG_INFINITY);
                rate(b).total_cmp(&rate(a))
            }
            Self::Target => b.objective.target.ratio().total_cmp(&a.objective.target.ratio()),
        }
    }
}

fn title(of: Candidate<'_>) -> String {
    sentence::title(of.objective).to_lowercase()
}

#[cfg(test)]
mod tests;
