//! IDs that somebody may have meant who looks for one that nothing has: mistyped, cut off, or pasted with too much.

use std::collections::BTreeSet;

use slowburn_storage::{near, partition};
use sqlx::PgConnection;

use crate::{Backend, Result};

/// Rows looked at on either side of the ID in the index.
const BESIDE: i64 = 500;
/// Rows looked at among those that came last.
const NEWEST: i64 = 50_000;
/// IDs offered.
const OFFERED: usize = 8;
/// So many letters may differ.
const MOST_EDITS: usize = 2;
/// An ID shorter than this begins too many others.
const SHORTEST_PREFIX: usize = 3;

impl Backend {
    /// IDs that differ in two letters at most, or that begin as `id` does, nearest first. All that lie beside it in the index are
    /// considered, and those that came in last: an ID typed wrong at its beginning and sent long ago is not found.
    pub(super) async fn ids_near(&self, connection: &mut PgConnection, id: &str) -> Result<Vec<String>> {
        let mut known: BTreeSet<String> =
            near::beside(connection, &self.0.settings.bucket_numbers(), id, BESIDE).await?.into_iter().collect();
        let mut rest = NEWEST;
        for slot in partition::slots(connection).await?.into_keys().rev() {
            if rest <= 0 {
                break;
            }
            let (ids, read) = near::of_slot(connection, slot, rest).await?;
            rest -= read;
            known.extend(ids);
        }
        Ok(nearest(id, known))
    }
}

/// Those of `known` that resemble `id`, nearest first.
fn nearest(id: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let length = id.chars().count();
    let wanted = id.to_lowercase();
    let mut near: Vec<(usize, String)> = known
        .into_iter()
        .filter(|other| other != id)
        .filter_map(|other| {
            let lower = other.to_lowercase();
            // Longer ones cannot be that near; most are told apart by this alone.
            let edits =
                if lower.chars().count().abs_diff(length) <= MOST_EDITS { strsim::osa_distance(&wanted, &lower) } else { usize::MAX };
            if edits <= MOST_EDITS && edits < length {
                return Some((edits, other));
            }
            let (short, long) = if wanted.len() < lower.len() { (&wanted, &lower) } else { (&lower, &wanted) };
            let is_begin = short.chars().count() >= SHORTEST_PREFIX && long.starts_with(short.as_str());
            is_begin.then_some((MOST_EDITS + 1, other))
        })
        .collect();
    near.sort();
    near.truncate(OFFERED);
    near.into_iter().map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_what_resembles_an_id_is_offered_nearest_first() {
        let known =
            || ["ord-1001", "ord-1002", "ord-10017", "ORD-1011", "ord-2002", "x", "refund-1001", "ord-1001/part/2"].map(str::to_owned);
        assert_eq!(nearest("ord-1001", known()), ["ORD-1011", "ord-10017", "ord-1002", "ord-2002", "ord-1001/part/2"]);
        assert_eq!(nearest("odr-1001", known())[..1], ["ord-1001"], "letters swapped are one change");
        assert_eq!(nearest("refund-1001-and-more", known()), ["refund-1001"], "pasted with too much");
        assert_eq!(nearest("yz", known()), [] as [String; 0], "nothing is left of an ID of which all is changed");
        assert_eq!(nearest("or", known()), [] as [String; 0], "two letters begin too many");
        assert_eq!(nearest("z", (0..100).map(|number| format!("z{number:02}"))).len(), 0);
        assert_eq!(nearest("run-", (0..100).map(|number| format!("run-{number:03}"))).len(), OFFERED);
    }
}
