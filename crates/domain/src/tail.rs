//! The live tail of a search: what is new in the newest answer beside the one that is shown.

use std::collections::HashSet;

use crate::story::plural;

/// What the newest answer has that the shown one has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Keys of what is not shown yet, newest first.
    pub keys: Vec<u128>,
    /// Whether more came than one answer holds, so that some will not be shown.
    pub has_skipped: bool,
}

impl Fresh {
    /// Compares two answers to one search by the keys of what they found. `has_more` says whether the newest is full.
    pub fn between(shown: &[u128], newest: &[u128], has_more: bool) -> Self {
        let known: HashSet<u128> = shown.iter().copied().collect();
        let keys: Vec<u128> = newest.iter().copied().filter(|key| !known.contains(key)).collect();
        // A full answer without anything that was shown does not reach back to where the shown one began.
        let has_skipped = has_more && !keys.is_empty() && keys.len() == newest.len() && !known.is_empty();
        Self { keys, has_skipped }
    }

    /// `3 new traces`, `50 or more new traces`; empty when there are none. `what` is one of them: `new trace`.
    pub fn told(&self, what: &str) -> String {
        match self.keys.len() {
            0 => String::new(),
            count if self.has_skipped => format!("{count} or more {what}s"),
            count => plural(count as u64, what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_and_what_is_beyond_an_answer_is_said_to_be_skipped() {
        for (shown, newest, has_more, told) in [
            (vec![3, 2, 1], vec![3, 2, 1], false, ""),
            (vec![3, 2, 1], vec![5, 4, 3], true, "2 new traces"),
            (vec![3, 2, 1], vec![3, 2, 7, 1], false, "1 new trace"),
            (vec![3, 2, 1], vec![9, 8, 7], true, "3 or more new traces"),
            (vec![], vec![2, 1], true, "2 new traces"),
            (vec![3], vec![], false, ""),
        ] {
            let fresh = Fresh::between(&shown, &newest, has_more);
            assert_eq!(fresh.told("new trace"), told, "{shown:?} {newest:?}");
            assert_eq!(fresh.has_skipped, told.contains("or more"));
        }
    }
}
