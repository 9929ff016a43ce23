//! Objectives by group (requirement B4): beside the budget of the whole, one for each value of something that events carry.
//!
//! A group is an objective of its own under the name `objective@value`. Values get groups as they come, up to a cap; events of
//! further values, and of values that cannot stand in a name, are counted together in [`OTHER`], events without a value in
//! [`NONE`]. So the groups of an objective always add up to the whole.

use super::{Lint, LintKind};
use crate::number::{count, percent};

/// The group of values beyond the cap, and of values that are too long or hold control characters.
pub const OTHER: &str = "~other";
/// The group of events that have no such value.
pub const NONE: &str = "~none";
/// Groups that an objective may have unless its author says otherwise.
pub const DEFAULT_CAP: u32 = 100;
/// Most groups that an objective may have.
pub const HIGHEST_CAP: u32 = 1_000;
/// The longest value with a group of its own, bytes.
pub const LONGEST_VALUE: usize = 100;

/// The name of a group.
pub fn group_name(objective: &str, value: &str) -> String {
    format!("{objective}@{value}")
}

/// Objective and value of a group's name; `None` of one that is no group's.
pub fn split_group(name: &str) -> Option<(&str, &str)> {
    name.split_once('@')
}

/// The group that a value belongs to, apart from the cap.
pub fn group_of(value: Option<&str>) -> &str {
    match value {
        None | Some("") => NONE,
        Some(value) if value.len() > LONGEST_VALUE || value.starts_with('~') || value.chars().any(char::is_control) => OTHER,
        Some(value) => value,
    }
}

/// What is said before anything is counted of an objective that has had more values than its cap allows.
pub fn too_many_values(by: &str, cap: u32) -> Lint {
    Lint {
        kind: Some(LintKind::TooManyGroups),
        reason: format!("{by} has had more than {cap} values: events of the rest would be counted together in {OTHER}"),
        proposal: proposal(cap),
    }
}

fn proposal(cap: u32) -> String {
    if cap < HIGHEST_CAP {
        format!("Allow more (slowburn.dev/group-cap, {HIGHEST_CAP} at most), or group by something with fewer values")
    } else {
        "Group by something with fewer values".to_owned()
    }
}

/// What is said of an objective with more values than its cap allows. `other` are the events counted together, of `counted` in
/// all; both of the same time.
pub fn too_many_groups(by: &str, cap: u32, other: u64, counted: u64) -> Lint {
    let share = if counted == 0 { 0.0 } else { other as f64 / counted as f64 };
    Lint {
        kind: Some(LintKind::TooManyGroups),
        reason: format!(
            "{by} has more than {cap} values: {} of {} events ({}) have no budget of their own and are counted together in {OTHER}",
            count(other as f64),
            count(counted as f64),
            percent(share)
        ),
        proposal: proposal(cap),
    }
}
